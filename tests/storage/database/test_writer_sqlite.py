"""Trouble with the file: another process has locked it, or the disk is full."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.errors import NotRecorded
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.database.writer import PAUSE_SECONDS
from tests.support.deadlines import SOON_SECONDS
from tests.support.storage.sample_records import noting, open_incident
from tests.support.timeouts import SHIPPED, hurry


@pytest.fixture
def other(sqlite_url: str) -> Iterator[sqlite3.Connection]:
    """What another process would hold the file with."""
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        yield connection


@pytest.mark.usefixtures("short_locks")
async def test_while_another_holds_the_file_nothing_is_recorded_and_nothing_appears_later(
    sqlite_store: Store, other: sqlite3.Connection
) -> None:
    await sqlite_store.write(open_incident)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    with hurry():
        writing = (sqlite_store.write(noting(f"line {n}")) for n in range(8))
        answers = await asyncio.gather(*writing, return_exceptions=True)
    assert time.monotonic() - begun < SOON_SECONDS
    assert all(isinstance(answer, NotRecorded) for answer in answers)
    assert await sqlite_store.read(lambda tx: timeline_store.count_active(tx, 1)) == 0  # reading goes on
    other.execute("ROLLBACK")
    assert await sqlite_store.write(noting("free again")) == 1
    assert [record.text for record in sqlite_store.read_now(lambda tx: timeline_store.list_active(tx, 1))] == [
        "free again"
    ]


@pytest.mark.usefixtures("short_locks")
def test_a_short_hold_is_waited_out(sqlite_store: Store, other: sqlite3.Connection) -> None:
    sqlite_store.write_now(open_incident)
    other.execute("BEGIN IMMEDIATE")
    waiting = sqlite_store.writer.submit(noting())
    threading.Event().wait(1.5 * SHIPPED.database_lock)  # longer than one try
    other.execute("ROLLBACK")
    assert waiting.result() == 1


def test_who_types_is_answered_before_slack_gives_up() -> None:
    """After three seconds; the last try may begin at the end of the wait."""
    last_try = SHIPPED.database_wait + SHIPPED.database_lock + PAUSE_SECONDS
    assert last_try < SHIPPED.database_answer < 2.6


def limit_pages(tx: Transaction, pages: int) -> int:
    """Leave the writer's connection this many pages, as a full disk would; how many there are."""
    tx._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    return int(tx._connection.execute("PRAGMA page_count").fetchall()[0][0])


def test_on_a_full_disk_nothing_is_recorded_reading_goes_on_and_with_room_it_writes_again(sqlite_store: Store) -> None:
    sqlite_store.write_now(open_incident)
    assert sqlite_store.write_now(noting("before")) == 1
    pages = sqlite_store.write_now(lambda tx: limit_pages(tx, 1))
    with pytest.raises(NotRecorded, match="disk is full"):
        sqlite_store.write_now(noting("x" * 4096 * 3))
    assert [record.text for record in sqlite_store.read_now(lambda tx: timeline_store.list_active(tx, 1))] == ["before"]
    assert sqlite_store.writer.state.refused == 1
    sqlite_store.write_now(lambda tx: limit_pages(tx, pages + 100))
    assert sqlite_store.write_now(noting("x" * 4096 * 3)) == 2


def test_on_a_full_disk_the_whole_transaction_is_refused_and_no_half_of_it_stays(sqlite_store: Store) -> None:
    sqlite_store.write_now(open_incident)
    sqlite_store.write_now(lambda tx: limit_pages(tx, 1))
    waiting = [sqlite_store.writer.submit(noting(f"{n} " + "x" * 3000)) for n in range(30)]
    successes = [future.exception() is None for future in waiting]
    assert not all(successes)
    assert sqlite_store.read_now(lambda tx: timeline_store.count_active(tx, 1)) == sum(successes)
