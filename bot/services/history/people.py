"""`afterword forget`: a person's id and names go from the whole record, and a pseudonym takes their place."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.records import Incident, System
from bot.services.notifications import outdated_buttons as outdated_buttons_service
from bot.services.notifications import reminders as reminders_service
from storage import actions as actions_store
from storage import audit as audit_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage import search as search_store
from storage import secrets as secrets_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.history import pseudonyms as pseudonyms_store
from storage.history.pseudonyms import Alias, ForgottenPerson
from storage.links import LinkKey
from storage.postmortem import sections as sections_store

_WHO = "afterword forget"
"""Who did it, in the audit: an operator, whom the database does not know."""


@dataclass(frozen=True, slots=True)
class ForgetReport:
    """What was replaced, by table; what to make again, as (incident, what of it); actions and postmortems set free."""

    pseudonym: str
    rows: dict[str, int]
    incidents: int
    copies: tuple[tuple[Incident, tuple[str, ...]], ...]
    unowned: tuple[Incident, ...]


class _ForgetUndo(Exception):
    def __init__(self, report: ForgetReport) -> None:
        super().__init__()
        self.report = report


def forget(store: Store, user: str, names: Iterable[str], now: datetime, *, is_dry: bool) -> ForgetReport:
    """Replace a person everywhere, in one transaction; in a dry run it is rolled back.

    `names` are further names that people wrote. Pages on Confluence are enqueued, to be written without the person.
    """

    def unit(tx: Transaction) -> ForgetReport:
        alias = Alias(user, tuple(dict.fromkeys((*pseudonyms_store.find_names(tx, user), *names))))
        report = _report(tx, alias, now)
        if is_dry:
            raise _ForgetUndo(report)
        return report

    try:
        report = store.write_now(unit)
    except _ForgetUndo as undo:
        return undo.report
    secrets_store.wipe(store)
    return report


def _report(tx: Transaction, alias: Alias, now: datetime) -> ForgetReport:
    pseudonym = f"Person {secrets.token_hex(3)}"
    done = pseudonyms_store.forget(tx, alias, pseudonym)
    search_store.purge(tx)
    incidents = [one for row in sorted(done.incidents) if (one := incidents_store.find(tx, row)) is not None]
    _write_audit(tx, incidents, pseudonym, now)
    _update_messages(tx, incidents, done, pseudonym, now)
    copies = ((one, tuple(_list_copies(tx, one, now))) for one in incidents)
    return ForgetReport(
        pseudonym,
        dict(done.rows),
        len(incidents),
        tuple((one, found) for one, found in copies if found),
        tuple(one for one in incidents if one.id in done.unowned),
    )


def _write_audit(tx: Transaction, incidents: Iterable[Incident], pseudonym: str, now: datetime) -> None:
    tx.clear_notes()
    for incident in incidents:
        tx.note(incident.id, f"person {pseudonym}")
    audit_store.add_lines(tx, _WHO, "people.forget", "", now)


def _update_messages(
    tx: Transaction, incidents: Iterable[Incident], done: ForgottenPerson, pseudonym: str, now: datetime
) -> None:
    """Enqueue that Slack shows the pseudonym, too, but not in the person's own conversation with the bot."""
    for row in sorted(done.deliveries):
        message = deliveries_store.find(tx, row)
        if message is not None and message.recipient != pseudonym:
            outdated_buttons_service.show_stored(tx, row, now)
    for row in sorted(done.alerts):
        outdated_buttons_service.show_alerts(tx, row, now)
    for incident in incidents:
        links_store.enqueue_written(tx, incident.id, now)
        outdated_buttons_service.show_composed(tx, incident, now, but=pseudonym)
        for owner in {action.owner for action in actions_store.list_all(tx, incident.id)}:
            reminders_service.settle_digests(tx, incident.team, owner, now)


def _list_copies(tx: Transaction, incident: Incident, now: datetime) -> Iterable[str]:
    for link in links_store.list_by_incident(tx, incident.id):
        if not link.external_id:
            continue
        key = LinkKey(link.team, link.system, link.subject, incident.id)
        is_written = link.system == System.CONFLUENCE and links_store.enqueue_if_known(tx, key, now)
        yield f"{link.system.capitalize()} ({'is updated' if is_written else link.url or link.external_id})"
    if sections_store.find_copy(tx, incident.id, "canvas") is not None:
        yield "canvas"
    if count := deliveries_store.count_exports(tx, incident.id):
        yield f"{count} {'file' if count == 1 else 'files'} in Slack"
