"""The one writer. All waiting units run in one transaction, each in a savepoint; each is answered after the commit.

Sixteen writers with a connection each compete for the file's lock. One that commits for all of them writes fifteen
times as much, and its worst wait is a hundredth (docs/decisions/0003-one-writer.md).
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
from itertools import groupby
from types import TracebackType
from typing import Any, Self

from bot.errors import DatabaseGone, Misconfigured, NotRecorded, PerhapsRecorded
from storage.database.drivers import Driver, DriverFault, database_errors
from storage.database.foresight import Foresee, ForeseenTransaction
from storage.database.statements import DriverConnection, Transaction

log = logging.getLogger(__name__)

Unit = Callable[[Transaction], Any]

MOST_AT_ONCE = 256
"""Hand-overs that one transaction takes: its first unit is answered only after its last one."""

MOST_CONFLICTS = 3
"""How often a unit is run again after a conflict. Each attempt may wait `Timeouts.database_lock` for a row, so after
these the time for an answer is used up."""

GONE = (
    "The database file was removed or replaced while the bot ran. Put it back, or your last `afterword backup`, and "
    "start the bot again."
)

PAUSE_SECONDS = 0.05
"""Before a busy or lost database is tried again."""


def _transaction_errors() -> tuple[type[Exception], ...]:
    """What ends the whole transaction and is handled. Any other is a mistake in this module: it ends the thread."""
    return (*database_errors(), DatabaseGone, Misconfigured, PerhapsRecorded)


@dataclass(slots=True, eq=False)
class PendingUnit:
    """A unit, its outcome, and the future that gets it. The future belongs to `loop`, or to a thread if that is None.

    `foresee` makes the statements that the unit is known to begin with. `since` is the monotonic time at which the unit
    was submitted; `conflicts` counts how often another replica was in the way.
    """

    unit: Unit
    foresee: Foresee | None
    answer: "asyncio.Future[Any] | Future[Any]"
    loop: asyncio.AbstractEventLoop | None
    since: float
    conflicts: int = 0
    result: Any = None
    error: BaseException | None = None
    is_taken: bool = False
    is_answered: bool = False

    def take(self) -> bool:
        """Whether the caller still waits. Call it once: from then on a thread cannot cancel the unit."""
        # Set before the look: a caller that gives up in between must hear "perhaps recorded", as the unit will run.
        self.is_taken = True
        if isinstance(self.answer, asyncio.Future):
            return not self.answer.done()
        return self.answer.set_running_or_notify_cancel()


def answer_all(batch: list[PendingUnit]) -> None:
    """Answer every caller. Each event loop is woken once for all its callers, because waking one is slow."""
    for loop in {pending.loop for pending in batch}:
        of_loop = [pending for pending in batch if pending.loop is loop]
        for pending in of_loop:
            pending.is_answered = True
        if loop is None:
            _set_futures(of_loop)
        else:
            with suppress(RuntimeError):  # the loop is closed, and its callers are gone with it
                loop.call_soon_threadsafe(_set_futures, of_loop)


def _set_futures(batch: list[PendingUnit]) -> None:
    """Runs on the thread that owns the futures: those of asyncio may be set nowhere else."""
    for pending in batch:
        answer, error = pending.answer, pending.error
        if answer.done():  # the caller gave up
            continue
        if error is None:
            answer.set_result(pending.result)
        elif isinstance(error, StopIteration):  # a future does not accept it
            answer.set_exception(RuntimeError("a unit of work raised StopIteration"))
        else:
            answer.set_exception(error)


class Savepoint:
    """Limits the harm of one unit to that unit.

    Anything that a unit raises becomes `error` and rolls back only the unit. The exception is an error of the database
    that spoils the whole transaction: it goes on to the writer. A context manager sees every error, even those that are
    no `Exception`, without a broad `except`.
    """

    __slots__ = ("_connection", "_driver", "error")

    def __init__(self, connection: DriverConnection, driver: Driver) -> None:
        self._connection = connection
        self._driver = driver
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        self._connection.execute("SAVEPOINT unit")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if error is None:
            return False
        if isinstance(error, database_errors()):
            if self._driver.fault(error) is not DriverFault.UNIT:
                return False
            log.error(
                "Something wasn't recorded. %(cause)s", {"event": "not_recorded", "cause": self._driver.describe(error)}
            )
            error = not_recorded(error, self._driver)
        self._connection.execute("ROLLBACK TO SAVEPOINT unit")
        self._connection.execute("RELEASE SAVEPOINT unit")
        self.error = error
        return True


def not_recorded(error: Exception, driver: Driver) -> NotRecorded:
    """The error as a caller gets it, a new one for each: one raised in several tasks would collect all their traces."""
    if isinstance(error, NotRecorded):
        return type(error)(*error.args)
    refusal = NotRecorded(str(error) if isinstance(error, Misconfigured) else driver.describe(error))
    refusal.__cause__ = error
    return refusal


@dataclass(slots=True)
class WriterState:
    """What health and metrics may know of the writer."""

    batches: int = 0
    refused: int = 0


class Writer:
    """Owns the one connection that writes. `start` before use; `stop` finishes what waits."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._queue: queue.SimpleQueue[list[PendingUnit] | None] = queue.SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, list[PendingUnit]] = {}
        self._thread = threading.Thread(target=self._work, name="afterword-writer", daemon=True)
        self._connection: DriverConnection | None = None
        # Held to look at `_accepting` and put into the queue: a unit put behind the end marker is never answered.
        self._gate = threading.Lock()
        self._accepting = False
        self._files: tuple[tuple[int, int], ...] = ()
        """Which files are written to."""
        self.state = WriterState()

    def start(self) -> None:
        """Open the connection, so that a wrong DATABASE_URL is reported at once, and begin to take units."""
        self._connection = self._driver.connect()
        self._files = self._driver.identify()
        self._accepting = True
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then close. Units submitted later are refused as not recorded."""
        with self._gate:
            if not self._accepting:
                return
            self._accepting = False
            self._queue.put(None)
        # A disk that hangs must not stop the process from ending: what is committed is safe, the rest was not
        # answered.
        self._thread.join(timeout=10)

    def submit(self, unit: Unit) -> "Future[Any]":
        """Queue a unit from a thread; its future has the unit's result once it is on disk.

        A unit must do nothing but use its transaction. It is run again when that was certainly not committed, because
        the connection was lost or another replica was in the way.
        """
        answer: Future[Any] = Future()
        self._enqueue([PendingUnit(unit, None, answer, None, time.monotonic())])
        return answer

    def has_files(self) -> bool:
        """Whether the files written to are still those at their paths. SQLite reports no error after they are gone."""
        found = self._driver.identify()
        # Without a connection there may be no -wal file: the last connection to close removes it.
        return found == self._files or (self._connection is None and found[:1] == self._files[:1])

    def require_file(self) -> None:
        """Raise DatabaseGone if the file at the path is not the one that was opened: to connect would create it."""
        if self._driver.identify()[:1] != self._files[:1]:
            raise DatabaseGone(GONE)

    @property
    def is_working(self) -> bool:
        """Whether units are taken; false after `stop`, or if the writer's thread broke down."""
        return self._accepting

    async def write(self, unit: Unit, foresee: Foresee | None = None) -> Any:
        """Queue a unit and wait for it. Raises what the unit raised, or NotRecorded. For `foresee` see `Foresee`.

        Even while the disk hangs there is an answer in time for Slack: PerhapsRecorded for a unit that is being
        written, NotRecorded for one that waits behind it and is then never written.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        pending = PendingUnit(unit, foresee, answer, loop, time.monotonic())
        self._gather(pending, loop)
        limit = loop.call_later(self._driver.timeouts.database_answer, _give_up, pending)
        try:
            return await answer
        finally:
            limit.cancel()

    def _gather(self, pending: PendingUnit, loop: asyncio.AbstractEventLoop) -> None:
        """Hand over all units of one turn of the loop together.

        If each woke the writer, two threads would compete for the interpreter, statement by statement
        (docs/decisions/0012-a-third-of-bolts-throughput-is-accepted.md).
        """
        gathered = self._gathered.get(loop)
        if gathered is None:
            self._gathered[loop] = [pending]
            loop.call_soon(self._hand_over, loop)
        else:
            gathered.append(pending)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        self._enqueue(self._gathered.pop(loop))

    def _enqueue(self, batch: list[PendingUnit]) -> None:
        with self._gate:
            if self._accepting:
                self._queue.put(batch)
                return
        for pending in batch:
            pending.error = NotRecorded("The database is closed.")
        _set_futures(batch)

    def _work(self) -> None:
        batch: list[PendingUnit] = []
        closing = False
        try:
            while not closing:
                batch, closing = self._take_all()
                self._write([pending for pending in batch if pending.take()])
        finally:
            self._end(batch)

    def _end(self, last: list[PendingUnit]) -> None:
        """Answer everyone who still waits, even if the thread ends by a mistake of this module."""
        with self._gate:
            self._accepting = False
        unanswered = [pending for pending in last if not pending.is_answered and not pending.answer.cancelled()]
        self._refuse(
            unanswered,
            PerhapsRecorded(
                "The database connection broke while saving. Check what's recorded before you send it again."
            ),
        )
        while rest := self._drain():
            wanted = [pending for batch in rest if batch is not None for pending in batch if pending.take()]
            self._refuse(wanted, NotRecorded("The database is closed."))
        self._drop_connection()

    def _take_all(self) -> tuple[list[PendingUnit], bool]:
        """All units that wait now, at least one, and whether `stop` was called. Blocks until there is something."""
        batches = [self._queue.get(), *self._drain()]
        return [pending for batch in batches if batch is not None for pending in batch], None in batches

    def _drain(self) -> list[list[PendingUnit] | None]:
        # Only this thread takes from the queue, so what `qsize` counted is there.
        return [self._queue.get_nowait() for _ in range(min(self._queue.qsize(), MOST_AT_ONCE))]

    def _write(self, batch: list[PendingUnit]) -> None:
        todo = deque([batch])
        error: Exception | None = None
        while todo:
            part = self._refuse_late(todo.popleft(), error)
            error = self._attempt(part) if part else None
            if error is None:
                answer_all(part)
                continue
            fault = self._driver.fault(error)
            if fault is DriverFault.CONFLICT and part[0].conflicts < MOST_CONFLICTS:
                # One by one from now on, each in its turn: a row that another replica holds then delays only the units
                # that need it.
                for pending in part:
                    pending.conflicts += 1
                    todo.append([pending])
            elif fault is DriverFault.SOME_UNIT and len(part) > 1:
                todo.extendleft([pending] for pending in reversed(part))
            # Tried again until `_refuse_late` finds them too old: that limit is the callers', so there is no count
            # here.
            elif fault in (DriverFault.BUSY, DriverFault.LOST):
                time.sleep(PAUSE_SECONDS)
                todo.appendleft(part)
            else:
                self._refuse(part, error)

    def _refuse_late(self, batch: list[PendingUnit], error: Exception | None) -> list[PendingUnit]:
        """Refuse unwritten what has waited too long: its author must hear "not recorded" while Slack still listens.

        `error` is why the last attempt failed, if it did.
        """
        earliest = time.monotonic() - self._driver.timeouts.database_wait
        late = [pending for pending in batch if pending.since < earliest]
        if not late:
            return batch
        self._refuse(late, error or NotRecorded("The database was busy for too long."))
        return [pending for pending in batch if pending.since >= earliest]

    def _attempt(self, batch: list[PendingUnit]) -> Exception | None:
        """Write a batch in one transaction. Returns the error that prevented it, or None."""
        for pending in batch:
            # From an attempt that was rolled back: its results never happened.
            pending.result = pending.error = None
        try:
            self._transact(batch)
        except _transaction_errors() as error:
            self._clean_up(error)
            return error
        self.state.batches += 1
        return None

    def _transact(self, batch: list[PendingUnit]) -> None:
        connection = self._open_connection()
        ticket = ""
        try:
            with self._driver.pipeline(connection) as wait:
                give_ticket = self._driver.begin(connection)
                for is_foreseen, units in groupby(batch, self._is_foreseen):
                    part = list(units)
                    if not is_foreseen or not self._run_foreseen(connection, part, wait):
                        self._run(connection, part, wait)
                ticket = give_ticket() if give_ticket else ""
                connection.execute("COMMIT")
        except database_errors() as error:
            # A lost connection says nothing about the commit. To run the units again could record everything twice.
            if not ticket or self._driver.fault(error) is not DriverFault.LOST or not self._was_committed(ticket):
                raise
        # After the commit and before anyone is answered: what went into a deleted file must not be called recorded.
        if not self.has_files():
            raise DatabaseGone(GONE)

    def _is_foreseen(self, pending: PendingUnit) -> bool:
        return pending.foresee is not None and self._driver.is_remote

    def _run(self, connection: DriverConnection, units: list[PendingUnit], wait: Callable[[], None]) -> None:
        transaction = Transaction(connection, self._driver.dialect, wait)
        for pending in units:
            with Savepoint(connection, self._driver) as savepoint:
                pending.result = pending.unit(transaction)
                # Inside, because after an error that the unit hid, PostgreSQL refuses it: that unit is not recorded.
                connection.execute("RELEASE SAVEPOINT unit")
            pending.error = savepoint.error

    def _run_foreseen(self, connection: DriverConnection, units: list[PendingUnit], wait: Callable[[], None]) -> bool:
        """Run units after all their first statements were sent. False, with nothing written, if one of them raises."""
        transaction = ForeseenTransaction(connection, self._driver.dialect, wait)
        with Savepoint(connection, self._driver) as savepoint:
            transaction.send([pending.foresee for pending in units if pending.foresee])
            for pending in units:
                pending.result = transaction.run_unit(pending.unit)
            connection.execute("RELEASE SAVEPOINT unit")
        return savepoint.error is None

    def _was_committed(self, ticket: str) -> bool:
        """Ask over a new connection about a commit that got no answer. Raises PerhapsRecorded if that stays unknown."""
        until = time.monotonic() + self._driver.timeouts.database_wait
        while time.monotonic() < until:
            self._drop_connection()
            with suppress(*database_errors()):
                # An error here is one more try: the server may be coming back, and a guess could record everything
                # twice (decision 3).
                is_committed = self._driver.was_committed(self._open_connection(), ticket)
                if is_committed is not None:
                    return is_committed
            time.sleep(PAUSE_SECONDS)
        raise PerhapsRecorded("The database went away while saving. Check what's recorded before you send it again.")

    def _open_connection(self) -> DriverConnection:
        if self._connection is None:
            self.require_file()
            self._connection = self._driver.connect()
            self._files = self._driver.identify()
        return self._connection

    def _clean_up(self, error: Exception) -> None:
        if self._connection is None:
            return
        # A rollback over a lost connection would wait for a server that is gone.
        if self._driver.fault(error) is DriverFault.LOST:
            self._drop_connection()
            return
        try:
            if self._driver.in_transaction(self._connection):
                self._connection.execute("ROLLBACK")
        except database_errors():
            self._drop_connection()

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*database_errors()):
                # Closing a broken connection may fail; there is nothing left to lose with it.
                connection.close()

    def _refuse(self, batch: list[PendingUnit], error: Exception) -> None:
        if not batch:
            return
        log.error(
            "Requests not recorded: %(requests)d. %(cause)s",
            {"event": "not_recorded", "requests": len(batch), "cause": str(not_recorded(error, self._driver))},
        )
        self.state.refused += len(batch)
        for pending in batch:
            pending.error = not_recorded(error, self._driver)
        answer_all(batch)


def _give_up(pending: PendingUnit) -> None:
    if pending.answer.done():
        return
    if pending.is_taken:
        pending.answer.set_exception(
            PerhapsRecorded("The database is slow to save. Check what's recorded before you send it again.")
        )
    else:
        pending.answer.set_exception(NotRecorded("The database was busy for too long."))
