"""Signed `/timeline` commands, each with its durable row, beside the same Bolt app that only acknowledges.

A plain ASGI app, which does nothing but answer, stands beside them: what the HTTP server alone costs.
"""

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import uvloop

from bot.domain.records import Person
from storage import people as people_store
from storage.database.store import open_store
from tests.bench import load
from tests.bench.load import Figures
from tests.support.timeouts import PATIENT

SECRET = "bench" * 4
ZONE = "Europe/Berlin"
ROUNDS = 7
REQUESTS = {1: 800, 16: 4_000}
FLOOR, PLAIN, BOT = "floor", "plain ASGI", "afterword"


@dataclass(frozen=True, slots=True)
class Server:
    """A server in a process of its own."""

    port: int
    pid: int

    def measure_cpu(self) -> float:
        """The seconds of processor time that it has used, in the kernel too."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compare(folder: Path) -> None:
    """Print the table: requests a second, their times, and the processor time that the server spends on each."""
    introduce(folder)
    with ExitStack() as stack:
        floor_command = [sys.executable, "-m", "tests.bench.floor", SECRET, "{port}"]
        commands = {FLOOR: floor_command, PLAIN: [*floor_command, "plain"], BOT: bot_command()}
        servers = {
            name: stack.enter_context(run_server(command, bot_environ(folder) if name == BOT else {}))
            for name, command in commands.items()
        }
        uvloop.run(_compare(servers, folder))


def introduce(folder: Path) -> None:
    """Let the bot know who types, as it does after someone's first command: Slack itself is out of reach here."""
    store = open_store(_database(folder), timeouts=PATIENT)
    store.write_now(lambda tx: people_store.save(tx, Person("T0BENCH", "U0BENCH", "Bench", ZONE)))
    store.close()


async def _compare(servers: Mapping[str, Server], folder: Path) -> None:
    await open_incident(servers[BOT])
    click.echo("signed /timeline with its durable row, beside the same Bolt app that only acknowledges")
    click.echo(f"{'clients':>8} {'':<12} {'requests/s':>11} {'CPU us':>8} {'p50 ms':>8} {'p99 ms':>8}")
    for clients, count in REQUESTS.items():
        rounds: dict[str, list[Figures]] = {name: [] for name in servers}
        for number in range(ROUNDS):
            for name, server in servers.items():
                rounds[name].append(await _measure(server, clients, count, number))
        show(clients, rounds)
    click.echo(f"an fdatasync of what one entry writes: {_measure_sync(folder):.2f} ms (p50)")


async def open_incident(bot: Server) -> None:
    """Open the incident that takes the entries. Raises RuntimeError if the bot does not record."""
    await ask_once(bot, "/incident open bench")
    if b'"*#' not in await ask_once(bot, typed_line(0, "warm-up")):
        raise RuntimeError("the bot does not record")


async def _measure(server: Server, clients: int, count: int, number: int) -> Figures:
    requests = [load.command(SECRET, typed_line(i, f"of round {number}")) for i in range(count)]
    before = server.measure_cpu()
    figures = await load.run(server.port, requests, clients)
    return figures.with_cpu((server.measure_cpu() - before) / count * 1e6)


def typed_line(number: int, which: str) -> str:
    """What someone types: every second line begins with a time on their own clock."""
    text = f"step {number} {which} done"
    ago = datetime.now(UTC) - timedelta(minutes=5)
    return f"/timeline {ago.astimezone(ZoneInfo(ZONE)):%H:%M} {text}" if number % 2 else f"/timeline {text}"


def show(clients: int, rounds: Mapping[str, list[Figures]]) -> None:
    """Print the medians of each, and the medians of the ratios between them."""
    for name, figures in rounds.items():
        rate, cpu, p50, p99 = (
            statistics.median(getattr(one, field) for one in figures) for field in ("rate", "cpu", "p50", "p99")
        )
        click.echo(f"{clients:>8} {name:<12} {rate:>11.0f} {cpu:>8.0f} {p50:>8.2f} {p99:>8.2f}")
    pairs = list(zip(rounds[FLOOR], rounds[BOT], strict=True))
    rates = [bot.rate / floor.rate for floor, bot in pairs]
    costs = [floor.cpu / bot.cpu for floor, bot in pairs]
    click.echo(
        f"{clients:>8} {'ratio':<12} {statistics.median(rates):>11.2f} {statistics.median(costs):>8.2f}"
        f"   (rounds from {min(rates):.2f} to {max(rates):.2f})"
    )


_WRITTEN = 44 * 1024
"""Bytes that a commit with one entry appends to the file: eleven pages."""


def _measure_sync(folder: Path) -> float:
    taken = []
    with (folder / "sync").open("wb") as file:
        for _ in range(100):
            file.write(bytes(_WRITTEN))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


async def ask_once(server: Server, text: str) -> bytes:
    """The body of the answer to one command."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        return await load.ask(reader, writer, load.command(SECRET, text))
    finally:
        writer.close()


def bot_command() -> list[str]:
    """Starts the bot."""
    return [str(Path(sys.executable).with_name("afterword")), "run"]


def _database(folder: Path) -> str:
    return f"sqlite:///{folder}/bench.db"


def bot_environ(folder: Path) -> dict[str, str]:
    """The bot's settings; `{port}` stands for its port."""
    return {
        "SLACK_BOT_TOKEN": "xoxb-" + "bench",
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "DATABASE_URL": _database(folder),
        "AFTERWORD_PORT": "{port}",
        "AFTERWORD_LOG_LEVEL": "ERROR",
    }


def own_environ() -> dict[str, str]:
    """This process's, with bytecode: without it each start compiles the modules, which no installed program does."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@contextmanager
def run_server(command: list[str], environ: Mapping[str, str]) -> Iterator[Server]:
    """Run a server on a port that was free a moment ago, once it accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    filled = {name: value.format(port=port) for name, value in environ.items()}
    process = subprocess.Popen(
        [part.format(port=port) for part in command], env=own_environ() | filled, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(port: int) -> None:
    for _ in range(2_000):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise RuntimeError("a server did not start within 20 s")
