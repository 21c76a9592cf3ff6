"""The Home tab, as each person sees it."""

import pytest

from bot.incident.records import ActionStatus
from tests.playing import Play, playing


def words(play: Play, user: str) -> str:
    home = play.slack.home(user)
    assert home is not None
    return str(home["blocks"])


async def opened(play: Play, user: str) -> str:
    await play.slack.open_home(user)
    await play.settle()
    return words(play, user)


@pytest.fixture
def url(sqlite_url: str) -> str:
    return sqlite_url


async def test_an_empty_home_offers_to_open_an_incident(url: str) -> None:
    async with playing(url) as play:
        seen = await opened(play, play.ana)
        assert "Nothing is open" in seen
        assert "You owe no action" in seen
        assert "incident_form_open" in seen


async def test_a_home_shows_what_this_person_owes_and_nobody_else_s(url: str) -> None:
    async with playing(url) as play:
        for text in ("open Checkout fails", "lead @Bo Demo", "resolved"):
            await play.slack.command(play.ana, play.channel, f"/incident {text}")
        await play.slack.command(play.ana, play.channel, "/action add a load test @Bo Demo due friday")
        assert "add a load test" in await opened(play, play.bo)
        assert "You owe 1 postmortem" in words(play, play.bo)
        assert "add a load test" not in await opened(play, play.chandra)


async def test_done_in_the_home_closes_the_action_and_draws_the_home_anew(url: str) -> None:
    async with playing(url) as play:
        await play.slack.command(play.ana, play.channel, "/incident open Checkout fails")
        await play.slack.command(play.ana, play.channel, "/action add a load test @Bo Demo due friday")
        await opened(play, play.bo)
        await play.slack.click_in_home(play.bo, "action_done")
        await play.settle()
        assert play.case().actions[0].status is ActionStatus.DONE
        assert "finished action 1" in play.slack.messages(play.channel)[-1].plain
        assert "You owe no action" in words(play, play.bo)


async def test_an_incident_of_a_private_channel_is_not_seen_by_outsiders(url: str) -> None:
    async with playing(url) as play:
        room = play.slack.channel("secret-room", [play.ana], private=True)
        await play.slack.command(play.ana, room, "/incident open The quiet leak")
        assert "The quiet leak" in await opened(play, play.ana)
        assert "The quiet leak" not in await opened(play, play.bo)


async def test_two_hundred_owed_actions_stay_within_the_limits_of_a_home(url: str) -> None:
    async with playing(url) as play:
        await play.slack.command(play.ana, play.channel, "/incident open Checkout fails")
        for number in range(200):
            await play.slack.command(play.ana, play.channel, f"/action step {number} of the plan @Bo Demo due friday")
        assert "… and 180 more" in await opened(play, play.bo)
        home = play.slack.home(play.bo)
        assert home is not None
        assert len(home["blocks"]) <= 100
