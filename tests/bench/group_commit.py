"""The group commit beside raw SQLite: the same rows by sixteen writers, with every commit on disk."""

import asyncio
import sqlite3
import statistics
import threading
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import uvloop

from bot.domain.records import Place
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.database.store import Store, open_store
from storage.timeline import NewEntry
from tests.support.timeouts import PATIENT

WRITERS = 16
EACH = 150
ROUNDS = 3
PLACE = Place("T0BENCH", "C0BENCH")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def compare(folder: Path) -> None:
    """Print rows a second of both, and their ratio."""
    grouped, raw = [], []
    for number in range(ROUNDS):
        raw.append(_raw(folder / f"raw-{number}.db"))
        grouped.append(_time_groups(folder / f"grouped-{number}.db"))
    click.echo(
        f"\n{WRITERS} writers, synchronous=FULL: a whole /timeline unit in the group commit, beside a bare INSERT each"
    )
    click.echo(f"{'':<28} {'units/s':>9}")
    click.echo(f"{'raw SQLite, own connections':<28} {statistics.median(raw):>9.0f}")
    click.echo(f"{'one writer, group commit':<28} {statistics.median(grouped):>9.0f}")
    click.echo(f"{'ratio':<28} {statistics.median(grouped) / statistics.median(raw):>9.1f}")


def _raw(path: Path) -> float:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, key TEXT UNIQUE, text TEXT) STRICT")
    connection.close()

    def write(writer: int) -> None:
        own = sqlite3.connect(path, timeout=30, isolation_level=None)
        own.execute("PRAGMA synchronous=FULL")
        for number in range(EACH):
            own.execute("INSERT INTO entry (key, text) VALUES (?, ?)", (f"{writer}-{number}", "failed over"))
        own.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return WRITERS * EACH / (time.perf_counter() - began)


def _time_groups(path: Path) -> float:
    store = open_store(f"sqlite:///{path}", timeouts=PATIENT)
    store.write_now(lambda tx: incidents_store.open_new(tx, PLACE, "bench", "U0BENCH", NOW))
    began = time.perf_counter()
    uvloop.run(_write_all(store))
    lasted = time.perf_counter() - began
    store.close()
    return WRITERS * EACH / lasted


async def _write_all(store: Store) -> None:
    async def write(writer: int) -> None:
        for number in range(EACH):
            await store.write(partial(_unit, key=f"{writer}-{number}"))

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))


def _unit(tx: Transaction, key: str) -> None:
    """What every `/timeline` does: inbox, incident and number, entry unless it is a repeat, history, reply."""
    _foresee(tx, key)
    deliveries_store.store_reply(tx, key, "{}", NOW)


def _foresee(tx: Transaction, key: str) -> None:
    deliveries_store.find_reply(tx, key)
    incidents_store.take_entry_number(tx, PLACE)
    new = NewEntry(NOW, f"failed over {key}", "U0BENCH", "U0BENCH", NOW)
    timeline_store.add_new(tx, PLACE, new, 30, NOW)
