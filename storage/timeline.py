"""Timeline entries, their versions, and the pages of a timeline.

A page is found by an index on time and number, not by an offset, so it costs the same however long the timeline is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Text,
    and_,
    bindparam,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    true,
)

from bot.domain import incident as incident_rules
from bot.domain.incident import IncidentSpan
from bot.domain.records import Entry, EntryKind, EntryVersion, Incident, Milestone, Place
from storage.audit import Versions
from storage.database.statements import (
    Statement,
    Transaction,
    among,
    columns_of,
    insert_into,
    table_of,
    update_by_id,
    values_of,
)
from storage.incidents import TAKES_ENTRIES, take_entry_number_in
from storage.tables.record import ENTRY_CAPTURED, ENTRY_MARKING, EntryRow, EntryVersionRow, IncidentRow

_entry = table_of(EntryRow)
_COLUMNS = columns_of(_entry, Entry)
_MUTABLE = ("happened_at", "ended_at", "approximate", "text", "milestone", "version", "struck")

_of_incident = _entry.c.incident_id == bindparam("incident_id")
_active = _entry.c.struck == false()
_order = (_entry.c.happened_at, _entry.c.number)
_backwards = (_entry.c.happened_at.desc(), _entry.c.number.desc())

_ADD = Statement(insert_into(_entry).returning(_entry.c.id))
_SAVE = Statement(update_by_id(_entry, _MUTABLE))
_ALL = Statement(select(*_COLUMNS).where(_of_incident, _active).order_by(*_order))
_STRUCK = Statement(select(*_COLUMNS).where(_of_incident, _entry.c.struck == true()).order_by(_entry.c.number))
_LATEST = Statement(select(*_COLUMNS).where(_of_incident, _active).order_by(*_backwards).limit(bindparam("most")))
_COUNT = Statement(select(func.count()).select_from(_entry).where(_of_incident, _active))
_BY_NUMBER = Statement(select(*_COLUMNS).where(_of_incident, _entry.c.number == bindparam("number")))
_LAST_BY = Statement(
    select(*_COLUMNS)
    .where(_of_incident, _active, _entry.c.recorder == bindparam("recorder"))
    .order_by(_entry.c.number.desc())
    .limit(1)
)
_incident = table_of(IncidentRow)


def _same(entry: FromClause) -> ColumnElement[bool]:
    """Whether it is the same text and time by the same recorder, recorded after `after`."""
    at = entry.c.happened_at
    earliest, latest = (bindparam(name, type_=at.type) for name in ("earliest", "latest"))
    return and_(
        entry.c.recorder == bindparam("recorder", type_=Text),
        entry.c.text == bindparam("text", type_=Text),
        at.between(earliest, latest),
        entry.c.struck == false(),
        entry.c.recorded_at > bindparam("after", type_=at.type),
    )


# `above` limits it to the newest entries, so that it reads a few rows however long the timeline is.
_SAME_LATELY = Statement(
    select(_entry.c.number)
    .where(_of_incident, _entry.c.number > bindparam("above"), _same(_entry))
    .order_by(_entry.c.number.desc())
    .limit(1)
)
# It finds the incident and the number itself, so that it can be sent before the answer of `take_entry_number` is there.
_taken = {"incident_id": _incident.c.id, "number": _incident.c.last_entry}
_others = [column for column in _entry.c if column.name not in {"id", *_taken}]
# With a limit, so that they are found by their numbers: very many entries may be of one time.
_latest = (
    select(_entry)
    .where(
        _entry.c.incident_id == _incident.c.id,
        _entry.c.number > _incident.c.last_entry - bindparam("look_back", type_=Integer),
    )
    .order_by(_entry.c.number.desc())
    .limit(bindparam("look_back", type_=Integer))
    .correlate(_incident)
    .subquery("latest")
)
_ADD_NEW = Statement(
    insert(_entry)
    .from_select(
        [*_taken, *(column.name for column in _others)],
        select(*_taken.values(), *(bindparam(column.name, type_=column.type) for column in _others)).where(
            TAKES_ENTRIES, ~exists().where(_same(_latest)).correlate(_incident)
        ),
    )
    .returning(_entry.c.id, _entry.c.incident_id, _entry.c.number)
)
_here = _entry.c.incident_id.in_(
    select(_incident.c.id).where(_incident.c.team == bindparam("team"), _incident.c.channel == bindparam("channel"))
)
_captured = (_entry.c.source == bindparam("source"), ENTRY_CAPTURED)
_BY_SOURCE = Statement(select(*_COLUMNS).where(_of_incident, *_captured))
_SOURCES = Statement(select(_entry.c.source).where(_of_incident, ENTRY_CAPTURED))
_CAPTURED = Statement(
    select(_entry.c.id, _entry.c.source_change, _entry.c.incident_id).where(_here, *_captured).order_by(_entry.c.id)
)
_MARK_CHANGE = Statement(update_by_id(_entry, ("source_change",)))
_MARKS = Statement(
    select(*_COLUMNS)
    .where(_of_incident, _active, ENTRY_MARKING, _entry.c.milestone == bindparam("milestone"))
    .order_by(_entry.c.number.desc())
    .limit(1)
)
_MARKING = Statement(select(*_COLUMNS).where(_of_incident, _active, ENTRY_MARKING))
# Read in plenty, for what a person wrote is told by its words too (`is_bookkeeping`).
_PLENTY = 12
_HUMAN = Statement(
    select(*_COLUMNS)
    .where(_of_incident, _active, or_(_entry.c.kind == EntryKind.NOTE, _entry.c.milestone.is_not(None)))
    .order_by(*_backwards)
    .limit(bindparam("most"))
)
_renamed = and_(_entry.c.kind == EntryKind.NOTE, _entry.c.text.startswith(incident_rules.RENAMED))
_CHANGES = Statement(
    select(*_COLUMNS)
    .where(_of_incident, _active, or_(_entry.c.kind != EntryKind.NOTE, _entry.c.milestone.is_not(None), _renamed))
    .order_by(_entry.c.number.desc())
    .limit(bindparam("most"))
)
_of_incidents = among(_entry.c.incident_id, "incidents")
_MARKING_ALL = Statement(select(*_COLUMNS).where(_of_incidents, _active, ENTRY_MARKING))
_FIRST = Statement(
    select(
        _incident.c.id,
        select(_entry.c.happened_at)
        .where(_entry.c.incident_id == _incident.c.id, _active)
        .order_by(*_order)
        .limit(1)
        .scalar_subquery(),
    ).where(among(_incident.c.id, "incidents"))
)
_LATEST_RECORDED = Statement(
    select(_entry.c.number, _entry.c.recorded_at).where(_of_incident).order_by(_entry.c.number.desc()).limit(1)
)
_VERSIONS = Versions(table_of(EntryVersionRow), "entry_id", EntryVersion)
_on_page = and_(_of_incident, _active, _entry.c.happened_at >= bindparam("since"))
# The index can search by the first comparison; the second sorts entries of the same moment.
_before = and_(
    _entry.c.happened_at <= bindparam("at"),
    or_(_entry.c.happened_at < bindparam("at"), _entry.c.number < bindparam("number")),
)
_after = and_(
    _entry.c.happened_at >= bindparam("at"),
    or_(_entry.c.happened_at > bindparam("at"), _entry.c.number > bindparam("number")),
)
_page = select(*_COLUMNS).where(_on_page).limit(bindparam("most"))
_LAST = Statement(_page.order_by(*_backwards))
_BEFORE = Statement(_page.where(_before).order_by(*_backwards))
_AFTER = Statement(_page.where(_after).order_by(*_order))
_COUNT_BEFORE = Statement(select(func.count()).select_from(_entry).where(_on_page, _before))
_COUNT_PAGE = Statement(select(func.count()).select_from(_entry).where(_on_page))
_ANY_BY = Statement(
    select(_entry.c.id)
    .join_from(_entry, _incident, _entry.c.incident_id == _incident.c.id)
    .where(_entry.c.recorder == bindparam("recorder"), _incident.c.team == bindparam("team"))
    .limit(1)
)
_RECORDED = Statement(
    select(_entry.c.happened_at, _entry.c.text, _entry.c.number).where(
        _on_page, _entry.c.happened_at <= bindparam("until")
    )
)


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to add; times are aware UTC. `text` has passed the gate of `bot.domain.text`."""

    happened_at: datetime
    text: str
    author: str
    recorder: str
    recorded_at: datetime
    ended_at: datetime | None = None
    approximate: bool = False
    kind: EntryKind = EntryKind.NOTE
    milestone: Milestone | None = None
    permalink: str = ""
    source: str = ""
    source_change: str = ""


