"""Messages as they stand in Slack: found by their time stamp, linked to, marked as recorded, asked about."""

import asyncio
import json
import logging
from collections.abc import Awaitable
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import AfterwordError, Refused
from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.failures import TROUBLE, cause_of, refusal_in
from bot.slack.told import Told, objects_in, string
from bot.slack.words import words

log = logging.getLogger(__name__)

RECORDED = "white_check_mark"
ASKED = "question"

READ_SECONDS = 1.0
"""For one call: an event must be acknowledged within three seconds, or it comes again."""

_GONE = frozenset({"message_not_found", "thread_not_found"})
_OUTSIDE = frozenset({"not_in_channel", "channel_not_found"})


class NotRead(AfterwordError):
    """Slack did not give the message just now; nothing was written, and the event is worth repeating."""


class Messages:
    """Reads and marks messages through the bot's client."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def find(self, channel: str, ts: str) -> Told:
        """The message with exactly this time stamp.

        Raises Refused where it is gone or may not be read, NotRead where Slack does not answer now.
        """
        exactly: dict[str, Any] = {"channel": channel, "oldest": ts, "latest": ts, "inclusive": True}
        # Of a reply, history gives nothing, or the message before it: only an equal time stamp counts.
        found = await self._look(self._client.conversations_history(**exactly, limit=1))
        message = _with(found, ts)
        if message is None:
            found = await self._look(self._client.conversations_replies(**exactly, ts=ts, limit=10))
            message = _with(found, ts)
        if message is None and (parent := next((each.get("thread_ts") for each in found), None)):
            message = _with(await self._look(self._client.conversations_replies(**exactly, ts=parent, limit=10)), ts)
        if message is None:
            raise Refused(words.capture.gone())
        return message

    async def _look(self, call: Awaitable[Any]) -> list[Told]:
        try:
            async with asyncio.timeout(READ_SECONDS):
                return objects_in((await call).get("messages"))
        except SlackApiError as refusal:
            told = refusal_in(refusal)
            if told.word == "thread_not_found":
                return []
            if told.is_passing:
                raise NotRead(f"Slack did not give a message ({told.word or 'no reason'}).") from refusal
            raise Refused(_unreadable(told.word)) from refusal
        except TROUBLE as error:
            raise NotRead(f"Slack did not give a message ({type(error).__name__}).") from error

    async def permalink(self, channel: str, ts: str) -> str:
        """The message's address for people; empty where Slack does not tell it in time: the record does not wait."""
        told = await self._try(self._client.chat_getPermalink(channel=channel, message_ts=ts))
        return str(told.get("permalink") or "")

    async def mark(self, channel: str, ts: str, *, by: str = RECORDED) -> None:
        """Put the bot's reaction on a message; without the right to, nothing happens."""
        await self._try(self._client.reactions_add(channel=channel, timestamp=ts, name=by))

    async def unmark(self, channel: str, ts: str, *, by: str = RECORDED) -> None:
        """Take the bot's reaction off a message."""
        await self._try(self._client.reactions_remove(channel=channel, timestamp=ts, name=by))

    async def holders(self, channel: str, ts: str, reaction: str) -> frozenset[str]:
        """Who holds a reaction on a message, in whatever skin tone; nobody where the message is gone.

        Raises NotRead where Slack does not answer now.
        """
        try:
            async with asyncio.timeout(READ_SECONDS):
                told: Any = await self._client.reactions_get(channel=channel, timestamp=ts, full=True)
        except SlackApiError as refusal:
            if refusal_in(refusal).is_passing:
                raise NotRead("Slack did not tell who reacted.") from refusal
            return frozenset()
        except TROUBLE as error:
            raise NotRead(f"Slack did not tell who reacted ({type(error).__name__}).") from error
        found = (told.get("message") or {}).get("reactions") or ()
        return frozenset(user for each in found if bare(each["name"]) == reaction for user in each["users"])

    async def _try(self, call: Awaitable[Any]) -> Told:
        try:
            async with asyncio.timeout(READ_SECONDS):
                answer = (await call).data
        except TROUBLE as error:
            cause = cause_of(error)
            if cause not in ("already_reacted", "no_reaction"):
                log.info("a message could not be marked or linked to: %s", cause)
            return {}
        return answer if isinstance(answer, dict) else {}


def bare(reaction: str) -> str:
    """A reaction's name without colons and skin tone."""
    return reaction.strip(":").partition("::")[0]


def _with(messages: list[Told], ts: str) -> Told | None:
    return next((message for message in messages if string(message.get("ts")) == ts), None)


def _unreadable(error: str) -> str:
    """The sentence for a message that the bot may not read, with the way that works without."""
    if error in _GONE:
        return str(words.capture.gone())
    if error in _OUTSIDE:
        return str(words.capture.outside())
    return str(words.capture.unreadable(error=error))


def asked_where_said(question: Message, source: str) -> Message:
    """A question about a time whose buttons remember the message that it came from.

    Raises Refused where they cannot hold the text and the message.
    """
    return {**question, "blocks": [_remembering(block, source) for block in question["blocks"]]}


def _remembering(block: Block, source: str) -> Block:
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
