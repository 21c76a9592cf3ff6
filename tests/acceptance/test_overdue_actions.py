"""The digest of overdue actions over weeks: one a day and person, at nine where they live, until all is done."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.app import Afterword
from bot.rehearsal.delivery import AppDelivery
from bot.rehearsal.screen import ShownMessage
from tests.support.acceptance.weeks import OVERDUE, RESOLVED, Weeks, weeks

DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)


@asynccontextmanager
async def owing(
    url: str, owner: str = "Ana", due: str = "2026-11-24", now: datetime = RESOLVED
) -> AsyncIterator[tuple[Weeks, Afterword, str]]:
    """A bot, and a resolved incident with an action that a person owns; who they are."""
    async with weeks(url, now) as life, life.bot() as bot:
        await life.resolve(bot)
        await life.do(life.ana, f"/action add a load test @{owner} Demo due {due}")
        await life.do(life.ana, "/postmortem waive a drill")  # it has no say in actions
        yield life, bot, {"Ana": life.ana, "Bo": life.bo, "Chandra": life.chandra}[owner]


async def when_told(life: Weeks, bot: Afterword, owner: str, start: datetime, days: int) -> list[datetime]:
    """The moments at which a digest came, as the owner's clock shows them, when the bot looks every half hour."""
    zone = ZoneInfo(life.slack.workspace.users[owner].zone)
    found = []
    for step in range(days * 48):
        before = len(life.list_reminders(owner, OVERDUE))
        await life.at(start + step * HALF_HOUR, bot)
        came = len(life.list_reminders(owner, OVERDUE)) - before
        found += [life.clock.now().astimezone(zone).replace(tzinfo=None)] * came
    return found


@pytest.mark.parametrize("owner", ["Ana", "Bo", "Chandra"])
async def test_it_comes_at_nine_where_the_owner_lives_from_the_day_after_the_due_date(
    owner: str, sqlite_url: str
) -> None:
    async with owing(sqlite_url, owner) as (life, bot, user):
        moments = await when_told(life, bot, user, datetime(2026, 11, 23, 18, tzinfo=UTC), 5)
        assert moments[0] == datetime(2026, 11, 25, 9)  # noqa: DTZ001 - the owner's own clock
        assert [moment - moments[0] for moment in moments] == [DAY * number for number in range(len(moments))]
        assert len(moments) in (3, 4)  # the fifth day is not over everywhere
        others = {life.ana, life.bo, life.chandra, life.channel} - {user}
        assert not any(life.list_reminders(other, OVERDUE) for other in others)


@pytest.mark.parametrize(
    ("owner", "start"),
    [
        ("Ana", datetime(2026, 10, 22, tzinfo=UTC)),
        ("Ana", datetime(2027, 3, 25, tzinfo=UTC)),
        ("Bo", datetime(2026, 10, 29, tzinfo=UTC)),
        ("Bo", datetime(2027, 3, 11, tzinfo=UTC)),
    ],
)
async def test_it_stays_at_nine_when_the_clocks_change(owner: str, start: datetime, sqlite_url: str) -> None:
    due = f"{start:%Y-%m-%d}"
    async with owing(sqlite_url, owner, due, now=start - timedelta(hours=6)) as (life, bot, user):
        moments = await when_told(life, bot, user, start + DAY, 5)
        zone = ZoneInfo(life.slack.workspace.users[user].zone)
        offsets = {moment.replace(tzinfo=zone).utcoffset() for moment in moments}
        assert len(offsets) == 2, "the clocks did not change in these days"
        assert {(moment.hour, moment.minute) for moment in moments} == {(9, 0)}
        assert [moment.date() for moment in moments] == [moments[0].date() + DAY * number for number in range(5)]


async def test_one_digest_names_everything_that_is_overdue(sqlite_url: str) -> None:
    async with owing(sqlite_url) as (life, bot, ana):
        await life.do(life.bo, "/action mend the alert @Ana Demo due 2026-11-25")
        await life.do(life.bo, "/action write it down @Ana Demo due 2026-12-24")
        await life.at(datetime(2026, 11, 27, 8, tzinfo=UTC), bot)
        (message,) = life.list_reminders(ana, OVERDUE)
        assert "You have 2 overdue actions" in message
        assert "*3 days overdue* · add a load test · due Tue 24 Nov\nAction 1 of INC-1 in #checkout" in message
        assert "mend the alert" in message
        assert "write it down" not in message