def add(tx: Transaction, incident_id: int, number: int, new: NewEntry, change: str = "added") -> Entry:
    """Add an entry and its first version; `change` is `marked` if a reaction recorded it."""
    values: dict[str, Any] = {"incident_id": incident_id, "number": number, "version": 1, "struck": False}
    values |= values_of(new)
    # Only the row's number is read back: this is the path of every `/timeline`, and the rest is known.
    entry = Entry(id=tx.insert(int, _ADD, **values), **values)
    _add_version(tx, entry, change, new.recorder, new.recorded_at)
    return entry


def add_new(tx: Transaction, where: Place | int, new: NewEntry, look_back: int, after: datetime) -> Entry | None:
    """Add an entry under the number that was last taken in an incident: that of a channel, or of a row.

    None, with nothing added, if one of the last `look_back` entries is the same, as `find_repeat` sees it.
    """
    values: dict[str, Any] = {"version": 1, "struck": False}
    values |= values_of(new)
    place = {"team": where.team, "channel": where.channel} if isinstance(where, Place) else {"team": "", "channel": ""}
    row = tx.row(
        _ADD_NEW,
        **place,
        incident_id=None if isinstance(where, Place) else where,
        look_back=look_back,
        **values,
        **_lately(new, after),
    )
    if row is None:
        return None
    entry = Entry(id=row[0], incident_id=row[1], number=row[2], **values)
    _add_version(tx, entry, "added", new.recorder, new.recorded_at)
    return entry


