"""One message that cannot be read never stops a look back: it is skipped, counted, and told of."""

from typing import Any

import pytest

from bot.rehearsal.workspace import Message
from bot.services import history_scan as history_scan_service
from bot.slack.messages_in import ChannelHistory
from tests.support.history_scans import chosen, looked_back, options, say, talk, until, walk
from tests.support.interactions import labels
from tests.support.play import NOON, Play
from tests.support.slack.proxy_answers import Odd, client_to

Json = dict[str, Any]


def odd(play: Play, user: str = "", **parts: Any) -> Message:
    """A message that Slack tells of in another shape than ours."""
    message = say(play, user or play.bo, "odd")
    message.payload = {"type": "message", **parts}
    return message


def told_of(message: Message, **parts: Any) -> None:
    message.payload = {"type": "message", "ts": message.ts, **parts}


async def test_a_message_without_a_time_costs_itself_alone(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:  # hfaran/slack-export-viewer#165
        say(play, play.bo, "04:20 first alert")
        odd(play, user=play.bo, text="04:21 no ts")
        say(play, play.bo, "04:22 failed over")
        until(play, NOON)
        result = await looked_back(play)
        assert "*2 possible entries*" in result.plain
        assert "I skipped 1 message that I couldn't read." in result.plain
        assert labels(result) == ["Review messages"]
        assert list(options(await chosen(play)).values()) == ["first alert", "failed over"]


ODD: list[Json] = [
    {"user": None, "text": None},
    {"user": {"id": "U1"}, "text": ["04:21", "down"]},
    {"user": "U0BO", "text": {"text": "04:21 down"}},
    {"user": "U0BO", "text": None, "blocks": {"type": "section"}, "attachments": "none", "files": 7},
    {
        "user": "U0BO",
        "text": None,
        "blocks": [None, 1, "x", {"type": ["section"]}],
        "files": [None],
        "attachments": [0],
    },
    {"user": "U0BO", "reactions": [None, {"name": 3}], "reply_count": "many", "thread_ts": 5, "subtype": ["x"]},
    {"text": "04:21 nobody said this"},
    {"user": "U0BO", "text": "04:21 " + "x" * 50_000},
]


@pytest.mark.parametrize("parts", ODD)
async def test_whatever_a_message_holds_the_rest_is_proposed(sqlite_url: str, parts: Json) -> None:
    async with talk(sqlite_url, refused=["user_not_found", "thread_not_found"]) as play:
        say(play, play.bo, "04:20 first alert")
        message = say(play, play.bo, "odd")
        told_of(message, **{name: play.bo if value == "U0BO" else value for name, value in parts.items()})
        say(play, play.bo, "04:22 failed over")
        until(play, NOON)
        assert "*2 possible entries*" in (await looked_back(play)).plain


@pytest.mark.parametrize("parts", [*ODD[1:4], *ODD[6:]])
async def test_words_that_could_not_be_read_are_counted(sqlite_url: str, parts: Json) -> None:
    async with talk(sqlite_url, refused=["user_not_found"]) as play:
        message = say(play, play.bo, "odd")
        told_of(message, **{name: play.bo if value == "U0BO" else value for name, value in parts.items()})
        until(play, NOON)
        result = await looked_back(play)
        assert "Found nothing for INC-1" in result.plain
        assert "I skipped 1 message" in result.plain


async def test_odd_messages_at_the_ends_of_pages_are_counted_once(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        play.slack.workspace.history_page = 3
        for number in range(8):
            say(play, play.bo, f"04:2{number} line {number}")
            odd(play, user=play.bo, text="no ts")
        until(play, NOON)
        result = await looked_back(play)
        assert "*8 possible entries*" in result.plain
        assert "in 16 messages of" in result.plain
        assert "I skipped 8 messages" in result.plain


async def test_a_thread_with_an_odd_reply_is_read_to_its_end(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        play.slack.workspace.history_page = 3
        root = say(play, play.bo, "04:20 first alert")
        for number in range(3):
            odd(play, user=play.bo, text="no ts").thread_ts = root.ts
            say(play, play.chandra, f"15:0{number} step {number}", thread_ts=root.ts)
        until(play, NOON)
        result = await looked_back(play)
        assert "*4 possible entries*" in result.plain
        assert "I skipped 3 messages" in result.plain


async def test_a_page_in_which_no_message_has_a_time_ends_the_walk_and_says_where(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        play.slack.workspace.history_page = 3
        say(play, play.bo, "04:20 long before")
        for _ in range(4):
            odd(play, user=play.bo, text="no ts")
        say(play, play.bo, "04:25 first alert")
        until(play, NOON)
        result = await looked_back(play)
        assert "*1 possible entry*" in result.plain
        assert "I stopped after" in result.plain
        assert "skipped" in result.plain
        assert walk(play).state == "done"


async def test_a_message_over_which_something_stumbles_is_skipped(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with talk(sqlite_url) as play:
        say(play, play.bo, "04:20 first alert")
        say(play, play.bo, "04:21 stumble")
        until(play, NOON)
        monkeypatch.setattr(history_scan_service, "find_reason", _stumbling)
        result = await looked_back(play)
        assert "I skipped 1 message" in result.plain
        assert "couldn't be read" in caplog.text
        caplog.clear()


def _stumbling(text: str, **_: bool) -> None:
    if "stumble" in text:
        raise ValueError("year 0 is out of range")


async def test_what_is_no_message_at_all_keeps_its_place() -> None:
    body = b'{"ok": true, "messages": [null, 7, "x", {"ts": "1.000001", "text": "a"}], "has_more": false}'
    async with client_to(Odd(200, "application/json", body)) as client:
        page = await ChannelHistory(client).before("C1", "2", "0")
    assert page.messages == ({}, {}, {}, {"ts": "1.000001", "text": "a"})
