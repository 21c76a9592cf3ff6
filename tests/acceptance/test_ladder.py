"""What the owner of a postmortem can answer to a reminder, and when a reminder waits for them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import Afterword
from bot.rehearsal.screen import ShownMessage
from tests.support.acceptance.programs import bot_on
from tests.support.acceptance.weeks import POSTMORTEM, RESOLVED, Weeks, weeks
from tests.support.interactions import as_pressed, labels

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)


@asynccontextmanager
async def await_postmortem(
    url: str, now: datetime = RESOLVED, environ: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Weeks, Afterword]]:
    """A bot with further settings, and a resolved incident whose postmortem Ana owes."""
    async with weeks(url, now) as life, bot_on(life.slack, life.clock, {**life.environ, **(environ or {})}) as bot:
        await life.resolve(bot)
        yield life, bot


def in_dm(life: Weeks, user: str) -> list[ShownMessage]:
    return [message for message in life.slack.messages(life.slack.dm(user)) if message.plain.startswith(POSTMORTEM)]


async def press(life: Weeks, bot: Afterword, user: str, action: str) -> None:
    message = in_dm(life, user)[-1]
    assert (await life.slack.click(user, message, *as_pressed(message, action))).ok
    await bot.boundary.drain()
    await bot.slack.outbox.run_due(life.clock.now())


async def submit(life: Weeks, bot: Afterword, user: str, values: dict[str, str]) -> None:
    assert (await life.slack.submit(user, life.slack.views(user)[-1], values)).ok
    await bot.boundary.drain()
    await bot.slack.outbox.run_due(life.clock.now())


async def test_a_newer_reminder_takes_the_place_of_the_one_before(database_url: str) -> None:
    async with await_postmortem(database_url) as (life, bot):
        await life.at(RESOLVED + DAY, bot)
        await life.at(RESOLVED + 2 * DAY, bot)
        before, latest = in_dm(life, life.ana)
        assert before.plain == f"{POSTMORTEM} ~*INC-1* postmortem~ checkout is failing: replaced by a newer reminder."
        assert before.buttons == []
        offered = ["Fill: Root cause", "What's missing", "Snooze 1 day", "Hand over", "Export", "Not needed …"]
        assert labels(latest) == offered
        await life.at(RESOLVED + 9 * DAY, bot)
        assert [bool(message.buttons) for message in in_dm(life, life.ana)] == [False, False, True]
        assert "resolved 9 days ago" in in_dm(life, life.ana)[-1].plain


async def test_an_earlier_one_that_its_reader_deleted_is_not_said_anew(sqlite_url: str) -> None:
    async with await_postmortem(sqlite_url) as (life, bot):
        await life.at(RESOLVED + DAY, bot)
        life.slack.workspace.channels[life.slack.dm(life.ana)].messages.clear()
        await life.at(RESOLVED + 2 * DAY, bot)
        (only,) = in_dm(life, life.ana)
        assert only.buttons


async def test_a_snooze_holds_the_dm_back_for_a_day_and_the_channel_hears_in_time(sqlite_url: str) -> None:
    async with await_postmortem(sqlite_url) as (life, bot):
        await life.at(RESOLVED + DAY, bot)
        await life.at(RESOLVED + 30 * HOUR, bot)
        await press(life, bot, life.ana, "postmortem_snooze")
        (snoozed,) = in_dm(life, life.ana)
        assert "snoozed until" in snoozed.plain
        assert snoozed.buttons == []
        for hours, count in ((48, 1), (53, 1), (54, 2), (60, 2), (100, 2)):
            await life.at(RESOLVED + hours * HOUR, bot)
            assert len(in_dm(life, life.ana)) == count, hours
            assert len(life.list_reminders(life.channel, POSTMORTEM)) == 2
        answer = (await life.do(life.ana, "/postmortem reminders")).text
        assert "Snoozed, due Wed 25 Nov, 22:40 UTC: sent to Ana Demo" in answer


async def test_handing_over_tells_the_new_owner_and_the_channel_and_asks_the_old_one_no_more(sqlite_url: str) -> None:
    async with await_postmortem(sqlite_url) as (life, bot):
        await life.at(RESOLVED + DAY, bot)
        await press(life, bot, life.ana, "postmortem_hand_over")
        await submit(life, bot, life.ana, {"owner": life.bo})
        assert "handed over to Bo Demo" in in_dm(life, life.ana)[-1].plain
        (handed,) = in_dm(life, life.bo)
        assert (
            "@Ana Demo made you the owner of the *INC-1* postmortem. 13 sections left; next: Root cause."
            in handed.plain
        )
        assert "Fill: Root cause" in labels(handed)
        collapsed = life.slack.messages(life.channel)[-1]  # no post of its own: the reminder there says it in one line
        assert "handed over to Bo Demo" in collapsed.plain
        assert collapsed.pings == set()
        await life.at(RESOLVED + 2 * DAY, bot)
        assert (len(in_dm(life, life.ana)), len(in_dm(life, life.bo))) == (1, 2)
        assert "replaced by a newer reminder" in in_dm(life, life.bo)[0].plain


@pytest.mark.parametrize("ending", ["/postmortem waive a drill", "/incident reopen"])
async def test_what_was_handed_over_says_that_it_is_over(ending: str, sqlite_url: str) -> None:
    async with await_postmortem(sqlite_url) as (life, bot):
        await life.at(RESOLVED + DAY, bot)
        await press(life, bot, life.ana, "postmortem_hand_over")
        await submit(life, bot, life.ana, {"owner": life.bo})
        await life.do(life.ana, ending)
        await bot.slack.outbox.run_due(life.clock.now())
        (handed,) = in_dm(life, life.bo)
        assert handed.buttons == []


async def test_not_needed_wants_its_reason_and_ends_it(sqlite_url: str) -> None:
    async with await_postmortem(sqlite_url) as (life, bot):
        await life.at(RESOLVED + DAY, bot)
        await press(life, bot, life.ana, "postmortem_waive")
        answer = await life.slack.submit(life.ana, life.slack.views(life.ana)[-1], {"reason": " "})
        assert "Say why it isn't needed" in answer.errors["reason"]
        await submit(life, bot, life.ana, {"reason": "a drill, nothing broke"})
        assert "not needed: a drill, nothing broke" in in_dm(life, life.ana)[-1].plain
        assert "waived the postmortem of *INC-1*: a drill, nothing broke" in life.slack.messages(life.channel)[-1].plain
        for weeks_on in range(1, 6):
            await life.at(RESOLVED + weeks_on * 7 * DAY, bot)
        assert life.counts() == (1, 1)


@pytest.mark.parametrize("ending", ["/postmortem waive a drill", "/incident reopen"])
async def test_what_stands_in_the_dm_says_that_it_is_over(ending: str, sqlite_url: str) -> None:
    async with await_postmortem(sqlite_url) as (life, bot):
        await life.at(RESOLVED + DAY, bot)
        await life.do(life.ana, ending)
        await bot.slack.outbox.run_due(life.clock.now())
        (message,) = in_dm(life, life.ana)
        assert message.buttons == []


async def test_the_dm_waits_for_the_morning_and_the_channel_does_not(sqlite_url: str) -> None:
    late = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)  # 23:30 where Ana lives
    async with await_postmortem(sqlite_url, late, {"AFTERWORD_QUIET_HOURS": "22-8"}) as (life, bot):
        for after, dm, channel in ((24, 0, 1), (32, 0, 1), (32.5, 1, 1), (48, 1, 2), (56.5, 2, 2)):
            await life.at(late + after * HOUR, bot)
            assert life.counts() == (dm, channel), after


async def test_by_default_a_dm_comes_between_eight_and_eight_and_a_weekly_one_on_a_weekday(sqlite_url: str) -> None:
    saturday = datetime(2026, 11, 28, 21, 30, tzinfo=UTC)  # 22:30 where Ana lives
    async with await_postmortem(sqlite_url, saturday, {"AFTERWORD_QUIET_HOURS": "20-8"}) as (life, bot):
        for after, dm, channel in ((24, 0, 1), (33, 0, 1), (33.5, 1, 1), (48, 1, 2), (57.5, 2, 2)):
            await life.at(saturday + after * HOUR, bot)
            assert life.counts() == (dm, channel), after
        assert "(resolved 3 days ago)" in in_dm(life, life.ana)[-1].plain
        earlier, latest = (
            message for message in life.slack.messages(life.channel) if message.plain.startswith(POSTMORTEM)
        )
        assert (earlier.buttons, latest.buttons[0][0]) == ([], "Fill: Root cause")
        assert "\n" not in earlier.plain
        assert latest.pings == set()


async def test_a_weekly_reminder_of_a_saturday_comes_on_monday(sqlite_url: str) -> None:
    thursday = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)
    async with await_postmortem(sqlite_url, thursday, {"AFTERWORD_QUIET_HOURS": "20-8"}) as (life, bot):
        for days in (1, 2, 9, 10):  # the ninth day is a Saturday
            await life.at(thursday + days * DAY, bot)
        assert life.counts() == (2, 2)
        await life.at(datetime(2026, 12, 7, 8, tzinfo=UTC), bot)
        assert life.counts() == (3, 2)


async def test_a_snooze_names_the_hour_of_its_end_in_the_owner_s_zone(sqlite_url: str) -> None:
    async with await_postmortem(sqlite_url, environ={"AFTERWORD_QUIET_HOURS": "20-8"}) as (life, bot):
        await life.at(RESOLVED + DAY, bot)
        life.clock.set(datetime(2026, 11, 24, 21, 5, tzinfo=UTC))
        await press(life, bot, life.ana, "postmortem_snooze")
        (snoozed,) = in_dm(life, life.ana)
        assert snoozed.plain.endswith("checkout is failing: snoozed until Thu 26 Nov, 8:00 (Berlin).")
        await life.at(datetime(2026, 11, 26, 7, tzinfo=UTC), bot)
        assert len(in_dm(life, life.ana)) == 2


async def test_a_quiet_weekend_ends_on_monday_with_the_latest_reminder_alone(sqlite_url: str) -> None:
    friday = datetime(2026, 11, 27, 12, 30, tzinfo=UTC)
    async with await_postmortem(sqlite_url, friday, {"AFTERWORD_QUIET_WEEKENDS": "true"}) as (life, bot):
        for hours in range(67):
            await life.at(friday + hours * HOUR, bot)
        assert life.counts() == (0, 2)
        answer = (await life.do(life.ana, "/postmortem reminders")).text
        assert "to Ana Demo (waits until Mon 30 Nov, 8:00 UTC), to #checkout" in answer
        await life.at(datetime(2026, 11, 30, 8, tzinfo=UTC), bot)
        assert life.counts() == (1, 2)


async def test_what_was_to_wait_for_the_morning_is_not_said_once_it_was_handed_over(sqlite_url: str) -> None:
    late = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
    async with await_postmortem(sqlite_url, late, {"AFTERWORD_QUIET_HOURS": "22-8"}) as (life, bot):
        await life.at(late + 24 * HOUR, bot)
        await life.do(life.ana, "/postmortem owner @Bo Demo")
        await life.at(late + 33 * HOUR, bot)
        assert life.counts() == (0, 1)


async def test_after_weeks_of_downtime_the_owner_and_the_channel_hear_once_each(sqlite_url: str) -> None:
    async with weeks(sqlite_url) as life:
        async with life.bot() as bot:
            await life.resolve(bot)
        life.clock.set(RESOLVED + 20 * DAY)
        async with life.bot() as bot:
            for _ in range(3):
                await bot.tick(life.clock.now())
            assert life.counts() == (1, 1)
            answer = (await life.do(life.ana, "/postmortem reminders")).text
            assert "*Next:* after 23 days, Wed 16 Dec, 16:40 UTC" in answer


async def test_with_owner_and_lead_gone_the_weekly_one_goes_to_the_channel(sqlite_url: str) -> None:
    async with await_postmortem(sqlite_url, environ={"AFTERWORD_REMINDER_WEEKS": "1"}) as (life, bot):
        await life.leaves(life.ana)
        for days in (1, 2, 9, 16, 23):
            await life.at(RESOLVED + days * DAY, bot)
        assert life.counts() == (0, 3)
        assert "No reminders are planned." in (await life.do(life.bo, "/postmortem reminders")).text
