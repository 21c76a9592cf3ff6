"""The lock of a SQLite database: held by the process that writes it, and by one that replaces it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import Misconfigured
from storage.database.drivers import SqliteDriver, driver_for


@contextmanager
def lock_database(database_url: str) -> Iterator[None]:
    """Lock the SQLite file: two processes on it would each act as its only writer. No lock on PostgreSQL."""
    driver = driver_for(database_url)
    if not isinstance(driver, SqliteDriver):
        yield
        return
    # The system drops this lock when the process ends, however it ends: no stale file keeps the next run out.
    path = Path(f"{driver.path}.lock-file")
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise Misconfigured(
            f"{path.parent} can't be written ({error.strerror}). Give the bot's user write permission."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Misconfigured(
            f"Another `afterword run` uses {driver.path}. Stop it first, or use another DATABASE_URL."
        ) from error
    else:
        yield
    finally:
        os.close(descriptor)
