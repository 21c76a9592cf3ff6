"""A timeline in pages: what is next before or behind a place in it, found by the index however long it is."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import and_, bindparam, false, func, or_, select

from bot.incident.records import Entry
from storage.statements import Statement, Transaction
from storage.tables import EntryRow, table_of

_entry = table_of(EntryRow)
_order = (_entry.c.happened_at, _entry.c.number)
_backwards = (_entry.c.happened_at.desc(), _entry.c.number.desc())
_standing = and_(
    _entry.c.incident_id == bindparam("incident_id"),
    _entry.c.struck == false(),
    _entry.c.happened_at >= bindparam("since"),
)
# The first comparison is what the index can search by; the second settles entries of the very same moment.
_before = and_(
    _entry.c.happened_at <= bindparam("at"),
    or_(_entry.c.happened_at < bindparam("at"), _entry.c.number < bindparam("number")),
)
_behind = and_(
    _entry.c.happened_at >= bindparam("at"),
    or_(_entry.c.happened_at > bindparam("at"), _entry.c.number > bindparam("number")),
)
_page = select(*(_entry.c[field.name] for field in fields(Entry))).where(_standing).limit(bindparam("most"))
_LAST = Statement(_page.order_by(*_backwards))
_BEFORE = Statement(_page.where(_before).order_by(*_backwards))
_BEHIND = Statement(_page.where(_behind).order_by(*_order))
_COUNT_BEFORE = Statement(select(func.count()).select_from(_entry).where(_standing, _before))
_COUNT = Statement(select(func.count()).select_from(_entry).where(_standing))
_SAID = Statement(
    select(_entry.c.happened_at, _entry.c.text, _entry.c.number).where(
        _standing, _entry.c.happened_at <= bindparam("until")
    )
)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in the order of a timeline: that of the entry with this time and number."""

    at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a timeline that is looked at: one incident's entries that happened at or after `since`."""

    incident_id: int
    since: datetime


def last(tx: Transaction, span: Span, most: int) -> tuple[Entry, ...]:
    """The last entries, oldest of them first."""
    rows = tx.rows(_LAST, incident_id=span.incident_id, since=span.since, most=most)
    return tuple(Entry(*row) for row in reversed(rows))


def before(tx: Transaction, span: Span, anchor: Anchor, most: int) -> tuple[Entry, ...]:
    """The entries next before an anchor, oldest first."""
    return tuple(Entry(*row) for row in reversed(tx.rows(_BEFORE, **_given(span, anchor), most=most)))


def behind(tx: Transaction, span: Span, anchor: Anchor, most: int) -> tuple[Entry, ...]:
    """The entries next behind an anchor, oldest first."""
    return tuple(Entry(*row) for row in tx.rows(_BEHIND, **_given(span, anchor), most=most))


def count_before(tx: Transaction, span: Span, anchor: Anchor) -> int:
    """How many entries stand before an anchor."""
    row = tx.row(_COUNT_BEFORE, **_given(span, anchor))
    return int(row[0]) if row else 0


def count(tx: Transaction, span: Span) -> int:
    """How many entries stand."""
    row = tx.row(_COUNT, incident_id=span.incident_id, since=span.since)
    return int(row[0]) if row else 0


def said(tx: Transaction, span: Span, until: datetime) -> dict[tuple[datetime, str], int]:
    """What is recorded up to a moment: the number of each (time to the minute, text)."""
    rows = tx.rows(_SAID, incident_id=span.incident_id, since=span.since, until=until)
    return {(at.replace(second=0, microsecond=0), text): number for at, text, number in rows}


def _given(span: Span, anchor: Anchor) -> dict[str, object]:
    return {"incident_id": span.incident_id, "since": span.since, "at": anchor.at, "number": anchor.number}
