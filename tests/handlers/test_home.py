"""The Home tab, as each person sees it."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.records import ActionStatus
from bot.rehearsal.screen import list_elements
from tests.support.interactions import on_stage, type_command
from tests.support.play import TEAM, Play, playing


def words(play: Play, user: str) -> str:
    home = play.slack.home(user)
    assert home is not None
    return str(home["blocks"])


async def open_home(play: Play, user: str) -> str:
    await play.slack.open_home(user)
    await play.settle()
    return words(play, user)


def buttons(play: Play, user: str) -> list[str]:
    """The words on the buttons of someone's tab."""
    home = play.slack.home(user)
    assert home is not None
    return [element["text"]["text"] for _, element in list_elements(home["blocks"]) if element["type"] == "button"]


def find_lines(play: Play, user: str, *marks: str) -> list[str]:
    """The sections of someone's tab that have one of these words."""
    home = play.slack.home(user)
    assert home is not None
    texts = (block["text"]["text"] for block in home["blocks"] if block["type"] == "section")
    return [text for text in texts if any(mark in text for mark in marks)]


async def owing(play: Play, count: int) -> None:
    """Bo has so many actions to do."""
    await type_command(play, play.ana, "/incident open Checkout fails")
    for number in range(count):
        await type_command(play, play.ana, f"/action step {number} of the plan @Bo Demo due friday")


def pages(play: Play) -> list[str]:
    """The buttons of Bo's tab that go to other pages."""
    return [label for label in buttons(play, play.bo) if label.startswith(("Previous", "Next"))]


async def turn_page(play: Play, button: str) -> None:
    assert (await play.slack.click_in_home(play.bo, button)).ok
    await play.settle()


async def filled_in(play: Play, button: str, values: dict[str, Any]) -> None:
    """Bo presses a button of his tab and sends the form that opens."""
    assert (await play.slack.click_in_home(play.bo, button)).ok
    await play.settle()
    assert (await play.slack.submit(play.bo, play.slack.views(play.bo)[-1], values)).ok
    await play.settle()


@pytest.fixture
def url(sqlite_url: str) -> str:
    return sqlite_url


async def test_an_empty_home_offers_to_open_an_incident(url: str) -> None:
    async with playing(url) as play:
        seen = await open_home(play, play.ana)
        assert "You're all caught up" in seen
        assert "No open incidents" in seen
        assert "Recently resolved" not in seen
        assert buttons(play, play.ana) == ["Open an incident", "Help"]


async def test_a_home_shows_what_this_person_has_to_do_and_no_one_else_s(url: str) -> None:
    async with playing(url) as play:
        for text in ("open Checkout fails", "lead @Bo Demo", "resolved"):
            await play.slack.command(play.ana, play.channel, f"/incident {text}")
        await play.slack.command(play.ana, play.channel, "/action add a load test @Bo Demo due friday")
        assert "add a load test" in await open_home(play, play.bo)
        assert "*Your postmortems* · 1 to finish" in words(play, play.bo)
        assert "add a load test" not in await open_home(play, play.chandra)


async def test_done_in_the_home_closes_the_action_and_draws_the_home_anew(url: str) -> None:
    async with playing(url) as play:
        await play.slack.command(play.ana, play.channel, "/incident open Checkout fails")
        await play.slack.command(play.ana, play.channel, "/action add a load test @Bo Demo due friday")
        await open_home(play, play.bo)
        await play.slack.click_in_home(play.bo, "action_done")
        await play.settle()
        assert play.case().actions[0].status is ActionStatus.DONE
        assert "Action 1 of INC-1 is done" in play.slack.messages(play.slack.dm(play.bo))[-1].plain
        assert "You're all caught up" in words(play, play.bo)


async def test_somebody_new_reads_examples_until_they_have_recorded_something(url: str) -> None:
    async with on_stage(url) as play:
        seen = await open_home(play, play.bo)
        assert [f"`/{start}" in seen for start in ("incident open ", "timeline 14:05 ", "incident resolved`")] == [
            True
        ] * 3
        await type_command(play, play.ana, "/incident open Checkout fails")
        assert "New here?" in await open_home(play, play.bo)
        await type_command(play, play.bo, "/timeline failed over")
        for user in (play.ana, play.bo):
            assert "New here?" not in await open_home(play, user)


