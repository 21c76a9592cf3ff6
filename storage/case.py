"""A whole incident, or a part of one that costs the same however long the incident is."""

from dataclasses import replace

from bot.domain.records import Case, Entry, Incident, Person
from storage import actions as actions_store
from storage import attachments as attachments_store
from storage import audit as audit_store
from storage import edited_sections as edited_sections_store
from storage import people as people_store
from storage import sections as sections_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.database.statements import Transaction


def load(tx: Transaction, incident: Incident, *, with_files: bool = False, with_audit: bool = False) -> Case:
    """The whole record of an incident, as of this transaction.

    The contents of files and the audit only if asked for: both may be large.
    """
    case = _case(tx, incident, timeline_store.list_active(tx, incident.id))
    if with_audit:
        done = audit_store.list_all(tx, incident.id)
        people_of = _people(tx, incident.team, {line.who for line in done})
        case = replace(case, audit=done, people=case.people | people_of)
    files = attachments_store.list_by_incident(tx, incident.id, with_content=with_files)
    return replace(case, attachments=files, revision=audit_store.count_changes(tx, incident.id))


def load_latest(tx: Transaction, incident: Incident, most: int) -> tuple[Case, int]:
    """The record with only its latest entries, and how many there are in all."""
    return _case(tx, incident, timeline_store.list_latest(tx, incident.id, most)), timeline_store.count_active(
        tx, incident.id
    )


def load_page(tx: Transaction, incident: Incident, entries: tuple[Entry, ...]) -> Case:
    """The record with some entries only, as for one page of a timeline."""
    return _case(tx, incident, entries)


def _case(tx: Transaction, incident: Incident, entries: tuple[Entry, ...]) -> Case:
    chain, todo, saved, texts = (
        whys_store.list_chain(tx, incident.id),
        actions_store.list_all(tx, incident.id),
        sections_store.list_latest(tx, incident.id),
        edited_sections_store.list_all(tx, incident.id),
    )
    named = {incident.lead, incident.opened_by, incident.resolved_by, incident.postmortem_owner}
    named |= {entry.author for entry in entries} | {entry.recorder for entry in entries}
    named |= {why.author for why in chain} | {section.author for section in saved.values()}
    named |= {action.owner for action in todo} | {action.created_by for action in todo}
    named |= {text.author for text in texts}
    return Case(incident, entries, chain, saved, todo, _people(tx, incident.team, named), kept=texts)


def _people(tx: Transaction, team: str, named: set[str | None]) -> dict[str, Person]:
    """Only those who are named: a workspace may have a hundred thousand people."""
    found = (people_store.find(tx, team, user) for user in sorted(user for user in named if user))
    return {person.id: person for person in found if person is not None}
