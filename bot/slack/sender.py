"""One attempt to send a message to Slack, and its result: sent, surely not sent, or perhaps sent."""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.clock import count_seconds
from bot.errors import AfterwordError, NotRecorded
from bot.slack.errors import CALL_ERRORS, parse_refusal
from bot.slack.views import blocks
from bot.slack.views.blocks import Message


@dataclass(frozen=True, slots=True)
class FileUpload:
    """A file to share; `note` is mrkdwn that is added to its comment."""

    name: str
    title: str
    content: bytes
    note: str = ""


class FileNotReady(AfterwordError):
    """The file is still being made; another attempt will have it."""


class AnswerPending(AfterwordError):
    """What the message may show depends on an answer that Slack did not give; another attempt may get it."""


class MessageWithheld(AfterwordError):
    """Its reader may not see it, and nothing is said in its place."""


FileFactory = Callable[[], Awaitable[FileUpload]]
"""Makes the file when it is sent, so that nothing waits while it is compiled. Raises FileNotReady."""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message to send. `text` (mrkdwn) is also what notifications and screen readers get, and is never empty.

    `thread_ts` makes it a reply in a thread; `update_ts` replaces the content of an earlier message. With a `file` the
    text is its comment and the blocks are not changed.
    """

    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str = ""
    file: FileUpload | FileFactory | None = None
    update_ts: str = ""
    only_there: bool = False
    """With `update_ts`: if that message is gone, nothing is sent in its place."""
    to: str = ""
    """Who gets it, if not the delivery's recipient."""
    factory: "MessageFactory | None" = None
    """If set, it makes the message, and the other fields are not used."""
    is_keyed: bool = False
    """With `factory`: it makes no file, so the message can be found again."""
    is_nothing: bool = False
    """There is nothing to send after all."""

    @classmethod
    def of(cls, message: Message) -> "OutgoingMessage":
        """Wrap a finished Block Kit message. One without blocks, as none of ours is, shows its text."""
        return cls(
            message["text"], message.get("blocks") or [blocks.section(message["text"])], message.get("thread_ts", "")
        )

    @property
    def carries_key(self) -> bool:
        """Whether it can be found again in the channel's history; a shared file cannot."""
        return self.file is None and (self.factory is None or self.is_keyed)


MessageFactory = Callable[[], Awaitable[OutgoingMessage | None]]
"""Makes a message when it is sent, for example because Slack has to be asked something first; None: none is wanted.

It may raise what the client raises, AnswerPending and NotRecorded: then nothing is sent this time, and MessageWithheld:
then nothing is sent at all. It may be called again.
"""


log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

EVENT_TYPE = "afterword_delivery"
"""The type of the metadata that a message carries; its payload is the delivery's key."""

LOOK_BACK = timedelta(seconds=60)
"""A search begins this long before the first attempt, since Slack's clock may differ."""

LOOKED_AT = 200
MOST_PAGES = 5
"""Pages of a search, of `LOOKED_AT` messages each."""

SHORTENED = 3_900
"""chat.update refuses more than 4,000 characters."""

_UNFIT = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_NOT_REACHED = (aiohttp.ClientConnectorError, aiohttp.ClientSSLError, aiohttp.ConnectionTimeoutError)


class SendVerdict(Enum):
    """What is known after an attempt."""

    SENT = "sent"
    LATER = "later"
    """Surely not sent, and worth another try."""
    NEVER = "never"
    """Surely not sent, and refused for good."""
    LOCKED_OUT = "locked out"
    """Surely not sent: Slack refuses the bot's token, so that nothing else would go either."""
    PERHAPS = "perhaps"
    """Slack may have taken it."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of an attempt. `wait` is in seconds, if Slack asked for a wait."""

    verdict: SendVerdict
    channel: str = ""
    ts: str = ""
    error: str = ""
    wait: float | None = None
    is_silent: bool = False
    """Slack did not answer at all: it was not reached, or took too long."""


# The process stood still between its claim and the call: by now the message may be another process's to send.
_TOO_LATE = SendResult(SendVerdict.LATER, error="the lease was nearly over")


