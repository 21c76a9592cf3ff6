"""Runs the bot as a process until a signal stops it. A SQLite file has at most one such process."""

import asyncio
import gc
import logging
import signal

import uvloop

from bot.app import Afterword
from bot.clock import CorrectedClock
from bot.errors import AfterwordError
from bot.settings import Settings, describe_unknown
from storage.database.lock import lock_database
from storage.database.store import Store, open_store

log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. What was acknowledged is on disk; the next run sends what is still owed."""
    settings.require_for_run()
    for sentence in (*settings.useless, *describe_unknown()):
        log.warning("%(sentence)s", {"event": "setting_useless", "sentence": sentence})
    with lock_database(settings.sqlalchemy_url):
        store = open_store(settings.sqlalchemy_url)
        try:
            uvloop.run(_serve(settings, store))
        finally:
            store.close()


async def _serve(settings: Settings, store: Store) -> None:
    async with Afterword(settings, store, CorrectedClock()) as bot:
        serving = asyncio.create_task(bot.run())
        # Cancelled, not exited: the bot finishes what is under way.
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
        _freeze_memory()
        try:
            await serving
        except asyncio.CancelledError:
            return
        except ExceptionGroup as group:
            on_purpose = group.subgroup(AfterwordError)
            if on_purpose is None:
                raise
            raise on_purpose.exceptions[0] from None  # one sentence, such as that the port is taken


def _freeze_memory() -> None:
    # A full collection over everything that is loaded would delay answers by 80 ms. Frozen objects are not examined.
    gc.collect()
    gc.freeze()
