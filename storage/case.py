"""A whole incident, or a part of one that costs the same however long the incident is.

Also its history: read for the JSON export, and written by an import, which keeps every row's own times, people and
versions.
"""

from dataclasses import fields, replace
from itertools import groupby
from typing import Any

from sqlalchemy import Insert, bindparam, select

from bot.domain.records import (
    Action,
    Attachment,
    Case,
    EditedRegion,
    Entry,
    EntryVersion,
    Incident,
    Likeness,
    Person,
    RecordHistory,
    SectionText,
    Why,
    WhyVersion,
    is_entry_change,
)
from storage import actions as actions_store
from storage import attachments as attachments_store
from storage import audit as audit_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import search as search_store
from storage import sections as sections_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.database.statements import Statement, Transaction, insert_into
from storage.tables import (
    ActionRow,
    AttachmentRow,
    EntryRow,
    EntryVersionRow,
    IncidentRow,
    KeptRegionRow,
    LikenessRow,
    SectionRow,
    WhyActionRow,
    WhyRow,
    WhyVersionRow,
    table_of,
)

_entry, _version, _likeness = table_of(EntryRow), table_of(EntryVersionRow), table_of(LikenessRow)
_why, _why_version, _incident = table_of(WhyRow), table_of(WhyVersionRow), table_of(IncidentRow)
_WORDINGS = Statement(
    select(
        _entry.c.id,
        _version.c.version,
        _version.c.change,
        _version.c.happened_at,
        _version.c.text,
        _version.c.changed_by,
        _version.c.changed_at,
        _version.c.ended_at,
        _version.c.approximate,
    )
    .join_from(_entry, _version, _version.c.entry_id == _entry.c.id)
    .where(_entry.c.incident_id == bindparam("incident_id"))
    .order_by(_entry.c.id, _version.c.version)
)
_WHY_WORDINGS = Statement(
    select(
        _why.c.id,
        _why_version.c.version,
        _why_version.c.change,
        _why_version.c.text,
        _why_version.c.changed_by,
        _why_version.c.changed_at,
    )
    .join_from(_why, _why_version, _why_version.c.why_id == _why.c.id)
    .where(_why.c.incident_id == bindparam("incident_id"))
    .order_by(_why.c.id, _why_version.c.version)
)
_VERDICTS = Statement(
    select(_incident.c.number, _likeness.c.is_same, _likeness.c.said_by, _likeness.c.said_at)
    .join_from(_likeness, _incident, _likeness.c.other_id == _incident.c.id)
    .where(_likeness.c.incident_id == bindparam("incident_id"))
    .order_by(_incident.c.number)
)

_Row = Action | Attachment | Entry | EntryVersion | Incident | EditedRegion | SectionText | Why | WhyVersion


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


def load_history(tx: Transaction, incident: Incident) -> RecordHistory:
    """Everything that `case.load` leaves out, as of this transaction, except the contents of files."""
    struck = timeline_store.list_struck(tx, incident.id)
    wordings = {
        row: tuple(EntryVersion(*found[1:]) for found in group)
        for row, group in groupby(tx.rows(_WORDINGS, incident_id=incident.id), key=lambda found: found[0])
    }
    every = whys_store.list_all(tx, incident.id)
    why_wordings = {
        row: tuple(WhyVersion(*found[1:]) for found in group)
        for row, group in groupby(tx.rows(_WHY_WORDINGS, incident_id=incident.id), key=lambda found: found[0])
    }
    savings = sections_store.list_versions(tx, incident.id)
    verdicts = tuple(Likeness(*row) for row in tx.rows(_VERDICTS, incident_id=incident.id))
    named = _named(struck, wordings, why_wordings, savings) | {why.author for why in every}
    named |= {verdict.said_by for verdict in verdicts}
    known = (people_store.find(tx, incident.team, user) for user in sorted(user for user in named if user))
    return RecordHistory(
        struck=struck,
        files=attachments_store.list_of_struck(tx, incident.id),
        wordings=wordings,
        whys=every,
        why_wordings=why_wordings,
        savings=savings,
        verdicts=verdicts,
        people={person.id: person for person in known if person is not None},
    )


def _named(
    struck: tuple[Entry, ...],
    wordings: dict[int, tuple[EntryVersion, ...]],
    why_wordings: dict[int, tuple[WhyVersion, ...]],
    savings: dict[str, tuple[SectionText, ...]],
) -> set[str]:
    named = {user for entry in struck for user in (entry.author, entry.recorder)}
    named |= {version.changed_by for versions in wordings.values() for version in versions}
    named |= {version.changed_by for versions in why_wordings.values() for version in versions}
    return named | {saving.author for found in savings.values() for saving in found}


