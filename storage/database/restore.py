"""A backup put back in the place of a SQLite database, once it has proved to be one."""

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from bot.errors import Misconfigured, Refused
from bot.timeouts import Timeouts
from storage.database.drivers import SqliteDriver, copy_database, driver_for
from storage.database.store import open_store, read_revision
from storage.history import chain as chain_store

_SIDES = ("", "-wal", "-shm")
"""A SQLite database is up to three files; the last two belong to the first and to no other."""

_ON_POSTGRESQL = (
    "`afterword restore` is for SQLite. A PostgreSQL database is restored with pg_restore: stop every replica, then "
    "`pg_restore --clean --if-exists --single-transaction --dbname=DATABASE_URL FILE`."
)


@dataclass(frozen=True, slots=True)
class RestoredDatabase:
    """What was put back: counts of what is in it, and where the database before is now, if there was one."""

    incidents: int
    entries: int
    aside: Path | None


def restore(database_url: str, file: Path, now: datetime, *, notes: Path | None, is_forced: bool) -> RestoredDatabase:
    """Put a backup in the place of the database, in this version's schema. The caller holds the database's lock.

    The backup is only read. Raises Refused if it is damaged, is no database of ours or if its history was changed, and
    if there is a database already, unless it `is_forced`: then that one is kept beside the new one, with the `notes`
    about its chain. Raises Misconfigured for a newer schema and for PostgreSQL.
    """
    driver = driver_for(database_url)
    if not isinstance(driver, SqliteDriver):
        raise Misconfigured(_ON_POSTGRESQL)
    target = driver.path
    if not file.is_file():
        raise Refused(f"There's no file {file}. Name a file that `afterword backup` wrote.")
    if target.exists() and file.samefile(target):
        raise Refused(f"{file} is the database itself. Name a file that `afterword backup` wrote.")
    if target.exists() and not is_forced:
        raise Refused(
            f"{target} already exists, and wasn't changed. With --force the backup replaces it, and the old one "
            "is kept next to it."
        )
    part = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        incidents, entries = _prepare(file, part, driver.timeouts)
        aside = _put_aside(target, notes, now) if target.exists() else None
        part.replace(target)
        return RestoredDatabase(incidents, entries, aside)
    except OSError as error:
        raise Refused(f"{file} couldn't be put in the place of {target}: {error.strerror}.") from error
    finally:
        for path in part.parent.glob(f"{part.name}*"):
            path.unlink(missing_ok=True)


def _prepare(file: Path, part: Path, timeouts: Timeouts) -> tuple[int, int]:
    """Copy the backup, check the copy and bring it to this version's schema. Returns its incidents and entries."""
    _require_ours(file)
    copy_database(file, part)
    url = f"sqlite:///{part}"
    is_chained = (read_revision(driver_for(url, timeouts)) or "") >= "0020"
    store = open_store(url, timeouts=timeouts)
    try:
        report = chain_store.verify(store)
        if report.faults and is_chained:
            more = f" And {report.more} more." if report.more else ""
            raise Refused(f"{file} wasn't restored, as its history was changed. {' '.join(report.faults)}{more}")
        return store.read_now(chain_store.count_records)
    finally:
        store.close()
        with suppress(sqlite3.Error), closing(sqlite3.connect(part)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE").close()  # one file, that one rename puts in its place


def _require_ours(file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise Refused(f"{file} isn't a database, and wasn't restored ({error}).") from error
    if not {"alembic_version", "incident", "entry_version"} <= tables:
        raise Refused(f"{file} isn't a backup of Afterword: it doesn't have its tables.")


def _put_aside(target: Path, notes: Path | None, now: datetime) -> Path:
    """Keep the database that is there under another name, as it is, damage included. Returns its new path."""
    ending = f".before-restore-{now:%Y%m%dT%H%M%SZ}"
    aside = target.with_name(target.name + ending)
    if aside.exists():
        raise Refused(f"{aside} already exists. Try again in a second.")
    # Linked first and renamed last, so that at every moment there is a database in its place.
    os.link(target, aside)
    for side in _SIDES[1:]:
        # A log left behind would be taken for the new database's own.
        with suppress(FileNotFoundError):
            target.with_name(target.name + side).rename(aside.with_name(aside.name + side))
    if notes is not None:
        with suppress(FileNotFoundError):
            notes.rename(notes.with_name(notes.name + ending))
    return aside
