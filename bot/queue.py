"""The loop under every leased queue: claim rows, attempt them, settle them, whatever happens meanwhile.

A queue is a table whose rows say what is to be done (`storage/queues.py`). Any number of processes may work on it:

- A row is claimed in a committed transaction before it is attempted. A process that dies in between leaves a lease
  that runs out; then another process claims the row and knows that an earlier attempt may have taken effect.
  Attempting first would do everything twice after a crash (docs/decisions/0004-the-row-is-the-queue.md).
- A row is settled only by the process whose lease it still carries. One that lost its lease discards what it learned.
- An attempt ends before its lease does, however long the process stood still after its claim. So no lease is renewed.
- A row that fails is due again after a while, longer each time.
"""

import asyncio
import contextlib
import logging
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, TypeVar

from bot.clock import Clock, count_seconds
from storage.database.statements import Transaction
from storage.database.store import Store

log = logging.getLogger(__name__)

Job = TypeVar("Job")
Result = TypeVar("Result")
Outcome = TypeVar("Outcome")

LONGEST_BACKOFF = timedelta(hours=1)
LONGEST_RUN = timedelta(hours=2)
"""No run takes longer. If one seems to, the clock was set forward meanwhile."""

CLOSE_SECONDS = 10.0
"""How long a shutdown waits for attempts that are under way."""


def backoff(attempts: int, first: timedelta) -> timedelta:
    """How long to wait after this many attempts (1 or more): `first`, then twice as long each time, an hour at most."""
    # Twelve doublings of the first wait are past the longest. Without a limit a timedelta would overflow in the end.
    return min(first * (1 << min(attempts - 1, 12)), LONGEST_BACKOFF)


class QueueWorker(ABC, Generic[Job, Result, Outcome]):
    """Works on one queue until closed. Every method is for the loop's thread, but a claim runs on the writer's.

    `noun` names the queue in the log. An attempt is broken off `attempt_seconds` after its claim, which must be less
    than its lease: else another process could begin the same while this one is still at it.
    """

    def __init__(self, noun: str, store: Store, clock: Clock, *, attempt_seconds: float) -> None:
        self._noun = noun
        self._store = store
        self._clock = clock
        self._attempt_seconds = attempt_seconds
        self._owner = uuid.uuid4().hex
        """The name of this process in its leases."""
        self._notified = asyncio.Event()
        # Held while rows are claimed and attempted: close() waits for it, and messages of two concurrent rounds could
        # overtake each other.
        self._working = asyncio.Lock()
        self._round: asyncio.Task[float] | None = None
        self._closing = False

    def notify(self) -> None:
        """Wake the worker: something was enqueued."""
        self._notified.set()

    async def run(self) -> None:
        """Do what comes due until closed or cancelled."""
        while not self._closing:
            self._notified.clear()
            # A task, so that cancelling this loop does not cancel an attempt, and no error ends the loop.
            task = self._round = asyncio.create_task(self._work())
            await asyncio.wait([task])
            if error := task.exception():
                log.error(
                    "The queue of %(queue)s is stuck (%(cause)s). It's tried again in seconds; /readyz "
                    "shows whether the database is well.",
                    {"event": "queue_failed", "queue": self._noun, "cause": type(error).__name__},
                )
            await self._wait(self._store.timeouts.queue_idle if error else task.result())

    async def close(self) -> None:
        """Claim nothing more, and wait for attempts that are under way, for `CLOSE_SECONDS` at most."""
        self._closing = True
        self.notify()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                if self._round is not None:
                    await asyncio.wait([self._round])
                async with self._working:  # a tick may be working as well
                    pass
        except TimeoutError:
            log.warning(
                "The bot stopped in the middle of an attempt (%(queue)s). The next start looks up whether it worked.",
                {"event": "queue_closed_early", "queue": self._noun},
            )

    @abstractmethod
    async def _work(self) -> float:
        """Do what is due. Returns the seconds until it is worth looking again."""

    @abstractmethod
    async def _attempt(self, job: Job, now: datetime) -> Result:
        """Do what a claimed row asks for. May raise anything."""

    @abstractmethod
    async def _finish(self, job: Job, ended: Result | BaseException, now: datetime) -> Outcome:
        """Settle a row after its attempt, which ended in a result or an error."""

    @abstractmethod
    def _report_unsettled(self, job: Job, error: BaseException) -> Outcome:
        """What to report of a row that could not be settled, and so stays leased until its lease runs out."""

    def _deadline(self) -> float:
        """The count (`count_seconds`) by which attempts must end. Taken before their claim: leases begin with that."""
        return count_seconds() + self._attempt_seconds

    async def _run_jobs(self, jobs: Sequence[Job], now: datetime, deadline: float) -> list[Outcome]:
        """Attempt and settle claimed rows side by side. The caller holds `_working`; no job disturbs another one."""
        ended = await asyncio.gather(*(self._run_job(job, now, deadline) for job in jobs), return_exceptions=True)
        return [
            self._report_unsettled(job, one) if isinstance(one, BaseException) else one
            for job, one in zip(jobs, ended, strict=True)
        ]

    async def _run_job(self, job: Job, now: datetime, deadline: float) -> Outcome:
        began = self._clock.now()
        (ended,) = await asyncio.gather(self._bounded_attempt(job, now, deadline), return_exceptions=True)
        # A wait that the other system asks for begins with its answer, not with the claim.
        return await self._finish(job, ended, now + self._since(began))

    async def _bounded_attempt(self, job: Job, now: datetime, deadline: float) -> Result:
        seconds = deadline - count_seconds()
        # Not left to the timeout: an attempt runs up to its first wait before it could be broken off.
        if seconds <= 0:
            raise TimeoutError
        async with asyncio.timeout(seconds):
            return await self._attempt(job, now)

    def _since(self, began: datetime) -> timedelta:
        """How long ago something began; zero if the clock was put back or far ahead meanwhile."""
        passed = self._clock.now() - began
        return passed if timedelta(0) <= passed <= LONGEST_RUN else timedelta(0)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._notified.wait()


class BatchWorker(QueueWorker[Job, Result, Outcome]):
    """Claims a few due rows at a time, and works on them side by side, until none is due."""

    async def run_due(self, now: datetime) -> int:
        """Do everything that is due from `now` on; returns how many rows were attempted."""
        asked_at = self._clock.now()
        async with self._working:
            return await self._run_batches(now + self._since(asked_at))

    async def _work(self) -> float:
        await self.run_due(self._clock.now())
        return self._store.timeouts.queue_idle

    async def _run_batches(self, now: datetime) -> int:
        """The same, for a caller that holds `_working`.

        It reads before it claims: a claim is a commit, which people who record would wait for.
        """
        attempted, began = 0, self._clock.now()
        while not self._closing:
            at = now + self._since(began)
            soonest = await self._store.read(self._next_due)
            if soonest is None or soonest > at:
                break
            deadline = self._deadline()
            jobs = await self._store.write(partial(self._claim, now=at))
            if not jobs:  # another process took them first
                break
            attempted += len(await self._run_jobs(jobs, at, deadline))
        return attempted

    @abstractmethod
    def _next_due(self, tx: Transaction) -> datetime | None:
        """Find when the next row is due; None if none is waiting."""

    @abstractmethod
    def _claim(self, tx: Transaction, now: datetime) -> Sequence[Job]:
        """Claim the rows of the next batch."""
