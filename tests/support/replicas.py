"""A second bot on the same database, at work in the same moment."""

import asyncio

from bot.app import Afterword
from tests.support.integrations.clients import QUICK
from tests.support.play import Play


async def both(play: Play) -> None:
    """Both bots run their sync jobs at once."""
    async with Afterword(play.bot.settings, play.bot.store, play.clock, patience=QUICK) as second:
        now = play.clock.now()
        await asyncio.gather(play.bot.sync_workers.run_due(now), second.sync_workers.run_due(now))
    await play.settle()
