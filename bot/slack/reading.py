"""A message of Slack's, read: whoever wrote it, what it says whatever it is made of, and what hangs on it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

from bot.incident.text import LONGEST, admit
from bot.slack.reading_attachments import files_below, words_below, words_in
from bot.slack.reading_blocks import words_of
from bot.slack.told import Told, joined, object_in, objects_in, string, whole

_TS = re.compile(r"\d{1,10}(?:\.\d{1,6})?", re.ASCII)
_ID = re.compile(r"[A-Z][A-Z0-9]{0,39}", re.ASCII)
LONGEST_NAME = 255
_TYPES = (("user", str), ("text", str), ("blocks", list), ("attachments", list), ("files", list))


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

    `thread_ts` is empty outside threads, `ts` where Slack gives no time; `is_ours` where Afterword itself said it.
    `called` is the author's name where the message carries one. `is_odd`: something in it could not be read.
    """

    channel: str
    ts: str
    thread_ts: str
    author: str
    bot_name: str
    text: str
    files: tuple[Hanging, ...]
    is_ours: bool
    called: str = ""
    is_odd: bool = False

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
    """The message that Slack tells of; `app` is Afterword's own app id, by which it knows its own messages.

    Never raises: what cannot be read is left out, and `is_odd` tells that something of it could not be.
    """
    profile, author = object_in(told.get("bot_profile")), object_in(told.get("user_profile"))
    is_bot = bool(told.get("bot_id") or profile) or told.get("subtype") == "bot_message"
    bot, name = _id(told.get("bot_id")) or _id(profile.get("id")), told.get("username") or profile.get("name")
    names = (name, author.get("display_name"), author.get("real_name"), author.get("name"))
    text = words_in(told.get("text")) if is_bot else string(told.get("text")).strip()
    own = words_of(text, objects_in(told.get("blocks")), is_app=is_bot)
    return Said(
        channel=channel,
        ts=ts_of(told),
        thread_ts=_ts(told.get("thread_ts")),
        author=_id(told.get("user")) or bot,
        bot_name=(_name(name) or bot) if is_bot else "",
        text=joined([own, words_below(told.get("attachments"), own)]),
        files=tuple(_files(told, own)),
        is_ours=bool(app) and told.get("app_id") == app,
        called=next((called for each in names if (called := _name(each))), ""),
        is_odd=_is_odd(told),
    )


def ts_of(told: Told) -> str:
    """The message's time stamp; empty where it has none that can be read."""
    return _ts(told.get("ts"))


def _ts(value: object) -> str:
    said = string(value)
    return said if _TS.fullmatch(said) else ""


def _id(value: object) -> str:
    said = string(value)
    return said if _ID.fullmatch(said) else ""


def _name(value: object) -> str:
    """A name as it can be kept; Slack's own are shorter than this."""
    return admit(string(value)[:LONGEST_NAME])


def _is_odd(told: Told) -> bool:
    """Whether it lacks its time, or something in it is of no type that Slack documents."""
    return not ts_of(told) or any(not isinstance(told.get(name) or kind(), kind) for name, kind in _TYPES)


def _files(told: Told, said: str) -> Iterator[Hanging]:
    """Its own files and those of the messages that it forwards, each once; `said` is what it says itself."""
    seen = set()
    for file in chain(objects_in(told.get("files")), files_below(told.get("attachments"), said)):
        address = admit((string(file.get("url_private_download")) or string(file.get("url_private")))[:LONGEST])
        if not address or address in seen or file.get("mode") in ("tombstone", "hidden_by_limit"):
            continue
        seen.add(address)
        name = _name(file.get("name")) or _name(file.get("title")) or "file"
        yield Hanging(name, _name(file.get("mimetype")), whole(file.get("size")), address)
