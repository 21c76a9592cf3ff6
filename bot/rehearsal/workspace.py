"""The state of the stand-in: people, channels, messages, views, files, tokens, and who may see and do what."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.manifest import EVENTS, OPTIONAL_SCOPES, SCOPES

Json = dict[str, Any]


class ApiRefusal(Exception):
    """Slack's `ok: false`: the error word, and what else the answer carries."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.answer: Json = {"ok": False, "error": error, **details}


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
    payload: Json | None = None
    """The message as Slack's history has it in place of the fields above: for odd ones and those of other apps."""


@dataclass(slots=True)
class StandInChannel:
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
    invited: bool = False
    """An invitation to another organisation is open. Once it is accepted, they can read here."""


@dataclass(slots=True)
class Canvas:
    """A canvas: `channel` is the one that has it as a tab (`is_channels`: as its own canvas), else empty.

    `access` is `read`, `write` or `owner` by channel; `edits` counts all changes, since section ids last for one.
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
    """Where an app may answer an interaction, five times within half an hour; `made` are the messages it wrote."""

    channel: str
    user: str
    made_at: datetime
    message_ts: str = ""
    thread_ts: str = ""
    uses: int = 0
    made: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class Token:
    """A token and its scopes; `state` is empty while it is valid, else the error that its calls get."""

    kind: str
    scopes: set[str]
    state: str = ""


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call of the Web API with its answer, which is empty if the connection was cut before it took effect."""

    method: str
    args: Json
    answer: Json

    @property
    def ok(self) -> bool:
        """Whether Slack accepted it."""
        return bool(self.answer.get("ok"))


@dataclass(slots=True)
class PlannedFault:
    """Something that goes wrong for the next `times` calls of a method.

    `error="ratelimited"` is HTTP 429 with Retry-After; `drop="before"` and `"after"` cut the connection before or after
    the call took effect; `html` answers with a page, as a proxy would; `delay` in seconds alone only makes it slow.
    With `until` the call hangs until that is set.
    """

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
        """Whether the call takes no effect; else it is only slow, or only its answer is lost."""
        return self.drop != "after" and (bool(self.error or self.drop) or self.html or self.status != 200)


Ticks = Callable[[], float]


# Slack's limits of an interaction: a trigger lives three seconds, a response URL half an hour and five answers.
TRIGGER_LIFE = 3.0
RESPONSE_URL_LIFE = timedelta(minutes=30)
RESPONSE_URL_USES = 5

BOT_SCOPES = frozenset({**SCOPES, **OPTIONAL_SCOPES})
BOT_EVENTS = frozenset(EVENTS)


