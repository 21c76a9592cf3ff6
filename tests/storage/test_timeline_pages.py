"""A timeline in pages: next before and behind a place, in the order of time, and of numbers where times are equal."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.domain.records import Entry
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.timeline import Anchor, EntryRange
from tests.support.storage.sample_records import NOW, entry, minutes, noted, opened

FIRST = NOW - minutes(60)


def written(tx: Transaction) -> None:
    """Twelve entries, two at each moment, of which #5 is struck; and others in another incident."""
    opened(tx)
    for number in range(12):
        noted(tx, entry(f"entry {number + 1}", FIRST + minutes(number // 2)))
    struck = timeline_store.find_by_number(tx, 1, 5)
    assert struck is not None
    timeline_store.amend(tx, replace(struck, struck=True), "struck", "U1", NOW)


def span(since: datetime = FIRST) -> EntryRange:
    return EntryRange(1, since)


def numbers(store: Store, find: Callable[..., tuple[Entry, ...]], *given: object) -> list[int]:
    return [found.number for found in store.read_now(lambda tx: find(tx, span(), *given))]


def test_pages_hang_together_in_both_directions(store: Store) -> None:
    store.write_now(written)
    assert numbers(store, timeline_store.list_last, 4) == [9, 10, 11, 12]
    assert numbers(store, timeline_store.list_before, Anchor(FIRST + minutes(4), 9), 4) == [4, 6, 7, 8]
    assert numbers(store, timeline_store.list_before, Anchor(FIRST + minutes(1), 4), 4) == [1, 2, 3]
    assert numbers(store, timeline_store.list_after, Anchor(FIRST + minutes(1), 3), 4) == [4, 6, 7, 8]
    assert numbers(store, timeline_store.list_after, Anchor(FIRST + minutes(5), 12), 4) == []


def test_what_stands_before_a_place_is_counted(store: Store) -> None:
    store.write_now(written)
    anchor = Anchor(FIRST + minutes(4), 9)
    assert store.read_now(lambda tx: timeline_store.count_before(tx, span(), anchor)) == 7
    assert store.read_now(lambda tx: timeline_store.count_since(tx, span())) == 11


def test_a_span_ends_where_it_began(store: Store) -> None:
    store.write_now(written)
    late = span(FIRST + minutes(3))
    assert [e.number for e in store.read_now(lambda tx: timeline_store.list_last(tx, late, 9))] == [7, 8, 9, 10, 11, 12]
    assert store.read_now(lambda tx: timeline_store.count_since(tx, late)) == 6
    assert store.read_now(lambda tx: timeline_store.count_before(tx, late, Anchor(FIRST + minutes(4), 9))) == 2
    anchor = Anchor(FIRST + minutes(4), 9)
    assert [e.number for e in store.read_now(lambda tx: timeline_store.list_before(tx, late, anchor, 9))] == [7, 8]


def test_what_was_said_is_known_by_its_minute_and_words(store: Store) -> None:
    store.write_now(written)
    said = store.read_now(lambda tx: timeline_store.read_recorded(tx, span(), FIRST + minutes(1)))
    minute = (FIRST + minutes(1)).replace(second=0, microsecond=0)
    assert said[minute, "entry 4"] == 4
    assert (minute + minutes(1), "entry 5") not in said
    assert len(said) == 4
