"""The one writer: everything that waits is written in one transaction, each unit in a savepoint, then each is answered.

Sixteen writers on sixteen connections fight for the file's lock; one that commits for all of them writes fifteen
times as much at a hundredth of the worst wait (docs/decisions/0003-one-writer.md).

Units of work that wait for the writer, and how those who gave them are answered.

What one unit of a transaction does by itself, and what its author is told where it was not written.
"""

import asyncio
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from bot.errors import Misconfigured, NotRecorded
from storage.database.drivers import DATABASE_ERRORS, Driver, DriverFault
from storage.database.statements import DriverConnection, Transaction

Unit = Callable[[Transaction], Any]


@dataclass(slots=True, eq=False)
class Waiting:
    """A unit, who waits for it (somebody on an event loop, or a thread where `loop` is None), and what came of it.

    `since` is the monotonic second it was given; `conflicts` counts how often another replica was in the way.
    """

    unit: Unit
    answer: "asyncio.Future[Any] | Future[Any]"
    loop: asyncio.AbstractEventLoop | None
    since: float
    conflicts: int = 0
    result: Any = None
    error: BaseException | None = None
    is_taken: bool = False
    told: bool = False

    def is_wanted(self) -> bool:
        """Whether anybody still waits. To be asked once: from then on a thread cannot withdraw."""
        self.is_taken = True  # before the look: who gives up at this moment is told "perhaps", never "not" in error
        if isinstance(self.answer, asyncio.Future):
            return not self.answer.done()
        return self.answer.set_running_or_notify_cancel()


def tell(batch: list[Waiting]) -> None:
    """Answer everybody, waking each event loop once for all who wait on it."""
    for loop in {waiting.loop for waiting in batch}:
        ones = [waiting for waiting in batch if waiting.loop is loop]
        for waiting in ones:
            waiting.told = True
        if loop is None:
            settle(ones)
        else:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to hear it
                loop.call_soon_threadsafe(settle, ones)


def settle(batch: list[Waiting]) -> None:
    """Set the futures, on the thread that owns them; whoever gave up waiting is left alone."""
    for waiting in batch:
        answer, error = waiting.answer, waiting.error
        if answer.done():
            continue
        if error is None:
            answer.set_result(waiting.result)
        elif isinstance(error, StopIteration):  # which no future takes
            answer.set_exception(RuntimeError("a unit of work raised StopIteration"))
        else:
            answer.set_exception(error)


log = logging.getLogger(__name__)


class Savepoint:
    """What a unit does by itself.

    Whatever a unit raises is its own answer and undoes nothing but the unit, unless it is an error of the database
    that no unit of the transaction can outlive: that one goes on to the writer.
    """

    __slots__ = ("_connection", "_driver", "_waiting")

    def __init__(self, connection: DriverConnection, driver: Driver, waiting: Waiting) -> None:
        self._connection = connection
        self._driver = driver
        self._waiting = waiting

    def __enter__(self) -> None:
        self._connection.execute("SAVEPOINT unit")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if error is None:
            return False
        if isinstance(error, DATABASE_ERRORS):
            if self._driver.fault(error) is not DriverFault.UNIT:
                return False
            log.error("a unit was not written: %s", type(error).__name__)
            error = not_recorded(error)
        self._connection.execute("ROLLBACK TO SAVEPOINT unit")
        self._connection.execute("RELEASE SAVEPOINT unit")
        self._waiting.error = error
        return True


def not_recorded(error: Exception) -> NotRecorded:
    """A new error for each waiter: one that is raised in several tasks would gather all their traces."""
    if isinstance(error, NotRecorded):
        return type(error)(*error.args)
    refusal = NotRecorded(f"The database did not take it ({type(error).__name__}).")
    refusal.__cause__ = error
    return refusal


MOST_AT_ONCE = 256
MOST_CONFLICTS = 3
PAUSE_SECONDS = 0.05


class PerhapsRecorded(NotRecorded):
    """It was being saved, and whether it was could not be learnt in time, as when the server goes away in that moment.

    The text must still be given back, with the advice to look before repeating it.
    """


