"""Copying a database that is in use. Copying the file itself would leave out what still stands in its -wal file."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from bot.errors import Misconfigured, Refused
from storage.drivers import SqliteDriver, driver_for


def backup(database_url: str, target: Path) -> None:
    """Copy the database as it stands now into a new file, readable by its owner only, while the bot goes on writing.

    The file appears when it is whole, checked and on disk. Raises Refused where there is a file already or the copy
    cannot be made, and Misconfigured for a database that is copied with other means.
    """
    driver = driver_for(database_url)
    if not isinstance(driver, SqliteDriver):
        msg = "A PostgreSQL database is backed up with pg_dump: pg_dump --format=custom --file=FILE, with DATABASE_URL."
        raise Misconfigured(msg)
    if not driver.path.exists():
        msg = f"There is no database at {driver.path}. Check DATABASE_URL."
        raise Misconfigured(msg)
    if target.exists():
        raise _there_already(target)
    driver.protect()
    copy_database(driver.path, target)


def copy_database(source: Path, target: Path, *, replacing: bool = False) -> None:
    """Copy one SQLite database, whole or not at all; raises Refused with a sentence."""
    part = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _copy(source, part)
        if not replacing:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))  # fails where another was quicker
        part.replace(target)
        _sync(target.parent)
    except FileExistsError as error:
        raise _there_already(target) from error
    except (OSError, sqlite3.Error) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else error
        msg = f"{source} could not be copied to {target}: {cause}."
        raise Refused(msg) from error
    finally:
        part.unlink(missing_ok=True)


def _copy(source: Path, part: Path) -> None:
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(part, isolation_level=None)) as copy:
        original.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE").close()  # one file, with nothing beside it to forget
        found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        msg = f"{source} is damaged ({found}): the copy was thrown away. Keep the backups you have."
        raise Refused(msg)
    _sync(part)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _there_already(target: Path) -> Refused:
    return Refused(f"{target} exists already and was left as it is. Name another file.")
