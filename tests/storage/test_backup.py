"""A copy of a database in use is whole, private, and never in place of another file."""

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import Misconfigured, Refused
from storage import timeline as timeline_store
from storage.database.drivers import backup
from storage.database.store import Store, open_store
from tests.support.storage.sample_records import noting, open_incident
from tests.support.timeouts import PATIENT


def test_a_backup_holds_what_still_stands_in_the_wal_and_opens_as_a_database(
    sqlite_store: Store, sqlite_url: str, tmp_path: Path
) -> None:
    sqlite_store.write_now(open_incident)
    sqlite_store.write_now(noting("only in the wal"))
    path, target, plain = tmp_path / "afterword.db", tmp_path / "copy.db", tmp_path / "plain.db"
    shutil.copyfile(path, plain)
    with closing(sqlite3.connect(plain)) as connection:
        assert connection.execute("SELECT count(*) FROM entry").fetchone() == (0,)  # what copying the file would give
    backup(sqlite_url, target)
    assert target.stat().st_mode & 0o777 == 0o600
    copied = open_store(f"sqlite:///{target}", timeouts=PATIENT)
    assert [record.text for record in copied.read_now(lambda tx: timeline_store.list_active(tx, 1))] == [
        "only in the wal"
    ]
    copied.close()


def test_a_backup_while_the_bot_writes_holds_one_moment_and_is_in_nobodys_way(
    sqlite_store: Store, sqlite_url: str, tmp_path: Path
) -> None:
    sqlite_store.write_now(open_incident)
    done = threading.Event()
    written: list[int] = []

    def keep_writing() -> None:
        while not done.is_set():
            written.append(sqlite_store.write_now(noting("x" * 200)))

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        for number in range(3):
            before = len(written)
            backup(sqlite_url, tmp_path / f"copy{number}.db")
            after = len(written) + 1
            with closing(sqlite3.connect(tmp_path / f"copy{number}.db")) as copy:
                counts = copy.execute(
                    "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM entry_version),"
                    " (SELECT last_entry FROM incident)"
                ).fetchone()
            assert before <= counts[0] <= after
            assert len(set(counts)) == 1
    finally:
        done.set()
        writer.join()
    assert written == list(range(1, len(written) + 1))


def test_a_file_that_is_there_is_never_written_over(sqlite_url: str, tmp_path: Path) -> None:
    target = tmp_path / "last week.db"
    target.write_text("precious")
    with pytest.raises(Refused, match="already exists"):
        backup(sqlite_url, target)
    assert target.read_text() == "precious"


def test_where_it_cannot_be_written_nothing_is_left_behind(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="couldn't be copied"):
        backup(sqlite_url, tmp_path / "no such folder" / "copy.db")
    assert [path.name for path in tmp_path.iterdir()] == ["afterword.db"]


def test_a_damaged_database_gives_no_backup_that_looks_sound(sqlite_url: str, tmp_path: Path) -> None:
    path = tmp_path / "afterword.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])
    with pytest.raises(Refused, match=r"is damaged|couldn't be copied"):
        backup(sqlite_url, tmp_path / "copy.db")
    assert not list(tmp_path.glob("*copy*"))


def test_without_a_database_none_is_made_up(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no database"):
        backup(f"sqlite:///{tmp_path}/nothing.db", tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_for_postgresql_the_tool_that_does_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="pg_dump"):
        backup("postgresql://somebody@localhost/afterword", tmp_path / "copy.db")
