"""Which channels a person may see, and who can read in a channel.

Without an answer from Slack a channel counts as closed: what was shown to the wrong people cannot be taken back.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import AfterwordError
from bot.slack.errors import CALL_ERRORS, describe_cause, parse_refusal
from bot.timeouts import Timeouts

log = logging.getLogger(__name__)

# A minute: long enough for a list of incidents, short enough that who left a channel soon sees nothing of it.
REMEMBERED_SECONDS = 60.0
ASK_AGAIN_SECONDS = 10.0
"""After a failed question about a person's channels."""

MOST_READERS = 2_000
"""People whose channels are remembered."""

MOST_LISTED = 999
"""Channels in one answer: the most that Slack gives."""

MOST_DEPARTURES = 20_000
"""The latest departures are remembered, up to this many. An older one hardly matters: no form stays open that long."""

_NOT_OURS = frozenset({"channel_not_found", "not_in_channel", "missing_scope"})


@dataclass(frozen=True, slots=True)
class VisibleChannels:
    """The channels that a person may see. `is_sure` is false if Slack did not answer for all of them."""

    seen: frozenset[str]
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class _Viewer:
    """A person (`belongs`: not a guest), or without a user id everyone at once."""

    user: str = ""
    belongs: bool = True


@dataclass(frozen=True, slots=True)
class Audience:
    """Who can read what is posted in a channel.

    `people` is the number of members, 0 if unknown. `elsewhere` are the ids of other organizations that share it, and
    `invited` those with a pending invitation. `is_known` is False if Slack refused to say; then it counts as closed.
    """

    channel: str
    people: int = 0
    is_private: bool = True
    is_member: bool = True
    is_archived: bool = False
    is_shared: bool = True
    elsewhere: tuple[str, ...] = ()
    invited: tuple[str, ...] = ()
    is_known: bool = True


class ChannelNotFound(AfterwordError):
    """The channel does not exist, or is private and the bot is not in it."""


