"""The bot on a machine whose clock is wrong: nothing is settled too early, nothing is lost, and people hear of it."""

import json
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import pytest

from bot.app import Afterword
from bot.clock import SettableClock, SystemClock
from bot.domain.reminders import ReminderState
from storage import deliveries as deliveries_store
from storage.database import clock as clock_store
from storage.deliveries import NewDelivery
from storage.queues import DeliveryKind
from tests.support.deadlines import until
from tests.support.interactions import is_receipt
from tests.support.play import TEAM
from tests.support.skew import Skew, skew_clocks

YEAR, MINUTES = timedelta(days=365), timedelta(minutes=10)
PENDING, SENT = ReminderState.PENDING, ReminderState.SENT


def owe_three(skew: Skew) -> datetime:
    """One reminder that is due, one in two days, one in a month."""
    now = SystemClock().now()
    for due_at in (now, now + timedelta(days=2), now + timedelta(days=30)):
        skew.owe(1, due_at)
    return now


async def run_for_a_while(skew: Skew) -> None:
    """Run a bot on a right clock, as before the clock went wrong."""
    async with AsyncExitStack() as stack:
        bot = await skew.start(stack, timedelta())
        await until(lambda: bot.sweeper.last_good is not None)
    assert skew.store.read_now(clock_store.find_swept_at) is not None


async def sweep_twice(skew: Skew) -> None:
    """Let the last bot tick, more than once."""
    for _ in range(2):
        await skew.bots[-1].sweep(skew.bots[-1].clock.now())


@pytest.mark.parametrize("by", [YEAR, -YEAR])
async def test_a_restart_on_a_clock_a_year_off_settles_what_is_due_and_nothing_else(
    database_url: str, by: timedelta
) -> None:
    async with skew_clocks(database_url) as (skew, stack):
        await run_for_a_while(skew)
        owe_three(skew)
        await skew.start(stack, by)
        await until(lambda: skew.states()[0] is SENT)
        await skew.until_sent(skew.channels[:1])
        await sweep_twice(skew)
        assert skew.states() == [SENT, PENDING, PENDING]


async def test_while_slack_is_silent_a_clock_a_year_ahead_settles_nothing(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with skew_clocks(sqlite_url) as (skew, stack):
        await run_for_a_while(skew)
        owe_three(skew)
        skew.silence()
        bot = await skew.start(stack, YEAR)
        await sweep_twice(skew)
        assert skew.states() == [PENDING] * 3
        status, text = await skew.look("/readyz")
        assert status == 503
        assert "nothing ran for 12 months. Reminders wait" in json.loads(text)["clock"]
        assert "Reminders wait until Slack's answers show the same time" in caplog.text
        caplog.set_level("INFO")
        skew.slack.api.faults["auth.test"].clear()
        await until(lambda: skew.states()[0] is SENT)
        assert skew.states() == [SENT, PENDING, PENDING]
        assert abs(bot.clock.now() - SystemClock().now()) < timedelta(seconds=3)
        assert "The clock is confirmed" in caplog.text


async def test_whoever_sweeps_with_a_time_of_their_own_ends_the_doubt(sqlite_url: str) -> None:
    """The operator says that the clock is right: nothing ran for a year."""
    async with skew_clocks(sqlite_url) as (skew, stack):
        await run_for_a_while(skew)
        owe_three(skew)
        skew.silence()
        bot = await skew.start(stack, YEAR)
        await sweep_twice(skew)
        assert skew.states() == [PENDING] * 3
        ordered = SettableClock(bot.clock.now())  # as `afterword tick --now` does
        async with Afterword(bot.settings, skew.store, ordered) as other:
            await other.tick(ordered.now())
        await sweep_twice(skew)
        assert bot.clock_keeper is not None
        assert bot.clock_keeper.doubt == ""
        assert PENDING not in skew.states()


@pytest.mark.parametrize("is_silent", [False, True])
async def test_a_clock_that_is_set_a_year_ahead_while_we_run_moves_nothing(
    database_url: str, *, is_silent: bool
) -> None:
    async with skew_clocks(database_url) as (skew, stack):
        bot = await skew.start(stack, timedelta())
        owe_three(skew)
        await until(lambda: skew.states()[0] is SENT)
        if is_silent:
            skew.silence()
        skew.machines[0].by = YEAR
        await sweep_twice(skew)
        assert skew.states() == [SENT, PENDING, PENDING]
        assert abs(bot.clock.now() - SystemClock().now()) < timedelta(seconds=3)
        skew.machines[0].by = timedelta()
        await sweep_twice(skew)
        assert json.loads((await skew.look("/readyz"))[1])["clock"] == "ok"


async def test_what_was_due_before_the_clock_was_set_back_goes_out_all_the_same(sqlite_url: str) -> None:
    async with skew_clocks(sqlite_url) as (skew, stack):
        await run_for_a_while(skew)
        skew.silence()  # else Slack would have corrected the clock
        bot = await skew.start(stack, timedelta(hours=1))
        await until(lambda: bot.sweeper.last_good is not None)
        channel = skew.slack.channel("late")
        skew.slack.fail("chat.postMessage", "ratelimited", retry_after=1)
        owed = NewDelivery(TEAM, DeliveryKind.MESSAGE, channel, {"text": "on", "blocks": []}, bot.clock.now())
        await skew.store.write(lambda tx: deliveries_store.enqueue(tx, owed))
        skew.machines[-1].by = timedelta()
        await skew.until_sent([channel])
        assert skew.times_sent([channel]) == {1: 1}


@pytest.mark.postgres
@pytest.mark.parametrize("by", [MINUTES, -MINUTES])
async def test_a_replica_that_is_ten_minutes_off_says_so_and_works(
    postgres_url: str, caplog: pytest.LogCaptureFixture, by: timedelta
) -> None:
    """Its own clock would find every signature of Slack's too old, or not yet valid."""
    async with skew_clocks(postgres_url) as (skew, stack):
        await skew.start(stack, by)
        ana = skew.slack.user("Ana Demo", "Europe/Berlin")
        channel = skew.slack.channel("checkout", [ana])
        assert (await skew.slack.command(ana, channel, "/incident open checkout is failing")).ok
        answer = await skew.slack.command(ana, channel, "/timeline now failed over")
        assert is_receipt(answer.text), answer
        await sweep_twice(skew)
        side = "ahead of" if by > timedelta() else "behind"
        sentence = f"This machine's clock is 10 min {side} the database's, which is used. Set it with NTP."
        status, text = await skew.look("/readyz")
        assert (status, json.loads(text)["clock"]) == (503, sentence)
        assert (await skew.look("/readyz?only=database"))[0] == 200
        assert sentence in caplog.text
        (line,) = [
            line
            for line in (await skew.look("/metrics"))[1].splitlines()
            if line.startswith("afterword_clock_offset_seconds ")
        ]
        assert abs(float(line.split()[1]) - by.total_seconds()) < 3


async def test_on_sqlite_signatures_are_checked_by_slacks_clock(sqlite_url: str) -> None:
    async with skew_clocks(sqlite_url) as (skew, stack):
        await skew.start(stack, MINUTES)
        await sweep_twice(skew)
        ana = skew.slack.user("Ana Demo", "Europe/Berlin")
        channel = skew.slack.channel("checkout", [ana])
        assert (await skew.slack.command(ana, channel, "/incident open checkout is failing")).ok
        assert "10 min ahead of Slack's" in (await skew.look("/readyz"))[1]
