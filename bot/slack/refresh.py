"""The Home tabs that people look at: drawn anew a little after something in them changed, at Slack's pace.

The live message of each incident: one per channel, updated in place, seldom enough not to disturb.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.records import Place
from bot.slack.errors import TROUBLE, refusal_in
from bot.slack.views.blocks import Block, Message

log = logging.getLogger(__name__)

T = TypeVar("T")

TAB_PAUSE_SECONDS = 5.0
"""Nobody's tab is drawn more often in the background, however much changes."""

PACE_SECONDS = 1.0
"""Between two people. Slack takes about 100 a minute (tier 4); what is left is for those who open theirs now."""

BREATH_SECONDS = 0.05
"""After a tab that turned out to be as it was: recording goes first."""

LATER_SECONDS = 30.0
LONGEST_TAB_WAIT = 300.0
MOST_TRIES = 10

Whose = tuple[str, str]
"""(workspace, person)."""

Change = tuple[int, str]
"""The row of an incident, and what of it was changed, as `Transaction.note` has it."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of drawing a tab; `wait` is for how many seconds it is to be left as it is, and then tried again."""

    is_published: bool = False
    wait: float = 0.0


class Drawer(Protocol):
    """Knows who looks at their tab, and draws it."""

    async def whose(self, changes: frozenset[Change]) -> tuple[Whose, ...]:
        """Whose tabs show something of what changed."""

    async def everybody(self) -> tuple[Whose, ...]:
        """Whose tabs are kept fresh at all."""

    async def draw(self, team: str, person: str, *, anyway: bool = False) -> Drawn:
        """Publish somebody's tab where it changed, or `anyway`."""


class HomeTabQueue:
    """Remembers what changed, and has the tabs that show it drawn a little later, each once.

    What was forgotten at a restart is found again, for at its start it has everybody's tab compared with what it
    should show. Changes come through `changed`, from the loop's thread; that costs an answer nothing.
    """

    def __init__(self, *, pause: float = TAB_PAUSE_SECONDS, pace: float = PACE_SECONDS) -> None:
        self._pause = pause
        self._pace = pace
        self._changes: set[Change] = set()
        self._stale: dict[Whose, int] = {}
        """How often each was tried in vain; the first comes first."""
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        """Held while it is found out whose tabs a change shows in, and while one that was stale is drawn."""
        self._drawer: Drawer | None = None
        self._quiet_until = 0.0

    def drawn_by(self, drawer: Drawer) -> None:
        """Who draws them; it must not raise for a refusal of Slack's."""
        self._drawer = drawer

    @property
    def is_behind(self) -> bool:
        """Whether a tab may show what is not so any more."""
        return bool(self._changes or self._stale)

    def changed(self, changes: Iterable[Change]) -> None:
        """Something of these incidents was changed."""
        self._changes.update(changes)
        self._wake.set()

    def stale(self, team: str, person: str) -> None:
        """Somebody's tab may show what is not so any more."""
        self._stale.setdefault((team, person), 0)
        self._wake.set()

    async def show(self, team: str, person: str) -> None:
        """Draw somebody's tab now, for they look at it."""
        if self._drawer is None:
            return
        self._stale.pop((team, person), None)
        drawn = await self._minded(self._drawer.draw(team, person, anyway=True))
        if drawn is not None and drawn.wait:
            self._quiet_until = time.monotonic() + drawn.wait
            self.stale(team, person)

    async def draw_now(self) -> None:
        """Draw everything that is stale, without pauses, unless Slack wants to be left alone: then it stays stale.

        What is being drawn already is drawn when this returns, too.
        """
        while (self.is_behind or self._turn.locked()) and not self._must_rest():
            await self._round(pace=0, breath=0)

    async def run(self) -> None:
        """Draw what is stale, then rest; until cancelled."""
        if self._drawer is not None:
            for whose in await self._minded(self._drawer.everybody()) or ():
                self.stale(*whose)
        while True:
            await self._wake.wait()
            await asyncio.sleep(max(self._pause, self._quiet_until - time.monotonic()))
            self._wake.clear()
            await self._round(pace=self._pace, breath=BREATH_SECONDS)
            if self.is_behind:
                self._wake.set()

    def _must_rest(self) -> bool:
        return self._drawer is None or time.monotonic() < self._quiet_until

    async def _round(self, *, pace: float, breath: float) -> None:
        """Each tab that is stale now, once; what changes meanwhile waits for its turn."""
        if self._drawer is None or self._must_rest():
            return
        await self._find_stale(self._drawer)
        for whose in tuple(self._stale):
            drawn = await self._draw_stale(self._drawer, whose)
            if drawn.wait:
                return
            await asyncio.sleep(pace if drawn.is_published else breath)

    async def _find_stale(self, drawer: Drawer) -> None:
        async with self._turn:
            changes, self._changes = frozenset(self._changes), set()
            for whose in await self._minded(drawer.whose(changes)) or () if changes else ():
                self._stale.setdefault(whose, 0)

    async def _draw_stale(self, drawer: Drawer, whose: Whose) -> Drawn:
        """Draw somebody's tab, unless they opened it, and so had it drawn, while they waited for their turn."""
        async with self._turn:
            tries = self._stale.pop(whose, None)
            if tries is None:
                return Drawn()
            drawn = await self._minded(drawer.draw(*whose)) or Drawn()
            if drawn.wait:
                self._quiet_until = time.monotonic() + drawn.wait
                if tries + 1 < MOST_TRIES:
                    self._stale[whose] = tries + 1
            return drawn

    @staticmethod
    async def _minded(work: Coroutine[Any, Any, T]) -> T | None:
        """Await it as a task of its own: an error in it is one lost update, and never the end of the bot."""
        task = asyncio.ensure_future(work)
        await asyncio.wait([task])
        if error := task.exception():
            log.error("a Home tab could not be drawn (%s)", type(error).__name__)
            return None
        return task.result()


