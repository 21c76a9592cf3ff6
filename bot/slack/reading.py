"""A message of Slack's, read: whoever wrote it, what it says whatever it is made of, and what hangs on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.slack.text import escape

Told = dict[str, Any]

_UNFURLS = ("from_url", "original_url", "is_msg_unfurl", "is_app_unfurl")
"""An attachment with one of these repeats what a link in the text leads to."""

_LISTS = ("rich_text_list", "rich_text_section", "rich_text_preformatted", "rich_text_quote")


@dataclass(frozen=True, slots=True)
class Hanging:
    """A file on a message; name, type and size are what Slack says of it, and none of them is to be trusted."""

    name: str
    media_type: str
    size: int
    address: str


@dataclass(frozen=True, slots=True)
class Said:
    """A message: `text` is Slack's mrkdwn, `author` a user id, or a bot's id with its `bot_name`.

    `thread_ts` is empty outside threads; `is_ours` where Afterword itself said it.
    """

    channel: str
    ts: str
    thread_ts: str
    author: str
    bot_name: str
    text: str
    files: tuple[Hanging, ...]
    is_ours: bool

    @property
    def source(self) -> str:
        """Which message it is, in all of the workspace."""
        return source_of(self.channel, self.ts)

    @property
    def at(self) -> datetime:
        """When it was said: a message's time stamp is its time, in seconds since 1970."""
        return moment_of(self.ts)


def source_of(channel: str, ts: str) -> str:
    """`channel:ts`, by which an entry knows the message that it was captured from."""
    return f"{channel}:{ts}"


def moment_of(ts: str) -> datetime:
    """The moment that a message's time stamp names; raises ValueError for what is none."""
    seconds, _, micros = ts.partition(".")
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int((micros or "0").ljust(6, "0")[:6]))


def said_in(told: Told, channel: str, app: str) -> Said:
    """The message that Slack tells of; `app` is Afterword's own app id, by which it knows its own messages."""
    is_bot = bool(told.get("bot_id"))
    named = told.get("username") or (told.get("bot_profile") or {}).get("name") or ""
    return Said(
        channel=channel,
        ts=str(told["ts"]),
        thread_ts=str(told.get("thread_ts") or ""),
        author=str(told.get("user") or told.get("bot_id") or ""),
        bot_name=str(named or told.get("bot_id")) if is_bot else "",
        text=_words(told, is_bot=is_bot),
        files=tuple(_files(told)),
        is_ours=bool(app) and told.get("app_id") == app,
    )


def _files(told: Told) -> Iterator[Hanging]:
    for file in told.get("files") or ():
        address = file.get("url_private_download") or file.get("url_private")
        if address and file.get("mode") not in ("tombstone", "hidden_by_limit"):
            name = str(file.get("name") or file.get("title") or "file")
            yield Hanging(name, str(file.get("mimetype") or ""), int(file.get("size") or 0), str(address))


def _words(told: Told, *, is_bot: bool) -> str:
    """The text, else what its blocks say. What a bot attaches belongs to it; what a link unfolds to does not."""
    said = str(told.get("text") or "").strip() or _joined(map(_block, told.get("blocks") or ()))
    if said and not is_bot:
        return said
    attached = [one for one in told.get("attachments") or () if not said or not any(key in one for key in _UNFURLS)]
    return _joined([said, *map(_attachment, attached)])


def _attachment(attachment: Told) -> str:
    parts = [attachment.get(key) for key in ("pretext", "title", "text")]
    said = _joined(str(part) for part in parts if part) or _joined(map(_block, attachment.get("blocks") or ()))
    return said or str(attachment.get("fallback") or "")


def _block(block: Told) -> str:
    match block.get("type"):
        case "rich_text":
            return _joined(map(_rich, block.get("elements") or ()))
        case "section":
            return _joined(map(_plain_or_mrkdwn, [block.get("text") or {}, *(block.get("fields") or ())]))
        case "header":
            return _plain_or_mrkdwn(block.get("text") or {})
        case "context":
            return _joined(map(_plain_or_mrkdwn, block.get("elements") or ()))
        case "markdown":
            return escape(str(block.get("text") or ""))
        case _:
            return ""


def _plain_or_mrkdwn(words: Told) -> str:
    text = str(words.get("text") or "")
    return text if words.get("type") == "mrkdwn" else escape(text)


def _rich(element: Told) -> str:
    pieces = (_rich(piece) if piece.get("type") in _LISTS else _piece(piece) for piece in element.get("elements") or ())
    return ("\n" if element.get("type") == "rich_text_list" else "").join(pieces)


def _piece(piece: Told) -> str:
    """One piece of rich text, as the same would stand in mrkdwn."""
    match piece.get("type"):
        case "user":
            return f"<@{piece.get('user_id')}>"
        case "channel":
            return f"<#{piece.get('channel_id')}>"
        case "usergroup":
            return f"<!subteam^{piece.get('usergroup_id')}>"
        case "broadcast":
            return f"<!{piece.get('range')}>"
        case "link":
            label = escape(str(piece.get("text") or ""))
            return f"<{piece.get('url')}|{label}>" if label else f"<{piece.get('url')}>"
        case "emoji":
            return f":{piece.get('name')}:"
        case "date":
            return escape(str(piece.get("fallback") or ""))
        case _:
            return escape(str(piece.get("text") or ""))


def _joined(parts: Any) -> str:
    return "\n".join(part.strip() for part in parts if part and part.strip())
