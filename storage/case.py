"""A whole incident, or a part of one whose cost does not grow with the incident.

Also its history: read for the JSON export, and written by an import, which keeps all times, people and versions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import SQLModel

from bot.domain.records import (
    Action,
    Attachment,
    Case,
    EditedRegion,
    Entry,
    EntryVersion,
    Incident,
    Person,
    RecordHistory,
    SectionText,
    SimilarityVerdict,
    Why,
    WhyVersion,
    is_entry_change,
    mark_person,
)
from storage import actions as actions_store
from storage import attachments as attachments_store
from storage import audit as audit_store
from storage import facets as facets_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import search as search_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.database.statements import Statement, Transaction, insert_into, table_of, values_of
from storage.postmortem import reviews as reviews_store
from storage.postmortem import sections as sections_store
from storage.tables.record import (
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
)


def load(tx: Transaction, incident: Incident, *, with_files: bool = False, with_audit: bool = False) -> Case:
    """The whole record of an incident. The contents of files and the audit, which may be large, are optional."""
    case = load_page(tx, incident, timeline_store.list_active(tx, incident.id))
    if with_audit:
        lines = audit_store.list_all(tx, incident.id)
        authors = _find_people(tx, incident.team, {line.who for line in lines})
        case = replace(case, audit=lines, people=authors | case.people)
    files = attachments_store.list_by_incident(tx, incident.id, with_content=with_files)
    return replace(case, attachments=files, revision=audit_store.count_changes(tx, incident.id))


def load_latest(tx: Transaction, incident: Incident, most: int = 1) -> Case:
    """The record with only its latest entries."""
    return load_page(tx, incident, timeline_store.list_latest(tx, incident.id, most))


def list_latest(tx: Transaction, incidents: Iterable[Incident]) -> list[Case]:
    """The records of several incidents, each with only its latest entry."""
    return [load_latest(tx, incident) for incident in incidents]


def load_page(tx: Transaction, incident: Incident, entries: tuple[Entry, ...]) -> Case:
    """The record with some entries only, as for one page of a timeline."""
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
    review = reviews_store.find(tx, incident.id)
    named |= {review.planned_by, *(one.user for one in review.reviewers)} if review else set()
    people = _find_people(tx, incident.team, named)
    doubtful = _find_doubtful(tx, incident, people)
    everyone = people | doubtful
    return Case(
        incident,
        entries,
        chain,
        saved,
        todo,
        everyone,
        edited_sections=texts,
        doubtful=frozenset(doubtful),
        facets=facets_store.list_by_incident(tx, incident.id),
        review=review,
    )


def _find_people(tx: Transaction, team: str, named: Iterable[str | None]) -> dict[str, Person]:
    return people_store.find_all(tx, team, {user for user in named if user})


def _find_doubtful(tx: Transaction, incident: Incident, people: Mapping[str, Person]) -> dict[str, Person]:
    """Those with a mark in their names: they recorded before Slack said who they are, and are no known member."""
    doubtful = {}
    memberships = people_store.list_memberships(tx, incident.id)
    others = _find_people(tx, incident.team, memberships.keys() - people) if memberships else {}
    for user, membership in memberships.items():
        person = people.get(user) or others.get(user)
        plain = person or Person(incident.team, user, user)
        if (marked := mark_person(plain, membership, is_known=person is not None)) != plain:
            doubtful[user] = marked
    return doubtful


_incident, _likeness = table_of(IncidentRow), table_of(LikenessRow)
_VERDICTS = Statement(
    select(_incident.c.number, _likeness.c.is_same, _likeness.c.said_by, _likeness.c.said_at)
    .join_from(_likeness, _incident, _likeness.c.other_id == _incident.c.id)
    .where(_likeness.c.incident_id == bindparam("incident_id"))
    .order_by(_incident.c.number)
)


def load_history(tx: Transaction, incident: Incident) -> RecordHistory:
    """Everything that `load` leaves out, except the contents of files."""
    struck = timeline_store.list_struck(tx, incident.id)
    wordings = timeline_store.list_all_versions(tx, incident.id)
    whys = whys_store.list_all(tx, incident.id)
    why_wordings = whys_store.list_all_versions(tx, incident.id)
    sections = sections_store.list_versions(tx, incident.id)
    verdicts = tx.all(SimilarityVerdict, _VERDICTS, incident_id=incident.id)
    named = {user for entry in struck for user in (entry.author, entry.recorder)} | {why.author for why in whys}
    named |= {version.changed_by for versions in wordings.values() for version in versions}
    named |= {version.changed_by for versions in why_wordings.values() for version in versions}
    named |= {version.author for versions in sections.values() for version in versions}
    named |= {verdict.said_by for verdict in verdicts}
    people = _find_people(tx, incident.team, named)
    return RecordHistory(
        struck=struck,
        files=attachments_store.list_of_struck(tx, incident.id),
        wordings=wordings,
        whys=whys,
        why_wordings=why_wordings,
        savings=sections,
        verdicts=verdicts,
        people=people | _find_doubtful(tx, incident, people),
    )


_Row = Action | Attachment | Entry | EntryVersion | Incident | EditedRegion | SectionText | Why | WhyVersion


def _insert_numbered(row: type[SQLModel]) -> Statement:
    table = table_of(row)
    return Statement(insert_into(table).returning(table.c.id))


_ADD_INCIDENT = _insert_numbered(IncidentRow)
_ADD_ENTRY = _insert_numbered(EntryRow)
_ADD_WHY = _insert_numbered(WhyRow)
_ADD_ACTION = _insert_numbered(ActionRow)
_ADD_ENTRY_VERSION = Statement(insert_into(table_of(EntryVersionRow)))
_ADD_WHY_VERSION = Statement(insert_into(table_of(WhyVersionRow)))
_ADD_WHY_ACTION = Statement(insert_into(table_of(WhyActionRow)))
_ADD_SECTION = Statement(insert_into(table_of(SectionRow)))
_ADD_EDIT = Statement(insert_into(table_of(KeptRegionRow)))
_ADD_ATTACHMENT = Statement(insert_into(table_of(AttachmentRow)))


def restore(tx: Transaction, case: Case, history: RecordHistory) -> Incident:
    """Write an imported incident with its whole history, under its number. Returns it with its new row.

    The caller has checked that the number is free, and the channel too if the incident is not resolved. People who are
    unknown here are saved by name, as guests, so they may do nothing until Slack sends more about them.
    """
    _save_people(tx, case, history)
    incident = _add_incident(tx, case, history)
    _add_timeline(tx, incident.id, case, history)
    actions = _add_sections_and_actions(tx, incident.id, case, history)
    _add_whys(tx, incident.id, history, actions)
    for line in case.audit:
        if not is_entry_change(line):
            audit_store.add_imported(tx, incident.id, line)
    for verdict in history.verdicts:
        restore_verdict(tx, incident, verdict)
    for facet in case.facets:
        facets_store.add_imported(tx, incident, facet)
    if case.review is not None:
        reviews_store.save(tx, replace(case.review, id=0, incident_id=incident.id))
        for reviewer in case.review.reviewers:
            reviews_store.restore_reviewer(tx, replace(reviewer, incident_id=incident.id))
    # Last, because it locks the workspace's row: every incident that is opened meanwhile waits for the commit.
    incidents_store.reserve_number(tx, incident.team, incident.number)
    return incident


def restore_verdict(tx: Transaction, incident: Incident, verdict: SimilarityVerdict) -> None:
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
        _ADD_INCIDENT,
        case.incident,
        last_entry=max((entry.number for entry in (*case.entries, *history.struck)), default=0),
        last_why=max((why.number for why in history.whys), default=0),
        last_action=max((action.number for action in case.actions), default=0),
        card_ts="",
        why_ts="",
    )
    return replace(case.incident, id=row)


def _add_timeline(tx: Transaction, incident_id: int, case: Case, history: RecordHistory) -> None:
    files: dict[int, list[Attachment]] = {}
    for file in (*case.attachments, *history.files):
        files.setdefault(file.entry_id, []).append(file)
    for entry in sorted((*case.entries, *history.struck), key=lambda entry: entry.number):
        row = _add(tx, _ADD_ENTRY, entry, incident_id=incident_id)
        for wording in history.wordings[entry.id]:
            tx.run(_ADD_ENTRY_VERSION, **_values(wording), entry_id=row)
        for file in files.get(entry.id, ()):
            queued = {"entry_id": row, "due_at": entry.recorded_at, "attempts": 0, "lease_owner": ""}
            tx.run(_ADD_ATTACHMENT, **_values(file) | queued)


def _add_whys(tx: Transaction, incident_id: int, history: RecordHistory, actions: dict[int, int]) -> None:
    """Add every why with its versions and its links; `actions` maps the numbers of actions to their rows."""
    for why in history.whys:
        row = _add(tx, _ADD_WHY, why, incident_id=incident_id)
        for number in why.actions:
            tx.run(_ADD_WHY_ACTION, why_id=row, action_id=actions[number])
        for wording in history.why_wordings[why.id]:
            tx.run(_ADD_WHY_VERSION, **_values(wording), why_id=row)


def _add_sections_and_actions(tx: Transaction, incident_id: int, case: Case, history: RecordHistory) -> dict[int, int]:
    """Add sections and actions. Returns the rows of the actions by their numbers."""
    for versions in history.savings.values():
        for section in versions:
            tx.run(_ADD_SECTION, **_values(section) | {"incident_id": incident_id})
    for edit in case.edited_sections:
        tx.run(_ADD_EDIT, **_values(edit) | {"incident_id": incident_id})
    return {action.number: _add(tx, _ADD_ACTION, action, incident_id=incident_id) for action in case.actions}


def _add(tx: Transaction, statement: Statement, record: _Row, **more: object) -> int:
    return tx.insert(int, statement, **_values(record) | more)


def _values(record: _Row) -> dict[str, Any]:
    """A record's values without its `id`, which this database assigns, and a why's actions, which are separate rows."""
    return {name: value for name, value in values_of(record).items() if name not in ("id", "actions")}
