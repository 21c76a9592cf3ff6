"""Whether the bot can do its work, for whoever sends it traffic."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from bot.errors import AfterwordError
from storage import deliveries as deliveries_store
from storage.database.drivers import DATABASE_ERRORS
from storage.database.statements import Transaction
from storage.database.store import Store

PROBE_SECONDS = 2.0

Probe = Callable[[], Awaitable[str]]
"""Looks at one thing: an empty string when it is well, else a sentence that says what is wrong."""


class Health:
    """The things the bot needs, each with its probe; one that takes longer than `patience` seconds is not well."""

    def __init__(self, probes: Mapping[str, Probe], *, patience: float = PROBE_SECONDS) -> None:
        self._probes = dict(probes)
        self._patience = patience

    async def report(self) -> dict[str, str]:
        """What is wrong with each, by name; an empty string where nothing is."""
        found = await asyncio.gather(*(self._bounded(probe) for probe in self._probes.values()))
        return dict(zip(self._probes, found, strict=True))

    async def _bounded(self, probe: Probe) -> str:
        try:
            async with asyncio.timeout(self._patience):
                return await probe()
        except TimeoutError:
            return f"No answer within {self._patience:g} s."


def make_database_probe(store: Store) -> Probe:
    """Probes reading and writing, and that the file is still the one at its path."""

    async def probe() -> str:
        if not store.is_whole():
            return "The database file was removed or replaced: start the bot again."
        try:
            await store.write(_read_nothing)
            await store.read(deliveries_store.next_due)
        except AfterwordError as error:
            return str(error)
        except DATABASE_ERRORS as error:
            return f"The database refuses ({type(error).__name__})."
        return ""

    return probe


def _read_nothing(tx: Transaction) -> None:
    """A transaction that changes nothing still needs a writer that lives and a lock that can be had."""
