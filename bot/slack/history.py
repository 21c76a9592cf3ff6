"""A channel's past, page by page, in the order of time stamps, so that a walk can go on after any interruption."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import AfterwordError
from bot.slack.failures import DEFAULT_REST, TROUBLE, refusal_in
from bot.slack.told import Told, object_in
from bot.slack.words import words

PAGE = 200
"""What is asked for; Slack gives some apps only 15."""

_OUTSIDE = frozenset({"not_in_channel", "channel_not_found"})


class Busy(AfterwordError):
    """Slack does not answer now; `wait` is in seconds. `is_told`: it said itself how long."""

    def __init__(self, wait: float, *, is_told: bool) -> None:
        super().__init__(f"Slack asks to wait for {wait:g} s.")
        self.wait = wait
        self.is_told = is_told


class Unreadable(AfterwordError):
    """The bot may not read the channel; `str(error)` says what would let it."""


@dataclass(frozen=True, slots=True)
class Page:
    """Messages as Slack tells of them, and whether there are more beyond them."""

    messages: tuple[Told, ...]
    has_more: bool


class History:
    """Reads through the bot's client; every call raises Busy or Unreadable where it gets nothing."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def before(self, channel: str, latest: str, oldest: str) -> Page:
        """The messages next before a time stamp and behind another, the newest first, without replies in threads."""
        # With `oldest` alone Slack would page forward from there.
        return await _page(
            self._client.conversations_history(channel=channel, latest=latest, oldest=oldest, limit=PAGE)
        )

    async def replies(self, channel: str, thread: str, behind: str) -> Page:
        """The replies of a thread behind a time stamp, the oldest first."""
        page = await _page(self._client.conversations_replies(channel=channel, ts=thread, oldest=behind, limit=PAGE))
        return Page(tuple(told for told in page.messages if told.get("ts") != thread), page.has_more)

    async def home(self) -> str:
        """The workspace's own address, with which those of its messages begin."""
        return str((await _answer(self._client.auth_test())).get("url") or "")


def address(home: str, channel: str, ts: str, thread: str) -> str:
    """A message's address for people, put together as Slack does: asking for each would be a call for each."""
    within = f"?thread_ts={thread}&cid={channel}" if thread and thread != ts else ""
    return f"{home}archives/{channel}/p{ts.replace('.', '')}{within}"


async def _page(call: Awaitable[Any]) -> Page:
    told = await _answer(call)
    messages = told.get("messages")
    # What is no message at all stays in its place, so that whoever reads the page can count it.
    found = tuple(object_in(each) for each in messages) if isinstance(messages, list) else ()
    return Page(found, bool(told.get("has_more")))


async def _answer(call: Awaitable[Any]) -> Told:
    try:
        data = (await call).data
    except SlackApiError as refusal:
        raise _refusal(refusal) from refusal
    except TROUBLE as error:
        raise Busy(DEFAULT_REST, is_told=False) from error
    return data if isinstance(data, dict) else {}


def _refusal(error: SlackApiError) -> AfterwordError:
    refusal = refusal_in(error)
    if refusal.is_passing:
        return Busy(DEFAULT_REST if refusal.rest is None else refusal.rest, is_told=refusal.rest is not None)
    if refusal.word == "missing_scope":
        return Unreadable(str(words.lookback.no_scope(scope=error.response.get("needed") or "channels:history")))
    if refusal.word in _OUTSIDE:
        return Unreadable(str(words.lookback.outside()))
    return Unreadable(str(words.lookback.unreadable(error=refusal.word)))