_HINDRANCES: tuple[type[Exception], ...] = (*DATABASE_ERRORS, Misconfigured, PerhapsRecorded)


@dataclass(slots=True)
class WriterState:
    """What health and metrics may know of the writer."""

    units: int = 0
    batches: int = 0
    refused: int = 0
    last_error: str = ""


class Writer:
    """Owns the one connection that writes. `start` before use; `stop` finishes what waits."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._queue: queue.SimpleQueue[list[Waiting] | None] = queue.SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}
        self._thread = threading.Thread(target=self._work, name="afterword-writer", daemon=True)
        self._connection: DriverConnection | None = None
        self._gate = threading.Lock()
        self._accepting = False
        self.state = WriterState()

    def start(self) -> None:
        """Open the connection, so that a wrong DATABASE_URL is told at once, and begin to take units."""
        self._connection = self._driver.connect()
        self._accepting = True
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then close. Units given later are refused as not recorded."""
        with self._gate:
            if not self._accepting:
                return
            self._accepting = False
            self._queue.put(None)
        self._thread.join(timeout=10)

    def submit(self, unit: Unit) -> "Future[Any]":
        """Queue a unit from a thread; its future has the unit's result once it is on disk.

        A unit must be a pure use of its transaction: where its transaction is known not to have been committed (a
        lost connection, a conflict with another replica) it is run again.
        """
        answer: Future[Any] = Future()
        self._queue_up([Waiting(unit, answer, None, time.monotonic())])
        return answer

    @property
    def is_working(self) -> bool:
        """Whether units are taken; false after `stop`, or should the writer's thread ever break down."""
        return self._accepting

    async def write(self, unit: Unit) -> Any:
        """Queue a unit and wait for it; raises what the unit raised, or NotRecorded.

        Even where the disk stands still there is an answer in time for Slack: PerhapsRecorded for a unit that is being
        written, NotRecorded for one that waits behind it, which then never is.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        waiting = Waiting(unit, answer, loop, time.monotonic())
        self._gather(waiting, loop)
        limit = loop.call_later(self._driver.timeouts.database_answer, _give_up, waiting)
        try:
            return await answer
        finally:
            limit.cancel()

    def _gather(self, waiting: Waiting, loop: asyncio.AbstractEventLoop) -> None:
        """Hand over what one turn of the loop gives all at once.

        Waking the writer for each unit would set two threads to fight for the interpreter, statement by statement.
        """
        gathered = self._gathered.get(loop)
        if gathered is None:
            self._gathered[loop] = [waiting]
            loop.call_soon(self._hand_over, loop)
        else:
            gathered.append(waiting)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._queue_up(self._gathered.pop(loop))

    def _queue_up(self, batch: list[Waiting]) -> None:
        with self._gate:
            if self._accepting:
                self._queue.put(batch)
                return
        for waiting in batch:
            waiting.error = NotRecorded("The database is closed.")
        settle(batch)

    def _work(self) -> None:
        batch: list[Waiting] = []
        closing = False
        try:
            while not closing:
                batch, closing = self._take()
                self._write([waiting for waiting in batch if waiting.is_wanted()])
        finally:
            self._end(batch)

    def _end(self, last: list[Waiting]) -> None:
        """Nobody waits for ever, even where the thread ends by a mistake of its own."""
        with self._gate:
            self._accepting = False
        untold = [waiting for waiting in last if not waiting.told and not waiting.answer.cancelled()]
        self._refuse(untold, PerhapsRecorded("The writer broke down. Look whether it is there before you repeat it."))
        while left := self._drain():
            wanted = [waiting for batch in left if batch is not None for waiting in batch if waiting.is_wanted()]
            self._refuse(wanted, NotRecorded("The database is closed."))
        self._drop()

    def _take(self) -> tuple[list[Waiting], bool]:
        """Everything that waits now, at least one; and whether the end was asked for."""
        found = [self._queue.get(), *self._drain()]
        return [waiting for batch in found if batch is not None for waiting in batch], None in found

    def _drain(self) -> list[list[Waiting] | None]:
        return [self._queue.get_nowait() for _ in range(min(self._queue.qsize(), MOST_AT_ONCE))]

    def _write(self, batch: list[Waiting]) -> None:
        """Write a batch. Where another replica was in the way its units are run again one by one, each in its turn."""
        todo = deque([batch])
        while todo:
            part = self._in_time(todo.popleft())
            error = self._attempt(part) if part else None
            if error is None:
                tell(part)
                continue
            fault = self._driver.fault(error)
            if fault is DriverFault.CONFLICT and part[0].conflicts < MOST_CONFLICTS:
                for waiting in part:
                    waiting.conflicts += 1
                    todo.append([waiting])
            elif fault in (DriverFault.BUSY, DriverFault.LOST):
                time.sleep(PAUSE_SECONDS)
                todo.appendleft(part)
            else:
                self._refuse(part, error)

    def _in_time(self, batch: list[Waiting]) -> list[Waiting]:
        """What has not waited too long. The rest is refused unwritten: nobody has been told anything yet."""
        earliest = time.monotonic() - self._driver.timeouts.database_wait
        late = [waiting for waiting in batch if waiting.since < earliest]
        if not late:
            return batch
        self._refuse(late, NotRecorded("The database was busy for too long."))
        return [waiting for waiting in batch if waiting.since >= earliest]

    def _attempt(self, batch: list[Waiting]) -> Exception | None:
        """Write a batch in one transaction; what kept it from being written, or None."""
        for waiting in batch:
            waiting.result = waiting.error = None
        try:
            self._transact(batch)
        except _HINDRANCES as error:
            self._clean_up(error)
            return error
        self.state.units += len(batch)
        self.state.batches += 1
        return None

    def _transact(self, batch: list[Waiting]) -> None:
        connection = self._connected()
        ticket = self._driver.begin(connection)
        transaction = Transaction(connection, self._driver.dialect)
        for waiting in batch:
            with Savepoint(connection, self._driver, waiting):
                waiting.result = waiting.unit(transaction)
                connection.execute("RELEASE SAVEPOINT unit")
        try:
            connection.execute("COMMIT")
        except DATABASE_ERRORS as error:
            if ticket is None or self._driver.fault(error) is not DriverFault.LOST or not self._was_committed(ticket):
                raise

    def _was_committed(self, ticket: str) -> bool:
        """Ask a new connection what became of a commit that got no answer, rather than guess."""
        until = time.monotonic() + self._driver.timeouts.database_wait
        while time.monotonic() < until:
            self._drop()
            with suppress(*DATABASE_ERRORS):
                known = self._driver.was_committed(self._connected(), ticket)
                if known is not None:
                    return known
            time.sleep(PAUSE_SECONDS)
        raise PerhapsRecorded("The database went away while it saved. Look whether it is there before you repeat it.")

    def _connected(self) -> DriverConnection:
        if self._connection is None:
            self._connection = self._driver.connect()
        return self._connection

    def _clean_up(self, error: Exception) -> None:
        if self._connection is None:
            return
        if self._driver.fault(error) is DriverFault.LOST:
            self._drop()
            return
        try:
            if self._driver.in_transaction(self._connection):
                self._connection.execute("ROLLBACK")
        except DATABASE_ERRORS:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*DATABASE_ERRORS):
                connection.close()

    def _refuse(self, batch: list[Waiting], error: Exception) -> None:
        if not batch:
            return
        log.error("nothing of a batch of %d was written: %s", len(batch), type(error).__name__)
        self.state.refused += len(batch)
        self.state.last_error = type(error).__name__
        for waiting in batch:
            waiting.error = not_recorded(error)
        tell(batch)


def _give_up(waiting: Waiting) -> None:
    if waiting.answer.done():
        return
    if waiting.is_taken:
        waiting.answer.set_exception(PerhapsRecorded("The database is slow to save. Look whether it is there first."))
    else:
        waiting.answer.set_exception(NotRecorded("The database was busy for too long."))
