"""Every wording of every noun of the record as one list, to find the same words in other incidents."""

from sqlalchemy import CompoundSelect, Text, bindparam, cast, literal_column, select, union_all
from sqlalchemy.sql import ColumnElement

from bot.incident.records import Incident
from bot.incident.spots import Noun, Spot, Subject, Wording
from storage import incidents
from storage.statements import Statement, Transaction
from storage.tables import (
    ActionRow,
    EntryRow,
    EntryVersionRow,
    IncidentRow,
    KeptRegionRow,
    SectionRow,
    WhyRow,
    WhyVersionRow,
    table_of,
)

MOST = 1_000
"""Wordings that one search finds, those of the latest incidents first."""

_incident, _action, _section, _draft = (table_of(row) for row in (IncidentRow, ActionRow, SectionRow, KeptRegionRow))
_entry, _entry_version = table_of(EntryRow), table_of(EntryVersionRow)
_why, _why_version = table_of(WhyRow), table_of(WhyVersionRow)


def _is(noun: Noun) -> ColumnElement[str]:
    return literal_column(f"'{noun}'", Text).label("noun")


def _part(number: int) -> ColumnElement[int]:
    return literal_column(str(number)).label("part")


def _every() -> CompoundSelect[tuple[int, str, str, int, str]]:
    of_entries = select(
        _entry.c.incident_id,
        _is(Noun.ENTRY),
        cast(_entry.c.number, Text).label("which"),
        _entry_version.c.version.label("part"),
        _entry_version.c.text.label("text"),
    ).join_from(_entry, _entry_version, _entry_version.c.entry_id == _entry.c.id)
    of_whys = select(
        _why.c.incident_id, _is(Noun.WHY), cast(_why.c.number, Text), _why_version.c.version, _why_version.c.text
    ).join_from(_why, _why_version, _why_version.c.why_id == _why.c.id)
    of_sections = select(
        _section.c.incident_id, _is(Noun.SECTION), _section.c.section, _section.c.version, _section.c.text
    )
    of_drafts = select(_draft.c.incident_id, _is(Noun.DRAFT), _draft.c.section, _draft.c.version, _draft.c.markdown)
    of_actions = [
        select(_action.c.incident_id, _is(Noun.ACTION), cast(_action.c.number, Text), _part(at), _action.c[text])
        for at, text in enumerate(("text", "link", "reason"))
    ]
    of_titles = [
        select(_incident.c.id, _is(Noun.TITLE), literal_column("''", Text), _part(at), _incident.c[text])
        for at, text in enumerate(("title", "postmortem_reason"))
    ]
    return union_all(of_entries, of_whys, of_sections, of_drafts, *of_actions, *of_titles)


_wording = _every().subquery("wording")
_FIND = Statement(
    select(*_wording.c)
    .join_from(_wording, _incident, _incident.c.id == _wording.c.incident_id)
    .where(
        _incident.c.team == bindparam("team"),
        _incident.c.id != bindparam("but"),
        _wording.c.text.contains(bindparam("mark")),
    )
    .order_by(_incident.c.number.desc(), _wording.c.noun, _wording.c.which, _wording.c.part.desc())
    .limit(bindparam("most"))
)
_ONE = Statement(
    select(_wording.c.text).where(
        _wording.c.incident_id == bindparam("of_incident"),
        _wording.c.noun == bindparam("of_noun"),
        _wording.c.which == bindparam("of_which"),
        _wording.c.part == bindparam("of_part"),
    )
)


def elsewhere(tx: Transaction, incident: Incident, mark: str) -> tuple[tuple[Incident, tuple[Wording, ...]], ...]:
    """The wordings of the workspace's other incidents that may hold a mark, which is letters and digits only."""
    found: dict[int, list[Wording]] = {}
    for row in tx.rows(_FIND, team=incident.team, but=incident.id, mark=mark, most=MOST):
        found.setdefault(row[0], []).append(Wording(Subject(Noun(row[1]), row[2]), row[3], row[4]))
    others = ((incidents.by_id(tx, other), wordings) for other, wordings in found.items())
    return tuple((other, tuple(wordings)) for other, wordings in others if other is not None)


def text_at(tx: Transaction, incident_id: int, spot: Spot) -> str:
    """The whole wording in which a spot is; empty where there is none."""
    subject = spot.subject
    row = tx.row(_ONE, of_incident=incident_id, of_noun=str(subject.noun), of_which=subject.which, of_part=spot.part)
    return str(row[0]) if row else ""
