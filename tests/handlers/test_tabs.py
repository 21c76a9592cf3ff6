"""The Home tabs of those who look at theirs follow what changes elsewhere, seldom, and for no one else."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.services import home_tab as home_tab_service
from bot.slack.refresh import HOME_TAB_PAUSE_SECONDS, HomeTabQueue, RefreshResult
from storage import people as people_store
from tests.handlers.test_home import open_home, words
from tests.support.acceptance.weeks import Weeks, weeks
from tests.support.deadlines import until
from tests.support.interactions import on_stage, open_incident, type_command
from tests.support.play import TEAM, Play


def count_publications(play: Play, user: str) -> int:
    """How often someone's tab was published."""
    calls = [call for call in play.slack.calls if call.method == "views.publish" and call.ok]
    return len([call for call in calls if call.args["user_id"] == user])


@asynccontextmanager
async def looking(url: str, *users: str, refused: str = "ratelimited") -> AsyncIterator[Play]:
    """An incident of Ana's, and Bo (or these) who looked at the Home tab once it was open."""
    async with on_stage(url, refused=[refused]) as play:
        await open_incident(play)
        for user in users or ("bo",):
            await open_home(play, getattr(play, user))
        yield play


async def done(play: Play, *texts: str) -> None:
    for text in texts:
        await type_command(play, play.ana, text)
    await play.settle()


async def test_what_others_give_to_somebody_and_take_away_shows_in_their_tab(database_url: str) -> None:
    async with looking(database_url) as play:
        await done(play, "/action add a load test @Bo Demo due friday")
        assert "add a load test" in words(play, play.bo)
        await done(play, "/action done 1")
        assert "You're all caught up" in words(play, play.bo)
        await done(play, "/incident lead @Bo Demo", "/incident resolved")
        assert "2 of 14 sections filled" in words(play, play.bo)
        await done(play, "/why because the pool ran out", "/why root")
        assert "4 of 14 sections filled" in words(play, play.bo)
        await done(play, "/postmortem owner @Chandra Demo")
        assert "You're all caught up" in words(play, play.bo)


async def test_an_action_handed_over_moves_from_one_tab_to_the_other(sqlite_url: str) -> None:
    async with looking(sqlite_url, "bo", "chandra") as play:
        await done(play, "/action add a load test @Bo Demo due friday")
        await play.slack.click_in_home(play.bo, "action_hand_over")
        await play.settle()
        await play.slack.submit(play.bo, play.slack.views(play.bo)[-1], {"owner": play.chandra})
        await play.settle()
        assert ("add a load test" in words(play, play.bo), "add a load test" in words(play, play.chandra)) == (0, 1)


async def test_the_open_incidents_are_followed_by_those_who_may_see_them(sqlite_url: str) -> None:
    async with looking(sqlite_url, "bo", "chandra") as play:
        room = play.slack.channel("secret-room", [play.ana, play.bo], private=True)
        before = count_publications(play, play.chandra)
        await type_command(play, play.ana, "/incident open The quiet leak", room)
        await play.settle()
        assert "The quiet leak" in words(play, play.bo)
        assert "2 open incidents" in words(play, play.bo)
        assert count_publications(play, play.chandra) == before
        await done(play, "/incident sev 1", "/incident resolved")
        for user in (play.bo, play.chandra):
            assert "Recently resolved" in words(play, user)
            assert "sev1 · lasted" in words(play, user)


async def test_what_does_not_show_is_not_published_and_who_never_looked_is_left_alone(sqlite_url: str) -> None:
    async with looking(sqlite_url) as play:
        await done(play, "/action add a load test @Bo Demo due friday")
        before = count_publications(play, play.bo)
        play.clock.advance(timedelta(minutes=10))  # an older age alone is not worth a publication
        await done(play, "/timeline failed over", "/action change the keys @Chandra Demo due friday")
        await done(play, "/why because the pool ran out")
        assert count_publications(play, play.bo) == before
        assert "less than a minute" in words(play, play.bo)
        assert "10 min" in await open_home(play, play.bo)
        assert count_publications(play, play.chandra) == count_publications(play, play.ana) == 0


async def test_a_tab_that_nobody_looked_at_for_a_week_waits_for_its_next_opening(sqlite_url: str) -> None:
    async with looking(sqlite_url) as play:
        play.clock.advance(timedelta(days=7, seconds=1))
        await done(play, "/action add a load test @Bo Demo")
        assert "You're all caught up" in words(play, play.bo)
        assert "add a load test" in await open_home(play, play.bo)


