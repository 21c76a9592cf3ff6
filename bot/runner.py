"""Runs the bot as a process until a signal stops it. A SQLite file has at most one such process."""

import asyncio
import gc
import logging
import signal
from collections.abc import Iterable

import uvloop

from bot.app import Afterword
from bot.clock import Clock, CorrectedClock
from bot.doctor import CheckResult, check_settings, examine
from bot.errors import AfterwordError, DatabaseGone, Misconfigured
from bot.settings import Settings
from storage.database.lock import lock_database
from storage.database.store import Store, open_store
from storage.database.writer import GONE

log = logging.getLogger(__name__)

EXAMINED_AFTER_SECONDS = 2.0
"""After the start, so that the first answers are not delayed."""


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. What was acknowledged is on disk; the next run sends what is still owed."""
    settings.require_for_run()
    findings = check_settings(settings)
    _report(finding for finding in findings if finding.ok is not False)
    if wrong := [finding.sentence for finding in findings if finding.ok is False]:
        raise Misconfigured("\n".join(wrong))
    with lock_database(settings.sqlalchemy_url):
        store = open_store(settings.sqlalchemy_url)
        try:
            uvloop.run(_serve(settings, store))
        finally:
            store.close()


def _report(findings: Iterable[CheckResult]) -> None:
    """Log what is wrong or worth knowing."""
    for finding in findings:
        if finding.ok is False or finding.name == "settings":
            log.warning("%(sentence)s", {"event": "check_failed", "check": finding.name, "sentence": finding.sentence})
        elif finding.ok is None:
            log.info("%(sentence)s", {"event": "check_noted", "check": finding.name, "sentence": finding.sentence})


async def _examine(settings: Settings, clock: Clock) -> None:
    """Check what `afterword doctor` checks, once the bot serves: Slack may be away, and recording works without it."""
    await asyncio.sleep(EXAMINED_AFTER_SECONDS)
    _report(await examine(settings, clock))


async def _serve(settings: Settings, store: Store) -> None:
    async with Afterword(settings, store, CorrectedClock()) as bot:
        serving = asyncio.create_task(bot.run())
        examining = asyncio.create_task(_examine(settings, bot.clock))
        # Cancelled, not exited: the bot finishes what is under way.
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
        _freeze_memory()
        try:
            await serving
        except asyncio.CancelledError:
            return
        except ExceptionGroup as group:
            if not store.is_whole():
                raise DatabaseGone(GONE) from None  # whatever else failed, failed because of it
            on_purpose = group.subgroup(AfterwordError)
            if on_purpose is None:
                raise
            raise on_purpose.exceptions[0] from None  # one sentence, for example that the port is taken
        finally:
            examining.cancel()


def _freeze_memory() -> None:
    # A full collection over everything that is loaded would delay answers by 80 ms. Frozen objects are not examined.
    gc.collect()
    gc.freeze()
