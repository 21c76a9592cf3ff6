"""Copies outside: one for each incident and place, as it was written last."""

from dataclasses import replace

from bot.domain.postmortem import RegionMark
from storage import edited_sections as edited_sections_store
from storage.database.store import Store
from storage.edited_sections import EditedCopy
from tests.support.storage.sample_records import NOW, PLACE, minutes, opened


def test_a_copy_is_remembered_as_it_was_left_last(store: Store) -> None:
    incident = store.write_now(opened)
    other = store.write_now(lambda tx: opened(tx, replace(PLACE, channel="C2")))
    assert store.read_now(lambda tx: edited_sections_store.find_copy(tx, incident.id, "canvas")) is None
    first = EditedCopy("F1", {"": RegionMark("aaa"), "impact": RegionMark("bbb ccc", "f", 3)}, 1, NOW)
    store.write_now(lambda tx: edited_sections_store.save_copy(tx, incident.id, "canvas", first))
    assert store.read_now(lambda tx: edited_sections_store.find_copy(tx, incident.id, "canvas")) == first
    again = EditedCopy("F2", {}, 2, NOW + minutes(5))
    store.write_now(lambda tx: edited_sections_store.save_copy(tx, incident.id, "canvas", again))
    store.write_now(lambda tx: edited_sections_store.save_copy(tx, incident.id, "elsewhere", first))
    assert store.read_now(lambda tx: edited_sections_store.find_copy(tx, incident.id, "canvas")) == again
    assert store.read_now(lambda tx: edited_sections_store.find_copy(tx, incident.id, "elsewhere")) == first
    assert store.read_now(lambda tx: edited_sections_store.find_copy(tx, other.id, "canvas")) is None
