"""The store: one database, opened once, with its one writer and a few readers."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from storage import migrate
from storage.drivers import DATABASE_ERRORS, Driver, Fault, SqliteDriver, driver_for
from storage.statements import DriverConnection, Look, Transaction
from storage.writer import Writer

T = TypeVar("T")

READERS = 4


class Store:
    """Reads and writes in transactions. Functions of storage take the Transaction that these hand out."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.writer = Writer(driver)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="afterword-reader")
        self._local = threading.local()
        self._reading: list[DriverConnection] = []
        self._inode = _inode(driver)
        self.writer.start()

    async def write(self, unit: Callable[[Transaction], T]) -> T:
        """Run a unit in the writer; returns once it is on disk. Raises what it raised, or NotRecorded."""
        result: T = await self.writer.write(unit)
        return result

    def write_now(self, unit: Callable[[Transaction], T]) -> T:
        """The same from a thread without a loop, such as the command line's."""
        result: T = self.writer.submit(unit).result()
        return result

    async def read(self, look: Callable[[Transaction], T]) -> T:
        """Look at one consistent state of the database, off the loop; it sees every write answered before."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, look)

    def read_now(self, look: Callable[[Transaction], T]) -> T:
        """The same in the calling thread."""
        try:
            return self._look(look)
        except DATABASE_ERRORS as error:
            if self.driver.fault(error) is not Fault.LOST:
                raise
            self._forget()
            return self._look(look)

    def _look(self, look: Callable[[Transaction], T]) -> T:
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            return look(Look(connection, self.driver.dialect))
        finally:
            if self.driver.in_transaction(connection):
                connection.execute("ROLLBACK")

    def _connection(self) -> DriverConnection:
        connection: DriverConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self.driver.connect(reading=True)
            self._reading.append(connection)
        return connection

    def _forget(self) -> None:
        connection: DriverConnection | None = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            self._reading.remove(connection)
            connection.close()

    def is_whole(self) -> bool:
        """Whether the file written to is still the one at its path: SQLite goes on saying OK after a removal."""
        return _inode(self.driver) == self._inode

    def close(self) -> None:
        """Finish what waits and let go of every connection."""
        self.writer.stop()
        self._readers.shutdown()
        for connection in self._reading:
            connection.close()


def open_store(database_url: str, *, migrating: bool | None = None) -> Store:
    """Open the database that the URL names.

    SQLite is migrated on opening; PostgreSQL only when `migrating` is true (`afterword migrate`), for replicas
    must not race. Raises Misconfigured with a sentence where it cannot be opened or its schema does not fit.
    """
    driver = driver_for(database_url)
    if migrating is None:
        migrating = isinstance(driver, SqliteDriver)
    if migrating:
        migrate.upgrade(driver)
    migrate.check(driver)
    return Store(driver)


def _inode(driver: Driver) -> int:
    path: Path | None = getattr(driver, "path", None)
    try:
        return path.stat().st_ino if path is not None else 0
    except FileNotFoundError:
        return 0
