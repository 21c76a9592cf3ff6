"""The tick: one sweep every few seconds, and a watchdog.

APScheduler uses the wall clock, so it pauses when the clock is set back, and an error inside it can end it silently. A
watchdog on the monotonic clock restarts it.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from prometheus_client import Counter

from bot.clock import Clock

log = logging.getLogger(__name__)

Sweep = Callable[[datetime], Awaitable[object]]

# One slow sweep is no alarm; three missed ones are.
MISSED_TICKS = 3
LONGEST_SWEEP_SECONDS = 300.0
CLOSE_SECONDS = 10.0

_JOB = "sweep"
_SWEEPS = Counter("afterword_sweeps_total", "Looks at what is due, by how they went.", ["result"])


# APScheduler 3 has no type hints, hence the ignored base class.
class _Every(BaseTrigger):  # type: ignore[misc]
    """Fires an interval after now. APScheduler's own trigger computes every missed time: after a year, for minutes."""

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return now + self._interval


class Sweeper:
    """Runs `sweep` at once and then every `seconds`, never two at a time, each for at most `longest` seconds.

    Call `start` once, inside a running loop.
    """

    def __init__(
        self, sweep: Sweep, clock: Clock, *, seconds: float = 15.0, longest: float = LONGEST_SWEEP_SECONDS
    ) -> None:
        self._sweep = sweep
        self._clock = clock
        self._seconds = seconds
        self._longest = longest
        self._ticking = asyncio.Lock()
        self._scheduler: AsyncIOScheduler | None = None
        self._watchdog: asyncio.Task[None] | None = None
        self._began = time.monotonic()
        self._last_tick = self._began
        self.last_good: float | None = None
        """When a sweep last succeeded, by the monotonic clock."""

    def start(self) -> None:
        self._began = self._last_tick = time.monotonic()
        self._scheduler = self._schedule()
        self._watchdog = asyncio.create_task(self._watch(), name="afterword-sweep-watchdog")

    async def stop(self) -> None:
        """Stop, and wait ten seconds at most for a sweep under way."""
        if self._scheduler is not None and self._scheduler.get_job(_JOB) is not None:
            self._scheduler.remove_job(_JOB)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                # Acquired and not released: no tick begins any more.
                await self._ticking.acquire()
        if self._watchdog is not None:
            self._watchdog.cancel()
            await asyncio.wait([self._watchdog])
        self._shut_down()
        await asyncio.sleep(0)  # APScheduler shuts down in the loop's next round

    @property
    def lag(self) -> float:
        """How many seconds ago a sweep last succeeded; before the first, since the start."""
        return time.monotonic() - (self._began if self.last_good is None else self.last_good)

    async def probe(self) -> str:
        """What is wrong, for the health report; empty if nothing is."""
        age = self.lag
        if age <= MISSED_TICKS * self._seconds:
            return ""
        return f"No good sweep for {age:.0f} s; one is due every {self._seconds:g} s."

    async def tick(self) -> None:
        """One sweep, unless one is running. Whatever it raises is only logged: the next tick must run in any case."""
        # Skipped, not queued: a slow sweep would be followed by another at once, with nothing new to do.
        if self._ticking.locked():
            return
        async with self._ticking:
            self._last_tick = time.monotonic()
            try:
                # A sweep that hangs would otherwise stop all reminders, because no two run at the same time.
                async with asyncio.timeout(self._longest):
                    await self._sweep(self._clock.now())
            except Exception:
                _SWEEPS.labels("failed").inc()
                log.exception(
                    "A sweep for what is due failed. The next one is in %(seconds)g s. Nothing is lost, but reminders "
                    "are late.",
                    {"event": "sweep_failed", "seconds": self._seconds},
                )
            else:
                _SWEEPS.labels("good").inc()
                self.last_good = time.monotonic()

    def _schedule(self) -> AsyncIOScheduler:
        # In UTC, as APScheduler would take the machine's zone. In memory: what is due is in the database anyway.
        scheduler = AsyncIOScheduler(timezone=UTC)
        scheduler.add_job(
            # Never dropped for being late: after a machine has slept, what is due must go out.
            self.tick,
            _Every(self._seconds),
            id=_JOB,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        scheduler.start()
        return scheduler

    def _shut_down(self) -> None:
        if self._scheduler is not None and self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._scheduler = None

    async def _watch(self) -> None:
        await self.tick()
        while True:
            await asyncio.sleep(self._seconds)
            if self._ticking.locked() or time.monotonic() - self._last_tick < MISSED_TICKS * self._seconds:
                continue
            log.error(
                "The scheduler missed ticks (%(ticks)d) and was restarted. Reminders may be late.",
                {"event": "scheduler_rebuilt", "ticks": MISSED_TICKS},
            )
            self._shut_down()
            self._scheduler = self._schedule()
            await self.tick()
