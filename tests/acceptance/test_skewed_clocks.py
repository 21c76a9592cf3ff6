"""Two replicas whose clocks disagree, and a slow Slack: each reminder goes out once, and none before its time."""

from datetime import timedelta

import pytest

from bot.clock import SystemClock
from tests.support.skew import SOON, skewed

SKEWS = (0, 5, 50, 65, 300, 600)


async def each_goes_out_once(url: str, ahead: float, latency: float, count: int) -> None:
    async with skewed(url, latency=latency) as (skew, stack):
        now = SystemClock().now()
        due, early = skew.owe(count, now), skew.owe(count // 10, now + SOON)
        for seconds in (0, ahead):
            await skew.start(stack, timedelta(seconds=seconds))
        await skew.until_sent(due, patience=600)
        assert skew.times_sent(due) == {1: len(due)}
        # Due in five minutes: to a machine ten minutes ahead they would be overdue.
        assert skew.times_sent(early) == {0: len(early)}


@pytest.mark.postgres
@pytest.mark.parametrize("ahead", [65, -300])
async def test_a_clock_that_is_off_doubles_nothing(postgres_url: str, ahead: float) -> None:
    await each_goes_out_once(postgres_url, ahead, latency=0.3, count=100)
