"""The store: one database, opened once and migrated by Alembic, with its one writer and a few readers."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import TypeVar

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from bot.errors import DatabaseGone, Misconfigured, Refused
from bot.timeouts import Timeouts
from storage.database.drivers import Driver, DriverFault, SqliteDriver, copy_database, database_errors, driver_for
from storage.database.foresight import Foresee
from storage.database.statements import DriverConnection, Look, Transaction
from storage.database.writer import GONE, Writer

T = TypeVar("T")

READERS = 4
"""Threads that read, each with its connection."""

ADVISORY_LOCK = 7_206_114_002
"""Any constant does, if every replica asks for the same."""

_MIGRATION = re.compile(r"v\d{4}_\w+\.py")

OPENING_SECONDS = 10.0
"""Other processes may be opening the same new file, and no person waits for an answer yet."""


def upgrade(driver: Driver) -> None:
    """Apply the migrations that are missing, all or none. A file that holds data is first copied next to itself.

    Raises Misconfigured if the database cannot be opened, is damaged, or was written by a newer version.
    """
    if isinstance(driver, SqliteDriver):
        # Opened once without Alembic, because this waits for other processes and explains what is wrong with the
        # file.
        driver.connect(within=OPENING_SECONDS).close()
    with _connect(driver) as connection:
        # Looked at without a lock first: nearly every start finds nothing to do, and must not wait for a writer.
        if _revision(connection) == _known_revisions()[0]:
            return
    with _connect(driver, writing=True) as connection:
        # One migrator at a time: on PostgreSQL by a lock that ends with the transaction, on SQLite by BEGIN IMMEDIATE.
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        before = _revision(connection)  # read again: another migrator may have finished meanwhile
        _refuse_unknown(before)
        if isinstance(driver, SqliteDriver) and before not in (None, _known_revisions()[0]):
            _copy_aside(driver, str(before))
        from storage.database import migrator  # noqa: PLC0415 (few starts find a migration that is missing)

        migrator.upgrade(connection)
        connection.commit()


def check(driver: Driver) -> None:
    """Raise Misconfigured unless the schema is this version's and, on SQLite, the file is undamaged."""
    with _connect(driver) as connection:
        revision = _revision(connection)
        _refuse_unknown(revision)
        if revision != _known_revisions()[0]:
            raise Misconfigured(
                "The database's schema is older than this version. Run `afterword migrate`, then start again."
            )
        if isinstance(driver, SqliteDriver):
            # Not integrity_check, which also compares every index with its table: too slow for every start.
            damage = connection.execute(text("PRAGMA quick_check(1)")).scalar_one()
            if damage != "ok":
                raise _damage_error(driver, damage)


@contextmanager
def _connect(driver: Driver, *, writing: bool = False) -> Iterator[Connection]:
    """A connection whose errors become Misconfigured."""
    engine = driver.engine(writing=writing)
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        if isinstance(driver, SqliteDriver) and getattr(error.orig, "sqlite_errorname", "") == "SQLITE_CORRUPT":
            raise _damage_error(driver, str(error.orig)) from error
        wanted = "brought up to date" if writing else "read"
        raise Misconfigured(
            f"The database can't be {wanted} ({type(error.orig).__name__}). Check DATABASE_URL and the server."
        ) from error
    finally:
        engine.dispose()


def _damage_error(driver: SqliteDriver, damage: str) -> Misconfigured:
    return Misconfigured(
        f"{driver.path} is damaged ({damage}). Replace it with your last `afterword backup`, and keep this file."
    )


@cache
def _known_revisions() -> tuple[str, ...]:
    """The revisions of this version, the newest first: the names of its migrations begin with them."""
    names = (path.name for path in files("storage.migrations.versions").iterdir())
    return tuple(sorted((name[1:5] for name in names if _MIGRATION.fullmatch(name)), reverse=True))


