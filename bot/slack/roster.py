"""The workspace's list of people: read at the start and once a day, so that names and zones never grow old."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import NotRecorded
from bot.slack.failures import TROUBLE, refusal_in
from bot.slack.people import People

log = logging.getLogger(__name__)

EVERY = timedelta(days=1)
AGAIN = timedelta(minutes=5)
"""After a reading that failed."""

LOOKED_UP = 100
"""So many people whom the list does not have (those of other organisations) are asked for one by one."""

TRIES = 5
LONGEST_WAIT = 60.0


class Roster:
    """Reads in a task of its own, for a large workspace's list takes minutes at Slack's pace."""

    def __init__(self, client: AsyncWebClient, people: People) -> None:
        self._client = client
        self._people = people
        self._due: datetime | None = None
        self._reading: asyncio.Task[None] | None = None

    def start(self, now: datetime) -> None:
        """Read it now, and from now on whenever `keep_up` finds it a day old."""
        self._due = now
        self.keep_up(now)

    def keep_up(self, now: datetime) -> None:
        """Read it anew where it is due; nothing before `start`."""
        is_reading = self._reading is not None and not self._reading.done()
        if self._due is None or is_reading or now < self._due <= now + EVERY:  # later than that: the clock was put back
            return
        self._due = now + EVERY
        self._reading = asyncio.create_task(self._read(now))

    async def settled(self) -> None:
        """Wait for a reading that is under way."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def close(self) -> None:
        """Break off what is under way."""
        self._due = None
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def _read(self, now: datetime) -> None:
        try:
            told: Any = await self._client.auth_test()
            team = str(told["team_id"])
            self._people.home = "" if told.get("is_enterprise_install") else team
            listed = await self._read_list(team)
            await self._look_up_others(team, listed)
        except (*TROUBLE, NotRecorded) as error:
            self._due = now + AGAIN
            log.warning("who is who could not be read (%s); recording works all the same", type(error).__name__)

    async def _read_list(self, team: str) -> set[str]:
        listed: set[str] = set()
        cursor = ""
        while True:
            page = await self._page(cursor)
            for told in page["members"]:
                listed.add(told["id"])
                await self._people.learn(team, told)
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return listed

    async def _page(self, cursor: str) -> Any:
        for _ in range(TRIES):
            try:
                return await self._client.users_list(limit=200, cursor=cursor, include_locale=True)
            except SlackApiError as error:
                rest = refusal_in(error).rest
                if rest is None:
                    raise
                await asyncio.sleep(min(rest, LONGEST_WAIT))
        return await self._client.users_list(limit=200, cursor=cursor, include_locale=True)

    async def _look_up_others(self, team: str, listed: set[str]) -> None:
        for user in sorted(self._people.ids(team) - listed)[:LOOKED_UP]:
            try:
                told: Any = await self._client.users_info(user=user, include_locale=True)
            except SlackApiError as error:
                refusal = refusal_in(error)
                log.info("%s is not told any more: %s", user, refusal.word)
                if refusal.rest is not None:
                    return
                continue
            await self._people.learn(team, told["user"])
