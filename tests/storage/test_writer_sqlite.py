"""What can happen to the one file: somebody else holds it, or the disk is full."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.errors import NotRecorded
from storage import timeline
from storage.statements import Transaction
from storage.store import Store
from tests.storage.given import noting, opened


@pytest.fixture
def other(sqlite_url: str) -> Iterator[sqlite3.Connection]:
    """What another process would hold the file with."""
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        yield connection


async def test_while_another_holds_the_file_nothing_is_recorded_and_nothing_appears_later(
    sqlite_store: Store, other: sqlite3.Connection
) -> None:
    await sqlite_store.write(opened)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    answers = await asyncio.gather(*(sqlite_store.write(noting(f"line {n}")) for n in range(8)), return_exceptions=True)
    assert time.monotonic() - begun < 2.6
    assert all(isinstance(answer, NotRecorded) for answer in answers)
    assert await sqlite_store.read(lambda tx: timeline.count(tx, 1)) == 0  # reading goes on
    other.execute("ROLLBACK")
    assert await sqlite_store.write(noting("free again")) == 1
    assert [kept.text for kept in sqlite_store.read_now(lambda tx: timeline.standing(tx, 1))] == ["free again"]


def test_a_short_hold_is_waited_out(sqlite_store: Store, other: sqlite3.Connection) -> None:
    sqlite_store.write_now(opened)
    other.execute("BEGIN IMMEDIATE")
    waiting = sqlite_store.writer.submit(noting())
    threading.Event().wait(0.7)  # longer than one try at the lock
    other.execute("ROLLBACK")
    assert waiting.result() == 1


def limit_pages(tx: Transaction, pages: int) -> int:
    """Leave the writer's connection this many pages, as a full disk would; how many there are."""
    tx._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    return int(tx._connection.execute("PRAGMA page_count").fetchall()[0][0])


def test_on_a_full_disk_nothing_is_recorded_reading_goes_on_and_with_room_it_writes_again(sqlite_store: Store) -> None:
    sqlite_store.write_now(opened)
    assert sqlite_store.write_now(noting("before")) == 1
    pages = sqlite_store.write_now(lambda tx: limit_pages(tx, 1))
    with pytest.raises(NotRecorded, match="OperationalError"):
        sqlite_store.write_now(noting("x" * 4096 * 3))
    assert [kept.text for kept in sqlite_store.read_now(lambda tx: timeline.standing(tx, 1))] == ["before"]
    assert sqlite_store.writer.state.refused == 1
    sqlite_store.write_now(lambda tx: limit_pages(tx, pages + 100))
    assert sqlite_store.write_now(noting("x" * 4096 * 3)) == 2


def test_on_a_full_disk_the_whole_transaction_is_refused_and_no_half_of_it_stays(sqlite_store: Store) -> None:
    sqlite_store.write_now(opened)
    sqlite_store.write_now(lambda tx: limit_pages(tx, 1))
    waiting = [sqlite_store.writer.submit(noting(f"{n} " + "x" * 3000)) for n in range(30)]
    told = [future.exception() is None for future in waiting]
    assert not all(told)
    assert sqlite_store.read_now(lambda tx: timeline.count(tx, 1)) == sum(told)
