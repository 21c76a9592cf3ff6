"""Replicas on one PostgreSQL: what a `/timeline` writes, pipelined and foreseen, beside one statement after another.

`python -m tests.bench.replicas` prints the table alone. The replicas are processes; the server syncs every commit.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
import uvloop

from bot.domain.records import Place
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.drivers import Driver, driver_for
from storage.database.postgres import PostgresDriver
from storage.database.statements import DriverConnection, Transaction, wait_for_nothing
from storage.database.store import Store
from storage.timeline import NewEntry
from tests.bench.group_commit import NOW, PLACE
from tests.conftest import fresh_database, running_server
from tests.support.timeouts import PATIENT

ROUNDS = 9
SECONDS = 0.6
CASES = (
    ("1 replica, 1 at a time", 1, ["C0"]),
    ("1 replica, 16 at a time", 16, ["C0"]),
    ("3 replicas, 16 each, 3 channels", 16, ["C0", "C1", "C2"]),
    ("3 replicas, 16 each, 1 channel", 16, ["C0", "C0", "C0"]),
)


class OneByOneDriver(PostgresDriver):
    """Waits for the answer to each statement before the next."""

    is_remote = False

    @contextmanager
    def pipeline(self, connection: DriverConnection) -> Iterator[Callable[[], None]]:
        del connection
        yield wait_for_nothing

    def begin(self, connection: DriverConnection) -> Callable[[], str]:
        cursor: Any = connection.execute("BEGIN; SELECT pg_current_xact_id()::text", prepare=False)
        cursor.nextset()
        ticket = str(cursor.fetchall()[0][0])
        return lambda: ticket


def compare(folder: Path) -> None:
    """Print units a second of both ways, and how many times as many the new one writes."""
    with running_server(folder / "postgresql") as server, fresh_database(server) as url:
        with closing(Store(driver_for(url, PATIENT))) as store:
            for channel in ("C0", "C1", "C2"):
                place = Place(PLACE.team, channel)
                store.write_now(partial(incidents_store.open_new, place=place, title="bench", by="U0BENCH", now=NOW))
        click.echo(
            "\nwhat a /timeline writes, on PostgreSQL with fsync: one statement after another, beside two waits a batch"
        )
        click.echo(f"{'units/s':<34}{'one by one':>12}{'two waits':>12}{'ratio':>8}{'CPU us':>8}{'CPU us':>8}")
        for name, clients, channels in CASES:
            rounds = [[_run(url, way, clients, channels) for way in ("one by one", "two waits")] for _ in range(ROUNDS)]
            before, after = (statistics.median(one[way][0] for one in rounds) for way in (0, 1))
            used = [statistics.median(one[way][1] for one in rounds) for way in (0, 1)]
            ratio = statistics.median(new[0] / old[0] for old, new in rounds)
            click.echo(f"{name:<34}{before:>12.0f}{after:>12.0f}{ratio:>8.2f}{used[0]:>8.0f}{used[1]:>8.0f}")


def _run(url: str, way: str, clients: int, channels: list[str]) -> tuple[float, float]:
    """Units a second of all replicas together, and the CPU time that each unit takes in them."""
    command = [sys.executable, "-m", "tests.bench.replicas", url, way, str(clients)]
    replicas = [subprocess.Popen([*command, channel], stdout=subprocess.PIPE, text=True) for channel in channels]
    written = [json.loads(replica.communicate(timeout=120)[0]) for replica in replicas]
    return sum(one["rate"] for one in written), statistics.mean(one["cpu"] for one in written)


async def _write(url: str, way: str, clients: int, channel: str) -> None:
    """A replica: `clients` write without a pause, and what they managed is printed."""
    named = driver_for(url, PATIENT)
    driver: Driver = OneByOneDriver(named.url, PATIENT) if way == "one by one" else named
    place, ends = Place(PLACE.team, channel), time.perf_counter() + 0.3
    with closing(Store(driver)) as store:

        async def type_on(client: int) -> int:
            number = 0
            while time.perf_counter() < ends:
                key = f"{id(store)}-{time.time_ns()}-{client}-{number}"
                if way == "one by one":
                    await store.write(partial(_write_one_by_one, place=place, key=key))
                else:
                    await store.write(partial(_record, place=place, key=key), partial(_begin, place=place, key=key))
                number += 1
            return number

        await asyncio.gather(*map(type_on, range(clients)))  # the statements are prepared
        began, used = time.perf_counter(), time.process_time()
        ends = began + SECONDS
        units = sum(await asyncio.gather(*map(type_on, range(clients))))
        rate = units / (time.perf_counter() - began)
        click.echo(json.dumps({"rate": rate, "cpu": (time.process_time() - used) * 1e6 / units}))


def _entry(key: str) -> NewEntry:
    return NewEntry(NOW, f"failed over {key}", "U0BENCH", "U0BENCH", NOW)


def _begin(tx: Transaction, place: Place, key: str) -> None:
    deliveries_store.find_reply(tx, key)
    incidents_store.take_entry_number(tx, place)
    timeline_store.add_new(tx, place, _entry(key), 30, NOW)


def _record(tx: Transaction, place: Place, key: str) -> None:
    _begin(tx, place, key)
    deliveries_store.store_reply(tx, key, "{}", NOW)


def _write_one_by_one(tx: Transaction, place: Place, key: str) -> None:
    """As it was before an entry found its number and its repeat itself."""
    deliveries_store.find_reply(tx, key)
    taken = incidents_store.take_entry_number(tx, place)
    assert taken is not None
    incident, number = taken
    assert timeline_store.find_repeat(tx, incident.id, _entry(key), number - 30, NOW) is None
    timeline_store.add(tx, incident.id, number, _entry(key))
    deliveries_store.store_reply(tx, key, "{}", NOW)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        uvloop.run(_write(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
    else:
        with tempfile.TemporaryDirectory(prefix="afterword-bench-") as temporary:
            compare(Path(temporary))
