"""The Home tabs that people look at: drawn anew a little after something in them changed, at Slack's pace."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.blocks import Block
from bot.slack.failures import TROUBLE, refusal_in

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE_SECONDS = 5.0
"""Nobody's tab is drawn more often in the background, however much changes."""

PACE_SECONDS = 1.0
"""Between two people. Slack takes about 100 a minute (tier 4); what is left is for those who open theirs now."""

BREATH_SECONDS = 0.05
"""After a tab that turned out to be as it was: recording goes first."""

LATER_SECONDS = 30.0
LONGEST_WAIT = 300.0
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


class Tabs:
    """Remembers what changed, and has the tabs that show it drawn a little later, each once.

    What was forgotten at a restart is found again, for at its start it has everybody's tab compared with what it
    should show. Changes come through `changed`, from the loop's thread; that costs an answer nothing.
    """

    def __init__(self, *, pause: float = PAUSE_SECONDS, pace: float = PACE_SECONDS) -> None:
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
            return _refused(error)
        except TROUBLE as error:
            log.warning("a Home tab could not be published: %s", type(error).__name__)
            return Drawn(wait=LATER_SECONDS)
        return Drawn(is_published=True)


def _refused(error: SlackApiError) -> Drawn:
    refusal = refusal_in(error)
    if refusal.rest is not None:
        return Drawn(wait=min(refusal.rest, LONGEST_WAIT))
    log.warning("a Home tab could not be published: %s", refusal.word)
    return Drawn(wait=LATER_SECONDS if refusal.is_passing else 0.0)