async def test_a_burst_of_changes_is_one_publication_a_person(sqlite_url: str) -> None:
    async with looking(sqlite_url, "bo", "chandra") as play:
        before, began = count_publications(play, play.bo), time.monotonic()

        def pauses() -> float:
            return (time.monotonic() - began) // HOME_TAB_PAUSE_SECONDS

        for number in range(30):
            await type_command(play, play.ana, f"/action step {number} @Bo Demo due friday")
        assert count_publications(play, play.bo) - before <= 1 + pauses()
        await play.settle()
        assert count_publications(play, play.bo) - before <= 2 + pauses()
        assert "1–20 of 30" in words(play, play.bo)


async def test_slack_is_left_alone_for_as_long_as_it_asks_and_nothing_is_lost(sqlite_url: str) -> None:
    async with looking(sqlite_url) as play:
        play.slack.fail("views.publish", "ratelimited", retry_after=60)
        await done(play, "/action add a load test @Bo Demo due friday")
        before = count_publications(play, play.bo)
        await done(play, "/action mend the alert @Bo Demo due friday")
        assert count_publications(play, play.bo) == before
        assert "You're all caught up" in words(play, play.bo)
        assert 0 < play.bot.slack.home_tabs._quiet_until - time.monotonic() <= 60
        play.bot.slack.home_tabs._quiet_until = time.monotonic()  # a minute later
        await play.settle()
        assert "*Your actions* · 2 open" in words(play, play.bo)
        assert count_publications(play, play.bo) == before + 1


async def test_what_fell_due_shows_with_the_digest_though_nobody_did_anything(sqlite_url: str) -> None:
    async with looking(sqlite_url) as play:
        await done(play, "/action add a load test @Bo Demo due tomorrow")
        assert "Due Tue 24 Nov" in words(play, play.bo)
        await play.pass_time(days=2, hours=2)
        await play.settle()
        assert "1 day overdue" in words(play, play.bo)


async def test_a_restart_finds_what_was_changed_and_not_shown(sqlite_url: str) -> None:
    async with weeks(sqlite_url) as life:
        async with life.bot() as bot:
            await life.do(life.ana, "/incident open checkout is failing")
            for user in (life.bo, life.chandra):
                await life.slack.open_home(user)
            await bot.boundary.drain()
            await life.do(life.ana, "/action add a load test @Bo Demo due friday")
        assert "add a load test" not in str(life.slack.home(life.bo))
        calls = len(publications(life))
        async with life.bot() as bot:
            bot.slack.home_tabs._pause = bot.slack.home_tabs._pace = 0.01
            await until(lambda: "add a load test" in str(life.slack.home(life.bo)))
        assert publications(life)[calls:] == [life.bo]


def publications(life: Weeks) -> list[str]:
    return [call.args["user_id"] for call in life.slack.calls if call.method == "views.publish"]


async def test_only_so_many_of_those_who_owe_nothing_are_told_of_a_new_incident(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_tab_service, "MOST_TABS", 2)
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action add a load test @Ana Demo due friday")
        for user in (play.ana, play.bo, play.chandra, play.slack.user("Dora Demo", "Europe/Berlin")):
            await open_home(play, user)
            play.clock.advance(timedelta(minutes=1))
        before = count_publications(play, play.bo)
        await type_command(play, play.ana, "/incident sev 1")
        await play.settle()
        assert "sev1" in words(play, play.ana)  # she has something to do in it
        assert "sev1" in words(play, play.chandra)
        assert count_publications(play, play.bo) == before


async def test_ten_thousand_tabs_cost_a_change_no_more_than_those_it_shows_in(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        now = play.clock.now()

        def crowd(tx):  # type: ignore[no-untyped-def]
            for number in range(10_000):
                people_store.save_tab_opened(tx, TEAM, f"U{number:08}", now)

        await play.bot.store.write(crowd)
        await open_home(play, play.bo)
        calls = len(play.slack.calls)
        await type_command(play, play.ana, "/action add a load test @Bo Demo due friday")
        await play.settle()
        assert "add a load test" in words(play, play.bo)
        assert [call.method for call in play.slack.calls[calls:]].count("views.publish") == 1


async def test_an_error_in_drawing_is_one_lost_tab_and_not_the_end(sqlite_url: str) -> None:
    async with looking(sqlite_url) as play:
        broken = HomeTabQueue()
        broken.refresh_with(Broken())
        broken.mark_changed([(1, "incident")])
        broken.mark_stale(TEAM, play.bo)
        await broken.refresh_now()
        assert not broken.is_behind


class Broken:
    """What no drawer should be."""

    async def find_affected(self, changes: object) -> tuple[tuple[str, str], ...]:
        raise ValueError(changes)

    async def list_viewers(self) -> tuple[tuple[str, str], ...]:
        raise ValueError

    async def refresh(self, team: str, person: str, *, force: bool = False) -> RefreshResult:
        raise ValueError(team, person, force)
