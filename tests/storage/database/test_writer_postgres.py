"""What can happen with a server: other replicas in the way, a connection or the server gone, a commit unanswered."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from bot.domain.records import Place
from bot.errors import NotRecorded, PerhapsRecorded
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.database.store import Store, open_store
from tests.support.deadlines import SOON_SECONDS, until_now
from tests.support.storage.busy_writer import BusyWriter
from tests.support.storage.postgres_relay import Cut, Relay
from tests.support.storage.sample_records import NOW, PLACE, noting, open_incident
from tests.support.timeouts import PATIENT, hurry

pytestmark = pytest.mark.postgres
ELSEWHERE = Place("T1", "C2")


@pytest.fixture
def one(postgres_url: str) -> Iterator[Store]:
    store = open_store(postgres_url, timeouts=PATIENT)
    yield store
    store.close()


@pytest.fixture
def two(postgres_url: str) -> Iterator[Store]:
    store = open_store(postgres_url, timeouts=PATIENT)
    yield store
    store.close()


@pytest.fixture
def other(postgres_url: str) -> Iterator[psycopg.Connection]:
    """Another client of the same database."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def waiting_for_locks(other: psycopg.Connection) -> list[Any]:
    """The connections to this database that wait for a lock."""
    waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(other.info.dsn, autocommit=True) as third:  # a transaction sees one state of activity
        return third.execute(waiting).fetchall()


def texts(store: Store, incident_id: int = 1) -> list[str]:
    return [record.text for record in store.read_now(lambda tx: timeline_store.list_active(tx, incident_id))]


def test_two_replicas_give_every_number_once(one: Store, two: Store) -> None:
    one.write_now(open_incident)
    futures = [store.writer.submit(noting(f"line {n}")) for n in range(100) for store in (one, two)]
    assert sorted(future.result() for future in futures) == list(range(1, 201))
    assert len(texts(one)) == 200


def test_two_replicas_open_one_incident_in_a_channel(one: Store, two: Store) -> None:
    def unit(tx: Transaction) -> int:
        found = incidents_store.find_current(tx, PLACE)
        return found.number if found else open_incident(tx).number

    with BusyWriter(one), BusyWriter(two):
        futures = [store.writer.submit(unit) for store in (one, two)]
    assert {future.result() for future in futures} == {1}
    assert len(one.read_now(lambda tx: incidents_store.list_latest(tx, "T1", 9))) == 1


def test_a_delivery_repeated_to_another_replica_has_one_effect_and_one_reply(one: Store, two: Store) -> None:
    one.write_now(open_incident)

    def unit(tx: Transaction) -> str:
        before = deliveries_store.find_reply(tx, "T1:trigger")
        if before is not None:
            return before.encoded
        reply = f"Recorded as #{noting()(tx)}"
        deliveries_store.store_reply(tx, "T1:trigger", reply, NOW)
        return reply

    with BusyWriter(one), BusyWriter(two):
        futures = [store.writer.submit(unit) for store in (one, two)]
    assert [future.result() for future in futures] == ["Recorded as #1"] * 2
    assert len(texts(one)) == 1


@pytest.mark.usefixtures("short_locks")
def test_replicas_that_lock_each_other_out_both_get_through(one: Store, other: psycopg.Connection) -> None:
    one.write_now(open_incident)
    one.write_now(lambda tx: open_incident(tx, ELSEWHERE))
    other.execute("SET deadlock_timeout = '60s'")  # it is the writer that gives way
    other.execute("BEGIN")
    other.execute("UPDATE incident SET title = 'theirs' WHERE id = 1")
    with BusyWriter(one):
        futures = [one.writer.submit(noting("elsewhere", ELSEWHERE)), one.writer.submit(noting("here"))]
    until_now(lambda: waiting_for_locks(other))  # it holds incident 2 and waits for 1
    other.execute("UPDATE incident SET title = 'theirs' WHERE id = 2")
    other.execute("COMMIT")
    assert [future.result() for future in futures] == [1, 1]
    assert (texts(one, 1), texts(one, 2)) == (["here"], ["elsewhere"])


