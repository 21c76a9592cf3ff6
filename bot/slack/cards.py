"""The live message of each incident: one per channel, updated in place, seldom enough not to disturb."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.incident.records import Place
from bot.slack.blocks import Message
from bot.slack.failures import TROUBLE, refusal_in

log = logging.getLogger(__name__)

PAUSE_SECONDS = 3.0
"""At most one update per incident in this time, however many entries come."""

LONGEST_WAIT = 300.0
REMEMBERED = 500
"""So many live messages are known by what they say, so that an update that changes nothing is not sent."""

Subject = tuple[Place, int | None]
Refresh = Callable[[Place, int | None], Awaitable[float]]
"""Brings one incident's card up to date; the answer is for how many seconds Slack wants to be left alone."""


class Cards:
    """Remembers whose card is stale and refreshes it a little later.

    A lost update does no harm, for the next change mends it: this is a picture of the record, not the record.
    """

    def __init__(self, *, pause: float = PAUSE_SECONDS) -> None:
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
class Updated:
    """What became of it: `is_gone` where somebody deleted the message, `wait` for how many seconds Slack wants rest."""

    is_gone: bool = False
    wait: float = 0.0


class LiveMessages:
    """Updates messages in place."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._shown: dict[tuple[str, str], Message] = {}

    async def update(self, channel: str, ts: str, said: Message) -> Updated:
        """Make a message say this; nothing is sent where it says so already. Errors are told in the answer."""
        if self._shown.get((channel, ts)) == said:
            return Updated()
        try:
            await self._client.chat_update(channel=channel, ts=ts, **said)
        except SlackApiError as error:
            self._shown.pop((channel, ts), None)
            return _refused(error)
        except TROUBLE as error:
            self._shown.pop((channel, ts), None)
            log.warning("a live message could not be updated: %s", type(error).__name__)
            return Updated()
        if len(self._shown) >= REMEMBERED:
            self._shown.clear()
        self._shown[channel, ts] = said
        return Updated()


def _refused(error: SlackApiError) -> Updated:
    refusal = refusal_in(error)
    if refusal.rest is not None:
        return Updated(wait=min(refusal.rest, LONGEST_WAIT))
    log.warning("a live message could not be updated: %s", refusal.word)
    return Updated(is_gone=refusal.word == "message_not_found")
