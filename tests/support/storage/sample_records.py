"""Plain records to store: one place, one person, one moment, and short ways to write them down."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.domain.records import Incident, Place
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.timeline import NewEntry

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
PLACE = Place("T1", "C1")


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def open_incident(tx: Transaction, place: Place = PLACE, title: str = "Checkout is down") -> Incident:
    return incidents_store.open_new(tx, place, title, "U1", NOW)


def entry(text: str = "The database is slow", at: datetime = NOW, recorder: str = "U1") -> NewEntry:
    return NewEntry(happened_at=at, text=text, author=recorder, recorder=recorder, recorded_at=NOW)


def record_entry(tx: Transaction, new: NewEntry, place: Place = PLACE) -> int:
    """Write an entry as `/timeline` does; its number."""
    taken = incidents_store.take_entry_number(tx, place)
    assert taken is not None
    incident, number = taken
    return timeline_store.add(tx, incident.id, number, new).number


def noting(text: str = "The database is slow", place: Place = PLACE) -> Callable[[Transaction], int]:
    """A unit of work that writes one entry."""
    return lambda tx: record_entry(tx, entry(text), place)
