"""What was exported comes back whole, once and silently, on both databases."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.domain.records import Person, Place, Status
from bot.domain.reminders import ReminderState
from bot.domain.similarity import extract_words
from bot.errors import Refused
from bot.export import FORMATS
from bot.export.json import reader as json_reader
from bot.services.documents import drafts as drafts_service
from bot.services.documents.drafts import Imported, ImportRequest
from bot.services.notifications import dry_run as dry_run_service
from storage import audit as audit_store
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import reminders as reminders_store
from storage import search as search_store
from storage import whys as whys_store
from storage.database.store import Store, open_store
from storage.search import SearchQuery
from tests.support import full_incident
from tests.support.full_incident import LATER, RULES, SECRET, export_incident
from tests.support.storage.sample_records import noting, open_incident
from tests.support.timeouts import PATIENT


@pytest.fixture
def source(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """Another database, in which the incident was lived through."""
    path = tmp_path / "source.db"
    path.write_bytes(sqlite_template.read_bytes())
    opened_there = open_store(f"sqlite:///{path}", timeouts=PATIENT)
    opened_there.write_now(full_incident.write)
    yield opened_there
    opened_there.close()


def take_in(store: Store, content: bytes, **wish: Any) -> Imported:
    return drafts_service.import_record(store, json_reader.read(content), ImportRequest(**wish), RULES, LATER)


def test_the_record_comes_back_byte_for_byte_in_every_form(source: Store, store: Store) -> None:
    for number in (1, 2):
        content = export_incident(source, number)
        assert not take_in(store, content).is_here
        assert export_incident(store, number) == content
    for form in FORMATS:
        assert export_incident(store, form=form) == export_incident(source, form=form)


def test_the_export_tells_every_wording_what_was_struck_and_no_secret(source: Store) -> None:
    content = export_incident(source)
    export = json.loads(content)
    assert [one["change"] for one in export["timeline"][-1]["versions"]] == []
    lines = {line["number"]: line for line in export["timeline"]}
    assert [(one["change"], one["text"]) for one in lines[2]["versions"]] == [
        ("added", "Failed over"), ("edited", "Failed over to replica"),
    ]  # fmt: skip
    assert [one["change"] for one in lines[5]["versions"]] == ["added", "redacted"]
    assert SECRET.encode() not in content
    (struck,) = export["struck"]["timeline"]
    assert (struck["text"], struck["files"][0]["content"]) == ("Wrong channel, sorry", None)
    assert [(why["number"], why["parent"], why["answers"]) for why in export["whys"]] == [
        (1, None, None),
        (3, 1, 2),
        (4, 1, 1),
    ]
    assert [one["text"] for one in export["sections"]["leadup"]["versions"]] == ["withdrawn", ""]
    assert export["likenesses"][0]["incident"] == "INC-1"
    assert export["incident"]["workspace"] == "T1"
    assert lines[4]["files"][0]["content"] is not None


def test_what_was_struck_can_be_brought_back_and_numbers_go_on(source: Store, store: Store) -> None:
    take_in(store, export_incident(source))
    incident = store.read_now(lambda tx: incidents_store.find_by_number(tx, "T1", 2))
    assert incident is not None
    every = store.read_now(lambda tx: whys_store.list_all(tx, incident.id))
    assert [(why.number, why.parent, why.struck) for why in every] == [
        (1, None, False), (2, 1, True), (3, 2, False), (4, 1, False),
    ]  # fmt: skip
    taken = store.write_now(
        lambda tx: [incidents_store.take_number(tx, incident.id, f"last_{of}") for of in ("entry", "why", "action")]
    )
    assert taken == [10, 5, 6]
    assert store.write_now(lambda tx: open_incident(tx, Place("T1", "C7"))).key == "INC-3"


def test_the_same_again_changes_nothing_whatever_people_are_called_by_now(source: Store, store: Store) -> None:
    content = export_incident(source)
    take_in(store, content)
    store.write_now(lambda tx: people_store.save(tx, Person("T1", "U1", "Ana Renamed", "Asia/Kolkata")))
    before = export_incident(store)
    again = take_in(store, content)
    assert (again.is_here, again.incident.key) == (True, "INC-2")
    assert export_incident(store) == before
    assert store.read_now(lambda tx: incidents_store.find_by_number(tx, "T1", 3)) is None


def test_another_incident_of_that_key_is_left_alone_and_the_next_key_is_free(source: Store, store: Store) -> None:
    take_in(store, export_incident(source, 1))
    take_in(store, export_incident(source))
    other = export_incident(source).replace(b"Errors climb", b"Errors soar")
    before = export_incident(store)
    with pytest.raises(Refused, match=r"INC-2 is already here with different content.*--as-new"):
        take_in(store, other)
    assert export_incident(store) == before
    taken = take_in(store, other, is_new=True)
    assert taken.incident.key == "INC-3"
    assert export_incident(store) == before
    assert export_incident(store, 3) == other.replace(b'"key": "INC-2"', b'"key": "INC-3"')


def test_an_open_incident_needs_a_free_channel(source: Store, store: Store) -> None:
    store.write_now(lambda tx: open_incident(tx, Place("T1", "C0")))
    content = export_incident(source, 1).replace(b'"key": "INC-1"', b'"key": "INC-8"')
    with pytest.raises(Refused, match="INC-8 isn't resolved, and INC-1 is open in its channel C0"):
        take_in(store, content)
    taken = take_in(store, content, channel="C5")
    assert (taken.incident.key, taken.incident.channel) == ("INC-8", "C5")


def test_it_can_go_into_another_workspace_without_what_was_said_of_that_one_s_incidents(
    source: Store, store: Store
) -> None:
    store.write_now(lambda tx: open_incident(tx, Place("T2", "C9")))
    taken = take_in(store, export_incident(source), team="T2")
    assert (taken.incident.team, taken.incident.key, taken.left_out) == ("T2", "INC-2", ())
    assert store.read_now(lambda tx: incidents_store.find_by_number(tx, "T1", 2)) is None
    assert store.read_now(lambda tx: search_store.list_verdicts(tx, taken.incident.id)) == {}
    assert take_in(store, export_incident(source), team="T2").is_here
    with pytest.raises(Refused, match="isn't an ID"):
        take_in(store, export_incident(source), team="T 2\n")


def test_a_file_without_a_workspace_goes_into_the_only_one(source: Store, store: Store) -> None:
    content = export_incident(source, 1).replace(b'"workspace": "T1"', b'"workspace": null')
    with pytest.raises(Refused, match="Give one with --team"):
        take_in(store, content)
    store.write_now(lambda tx: incidents_store.reserve_number(tx, "T5", 3))
    assert take_in(store, content).incident.team == "T5"


def test_what_was_said_of_an_incident_that_is_not_here_yet_is_told_and_added_later(source: Store, store: Store) -> None:
    content = export_incident(source)
    assert take_in(store, content).left_out == ("INC-1",)
    assert take_in(store, content).left_out == ("INC-1",)
    take_in(store, export_incident(source, 1))
    again = take_in(store, content)
    assert (again.is_here, again.left_out, again.added) == (True, (), ("INC-1",))
    assert export_incident(store) == content
    assert take_in(store, content).added == ()
    with pytest.raises(Refused, match="with different content"):
        take_in(store, content.replace(b'"same_cause": true', b'"same_cause": false'))


def test_an_imported_incident_is_found_by_its_words(source: Store, store: Store) -> None:
    take_in(store, export_incident(source))
    for words in ("checkout burns", "alarm was off", "mended", "pool per process"):
        query = SearchQuery(extract_words(words))
        found = store.read_now(lambda tx, query=query: search_store.find(tx, "T1", query, 9))  # type: ignore[misc]
        assert [one.incident.key for one in found] == ["INC-2"], words
    assert store.read_now(lambda tx: search_store.find(tx, "T1", SearchQuery(extract_words("withdrawn")), 9)) == ()


def test_nothing_is_posted_and_what_was_due_before_is_never_said(source: Store, store: Store) -> None:
    content = export_incident(source)
    taken = take_in(store, content)
    assert store.read_now(lambda tx: deliveries_store.due(tx, LATER + timedelta(days=999), 9, locking=False)) == ()
    had = store.read_now(lambda tx: reminders_store.list_by_incident(tx, taken.incident.id))
    assert all(one.due_at > LATER and one.state == "pending" for one in had)
    assert [one.slot for one in had] == ["16d after #9.1", "23d after #9.1", "30d after #9.1"]
    settled = dry_run_service.rehearse(store, RULES, LATER + timedelta(minutes=1))
    assert [one.reminder.kind for one in settled] == ["overdue"]  # what is still owed is in the owner's daily message


def test_what_is_still_to_come_is_said_when_it_is_due(source: Store, store: Store) -> None:
    take_in(store, export_incident(source))
    month_later = LATER + timedelta(days=22)
    reminders = [(one.reminder.kind, one.state) for one in dry_run_service.rehearse(store, RULES, month_later)]
    assert ("held", "sent") in reminders
    assert [state for kind, state in reminders if kind == "postmortem"].count(ReminderState.SENT) == 1
    assert "escalated" not in [kind for kind, _ in reminders]


def test_a_stranger_who_is_known_by_an_import_alone_may_do_nothing_yet(source: Store, store: Store) -> None:
    store.write_now(lambda tx: people_store.save(tx, Person("T1", "U1", "Ana As Slack Tells", "Asia/Kolkata")))
    take_in(store, export_incident(source))
    ana, bo, nobody = (store.read_now(partial(people_store.find, team="T1", user=user)) for user in ("U1", "U2", "U9"))
    assert ana is not None
    assert (ana.name, ana.zone, ana.is_guest) == ("Ana As Slack Tells", "Asia/Kolkata", False)
    assert bo is not None
    assert (bo.name, bo.zone, bo.is_guest) == ("Bo Demo", "", True)
    assert nobody is None


def test_the_database_knows_how_the_record_came_here_though_the_export_tells_the_incident_alone(
    source: Store, store: Store
) -> None:
    taken = take_in(store, export_incident(source))
    lines = store.read_now(lambda tx: audit_store.list_all(tx, taken.incident.id))
    assert audit_store.IMPORTED not in [line.verb for line in lines]
    assert ("U1", "actions.add") in [(line.who, line.verb) for line in lines]
    connection = store.driver.connect(reading=True)
    found = connection.execute("SELECT who, what FROM audit WHERE verb = 'incident.imported'").fetchall()
    connection.close()
    assert found == [("afterword import", "INC-2, exported 2026-12-03 12:00 UTC")]


@pytest.mark.parametrize("table", ["entry_version", "why_version", "section", "audit"])
def test_imported_histories_are_append_only_as_well(table: str, source: Store, store: Store) -> None:
    take_in(store, export_incident(source))
    connection = store.driver.connect()
    try:
        for change in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id + 1000"):
            with pytest.raises((sqlite3.Error, psycopg.Error), match="append-only"):
                connection.execute(change)
    finally:
        connection.close()


def test_the_bot_goes_on_in_an_imported_incident(source: Store, store: Store) -> None:
    open_one = export_incident(source, 1)
    take_in(store, open_one)
    assert store.write_now(noting("It goes on", Place("T1", "C0"))) == 1
    case = store.read_now(lambda tx: case_store.load(tx, incidents_store.find_current(tx, Place("T1", "C0"))))  # type: ignore[arg-type]
    assert (case.incident.status, [entry.text for entry in case.entries]) == (Status.OPEN, ["It goes on"])
