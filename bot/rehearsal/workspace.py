"""The state of the stand-in workspace: who and what there is, and the rules of who may see and do what."""

import secrets
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.manifest import EVENTS, OPTIONAL_SCOPES, SCOPES
from bot.rehearsal.records import (
    ApiRefusal,
    Canvas,
    Channel,
    Json,
    Message,
    ResponseUrl,
    SharedFile,
    Ticks,
    Token,
    Trigger,
    User,
    View,
)

TRIGGER_LIFE = 3.0
RESPONSE_URL_LIFE = timedelta(minutes=30)
RESPONSE_URL_USES = 5

BOT_SCOPES = frozenset({**SCOPES, **OPTIONAL_SCOPES})
BOT_EVENTS = frozenset(EVENTS)


class Workspace:
    """One team, in which the app has what its manifest asks for: see `tokens` and `subscriptions` to change that.

    All times are read from `clock`; only the life of a trigger also runs in real seconds.
    """

    plan = "pro"
    """On `free` a channel has one canvas, and none stands outside of channels."""
    has_canvases = True
    history_page = 1000
    """Messages that history and replies give at most, whatever is asked for: 15 to some apps since 2025."""

    def __init__(self, clock: Clock, team: str = "T0REHEARSE", ticks: Ticks = time.monotonic) -> None:
        self.clock = clock
        self.ticks = ticks
        self.team = team
        self.domain = "rehearsal"
        self.app_id = "A0REHEARSE"
        self.bot_id = "B0REHEARSE"
        self.base_url = ""
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
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
        """A new person; the id is answered."""
        user = User(id=self.next_id("U"), name=name, zone=zone, **flags)
        self.users[user.id] = user
        return user.id

    def add_channel(self, name: str, members: Iterable[str] = (), **flags: Any) -> str:
        """A new channel; the id is answered. The bot is in it only where it is among the members."""
        created = int(self.now().timestamp())
        channel = Channel(id=self.next_id("C"), name=name, members=set(members), created=created, **flags)
        self.channels[channel.id] = channel
        return channel.id

    def dm(self, user: str) -> Channel:
        """The conversation of the bot with a person, made where it is not there yet."""
        for channel in self.channels.values():
            if channel.dm_with == user:
                return channel
        created = int(self.now().timestamp())
        channel = Channel(
            id=self.next_id("D"), name="", members={user, self.bot_user_id}, dm_with=user, created=created
        )
        self.channels[channel.id] = channel
        return channel

    def person(self, user: str) -> User:
        """The person of this id; ApiRefusal `user_not_found`."""
        found = self.users.get(user)
        if found is None:
            raise ApiRefusal("user_not_found")
        return found

    def visible(self, channel: str) -> Channel:
        """A channel the bot may know of; ApiRefusal `channel_not_found`, also for a private one it is not in."""
        found = self.channels.get(channel)
        if found is None or (found.private and self.bot_user_id not in found.members):
            raise ApiRefusal("channel_not_found")
        return found

    def joined(self, channel: str) -> Channel:
        """A channel the bot is in; ApiRefusal `channel_not_found` or `not_in_channel`."""
        found = self.visible(channel)
        if self.bot_user_id not in found.members:
            raise ApiRefusal("not_in_channel")
        return found

    def writable(self, channel: str) -> Channel:
        """A channel the bot may write in; ApiRefusal as `joined`, and `is_archived`."""
        found = self.joined(channel)
        if found.archived:
            raise ApiRefusal("is_archived")
        return found

    # --- messages ----------------------------------------------------------------------------------------------

    def next_ts(self, channel: Channel) -> str:
        """A time stamp that no message of the channel has, later than all before it."""
        micros = int(self.now().timestamp() * 1_000_000)
        channel.last_ts = max(micros, channel.last_ts + 1)
        return f"{channel.last_ts // 1_000_000}.{channel.last_ts % 1_000_000:06d}"

    def put(self, channel: Channel, user: str, text: str, **parts: Any) -> Message:
        """Write a message into a channel; blocks get the ids that they lack."""
        message = Message(channel=channel.id, ts=self.next_ts(channel), user=user, text=text, **parts)
        message.blocks = self.with_ids(message.blocks)
        channel.messages[message.ts] = message
        return message

    def with_ids(self, blocks: list[Json]) -> list[Json]:
        """The blocks, each with a block_id: Slack gives one to every block that has none."""
        return [block if block.get("block_id") else {**block, "block_id": secrets.token_hex(3)} for block in blocks]

    # --- what an app is given to answer with -------------------------------------------------------------------

    def new_trigger(self, user: str) -> str:
        """A fresh trigger_id for what this person just did."""
        self._numbers["trigger"] += 1
        trigger_id = f"{self._numbers['trigger']}.{self.team[1:]}.{secrets.token_hex(16)}"
        self.triggers[trigger_id] = Trigger(user, self.now(), self.ticks())
        return trigger_id

    def use_trigger(self, trigger_id: str) -> str:
        """Spend a trigger and answer its person; ApiRefusal invalid_, exchanged_ or expired_trigger_id."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise ApiRefusal("invalid_trigger_id")
        if trigger.used:
            raise ApiRefusal("exchanged_trigger_id")
        virtual = (self.now() - trigger.made_at).total_seconds()
        if max(virtual, self.ticks() - trigger.made_tick) > TRIGGER_LIFE:
            raise ApiRefusal("expired_trigger_id")
        trigger.used = True
        return trigger.user

    def new_response_url(self, channel: str, user: str, message_ts: str = "", thread_ts: str = "") -> str:
        """A fresh response_url for an interaction in a channel."""
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
        """A token of a kind (`xoxb` or `xapp`) that may do what the scopes say."""
        token = f"{kind}-{secrets.token_hex(16)}"
        self.tokens[token] = Token(kind, set(scopes))
        return token
