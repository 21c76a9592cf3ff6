"""How each database is opened, and how it refuses."""

import re
import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from bot.errors import DatabaseGone, Misconfigured
from storage.database.drivers import Driver, DriverFault, SqliteDriver, driver_for
from storage.database.statements import Statement
from storage.database.store import Store, open_store
from tests.support.deadlines import LONG_SECONDS
from tests.support.storage.sample_records import entry, open_incident, record_entry
from tests.support.timeouts import PATIENT


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def ask_driver(driver: Driver, question: str, *, reading: bool = False) -> Any:
    connection = driver.connect(reading=reading)
    try:
        return connection.execute(question).fetchall()[0][0]
    finally:
        connection.close()


def test_a_file_that_somebody_holds_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "afterword.db"
    holding = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holding.execute("CREATE TABLE held (x)")
    holding.execute("BEGIN IMMEDIATE")  # so that the file cannot be turned to WAL mode
    letting_go = threading.Timer(0.3, holding.close)
    letting_go.start()
    driver = driver_for(f"sqlite:///{path}", timeouts=PATIENT)
    assert isinstance(driver, SqliteDriver)
    with closing(driver.connect(within=LONG_SECONDS)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    letting_go.join()


@pytest.mark.usefixtures("short_locks")
def test_a_file_that_stays_held_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "afterword.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as holding:
        holding.execute("CREATE TABLE held (x)")
        holding.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Misconfigured, match=r"can't be opened as a database \(database is locked\)"):
            driver_for(f"sqlite:///{path}", timeouts=PATIENT).connect()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("temp_store", 2),
        ("query_only", 0),
    ],
)
def test_sqlite_is_opened_so_that_a_commit_is_on_disk(sqlite_url: str, pragma: str, value: object) -> None:
    assert ask_driver(driver_for(sqlite_url, timeouts=PATIENT), f"PRAGMA {pragma}") == value


def test_every_sqlite_table_is_strict_so_that_no_text_stands_in_a_number(sqlite_url: str) -> None:
    with driver_for(sqlite_url, timeouts=PATIENT).engine().connect() as connection:
        tables = connection.execute(text("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")).all()
    loose = {name for name, strict in tables if not strict and not name.startswith(("sqlite_", "recall_words"))}
    assert len(tables) > 10
    assert loose == {"alembic_version"}


def test_the_file_and_what_stands_beside_it_are_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "afterword.db"
    store = open_store(f"sqlite:///{path}", timeouts=PATIENT)
    store.write_now(open_incident)
    assert {mode(path.with_name(path.name + end)) for end in ("", "-wal", "-shm")} == {0o600}
    store.close()


def test_a_file_that_others_could_read_is_closed_to_them(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    path.chmod(0o644)
    open_store(sqlite_url, timeouts=PATIENT).close()
    assert mode(path) == 0o600


def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises((sqlite3.OperationalError, psycopg.errors.ReadOnlySqlTransaction)):
        store.read_now(open_incident)
    assert store.read_now(lambda tx: tx) is not None


def test_a_row_without_its_parent_is_refused(store: Store) -> None:
    store.write_now(open_incident)
    wrong = "INSERT INTO why (incident_id, number, text, author, recorded_at, is_root, struck) VALUES (99, 1, '', '', "
    connection = store.driver.connect()
    sqlite = store.driver.dialect.name == "sqlite"
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.ForeignKeyViolation)):
        connection.execute(wrong + ("'', 0, 0)" if sqlite else "now(), false, false)"))
    connection.close()


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Shopping: bread, coffee.\n" * 50)
    path.chmod(0o644)
    with pytest.raises(Misconfigured, match="isn't a database"):
        open_store(f"sqlite:///{path}", timeouts=PATIENT)
    assert path.read_text() == "Shopping: bread, coffee.\n" * 50
    assert mode(path) == 0o644
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:////nowhere/at/all.db", "isn't a folder"),
        ("sqlite:////proc/afterword.db", "can't be written"),
        ("mysql://localhost/x", "begins with 'mysql'"),
        ("afterword.db", "isn't an address"),
    ],
)
def test_a_wrong_address_is_told_in_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(Misconfigured, match=sentence):
        open_store(url, timeouts=PATIENT)


