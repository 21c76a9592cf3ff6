"""What people ask for with a short history and with a long one: cost must not grow with what is past.

The same incident with the same 200 entries is the latest of both databases, and everyone may see every channel.
"""

import random
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import psycopg

from bot.app import Afterword
from bot.clock import SettableClock
from bot.domain.records import Place
from bot.rehearsal.server import StandIn
from bot.services import actions as actions_service
from bot.services import home_tab as home_tab_service
from bot.services import incidents as incidents_service
from bot.services import postmortem as postmortem_service
from bot.services import timeline as timeline_service
from bot.services import whys as whys_service
from bot.services.context import Request
from storage import incidents as incidents_store
from storage.database.drivers import add_functions
from storage.database.store import open_store
from tests.conftest import fresh_database, running_server
from tests.support.play import TEAM, settings_for
from tests.support.timeouts import PATIENT

ENTRIES = 200
"""Of each incident."""

SIZES = (50, 5_000)
"""Incidents of the short and of the long history."""

ROUNDS = 9
REPEATS = 5
NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
PEOPLE = 60
CHANNELS = 20
"""That incidents were in: Slack's part of a look, the same for both."""

# A history of few words is the worst case: nearly every incident has nearly every word.
COMMON = (
    "checkout payment login search connection pool database replica deploy rollback latency timeout queue worker cache"
    " memory disk certificate retry storm traffic region failover alert dashboard error rate request customer service"
    " config flag index lock migration network"
).split()


def make_history(path: Path, incidents: int, channels: list[str], people: list[str]) -> None:
    """Fill a new database with resolved incidents, the latest of them open."""
    open_store(f"sqlite:///{path}", timeouts=PATIENT).close()
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        add_functions(connection)
        connection.execute("BEGIN")
        for table in ("entry_version", "why_version", "section", "kept_region", "audit"):
            connection.execute(
                f"DROP TRIGGER {table}_chained"
            )  # nothing is looked up in the chain, and a hash takes long
        _insert(connection, "person", _people(people))
        connection.execute("INSERT INTO workspace VALUES (?, ?)", (TEAM, incidents))
        numbers = range(1, incidents + 1)
        _insert(connection, "incident", (_incident(number, incidents, channels, people) for number in numbers))
        for table, rows in (("section", _sections), ("why", _whys), ("action", _actions), ("entry", _entries)):
            _insert(connection, table, (row for number in numbers for row in rows(number, incidents, people)))
        connection.execute(
            "INSERT INTO entry_version"
            " (entry_id, version, change, happened_at, text, changed_by, changed_at, approximate)"
            " SELECT id, 1, 'added', happened_at, text, recorder, recorded_at, 0 FROM entry"
        )
        connection.execute("COMMIT")
        connection.execute("INSERT INTO recall_words (recall_words) VALUES ('optimize')")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[dict[str, Any]]) -> None:
    for row in rows:
        names = ", ".join(row)
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))


TABLES = ("person", "workspace", "incident", "section", "why", "action", "entry", "entry_version", "recall")


def copy_history(path: Path, url: str) -> None:
    """Copy a history into a new PostgreSQL database, without a look at the chain."""
    with sqlite3.connect(path) as source, psycopg.connect(url, autocommit=True) as target:
        target.execute("SET session_replication_role = replica")
        for table in TABLES:
            columns = (
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'"
            )
            known = {name for (name,) in target.execute(columns, (table,))}
            names = [name for _, name, *_ in source.execute(f"PRAGMA table_info({table})") if name in known]
            with target.cursor().copy(f"COPY {table} ({', '.join(names)}) FROM STDIN".encode()) as copy:
                for row in source.execute(f"SELECT {', '.join(names)} FROM {table}"):
                    copy.write_row(row)
        target.execute("ANALYZE")


def _people(people: list[str]) -> Iterator[dict[str, Any]]:
    for person in people:
        flags = dict.fromkeys(("is_guest", "is_bot", "is_deactivated"), 0)
        yield {"team": TEAM, "id": person, "name": f"Person {person}", "zone": "UTC", "locale": "en-US", **flags}


