"""Which channels somebody may look into from elsewhere: asked of Slack, and closed where Slack does not say."""

import asyncio
import logging
import time
from collections.abc import Iterable

from aiohttp import ClientError
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)

REMEMBERED_SECONDS = 60.0
ASKING_SECONDS = 1.5

_GUEST = "guest:"
_NOBODY = ""


class Places:
    """Answers are remembered for a minute, so that somebody who left a channel loses sight of it soon."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: dict[tuple[str, str], tuple[bool, float]] = {}

    async def visible(self, user: str, channels: Iterable[str], here: str, *, belongs: bool = True) -> frozenset[str]:
        """Those of the channels that the user may see: the one they are in, those they belong to, and public ones.

        The public ones are only for who `belongs` to the workspace: a guest sees nothing but their own channels.
        """
        return await self._among(user if belongs else f"{_GUEST}{user}", channels, here)

    async def open_to_all(self, channels: Iterable[str], here: str) -> frozenset[str]:
        """Those of the channels that everybody may see, and the one they are in: what may be quoted in there."""
        return await self._among(_NOBODY, channels, here)

    async def _among(self, user: str, channels: Iterable[str], here: str) -> frozenset[str]:
        others = sorted({channel for channel in channels if channel != here})
        seen = await asyncio.gather(*(self._may_see(user, channel) for channel in others))
        return frozenset({here, *(channel for channel, allowed in zip(others, seen, strict=True) if allowed)})

    async def _may_see(self, user: str, channel: str) -> bool:
        known = self._known.get((user, channel))
        if known is not None and known[1] > time.monotonic():
            return known[0]
        try:
            async with asyncio.timeout(ASKING_SECONDS):
                allowed = await self._ask(user, channel)
        except (SlackClientError, ClientError, OSError, TimeoutError) as error:
            log.warning("whether %s may see %s could not be asked: %s", user, channel, type(error).__name__)
            return False
        self._known[user, channel] = (allowed, time.monotonic() + REMEMBERED_SECONDS)
        return allowed

    async def _ask(self, user: str, channel: str) -> bool:
        told = await self._client.conversations_info(channel=channel)
        if not told["channel"].get("is_private") and not user.startswith(_GUEST):
            return True
        if user == _NOBODY:
            return False
        user = user.removeprefix(_GUEST)
        cursor = ""
        while True:
            page = await self._client.conversations_members(channel=channel, limit=1000, cursor=cursor)
            if user in page["members"]:
                return True
            cursor = (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return False
