"""The writer on both databases: one transaction for many, each unit by itself, everyone answered."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NoReturn

import pytest

from bot.errors import NotRecorded, PerhapsRecorded, Refused
from storage import timeline as timeline_store
from storage.database.drivers import SqliteDriver, database_errors, driver_for
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.database.writer import MOST_AT_ONCE, Writer
from tests.support.deadlines import LONG_SECONDS
from tests.support.storage.busy_writer import BusyWriter
from tests.support.storage.sample_records import entry, noting, open_incident, record_entry
from tests.support.timeouts import PATIENT, change_patience


def texts(store: Store) -> list[str]:
    return [record.text for record in store.read_now(lambda tx: timeline_store.list_active(tx, 1))]


def number(n: int) -> Callable[[Transaction], int]:
    return lambda _: n


def raising(error: BaseException) -> Callable[[Transaction], NoReturn]:
    def unit(tx: Transaction) -> NoReturn:
        record_entry(tx, entry("never to be seen"))
        raise error

    return unit


def test_what_waits_is_written_in_one_transaction_and_answered_in_order(store: Store) -> None:
    store.write_now(open_incident)
    before = store.writer.state.batches
    with BusyWriter(store):
        waiting = [store.writer.submit(noting(f"line {n}")) for n in range(40)]
    assert [future.result() for future in waiting] == list(range(1, 41))
    assert store.writer.state.batches == before + 2
    assert texts(store) == [f"line {n}" for n in range(40)]


def test_more_than_fits_into_one_transaction_is_written_in_several(sqlite_store: Store) -> None:
    with BusyWriter(sqlite_store):
        waiting = [sqlite_store.writer.submit(number(n)) for n in range(2 * MOST_AT_ONCE + 5)]
    assert [future.result() for future in waiting] == list(range(2 * MOST_AT_ONCE + 5))


def test_the_error_of_one_unit_undoes_nothing_else(store: Store) -> None:
    store.write_now(open_incident)
    with BusyWriter(store):
        one = store.writer.submit(noting("one"))
        wrong = store.writer.submit(raising(Refused("There is no such entry.")))
        two = store.writer.submit(noting("two"))
    assert one.result() == 1
    with pytest.raises(Refused, match="no such entry"):
        wrong.result()
    assert two.result() == 2
    assert texts(store) == ["one", "two"]


@pytest.mark.parametrize(
    "error",
    [
        AssertionError(),
        RecursionError(),
        RuntimeError(),
        KeyError("x"),
        MemoryError(),
        NotRecorded("once more"),
        SystemExit(3),
        KeyboardInterrupt(),
        GeneratorExit(),
        asyncio.CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_unit_raises_is_its_answer_and_the_writer_goes_on(sqlite_store: Store, error: BaseException) -> None:
    sqlite_store.write_now(open_incident)
    with pytest.raises(type(error)):
        sqlite_store.write_now(raising(error))
    assert sqlite_store.write_now(noting("after")) == 1
    assert texts(sqlite_store) == ["after"]


async def test_a_unit_that_runs_out_of_an_iterator_does_not_hang_its_waiter(store: Store) -> None:
    await store.write(open_incident)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await store.write(lambda tx: next(iter(())))
    with pytest.raises(RuntimeError, match="StopIteration"):
        store.writer.submit(lambda tx: next(iter(()))).result(LONG_SECONDS)
    assert await store.write(noting()) == 1


def test_text_that_no_database_takes_is_the_units_own_error(store: Store) -> None:
    store.write_now(open_incident)
    with pytest.raises(UnicodeEncodeError):
        store.write_now(noting("half a pair \ud83d"))
    assert store.write_now(noting("whole")) == 1


def test_what_the_database_refuses_is_not_recorded_and_tells_why(store: Store) -> None:
    store.write_now(open_incident)
    with pytest.raises(NotRecorded, match=r"IntegrityError|UniqueViolation") as refusal:
        store.write_now(open_incident)  # a second open incident in the channel
    assert refusal.value.__cause__ is not None
    assert store.write_now(noting()) == 1


def test_a_unit_that_hides_an_error_of_the_database_still_harms_only_itself(store: Store) -> None:
    store.write_now(open_incident)

    def hiding(tx: Transaction) -> str:
        try:
            open_incident(tx)
        except database_errors():  # what a careless unit might do
            return "fine"
        return "finer"

    with BusyWriter(store):
        careless = store.writer.submit(hiding)
        other = store.writer.submit(noting("other"))
    assert other.result() == 1
    if store.driver.dialect.name == "sqlite":
        assert careless.result() == "fine"
    else:
        with pytest.raises(NotRecorded):
            careless.result()


def test_a_unit_given_after_the_end_is_not_recorded(store: Store) -> None:
    store.write_now(open_incident)
    with BusyWriter(store):
        last = store.writer.submit(noting("last"))
    store.writer.stop()
    assert last.result(0) == 1
    with pytest.raises(NotRecorded, match="closed"):
        store.write_now(noting("too late"))
    assert not store.writer.is_working
    assert texts(store) == ["last"]
    store.writer.stop()


async def test_a_unit_given_after_the_end_is_refused_on_the_loop_as_well(sqlite_store: Store) -> None:
    sqlite_store.writer.stop()
    with pytest.raises(NotRecorded, match="closed"):
        await sqlite_store.write(open_incident)


def test_what_is_given_while_the_end_is_asked_for_is_answered_one_way_or_the_other(sqlite_store: Store) -> None:
    answers: list[Future[Any]] = []
    stopped = threading.Event()

    def keep_giving() -> None:
        while not stopped.is_set() and len(answers) < 2000:
            answers.append(sqlite_store.writer.submit(lambda _: 1))

    giver = threading.Thread(target=keep_giving)
    giver.start()
    sqlite_store.writer.stop()
    stopped.set()
    giver.join()
    assert all(
        answer.exception(LONG_SECONDS) is None or isinstance(answer.exception(), NotRecorded) for answer in answers
    )


async def test_a_waiter_that_gives_up_breaks_nothing(store: Store) -> None:
    await store.write(open_incident)
    with BusyWriter(store):
        first, second, third = (asyncio.create_task(store.write(noting(f"line {n}"))) for n in range(3))
        await asyncio.sleep(0)
        second.cancel()
        thread = store.writer.submit(noting("from a thread"))
        assert thread.cancel()
        await asyncio.sleep(0)
    assert (await first, await third) == (1, 2)
    assert texts(store) == ["line 0", "line 2"]


async def test_a_waiter_that_gives_up_while_its_unit_runs_breaks_nothing(store: Store) -> None:
    await store.write(open_incident)
    running, go_on = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> int:
        running.set()
        go_on.wait(LONG_SECONDS)
        return record_entry(tx, entry("slow"))

    task = asyncio.create_task(store.write(slow))
    await asyncio.to_thread(running.wait, LONG_SECONDS)
    task.cancel()
    other = asyncio.create_task(store.write(noting("other")))
    await asyncio.sleep(0)
    go_on.set()
    assert await other == 2
    assert task.cancelled()
    assert texts(store) == ["slow", "other"]


def test_a_loop_that_ended_while_its_unit_ran_does_not_stop_the_writer(sqlite_store: Store) -> None:
    async def give_up() -> None:
        task = asyncio.create_task(sqlite_store.write(open_incident))
        await asyncio.sleep(0)
        task.cancel()

    with BusyWriter(sqlite_store):
        asyncio.run(give_up())
    sqlite_store.write_now(open_incident)
    assert sqlite_store.writer.is_working


def test_a_unit_that_stood_too_long_in_the_queue_is_refused_unwritten(store: Store) -> None:
    store.write_now(open_incident)
    with change_patience(database_wait=0.1):
        with BusyWriter(store):
            late = store.writer.submit(noting("late"))
            threading.Event().wait(0.2)
        with pytest.raises(NotRecorded, match="busy for too long"):
            late.result()
    assert store.write_now(noting("in time")) == 1
    assert texts(store) == ["in time"]


async def test_while_the_disk_stands_still_there_is_an_honest_answer_in_time(sqlite_store: Store) -> None:
    await sqlite_store.write(open_incident)
    running, go_on = threading.Event(), threading.Event()

    def stuck(tx: Transaction) -> int:
        running.set()
        go_on.wait(LONG_SECONDS)
        return record_entry(tx, entry("stuck"))

    with change_patience(database_answer=1.0):
        taken = asyncio.create_task(sqlite_store.write(stuck))
        await asyncio.to_thread(running.wait, LONG_SECONDS)
        behind = asyncio.create_task(sqlite_store.write(noting("behind it")))
        with pytest.raises(PerhapsRecorded, match="Check what's recorded"):
            await taken
        with pytest.raises(NotRecorded, match="busy") as refusal:
            await behind
    assert not isinstance(refusal.value, PerhapsRecorded)
    go_on.set()
    sqlite_store.write_now(noting("after"))
    assert texts(sqlite_store) == ["stuck", "after"]


async def test_a_unit_that_raises_a_timeout_of_its_own_is_not_mistaken_for_a_slow_disk(sqlite_store: Store) -> None:
    def unit(_: Transaction) -> NoReturn:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        await sqlite_store.write(unit)


class MistakenDriver(SqliteDriver):
    """A driver with an error that no code expects."""

    def begin(self, connection: object) -> None:
        raise ZeroDivisionError


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_should_the_writer_itself_break_down_nobody_waits_for_ever(sqlite_url: str) -> None:
    writer = Writer(MistakenDriver(driver_for(sqlite_url, timeouts=PATIENT).url))
    writer.start()
    with pytest.raises(NotRecorded, match="connection broke"):
        writer.submit(open_incident).result(LONG_SECONDS)
    assert not writer.is_working
    with pytest.raises(NotRecorded, match="closed"):
        writer.submit(open_incident).result(LONG_SECONDS)
    writer._thread.join(LONG_SECONDS)
