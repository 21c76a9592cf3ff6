"""The walk of a look back: paging, waiting, breaking off and going on."""

import asyncio

import pytest

from bot.services import history_scan as history_scan_service
from bot.services.history_scan import LEASE, HistoryScanner
from bot.slack.messages_in import ChannelHistory
from tests.support import deadlines
from tests.support.history_scans import chosen, in_dm, looked_back, say, talk, ticked_lines, until, walk, walk_on
from tests.support.interactions import labels, open_incident, press, type_command
from tests.support.play import NOON, Play


def three_thousand(play: Play) -> None:
    """What was said in a busy channel: one in a hundred with a time, and one thread of forty replies."""
    play.slack.workspace.history_page = 15
    place = play.slack.workspace.channels[play.channel]
    root = play.slack.workspace.put(place, play.bo, "04:01 it begins")
    for number in range(2_960):
        text = f"04:{number % 60:02} line {number}" if number % 100 == 0 else f"{number} times"
        play.slack.workspace.put(place, play.bo, text)
    for number in range(40):
        play.slack.workspace.put(place, play.ana, f"reply {number}", thread_ts=root.ts)


async def test_three_thousand_messages_at_fifteen_a_page_are_walked_through_all_waits(sqlite_url: str) -> None:
    async with talk(sqlite_url, refused=["ratelimited"]) as play:
        three_thousand(play)
        until(play, NOON)
        for wait in (60, 1, 300):
            play.slack.fail("conversations.history", "ratelimited", retry_after=wait)
        play.slack.fail("conversations.replies", "ratelimited", retry_after=30)
        result = await looked_back(play)
        assert "*31 possible entries*" in result.plain  # thirty with a time, and the first of the thread
        assert "in 3,001 messages" in result.plain
        assert len(ticked_lines(await chosen(play))) == 31


async def test_while_slack_asks_to_wait_nothing_is_asked(sqlite_url: str) -> None:
    async with talk(sqlite_url, refused=["ratelimited"]) as play:
        say(play, play.bo, "04:20 first alert")
        until(play, NOON)
        await open_incident(play)
        play.slack.fail("conversations.history", "ratelimited", retry_after=100)
        await press(play, play.ana, "lookback_24")
        for _ in range(6):
            await play.pass_time(seconds=15)
        assert len([call for call in play.slack.calls if call.method == "conversations.history"]) == 1
        assert "1 message" in (await walk_on(play)).plain


async def test_a_walk_that_is_broken_off_goes_on_where_it_was(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        three_thousand(play)
        until(play, NOON)
        await open_incident(play)
        await press(play, play.ana, "lookback_24")
        await play.pass_time(seconds=15)
        before = walk(play)
        assert 0 < before.seen < 1_000
        play.slack.fail("conversations.history", until=asyncio.Event())
        walking = asyncio.create_task(play.pass_time(seconds=15))
        await deadlines.until(lambda: not play.slack.api.faults["conversations.history"])
        walking.cancel()  # the process ends in the middle of a call
        with pytest.raises(asyncio.CancelledError):
            await walking
        assert walk(play).cursor == before.cursor
        await play.pass_time(seconds=15)
        assert walk(play).seen == before.seen  # someone may still be at it
        play.clock.advance(LEASE)
        anew = HistoryScanner(play.bot.services, ChannelHistory(play.bot.client))
        await anew.run_due(play.clock.now())
        assert before.seen < walk(play).seen
        assert "*31 possible entries*" in (await walk_on(play)).plain


async def test_without_the_permission_one_sentence_names_it(sqlite_url: str) -> None:
    async with talk(sqlite_url, refused=["missing_scope"]) as play:
        token = play.slack.workspace.tokens[play.slack.bot_token]
        token.scopes.discard("channels:history")
        until(play, NOON)
        result = await looked_back(play)
        assert "doesn't have the permission channels:history" in result.plain.replace("`", "")
        assert labels(result) == ["Scan again"]
        token.scopes.add("channels:history")
        say(play, play.bo, "07:20 first alert")
        await press(play, play.ana, "lookback_again", channel=play.slack.dm(play.ana))
        assert "1 message" in (await walk_on(play)).plain


async def test_in_a_channel_that_it_is_not_in_the_bot_asks_to_be_invited(sqlite_url: str) -> None:
    async with talk(sqlite_url, refused=["not_in_channel"]) as play:
        room = play.slack.channel("elsewhere", [play.ana], with_bot=False)
        until(play, NOON)
        await type_command(play, play.ana, "/incident open Elsewhere", room)
        await press(play, play.ana, "lookback_2", channel=room)
        await play.pass_time(seconds=15)
        await play.settle()
        assert "/invite" in in_dm(play)[-1].plain


async def test_messages_in_progress_are_given_up_when_slack_never_answers(sqlite_url: str) -> None:
    async with talk(sqlite_url, refused=["internal_error"]) as play:
        say(play, play.bo, "04:20 first alert")
        until(play, NOON)
        play.slack.fail("conversations.history", "internal_error", times=30)
        assert "Slack didn't answer" in (await looked_back(play)).plain


async def test_a_walk_that_saw_enough_stops_and_says_where(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_scan_service, "MOST_SEEN", 300)
    async with talk(sqlite_url) as play:
        place = play.slack.workspace.channels[play.channel]
        for number in range(700):
            play.slack.workspace.put(place, play.bo, "04:20 first alert" if number == 600 else f"{number} times")
        until(play, NOON)
        result = await looked_back(play)
        assert "I stopped after 400 messages. I didn't read what was said before Mon 23 Nov, 09:30 UTC." in result.plain
        assert "*1 possible entry*" in result.plain
