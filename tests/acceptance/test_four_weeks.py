"""The reminders of a postmortem over weeks: once, on time, to the right people, never after their reason is gone."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.acceptance.weeks import POSTMORTEM, RESOLVED, weeks

SECOND = timedelta(seconds=1)
DAY = timedelta(hours=24)
WEEK = 7 * DAY
MONTH = [RESOLVED + hours * timedelta(hours=1) for hours in range(0, 4 * 7 * 24 + 1, 6)]
"""Four weeks in steps of six hours."""


async def test_it_is_asked_for_after_24_and_48_hours_and_then_weekly_of_the_owner_alone(database_url: str) -> None:
    async with weeks(database_url) as life, life.bot() as bot:
        await life.resolve(bot)
        for after, count in ((DAY - SECOND, 0), (DAY, 1), (DAY + SECOND, 1), (2 * DAY - SECOND, 1), (2 * DAY, 2)):
            await life.at(RESOLVED + after, bot)
            assert life.counts() == (count, count), after
        for moment in MONTH[9:]:
            await life.at(moment, bot)
            assert life.counts() == (2 + max(0, (moment - RESOLVED - 2 * DAY) // WEEK), 2)
        for week in range(5, 12):
            await life.at(RESOLVED + week * WEEK, bot)
        assert life.counts() == (6, 2)  # four weeks of it are enough


async def test_it_says_what_is_missing_and_whose_it_is(sqlite_url: str) -> None:
    async with weeks(sqlite_url) as life, life.bot() as bot:
        await life.resolve(bot)
        await life.at(RESOLVED + DAY, bot)
        (private,) = life.list_reminders(life.ana, POSTMORTEM)
        (public,) = life.list_reminders(life.channel, POSTMORTEM)
        assert (
            "*INC-1* postmortem is waiting for you (resolved yesterday). 13 sections left; next: Root cause." in private
        )
        assert (
            "*INC-1* postmortem is waiting for Ana Demo (resolved yesterday). 13 sections left; next: Root cause."
            in public
        )


@pytest.mark.parametrize(
    "ending", ["/postmortem publish", "/postmortem waive a drill, nothing broke", "/incident reopen"]
)
@pytest.mark.parametrize("after", [timedelta(hours=1), timedelta(hours=25)])
async def test_nothing_goes_out_once_its_reason_is_gone(ending: str, after: timedelta, sqlite_url: str) -> None:
    async with weeks(sqlite_url) as life, life.bot() as bot:
        await life.resolve(bot)
        for moment in MONTH:
            if moment <= RESOLVED + after:
                await life.at(moment, bot)
        before = life.counts()
        assert before == ((1, 1) if after > DAY else (0, 0))
        life.clock.set(RESOLVED + after)
        if "publish" in ending:
            await life.finish(bot)
        await life.do(life.ana, ending)
        for moment in MONTH:
            if moment > RESOLVED + after:
                await life.at(moment, bot)
        assert life.counts() == before


@pytest.mark.parametrize("ending", ["/postmortem publish", "/postmortem waive a drill", "/incident reopen"])
async def test_nothing_goes_out_when_the_reason_goes_between_the_claim_and_the_send(
    ending: str, sqlite_url: str
) -> None:
    async with weeks(sqlite_url) as life, life.bot() as bot:
        await life.resolve(bot)
        life.slack.fail("chat.postMessage", "ratelimited", times=2, retry_after=60)
        await life.at(RESOLVED + DAY, bot)
        assert not life.slack.api.faults["chat.postMessage"]  # both were tried
        assert life.counts() == (0, 0)
        if "publish" in ending:
            await life.finish(bot)
        await life.do(life.ana, ending)
        for moment in MONTH[5:]:
            await life.at(moment, bot)
        assert life.counts() == (0, 0)


async def test_what_was_owed_for_an_earlier_resolution_is_not_said_of_the_next_one(sqlite_url: str) -> None:
    async with weeks(sqlite_url) as life, life.bot() as bot:
        await life.resolve(bot)
        life.slack.fail("chat.postMessage", "ratelimited", times=2, retry_after=3600)
        await life.at(RESOLVED + DAY, bot)
        await life.do(life.ana, "/incident reopen")
        await life.do(life.ana, "/incident resolved")
        await life.at(RESOLVED + DAY + timedelta(hours=2), bot)
        assert life.counts() == (0, 0)
        await life.at(RESOLVED + 2 * DAY, bot)
        assert life.counts() == (1, 1)
        await life.at(RESOLVED + 3 * DAY, bot)
        assert life.counts() == (2, 2)


async def test_after_a_week_of_downtime_only_the_latest_step_goes_out_and_says_how_long_ago(sqlite_url: str) -> None:
    async with weeks(sqlite_url) as life:
        async with life.bot() as bot:
            await life.resolve(bot)
        life.clock.set(RESOLVED + WEEK)
        async with life.bot() as bot:
            for _ in range(3):
                await bot.tick(life.clock.now())
            assert life.counts() == (1, 1)
            assert "resolved 7 days ago" in life.list_reminders(life.ana, POSTMORTEM)[0]
            assert "resolved 7 days ago" in life.list_reminders(life.channel, POSTMORTEM)[0]
            answer = (await life.do(life.ana, "/postmortem reminders")).text
            assert answer.count(": sent") == 1
            assert "skipped on Mon 30 Nov, 16:40 UTC (a later reminder of the same went out instead)" in answer


async def test_only_the_latest_step_goes_out_however_many_incidents_wait(sqlite_url: str) -> None:
    async with weeks(sqlite_url) as life, life.bot() as bot:
        channels = [life.slack.channel(f"checkout-{number}", [life.ana]) for number in range(110)]
        for channel in channels:
            await life.resolve(bot, channel)
        life.clock.set(RESOLVED + WEEK)
        for _ in range(3):
            await bot.tick(life.clock.now())
        assert [len(life.list_reminders(channel, POSTMORTEM)) for channel in channels] == [1] * len(channels)


async def test_nothing_is_sent_twice_across_restarts(database_url: str) -> None:
    async with weeks(database_url) as life:
        async with life.bot() as bot:
            await life.resolve(bot)
        for after, count in ((DAY, 1), (DAY + SECOND, 1), (2 * DAY, 2), (2 * DAY + SECOND, 2), (WEEK, 2)):
            life.clock.set(RESOLVED + after)
            async with life.bot() as bot:
                await bot.tick(life.clock.now())
            assert life.counts() == (count, count)


async def test_ticks_at_once_send_once(database_url: str) -> None:
    async with weeks(database_url) as life, life.bot() as bot:
        await life.resolve(bot)
        for after, count in ((DAY, 1), (2 * DAY, 2)):
            life.clock.set(RESOLVED + after)
            await asyncio.gather(*(bot.tick(life.clock.now()) for _ in range(5)))
            assert life.counts() == (count, count)


async def test_the_command_line_s_tick_beside_a_running_bot_sends_nothing_twice(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with weeks(sqlite_url) as life, life.bot() as bot:
        await life.resolve(bot)
        for after, count in ((DAY, 1), (2 * DAY, 2)):
            ticking = asyncio.create_task(life.tick(RESOLVED + after, tmp_path))
            while not ticking.done():
                await bot.tick(RESOLVED + after)
                await asyncio.sleep(0.02)
            await ticking
            assert life.counts() == (count, count)


async def test_a_clock_set_back_sends_nothing_twice(sqlite_url: str) -> None:
    async with weeks(sqlite_url) as life, life.bot() as bot:
        await life.resolve(bot)
        for after, count in (
            (DAY, 1),
            (timedelta(hours=1), 1),
            (-WEEK, 1),
            (DAY, 1),
            (2 * DAY, 2),
            (DAY, 2),
            (WEEK, 2),
        ):
            await life.at(RESOLVED + after, bot)
            assert life.counts() == (count, count)


async def test_an_owner_who_left_is_not_asked_but_the_lead_and_the_channel_are(sqlite_url: str) -> None:
    async with weeks(sqlite_url) as life, life.bot() as bot:
        await life.resolve(bot)
        await life.do(life.ana, "/incident lead @Bo Demo")
        await life.leaves(life.ana)
        await life.at(RESOLVED + DAY, bot)
        assert not life.list_reminders(life.ana, POSTMORTEM)
        (private,) = life.list_reminders(life.bo, POSTMORTEM)
        (public,) = life.list_reminders(life.channel, POSTMORTEM)
        for message in (private, public):
            assert "*INC-1* postmortem needs a new owner (resolved yesterday): Ana Demo has left." in message
            assert "Try `/postmortem owner @ana`." in message


async def test_with_owner_and_lead_gone_the_channel_alone_is_asked(sqlite_url: str) -> None:
    async with weeks(sqlite_url) as life, life.bot() as bot:
        await life.resolve(bot)
        await life.do(life.ana, "/incident lead @Bo Demo")
        for gone in (life.ana, life.bo):
            await life.leaves(gone)
        await life.at(RESOLVED + DAY, bot)
        assert len(life.list_reminders(life.channel, POSTMORTEM)) == 1
        assert not any(life.list_reminders(user, POSTMORTEM) for user in (life.ana, life.bo))


async def test_an_owner_of_whose_leaving_nobody_told_is_replaced_by_the_lead(sqlite_url: str) -> None:
    async with weeks(sqlite_url) as life, life.bot() as bot:
        await life.resolve(bot)
        await life.do(life.ana, "/incident lead @Bo Demo")
        life.slack.workspace.users[life.ana].deleted = True
        life.slack.fail("users.list", "internal_error", times=1_000)  # the list that is read daily would tell
        await life.at(RESOLVED + DAY, bot)
        assert "Ana Demo" in life.list_reminders(life.bo, POSTMORTEM)[0]
        assert "Slack can't reach Ana Demo" in life.list_reminders(life.bo, POSTMORTEM)[0]
        assert (len(life.list_reminders(life.bo, POSTMORTEM)), len(life.list_reminders(life.channel, POSTMORTEM))) == (
            1,
            1,
        )


def dump(url: str) -> list[str]:
    """Everything that a SQLite database holds."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return list(connection.iterdump())


