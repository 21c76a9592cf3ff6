"""The tick goes on through everything: failing sweeps, hanging ones, a scheduler that died, a clock set back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.triggers.date import DateTrigger

from bot.clock import SettableClock
from bot.scheduler import _JOB, Sweeper, _Every
from tests.support.deadlines import LONG_SECONDS, until

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
TICK = 0.05


class Work:
    """Counts its sweeps; `fails` and `lasts` say how they go, and they wait while `go_on` is not set."""

    def __init__(self) -> None:
        self.times: list[datetime] = []
        self.at_once = 0
        self.most_at_once = 0
        self.fails = False
        self.lasts = 0.0
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def sweep(self, now: datetime) -> None:
        """Note the time."""
        self.times.append(now)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.lasts)
        await self.go_on.wait()
        self.at_once -= 1
        if self.fails:
            raise RuntimeError("on purpose")


@asynccontextmanager
async def ticking(
    work: Work, clock: SettableClock | None = None, seconds: float = TICK, longest: float = LONG_SECONDS
) -> AsyncIterator[Sweeper]:
    sweeper = Sweeper(work.sweep, clock or SettableClock(NOW), seconds=seconds, longest=longest)
    sweeper.start()
    yield sweeper
    await sweeper.stop()


async def until_probed(sweeper: Sweeper, beginning: str) -> None:
    """Wait until its probe says this; nothing where it is well."""
    async with asyncio.timeout(LONG_SECONDS):
        while True:
            health = await sweeper.probe()
            if health.startswith(beginning) and bool(health) == bool(beginning):
                return
            await asyncio.sleep(0.005)


async def test_the_first_sweep_is_at_once() -> None:
    work = Work()
    async with ticking(work, seconds=10 * LONG_SECONDS) as sweeper:
        await until(lambda: sweeper.last_good is not None)
        assert (work.times, await sweeper.probe()) == ([NOW], "")


async def test_then_there_is_one_a_tick_at_the_time_of_then() -> None:
    work, clock = Work(), SettableClock(NOW)
    async with ticking(work, clock) as sweeper:
        await until(lambda: work.times)
        clock.advance(timedelta(hours=1))
        await until(lambda: work.times.count(NOW + timedelta(hours=1)) >= 3)
        assert set(work.times) == {NOW, NOW + timedelta(hours=1)}
        await until_probed(sweeper, "")


async def test_after_the_stop_nothing_ticks() -> None:
    work = Work()
    async with ticking(work):
        await until(lambda: len(work.times) >= 2)
    swept = len(work.times)
    await asyncio.sleep(TICK * 5)
    assert len(work.times) == swept


async def test_a_stop_lets_a_sweep_under_way_end() -> None:
    work = Work()
    work.go_on.clear()
    async with ticking(work):
        await until(lambda: work.times)
        asyncio.get_running_loop().call_later(0.1, work.go_on.set)
    assert (len(work.times), work.at_once) == (1, 0)


async def test_sweeps_do_not_overlap() -> None:
    work = Work()
    work.lasts = TICK * 3
    async with ticking(work):
        await until(lambda: len(work.times) >= 4)
    assert work.most_at_once == 1


async def test_a_failing_sweep_is_logged_told_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    work = Work()
    work.fails = True
    async with ticking(work) as sweeper:
        await until(lambda: len(work.times) >= 5)
        assert sweeper.last_good is None
        await until_probed(sweeper, "No good sweep")
        work.fails = False
        await until_probed(sweeper, "")
    assert "sweep for what is due failed" in caplog.text
    assert "on purpose" in caplog.text


async def test_a_sweep_that_hangs_is_broken_off_in_the_end() -> None:
    work = Work()
    work.lasts = 10 * LONG_SECONDS
    async with ticking(work, longest=TICK * 5) as sweeper:
        await until_probed(sweeper, "No good sweep")
        assert sweeper.last_good is None
        work.lasts = 0
        await until(lambda: sweeper.last_good is not None)


async def test_a_tick_that_was_lost_is_built_anew(caplog: pytest.LogCaptureFixture) -> None:
    work = Work()
    async with ticking(work) as sweeper:
        await until(lambda: len(work.times) >= 2)
        assert sweeper._scheduler is not None
        sweeper._scheduler.remove_job(_JOB)
        swept = len(work.times)
        await until(lambda: len(work.times) > swept + 3)
        await until_probed(sweeper, "")
    assert "restarted" in caplog.text


async def test_a_scheduler_that_ended_is_built_anew() -> None:
    work = Work()
    async with ticking(work) as sweeper:
        await until(lambda: len(work.times) >= 2)
        assert sweeper._scheduler is not None
        ended = sweeper._scheduler
        ended.shutdown(wait=False)
        swept = len(work.times)
        await until(lambda: len(work.times) > swept + 3)
        assert sweeper._scheduler is not ended
        assert sweeper._scheduler.running


async def test_a_clock_set_back_stops_nothing() -> None:
    """To APScheduler a clock set back by an hour is a job that is due in an hour."""
    work = Work()
    async with ticking(work) as sweeper:
        await until(lambda: len(work.times) >= 2)
        assert sweeper._scheduler is not None
        sweeper._scheduler.reschedule_job(_JOB, trigger=DateTrigger(datetime.now(UTC) + timedelta(hours=1)))
        swept = len(work.times)
        await until(lambda: len(work.times) > swept + 3)


def test_a_clock_years_ahead_is_one_missed_tick_and_not_a_million() -> None:
    assert _Every(15).get_next_fire_time(NOW, NOW + timedelta(days=3650)) == NOW + timedelta(days=3650, seconds=15)
