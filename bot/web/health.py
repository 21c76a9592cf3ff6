"""Readiness and metrics: each probe checks one thing by using it, and says what is wrong in a sentence."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from prometheus_client import Gauge

from bot.clock import Clock
from bot.errors import AfterwordError
from storage.database import health as health_store
from storage.database.drivers import database_errors
from storage.database.store import Store
from storage.database.writer import GONE

PROBE_SECONDS = 2.0

Probe = Callable[[], Awaitable[str]]
"""Checks one thing; returns an empty string if it is well, else a sentence that says what is wrong."""

OVERDUE = timedelta(minutes=5)
"""A message to Slack that waits for longer is worth a person's look."""

_OLDEST = Gauge("afterword_oldest_owed_message_seconds", "How long the oldest message owed to Slack is overdue.")
_LENGTHS = Gauge("afterword_queue_length", "Rows to be done, by queue: slack, files, history, systems.", ["queue"])
_LAG = Gauge("afterword_sweep_lag_seconds", "How long ago what is due was last looked at with success.")


class Health:
    """Runs the probes of what the bot needs; one that takes longer than `patience` seconds has failed.

    `notes` say what a person should put right although the bot works; empty for nothing.
    """

    def __init__(
        self,
        probes: Mapping[str, Probe],
        notes: Mapping[str, Callable[[], str]] = MappingProxyType({}),
        *,
        patience: float = PROBE_SECONDS,
    ) -> None:
        self._probes = dict(probes)
        self._notes = notes
        self._patience = patience

    async def report(self, only: str = "") -> dict[str, str]:
        """What is wrong with each, or with the `only` one, by name; an empty string if nothing is."""
        probes = {name: probe for name, probe in self._probes.items() if only in ("", name)}
        found = await asyncio.gather(*(self._run_probe(probe) for probe in probes.values()))
        return dict(zip(probes, found, strict=True))

    def list_notes(self) -> dict[str, str]:
        """What a person should put right, by name."""
        return {name: note for name, find in self._notes.items() if (note := find())}

    async def _run_probe(self, probe: Probe) -> str:
        try:
            async with asyncio.timeout(self._patience):
                return await probe()
        except TimeoutError:
            return f"No answer within {self._patience:g} s."


def make_database_probe(store: Store, clock: Clock) -> Probe:
    """Probes reading, a real write, and whether the file at its path is still the one that was opened."""

    async def probe() -> str:
        # SQLite goes on writing into a deleted file without an error.
        if not store.is_whole():
            return GONE
        try:
            await store.write(lambda tx: health_store.write_probe(tx, clock.now()))
            await store.read(health_store.count_queues)
        except AfterwordError as error:
            return str(error)
        except database_errors() as error:
            return store.driver.describe(error)
        return ""

    return probe


def make_backlog_probe(store: Store, clock: Clock) -> Probe:
    """Probes whether messages to Slack are overdue, whatever the reason."""

    async def probe() -> str:
        now = clock.now()
        try:
            backlog = await store.read(lambda tx: health_store.find_backlog(tx, now - OVERDUE))
        except database_errors():
            return ""  # the database's own probe says so
        if backlog is None:
            return ""
        minutes = (now - backlog.since) // timedelta(minutes=1)
        cause = f" ({backlog.error})" if backlog.error else ""
        which = "1 message to Slack is" if backlog.count == 1 else f"{backlog.count} messages to Slack are"
        return f"{which} overdue, the oldest by {minutes} min{cause}. They wait, and go out once Slack takes them."

    return probe


async def measure(store: Store, clock: Clock, sweep_lag: float) -> None:
    """Bring the gauges of queues and sweeps up to date."""
    now = clock.now()
    lengths, backlog = await store.read(lambda tx: (health_store.count_queues(tx), health_store.find_backlog(tx, now)))
    _LENGTHS.clear()  # a system whose last row is done has no row to count
    for queue, length in lengths.items():
        _LENGTHS.labels(queue).set(length)
    _OLDEST.set((now - backlog.since).total_seconds() if backlog else 0)
    _LAG.set(sweep_lag)