def append(tx: Transaction, incident_id: int, new: NewEntry) -> Entry:
    """Add an entry under the incident's next number. The caller has locked the incident."""
    return add(tx, incident_id, take_entry_number_in(tx, incident_id), new)


def amend(tx: Transaction, entry: Entry, change: str, by: str, now: datetime) -> Entry:
    """Save an entry's new text, time or state as its next version; the versions before stay in the history."""
    entry = replace(entry, version=entry.version + 1)
    tx.run(_SAVE, row_id=entry.id, **{f"new_{name}": getattr(entry, name) for name in _MUTABLE})
    _add_version(tx, entry, change, by, now)
    return entry


def _add_version(tx: Transaction, entry: Entry, change: str, by: str, now: datetime) -> None:
    _VERSIONS.add(
        tx,
        entry.id,
        version=entry.version,
        change=change,
        happened_at=entry.happened_at,
        ended_at=entry.ended_at,
        approximate=entry.approximate,
        text=entry.text,
        changed_by=by,
        changed_at=now,
    )


def list_active(tx: Transaction, incident_id: int) -> tuple[Entry, ...]:
    """Every entry that is not struck, by the time it happened."""
    return tx.all(Entry, _ALL, incident_id=incident_id)


def list_struck(tx: Transaction, incident_id: int) -> tuple[Entry, ...]:
    """Every entry that was taken back, by number."""
    return tx.all(Entry, _STRUCK, incident_id=incident_id)


def list_latest(tx: Transaction, incident_id: int, most: int) -> tuple[Entry, ...]:
    """The last few entries, oldest of them first."""
    return tx.all(Entry, _LATEST, incident_id=incident_id, most=most)[::-1]


