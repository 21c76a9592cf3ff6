"""Live messages and Home tabs are refreshed a little after the record changed.

Both only show the record, so a lost refresh does no harm: the next change repairs it. That is why changes are
remembered in memory only, which costs a request nothing
(docs/decisions/0016-home-tabs-are-refreshed-in-the-background.md).
"""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.records import Place
from bot.slack.errors import CALL_ERRORS, describe_cause, parse_refusal
from bot.slack.views.blocks import Block, Message

log = logging.getLogger(__name__)

T = TypeVar("T")
Subject = TypeVar("Subject")

LONGEST_WAIT = 300.0
"""Slack is left alone for at most this long, whatever it asks for: a wrong header must not stop it for a day."""


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """The result of a refresh. `wait`: for how many seconds to leave Slack alone before the same is tried again."""

    is_sent: bool = False
    is_gone: bool = False
    """Someone deleted the message."""
    wait: float = 0.0


class Debouncer(ABC, Generic[Subject]):
    """Remembers what is stale and refreshes each subject a little later, once.

    With `pauses_first` a burst is gathered before anything is refreshed; without it the first change shows at once and
    the pause comes after. `pace` is the time in seconds between two subjects that were sent, `breath` after one that
    turned out to be unchanged. After `most_tries` refreshes that asked for a wait, a subject is dropped until its next
    change. Every method is for the loop's thread.
    """

    def __init__(
        self,
        noun: str,
        *,
        pause: float,
        pauses_first: bool = False,
        pace: float = 0.0,
        breath: float = 0.0,
        most_tries: int | None = None,
    ) -> None:
        self._noun = noun
        self._pause = pause
        self._pauses_first = pauses_first
        self._pace = pace
        self._breath = breath
        self._most_tries = most_tries
        self._stale: dict[Subject, int] = {}
        """By subject, in the order of refreshing: how many refreshes of it failed."""
        self._wake = asyncio.Event()
        # One refresh at a time: of two at once, the older content could arrive last and stay.
        self._refreshing = asyncio.Lock()
        self._quiet_until = 0.0

    @property
    def is_behind(self) -> bool:
        """Whether something that people see may be out of date."""
        return bool(self._stale)

    async def refresh_now(self) -> None:
        """Refresh everything stale without pauses. Also waits for a refresh that is running.

        If Slack asked for a rest, everything stays stale.
        """
        while (self.is_behind or self._refreshing.locked()) and not self._must_rest():
            await self._refresh_all(pace=0, breath=0)

    async def run(self) -> None:
        """Refresh what is stale, then rest; until cancelled."""
        while True:
            await self._wake.wait()
            if self._pauses_first:
                await asyncio.sleep(self._pause)
            # Until Slack's rest is over; a negative time does not wait.
            await asyncio.sleep(self._quiet_until - time.monotonic())
            # Cleared before the round: a change that comes during it wakes the next one.
            self._wake.clear()
            await self._refresh_all(pace=self._pace, breath=self._breath)
            # A live message shows the first change at once, since people look at it; a Home tab gathers a burst
            # first, since it is drawn as a whole for many (decision 16).
            if not self._pauses_first:
                await asyncio.sleep(self._pause)
            if self.is_behind:
                self._wake.set()

    @abstractmethod
    async def _refresh(self, subject: Subject) -> RefreshResult:
        """Bring one subject up to date."""

    async def _find_stale(self) -> None:
        """Turn changes noted in the meantime into stale subjects."""

    def _mark(self, subject: Subject) -> None:
        self._stale.setdefault(subject, 0)
        self._wake.set()

    def _must_rest(self) -> bool:
        return time.monotonic() < self._quiet_until

    def _rest(self, seconds: float) -> None:
        self._quiet_until = time.monotonic() + seconds

    async def _refresh_all(self, *, pace: float, breath: float) -> None:
        """Refresh each subject that is stale now, once. Later changes wait for the next round."""
        if self._must_rest():
            return
        # Under the lock even if nothing is stale, so that refresh_now waits for a running refresh instead of spinning.
        async with self._refreshing:
            await self._find_stale()
        for subject in tuple(self._stale):
            if self._must_rest():
                return
            result = await self._refresh_one(subject)
            if result.wait:
                return
            # One that turned out unchanged cost Slack nothing, so it needs no pace, only a turn of the loop for
            # others.
            await asyncio.sleep(pace if result.is_sent else breath)

    async def _refresh_one(self, subject: Subject) -> RefreshResult:
        async with self._refreshing:
            tries = self._stale.pop(subject, None)
            if tries is None:  # refreshed by another caller while this one waited for the lock
                return RefreshResult()
            result = await self._guard(self._refresh(subject)) or RefreshResult()
            if result.wait:
                self._rest(result.wait)
                if self._most_tries is None or tries + 1 < self._most_tries:
                    self._stale[subject] = tries + 1
            return result

    async def _guard(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result; None after an error, which is one lost refresh and must not end the loop."""
        # As its own task: if the loop is cancelled, a call to Slack is not broken off.
        task = asyncio.ensure_future(work)
        await asyncio.wait([task])
        if error := task.exception():
            log.error(
                "Refreshing %(what)s failed (%(cause)s). It's tried again at the next change.",
                {"event": "refresh_failed", "what": self._noun, "cause": type(error).__name__},
            )
            return None
        return task.result()


async def _update(call: Awaitable[object], noun: str, *, retry_seconds: float = 0.0) -> RefreshResult:
    """Await a call to Slack. After a temporary failure the result asks for a wait of `retry_seconds`."""
    try:
        await call
    except SlackApiError as error:
        refusal = parse_refusal(error)
        if refusal.rest is not None:
            return RefreshResult(wait=min(refusal.rest, LONGEST_WAIT))
        log.warning(
            "Slack refused to update %(what)s (%(cause)s).",
            {"event": "refresh_refused", "what": noun, "cause": refusal.word},
        )
        wait = retry_seconds if refusal.is_passing else 0.0
        return RefreshResult(is_gone=refusal.word == "message_not_found", wait=wait)
    except CALL_ERRORS as error:
        log.warning(
            "Slack didn't answer while %(what)s was updated (%(cause)s). It's tried again.",
            {"event": "refresh_unanswered", "what": noun, "cause": type(error).__name__},
        )
        return RefreshResult(wait=retry_seconds)
    return RefreshResult(is_sent=True)


LIVE_MESSAGE_PAUSE_SECONDS = 3.0
"""At most one update per incident in this time, however many entries come."""

REMEMBERED = 500
"""The content of this many live messages is remembered, so that an update that changes nothing is not sent."""

RefreshLiveMessage = Callable[[Place, int | None], Awaitable[float]]
"""Brings one incident's live message up to date; returns for how many seconds Slack wants to be left alone."""


class LiveMessageQueue(Debouncer[tuple[Place, int | None]]):
    """Refreshes live messages: one per channel, updated in place, seldom enough not to disturb."""

    def __init__(self, *, pause: float = LIVE_MESSAGE_PAUSE_SECONDS) -> None:
        super().__init__("a live message", pause=pause)
        self._refresher: RefreshLiveMessage | None = None

    def refresh_with(self, refresher: RefreshLiveMessage) -> None:
        """Set what refreshes one live message. It must not raise when Slack refuses."""
        self._refresher = refresher

    def mark_stale(self, place: Place, incident_id: int | None) -> None:
        """Note that an incident changed: the one named, else the one that is open in the channel."""
        self._mark((place, incident_id))

    def _must_rest(self) -> bool:
        return self._refresher is None or super()._must_rest()

    async def _refresh(self, subject: tuple[Place, int | None]) -> RefreshResult:
        if self._refresher is None:
            return RefreshResult()
        return RefreshResult(wait=await self._refresher(*subject))


class MessageUpdater:
    """Updates messages in place, pins and unpins them, and counts what came after them."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._shown: dict[tuple[str, str], Message] = {}
        self._pinned: set[tuple[str, str]] = set()
        self._may_pin = True
        self._unreadable: set[str] = set()
        """Channels whose history the app has no scope for."""

    async def update(self, channel: str, ts: str, message: Message) -> RefreshResult:
        """Replace a message's content; nothing is sent if it reads so already. Errors are in the result."""
        if self._shown.get((channel, ts)) == message:
            return RefreshResult()
        # Forgotten first: after a failure it is not known what the message shows.
        self._shown.pop((channel, ts), None)
        result = await _update(self._client.chat_update(channel=channel, ts=ts, **message), "a live message")
        if result.is_sent:
            if len(self._shown) >= REMEMBERED:
                # All at once, for an unchanged message that is sent again does no harm, and needs no order of use.
                self._shown.clear()
            self._shown[channel, ts] = message
        return result

    async def count_after(self, channel: str, ts: str, most: int) -> int:
        """How many messages, up to `most`, came after this one in its channel; 0 if the bot may not read there."""
        if channel in self._unreadable:
            return 0
        try:
            page = await self._client.conversations_history(channel=channel, oldest=ts, limit=most + 1)
        except SlackApiError as error:
            word = parse_refusal(error).word
            log.info(
                "Slack doesn't show the messages in %(channel)s (%(cause)s), so the live message can't say how far "
                "down it is.",
                {"event": "messages_uncounted", "channel": channel, "cause": word},
            )
            if word == "missing_scope":
                # Not asked again by this process: the scope stays missing until the app is installed again.
                self._unreadable.add(channel)
            return 0
        except CALL_ERRORS as error:
            log.info(
                "Slack didn't answer which messages are in %(channel)s (%(cause)s). It's asked again later.",
                {"event": "messages_uncounted", "channel": channel, "cause": type(error).__name__},
            )
            return 0
        return min(len(page.get("messages") or ()), most)

    async def pin(self, channel: str, ts: str) -> None:
        """Pin a message, once. Without the scope it is only logged."""
        if (channel, ts) in self._pinned or not self._may_pin:
            return
        # Before the call, so that two refreshes do not both pin it.
        self._pinned.add((channel, ts))
        try:
            await self._client.pins_add(channel=channel, timestamp=ts)
        except SlackApiError as error:
            word = parse_refusal(error).word
            self._may_pin = word != "missing_scope"
            if word != "already_pinned":
                log.warning(
                    "Slack refused to pin the live message in %(channel)s (%(cause)s). Pin it by hand, or check the "
                    "scope pins:write.",
                    {"event": "pin_refused", "channel": channel, "cause": word},
                )
        except CALL_ERRORS as error:
            self._pinned.discard((channel, ts))  # tried again at the next change
            log.warning(
                "Slack didn't answer while the live message in %(channel)s was pinned (%(cause)s). It's tried again "
                "at the next change.",
                {"event": "pin_unanswered", "channel": channel, "cause": type(error).__name__},
            )

    async def unpin(self, channel: str, ts: str) -> None:
        """Take the pin off a message; if it was taken off already, or was never pinned, that is fine."""
        try:
            await self._client.pins_remove(channel=channel, timestamp=ts)
        except CALL_ERRORS as error:
            log.info(
                "The old live message in %(channel)s couldn't be unpinned (%(cause)s). Unpin it by hand.",
                {"event": "unpin_refused", "channel": channel, "cause": describe_cause(error)},
            )


HOME_TAB_PAUSE_SECONDS = 5.0
"""No one's tab is published more often in the background, however much changes."""

PACE_SECONDS = 1.0
"""Between two people. Slack takes about 100 a minute (tier 4); the rest is for people who open theirs now."""

BREATH_SECONDS = 0.05
"""After a tab that was up to date: recording goes first."""

RETRY_SECONDS = 30.0
MOST_TRIES = 10

TabOwner = tuple[str, str]
"""(workspace, person)."""

Change = tuple[int, str]
"""The row of an incident, and what of it was changed, as in `Transaction.note`."""


class HomeTabRefresher(Protocol):
    """Knows who looks at their Home tab, and publishes it."""

    async def find_affected(self, changes: frozenset[Change]) -> tuple[TabOwner, ...]:
        """List the people whose tab shows something of these changes."""

    async def list_viewers(self) -> tuple[TabOwner, ...]:
        """List the people whose tab is kept up to date at all."""

    async def refresh(self, team: str, person: str, *, force: bool = False) -> RefreshResult:
        """Publish a person's tab if it looks different now, or if `force`. It must not raise when Slack refuses."""


class HomeTabQueue(Debouncer[TabOwner]):
    """Refreshes Home tabs: at Slack's pace, each once for all that changed in it.

    After a restart it does not know what was stale, so at the start every viewer's tab is compared with the record.
    """

    def __init__(self, *, pause: float = HOME_TAB_PAUSE_SECONDS, pace: float = PACE_SECONDS) -> None:
        super().__init__(
            "a Home tab", pause=pause, pauses_first=True, pace=pace, breath=BREATH_SECONDS, most_tries=MOST_TRIES
        )
        self._changes: set[Change] = set()
        self._refresher: HomeTabRefresher | None = None

    def refresh_with(self, refresher: HomeTabRefresher) -> None:
        """Set what publishes a tab."""
        self._refresher = refresher

    @property
    def is_behind(self) -> bool:
        """Whether a tab may be out of date."""
        return bool(self._changes) or super().is_behind

    def mark_changed(self, changes: Iterable[Change]) -> None:
        """Note that incidents changed. Whose tabs show them is found out later."""
        self._changes.update(changes)
        self._wake.set()

    def mark_stale(self, team: str, person: str) -> None:
        """Note that a person's tab may be out of date."""
        self._mark((team, person))

    async def show(self, team: str, person: str) -> None:
        """Publish a person's tab now, because they are looking at it."""
        if self._refresher is None:
            return
        # Before the call: a change that comes while it is published marks the tab as stale again.
        self._stale.pop((team, person), None)
        result = await self._guard(self._refresher.refresh(team, person, force=True))
        if result is not None and result.wait:
            self._rest(result.wait)
            self.mark_stale(team, person)

    async def run(self) -> None:
        """Compare every viewer's tab once, then refresh what is stale; until cancelled."""
        if self._refresher is not None:
            # What was stale when the process ended was only in memory (decision 16).
            for team, person in await self._guard(self._refresher.list_viewers()) or ():
                self.mark_stale(team, person)
        await super().run()

    def _must_rest(self) -> bool:
        return self._refresher is None or super()._must_rest()

    async def _find_stale(self) -> None:
        changes, self._changes = frozenset(self._changes), set()
        if changes and self._refresher is not None:
            for owner in await self._guard(self._refresher.find_affected(changes)) or ():
                self._stale.setdefault(owner, 0)

    async def _refresh(self, subject: TabOwner) -> RefreshResult:
        return await self._refresher.refresh(*subject) if self._refresher is not None else RefreshResult()


class HomeTabPublisher:
    """Shows a view as a person's Home tab."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def publish(self, person: str, view: Block) -> RefreshResult:
        """Publish it; if Slack refuses, the result says whether another try can help."""
        call = self._client.views_publish(user_id=person, view=view)
        return await _update(call, "a Home tab", retry_seconds=RETRY_SECONDS)
