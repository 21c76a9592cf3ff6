"""Messages of Slack: find one, link to it, mark it as recorded, and parse it; and the pages of a channel's history.

`ts` is Slack's time stamp of a message, which identifies it within its channel.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import bounds
from bot.domain.text import clean_input
from bot.errors import AfterwordError, Refused
from bot.slack.errors import CALL_ERRORS, DEFAULT_REST, describe_cause, parse_refusal
from bot.slack.message_text import (
    JsonObject,
    attachment_files,
    attachment_text,
    choose_text,
    drop_placeholder,
    join_lines,
    read_count,
    read_object,
    read_objects,
    read_string,
)
from bot.slack.views import blocks
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from bot.timeouts import Timeouts

log = logging.getLogger(__name__)

RECORDED = "white_check_mark"
ASKED = "question"

_GONE = frozenset({"message_not_found", "thread_not_found"})
_OUTSIDE = frozenset({"not_in_channel", "channel_not_found"})


class MessageUnavailable(AfterwordError):
    """Slack did not return the message now. Nothing was written; a repeated event may succeed."""


class Messages:
    """Reads and marks messages through the bot's client."""

    def __init__(self, client: AsyncWebClient, timeouts: Timeouts = Timeouts()) -> None:
        self._client = client
        self._timeouts = timeouts

    async def find(self, channel: str, ts: str) -> JsonObject:
        """The message with exactly this time stamp.

        Raises Refused if it is gone or may not be read, MessageUnavailable if Slack does not answer now.
        """
        exactly: dict[str, Any] = {"channel": channel, "oldest": ts, "latest": ts, "inclusive": True}
        # For a reply in a thread, history returns nothing or the message before it, so the time stamp is compared.
        found = await self._fetch(self._client.conversations_history(**exactly, limit=1))
        message = _find_by_ts(found, ts)
        if message is None:
            found = await self._fetch(self._client.conversations_replies(**exactly, ts=ts, limit=10))
            message = _find_by_ts(found, ts)
        if message is None and (parent := next((each.get("thread_ts") for each in found), None)):
            message = _find_by_ts(
                await self._fetch(self._client.conversations_replies(**exactly, ts=parent, limit=10)), ts
            )
        if message is None:
            raise Refused(words.capture.message_gone())
        return message

    async def _fetch(self, call: Awaitable[Any]) -> list[JsonObject]:
        try:
            async with asyncio.timeout(self._timeouts.slack_message):
                return read_objects((await call).get("messages"))
        except SlackApiError as refusal:
            reason = parse_refusal(refusal)
            if reason.word == "thread_not_found":
                return []
            if reason.is_passing:
                raise MessageUnavailable(f"Slack did not give a message ({reason.word or 'no reason'}).") from refusal
            log.info(
                "Slack doesn't let a message be read (%(cause)s).", {"event": "message_unread", "cause": reason.word}
            )
            raise Refused(_unreadable(reason.word)) from refusal
        except CALL_ERRORS as error:
            raise MessageUnavailable(f"Slack did not give a message ({type(error).__name__}).") from error

    async def permalink(self, channel: str, ts: str) -> str:
        """The message's address for people; empty if Slack does not answer in time, since recording must not wait."""
        answer = await self._try(self._client.chat_getPermalink(channel=channel, message_ts=ts))
        return str(answer.get("permalink") or "")

    async def mark(self, channel: str, ts: str, *, by: str = RECORDED) -> None:
        """Add the bot's reaction to a message. Failures are ignored: the reaction is only a sign."""
        await self._try(self._client.reactions_add(channel=channel, timestamp=ts, name=by))

    async def unmark(self, channel: str, ts: str, *, by: str = RECORDED) -> None:
        """Remove the bot's reaction from a message. Failures are ignored."""
        await self._try(self._client.reactions_remove(channel=channel, timestamp=ts, name=by))

    async def holders(self, channel: str, ts: str, reaction: str) -> frozenset[str]:
        """The users with this reaction on a message, in any skin tone; none if the message is gone.

        Raises MessageUnavailable if Slack does not answer now.
        """
        try:
            async with asyncio.timeout(self._timeouts.slack_message):
                answer: Any = await self._client.reactions_get(channel=channel, timestamp=ts, full=True)
        except SlackApiError as refusal:
            if parse_refusal(refusal).is_passing:
                raise MessageUnavailable("Slack did not tell who reacted.") from refusal
            return frozenset()
        except CALL_ERRORS as error:
            raise MessageUnavailable(f"Slack did not tell who reacted ({type(error).__name__}).") from error
        reactions = (answer.get("message") or {}).get("reactions") or ()
        return frozenset(
            user for each in reactions if strip_skin_tone(each["name"]) == reaction for user in each["users"]
        )

    async def _try(self, call: Awaitable[Any]) -> JsonObject:
        try:
            async with asyncio.timeout(self._timeouts.slack_message):
                answer = (await call).data
        except CALL_ERRORS as error:
            cause = describe_cause(error)
            # These two mean that it already is as wanted.
            if cause not in ("already_reacted", "no_reaction"):
                log.info(
                    "Slack didn't let a recorded message be marked or linked to (%(cause)s). The entry is recorded.",
                    {"event": "message_unmarked", "cause": cause},
                )
            return {}
        return answer if isinstance(answer, dict) else {}