async def test_what_is_open_and_what_is_over_is_told_with_its_severity_lead_and_age(url: str) -> None:
    async with on_stage(url) as play:
        room = play.slack.channel("payments", [play.ana, play.bo])
        edge = play.slack.channel("edge", [play.ana])
        await type_command(play, play.ana, "/incident open Payouts are slow", room)
        await type_command(play, play.ana, "/incident open Edge drops requests", edge)
        await type_command(play, play.ana, "/incident sev 3", edge)
        await type_command(play, play.ana, "/incident open Checkout fails")
        await type_command(play, play.ana, "/incident sev 1")
        await type_command(play, play.ana, "/incident lead @Bo Demo")
        play.clock.advance(timedelta(minutes=12))
        await type_command(play, play.ana, "/incident resolved", edge)
        await open_home(play, play.chandra)
        (heading, worst, other, over) = find_lines(play, play.chandra, "incidents", "INC-")
        assert heading == "*2 open incidents*"
        assert worst == f":red_circle: *INC-3* Checkout fails\nsev1 · open · lead <@{play.bo}> · 12 min"
        assert other == ":white_circle: *INC-1* Payouts are slow\nNo severity · open · no lead · 12 min"
        assert over == (
            f":large_yellow_circle: *INC-2* Edge drops requests\nsev3 · lasted 12 min · postmortem open · <#{edge}>"
        )
        home = play.slack.home(play.chandra)
        assert home is not None
        urls = [element["url"] for _, element in list_elements(home["blocks"]) if "url" in element]
        assert urls == [f"https://slack.com/app_redirect?team={TEAM}&channel={place}" for place in (play.channel, room)]
        assert (await play.slack.click_in_home(play.chandra, "incident_channel")).ok


async def test_the_search_field_opens_its_results_in_a_window_that_searches_on(url: str) -> None:
    async with on_stage(url) as play:
        secret = play.slack.channel("secret-room", [play.ana], private=True)
        await type_command(play, play.ana, "/incident open Checkout pool exhausted")
        await type_command(play, play.ana, "/incident open The pool of keys leaked", secret)
        await open_home(play, play.bo)
        await play.slack.click_in_home(play.bo, "home_search", "pool")
        await play.settle()
        (window,) = play.slack.views(play.bo)
        assert "1 match for *pool*" in window.plain
        assert "*INC-1* Checkout pool exhausted\nopen since Mon 23 Nov · #checkout" in window.plain
        for typed, told_back in (
            ("zzz", "No matches for *zzz*."),
            ("the", "Type a word"),
            ("pool", "1 match for *pool*"),
        ):
            await play.slack.submit(play.bo, play.slack.views(play.bo)[-1], {"text": typed})
            await play.settle()
            assert told_back in play.slack.views(play.bo)[-1].plain
            assert "keys" not in play.slack.views(play.bo)[-1].plain


async def test_help_lists_all_that_can_be_typed(url: str) -> None:
    async with on_stage(url) as play:
        assert "read in *New York*, the time zone of your Slack profile" in await open_home(play, play.bo)
        await play.slack.click_in_home(play.bo, "home_help")
        await play.settle()
        (window,) = play.slack.views(play.bo)
        for command in ("incident", "timeline", "why", "action", "postmortem"):
            assert f"`/{command}" in window.plain


async def test_an_incident_of_a_private_channel_is_not_seen_by_outsiders(url: str) -> None:
    async with playing(url) as play:
        room = play.slack.channel("secret-room", [play.ana], private=True)
        await play.slack.command(play.ana, room, "/incident open The quiet leak")
        assert "The quiet leak" in await open_home(play, play.ana)
        assert "The quiet leak" not in await open_home(play, play.bo)


async def test_two_hundred_owed_actions_are_paged_within_the_limits_of_a_home(url: str) -> None:
    async with on_stage(url) as play:
        await owing(play, 200)
        assert "1–20 of 200" in await open_home(play, play.bo)
        assert "step 0 of" in words(play, play.bo)
        assert pages(play) == ["Next 20"]
        await turn_page(play, "home_on")
        assert "21–40 of 200" in words(play, play.bo)
        assert "step 20 of" in words(play, play.bo)
        assert "step 0 of" not in words(play, play.bo)
        assert pages(play) == ["Previous 20", "Next 20"]
        for _ in range(8):
            await turn_page(play, "home_on")
        assert "181–200 of 200" in words(play, play.bo)
        assert pages(play) == ["Previous 20"]
        await turn_page(play, "home_back")
        assert "161–180 of 200" in words(play, play.bo)
        assert "1–20 of 200" in await open_home(play, play.bo)


async def test_the_page_stays_where_it_was_turned_to_when_something_changes(url: str) -> None:
    async with on_stage(url) as play:
        await owing(play, 21)
        await open_home(play, play.bo)
        await turn_page(play, "home_on")
        assert "21–21 of 21" in words(play, play.bo)
        await type_command(play, play.ana, "/action one more @Bo Demo due 2026-12-24")
        await play.settle()
        assert "21–22 of 22" in words(play, play.bo)
        for number in (21, 22):
            await type_command(play, play.ana, f"/action done {number}")
        await play.settle()
        assert "*Your actions* · 20 open" in words(play, play.bo)
        assert "step 0 of" in words(play, play.bo)


