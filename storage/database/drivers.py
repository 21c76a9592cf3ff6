"""The two databases: opening one, beginning a transaction, what errors mean, and copying a file that is in use."""

import hashlib
import os
import sqlite3
import stat
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from enum import Enum, auto
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from bot.errors import Misconfigured, Refused
from bot.timeouts import Timeouts
from storage.database.statements import DriverConnection, wait_for_nothing


def database_errors() -> tuple[type[Exception], ...]:
    """What the drivers raise: psycopg's errors only where it was loaded, for a PostgreSQL database."""
    loaded = sys.modules.get("psycopg")
    return (sqlite3.Error, loaded.Error) if loaded else (sqlite3.Error,)


class DriverFault(Enum):
    """What an error of the database means for the transaction in which it was raised."""

    UNIT = auto()
    """Only this unit cannot be written; the transaction can go on without it."""
    SOME_UNIT = auto()
    """One of the units cannot be written, and the transaction cannot go on: the others can be run again at once."""
    CONFLICT = auto()
    """Another replica was in the way: the same units can be run again at once."""
    BUSY = auto()
    """Another process has locked the database: try again in a moment."""
    LOST = auto()
    """The connection is gone: try again in a moment, over another one."""
    WHOLE = auto()
    """Nothing of this transaction can be written, for example because the disk is full."""


class Driver(Protocol):
    """One kind of database."""

    url: URL
    dialect: Dialect
    timeouts: Timeouts
    is_remote: bool
    """Whether to wait for an answer takes long enough that statements should be sent ahead."""

    def connect(self, *, reading: bool = False) -> DriverConnection:
        """A new connection that commits only at COMMIT. Raises Misconfigured or the driver's own error."""
        ...

    def engine(self, *, writing: bool = False) -> Engine:
        """An engine for Alembic and for looking at the schema."""
        ...

    def pipeline(self, connection: DriverConnection) -> AbstractContextManager[Callable[[], None]]:
        """In it, statements are sent without waiting for the answers to those before. Gives what waits for them all.

        Leaving it waits too. On SQLite every statement is answered as it is executed.
        """
        ...

    def begin(self, connection: DriverConnection) -> Callable[[], str] | None:
        """Begin to write. Returns what gives the ticket for `was_committed`; None if this database needs none."""
        ...

    def was_committed(self, connection: DriverConnection, ticket: str) -> bool | None:
        """Whether a transaction whose commit got no answer was committed; None while the server does not know."""
        ...

    def in_transaction(self, connection: DriverConnection) -> bool:
        """Whether there is something to roll back."""
        ...

    def fault(self, error: Exception) -> DriverFault:
        """What an error of `DATABASE_ERRORS` means. Any other error counts as UNIT or WHOLE."""
        ...

    def describe(self, error: Exception) -> str:
        """An error as a sentence for the operator: the cause, then the remedy. It quotes nothing that was stored."""
        ...

    def identify(self) -> tuple[tuple[int, int], ...]:
        """The files that are written to, so that one which was removed or replaced is noticed. Costs microseconds."""
        ...