def _format_moment(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def _opened_at(number: int, incidents: int) -> datetime:
    """The latest incidents of both histories were opened at the same times."""
    return NOW - timedelta(hours=8 * (incidents - number) + 7)


def _incident(number: int, incidents: int, channels: list[str], people: list[str]) -> dict[str, Any]:
    newer = incidents - number
    opened, is_open = _opened_at(number, incidents), 1 <= newer <= 4
    chance = random.Random(newer)
    return {
        "id": number,
        "team": TEAM,
        "channel": channels[newer % len(channels)],
        "number": number,
        "title": _sentence(chance, newer, 6),
        "status": "open" if is_open else "resolved",
        "severity": newer % 4 + 1,
        "lead": people[newer % len(people)],
        "opened_by": people[newer % len(people)],
        "opened_at": _format_moment(opened),
        "resolved_by": None if is_open else people[0],
        "resolved_at": None if is_open else _format_moment(opened + timedelta(hours=5)),
        "postmortem_status": "open" if newer < 8 else "published",
        "postmortem_owner": people[newer % 4],
        "postmortem_reason": "",
        "published_at": None,
        "channel_name": "",
        "last_entry": ENTRIES,
        "last_why": 3,
        "last_action": 3,
        "card_ts": "",
        "why_ts": "",
    }


def _sentence(chance: random.Random, newer: int, length: int) -> str:
    """Common words, and one that this incident shares with a few others."""
    return " ".join([*chance.sample(COMMON, length), f"shard{newer // 3}"])


def _sections(number: int, incidents: int, people: list[str]) -> Iterator[dict[str, Any]]:
    newer = incidents - number
    for index, section in enumerate(("summary", "impact", "root_cause", "lessons")):
        chance = random.Random(f"{newer} {section}")
        yield {
            "incident_id": number,
            "section": section,
            "text": ". ".join(_sentence(chance, newer, 12) for _ in range(4)),
            "author": people[(newer + index) % len(people)],
            "saved_at": _format_moment(_opened_at(number, incidents)),
            "version": 1,
        }


def _whys(number: int, incidents: int, people: list[str]) -> Iterator[dict[str, Any]]:
    newer = incidents - number
    for why in (1, 2, 3):
        yield {
            "incident_id": number,
            "number": why,
            "parent": why - 1 or None,
            "text": _sentence(random.Random(f"{newer} why {why}"), newer, 8),
            "author": people[(newer + why) % len(people)],
            "recorded_at": _format_moment(_opened_at(number, incidents)),
            "is_root": int(why == 3),
            "struck": 0,
            "version": 1,
        }


def _actions(number: int, incidents: int, people: list[str]) -> Iterator[dict[str, Any]]:
    newer = incidents - number
    for action in (1, 2, 3):
        is_open = newer < 8 and action == 1
        yield {
            "incident_id": number,
            "number": action,
            "text": _sentence(random.Random(f"{newer} action {action}"), newer, 8),
            "owner": people[newer % 4],
            "due_on": None,
            "overdue_at": None,
            "link": "",
            "status": "open" if is_open else "done",
            "reason": "",
            "created_by": people[newer % len(people)],
            "created_at": _format_moment(_opened_at(number, incidents)),
            "closed_at": None if is_open else _format_moment(_opened_at(number, incidents) + timedelta(days=9)),
            "kind": None,
            "held": "",
        }


def _entries(number: int, incidents: int, people: list[str]) -> Iterator[dict[str, Any]]:
    newer, opened = incidents - number, _opened_at(number, incidents)
    for entry in range(1, ENTRIES + 1):
        at = _format_moment(opened + timedelta(seconds=60 * entry))
        who = people[(newer + entry) % len(people)]
        yield {
            "incident_id": number,
            "number": entry,
            "happened_at": at,
            "ended_at": None,
            "approximate": 0,
            "text": f"{COMMON[entry % len(COMMON)]} at {entry % 100} %, see https://grafana.example/d/abc?x={entry}",
            "author": who,
            "recorder": who,
            "recorded_at": at,
            "kind": "note",
            "milestone": {3: "detected", 5: "acknowledged", 190: "mitigated"}.get(entry),
            "version": 1,
            "struck": 0,
            "permalink": "",
            "source": "",
            "source_change": "",
        }


Look = Callable[[Afterword, Request], Awaitable[object]]


async def _home_tab(bot: Afterword, request: Request) -> object:
    return await home_tab_service.draw(bot.services, request.team, request.user, None)


async def _similar(bot: Afterword, request: Request) -> object:
    incident = bot.store.read_now(lambda tx: incidents_store.find_current(tx, request.place))
    assert incident is not None
    return await incidents_service.find_similar_for_all(bot.services, incident)


def _searching(words: str) -> Look:
    return lambda bot, request: incidents_service.search(bot.services, request, words)


LOOKS: dict[str, Look] = {
    "/timeline": lambda bot, request: timeline_service.overview(bot.services, request),
    "/timeline show": lambda bot, request: timeline_service.show(bot.services, request, None),
    "/incident list": lambda bot, request: incidents_service.list_all(bot.services, request),
    "/incident search, common words": _searching("connection pool"),
    "/incident search, a rare word": _searching("shard2"),
    "/incident search, any word": _searching("sandwich connection pool"),
    "/incident search, no result": _searching("sandwich"),
    "/postmortem": lambda bot, request: postmortem_service.overview(bot.services, request),
    "/action list": lambda bot, request: actions_service.list_all(bot.services, request),
    "/why": lambda bot, request: whys_service.show(bot.services, request),
    "Home tab": _home_tab,
    "similar incidents": _similar,
}


async def compare(folder: Path, sizes: tuple[int, int] = SIZES, *, on_postgresql: bool = False) -> None:
    """Print CPU and wall milliseconds with both histories, and how much dearer the longer one is."""
    async with AsyncExitStack() as opened:
        server = opened.enter_context(running_server(folder / "history-postgresql")) if on_postgresql else None
        slack = await opened.enter_async_context(StandIn(SettableClock(NOW), team=TEAM))
        people = [slack.user(f"Person {number}") for number in range(PEOPLE)]
        channels = [slack.channel(f"inc-{number}", people) for number in range(CHANNELS)]
        bots = []
        for size in sizes:
            path = folder / f"history-{size}.db"
            if not path.exists():
                make_history(path, size, channels, people)
            url = f"sqlite:///{path}"
            if server:
                url = opened.enter_context(fresh_database(server))
                copy_history(path, url)
            bots.append(await opened.enter_async_context(_bot(slack, url)))
        request = Request(Place(TEAM, channels[0]), people[0], NOW, "bench")
        short, long = (f"{size} incidents" for size in sizes)
        on = "PostgreSQL" if server else "SQLite"
        click.echo(f"\n{on}: {short} with {ENTRIES} entries each, beside {long}; CPU and wall milliseconds")
        click.echo(f"{'':<32} {short:>19} {long:>19} {'ratios':>13}")
        for name, look in LOOKS.items():
            rounds = [[await _measure(bot, look, request) for bot in bots] for _ in range(ROUNDS)]
            times = [statistics.median(one[bot][unit] for one in rounds) for bot in (0, 1) for unit in (0, 1)]
            ratios = [statistics.median(one[1][unit] / one[0][unit] for one in rounds) for unit in (0, 1)]
            click.echo(
                f"{name:<32}"
                + "".join(f"{time:>10.2f}" for time in times)
                + "".join(f"{ratio:>7.2f}" for ratio in ratios)
            )


@asynccontextmanager
async def _bot(slack: StandIn, url: str) -> AsyncIterator[Afterword]:
    store = open_store(url, timeouts=PATIENT)
    try:
        async with Afterword(settings_for(slack, url), store, SettableClock(NOW)) as bot:
            yield bot
    finally:
        store.close()


async def _measure(bot: Afterword, look: Look, request: Request) -> tuple[float, float]:
    """CPU and wall milliseconds. The first look asks Slack, whose answers are remembered, so it does not count."""
    await look(bot, request)
    began, used = time.perf_counter(), time.process_time()
    for _ in range(REPEATS):
        await look(bot, request)
    return (time.process_time() - used) * 1000 / REPEATS, (time.perf_counter() - began) * 1000 / REPEATS
