"""`afterword restore`: a backup takes the database's place only if it is one, and nothing is lost on the way."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from storage import timeline as timeline_store
from storage.database.drivers import backup
from storage.database.lock import lock_database
from storage.database.store import Store, open_store
from tests.support.command_line import invoke
from tests.support.old_workspace import unpack_database
from tests.support.storage.sample_records import noting, open_incident
from tests.support.timeouts import PATIENT


def texts(url: str) -> list[str]:
    store = open_store(url, timeouts=PATIENT)
    try:
        return [entry.text for entry in store.read_now(lambda tx: timeline_store.list_active(tx, 1))]
    finally:
        store.close()


@pytest.fixture
def backup_file(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A backup of a database that went on after it."""
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    file = tmp_path / "saved.db"
    store = open_store(sqlite_url, timeouts=PATIENT)
    store.write_now(open_incident)
    store.write_now(noting("before the backup"))
    backup(sqlite_url, file)
    store.write_now(noting("after the backup"))
    store.close()
    return file


def test_a_backup_takes_the_place_and_the_database_before_is_kept(
    backup_file: Path, sqlite_url: str, tmp_path: Path
) -> None:
    notes = tmp_path / "afterword.db.chain"
    notes.write_text("1 99 " + "0" * 64 + "\n")
    done = invoke("restore", str(backup_file), "--force")
    assert done.exit_code == 0, done.output
    assert f"Restored {backup_file}: 1 incident, 1 entry." in done.stdout
    assert texts(sqlite_url) == ["before the backup"]
    (aside,) = tmp_path.glob("afterword.db.before-restore-*Z")
    assert str(aside) in done.stdout
    assert texts(f"sqlite:///{aside}") == ["before the backup", "after the backup"]
    assert not notes.exists()  # they are about the database before
    assert list(tmp_path.glob("afterword.db.chain.before-restore-*"))
    assert list(tmp_path.glob(".*")) == []
    assert (tmp_path / "afterword.db").stat().st_mode & 0o777 == 0o600


def test_a_log_that_was_left_behind_is_not_taken_for_the_new_databases(
    backup_file: Path, sqlite_url: str, tmp_path: Path
) -> None:
    path, frozen = tmp_path / "afterword.db", tmp_path / "frozen"
    store = open_store(sqlite_url, timeouts=PATIENT)
    store.write_now(noting("only in the log"))
    frozen.mkdir()
    for name in ("afterword.db", "afterword.db-wal"):  # as a kill leaves them
        shutil.copyfile(tmp_path / name, frozen / name)
    store.close()
    for name in ("afterword.db", "afterword.db-wal"):
        shutil.copyfile(frozen / name, path.with_name(name))
    assert invoke("restore", str(backup_file), "--force").exit_code == 0
    assert texts(sqlite_url) == ["before the backup"]
    aside = next(file for file in tmp_path.glob("afterword.db.before-restore-*") if file.name.endswith("Z"))
    assert texts(f"sqlite:///{aside}")[-1] == "only in the log"


def test_without_force_a_database_is_left_alone(backup_file: Path, sqlite_url: str) -> None:
    refused = invoke("restore", str(backup_file))
    assert refused.exit_code == 1
    assert "already exists, and wasn't changed. With --force" in refused.stderr
    assert texts(sqlite_url) == ["before the backup", "after the backup"]


def test_into_an_empty_place_no_force_is_needed(
    backup_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    monkeypatch.setenv("DATABASE_URL", url)
    assert invoke("restore", str(backup_file)).exit_code == 0
    assert texts(url) == ["before the backup"]


def test_not_while_a_bot_runs(backup_file: Path, sqlite_url: str) -> None:
    with lock_database(sqlite_url):
        refused = invoke("restore", str(backup_file), "--force")
    assert "Another `afterword run` uses" in refused.stderr
    assert texts(sqlite_url) == ["before the backup", "after the backup"]


def spoil(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


NOT_RESTORED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no database": (lambda file: file.write_bytes(b"no database at all" * 100), "isn't a database"),
    "another's": (
        lambda file: spoil(file, "PRAGMA writable_schema=ON", "DELETE FROM sqlite_master", "CREATE TABLE x (y)"),
        "isn't a backup of Afterword",
    ),
    "newer": (lambda file: spoil(file, "UPDATE alembic_version SET version_num = '9999'"), "newer version"),
    "damaged": (
        lambda file: file.write_bytes(file.read_bytes()[:-8192]),
        "couldn't be copied|damaged|isn't a database",
    ),
    "changed": (
        lambda file: spoil(
            file,
            "DROP TRIGGER entry_version_no_update",
            "DROP TRIGGER entry_version_unsalted",
            "UPDATE entry_version SET text = 'harmless'",
        ),
        "its history was changed. INC-1: a version of an entry",
    ),
    "gone": (lambda file: file.unlink(), "There's no file"),
}


@pytest.mark.parametrize("kind", NOT_RESTORED)
def test_what_is_no_whole_backup_is_refused_and_changes_nothing(
    kind: str, backup_file: Path, sqlite_url: str, tmp_path: Path
) -> None:
    make, sentences = NOT_RESTORED[kind]
    make(backup_file)
    refused = invoke("restore", str(backup_file), "--force")
    assert refused.exit_code == 1
    assert any(sentence in refused.stderr for sentence in sentences.split("|")), refused.stderr
    assert "Traceback" not in refused.stderr
    assert texts(sqlite_url) == ["before the backup", "after the backup"]
    assert not list(tmp_path.glob("*.before-restore-*"))
    assert [file.name for file in tmp_path.glob(".*")] == []


def test_an_older_versions_backup_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "old.db"
    unpack_database(old)
    before = old.read_bytes()
    url = f"sqlite:///{tmp_path}/afterword.db"
    monkeypatch.setenv("DATABASE_URL", url)
    done = invoke("restore", str(old))
    assert done.exit_code == 0, done.output
    assert old.read_bytes() == before
    open_store(url, timeouts=PATIENT).close()
    assert "as they were written" in invoke("doctor").stdout


def test_postgresql_has_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert "pg_restore" in invoke("restore", str(tmp_path / "x")).stderr


def test_doctor_says_that_the_history_is_whole_or_what_was_changed(backup_file: Path, sqlite_url: str) -> None:
    assert backup_file.exists()
    assert "history: All 2 rows are as they were written. Its end isn't noted outside" in invoke("doctor").stdout
    spoil(
        Path(sqlite_url.removeprefix("sqlite:///")),
        "DROP TRIGGER entry_version_no_delete",
        "DELETE FROM entry_version WHERE id = 2",
    )
    found = invoke("doctor")
    assert found.exit_code == 1
    assert "FAIL  history: It was changed without Afterword: INC-1: a version of an entry was deleted" in found.stdout


def test_doctor_on_postgresql_looks_at_the_history_too(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store: Store = open_store(postgres_url, timeouts=PATIENT)
    store.write_now(open_incident)
    store.write_now(noting("once"))
    with store.driver.engine().begin() as connection:
        connection.execute(text("ALTER TABLE entry_version DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE entry_version SET text = 'twice'"))
    store.close()
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    assert "(row 1) was changed." in invoke("doctor").stdout