def strip_skin_tone(reaction: str) -> str:
    """A reaction's name without colons and skin tone."""
    return reaction.strip(":").partition("::")[0]


def _find_by_ts(messages: list[JsonObject], ts: str) -> JsonObject | None:
    return next((message for message in messages if read_string(message.get("ts")) == ts), None)


def _unreadable(error: str) -> str:
    """Why the message cannot be read, and a way that works without reading it."""
    if error in _GONE:
        return words.capture.message_gone()
    if error in _OUTSIDE:
        return words.capture.outside()
    return words.capture.unreadable(why=words.general.slack_refusal(error=error))


def add_source(question: Message, source: str) -> Message:
    """The question about a time, with the captured message's `source` in its buttons.

    Raises Refused if text and source do not fit into the buttons.
    """
    return {**question, "blocks": [_add_source_to_row(block, source) for block in question["blocks"]]}


def _add_source_to_row(block: Block, source: str) -> Block:
    if block["type"] != "actions":
        return block
    buttons = [
        {
            **button,
            "action_id": button["action_id"].replace("timeline_at_", "capture_at_"),
            "value": json.dumps(json.loads(button["value"]) | {"source": source}, ensure_ascii=False),
        }
        for button in block["elements"]
    ]
    if any(len(button["value"]) > blocks.BUTTON_VALUE for button in buttons):
        raise Refused(words.capture.too_long_to_ask())
    return {**block, "elements": buttons}


_TS = re.compile(r"\d{1,10}(?:\.\d{1,6})?", re.ASCII)
_ID = re.compile(r"[A-Z][A-Z0-9]{0,39}", re.ASCII)
LONGEST_NAME = 255
_TYPES = (("user", str), ("text", str), ("blocks", list), ("attachments", list), ("files", list))


@dataclass(frozen=True, slots=True)
class MessageFile:
    """A file of a message. Name, type and size come from Slack and are not trusted."""

    name: str
    media_type: str
    size: int
    address: str


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message: `text` is Slack's mrkdwn, `author` a user id, or a bot's id with its `bot_name`.

    `thread_ts` is empty outside threads, `ts` if Slack gives none. `is_ours`: Afterword posted it. `called` is the
    author's name if the message has one. `is_odd`: a part of it could not be read.
    """

    channel: str
    ts: str
    thread_ts: str
    author: str
    bot_name: str
    text: str
    files: tuple[MessageFile, ...]
    is_ours: bool
    called: str = ""
    is_odd: bool = False

    @property
    def source(self) -> str:
        """Identifies the message within the workspace."""
        return message_source(self.channel, self.ts)

    @property
    def at(self) -> datetime:
        """When it was posted, in UTC. The time stamp is in seconds since 1970."""
        return parse_ts(self.ts)


def message_source(channel: str, ts: str) -> str:
    """`channel:ts`, which an entry stores about the message that it was captured from."""
    return f"{channel}:{ts}"


def parse_ts(ts: str) -> datetime:
    """The UTC moment of a time stamp. Raises ValueError if it is none."""
    seconds, _, micros = ts.partition(".")
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int((micros or "0").ljust(6, "0")[:6]))


def parse_message(raw: JsonObject, channel: str, app: str) -> SlackMessage:
    """A message from Slack's JSON. `app` is Afterword's app id, to recognize its own messages.

    Never raises: parts that cannot be read are left out, and `is_odd` is set.
    """
    profile, author = read_object(raw.get("bot_profile")), read_object(raw.get("user_profile"))
    is_bot = bool(raw.get("bot_id") or profile) or raw.get("subtype") == "bot_message"
    bot, name = _id(raw.get("bot_id")) or _id(profile.get("id")), raw.get("username") or profile.get("name")
    names = (name, author.get("display_name"), author.get("real_name"), author.get("name"))
    text = drop_placeholder(raw.get("text")) if is_bot else read_string(raw.get("text")).strip()
    own = choose_text(text, read_objects(raw.get("blocks")), is_app=is_bot)
    return SlackMessage(
        channel=channel,
        ts=read_ts(raw),
        thread_ts=_ts(raw.get("thread_ts")),
        author=_id(raw.get("user")) or bot,
        bot_name=(_name(name) or bot) if is_bot else "",
        text=join_lines([own, attachment_text(raw.get("attachments"), own)]),
        files=tuple(_files(raw, own)),
        is_ours=bool(app) and raw.get("app_id") == app,
        called=next((called for each in names if (called := _name(each))), ""),
        is_odd=_is_odd(raw),
    )


def read_ts(raw: JsonObject) -> str:
    """The message's time stamp; empty if it has no valid one."""
    return _ts(raw.get("ts"))