class Publisher:
    """Shows a view as somebody's Home tab."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def publish(self, person: str, view: Block) -> Drawn:
        """Publish it; what Slack refuses is told in the answer, or in the log where another try would not help."""
        try:
            await self._client.views_publish(user_id=person, view=view)
        except SlackApiError as error:
            return _tab_refused(error)
        except TROUBLE as error:
            log.warning("a Home tab could not be published: %s", type(error).__name__)
            return Drawn(wait=LATER_SECONDS)
        return Drawn(is_published=True)


def _tab_refused(error: SlackApiError) -> Drawn:
    refusal = refusal_in(error)
    if refusal.rest is not None:
        return Drawn(wait=min(refusal.rest, LONGEST_TAB_WAIT))
    log.warning("a Home tab could not be published: %s", refusal.word)
    return Drawn(wait=LATER_SECONDS if refusal.is_passing else 0.0)


CARD_PAUSE_SECONDS = 3.0
"""At most one update per incident in this time, however many entries come."""

LONGEST_CARD_WAIT = 300.0
REMEMBERED = 500
"""So many live messages are known by what they say, so that an update that changes nothing is not sent."""

Subject = tuple[Place, int | None]
Refresh = Callable[[Place, int | None], Awaitable[float]]
"""Brings one incident's card up to date; the answer is for how many seconds Slack wants to be left alone."""


class LiveMessageQueue:
    """Remembers whose card is stale and refreshes it a little later.

    A lost update does no harm, for the next change mends it: this is a picture of the record, not the record.
    """

    def __init__(self, *, pause: float = CARD_PAUSE_SECONDS) -> None:
        self._pause = pause
        self._stale: set[Subject] = set()
        self._wake = asyncio.Event()
        self._refreshing = asyncio.Lock()
        """One round at a time: of two updates under way at once the older words could arrive last, and stay."""
        self._refresh: Refresh | None = None
        self._quiet_until = 0.0

    def refresh_with(self, refresh: Refresh) -> None:
        """What brings one incident's card up to date; it must not raise for a refusal of Slack's."""
        self._refresh = refresh

    def touch(self, place: Place, incident_id: int | None) -> None:
        """An incident changed: the one named, else the channel's."""
        self._stale.add((place, incident_id))
        self._wake.set()

    async def refresh_now(self) -> None:
        """Bring every stale card up to date, unless Slack wants to be left alone: then they stay stale.

        Those that are being brought up to date already are so when this returns, too.
        """
        while (self._stale or self._refreshing.locked()) and not self._must_rest():
            await self._refresh_all()

    def _must_rest(self) -> bool:
        return self._refresh is None or time.monotonic() < self._quiet_until

    async def _refresh_all(self) -> None:
        """Each card that is stale now, once; what changes meanwhile waits for its turn."""
        async with self._refreshing:
            for subject in tuple(self._stale):
                if self._refresh is None or self._must_rest():
                    return
                self._stale.discard(subject)
                # Awaited as a task of its own: an error in it is one lost update, and never the end of the bot.
                refreshing = asyncio.ensure_future(self._refresh(*subject))
                await asyncio.wait([refreshing])
                if error := refreshing.exception():
                    log.error("a live message could not be brought up to date (%s)", type(error).__name__)
                elif wait := refreshing.result():
                    self._quiet_until = time.monotonic() + wait
                    self._stale.add(subject)

    async def run(self) -> None:
        """Refresh what is stale, then rest; until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._refresh_all()
            await asyncio.sleep(max(self._pause, self._quiet_until - time.monotonic()))
            if self._stale:
                self._wake.set()


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """What became of it: `is_gone` where somebody deleted the message, `wait` for how many seconds Slack wants rest."""

    is_gone: bool = False
    wait: float = 0.0


class LiveMessages:
    """Updates messages in place."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._shown: dict[tuple[str, str], Message] = {}

    async def update(self, channel: str, ts: str, said: Message) -> UpdateResult:
        """Make a message say this; nothing is sent where it says so already. Errors are told in the answer."""
        if self._shown.get((channel, ts)) == said:
            return UpdateResult()
        try:
            await self._client.chat_update(channel=channel, ts=ts, **said)
        except SlackApiError as error:
            self._shown.pop((channel, ts), None)
            return _card_refused(error)
        except TROUBLE as error:
            self._shown.pop((channel, ts), None)
            log.warning("a live message could not be updated: %s", type(error).__name__)
            return UpdateResult()
        if len(self._shown) >= REMEMBERED:
            self._shown.clear()
        self._shown[channel, ts] = said
        return UpdateResult()


def _card_refused(error: SlackApiError) -> UpdateResult:
    refusal = refusal_in(error)
    if refusal.rest is not None:
        return UpdateResult(wait=min(refusal.rest, LONGEST_CARD_WAIT))
    log.warning("a live message could not be updated: %s", refusal.word)
    return UpdateResult(is_gone=refusal.word == "message_not_found")
