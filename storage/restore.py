"""A record that was kept elsewhere, written as it stood there: every row with its own times, people and history."""

from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Insert

from bot.incident.history import EntryVersion, History, Verdict, WhyVersion, is_entry_deed
from bot.incident.kept import KeptRegion
from bot.incident.records import Action, Attachment, Case, Entry, Incident, SectionText, Why
from storage import audit, incidents, people, recall
from storage.statements import Statement, Transaction, insert_into
from storage.tables import (
    ActionRow,
    AttachmentRow,
    EntryRow,
    EntryVersionRow,
    IncidentRow,
    KeptRegionRow,
    SectionRow,
    WhyActionRow,
    WhyRow,
    WhyVersionRow,
    table_of,
)

_Row = Action | Attachment | Entry | EntryVersion | Incident | KeptRegion | SectionText | Why | WhyVersion


def _numbered(insert: Insert) -> Statement:
    return Statement(insert.returning(insert.table.c.id))


_INCIDENT = _numbered(insert_into(table_of(IncidentRow)))
_ENTRY = _numbered(insert_into(table_of(EntryRow)))
_WHY = _numbered(insert_into(table_of(WhyRow)))
_ENTRY_VERSION = Statement(insert_into(table_of(EntryVersionRow)))
_WHY_VERSION = Statement(insert_into(table_of(WhyVersionRow)))
_SECTION = Statement(insert_into(table_of(SectionRow)))
_ACTION = _numbered(insert_into(table_of(ActionRow)))
_LINK = Statement(insert_into(table_of(WhyActionRow)))
_KEPT = Statement(insert_into(table_of(KeptRegionRow)))
_ATTACHMENT = Statement(insert_into(table_of(AttachmentRow)))


def restore(tx: Transaction, case: Case, history: History) -> Incident:
    """Write an incident with everything that is known of it, under its number; as it stands, with its row.

    The caller has seen that the number is free, and the channel too where the incident is not resolved. Whoever is a
    stranger here is kept by name, and may do nothing until Slack has told more of them: they count as a guest.
    """
    _people(tx, case, history)
    incident = _incident(tx, case, history)
    _timeline(tx, incident.id, case, history)
    actions = _parts(tx, incident.id, case, history)
    _whys(tx, incident.id, history, actions)
    for line in case.audit:
        if not is_entry_deed(line):
            audit.restore(tx, incident.id, line)
    for verdict in history.verdicts:
        likeness(tx, incident, verdict)
    # Last: whoever opens an incident in the workspace waits for this row.
    incidents.reserve(tx, incident.team, incident.number)
    return incident


def likeness(tx: Transaction, incident: Incident, verdict: Verdict) -> None:
    """Write what was said of a past incident, where that is here."""
    other = incidents.by_number(tx, incident.team, verdict.number)
    if other is not None:
        recall.judge(tx, incident.id, other.id, verdict.said_by, verdict.said_at, is_same=verdict.is_same)


def _people(tx: Transaction, case: Case, history: History) -> None:
    for user, person in {**case.people, **history.people}.items():
        if people.one(tx, case.incident.team, user) is None:
            people.keep(tx, replace(person, team=case.incident.team, is_guest=True))


def _incident(tx: Transaction, case: Case, history: History) -> Incident:
    row = _add(
        tx,
        _INCIDENT,
        case.incident,
        last_entry=max((entry.number for entry in (*case.entries, *history.struck)), default=0),
        last_why=max((why.number for why in history.whys), default=0),
        last_action=max((action.number for action in case.actions), default=0),
        card_ts="",
        why_ts="",
    )
    return replace(case.incident, id=row)


def _timeline(tx: Transaction, incident_id: int, case: Case, history: History) -> None:
    files: dict[int, list[Attachment]] = {}
    for file in (*case.attachments, *history.files):
        files.setdefault(file.entry_id, []).append(file)
    for entry in sorted((*case.entries, *history.struck), key=lambda entry: entry.number):
        row = _add(tx, _ENTRY, entry, incident_id=incident_id)
        for wording in history.wordings[entry.id]:
            tx.run(_ENTRY_VERSION, **_values(wording), entry_id=row)
        for file in files.get(entry.id, ()):
            tx.run(_ATTACHMENT, **_values(file) | {"entry_id": row}, due_at=entry.recorded_at, attempts=0)


def _whys(tx: Transaction, incident_id: int, history: History, actions: dict[int, int]) -> None:
    """Every why with its wordings and its links to actions, whose rows are given by their numbers."""
    for why in history.whys:
        row = _add(tx, _WHY, why, incident_id=incident_id)
        for number in why.actions:
            tx.run(_LINK, why_id=row, action_id=actions[number])
        for wording in history.why_wordings[why.id]:
            tx.run(_WHY_VERSION, **_values(wording), why_id=row)


def _parts(tx: Transaction, incident_id: int, case: Case, history: History) -> dict[int, int]:
    """Sections and actions; the rows of the actions by their numbers."""
    for savings in history.savings.values():
        for saving in savings:
            tx.run(_SECTION, **_values(saving) | {"incident_id": incident_id})
    for text in case.kept:
        tx.run(_KEPT, **_values(text) | {"incident_id": incident_id})
    return {action.number: _add(tx, _ACTION, action, incident_id=incident_id) for action in case.actions}


def _add(tx: Transaction, statement: Statement, record: _Row, **more: object) -> int:
    row = tx.row(statement, **_values(record) | more)
    assert row is not None  # noqa: S101 (RETURNING answers with the row or raises)
    return int(row[0])


def _values(record: _Row) -> dict[str, Any]:
    """A record's values but its row, which this database gives anew, and its links, which are rows of their own."""
    names = (field.name for field in fields(record) if field.name not in ("id", "actions"))
    return {name: getattr(record, name) for name in names}