class Channels:
    """Asks Slack and remembers the answers for a minute, so that a person who left a channel soon sees it no more.

    Answers are remembered by channel, not by person: many people with the same channels cost one call a channel.
    """

    def __init__(self, client: AsyncWebClient, timeouts: Timeouts = Timeouts()) -> None:
        self._client = client
        self._timeouts = timeouts
        self._private: dict[str, tuple[bool, float]] = {}
        self._members: dict[str, tuple[frozenset[str], float]] = {}
        self._departures: dict[tuple[str, str], None] = {}
        self._own: dict[tuple[str, bool], tuple[frozenset[str], float]] = {}

    async def list_visible(
        self, user: str, channels: Iterable[str], here: str, *, belongs: bool = True
    ) -> frozenset[str]:
        """The channels that the user may see: `here`, those that they are in, and public ones.

        Public ones only if the user `belongs` to the workspace: a guest sees nothing but their own channels.
        """
        return (await self._check(_Viewer(user, belongs), channels, here)).seen

    async def check_visible(self, user: str, channels: Iterable[str], *, belongs: bool = True) -> VisibleChannels:
        """The same without a current channel, and whether Slack answered for all of them."""
        return await self._check(_Viewer(user, belongs), channels, "")

    async def list_public(self, channels: Iterable[str], here: str) -> frozenset[str]:
        """`here` and the public channels: those that may be quoted in `here`."""
        return (await self._check(_Viewer(), channels, here)).seen

    async def list_own(self, user: str, *, with_public: bool) -> frozenset[str]:
        """The channels that a person and the bot are both in: private ones, and public ones if asked for.

        One call a minute for a person, however many incidents there are. Fails closed: without an answer it is none.
        """
        remembered = self._own.get((user, with_public))
        if remembered is None or remembered[1] <= time.monotonic():
            remembered = await self._read_own(user, with_public=with_public)
            self._own.pop((user, with_public), None)  # so that it becomes the latest
            self._own[user, with_public] = remembered
            if len(self._own) > MOST_READERS:
                del self._own[next(iter(self._own))]
        # They may have left while Slack answered.
        return frozenset(channel for channel in remembered[0] if not self.has_left(user, channel))

    async def _read_own(self, user: str, *, with_public: bool) -> tuple[frozenset[str], float]:
        types = "public_channel,private_channel" if with_public else "private_channel"
        listed: set[str] = set()
        cursor = ""
        try:
            while True:
                async with asyncio.timeout(self._timeouts.slack_channel):
                    page: Any = await self._client.users_conversations(
                        user=user, types=types, limit=MOST_LISTED, cursor=cursor
                    )
                listed.update(channel["id"] for channel in page["channels"])
                cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
                if not cursor:
                    return frozenset(listed), time.monotonic() + REMEMBERED_SECONDS
        except CALL_ERRORS as error:
            log.warning(
                "Slack doesn't say which channels %(user)s is in (%(cause)s). Private incidents aren't shown to them "
                "meanwhile.",
                {"event": "own_channels_unknown", "user": user, "cause": describe_cause(error)},
            )
            return frozenset(), time.monotonic() + ASK_AGAIN_SECONDS

    async def check_public(self, channels: Iterable[str], here: str) -> VisibleChannels:
        """The same, and whether Slack answered for all of them."""
        return await self._check(_Viewer(), channels, here)

    def record_join(self, user: str, channel: str) -> None:
        """A person joined a channel. The next question about it goes to Slack again."""
        self.forget(channel)
        self._forget_own(user)
        self._departures.pop((user, channel), None)

    def record_leave(self, user: str, channel: str) -> None:
        """A person left a channel."""
        self.forget(channel)
        self._forget_own(user)
        self._departures.pop((user, channel), None)  # so that it becomes the latest
        self._departures[user, channel] = None
        if len(self._departures) > MOST_DEPARTURES:
            del self._departures[next(iter(self._departures))]

    def has_left(self, user: str, channel: str) -> bool:
        """Whether this process saw the person leave and not return. A form that they opened there may still be open."""
        return (user, channel) in self._departures

    def forget(self, channel: str) -> None:
        """Drop the remembered answers about a channel."""
        self._private.pop(channel, None)
        self._members.pop(channel, None)

    def _forget_own(self, user: str) -> None:
        self._own.pop((user, False), None)
        self._own.pop((user, True), None)

    async def audience(self, channel: str) -> Audience:
        """Who can read in a channel now. Raises ChannelNotFound, and the client's errors if Slack is not reached.

        If Slack refuses to say, the channel counts as private and shared.
        """
        try:
            async with asyncio.timeout(self._timeouts.slack_channel):
                answer = await self._client.conversations_info(channel=channel, include_num_members=True)
        except SlackApiError as error:
            refusal = parse_refusal(error)
            if refusal.word in ("channel_not_found", "not_in_channel"):
                raise ChannelNotFound(channel) from error
            # A rate limit says nothing about the channel: the export waits, and is not refused.
            if refusal.rest is not None:
                raise
            log.warning(
                "Slack doesn't say who can read in %(channel)s (%(cause)s). Nothing of private incidents is shown "
                "there.",
                {"event": "audience_unknown", "channel": channel, "cause": refusal.word},
            )
            return Audience(channel, is_known=False)
        return _parse_audience(channel, answer["channel"])

    async def is_shared(self, channel: str) -> bool:
        """Whether people of other organizations may read in a channel; also if Slack does not say."""
        try:
            return (await self.audience(channel)).is_shared
        except (ChannelNotFound, *CALL_ERRORS):
            return True

    async def _check(self, viewer: _Viewer, channels: Iterable[str], here: str) -> VisibleChannels:
        others = sorted({channel for channel in channels if channel != here})
        answers = await asyncio.gather(*(self._may_see(viewer, channel) for channel in others))
        seen = frozenset({here, *(channel for channel, allowed in zip(others, answers, strict=True) if allowed)})
        return VisibleChannels(seen, is_sure=None not in answers)

    async def _may_see(self, viewer: _Viewer, channel: str) -> bool | None:
        """None if Slack did not answer."""
        try:
            async with asyncio.timeout(self._timeouts.slack_channel):
                # Asked first: for a public channel no list of members is needed.
                if not await self._is_private(channel) and viewer.belongs:
                    return True
                return viewer.user != "" and await self._is_member(viewer.user, channel)
        except SlackApiError as error:
            return self._judge_refusal(channel, error)
        except CALL_ERRORS as error:
            log.warning(
                "Slack doesn't say whether %(user)s may see %(channel)s (%(cause)s). Its incidents aren't shown to "
                "them meanwhile.",
                {"event": "access_unknown", "user": viewer.user, "channel": channel, "cause": describe_cause(error)},
            )
            return None

    def _judge_refusal(self, channel: str, error: SlackApiError) -> bool | None:
        """A channel that the bot is not in is closed to everyone, and that answer is remembered. None if undecided."""
        word = parse_refusal(error).word
        if word not in _NOT_OURS:
            log.warning(
                "Slack doesn't say who may see %(channel)s (%(cause)s). Its incidents aren't shown meanwhile.",
                {"event": "access_unknown", "channel": channel, "cause": word},
            )
            return None
        until = time.monotonic() + REMEMBERED_SECONDS
        self._private[channel], self._members[channel] = (True, until), (frozenset(), until)
        return False

    async def _is_private(self, channel: str) -> bool:
        remembered = self._private.get(channel)
        if remembered is not None and remembered[1] > time.monotonic():
            return remembered[0]
        answer = await self._client.conversations_info(channel=channel)
        is_private = bool((answer.get("channel") or {}).get("is_private"))
        self._private[channel] = (is_private, time.monotonic() + REMEMBERED_SECONDS)
        return is_private

    async def _is_member(self, user: str, channel: str) -> bool:
        """Whether the user is a member. A member list that was read to its end is remembered."""
        remembered = self._members.get(channel)
        if remembered is not None and remembered[1] > time.monotonic():
            return user in remembered[0]
        listed: set[str] = set()
        cursor = ""
        # It stops at the page that has the user. Only a list that was read to its end is remembered, as no one else
        # may be missed.
        while user not in listed:
            # The most that Slack gives in one page; a channel of thousands would else take minutes.
            page = await self._client.conversations_members(channel=channel, limit=1000, cursor=cursor)
            listed.update(page["members"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                self._members[channel] = (frozenset(listed), time.monotonic() + REMEMBERED_SECONDS)
                break
        return user in listed


def _parse_audience(channel: str, info: Mapping[str, Any]) -> Audience:
    invited = tuple(info.get("pending_connected_team_ids") or ())
    return Audience(
        channel,
        people=int(info.get("num_members") or 0),
        is_private=bool(info.get("is_private")),
        is_member=bool(info.get("is_member")),
        is_archived=bool(info.get("is_archived")),
        is_shared=bool(info.get("is_ext_shared") or info.get("is_pending_ext_shared") or invited),
        elsewhere=tuple(info.get("connected_team_ids") or ()) if info.get("is_ext_shared") else (),
        invited=invited,
    )