async def test_all_done_finishes_what_is_still_overdue_at_once(database_url: str) -> None:
    async with owing(database_url) as (life, bot, ana):
        for what in ("mend the alert", "write it down"):
            await life.do(life.bo, f"/action {what} @Ana Demo due 2026-11-24")
        await life.at(datetime(2026, 11, 25, 8, tzinfo=UTC), bot)
        (digest,) = digests(life, ana)
        assert digest.buttons[-1][:2] == ("All done", "actions_all_done")
        await life.do(life.bo, "/action 3 2026-12-24")
        pressed = await life.slack.click(ana, digest, "actions_all_done")
        assert pressed.ok
        await bot.boundary.drain()
        await bot.slack.outbox.run_due(life.clock.now())
        assert digests(life, ana)[0].buttons == []
        listed = (await life.do(life.bo, "/action list")).text
        assert [word in listed for word in ("~add a load test~", "~mend the alert~", "~write it down~")] == [
            True,
            True,
            False,
        ]
        assert pressed.delivery is not None
        again = AppDelivery("interactive", pressed.delivery.payload | {"trigger_id": "late"})
        assert (await life.slack.deliver(again)).ok
        await bot.boundary.drain()
        assert (
            "None of these actions is overdue anymore." in life.slack.messages(life.slack.dm(ana), user=ana)[-1].plain
        )


def digests(life: Weeks, place: str) -> list[ShownMessage]:
    """What was said of overdue actions in someone's DM or in a channel, as it stands now."""
    where = life.slack.dm(place) if place.startswith("U") else place
    return [message for message in life.slack.messages(where) if message.plain.startswith(OVERDUE)]


async def test_a_newer_digest_takes_the_place_of_yesterday_s(database_url: str) -> None:
    async with owing(database_url) as (life, bot, ana):
        for day in (25, 26, 27):
            await life.at(datetime(2026, 11, day, 8, tzinfo=UTC), bot)
        first, second, third = digests(life, ana)
        for earlier in (first, second):
            assert earlier.plain == f"{OVERDUE} ~Overdue actions~: replaced by a newer list."
            assert earlier.buttons == []
        assert "add a load test" in third.plain
        assert len(third.buttons) == 4


@pytest.mark.parametrize("ending", ["/action done 1", "/action drop 1 the proxy does it", "action_date", "hand over"])
async def test_the_digest_says_when_nothing_is_overdue_any_more(ending: str, sqlite_url: str) -> None:
    async with owing(sqlite_url) as (life, bot, ana):
        await life.do(life.bo, "/action mend the alert @Ana Demo due 2026-11-24")
        await life.at(datetime(2026, 11, 25, 8, tzinfo=UTC), bot)
        (digest,) = digests(life, ana)
        await life.do(ana, "/action done 2")
        await bot.slack.outbox.run_due(life.clock.now())
        assert digests(life, ana)[0].buttons  # the first action is overdue still
        if ending.startswith("/"):
            await life.do(ana, ending)
        else:
            button = "action_date" if ending == "action_date" else "action_hand_over"
            await life.slack.click(ana, digest, button)
            await bot.boundary.drain()
            values = {"due": "2026-12-24"} if ending == "action_date" else {"owner": life.bo}
            assert (await life.slack.submit(ana, life.slack.views(ana)[-1], values)).ok
        await bot.slack.outbox.run_due(life.clock.now())
        (over,) = digests(life, ana)
        assert over.plain == f"{OVERDUE} ~Overdue actions~: nothing is overdue anymore."
        assert over.buttons == []


async def test_a_digest_in_a_channel_is_replaced_there_as_well(sqlite_url: str) -> None:
    async with owing(sqlite_url, "Chandra") as (life, bot, chandra):
        await life.leaves(chandra)
        for day in (25, 26):
            await life.at(datetime(2026, 11, day, 15, tzinfo=UTC), bot)
        assert [bool(message.buttons) for message in digests(life, life.channel)] == [False, True]


@pytest.mark.parametrize("ending", ["button", "/action done 1", "/action drop 1 the proxy does it"])
async def test_it_ends_when_the_action_is_done_or_dropped(ending: str, sqlite_url: str) -> None:
    async with owing(sqlite_url) as (life, bot, ana):
        morning = datetime(2026, 11, 25, 8, tzinfo=UTC)
        await life.at(morning, bot)
        (digest,) = digests(life, ana)
        if ending == "button":
            assert (await life.slack.click(ana, digest, "action_done")).ok
        else:
            await life.do(ana, ending)
        for days in range(1, 15):
            await life.at(morning + DAY * days, bot)
        assert len(life.list_reminders(ana, OVERDUE)) == 1


async def test_an_action_that_is_done_between_the_claim_and_the_send_is_not_mentioned(sqlite_url: str) -> None:
    async with owing(sqlite_url) as (life, bot, ana):
        await bot.slack.outbox.run_due(life.clock.now())
        life.slack.fail("chat.postMessage", "ratelimited", retry_after=60)
        await life.at(datetime(2026, 11, 25, 8, tzinfo=UTC), bot)
        assert not life.slack.api.faults["chat.postMessage"]
        await life.do(ana, "/action done 1")
        await life.at(datetime(2026, 11, 25, 8, 5, tzinfo=UTC), bot)
        assert not life.list_reminders(ana, OVERDUE)


