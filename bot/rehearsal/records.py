"""What a workspace is made of: people, places, messages, windows, files, and the calls made to it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


class ApiRefusal(Exception):
    """Slack's `ok: false`: the error word, and whatever else the answer carries beside it."""

    def __init__(self, error: str, **beside: Any) -> None:
        super().__init__(error)
        self.error = error
        self.beside = beside


@dataclass(slots=True)
class User:
    """A person (or a bot) of the workspace; `zone` is an IANA name, `locale` the language of their Slack."""

    id: str
    name: str
    zone: str = "UTC"
    guest: bool = False
    deleted: bool = False
    bot: bool = False
    email: str = ""
    locale: str = "en-US"


@dataclass(slots=True)
class Message:
    """A message as Slack keeps it; `ephemeral_for` is empty for what everyone sees."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str = ""
    ephemeral_for: str = ""
    metadata: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    edited: str = ""
    files: list[str] = field(default_factory=list)
    by_app: bool = False
    broadcast: bool = False
    as_told: Json | None = None
    """What Slack tells of it in place of all that, for messages of other apps, and for odd ones."""


@dataclass(slots=True)
class Channel:
    """A channel, or the conversation of the bot with one person (`dm_with`)."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    private: bool = False
    archived: bool = False
    shared: bool = False
    dm_with: str = ""
    topic: str = ""
    purpose: str = ""
    created: int = 0
    last_ts: int = 0
    messages: dict[str, Message] = field(default_factory=dict)
    pins: list[str] = field(default_factory=list)
    bookmarks: dict[str, Json] = field(default_factory=dict)
    invited: bool = False
    """An invitation to another organisation is still open: with its answer they can read here."""


@dataclass(slots=True)
class Canvas:
    """A canvas: `channel` is the one that has it as a tab (`is_channels`: as its own canvas), else empty.

    `access` is `read`, `write` or `owner` by channel; `edits` counts what was changed on it, by whomever.
    """

    id: str
    title: str
    markdown: str
    channel: str = ""
    is_channels: bool = False
    edits: int = 0
    access: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class View:
    """A modal or a home tab of one person; `typed` is what they entered, by block and action."""

    id: str
    user: str
    body: Json
    hash: str
    root: str
    previous: str = ""
    typed: dict[tuple[str, str], Json] = field(default_factory=dict)

    @property
    def blocks(self) -> list[Json]:
        """Its blocks; every one has a block_id."""
        blocks: list[Json] = self.body["blocks"]
        return blocks


@dataclass(slots=True)
class SharedFile:
    """A file of the workspace: `channel` is empty until shared, `bytes` until uploaded, `user` for the bot's own."""

    id: str
    name: str
    title: str = ""
    bytes: bytes = b""
    channel: str = ""
    thread_ts: str = ""
    ts: str = ""
    initial_comment: str = ""
    uploaded: bool = False
    user: str = ""


@dataclass(slots=True)
class Trigger:
    """A trigger_id: good once, for three seconds of the workspace's clock and of real time."""

    user: str
    made_at: datetime
    made_tick: float
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """Where an app may answer an interaction: five times within half an hour."""

    channel: str
    user: str
    made_at: datetime
    message_ts: str = ""
    thread_ts: str = ""
    uses: int = 0
    made: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class Token:
    """A token and what it may do; `state` is empty while it is good, else the error it meets."""

    kind: str
    scopes: set[str]
    state: str = ""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call of the Web API, as it came and was answered (`answer` is empty where the line was cut before)."""

    method: str
    args: Json
    answer: Json

    @property
    def ok(self) -> bool:
        """Whether Slack said yes."""
        return bool(self.answer.get("ok"))


@dataclass(slots=True)
class Fault:
    """Something that goes wrong for the next `times` calls of a method."""

    error: str = ""
    times: int = 1
    status: int = 200
    retry_after: int | None = None
    drop: str = ""
    html: bool = False
    delay: float = 0
    until: asyncio.Event | None = None

    @property
    def stops(self) -> bool:
        """Whether the call does not take effect; else it is only slow, or only its answer is lost."""
        return self.drop != "after" and (bool(self.error or self.drop) or self.html or self.status != 200)


Ticks = Callable[[], float]