class Sender:
    """Sends through a client that repeats nothing by itself (`retry_handlers=[]`): a blind retry can post twice."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def send(self, recipient: str, message: OutgoingMessage, key: str, deadline: float = math.inf) -> SendResult:
        """Send it once, or once more as plain text if Slack refuses its form.

        LATER if a call that sends would begin after `deadline`, a count of `count_seconds`.
        """
        if message.factory is not None:
            try:
                # The factory calls Slack, too, so its errors mean the same as those of a send.
                result, made = await _classify(message.factory())
            except MessageWithheld as error:
                return SendResult(SendVerdict.NEVER, error=str(error))
            except (AnswerPending, NotRecorded) as error:
                return SendResult(SendVerdict.LATER, error=str(error))
            if made is None:
                return _harmless(result)
            recipient, message = made.to or recipient, made
            if message.is_nothing:
                return SendResult(SendVerdict.SENT, recipient, message.update_ts)
        result = await self._once(recipient, message, key, deadline)
        if result.verdict is SendVerdict.NEVER and result.error in _UNFIT and message.file is None:
            log.warning(
                "Slack refused the blocks of a message to %(channel)s (%(cause)s), so it goes out as plain text. "
                "Please report this.",
                {"event": "blocks_refused", "channel": recipient, "cause": result.error},
            )
            plain = replace(message, text=_shorten(message.text), blocks=[], file=None)
            result = await self._once(recipient, plain, key, deadline)
        return result

    async def find(self, recipient: str, thread_ts: str, key: str, since: datetime) -> SendResult:
        """Look for what an earlier attempt (not before `since`) may have left: SENT if it is there, NEVER if not.

        NEVER with an error means that Slack does not let the bot look; LATER that it may answer later.
        """
        channel = await self._channel(recipient)
        if channel.verdict is not SendVerdict.SENT:
            return channel
        cursor = ""
        for _ in range(MOST_PAGES):
            result, page = await self._page(channel.channel, thread_ts, since - LOOK_BACK, cursor)
            if result.verdict is not SendVerdict.SENT:
                return _harmless(result)  # a doubt about looking is none about sending
            for each in page.get("messages") or ():
                if _key_of(each) == key:
                    return SendResult(SendVerdict.SENT, channel.channel, str(each["ts"]))
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return SendResult(SendVerdict.NEVER)

    async def _once(self, recipient: str, message: OutgoingMessage, key: str, deadline: float) -> SendResult:
        if message.thread_ts:
            text, changed = blocks.adapt_message(message.text, message.blocks)
            message = replace(message, text=text, blocks=changed)
        if message.file is not None:
            return await self._share(recipient, message, message.file, deadline)
        if count_seconds() > deadline:
            return _TOO_LATE
        content: dict[str, Any] = {
            "text": message.text,
            "blocks": message.blocks,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": key}},
        }
        if message.update_ts:
            # `blocks` is sent even if empty: Slack keeps the old blocks if there is no such argument.
            call = self._client.chat_update(channel=recipient, ts=message.update_ts, **content)
            result, _ = await _call(call)
            if result.error not in _GONE:
                return result
            if message.only_there:
                return SendResult(SendVerdict.SENT, recipient, message.update_ts)
        content |= {
            "blocks": message.blocks or None,
            "thread_ts": message.thread_ts or None,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        result, _ = await _call(self._client.chat_postMessage(channel=recipient, **content))
        return result

    async def _share(
        self, recipient: str, message: OutgoingMessage, upload: FileUpload | FileFactory, deadline: float
    ) -> SendResult:
        channel = await self._channel(recipient)
        if channel.verdict is not SendVerdict.SENT:
            return channel
        try:
            file = upload if isinstance(upload, FileUpload) else await upload()
        except FileNotReady:
            return SendResult(SendVerdict.LATER, error="the file is still being made")
        if count_seconds() > deadline:
            return _TOO_LATE
        call = self._client.files_upload_v2(
            channel=channel.channel,
            thread_ts=message.thread_ts or None,
            initial_comment="\n".join(filter(None, (message.text, file.note))) or None,
            filename=file.name,
            title=file.title,
            content=file.content,
        )
        result, _ = await _call(call)
        return SendResult(
            result.verdict, channel.channel, error=result.error, wait=result.wait, is_silent=result.is_silent
        )

    async def _channel(self, recipient: str) -> SendResult:
        """Find the channel of a recipient; for a person, their conversation with the bot. It has no other effect."""
        # A person's id is W in an Enterprise Grid. To post to a person Slack opens the conversation by itself; a file
        # and a search need its id.
        if not recipient.startswith(("U", "W")):
            return SendResult(SendVerdict.SENT, recipient)
        result, body = await _call(self._client.conversations_open(users=recipient))
        if result.verdict is SendVerdict.SENT:
            return SendResult(SendVerdict.SENT, str(body["channel"]["id"]))
        return _harmless(result)

    async def _page(
        self, channel: str, thread_ts: str, oldest: datetime, cursor: str
    ) -> tuple[SendResult, Mapping[str, Any]]:
        arguments: dict[str, Any] = {
            "channel": channel,
            "oldest": f"{oldest.timestamp():.6f}",
            "limit": LOOKED_AT,
            # Without it Slack leaves out the metadata, which holds the key that is looked for.
            "include_all_metadata": True,
            "cursor": cursor or None,
        }
        if thread_ts:
            return await _call(self._client.conversations_replies(ts=thread_ts, **arguments))
        return await _call(self._client.conversations_history(**arguments))


async def _call(call: Awaitable[AsyncSlackResponse]) -> tuple[SendResult, Mapping[str, Any]]:
    """Await one call, whatever comes of it."""
    result, response = await _classify(call)
    body: Mapping[str, Any] = response.data if response is not None and isinstance(response.data, dict) else {}
    if result.verdict is not SendVerdict.SENT:
        return result, body
    return SendResult(SendVerdict.SENT, str(body.get("channel", "")), str(body.get("ts", ""))), body


async def _classify(call: Awaitable[_Answer]) -> tuple[SendResult, _Answer | None]:
    """Await a call of Slack and classify how it ended. Raises no error of the client."""
    try:
        return SendResult(SendVerdict.SENT), await call
    except SlackApiError as refusal:
        return _refusal(refusal), None
    except _NOT_REACHED as error:
        return SendResult(SendVerdict.LATER, error=type(error).__name__, is_silent=True), None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        return SendResult(SendVerdict.PERHAPS, error=type(error).__name__, is_silent=True), None
    except SlackClientError as error:
        # An upload that broke off before the file was shared anywhere.
        return SendResult(SendVerdict.LATER, error=type(error).__name__), None
    except CALL_ERRORS:
        # Not Slack's answer: a proxy's, or half of one. Slack may have done what was asked.
        return SendResult(SendVerdict.PERHAPS, error="not an answer of Slack's"), None


def _refusal(error: SlackApiError) -> SendResult:
    """Classify an answer other than "ok"."""
    refusal = parse_refusal(error)
    if refusal.rest is not None:
        return SendResult(SendVerdict.LATER, error="ratelimited", wait=refusal.rest)
    if refusal.is_trouble:
        return SendResult(SendVerdict.PERHAPS, error=refusal.word or f"status {refusal.status}")
    return SendResult(SendVerdict.LOCKED_OUT if refusal.is_locked_out else SendVerdict.NEVER, error=refusal.word)


def _harmless(result: SendResult) -> SendResult:
    """The result of a call that only prepares a message: if it may have succeeded, it can safely be repeated."""
    if result.verdict is SendVerdict.PERHAPS:
        return replace(result, verdict=SendVerdict.LATER)
    return result


def _key_of(message: Mapping[str, Any]) -> str:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return ""
    return str((metadata.get("event_payload") or {}).get("key", ""))


def _shorten(text: str) -> str:
    return text if len(text) <= SHORTENED else text[:SHORTENED] + "…"
