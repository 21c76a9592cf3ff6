"""Readiness tells the truth about the database, and in time."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bot.web.server import Health, make_database_probe
from storage.database.store import Store
from tests.support.timeouts import hurry


def path_of(store: Store) -> Path:
    path: Path = store.driver.path  # type: ignore[attr-defined] # SQLite's driver has one
    return path


async def test_a_database_that_reads_and_writes_is_well(store: Store) -> None:
    assert await make_database_probe(store)() == ""


async def test_a_database_file_that_was_removed_is_told(sqlite_store: Store) -> None:
    path_of(sqlite_store).unlink()
    assert "removed" in await make_database_probe(sqlite_store)()


@pytest.mark.usefixtures("short_locks")
async def test_a_database_that_takes_no_writes_is_told(sqlite_store: Store) -> None:
    with sqlite3.connect(path_of(sqlite_store), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with hurry():
            trouble = await make_database_probe(sqlite_store)()
        other.execute("ROLLBACK")
    other.close()
    assert trouble
    assert await make_database_probe(sqlite_store)() == ""


async def test_a_closed_database_is_told(sqlite_store: Store) -> None:
    sqlite_store.writer.stop()
    assert await make_database_probe(sqlite_store)() == "The database is closed."


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