def read_revision(driver: Driver) -> str | None:
    """The schema that a database has; None if it has none of ours."""
    with _connect(driver) as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    """The revision that Alembic noted in the database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _refuse_unknown(revision: str | None) -> None:
    if revision is not None and revision not in _known_revisions():
        raise Misconfigured(
            f"The database was written by a newer version (schema {revision}). Install that version or a later one."
        )


def _copy_aside(driver: SqliteDriver, revision: str) -> None:
    # An older version cannot read the migrated file; with the copy one can go back to it.
    try:
        aside = driver.path.with_name(f"{driver.path.name}.before-{revision}")
        copy_database(driver.path, aside, replacing=True)
    except Refused as error:
        raise Misconfigured(str(error)) from error


class Store:
    """Reads and writes in transactions. A unit writes and a look reads; both get the Transaction that storage takes."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.timeouts = driver.timeouts
        """Those of the whole process (see `Timeouts`)."""
        self.writer = Writer(driver)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="afterword-reader")
        # A connection per thread, because a transaction belongs to its connection, and each look needs its own.
        self._local = threading.local()
        self._reading: list[DriverConnection] = []
        self.writer.start()

    async def write(self, unit: Callable[[Transaction], T], foresee: Foresee | None = None) -> T:
        """Run a unit in the writer. Returns once it is on disk; raises what the unit raised, or NotRecorded.

        `foresee` makes the statements that the unit is known to begin with.
        """
        result: T = await self.writer.write(unit, foresee)
        return result

    def write_now(self, unit: Callable[[Transaction], T]) -> T:
        """`write` from a thread without an event loop, such as the command line's."""
        result: T = self.writer.submit(unit).result()
        return result

    async def read(self, look: Callable[[Transaction], T]) -> T:
        """Run a look in a thread. It sees one state of the database, with every write that was answered before."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, look)

    def read_now(self, look: Callable[[Transaction], T]) -> T:
        """`read` in the calling thread."""
        try:
            return self._look(look)
        except database_errors() as error:
            if not self.is_whole():
                raise DatabaseGone(GONE) from error
            # Reading has no effect, so it is repeated without a doubt. Once: a server that is down stays down longer.
            if self.driver.fault(error) is not DriverFault.LOST:
                raise
            self._drop_connection()
            return self._look(look)

    def _look(self, look: Callable[[Transaction], T]) -> T:
        connection = self._connection()
        connection.execute("BEGIN")  # several statements, one state
        try:
            return look(Look(connection, self.driver.dialect))
        finally:
            self._end_look(connection)

    def _end_look(self, connection: DriverConnection) -> None:
        # PostgreSQL keeps no old rows alive for a reader that has rolled back; an idle transaction would hold them.
        if not self.driver.in_transaction(connection):
            return
        try:
            connection.execute("ROLLBACK")
        except database_errors():
            # What was read is right, but a connection stuck in its transaction would fail every later look of this
            # thread.
            self._drop_connection()

    def _connection(self) -> DriverConnection:
        connection: DriverConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            self.writer.require_file()
            connection = self._local.connection = self.driver.connect(reading=True)
            self._reading.append(connection)
        return connection

    def _drop_connection(self) -> None:
        connection: DriverConnection | None = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            self._reading.remove(connection)
            connection.close()

    @property
    def is_shared(self) -> bool:
        """Whether several processes may write to the database: SQLite's file belongs to one."""
        return not isinstance(self.driver, SqliteDriver)

    def is_whole(self) -> bool:
        """Whether the files written to are still those at their paths (see `Writer.has_files`)."""
        return self.writer.has_files()

    def close(self) -> None:
        """Finish what waits and close every connection."""
        self.writer.stop()
        self._readers.shutdown()
        for connection in self._reading:
            connection.close()


def open_store(database_url: str, *, migrating: bool | None = None, timeouts: Timeouts = Timeouts()) -> Store:
    """Open the database that the URL names.

    SQLite is migrated on opening, PostgreSQL only if `migrating` is true (`afterword migrate`). Raises Misconfigured if
    the database cannot be opened or has another schema.
    """
    driver = driver_for(database_url, timeouts)
    if migrating is None:
        # Replicas start together: while one of them migrates, older ones still run on the schema before.
        migrating = isinstance(driver, SqliteDriver)
    if migrating:
        upgrade(driver)
    check(driver)
    return Store(driver)
