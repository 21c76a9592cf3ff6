"""What came back in drafts, in the database: every text stays, but for what is redacted.

Copies in other systems: one for each incident and place, as it was last written.
"""

import sqlite3
from dataclasses import replace
from functools import partial

import psycopg
import pytest

from bot.domain.postmortem import RegionMark
from bot.domain.records import EditOrigin
from storage import audit as audit_store
from storage import case as case_store
from storage import secrets as secrets_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.postmortem import sections as sections_store
from storage.postmortem.sections import EditedCopy, NewEdit
from storage.secrets import SearchScope
from tests.support.storage.sample_records import NOW, PLACE, minutes, noting, open_incident

TEXT = NewEdit("leadup", EditOrigin.EDITED, "By *hand*.", "f" * 12, 0, "Ana Demo", "file", NOW, "monday")


def keep(store: Store, incident_id: int, text: NewEdit) -> int:
    version: int = store.write_now(lambda tx: sections_store.add_edit(tx, incident_id, text))
    return version


def test_every_text_is_read_back_by_region_and_version(store: Store) -> None:
    incident = store.write_now(open_incident)
    other = replace(TEXT, section="fault", change=EditOrigin.GIVEN_UP, markdown="", seen=3, draft="")
    assert [keep(store, incident.id, text) for text in (TEXT, other, replace(TEXT, markdown="Again."))] == [1, 1, 2]
    found = store.read_now(lambda tx: sections_store.list_edits(tx, incident.id))
    assert [(one.section, one.version, one.change, one.markdown, one.seen, one.draft) for one in found] == [
        ("fault", 1, EditOrigin.GIVEN_UP, "", 3, ""),
        ("leadup", 1, EditOrigin.EDITED, "By *hand*.", 0, "monday"),
        ("leadup", 2, EditOrigin.EDITED, "Again.", 0, "monday"),
    ]
    assert (found[1].author, found[1].facts, found[1].saved_at) == ("Ana Demo", "f" * 12, NOW)
    assert store.read_now(lambda tx: case_store.load(tx, incident)).edited_sections == found
    assert store.read_now(lambda tx: case_store.load_latest(tx, incident)).edited_sections == found


@pytest.mark.parametrize("change", ["UPDATE kept_region SET markdown = 'never said'", "DELETE FROM kept_region"])
def test_what_people_wrote_can_neither_be_changed_nor_removed(store: Store, change: str) -> None:
    keep(store, store.write_now(open_incident).id, TEXT)
    connection = store.driver.connect()
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RaiseException), match="kept_region is append-only"):
        connection.execute(change.encode() if store.driver.dialect.name == "postgresql" else change)
    connection.close()


def test_a_redaction_finds_it_and_changes_its_words_alone(store: Store) -> None:
    incident = store.write_now(open_incident)
    secret = "hunter" + "2-of-demo"
    keep(store, incident.id, replace(TEXT, markdown=f"It was {secret}."))
    reach = SearchScope(incident.id, PLACE.team, incident.opened_at)
    (copy,) = store.read_now(lambda tx: secrets_store.list_copies(tx, reach, secrets_store.choose_mark(secret)))
    assert copy.place == "kept"
    store.write_now(lambda tx: secrets_store.rewrite(tx, copy, "It was [redacted]."))
    (only,) = store.read_now(lambda tx: sections_store.list_edits(tx, incident.id))
    assert (only.markdown, only.author, only.version) == ("It was [redacted].", "Ana Demo", 1)


def test_the_revision_counts_every_change_of_the_incident_and_of_no_other(store: Store) -> None:
    incident = store.write_now(open_incident)
    store.write_now(partial(open_incident, place=replace(PLACE, channel="C2")))

    def revision() -> int:
        return int(store.read_now(lambda tx: case_store.load(tx, incident)).revision)

    def change(tx: Transaction) -> None:
        tx.clear_notes()
        sections_store.add_edit(tx, incident.id, TEXT)
        audit_store.add_lines(tx, "U1", "drafts.take", "", NOW)

    assert revision() == 0
    store.write_now(noting())
    assert revision() == 1
    store.write_now(change)
    assert revision() == 2
    store.write_now(noting(place=replace(PLACE, channel="C2")))
    assert revision() == 2
    lines = store.read_now(lambda tx: audit_store.list_all(tx, incident.id))
    assert len(lines) == revision()


def test_a_copy_is_remembered_as_it_was_left_last(store: Store) -> None:
    incident = store.write_now(open_incident)
    other = store.write_now(lambda tx: open_incident(tx, replace(PLACE, channel="C2")))
    assert store.read_now(lambda tx: sections_store.find_copy(tx, incident.id, "canvas")) is None
    first = EditedCopy("F1", {"": RegionMark("aaa"), "impact": RegionMark("bbb ccc", "f", 3)}, 1, NOW)
    store.write_now(lambda tx: sections_store.save_copy(tx, incident.id, "canvas", first))
    assert store.read_now(lambda tx: sections_store.find_copy(tx, incident.id, "canvas")) == first
    again = EditedCopy("F2", {}, 2, NOW + minutes(5))
    store.write_now(lambda tx: sections_store.save_copy(tx, incident.id, "canvas", again))
    store.write_now(lambda tx: sections_store.save_copy(tx, incident.id, "elsewhere", first))
    assert store.read_now(lambda tx: sections_store.find_copy(tx, incident.id, "canvas")) == again
    assert store.read_now(lambda tx: sections_store.find_copy(tx, incident.id, "elsewhere")) == first
    assert store.read_now(lambda tx: sections_store.find_copy(tx, other.id, "canvas")) is None