class Workspace:
    """One team, in which the app has the scopes and events of its manifest (`tokens`, `subscriptions`).

    All times are the clock's; a trigger also expires after real seconds.
    """

    plan = "pro"
    """On `free` a channel has one canvas, and there are none outside of channels."""
    has_canvases = True
    library_url = ""
    """Where the app's library is, if it has one."""
    history_page = 1000
    """The most messages in an answer of history or replies, whatever the limit: 15 for some apps since 2025."""

    def __init__(self, clock: Clock, team: str = "T0REHEARSE", ticks: Ticks = time.monotonic) -> None:
        self.clock = clock
        self.ticks = ticks
        self.team = team
        self.domain = "rehearsal"
        self.app_id = "A0REHEARSE"
        self.bot_id = "B0REHEARSE"
        self.base_url = ""
        self.users: dict[str, User] = {}
        self.channels: dict[str, StandInChannel] = {}
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.external_ids: dict[str, str] = {}
        self.files: dict[str, SharedFile] = {}
        self.canvases: dict[str, Canvas] = {}
        self.usergroups: dict[str, list[str]] = {}
        self.usergroup_handles: dict[str, str] = {}
        self.usergroups_disabled: set[str] = set()
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.tokens: dict[str, Token] = {}
        self.subscriptions: set[str] = set(BOT_EVENTS)
        self._numbers: Counter[str] = Counter()
        self.bot_user_id = self.add_user("afterword", bot=True)

    def now(self) -> datetime:
        """The workspace's time, aware UTC."""
        return self.clock.now()

    def next_id(self, letter: str) -> str:
        """An id of Slack's shape: a letter and ten capitals or digits, counted up."""
        self._numbers[letter] += 1
        return f"{letter}0R{self._numbers[letter]:08d}"

    # --- people and places -------------------------------------------------------------------------------------

    def add_user(self, name: str, zone: str = "UTC", **flags: Any) -> str:
        """Add a person; returns the user id."""
        user = User(id=self.next_id("U"), name=name, zone=zone, **flags)
        self.users[user.id] = user
        return user.id

    def add_channel(self, name: str, members: Iterable[str] = (), **flags: Any) -> str:
        """Add a channel; returns its id. The bot is in it only if it is among the members."""
        created = int(self.now().timestamp())
        channel = StandInChannel(id=self.next_id("C"), name=name, members=set(members), created=created, **flags)
        self.channels[channel.id] = channel
        return channel.id

    def dm(self, user: str) -> StandInChannel:
        """The conversation of the bot with a person, created if needed."""
        for channel in self.channels.values():
            if channel.dm_with == user:
                return channel
        created = int(self.now().timestamp())
        channel = StandInChannel(
            id=self.next_id("D"), name="", members={user, self.bot_user_id}, dm_with=user, created=created
        )
        self.channels[channel.id] = channel
        return channel

    def person(self, user: str) -> User:
        """The person of this id; ApiRefusal `user_not_found`."""
        if user not in self.users:
            raise ApiRefusal("user_not_found")
        return self.users[user]

    def find_visible(self, channel: str) -> StandInChannel:
        """A channel the bot may know of; ApiRefusal `channel_not_found`, also for a private one it is not in."""
        place = self.channels.get(channel)
        if place is None or (place.private and self.bot_user_id not in place.members):
            raise ApiRefusal("channel_not_found")
        return place

    def find_joined(self, channel: str) -> StandInChannel:
        """A channel the bot is in; ApiRefusal `channel_not_found` or `not_in_channel`."""
        place = self.find_visible(channel)
        if self.bot_user_id not in place.members:
            raise ApiRefusal("not_in_channel")
        return place

    def find_writable(self, channel: str) -> StandInChannel:
        """A channel the bot may write in; ApiRefusal as `find_joined`, and `is_archived`."""
        place = self.find_joined(channel)
        if place.archived:
            raise ApiRefusal("is_archived")
        return place

    # --- messages ----------------------------------------------------------------------------------------------

    def next_ts(self, channel: StandInChannel) -> str:
        """A time stamp that no message of the channel has, later than all before it."""
        micros = int(self.now().timestamp() * 1_000_000)
        # One later than the last, since a time stamp is also the message's id, and the clock of a test may stand
        # still.
        channel.last_ts = max(micros, channel.last_ts + 1)
        return f"{channel.last_ts // 1_000_000}.{channel.last_ts % 1_000_000:06d}"

    def put(self, channel: StandInChannel, user: str, text: str, **parts: Any) -> Message:
        """Write a message into a channel; blocks get the ids that they lack."""
        message = Message(channel=channel.id, ts=self.next_ts(channel), user=user, text=text, **parts)
        message.blocks = self.with_ids(message.blocks)
        channel.messages[message.ts] = message
        return message

    def with_ids(self, blocks: list[Json]) -> list[Json]:
        """The blocks, each with a block_id: Slack gives one to every block that has none."""
        return [block if block.get("block_id") else {**block, "block_id": secrets.token_hex(3)} for block in blocks]

    # --- triggers and response URLs ----------------------------------------------------------------------------

    def new_trigger(self, user: str) -> str:
        """A new trigger_id for what this person just did."""
        self._numbers["trigger"] += 1
        trigger_id = f"{self._numbers['trigger']}.{self.team[1:]}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(user, self.now(), self.ticks())
        return trigger_id

    def use_trigger(self, trigger_id: str) -> str:
        """Spend a trigger; returns its person. ApiRefusal invalid_, exchanged_ or expired_trigger_id."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise ApiRefusal("invalid_trigger_id")
        if trigger.used:
            raise ApiRefusal("exchanged_trigger_id")
        # A clock that does not move would let a trigger live for ever, and a slow app would not be noticed.
        virtual = (self.now() - trigger.made_at).total_seconds()
        if max(virtual, self.ticks() - trigger.made_tick) > TRIGGER_LIFE:
            raise ApiRefusal("expired_trigger_id")
        trigger.used = True
        return trigger.user

    def new_response_url(self, channel: str, user: str, message_ts: str = "", thread_ts: str = "") -> str:
        """A new response_url for an interaction in a channel."""
        key = secrets.token_hex(12)
        self.response_urls[key] = ResponseUrl(channel, user, self.now(), message_ts, thread_ts)
        return f"{self.base_url}/response/{key}"

    def use_response_url(self, key: str) -> ResponseUrl:
        """Use a response_url once; ApiRefusal `expired_url` (also for one never given) or `used_url`."""
        place = self.response_urls.get(key)
        if place is None or self.now() - place.made_at > RESPONSE_URL_LIFE:
            raise ApiRefusal("expired_url")
        if place.uses >= RESPONSE_URL_USES:
            raise ApiRefusal("used_url")
        place.uses += 1
        return place

    # --- tokens ------------------------------------------------------------------------------------------------

    def new_token(self, kind: str, scopes: Iterable[str]) -> str:
        """A new token of a kind (`xoxb` or `xapp`) with these scopes."""
        token = f"{kind}-{secrets.token_hex(16)}"
        self.tokens[token] = Token(kind, set(scopes))
        return token
