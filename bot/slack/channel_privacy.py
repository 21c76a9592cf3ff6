"""Keeps a table of which channels of incidents are private, so that lists and sums need not ask Slack about each.

A channel that Slack was not asked about counts as private. Another one is asked about at the next look.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import NotRecorded
from bot.slack.errors import CALL_ERRORS, describe_cause, parse_refusal
from storage import channels as channels_store
from storage.database.store import Store

log = logging.getLogger(__name__)

REFRESH_EVERY = timedelta(minutes=10)
RETRY_AFTER = timedelta(minutes=1)
FEW = 30
"""Up to so many channels are asked about one by one; for more, all public channels are listed, a thousand a call."""

PAGE_SECONDS = 3.1
"""Between two pages of a list: Slack allows 20 a minute."""

MOST_SAVED = 200
"""Channels in one transaction: people who record must not wait."""

_Privacy = dict[tuple[str, str], bool]


class ChannelPrivacy:
    """Reads the privacy of channels in a background task: of all every ten minutes, of new ones at the next look."""

    def __init__(self, client: AsyncWebClient, store: Store) -> None:
        self._client = client
        self._store = store
        self._due: datetime | None = None
        self._reading: asyncio.Task[None] | None = None
        self._last = 0
        """The row of the last incident whose channel was asked about."""

    def start(self, now: datetime) -> None:
        """Refresh now, and from then on by `refresh_if_due`."""
        self._due = now
        self.refresh_if_due(now)

    def refresh_if_due(self, now: datetime) -> None:
        """Begin to refresh what is due. Does nothing before `start`."""
        if self._due is None or (self._reading is not None and not self._reading.done()):
            return
        # Due more than one round ahead means that the clock was set back: then refresh now.
        is_due = not now < self._due <= now + REFRESH_EVERY
        if is_due:
            self._due = now + REFRESH_EVERY
        self._reading = asyncio.create_task(self._refresh(now, everything=is_due))

    async def wait(self) -> None:
        """Wait for a running refresh."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def close(self) -> None:
        """Cancel a running refresh."""
        self._due = None
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def note(self, team: str, channel: str, now: datetime, *, is_private: bool) -> None:
        """Slack says that a channel was made private, or public."""
        await self._store.write(lambda tx: channels_store.save_privacy(tx, team, {channel: is_private}, now))

    async def _refresh(self, now: datetime, *, everything: bool) -> None:
        after = 0 if everything else self._last
        try:
            last, channels = await self._store.read(lambda tx: channels_store.list_of_incidents(tx, after))
            if channels:
                await self._save({(team, one) for team, ones in channels.items() for one in ones}, now)
            self._last = last
        except (*CALL_ERRORS, NotRecorded) as error:
            if everything:
                self._due = now + RETRY_AFTER
            log.warning(
                "Slack doesn't say which channels are private (%(cause)s). New ones aren't in the library's lists "
                "meanwhile.",
                {"event": "privacy_unread", "cause": describe_cause(error)},
            )

    async def _save(self, channels: set[tuple[str, str]], now: datetime) -> None:
        before = await self._store.read(channels_store.load_privacy)
        if len(channels) <= FEW:
            found = {(team, one): await self._is_private(one) for team, one in sorted(channels)}
        else:
            public = await self._list_public()
            found = {(team, one): one not in public for team, one in channels}
        # Known as it is, a channel is not written again: most never change.
        changed = sorted(key for key, is_private in found.items() if before.get(key) is not is_private)
        for start in range(0, len(changed), MOST_SAVED):
            await self._save_some({key: found[key] for key in changed[start : start + MOST_SAVED]}, now)

    async def _save_some(self, some: _Privacy, now: datetime) -> None:
        def unit(tx: Any) -> None:
            for (team, channel), is_private in some.items():
                channels_store.save_privacy(tx, team, {channel: is_private}, now)

        await self._store.write(unit)

    async def _is_private(self, channel: str) -> bool:
        try:
            answer = await self._client.conversations_info(channel=channel)
        except SlackApiError as error:
            if parse_refusal(error).rest is not None:
                raise
            return True  # private and without the bot, deleted, or not ours
        described: Any = answer.get("channel")
        return not isinstance(described, dict) or described.get("is_private") is not False

    async def _list_public(self) -> set[str]:
        public: set[str] = set()
        cursor = ""
        while True:
            page: Any = await self._client.conversations_list(types="public_channel", limit=1000, cursor=cursor)
            public.update(one["id"] for one in page["channels"] if one.get("is_private") is False)
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return public
            await asyncio.sleep(PAGE_SECONDS)
