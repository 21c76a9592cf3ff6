"""Copies outside: one for each incident and place, as it was written last."""

from dataclasses import replace

from bot.incident.exports import RegionMark
from storage import copies
from storage.copies import Copy
from storage.store import Store
from tests.storage.given import NOW, PLACE, minutes, opened


def test_a_copy_is_remembered_as_it_was_left_last(store: Store) -> None:
    incident = store.write_now(opened)
    other = store.write_now(lambda tx: opened(tx, replace(PLACE, channel="C2")))
    assert store.read_now(lambda tx: copies.one(tx, incident.id, "canvas")) is None
    first = Copy("F1", {"": RegionMark("aaa"), "impact": RegionMark("bbb ccc", "f", 3)}, 1, NOW)
    store.write_now(lambda tx: copies.keep(tx, incident.id, "canvas", first))
    assert store.read_now(lambda tx: copies.one(tx, incident.id, "canvas")) == first
    again = Copy("F2", {}, 2, NOW + minutes(5))
    store.write_now(lambda tx: copies.keep(tx, incident.id, "canvas", again))
    store.write_now(lambda tx: copies.keep(tx, incident.id, "elsewhere", first))
    assert store.read_now(lambda tx: copies.one(tx, incident.id, "canvas")) == again
    assert store.read_now(lambda tx: copies.one(tx, incident.id, "elsewhere")) == first
    assert store.read_now(lambda tx: copies.one(tx, other.id, "canvas")) is None
