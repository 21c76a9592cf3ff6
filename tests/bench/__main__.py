"""Run it with `make bench`; every figure is the median of alternating rounds."""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import uvloop

from bot.domain.records import Person
from storage import people as people_store
from storage.database.store import open_store
from tests.bench import compilation, group_commit, history, load
from tests.support.timeouts import PATIENT

SECRET = "bench" * 4
ZONE = "Europe/Berlin"
ROUNDS = 7
REQUESTS = {1: 800, 16: 4_000}


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory(prefix="afterword-bench-") as folder:
        _introduce(Path(folder))
        with _server(_floor_command(), {}) as floor, _server(_bot_command(), _bot_environ(Path(folder))) as bot:
            uvloop.run(_compare(floor, bot))
        group_commit.compare(Path(folder))
        uvloop.run(history.compare(Path(folder)))
    compilation.compare()


def _introduce(folder: Path) -> None:
    """Let the bot know who types, as it does after somebody's first command: Slack itself is out of reach here."""
    store = open_store(_database(folder), timeouts=PATIENT)
    store.write_now(lambda tx: people_store.save(tx, Person("T0BENCH", "U0BENCH", "Bench", ZONE)))
    store.close()


async def _compare(floor: int, bot: int) -> None:
    await _once(bot, "/incident open bench")
    if b'"text": "*#' not in await _once(bot, _line(0, "warm-up")):
        raise RuntimeError("the bot does not record")
    click.echo("signed /timeline with its durable row, beside the same Bolt app that only acknowledges")
    click.echo(f"{'clients':>8} {'':<10} {'requests/s':>11} {'p50 ms':>8} {'p99 ms':>8}")
    for clients, count in REQUESTS.items():
        rounds: dict[str, list[load.Figures]] = {"floor": [], "afterword": []}
        for number in range(ROUNDS):
            for name, port in (("floor", floor), ("afterword", bot)):
                requests = [load.command(SECRET, _line(i, f"of round {number}")) for i in range(count)]
                rounds[name].append(await load.run(port, requests, clients))
        _show(clients, rounds)


def _line(number: int, which: str) -> str:
    """What somebody types: every second line begins with a time on their own clock."""
    text = f"step {number} {which} done"
    ago = datetime.now(UTC) - timedelta(minutes=5)
    return f"/timeline {ago.astimezone(ZoneInfo(ZONE)):%H:%M} {text}" if number % 2 else f"/timeline {text}"


def _show(clients: int, rounds: dict[str, list[load.Figures]]) -> None:
    for name, figures in rounds.items():
        median = _median(figures)
        click.echo(f"{clients:>8} {name:<10} {median.rate:>11.0f} {median.p50:>8.2f} {median.p99:>8.2f}")
    ratios = [bot.rate / floor.rate for floor, bot in zip(rounds["floor"], rounds["afterword"], strict=True)]
    best, worst = max(ratios), min(ratios)
    click.echo(
        f"{clients:>8} {'ratio':<10} {statistics.median(ratios):>11.2f}   (rounds from {worst:.2f} to {best:.2f})"
    )


def _median(figures: list[load.Figures]) -> load.Figures:
    return load.Figures(*(statistics.median(getattr(one, name) for one in figures) for name in ("rate", "p50", "p99")))


async def _once(port: int, text: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await load.ask(reader, writer, load.command(SECRET, text))
    finally:
        writer.close()


def _floor_command() -> list[str]:
    return [sys.executable, "-m", "tests.bench.floor", SECRET, "{port}"]


def _bot_command() -> list[str]:
    return [str(Path(sys.executable).with_name("afterword")), "run"]


def _database(folder: Path) -> str:
    return f"sqlite:///{folder}/bench.db"


def _bot_environ(folder: Path) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": "xoxb-" + "bench",
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "DATABASE_URL": _database(folder),
        "AFTERWORD_PORT": "{port}",
        "AFTERWORD_LOG_LEVEL": "ERROR",
    }


@contextmanager
def _server(command: list[str], environ: dict[str, str]) -> Iterator[int]:
    """A server in a process of its own, on a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    filled = {name: value.format(port=port) for name, value in environ.items()}
    process = subprocess.Popen(
        [part.format(port=port) for part in command], env=os.environ | filled, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.1).close()
        except OSError:
            asyncio.run(asyncio.sleep(0.1))
        else:
            return
    raise RuntimeError("a server did not start within 20 s")


if __name__ == "__main__":
    main()
