"""Reading: one consistent state, off the loop, while the writer goes on."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.database.store import Store
from tests.support.storage.sample_records import PLACE, entry, noting, open_incident, record_entry


async def test_a_read_sees_every_write_that_was_answered_before(store: Store) -> None:
    await store.write(open_incident)
    for number in range(1, 6):
        assert await store.write(noting()) == number
        assert await store.read(lambda tx: timeline_store.count_active(tx, 1)) == number


async def test_a_look_sees_one_state_however_long_it_takes(store: Store) -> None:
    await store.write(open_incident)
    begun, go_on = threading.Event(), threading.Event()

    def look(tx: Transaction) -> tuple[int, int]:
        before = timeline_store.count_active(tx, 1)
        begun.set()
        go_on.wait(5)
        return before, timeline_store.count_active(tx, 1)

    looking = asyncio.create_task(store.read(look))
    await asyncio.to_thread(begun.wait, 5)
    assert await store.write(noting()) == 1  # and a reader is in no one's way
    go_on.set()
    assert await looking == (0, 0)
    assert await store.read(lambda tx: timeline_store.count_active(tx, 1)) == 1


def test_a_look_may_not_lock_on_either_database(store: Store) -> None:
    store.write_now(open_incident)
    with pytest.raises(RuntimeError, match="a reading transaction cannot lock"):
        store.read_now(lambda tx: incidents_store.find_current(tx, PLACE, locking=True))


def test_a_look_that_fails_leaves_its_connection_usable(store: Store) -> None:
    store.write_now(open_incident)
    with pytest.raises(ZeroDivisionError):
        store.read_now(lambda tx: 1 // len(timeline_store.list_active(tx, 1)))
    with pytest.raises(Exception, match=r"read-only|readonly"):
        store.read_now(lambda tx: record_entry(tx, entry()))
    assert store.read_now(lambda tx: incidents_store.find_current(tx, PLACE)) is not None


def test_many_threads_read_and_write_at_once(store: Store) -> None:
    store.write_now(open_incident)

    def both(_: int) -> bool:
        number = store.write_now(noting())
        return store.read_now(lambda tx: timeline_store.count_active(tx, 1)) >= number

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(both, range(40)))


def test_two_loops_are_each_answered_on_their_own(store: Store) -> None:
    store.write_now(open_incident)

    async def several() -> list[int]:
        return list(await asyncio.gather(*(store.write(noting()) for _ in range(10))))

    with ThreadPoolExecutor(2) as threads:
        numbers = [number for run in threads.map(lambda _: asyncio.run(several()), range(2)) for number in run]
    assert sorted(numbers) == list(range(1, 21))