async def test_a_digest_that_could_not_be_sent_for_a_day_gives_way_to_the_next(sqlite_url: str) -> None:
    async with owing(sqlite_url) as (life, bot, ana):
        await bot.slack.outbox.run_due(life.clock.now())
        life.slack.fail("chat.postMessage", "ratelimited", times=40, retry_after=3600)
        for hour in range(8, 31):
            await life.at(datetime(2026, 11, 25, tzinfo=UTC) + timedelta(hours=hour), bot)
        life.slack.api.faults.clear()
        await life.at(datetime(2026, 11, 26, 8, tzinfo=UTC), bot)
        assert len(life.list_reminders(ana, OVERDUE)) == 1
        assert "2 days overdue" in life.list_reminders(ana, OVERDUE)[0]


async def test_a_week_of_downtime_is_made_up_for_with_one_digest_a_person(sqlite_url: str) -> None:
    async with weeks(sqlite_url) as life:
        async with life.bot() as bot:
            await life.resolve(bot)
            for owner in ("Ana", "Ana", "Bo"):
                await life.do(life.ana, f"/action add a test for {owner} @{owner} Demo due 2026-11-24")
                life.clock.advance(timedelta(minutes=1))
        life.clock.set(RESOLVED + 7 * DAY)
        for _ in range(2):
            async with life.bot() as bot:
                await asyncio.gather(*(bot.tick(life.clock.now()) for _ in range(3)))
        assert [len(life.list_reminders(user, OVERDUE)) for user in (life.ana, life.bo, life.chandra)] == [1, 1, 0]


async def test_restarts_and_ticks_at_once_and_a_clock_set_back_send_nothing_twice(database_url: str) -> None:
    async with weeks(database_url) as life:
        async with life.bot() as bot:
            await life.resolve(bot)
            await life.do(life.ana, "/action add a load test @Ana Demo due 2026-11-24")
        for days, count in ((2, 1), (2, 1), (3, 2), (2, 2), (1, 2), (3, 2), (4, 3)):
            life.clock.set(RESOLVED + days * DAY)
            async with life.bot() as bot:
                await asyncio.gather(*(bot.tick(life.clock.now()) for _ in range(3)))
            assert len(life.list_reminders(life.ana, OVERDUE)) == count, days


async def test_a_new_date_is_kept_to(sqlite_url: str) -> None:
    async with owing(sqlite_url) as (life, bot, ana):
        await life.at(datetime(2026, 11, 25, 8, tzinfo=UTC), bot)
        (digest,) = digests(life, ana)
        await life.slack.click(ana, digest, "action_date")
        await bot.boundary.drain()
        assert (await life.slack.submit(ana, life.slack.views(ana)[-1], {"due": "2026-11-27"})).ok
        for day, count in ((26, 1), (27, 1), (28, 2)):
            await life.at(datetime(2026, 11, day, 8, tzinfo=UTC), bot)
            assert len(life.list_reminders(ana, OVERDUE)) == count


async def test_what_somebody_owed_who_left_goes_to_the_lead_who_can_settle_it_there(sqlite_url: str) -> None:
    async with owing(sqlite_url, "Chandra") as (life, bot, chandra):
        await life.do(life.ana, "/incident lead @Bo Demo")
        await life.leaves(chandra)
        await life.at(datetime(2026, 11, 25, 15, tzinfo=UTC), bot)
        assert not life.list_reminders(chandra, OVERDUE)
        assert not life.list_reminders(life.channel, OVERDUE)
        (message,) = [one for one in life.slack.messages(life.slack.dm(life.bo)) if one.plain.startswith(OVERDUE)]
        assert "Chandra Demo has left with 1 overdue action. Hand it over," in message.plain
        await life.slack.click(life.bo, message, "action_done")
        await life.at(datetime(2026, 11, 26, 15, tzinfo=UTC), bot)
        assert len(life.list_reminders(life.bo, OVERDUE)) == 1


async def test_what_somebody_owed_who_left_goes_to_the_channel_where_nobody_leads(sqlite_url: str) -> None:
    async with owing(sqlite_url, "Chandra") as (life, bot, chandra):
        await life.leaves(chandra)
        await life.at(datetime(2026, 11, 25, 15, tzinfo=UTC), bot)
        assert not life.list_reminders(chandra, OVERDUE)
        assert len(life.list_reminders(life.channel, OVERDUE)) == 1