@pytest.mark.usefixtures("short_locks")
def test_a_row_that_somebody_holds_keeps_only_its_own_units_from_being_recorded(
    one: Store, other: psycopg.Connection
) -> None:
    one.write_now(open_incident)
    one.write_now(lambda tx: open_incident(tx, ELSEWHERE))
    other.execute("BEGIN")
    other.execute("SELECT 1 FROM incident WHERE id = 1 FOR UPDATE")
    begun = time.monotonic()
    with BusyWriter(one):
        blocked, free = one.writer.submit(noting("held")), one.writer.submit(noting("free", ELSEWHERE))
    assert free.result() == 1
    with pytest.raises(NotRecorded):
        blocked.result()
    assert time.monotonic() - begun < SOON_SECONDS
    other.execute("COMMIT")
    assert one.write_now(noting("after")) == 1
    assert (texts(one, 1), texts(one, 2)) == (["after"], ["free"])


def test_a_connection_that_is_ended_between_two_units_heals_unnoticed(one: Store, other: psycopg.Connection) -> None:
    one.write_now(open_incident)
    one.read_now(incidents_store.list_teams)
    other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert one.write_now(noting()) == 1
    assert texts(one) == ["The database is slow"]


def test_a_unit_whose_connection_is_ended_is_run_again_and_recorded_once(one: Store, other: psycopg.Connection) -> None:
    one.write_now(open_incident)
    runs: list[int] = []

    def unit(tx: Transaction) -> int:
        runs.append(noting("once")(tx))
        if len(runs) == 1:
            pid = tx._connection.execute("SELECT pg_backend_pid()").fetchall()[0][0]
            other.execute("SELECT pg_terminate_backend(%s)", (pid,))
            noting("the connection is gone")(tx)
        return runs[-1]

    assert one.write_now(unit) == 1
    assert runs == [1, 1]
    assert texts(one) == ["once"]


def test_while_the_server_is_down_nothing_is_recorded_and_when_it_is_back_it_is(
    one: Store, postgres_server: Any
) -> None:
    one.write_now(open_incident)
    postgres_server.stop()
    try:
        begun = time.monotonic()
        with hurry(), pytest.raises(NotRecorded):
            one.write_now(noting("down"))
        assert time.monotonic() - begun < SOON_SECONDS
    finally:
        postgres_server.ensure_postgres_running()
    assert one.write_now(noting("back")) == 1
    assert texts(one) == ["back"]


@pytest.fixture
def relay(postgres_url: str, tmp_path: Path) -> Iterator[Relay]:
    relay = Relay(tmp_path, Path(str(make_url(postgres_url).query["host"])))
    yield relay
    relay.close()


@pytest.fixture
def relay_store(relay: Relay, postgres_url: str, tmp_path: Path) -> Iterator[Store]:
    url = make_url(postgres_url).update_query_dict({"host": str(tmp_path)})
    store = open_store(url.render_as_string(hide_password=False), timeouts=PATIENT)
    yield store
    store.close()


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_commit_without_an_answer_is_looked_up_and_recorded_once(
    relay_store: Store, relay: Relay, one: Store, cut: Cut
) -> None:
    one.write_now(open_incident)
    cuts = iter([cut])

    def arming(tx: Transaction) -> int:
        relay.arm(next(cuts, None))  # here, so that it is this batch's commit that is cut
        return noting("line 0")(tx)

    with BusyWriter(relay_store):
        futures = [relay_store.writer.submit(unit) for unit in (arming, noting("line 1"), noting("line 2"))]
    assert [future.result() for future in futures] == [1, 2, 3]
    assert relay.cuts == 1
    assert texts(one) == ["line 0", "line 1", "line 2"]


def test_a_commit_that_nobody_can_be_asked_about_is_not_called_unrecorded(
    relay_store: Store, relay: Relay, one: Store
) -> None:
    one.write_now(open_incident)
    relay.arm("after", down=True)
    begun = time.monotonic()
    with hurry(), pytest.raises(PerhapsRecorded, match="Check what's recorded"):
        relay_store.write_now(noting("perhaps"))
    assert time.monotonic() - begun < SOON_SECONDS
    assert texts(one) == ["perhaps"]
    relay.is_down = False
    assert relay_store.write_now(noting("certainly")) == 2
