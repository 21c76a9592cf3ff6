"""Entries and their wordings on both databases.

A timeline in pages: next before and behind a place, in the order of time, and of numbers where times are equal.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest

from bot.domain.records import Entry, EntryKind, Milestone
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.timeline import Anchor, EntryRange, NewEntry
from tests.support.storage.sample_records import NOW, entry, minutes, open_incident, record_entry

HOSTILE = "O'Reilly; DROP TABLE entry; -- %s %(x)s :y ? \\ \" \u202e\U0001f9d1\u200d\U0001f692 " + "z" * 9000


def by_number(store: Store, incident_id: int, number: int) -> Entry:
    found = store.read_now(lambda tx: timeline_store.find_by_number(tx, incident_id, number))
    assert found is not None
    return found


def test_an_entry_is_read_back_as_it_was_written(store: Store, incident_id: int) -> None:
    new = NewEntry(
        happened_at=NOW - minutes(9),
        text=HOSTILE,
        author="U2",
        recorder="U1",
        recorded_at=NOW,
        ended_at=NOW - minutes(4),
        approximate=True,
        kind=EntryKind.STATUS,
        milestone=Milestone.MITIGATED,
        permalink="https://demo.example/p1",
    )
    written = store.write_now(lambda tx: timeline_store.add(tx, incident_id, 7, new))
    assert by_number(store, incident_id, 7) == written
    assert (written.text, written.ended_at, written.version, written.struck) == (HOSTILE, new.ended_at, 1, False)
    assert (written.kind, written.milestone) == (EntryKind.STATUS, Milestone.MITIGATED)
    assert store.read_now(lambda tx: timeline_store.find_by_number(tx, incident_id, 8)) is None


def test_entries_stand_in_the_order_they_happened_and_ties_in_the_order_they_were_written(
    store: Store, incident_id: int
) -> None:
    for text, at in (("c", 5), ("a", 1), ("d", 5), ("b", 3)):
        store.write_now(partial(record_entry, new=entry(text, NOW + minutes(at))))
    assert [record.text for record in store.read_now(lambda tx: timeline_store.list_active(tx, incident_id))] == list(
        "abcd"
    )
    assert [
        record.text for record in store.read_now(lambda tx: timeline_store.list_latest(tx, incident_id, 3))
    ] == list("bcd")
    assert store.read_now(lambda tx: timeline_store.count_active(tx, incident_id)) == 4


def test_every_wording_is_kept_and_the_last_one_stands(store: Store, incident_id: int) -> None:
    store.write_now(lambda tx: record_entry(tx, entry("The databse is slow")))
    first = by_number(store, incident_id, 1)
    better = replace(first, text="The database is slow", happened_at=NOW - minutes(2))
    second = store.write_now(lambda tx: timeline_store.amend(tx, better, "edited", "U2", NOW + minutes(1)))
    store.write_now(lambda tx: timeline_store.amend(tx, replace(second, struck=True), "struck", "U1", NOW + minutes(2)))
    versions = store.read_now(lambda tx: timeline_store.list_versions(tx, first.id))
    assert [(record.version, record.change, record.text, record.changed_by) for record in versions] == [
        (1, "added", "The databse is slow", "U1"),
        (2, "edited", "The database is slow", "U2"),
        (3, "struck", "The database is slow", "U1"),
    ]
    assert [record.happened_at for record in versions] == [NOW, NOW - minutes(2), NOW - minutes(2)]
    assert store.read_now(lambda tx: timeline_store.list_active(tx, incident_id)) == ()
    assert store.read_now(lambda tx: timeline_store.count_active(tx, incident_id)) == 0
    assert by_number(store, incident_id, 1).struck


def test_what_somebody_recorded_last_is_found_by_number_and_not_by_time(store: Store, incident_id: int) -> None:
    for text, at, who in (("first", 9, "U1"), ("second", 1, "U1"), ("theirs", 20, "U2")):
        store.write_now(partial(record_entry, new=entry(text, NOW + minutes(at), who)))
    last = store.read_now(lambda tx: timeline_store.find_last_by(tx, incident_id, "U1"))
    assert last is not None
    assert last.text == "second"
    store.write_now(lambda tx: timeline_store.amend(tx, replace(last, struck=True), "struck", "U1", NOW))
    before = store.read_now(lambda tx: timeline_store.find_last_by(tx, incident_id, "U1"))
    assert before is not None
    assert before.text == "first"
    assert store.read_now(lambda tx: timeline_store.find_last_by(tx, incident_id, "U9")) is None


@pytest.mark.parametrize(
    ("new", "above", "after", "found"),
    [
        (entry("slow"), 0, NOW - minutes(1), 1),
        (entry("slow", NOW + minutes(0.9)), 0, NOW - minutes(1), 1),
        (entry("slow", NOW + minutes(1.1)), 0, NOW - minutes(1), None),
        (entry("Slow"), 0, NOW - minutes(1), None),
        (entry("slow", recorder="U2"), 0, NOW - minutes(1), None),
        (entry("slow"), 1, NOW - minutes(1), None),
        (entry("slow"), 0, NOW, None),
        (entry("gone"), 0, NOW - minutes(1), None),
    ],
    ids=["same", "nearly the same time", "another time", "text", "person", "too far above", "too long ago", "struck"],
)
def test_the_same_said_lately_is_the_same_text_person_and_time(
    store: Store, incident_id: int, new: NewEntry, above: int, after: datetime, found: int | None
) -> None:
    store.write_now(lambda tx: record_entry(tx, entry("slow")))
    store.write_now(lambda tx: record_entry(tx, entry("gone")))
    gone = replace(by_number(store, incident_id, 2), struck=True)
    store.write_now(lambda tx: timeline_store.amend(tx, gone, "struck", "U1", NOW))
    assert store.read_now(lambda tx: timeline_store.find_repeat(tx, incident_id, new, above, after)) == found


FIRST = NOW - minutes(60)


def add_entries(tx: Transaction) -> None:
    """Twelve entries, two at each moment, of which #5 is struck; and others in another incident."""
    open_incident(tx)
    for number in range(12):
        record_entry(tx, entry(f"entry {number + 1}", FIRST + minutes(number // 2)))
    struck = timeline_store.find_by_number(tx, 1, 5)
    assert struck is not None
    timeline_store.amend(tx, replace(struck, struck=True), "struck", "U1", NOW)


def span(since: datetime = FIRST) -> EntryRange:
    return EntryRange(1, since)


def numbers(store: Store, find: Callable[..., tuple[Entry, ...]], *arguments: object) -> list[int]:
    return [found.number for found in store.read_now(lambda tx: find(tx, span(), *arguments))]


def test_pages_hang_together_in_both_directions(store: Store) -> None:
    store.write_now(add_entries)
    assert numbers(store, timeline_store.list_last, 4) == [9, 10, 11, 12]
    assert numbers(store, timeline_store.list_before, Anchor(FIRST + minutes(4), 9), 4) == [4, 6, 7, 8]
    assert numbers(store, timeline_store.list_before, Anchor(FIRST + minutes(1), 4), 4) == [1, 2, 3]
    assert numbers(store, timeline_store.list_after, Anchor(FIRST + minutes(1), 3), 4) == [4, 6, 7, 8]
    assert numbers(store, timeline_store.list_after, Anchor(FIRST + minutes(5), 12), 4) == []


def test_what_stands_before_a_place_is_counted(store: Store) -> None:
    store.write_now(add_entries)
    anchor = Anchor(FIRST + minutes(4), 9)
    assert store.read_now(lambda tx: timeline_store.count_before(tx, span(), anchor)) == 7
    assert store.read_now(lambda tx: timeline_store.count_since(tx, span())) == 11


def test_a_span_ends_where_it_began(store: Store) -> None:
    store.write_now(add_entries)
    late = span(FIRST + minutes(3))
    assert [e.number for e in store.read_now(lambda tx: timeline_store.list_last(tx, late, 9))] == [7, 8, 9, 10, 11, 12]
    assert store.read_now(lambda tx: timeline_store.count_since(tx, late)) == 6
    assert store.read_now(lambda tx: timeline_store.count_before(tx, late, Anchor(FIRST + minutes(4), 9))) == 2
    anchor = Anchor(FIRST + minutes(4), 9)
    assert [e.number for e in store.read_now(lambda tx: timeline_store.list_before(tx, late, anchor, 9))] == [7, 8]


def test_what_was_said_is_known_by_its_minute_and_words(store: Store) -> None:
    store.write_now(add_entries)
    by_minute = store.read_now(lambda tx: timeline_store.read_recorded(tx, span(), FIRST + minutes(1)))
    minute = (FIRST + minutes(1)).replace(second=0, microsecond=0)
    assert by_minute[minute, "entry 4"] == 4
    assert (minute + minutes(1), "entry 5") not in by_minute
    assert len(by_minute) == 4


def test_whether_a_person_ever_recorded_something_is_known_by_workspace(store: Store) -> None:
    store.write_now(open_incident)
    store.write_now(lambda tx: record_entry(tx, entry()))
    asked = (("T1", "U1"), ("T1", "U2"), ("T2", "U1"))
    assert store.read_now(lambda tx: [timeline_store.has_recorded(tx, *who) for who in asked]) == [True, False, False]