async def test_a_dry_run_tells_what_would_go_out_and_why_and_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async with weeks(sqlite_url) as life:
        async with life.bot() as bot:
            await life.resolve(bot)
            await life.do(life.ana, "/action fix the alert @Chandra Demo due 2026-11-24")
            await bot.slack.outbox.run_due(life.clock.now())  # Chandra's message about it is not left for the tick
        before = life.all_counts(), dump(sqlite_url)
        output = await life.tick(RESOLVED + 2 * DAY, tmp_path, "--dry-run")
        assert await life.tick(RESOLVED + 2 * DAY, tmp_path, "--dry-run") == output
        assert (life.all_counts(), dump(sqlite_url)) == before
        sent, skipped, overdue = sorted(output.splitlines(), key=lambda line: ("overdue" in line, "skipped" in line))
        assert "48h" in sent
        assert "due 2026-11-25 16:40 UTC" in sent
        assert "the postmortem is open" in sent
        assert "24h" in skipped
        assert "a later reminder" in skipped
        assert "actions are overdue" in overdue
        assert await life.tick(RESOLVED + 2 * DAY, tmp_path) == output
        assert life.counts() == (1, 1)
        assert await life.tick(RESOLVED + 2 * DAY, tmp_path) == ""
        assert life.counts() == (1, 1)