def test_a_server_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="can't be read"):
        open_store(f"postgresql://nobody@/none?host={tmp_path}", timeouts=PATIENT)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("SQLITE_BUSY", DriverFault.BUSY),
        ("SQLITE_BUSY_SNAPSHOT", DriverFault.BUSY),
        ("SQLITE_CONSTRAINT_UNIQUE", DriverFault.UNIT),
        ("SQLITE_FULL", DriverFault.WHOLE),
        ("SQLITE_IOERR_FSYNC", DriverFault.WHOLE),
        ("SQLITE_CORRUPT", DriverFault.WHOLE),
    ],
)
def test_what_an_error_of_sqlite_means(tmp_path: Path, name: str, fault: DriverFault) -> None:
    error = sqlite3.OperationalError()
    error.sqlite_errorname = name
    assert driver_for(f"sqlite:///{tmp_path}/x.db", timeouts=PATIENT).fault(error) is fault


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (psycopg.errors.UniqueViolation, DriverFault.CONFLICT),
        (psycopg.errors.SerializationFailure, DriverFault.CONFLICT),
        (psycopg.errors.DeadlockDetected, DriverFault.CONFLICT),
        (psycopg.errors.LockNotAvailable, DriverFault.CONFLICT),
        (psycopg.errors.AdminShutdown, DriverFault.LOST),
        (psycopg.errors.ReadOnlySqlTransaction, DriverFault.LOST),
        (psycopg.OperationalError, DriverFault.LOST),
        (psycopg.InterfaceError, DriverFault.LOST),
        (psycopg.errors.DataError, DriverFault.SOME_UNIT),
        (psycopg.errors.DiskFull, DriverFault.SOME_UNIT),
        (psycopg.errors.PipelineAborted, DriverFault.SOME_UNIT),
    ],
)
def test_what_an_error_of_postgresql_means(error: type[psycopg.Error], fault: DriverFault) -> None:
    assert driver_for("postgresql://somebody@/x", timeouts=PATIENT).fault(error()) is fault


def test_a_file_that_was_removed_under_a_running_store_is_noticed(sqlite_store: Store) -> None:
    assert isinstance(sqlite_store.driver, SqliteDriver)
    sqlite_store.write_now(open_incident)
    assert sqlite_store.is_whole()
    sqlite_store.driver.path.unlink()
    with pytest.raises(DatabaseGone, match="removed or replaced"):
        sqlite_store.write_now(lambda tx: record_entry(tx, entry()))
    assert not sqlite_store.is_whole()
    sqlite_store.driver.path.touch()
    assert not sqlite_store.is_whole()


def test_a_write_ahead_log_that_was_removed_is_noticed_before_anybody_is_answered(sqlite_store: Store) -> None:
    assert isinstance(sqlite_store.driver, SqliteDriver)
    sqlite_store.write_now(open_incident)
    path = sqlite_store.driver.path
    path.with_name(f"{path.name}-wal").unlink()
    with pytest.raises(DatabaseGone):
        sqlite_store.write_now(lambda tx: record_entry(tx, entry()))


def test_a_connection_that_was_dropped_does_not_open_a_new_file_in_the_place_of_one_that_is_gone(
    sqlite_store: Store,
) -> None:
    assert isinstance(sqlite_store.driver, SqliteDriver)
    sqlite_store.writer._drop_connection()
    sqlite_store.driver.path.unlink()
    with pytest.raises(DatabaseGone):
        sqlite_store.write_now(open_incident)
    assert not sqlite_store.driver.path.exists()


def test_a_reader_does_not_open_a_new_file_in_the_place_of_one_that_is_gone(sqlite_store: Store) -> None:
    assert isinstance(sqlite_store.driver, SqliteDriver)
    sqlite_store.driver.path.unlink()
    with ThreadPoolExecutor(1) as new_thread, pytest.raises(DatabaseGone):
        new_thread.submit(sqlite_store.read_now, lambda tx: None).result()
    assert not sqlite_store.driver.path.exists()


def test_an_error_while_reading_a_file_that_was_replaced_names_the_cause(sqlite_store: Store) -> None:
    assert isinstance(sqlite_store.driver, SqliteDriver)
    broken = Statement(text("SELECT * FROM no_such_table"))
    with pytest.raises(sqlite3.OperationalError):
        sqlite_store.read_now(lambda tx: tx.rows(broken))
    sqlite_store.driver.path.unlink()
    sqlite_store.driver.path.touch()
    with pytest.raises(DatabaseGone):
        sqlite_store.read_now(lambda tx: tx.rows(broken))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("SQLITE_FULL", "disk is full. Free some space"),
        ("SQLITE_READONLY_DIRECTORY", "read-only. Make its file and folder writable"),
        ("SQLITE_IOERR_WRITE", r"reports an error \(SQLITE_IOERR_WRITE\)"),
        ("SQLITE_CORRUPT_INDEX", "is damaged. Replace it"),
        ("SQLITE_SOMETHING", r"didn't take it \(OperationalError\)"),
    ],
)
def test_an_error_of_sqlite_is_a_sentence_with_its_remedy(sqlite_store: Store, name: str, sentence: str) -> None:
    error = sqlite3.OperationalError("a canary sang")
    error.sqlite_errorname = name
    found = sqlite_store.driver.describe(error)
    assert re.search(sentence, found)
    assert "canary" not in found


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (psycopg.errors.DiskFull, "server's disk is full"),
        (psycopg.errors.ReadOnlySqlTransaction, "is read-only. Check whether DATABASE_URL"),
        (psycopg.OperationalError, "server doesn't answer. Check that it runs"),
        (psycopg.errors.DataError, r"didn't take it \(DataError\)"),
    ],
)
def test_an_error_of_postgresql_is_a_sentence_with_its_remedy(error: type[psycopg.Error], sentence: str) -> None:
    driver = driver_for("postgresql://somebody@/x", timeouts=PATIENT)
    assert re.search(sentence, driver.describe(error("a canary sang")))
