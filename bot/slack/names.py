"""What channels and user groups are called, for texts that hold only their ids."""

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.failures import TROUBLE, cause_of

log = logging.getLogger(__name__)

ASKING_SECONDS = 1.0
"""How long an entry may wait for a name; after that the id stands in its text."""

REMEMBERED_SECONDS = 24 * 3600.0
ASK_AGAIN_SECONDS = 60.0
"""After an answer that told no name: a scope that was declined, a channel that nobody may know of."""

_ALL_GROUPS = "S"
"""Asked for as if it were a group of its own, so that the list is not asked for again at once."""


class Names:
    """Asks Slack once for each name and remembers it for a day.

    A private channel's name is told to nobody: the text may be read by those who are not in it.
    """

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._names: dict[tuple[str, str], str] = {}
        self._asked: dict[tuple[str, str], float] = {}
        self._in_use: dict[str, tuple[tuple[str, str], ...]] = {}

    def name(self, team: str, about: str) -> str:
        """The name of a channel, or the handle of a user group; empty while nobody knows it."""
        return self._names.get((team, about), "")

    def remember(self, team: str, about: str, name: str) -> None:
        """Slack told a name."""
        self._names[team, about] = name
        self._asked[team, about] = time.monotonic() + REMEMBERED_SECONDS

    async def learn(self, team: str, ids: Iterable[str]) -> None:
        """Ask for those of the ids whose names are not known, for a second at most."""
        wanted = [about for about in ids if self._asked.get((team, about), 0.0) <= time.monotonic()]
        if not wanted:
            return
        for about in wanted:
            self._asked[team, about] = time.monotonic() + ASK_AGAIN_SECONDS
        groups = [about for about in wanted if about.startswith("S")]
        asking = [self._channel(team, about) for about in wanted if not about.startswith("S")]
        try:
            async with asyncio.timeout(ASKING_SECONDS):
                await asyncio.gather(*asking, *([self._groups(team)] if groups else []))
        except TimeoutError:
            log.warning("Slack did not tell %d names in time", len(wanted))

    async def groups(self, team: str) -> tuple[tuple[str, str], ...]:
        """(id, handle) of every user group that is in use, asked for once a minute, for a second at most.

        Empty where Slack does not tell: the scope was declined, or it is too slow.
        """
        await self.learn(team, [_ALL_GROUPS])
        return self._in_use.get(team, ())

    async def _channel(self, team: str, channel: str) -> None:
        try:
            told: Any = await self._client.conversations_info(channel=channel)
        except TROUBLE as error:
            log.info("the name of a channel was not told: %s", cause_of(error))
            return
        found = told["channel"]
        if found.get("name") and not found.get("is_private"):
            self.remember(team, channel, found["name"])

    async def _groups(self, team: str) -> None:
        try:
            told: Any = await self._client.usergroups_list(include_disabled=True)
        except TROUBLE as error:
            log.info("the names of user groups were not told: %s", cause_of(error))
            return
        called = {group["id"]: group.get("handle") or group.get("name") or group["id"] for group in told["usergroups"]}
        for group, handle in called.items():
            self.remember(team, group, handle)
        in_use = (group["id"] for group in told["usergroups"] if not group.get("date_delete"))
        self._in_use[team] = tuple((group, called[group]) for group in in_use)