def count_active(tx: Transaction, incident_id: int) -> int:
    """How many entries are not struck."""
    return tx.one(int, _COUNT, incident_id=incident_id) or 0


def find_milestone(tx: Transaction, incident_id: int, milestone: Milestone) -> Entry | None:
    """The entry whose mark of a milestone counts, which is the latest that is not struck; None if none marks it."""
    return tx.one(Entry, _MARKS, incident_id=incident_id, milestone=milestone)


def list_marking(tx: Transaction, incident_id: int) -> tuple[Entry, ...]:
    """The active entries that mark a milestone."""
    return tx.all(Entry, _MARKING, incident_id=incident_id)


def list_human(tx: Transaction, incident_id: int, most: int) -> tuple[Entry, ...]:
    """The latest active entries in which a person wrote what happened, in order of time."""
    found = tx.all(Entry, _HUMAN, incident_id=incident_id, most=most + _PLENTY)
    return tuple(entry for entry in found if not incident_rules.is_bookkeeping(entry))[:most][::-1]


def list_changes(tx: Transaction, incident_id: int, most: int) -> tuple[Entry, ...]:
    """The active entries that changed the incident since it was opened, the last recorded first."""
    found = tx.all(Entry, _CHANGES, incident_id=incident_id, most=most + _PLENTY)
    return tuple(entry for entry in found if entry.number > 1 and _is_change(entry))[:most]


def _is_change(entry: Entry) -> bool:
    return entry.milestone is not None or entry.kind is not EntryKind.NOTE or incident_rules.is_rename(entry)


def find_latest_recorded(tx: Transaction, incident_id: int) -> tuple[int, datetime] | None:
    """The number of the entry that was recorded last, struck or not, and when; None if there is none."""
    row = tx.row(_LATEST_RECORDED, incident_id=incident_id)
    return (row[0], row[1]) if row else None


def measure_span(tx: Transaction, incident: Incident) -> IncidentSpan:
    """When the incident began and when it ended."""
    return measure_spans(tx, [incident])[incident.id]


def measure_spans(tx: Transaction, incidents: Sequence[Incident]) -> dict[int, IncidentSpan]:
    """The same for each of many incidents, by its row."""
    rows = [incident.id for incident in incidents]
    first: dict[int, datetime | None] = dict(tx.rows(_FIRST, incidents=rows))
    marking: dict[int, list[Entry]] = {row: [] for row in rows}
    for entry in tx.all(Entry, _MARKING_ALL, incidents=rows):
        marking[entry.incident_id].append(entry)
    return {one.id: incident_rules.measure_span(one, marking[one.id], first[one.id]) for one in incidents}


def find_by_number(tx: Transaction, incident_id: int, number: int) -> Entry | None:
    """An entry by its number, struck or not."""
    return tx.one(Entry, _BY_NUMBER, incident_id=incident_id, number=number)


def find_by_source(tx: Transaction, incident_id: int, source: str) -> Entry | None:
    """The entry that was captured from a message (`channel:ts`), struck or not."""
    return tx.one(Entry, _BY_SOURCE, incident_id=incident_id, source=source)


def list_sources(tx: Transaction, incident_id: int) -> frozenset[str]:
    """The messages (`channel:ts`) that an incident's entries were captured from."""
    return frozenset(tx.all(str, _SOURCES, incident_id=incident_id))


def has_recorded(tx: Transaction, team: str, person: str) -> bool:
    """Whether the person ever recorded an entry in the workspace, also one that was struck."""
    return tx.row(_ANY_BY, team=team, recorder=person) is not None


def list_unmarked_captures(tx: Transaction, place: Place, source: str, change: str) -> tuple[tuple[int, int], ...]:
    """(entry row, incident row) of the entries captured from a message that are not yet marked with this change."""
    rows = tx.rows(_CAPTURED, team=place.team, channel=place.channel, source=source)
    # Slack's events may come in any order: a deleted message stays deleted.
    return tuple((entry_id, incident) for entry_id, marked, incident in rows if marked not in (change, "deleted"))