def restore(tx: Transaction, case: Case, history: RecordHistory) -> Incident:
    """Write an imported incident with its whole history, under its number. Returns it with its new row.

    The caller has checked that the number is free, and the channel too if the incident is not resolved. People who are
    unknown here are saved by name, as guests, so they may do nothing until Slack sends more about them.
    """
    _save_people(tx, case, history)
    incident = _add_incident(tx, case, history)
    _timeline(tx, incident.id, case, history)
    actions = _parts(tx, incident.id, case, history)
    _whys(tx, incident.id, history, actions)
    for line in case.audit:
        if not is_entry_change(line):
            audit_store.add_imported(tx, incident.id, line)
    for verdict in history.verdicts:
        restore_verdict(tx, incident, verdict)
    # Last: every other opening of an incident in the workspace waits for this row.
    incidents_store.reserve_number(tx, incident.team, incident.number)
    return incident


def restore_verdict(tx: Transaction, incident: Incident, verdict: Likeness) -> None:
    """Add a decision about a similar incident, if that incident exists here."""
    other = incidents_store.find_by_number(tx, incident.team, verdict.number)
    if other is not None:
        search_store.add_verdict(tx, incident.id, other.id, verdict.said_by, verdict.said_at, is_same=verdict.is_same)


def _save_people(tx: Transaction, case: Case, history: RecordHistory) -> None:
    for user, person in {**case.people, **history.people}.items():
        if people_store.find(tx, case.incident.team, user) is None:
            people_store.save(tx, replace(person, team=case.incident.team, is_guest=True))


def _add_incident(tx: Transaction, case: Case, history: RecordHistory) -> Incident:
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


def _timeline(tx: Transaction, incident_id: int, case: Case, history: RecordHistory) -> None:
    files: dict[int, list[Attachment]] = {}
    for file in (*case.attachments, *history.files):
        files.setdefault(file.entry_id, []).append(file)
    for entry in sorted((*case.entries, *history.struck), key=lambda entry: entry.number):
        row = _add(tx, _ENTRY, entry, incident_id=incident_id)
        for wording in history.wordings[entry.id]:
            tx.run(_ENTRY_VERSION, **_values(wording), entry_id=row)
        for file in files.get(entry.id, ()):
            tx.run(_ATTACHMENT, **_values(file) | {"entry_id": row}, due_at=entry.recorded_at, attempts=0)


def _whys(tx: Transaction, incident_id: int, history: RecordHistory, actions: dict[int, int]) -> None:
    """Add every why with its versions and its links; `actions` maps the numbers of actions to their rows."""
    for why in history.whys:
        row = _add(tx, _WHY, why, incident_id=incident_id)
        for number in why.actions:
            tx.run(_LINK, why_id=row, action_id=actions[number])
        for wording in history.why_wordings[why.id]:
            tx.run(_WHY_VERSION, **_values(wording), why_id=row)


def _parts(tx: Transaction, incident_id: int, case: Case, history: RecordHistory) -> dict[int, int]:
    """Add sections and actions. Returns the rows of the actions by their numbers."""
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
    """A record's values without its row, which this database assigns, and its links, which are separate rows."""
    names = (field.name for field in fields(record) if field.name not in ("id", "actions"))
    return {name: getattr(record, name) for name in names}


def load(tx: Transaction, incident: Incident, *, with_files: bool = False, with_audit: bool = False) -> Case:
    """The whole record of an incident, as of this transaction.

    The contents of files and the audit only if asked for: both may be large.
    """
    case = _case(tx, incident, timeline_store.list_active(tx, incident.id))
    if with_audit:
        done = audit_store.list_all(tx, incident.id)
        people_of = _find_people(tx, incident.team, {line.who for line in done})
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
        sections_store.list_edits(tx, incident.id),
    )
    named = {incident.lead, incident.opened_by, incident.resolved_by, incident.postmortem_owner}
    named |= {entry.author for entry in entries} | {entry.recorder for entry in entries}
    named |= {why.author for why in chain} | {section.author for section in saved.values()}
    named |= {action.owner for action in todo} | {action.created_by for action in todo}
    named |= {text.author for text in texts}
    return Case(incident, entries, chain, saved, todo, _find_people(tx, incident.team, named), kept=texts)


def _find_people(tx: Transaction, team: str, named: set[str | None]) -> dict[str, Person]:
    """Only those who are named: a workspace may have a hundred thousand people."""
    found = (people_store.find(tx, team, user) for user in sorted(user for user in named if user))
    return {person.id: person for person in found if person is not None}