def _ts(value: object) -> str:
    text = read_string(value)
    return text if _TS.fullmatch(text) else ""


def _id(value: object) -> str:
    text = read_string(value)
    return text if _ID.fullmatch(text) else ""


def _name(value: object) -> str:
    """A name without control characters, cut at a length that Slack's names do not reach."""
    return clean_input(read_string(value)[:LONGEST_NAME])


def _is_odd(raw: JsonObject) -> bool:
    """Whether the time stamp is missing, or a field is not of the type that Slack documents."""
    return not read_ts(raw) or any(not isinstance(raw.get(name) or kind(), kind) for name, kind in _TYPES)


def _files(raw: JsonObject, own: str) -> Iterator[MessageFile]:
    """The message's files and those of messages that it forwards, each once. `own` is its own text."""
    seen = set()
    for file in chain(read_objects(raw.get("files")), attachment_files(raw.get("attachments"), own)):
        address = clean_input(
            (read_string(file.get("url_private_download")) or read_string(file.get("url_private")))[: bounds.TEXT]
        )
        # A deleted file, and one beyond the limit of a free workspace, have an address that leads nowhere.
        if not address or address in seen or file.get("mode") in ("tombstone", "hidden_by_limit"):
            continue
        seen.add(address)
        name = _name(file.get("name")) or _name(file.get("title")) or "file"
        yield MessageFile(name, _name(file.get("mimetype")), read_count(file.get("size")), address)


PAGE = 200
"""Messages a page; Slack returns only 15 to some apps."""


class Busy(AfterwordError):
    """Slack does not answer now. `wait` is in seconds; `is_named`: Slack named that time."""

    def __init__(self, wait: float, *, is_named: bool) -> None:
        super().__init__(f"Slack asks to wait for {wait:g} s.")
        self.wait = wait
        self.is_named = is_named


class ChannelUnreadable(AfterwordError):
    """The bot may not read the channel. `str(error)` says what would help."""


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages as Slack's JSON, and whether there are more."""

    messages: tuple[JsonObject, ...]
    has_more: bool


class ChannelHistory:
    """Reads a channel's history. Every call raises Busy or ChannelUnreadable if Slack does not answer it."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def before(self, channel: str, latest: str, oldest: str) -> MessagePage:
        """The messages before `latest` and after `oldest`, newest first, without replies in threads."""
        # With `oldest` alone Slack would page forward from there.
        return await _page(
            self._client.conversations_history(channel=channel, latest=latest, oldest=oldest, limit=PAGE)
        )

    async def replies(self, channel: str, thread: str, behind: str) -> MessagePage:
        """The replies of a thread after the time stamp `behind`, oldest first."""
        page = await _page(self._client.conversations_replies(channel=channel, ts=thread, oldest=behind, limit=PAGE))
        # Slack puts the thread's first message at the head of every page.
        return MessagePage(tuple(each for each in page.messages if each.get("ts") != thread), page.has_more)

    async def workspace_url(self) -> str:
        """The workspace's address, which its messages' addresses begin with."""
        return str((await _answer(self._client.auth_test())).get("url") or "")


def message_url(home: str, channel: str, ts: str, thread: str) -> str:
    """A message's address for people, built as Slack builds it. Asking Slack would take a call a message."""
    within = f"?thread_ts={thread}&cid={channel}" if thread and thread != ts else ""
    return f"{home}archives/{channel}/p{ts.replace('.', '')}{within}"


async def _page(call: Awaitable[Any]) -> MessagePage:
    answer = await _answer(call)
    items = answer.get("messages")
    # An item that is no object becomes an empty one, so that the reader of the page can count it.
    messages = tuple(read_object(item) for item in items) if isinstance(items, list) else ()
    return MessagePage(messages, bool(answer.get("has_more")))


async def _answer(call: Awaitable[Any]) -> JsonObject:
    try:
        data = (await call).data
    except SlackApiError as refusal:
        raise _refusal(refusal) from refusal
    except CALL_ERRORS as error:
        raise Busy(DEFAULT_REST, is_named=False) from error
    return data if isinstance(data, dict) else {}


def _refusal(error: SlackApiError) -> AfterwordError:
    refusal = parse_refusal(error)
    if refusal.is_passing:
        return Busy(DEFAULT_REST if refusal.rest is None else refusal.rest, is_named=refusal.rest is not None)
    log.info("Slack doesn't let a channel be read (%(cause)s).", {"event": "channel_unread", "cause": refusal.word})
    if refusal.word == "missing_scope":
        return ChannelUnreadable(words.lookback.no_scope(scope=error.response.get("needed") or "channels:history"))
    if refusal.word in _OUTSIDE:
        return ChannelUnreadable(words.lookback.outside())
    return ChannelUnreadable(words.lookback.unreadable(why=words.general.slack_refusal(error=refusal.word)))
