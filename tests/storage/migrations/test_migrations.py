"""From an empty database to this version's schema, and what is refused on the way."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, text

from bot.domain.alerts.groups import Alert, AlertStatus
from bot.domain.records import Incident
from bot.errors import Misconfigured
from storage import alerts as alerts_store
from storage import audit as audit_store
from storage import incidents as incidents_store
from storage import search as search_store
from storage import timeline as timeline_store
from storage import whys as whys_store
from storage.database import migrator
from storage.database import store as database_store
from storage.database.drivers import Driver, SqliteDriver, driver_for
from storage.database.statements import Transaction
from storage.database.store import Store, open_store
from storage.postmortem import sections as sections_store
from storage.search import SearchQuery
from storage.tables import metadata
from tests.conftest import on_server
from tests.support.storage.sample_records import NOW, minutes, noting, open_incident
from tests.support.timeouts import PATIENT


def run(database_url: str, statement: str) -> None:
    with driver_for(database_url, timeouts=PATIENT).engine(writing=True).begin() as connection:
        connection.execute(text(statement))


def test_the_migrations_make_what_the_tables_declare(database_url: str) -> None:
    with driver_for(database_url, timeouts=PATIENT).engine().connect() as connection:
        # The full-text index is each database's own, and no table or column of ours.
        opts = {"include_name": lambda name, *_: not str(name).startswith("recall_words")}
        context = MigrationContext.configure(connection, opts=opts | {"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, metadata) == []


def test_a_database_of_a_newer_version_is_refused(database_url: str) -> None:
    run(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Misconfigured, match=r"newer version \(schema 9999\)"):
        open_store(database_url, timeouts=PATIENT)
    with pytest.raises(Misconfigured, match=r"newer version \(schema 9999\)"):
        database_store.upgrade(driver_for(database_url, timeouts=PATIENT))


def test_postgresql_is_not_migrated_by_opening_it(postgres_server: Any) -> None:
    on_server(postgres_server, "CREATE DATABASE empty_one")
    url = postgres_server.get_uri(database="empty_one")
    with pytest.raises(Misconfigured, match="Run `afterword migrate`"):
        open_store(url, timeouts=PATIENT)
    open_store(url, migrating=True, timeouts=PATIENT).close()
    open_store(url, timeouts=PATIENT).close()
    on_server(postgres_server, "DROP DATABASE empty_one WITH (FORCE)")


def opened_by_several_at_once(url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        stores = list(threads.map(lambda _: open_store(url, migrating=True, timeouts=PATIENT), range(4)))
    stores[0].write_now(open_incident)
    assert [store.write_now(noting()) for store in stores] == [1, 2, 3, 4]
    for store in stores:
        store.close()


def test_several_that_open_a_new_file_at_once_all_get_it(tmp_path: Path) -> None:
    opened_by_several_at_once(f"sqlite:///{tmp_path}/afterword.db")


def test_several_that_migrate_a_server_at_once_do_it_once(postgres_server: Any) -> None:
    on_server(postgres_server, "CREATE DATABASE crowded")
    opened_by_several_at_once(postgres_server.get_uri(database="crowded"))
    on_server(postgres_server, "DROP DATABASE crowded WITH (FORCE)")


def test_opening_twice_keeps_what_was_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/afterword.db"
    for _ in range(2):
        store = open_store(url, timeouts=PATIENT)
        store.write_now(lambda tx: open_incident(tx) if not incidents_store.list_latest(tx, "T1", 1) else None)
        store.close()
    store = open_store(url, timeouts=PATIENT)
    assert len(store.read_now(lambda tx: incidents_store.list_latest(tx, "T1", 9))) == 1
    store.close()


def test_a_migration_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "afterword.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE why (somebody TEXT)")  # in the way of a table made late
        connection.commit()
    with pytest.raises(Misconfigured, match="can't be brought up to date"):
        open_store(f"sqlite:///{path}", timeouts=PATIENT)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("why",)]


def test_before_a_change_of_schema_the_file_is_copied_beside_itself(sqlite_store: Store, sqlite_url: str) -> None:
    sqlite_store.write_now(open_incident)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    assert isinstance(sqlite_store.driver, SqliteDriver)
    for _ in range(2):
        database_store._copy_aside(sqlite_store.driver, "0001")
    copy = path.with_name("afterword.db.before-0001")
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM incident").fetchone() == (1,)


def before_the_search(driver: Driver) -> None:
    """A database of the version before, with an incident in it."""
    with driver.engine(writing=True).begin() as connection:
        migrator.upgrade(connection, "0002")
        known = {"team": "T1", "channel": "C1", "number": 1, "title": "Checkout fails", "status": "resolved"}
        counted = dict.fromkeys(("last_entry", "last_why", "last_action"), 0)
        blank = dict.fromkeys(("postmortem_reason", "channel_name", "card_ts"), "")
        rest = {"opened_by": "U1", "opened_at": NOW, "postmortem_status": "open"}
        connection.execute(insert(metadata.tables["incident"]).values(known | counted | blank | rest))
        saved = {"incident_id": 1, "section": "root_cause", "author": "U1", "saved_at": NOW}
        for version, words in enumerate(("The disk was full", "The pool ran out"), start=1):
            connection.execute(insert(metadata.tables["section"]).values(saved | {"text": words, "version": version}))


def test_what_was_written_before_there_was_a_search_is_found(tmp_path: Path, postgres_server: Any) -> None:
    on_server(postgres_server, "CREATE DATABASE searched")
    for url in (f"sqlite:///{tmp_path}/afterword.db", postgres_server.get_uri(database="searched")):
        driver = driver_for(url, timeouts=PATIENT)
        if isinstance(driver, SqliteDriver):
            driver.connect().close()
        before_the_search(driver)
        store = open_store(url, migrating=True, timeouts=PATIENT)
        for words, count in {("checkout", "pool"): 1, ("disk",): 0}.items():
            found = store.read_now(lambda tx, words=words: search_store.find(tx, "T1", SearchQuery(words), 9))  # type: ignore[misc]
            assert len(found) == count
        store.close()
    on_server(postgres_server, "DROP DATABASE searched WITH (FORCE)")


def test_the_one_action_of_a_why_becomes_a_link(tmp_path: Path, postgres_server: Any) -> None:
    on_server(postgres_server, "CREATE DATABASE linked")
    for url in (f"sqlite:///{tmp_path}/afterword.db", postgres_server.get_uri(database="linked")):
        driver = driver_for(url, timeouts=PATIENT)
        if isinstance(driver, SqliteDriver):
            driver.connect().close()
        before_the_search(driver)
        with driver.engine(writing=True).begin() as connection:
            migrator.upgrade(connection, "0005")
            wrote = {
                "incident_id": 1,
                "text": "a leak",
                "recorded_at": NOW,
                "author": "U1",
                "struck": False,
                "version": 1,
            }
            for number in (1, 2):
                connection.execute(insert(metadata.tables["why"]).values(wrote | {"number": number, "is_root": True}))
            asked = {
                "incident_id": 1,
                "number": 7,
                "text": "mend it",
                "created_by": "U1",
                "created_at": NOW,
                "held": "",
            }
            made = asked | {"link": "", "reason": "", "status": "open"}
            connection.execute(insert(metadata.tables["action"]).values(made))
            connection.execute(text("UPDATE why SET action = 7 WHERE number = 2"))
        store = open_store(url, migrating=True, timeouts=PATIENT)
        assert [why.actions for why in store.read_now(lambda tx: whys_store.list_chain(tx, 1))] == [(), (7,)]
        store.close()
    on_server(postgres_server, "DROP DATABASE linked WITH (FORCE)")


def before_wordings_had_ends(driver: Driver) -> None:
    """A database of that version, with an entry of two wordings whose times are spans."""
    before_the_search(driver)
    with driver.engine(writing=True).begin() as connection:
        migrator.upgrade(connection, "0012")
        made = {"incident_id": 1, "number": 1, "text": "down", "happened_at": NOW, "recorded_at": NOW, "kind": "note"}
        people = {"author": "U1", "recorder": "U1", "permalink": "", "source": "", "source_change": ""}
        latest = {"ended_at": NOW + minutes(5), "approximate": True, "version": 2, "struck": False}
        connection.execute(insert(metadata.tables["entry"]).values(made | people | latest))
        added = text(
            "INSERT INTO entry_version (entry_id, version, change, happened_at, text, changed_by, changed_at) "
            "SELECT id, :version, 'edited', happened_at, text, author, recorded_at FROM entry"
        )
        for version in (1, 2):
            connection.execute(added, {"version": version})


def test_the_last_wording_of_an_entry_gets_its_end_and_stays_what_it_is(tmp_path: Path, postgres_server: Any) -> None:
    on_server(postgres_server, "CREATE DATABASE spans")
    for url in (f"sqlite:///{tmp_path}/afterword.db", postgres_server.get_uri(database="spans")):
        driver = driver_for(url, timeouts=PATIENT)
        if isinstance(driver, SqliteDriver):
            driver.connect().close()
        before_wordings_had_ends(driver)
        store = open_store(url, migrating=True, timeouts=PATIENT)
        wordings = store.read_now(lambda tx: timeline_store.list_versions(tx, 1))
        assert [(one.ended_at, one.approximate) for one in wordings] == [(None, False), (NOW + minutes(5), True)]
        for change in ("ended_at = NULL", "approximate = NOT approximate", "happened_at = changed_at, text = 'never'"):
            connection = store.driver.connect()
            with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RaiseException), match="append-only"):
                connection.execute(f"UPDATE entry_version SET {change}")
            connection.close()
        entry = store.read_now(lambda tx: timeline_store.find_by_number(tx, 1, 1))
        assert entry is not None
        store.write_now(partial(timeline_store.redact, entry=entry, clean=lambda _: "[redacted]", by="U1", now=NOW))
        versions = [(one.text, one.ended_at) for one in store.read_now(lambda tx: timeline_store.list_versions(tx, 1))]
        assert versions == [("[redacted]", None), *[("[redacted]", NOW + minutes(5))] * 2]
        store.close()
    on_server(postgres_server, "DROP DATABASE spans WITH (FORCE)")


def test_a_damaged_page_is_told_and_the_file_kept(sqlite_url: str) -> None:
    store = open_store(sqlite_url, timeouts=PATIENT)
    store.write_now(open_incident)
    for number in range(400):
        store.write_now(noting(f"{number} " + "x" * 500))
    store.close()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    whole = path.read_bytes()
    middle = len(whole) // 4096 // 2 * 4096
    path.write_bytes(whole[:middle] + b"\xff" * 4096 + whole[middle + 4096 :])
    damaged = path.read_bytes()
    with pytest.raises(Misconfigured, match="is damaged"):
        open_store(sqlite_url, timeouts=PATIENT)
    assert path.read_bytes() == damaged


def test_a_database_cut_short_is_told_in_a_sentence(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.write_bytes(path.read_bytes()[: 3 * 4096])
    with pytest.raises(Misconfigured, match="restore a backup"):
        open_store(sqlite_url, timeouts=PATIENT)


def change_incident(incident: Incident, tx: Transaction) -> None:
    incidents_store.save(tx, incident)
    audit_store.add_lines(tx, "U1", "incidents.save", "key", NOW)


@pytest.mark.parametrize("change", ["UPDATE {} SET {} = 'never said'", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["entry_version", "section", "why_version", "audit"])
def test_what_was_once_said_can_neither_be_changed_nor_removed(
    store: Store, database_url: str, table: str, change: str
) -> None:
    incident = store.write_now(open_incident)
    store.write_now(noting())
    store.write_now(lambda tx: sections_store.save(tx, incident.id, "fault", "A leak", "U1", NOW))
    store.write_now(partial(change_incident, incident))
    store.write_now(lambda tx: whys_store.add(tx, incident.id, None, "A leak", "U1", NOW))
    connection = store.driver.connect()
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RaiseException), match=f"{table} is append-only"):
        connection.execute(change.format(table, "who" if table == "audit" else "text"))
    connection.close()
    assert store.read_now(lambda tx: timeline_store.list_versions(tx, 1))[0].text == "The database is slow"
    assert store.read_now(lambda tx: sections_store.list_latest(tx, incident.id))["fault"].text == "A leak"


def before_alerts_had_an_order(driver: Driver) -> None:
    """A database of the version before, with a group of alerts and its events."""
    texts = ("team", "source", "title", "severity", "service", "link", "acknowledged_by", "settled_by", "channel", "ts")
    group = dict.fromkeys(texts, "x") | {"group_key": "g", "status": "firing", "stand": "suggested", "is_owed": False}
    group |= dict.fromkeys(("fired", "firing", "entries"), 1)
    group |= dict.fromkeys(("starts_at", "changed_at", "heard_at"), NOW)
    event = {"alert_id": 1, "at": NOW, "heard_at": NOW, "status": "firing"}
    event |= {"team": "x", "key": "k", "fingerprint": "a", "title": "Down", "told_by": ""}
    with driver.engine(writing=True).begin() as connection:
        migrator.upgrade(connection, "0012")
        connection.execute(insert(metadata.tables["alert"]).values(group))
        connection.execute(insert(metadata.tables["alert_event"]).values(event))


def test_what_was_told_of_an_alert_before_keeps_its_place_in_the_order(tmp_path: Path, postgres_server: Any) -> None:
    on_server(postgres_server, "CREATE DATABASE alarmed")
    for url in (f"sqlite:///{tmp_path}/afterword.db", postgres_server.get_uri(database="alarmed")):
        driver = driver_for(url, timeouts=PATIENT)
        if isinstance(driver, SqliteDriver):
            driver.connect().close()
        before_alerts_had_an_order(driver)
        store = open_store(url, migrating=True, timeouts=PATIENT)
        group = store.read_now(lambda tx: alerts_store.find(tx, 1))
        assert group is not None
        (event,) = store.read_now(lambda tx, group=group: alerts_store.list_events(tx, group, 9))  # type: ignore[misc]
        assert event == Alert("x", "g", "a", "k", "Down", AlertStatus.FIRING, NOW, NOW)
        store.close()
    on_server(postgres_server, "DROP DATABASE alarmed WITH (FORCE)")


def test_the_names_of_the_migrations_are_alembics_revisions_in_order() -> None:
    """A start compares the database with the names, and loads Alembic only for a migration that is missing."""
    scripts = ScriptDirectory.from_config(migrator.make_config()).walk_revisions()
    assert [script.revision for script in scripts] == list(database_store._known_revisions())
