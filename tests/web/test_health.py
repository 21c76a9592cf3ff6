"""Readiness tells the truth about the database, and in time."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select

from bot.clock import SettableClock
from bot.errors import NotRecorded
from bot.web.health import Health, make_backlog_probe, make_database_probe, measure
from storage import deliveries as deliveries_store
from storage.database import health as health_store
from storage.database.statements import Statement, Transaction, table_of
from storage.database.store import Store, open_store
from storage.deliveries import NewDelivery, SendOutcome
from storage.queues import DeliveryKind, DeliveryState
from storage.tables.queues import ProbeRow
from tests.support.storage.sample_records import noting, open_incident
from tests.support.timeouts import PATIENT, hurry

NOW = datetime(2026, 12, 2, 9, 0, tzinfo=UTC)


async def probe_database(store: Store) -> str:
    """What the probe of the database says."""
    return await make_database_probe(store, SettableClock(NOW))()


def path_of(store: Store) -> Path:
    path: Path = store.driver.path  # type: ignore[attr-defined] # SQLite's driver has one
    return path


async def test_a_database_that_reads_and_writes_is_well(store: Store) -> None:
    assert await probe_database(store) == ""


async def test_a_database_file_that_was_removed_is_told(sqlite_store: Store) -> None:
    path_of(sqlite_store).unlink()
    assert "removed" in await probe_database(sqlite_store)


@pytest.mark.usefixtures("short_locks")
async def test_a_database_that_takes_no_writes_is_told(sqlite_store: Store) -> None:
    with sqlite3.connect(path_of(sqlite_store), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with hurry():
            trouble = await probe_database(sqlite_store)
        other.execute("ROLLBACK")
    other.close()
    assert trouble
    assert await probe_database(sqlite_store) == ""


async def test_a_closed_database_is_told(sqlite_store: Store) -> None:
    sqlite_store.writer.stop()
    assert await probe_database(sqlite_store) == "The database is closed."


async def test_the_report_names_each_thing_with_its_trouble() -> None:
    async def well() -> str:
        return ""

    async def ill() -> str:
        return "Something is wrong."

    assert await Health({"one": well, "two": ill}).report() == {"one": "", "two": "Something is wrong."}


async def test_a_probe_that_hangs_is_told_and_holds_nobody_up() -> None:
    async def hanging() -> str:
        await asyncio.Event().wait()
        return ""

    report = await Health({"one": hanging, "two": hanging}, patience=0.1).report()
    assert report == dict.fromkeys(("one", "two"), "No answer within 0.1 s.")


async def test_one_probe_alone_can_be_asked_for() -> None:
    async def ill() -> str:
        return "Something is wrong."

    assert await Health({"one": ill, "two": ill}).report("one") == {"one": "Something is wrong."}
    assert await Health({"one": ill}).report("three") == {}


async def test_the_probe_writes_a_row_as_large_as_an_entry_and_only_one(store: Store) -> None:
    for _ in range(3):
        assert await probe_database(store) == ""
    (row,) = store.read_now(lambda tx: tx.rows(Statement(select(table_of(ProbeRow)))))
    assert row == (1, NOW, health_store.FILLER)


def limit_pages(tx: Transaction, pages: int) -> None:
    """Leave the writer's connection no more pages than this."""
    tx._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()


async def test_a_full_disk_is_named_and_heals(sqlite_store: Store) -> None:
    await sqlite_store.write(lambda tx: limit_pages(tx, 1))
    assert await probe_database(sqlite_store) == "The database's disk is full. Free some space on it."
    await sqlite_store.write(lambda tx: limit_pages(tx, 10_000))
    assert await probe_database(sqlite_store) == ""


async def test_a_read_only_database_is_named(sqlite_store: Store) -> None:
    await sqlite_store.write(lambda tx: tx._connection.execute("PRAGMA query_only = ON").fetchall())
    assert "The database is read-only. Make its file" in await probe_database(sqlite_store)


@pytest.fixture
def small_disk(tmp_path: Path, sqlite_url: str) -> Iterator[Path]:
    """A disk of three megabytes with a database."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", place], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("Only root may mount a small disk.")
    shutil.copyfile(sqlite_url.removeprefix("sqlite:///"), place / "afterword.db")
    yield place
    subprocess.run(["umount", place], check=True)


async def record_for_ever(store: Store) -> None:
    for number in range(1000):
        await store.write(noting(f"line {number} " + "x" * 4000))


async def test_on_a_disk_that_runs_full_nobody_hears_recorded_and_readiness_says_why(small_disk: Path) -> None:
    store = open_store(f"sqlite:///{small_disk / 'afterword.db'}", timeouts=PATIENT)
    try:
        await store.write(open_incident)
        filler = small_disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(os.urandom(4096)):
                pass
        with pytest.raises(NotRecorded, match="disk is full"):
            await record_for_ever(store)  # the -wal file has some room left
        assert "disk is full" in await probe_database(store)
        filler.unlink()
        assert await probe_database(store) == ""
        await store.write(noting("there is room again"))
    finally:
        store.close()


def owe(tx: Transaction, due_at: datetime) -> None:
    deliveries_store.enqueue(tx, NewDelivery("T1", DeliveryKind.MESSAGE, "C1", "{}", due_at))


async def test_messages_that_are_overdue_for_long_are_named_with_what_stops_them(store: Store) -> None:
    clock = SettableClock(NOW)
    probe = make_backlog_probe(store, clock)
    await store.write(lambda tx: owe(tx, NOW - timedelta(minutes=4)))
    await store.write(lambda tx: owe(tx, NOW + timedelta(hours=9)))  # not before someone's morning
    assert await probe() == ""
    clock.advance(timedelta(minutes=3))
    assert "1 message to Slack is overdue, the oldest by 7 min. They wait" in await probe()
    await store.write(lambda tx: owe(tx, NOW - timedelta(minutes=3)))

    def try_once(tx: Transaction) -> None:
        delivery, *_ = deliveries_store.due(tx, clock.now(), 1)
        deliveries_store.claim(tx, delivery, "us", clock.now(), clock.now())
        again = SendOutcome(DeliveryState.PENDING, clock.now() + timedelta(hours=1), error="ratelimited")
        deliveries_store.settle(tx, delivery, "us", again)

    await store.write(try_once)
    assert "2 messages to Slack are overdue, the oldest by 7 min (ratelimited)." in await probe()


async def test_queues_and_the_oldest_owed_message_are_measured(store: Store) -> None:
    await store.write(lambda tx: owe(tx, NOW - timedelta(minutes=7)))
    await store.write(lambda tx: owe(tx, NOW))
    await measure(store, SettableClock(NOW), 3.5)
    assert REGISTRY.get_sample_value("afterword_oldest_owed_message_seconds") == 420
    assert REGISTRY.get_sample_value("afterword_sweep_lag_seconds") == 3.5
    lengths = {queue: REGISTRY.get_sample_value("afterword_queue_length", {"queue": queue}) for queue in QUEUES}
    assert lengths == {"slack": 2, "files": 0, "history": 0}


QUEUES = ("slack", "files", "history")
