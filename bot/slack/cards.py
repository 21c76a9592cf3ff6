"""The live message of each incident: one per channel, updated in place, seldom enough not to disturb."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.incident.records import Place

log = logging.getLogger(__name__)

PAUSE_SECONDS = 3.0
"""At most one update per incident in this time, however many entries come."""

Subject = tuple[Place, int | None]
Refresh = Callable[[Place, int | None], Awaitable[None]]


class Cards:
    """Remembers whose card is stale and refreshes it a little later.

    A lost update does no harm, for the next change mends it: this is a picture of the record, not the record.
    """

    def __init__(self, *, pause: float = PAUSE_SECONDS) -> None:
        self._pause = pause
        self._stale: set[Subject] = set()
        self._wake = asyncio.Event()
        self._refresh: Refresh | None = None

    def refresh_with(self, refresh: Refresh) -> None:
        """What brings one incident's card up to date; it must not raise for a refusal of Slack's."""
        self._refresh = refresh

    def touch(self, place: Place, incident_id: int | None) -> None:
        """An incident changed: the one named, else the channel's."""
        self._stale.add((place, incident_id))
        self._wake.set()

    async def refresh_now(self) -> None:
        """Bring every stale card up to date."""
        while self._stale and self._refresh is not None:
            # Awaited as a task of its own: an error in it is one lost update, and never the end of the bot.
            refreshing = asyncio.ensure_future(self._refresh(*self._stale.pop()))
            await asyncio.wait([refreshing])
            if error := refreshing.exception():
                log.error("a live message could not be brought up to date (%s)", type(error).__name__)

    async def run(self) -> None:
        """Refresh what is stale, then rest; until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.refresh_now()
            await asyncio.sleep(self._pause)