class SqliteDriver:
    """One file in WAL mode, readable by its owner only."""

    is_remote = False

    def __init__(self, url: URL, timeouts: Timeouts = Timeouts()) -> None:
        if not url.database or url.database == ":memory:":
            raise Misconfigured(
                "DATABASE_URL must name a file, such as sqlite:///afterword.db. A database in memory is lost."
            )
        self.url = url
        self.timeouts = timeouts
        self.dialect: Dialect = pysqlite.dialect()
        self.path = Path(url.database).absolute()

    def connect(self, *, reading: bool = False, within: float | None = None) -> DriverConnection:
        """A connection, once no other process locks the whole file, as one does that opens or closes it.

        Waits `within` so many seconds, or for the time of two attempts at a lock.
        """
        ends = time.monotonic() + (2 * self.timeouts.database_lock if within is None else within)
        while True:
            try:
                return self._open(reading=reading)
            except sqlite3.DatabaseError as error:
                if self.fault(error) is not DriverFault.BUSY or time.monotonic() > ends:
                    raise self._no_database(error) from error
            # SQLite's busy timeout does not cover the moment in which another process sets a new file to WAL mode, or
            # recovers one.
            time.sleep(0.02)

    def _open(self, *, reading: bool) -> DriverConnection:
        self._create()
        connection = sqlite3.connect(
            self.path,
            timeout=self.timeouts.database_lock,
            isolation_level=None,  # no transactions behind our back: the writer begins and commits
            check_same_thread=False,  # opened by the thread that starts the store, used and closed by others
            cached_statements=256,
        )
        try:
            # A new file is empty, which SQLite takes for a new database.
            if self.path.stat().st_size > 0:
                # Fails if the file is no database, before anything in it or its mode is changed.
                connection.execute("PRAGMA schema_version").close()
            self.protect()
            _prepare(connection, reading=reading)
            add_functions(connection)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def _no_database(self, error: sqlite3.DatabaseError) -> Misconfigured:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB":
            return Misconfigured(
                f"{self.path} isn't a database, and wasn't changed. Name another file in DATABASE_URL."
            )
        return Misconfigured(
            f"{self.path} can't be opened as a database ({error}). Name another file, or restore a backup."
        )

    def _create(self) -> None:
        """Create the file for its owner only, before SQLite does: the -wal and -shm files take over its mode."""
        try:
            is_there = self.path.parent.is_dir()
        except OSError as error:  # a folder on the way may not be entered
            raise self._not_writable(error) from error
        if not is_there:
            raise Misconfigured(f"DATABASE_URL points into {self.path.parent}, which isn't a folder. Create it first.")
        # O_EXCL, so that an existing file is never opened here. Closing it would drop all POSIX locks that this process
        # holds on it (https://www.sqlite.org/howtocorrupt.html, 2.2), and another process that closes the database then
        # takes itself for the last one and removes the -wal file.
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            return
        except OSError as error:
            raise self._not_writable(error) from error

    def protect(self) -> None:
        """Make the file, and those that SQLite keeps next to it, readable and writable by their owner only."""
        for path in (self.path, *(self.path.with_name(self.path.name + suffix) for suffix in ("-wal", "-shm"))):
            try:
                if stat.S_IMODE(path.stat().st_mode) & 0o077:
                    path.chmod(0o600)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise self._not_writable(error) from error

    def _not_writable(self, error: OSError) -> Misconfigured:
        return Misconfigured(f"{self.path} can't be written ({error.strerror}). Give the bot's user write permission.")

    def engine(self, *, writing: bool = False) -> Engine:
        # Python's sqlite3 begins no transaction before CREATE or ALTER, so a migration that fails half-way would leave
        # half of its tables. The engine therefore begins explicitly (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html).
        engine = create_engine(self.url, poolclass=NullPool, hide_parameters=True)

        @event.listens_for(engine, "connect")
        def _disable_implicit_begin(connection: Any, _record: Any) -> None:
            connection.isolation_level = None
            add_functions(connection)

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

        return engine

    def pipeline(self, connection: DriverConnection) -> AbstractContextManager[Callable[[], None]]:
        del connection
        return nullcontext(wait_for_nothing)

    def begin(self, connection: DriverConnection) -> None:
        # A plain BEGIN takes the lock at the first write; if a process has written since the first read, that fails at
        # once with SQLITE_BUSY, without waiting.
        connection.execute("BEGIN IMMEDIATE")

    def was_committed(self, connection: DriverConnection, ticket: str) -> bool | None:
        return None  # a commit to a file always gets its answer, so `begin` returns no ticket

    def in_transaction(self, connection: DriverConnection) -> bool:
        return bool(getattr(connection, "in_transaction", False))

    def fault(self, error: Exception) -> DriverFault:
        name = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return DriverFault.BUSY
        of_unit = ("SQLITE_ERROR", "SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "SQLITE_RANGE")
        return DriverFault.UNIT if name.startswith(of_unit) else DriverFault.WHOLE

    def describe(self, error: Exception) -> str:
        name = getattr(error, "sqlite_errorname", "")
        found = next((sentence for start, sentence in _SQLITE_CAUSES.items() if name.startswith(start)), "")
        return found.format(name=name) or describe_other(error)

    def identify(self) -> tuple[tuple[int, int], ...]:
        # The -wal file, too: what was committed since the last checkpoint is only there.
        return tuple(_identify(path) for path in (self.path, self.path.with_name(f"{self.path.name}-wal")))


_SQLITE_CAUSES = {
    "SQLITE_FULL": "The database's disk is full. Free some space on it.",
    "SQLITE_READONLY": "The database is read-only. Make its file and folder writable for the bot's user.",
    "SQLITE_IOERR": "The database's disk reports an error ({name}). It may be full, over its quota, or failing.",
    "SQLITE_CORRUPT": "The database is damaged. Replace it with your last `afterword backup`, and keep this file.",
    "SQLITE_CANTOPEN": "The database can't be opened. Check its folder and the permissions of the bot's user.",
    "SQLITE_BUSY": "Another process locks the database. End it, or wait until it's done.",
}
"""By how SQLite's name of an error begins: the cause and the remedy."""


def describe_other(error: Exception) -> str:
    """An error whose cause is not known, without its message, which may quote a row."""
    return f"The database didn't take it ({type(error).__name__})."


def _identify(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:  # removed, or its folder is no longer mounted or readable
        return 0, 0
    return found.st_dev, found.st_ino


def _prepare(connection: sqlite3.Connection, *, reading: bool) -> None:
    for pragma in (
        "journal_mode=WAL",  # readers do not wait for the writer, nor it for them
        "synchronous=FULL",  # a commit is on disk before it is answered; NORMAL would lose the last ones in a power cut
        "temp_store=MEMORY",  # savepoints of a large batch else go through a temporary file on the disk
        "foreign_keys=ON",  # SQLite's default is off, for each connection
        "secure_delete=ON",  # a redacted credential is overwritten with zeros, not only unlinked
        "journal_size_limit=67108864",  # the -wal file shrinks to 64 MB again after a large write
        f"query_only={'ON' if reading else 'OFF'}",  # a reader that writes by mistake fails, as on PostgreSQL
    ):
        connection.execute(f"PRAGMA {pragma}").close()


SALT_BYTES = 16
"""A row's salt, so that the hash of a short text cannot be guessed once the text is redacted."""

SEAL_BYTES = 32


def make_proof(before: bytes | None, content: str) -> bytes:
    """The proof of a history row (see `ChainRow`): a new salt, the seal of its content, and the link to the row before.

    PostgreSQL has the same as a function of its own, `chain_append`.
    """
    salt = os.urandom(SALT_BYTES)
    seal = hashlib.sha256(salt + content.encode()).digest()
    return salt + seal + hashlib.sha256((before or b"")[-SEAL_BYTES:] + seal).digest()


def add_functions(connection: sqlite3.Connection) -> None:
    """Add what the triggers of the history call; SQLite itself has no hash."""
    connection.create_function("afterword_proof", 2, make_proof)
    connection.create_function("afterword_erase", 1, lambda proof: bytes(SALT_BYTES) + proof[SALT_BYTES:])


def driver_for(database_url: str, timeouts: Timeouts = Timeouts()) -> Driver:
    """The driver that a DATABASE_URL names; raises Misconfigured for anything but sqlite and postgresql."""
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise Misconfigured(
            "DATABASE_URL isn't an address. It must be sqlite:///FILE or postgresql://USER@HOST/NAME."
        ) from error
    kind = url.drivername.partition("+")[0]
    if kind == "sqlite":
        return SqliteDriver(url, timeouts)
    if kind in ("postgresql", "postgres"):
        from storage.database.postgres import PostgresDriver  # noqa: PLC0415 (psycopg takes 60 ms and 12 MB)

        return PostgresDriver(url, timeouts)
    raise Misconfigured(f"DATABASE_URL begins with {kind!r}: it must be sqlite:///FILE or postgresql://USER@HOST/NAME.")


def backup(database_url: str, target: Path) -> None:
    """Copy the database into a new file, readable by its owner only, while the bot goes on writing.

    The file appears once it is complete, checked and on disk. Raises Refused if the file exists or the copy cannot be
    made, and Misconfigured for PostgreSQL or if there is no database.
    """
    driver = driver_for(database_url)
    if not isinstance(driver, SqliteDriver):
        raise Misconfigured(
            "A PostgreSQL database is backed up with pg_dump: pg_dump --format=custom --file=FILE, with DATABASE_URL."
        )
    if not driver.path.exists():
        raise Misconfigured(f"There's no database at {driver.path}. Check DATABASE_URL.")
    if target.exists():
        raise _already_exists(target)
    driver.protect()
    copy_database(driver.path, target)


def copy_database(source: Path, target: Path, *, replacing: bool = False) -> None:
    """Copy one SQLite database, completely or not at all. Raises Refused."""
    # Into a hidden file that is renamed last: a crash leaves no half of a backup that looks like a whole one.
    part = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _copy(source, part)
        if not replacing:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))  # fails if another process was faster
        part.replace(target)
        _sync(target.parent)  # a rename is on disk once its folder is
    except FileExistsError as error:
        raise _already_exists(target) from error
    except (OSError, sqlite3.Error) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise Refused(f"{source} couldn't be copied to {target}: {cause}.") from error
    finally:
        part.unlink(missing_ok=True)


def _copy(source: Path, part: Path) -> None:
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(part, isolation_level=None)) as copy:
        original.backup(copy)  # to copy the file itself would leave out what is still in its -wal file
        copy.execute("PRAGMA journal_mode=DELETE").close()  # one file: there is no -wal file to forget
        damage = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if damage != "ok":
        raise Refused(f"{source} is damaged ({damage}): so the copy was deleted. Keep the backups you have.")
    _sync(part)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _already_exists(target: Path) -> Refused:
    return Refused(f"{target} already exists, and wasn't changed. Name another file.")