def mark_change(tx: Transaction, entry_id: int, change: str) -> None:
    """Mark an entry whose message was `edited` or `deleted` since. The captured text stays."""
    tx.run(_MARK_CHANGE, row_id=entry_id, new_source_change=change)


def find_last_by(tx: Transaction, incident_id: int, recorder: str) -> Entry | None:
    """The last entry that a person recorded: what `undo` takes back."""
    return tx.one(Entry, _LAST_BY, incident_id=incident_id, recorder=recorder)


def find_repeat(tx: Transaction, incident_id: int, new: NewEntry, above: int, after: datetime) -> int | None:
    """The number of the latest entry with the same text and time by the same recorder, or None.

    Only entries numbered above `above` and recorded after `after` count. Two times are the same if they differ by no
    more than the time between `after` and now, because "-10m" typed twice gives moments that are seconds apart.
    """
    return tx.one(
        int,
        _SAME_LATELY,
        incident_id=incident_id,
        above=above,
        recorder=new.recorder,
        text=new.text,
        **_lately(new, after),
    )


def _lately(new: NewEntry, after: datetime) -> dict[str, datetime]:
    span = new.recorded_at - after
    return {"earliest": new.happened_at - span, "latest": new.happened_at + span, "after": after}


def list_versions(tx: Transaction, entry_id: int) -> tuple[EntryVersion, ...]:
    """Every version of an entry, first to last."""
    return _VERSIONS.all(tx, entry_id)


def list_all_versions(tx: Transaction, incident_id: int) -> dict[int, tuple[EntryVersion, ...]]:
    """Every version of every entry of an incident, first to last, by the row of the entry."""
    return _VERSIONS.all_of_incident(tx, incident_id)


def redact(tx: Transaction, entry: Entry, clean: Callable[[str], str], by: str, now: datetime) -> Entry:
    """Redact every version by `clean`, as `Versions.redact` does, and add one that says who did so and when."""
    _VERSIONS.redact(tx, entry.id, clean)
    return amend(tx, replace(entry, text=clean(entry.text)), "redacted", by, now)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A position in a timeline: that of the entry with this time and number."""

    at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class EntryRange:
    """A part of a timeline: the entries of one incident that happened at or after `since`."""

    incident_id: int
    since: datetime


def list_last(tx: Transaction, span: EntryRange, most: int) -> tuple[Entry, ...]:
    """The last entries, oldest of them first."""
    return tx.all(Entry, _LAST, incident_id=span.incident_id, since=span.since, most=most)[::-1]


def list_before(tx: Transaction, span: EntryRange, anchor: Anchor, most: int) -> tuple[Entry, ...]:
    """The entries right before an anchor, oldest first."""
    return tx.all(Entry, _BEFORE, **_page_parameters(span, anchor), most=most)[::-1]


def list_after(tx: Transaction, span: EntryRange, anchor: Anchor, most: int) -> tuple[Entry, ...]:
    """The entries right after an anchor, oldest first."""
    return tx.all(Entry, _AFTER, **_page_parameters(span, anchor), most=most)


def count_before(tx: Transaction, span: EntryRange, anchor: Anchor) -> int:
    """How many entries come before an anchor."""
    return tx.one(int, _COUNT_BEFORE, **_page_parameters(span, anchor)) or 0


def count_since(tx: Transaction, span: EntryRange) -> int:
    """How many entries the range has."""
    return tx.one(int, _COUNT_PAGE, incident_id=span.incident_id, since=span.since) or 0


def read_recorded(tx: Transaction, span: EntryRange, until: datetime) -> dict[tuple[datetime, str], int]:
    """The numbers of the entries up to a moment, by (time to the minute, text)."""
    rows = tx.rows(_RECORDED, incident_id=span.incident_id, since=span.since, until=until)
    return {(at.replace(second=0, microsecond=0), text): number for at, text, number in rows}


def _page_parameters(span: EntryRange, anchor: Anchor) -> dict[str, object]:
    return {"incident_id": span.incident_id, "since": span.since, "at": anchor.at, "number": anchor.number}
