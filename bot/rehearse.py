"""`afterword rehearse`: the stand-in workspace in a browser, with the real bot in it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.app import Afterword
from bot.clock import SystemClock
from bot.demo import rehearsal_settings
from bot.rehearsal import page
from bot.rehearsal.standin import StandIn
from storage.store import open_store


async def serve(port: int) -> None:
    """Serve on loopback until interrupted; what was played is forgotten then."""
    await page.rehearse(port, _join)


@asynccontextmanager
async def _join(slack: StandIn) -> AsyncIterator[None]:
    with tempfile.TemporaryDirectory(prefix="afterword-rehearsal-") as folder:
        settings = rehearsal_settings(slack, Path(folder) / "rehearsal.db")
        store = open_store(settings.sqlalchemy_url)
        try:
            async with Afterword(settings, store, SystemClock()) as bot:
                serving = asyncio.create_task(bot.run())
                try:
                    await slack.wait_for_socket()
                    yield
                finally:
                    serving.cancel()
                    await asyncio.wait([serving])
        finally:
            store.close()