async def test_a_home_full_of_everything_is_within_the_limits(url: str) -> None:
    async with on_stage(url) as play:
        for number in range(24):
            room = play.slack.channel(f"room-{number}", [play.ana, play.bo])
            await type_command(play, play.ana, f"/incident open {'a long title ' * 20}{number}", room)
            await type_command(play, play.ana, "/incident lead @Bo Demo", room)
            if number % 2:
                await type_command(play, play.ana, "/incident resolved", room)
            for _ in range(2):
                await type_command(play, play.ana, f"/action {'what to do ' * 50} @Bo Demo due friday", room)
                play.clock.advance(timedelta(seconds=11))
        seen = await open_home(play, play.bo)
        assert "1–20 of 48" in seen
        assert "1–10 of 12" in seen
        await play.slack.click_in_home(play.bo, "home_on", '{"part": "postmortems", "from": 10}')
        await play.settle()
        assert "11–12 of 12" in words(play, play.bo)
        assert "1–20 of 48" in words(play, play.bo)


async def test_an_action_is_handed_over_and_dropped_from_the_home(url: str) -> None:
    async with on_stage(url) as play:
        await owing(play, 2)
        await open_home(play, play.bo)
        assert buttons(play, play.bo)[:4] == ["Done", "New date", "Hand over", "Won't do …"]
        await filled_in(play, "action_hand_over", {"owner": play.chandra})
        assert "*Your actions* · 1 open" in words(play, play.bo)
        await filled_in(play, "action_drop", {"reason": "the proxy does it"})
        assert "You're all caught up" in words(play, play.bo)
        handed, dropped = play.case().actions
        assert handed.owner == play.chandra
        assert (dropped.status, dropped.reason) == (ActionStatus.DROPPED, "the proxy does it")


async def test_a_postmortem_is_filled_and_handed_over_from_the_home(url: str) -> None:
    async with on_stage(url) as play:
        for text in ("open Checkout fails", "lead @Bo Demo", "resolved"):
            await type_command(play, play.ana, f"/incident {text}")
        assert "1 of 14 sections filled" in await open_home(play, play.bo)
        assert buttons(play, play.bo)[:3] == ["Fill: Root cause", "Export", "Hand over"]
        before = play.slack.messages(play.slack.dm(play.bo))
        await filled_in(play, "postmortem_fill", {"text_0": "One in five customers could not pay."})
        assert "2 of 14 sections filled" in words(play, play.bo)
        assert play.slack.messages(play.slack.dm(play.bo)) == before  # the tab shows it
        await filled_in(play, "postmortem_hand_over", {"owner": play.ana})
        assert "You're all caught up" in words(play, play.bo)
        assert play.case().incident.postmortem_owner == play.ana


async def test_what_is_owed_in_a_private_channel_that_its_owner_left_is_not_told(url: str) -> None:
    async with on_stage(url) as play:
        room = play.slack.channel("secret-room", [play.ana, play.bo], private=True)
        for text in ("open The quiet leak", "lead @Bo Demo", "resolved"):
            await type_command(play, play.ana, f"/incident {text}", room)
        await type_command(play, play.ana, "/action change the keys @Bo Demo due friday", room)
        seen = await open_home(play, play.bo)
        assert "change the keys" in seen
        assert seen.count("The quiet leak") == 2
        await play.slack.leave(play.bo, room)
        await play.settle()
        for seen in (words(play, play.bo), await open_home(play, play.bo)):
            assert "*Your actions* · 1 open" in seen
            assert seen.count("1 of these is in a channel that you can't see") == 2
            assert not any(secret in seen for secret in ("change the keys", "quiet leak", "INC-1", room))
        await play.slack.arrive(play.bo, room, by=play.ana)
        await play.settle()
        assert "change the keys" in words(play, play.bo)


async def test_what_slack_does_not_say_of_a_channel_is_closed_and_asked_again(url: str) -> None:
    async with on_stage(url, refused=["internal_error"]) as play:
        room = play.slack.channel("secret-room", [play.ana, play.bo], private=True)
        await type_command(play, play.ana, "/incident open The quiet leak", room)
        await type_command(play, play.ana, "/action change the keys @Bo Demo due friday", room)
        await play.settle()  # the DM about it asks the same
        play.bot.services.slack.channels.forget(room)
        play.slack.fail("conversations.members", "internal_error")
        assert "change the keys" not in await open_home(play, play.bo)
        assert play.bot.slack.home_tabs.is_behind
        assert "change the keys" in await open_home(play, play.bo)


async def test_a_channel_that_the_bot_was_taken_out_of_is_nobody_s_and_holds_nothing_up(url: str) -> None:
    async with on_stage(url, refused=["channel_not_found"]) as play:
        room = play.slack.channel("secret-room", [play.ana, play.bo], private=True)
        await type_command(play, play.ana, "/incident open The quiet leak", room)
        play.slack.workspace.channels[room].members.discard(play.slack.bot_user_id)
        assert "No open incidents" in await open_home(play, play.bo)
        assert not play.bot.slack.home_tabs.is_behind
