"""What a start costs, beside the imports of the libraries below the bot and the bare Bolt app.

Processor time, the least of some alternating rounds: other work on the machine only ever adds to it.
"""

import asyncio
import re
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from tests.bench import commands
from tests.bench.commands import SECRET, Server

ROUNDS = 7
IMPORTS = "imports of the floor"
FLOOR, BOT = "bare Bolt app", "afterword run"
_FLOOR_IMPORTS = "import slack_bolt.async_app, aiohttp, uvicorn, starlette"
_SETTLING = 1.5
"""Seconds after the first answer until a bot has loaded what it loads in the background."""


@dataclass(frozen=True, slots=True)
class Start:
    """A server's start: seconds and processor seconds until its first answer, and megabytes a moment after it."""

    wall: float
    cpu: float
    megabytes: float


def compare(folder: Path) -> None:
    """Print the tables."""
    _compare_commands()
    _compare_servers(folder)
    _compare_imports()


def _compare_commands() -> None:
    program = str(Path(sys.executable).with_name("afterword"))
    runs = {
        IMPORTS: [sys.executable, "-c", _FLOOR_IMPORTS],
        "afterword --help": [program, "--help"],
        "afterword when": [program, "when", "14:05 failed over to replica db-2"],
    }
    least: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, command in runs.items():
            least[name] = min(least.get(name, float("inf")), _measure_command(command))
    click.echo("\na command from start to end, beside the imports of slack_bolt, aiohttp, uvicorn and starlette")
    click.echo(f"{'':<28} {'CPU ms':>9} {'ratio':>7}")
    for name, seconds in least.items():
        click.echo(f"{name:<28} {seconds * 1000:>9.0f} {seconds / least[IMPORTS]:>7.2f}")


def _measure_command(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=commands.own_environ(), stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _compare_servers(folder: Path) -> None:
    commands.introduce(folder)
    starts: dict[str, list[Start]] = {FLOOR: [], BOT: []}
    for _ in range(ROUNDS):
        starts[FLOOR].append(_start([sys.executable, "-m", "tests.bench.floor", SECRET, "{port}"], {}))
        starts[BOT].append(_start(commands.bot_command(), commands.bot_environ(folder)))
    least = {
        name: Start(*(min(getattr(one, field) for one in rounds) for field in ("wall", "cpu", "megabytes")))
        for name, rounds in starts.items()
    }
    click.echo("\nfrom the start of a server to its first acknowledgement, on a database that exists")
    click.echo(f"{'':<28} {'CPU ms':>9} {'wall ms':>9} {'RSS MB':>9}")
    for name, one in least.items():
        click.echo(f"{name:<28} {one.cpu * 1000:>9.0f} {one.wall * 1000:>9.0f} {one.megabytes:>9.0f}")
    floor, bot = least[FLOOR], least[BOT]
    ratios = (bot.cpu / floor.cpu, bot.wall / floor.wall, bot.megabytes / floor.megabytes)
    click.echo(f"{'ratio':<28} " + " ".join(f"{ratio:>9.2f}" for ratio in ratios))


_IMPORTED = re.compile(r"import time: +(\d+) \| +\d+ \| +(\S+)")
_PYDANTIC = ("pydantic", "pydantic_core", "annotated_types", "typing_inspection")
_WORTH_A_LINE = 0.03
"""Of the floor's imports. What takes less is one of the others."""


def _compare_imports() -> None:
    """What the bot loads beyond the floor, by package."""
    runs = {FLOOR: _FLOOR_IMPORTS, BOT: "import bot.cli.runner"}
    least: dict[str, dict[str, int]] = {name: {} for name in runs}
    for _ in range(ROUNDS):
        for name, imports in runs.items():
            for module, taken in _measure_imports(imports).items():
                least[name][module] = min(least[name].get(module, taken), taken)
    floor, packages = sum(least[FLOOR].values()), defaultdict[str, list[int]](list)
    for module in least[BOT].keys() - least[FLOOR].keys():
        packages[_package_of(module)].append(least[BOT][module])
    small = {name for name, taken in packages.items() if sum(taken) < _WORTH_A_LINE * floor}
    others = [taken for name in small for taken in packages.pop(name)]
    every = [taken for each in (*packages.values(), others) for taken in each]
    click.echo("\nwhat `afterword run` imports beyond the floor, by package, beside all imports of the floor")
    click.echo(f"{'':<28} {'modules':>9} {'ms':>9} {'ratio':>7}")
    ordered = sorted(packages.items(), key=lambda item: -sum(item[1]))
    for name, each in (*ordered, (f"{len(small)} others", others), ("all", every)):
        click.echo(f"{name:<28} {len(each):>9} {sum(each) / 1000:>9.0f} {sum(each) / floor:>7.2f}")


def _measure_imports(imports: str) -> dict[str, int]:
    """The microseconds that each module took, without those that it imports. Nothing is collected meanwhile."""
    command = [sys.executable, "-X", "importtime", "-c", f"import gc; gc.disable(); {imports}"]
    ran = subprocess.run(command, env=commands.own_environ(), capture_output=True, text=True, check=True)
    return {module: int(taken) for taken, module in _IMPORTED.findall(ran.stderr)}


def _package_of(module: str) -> str:
    first, _, rest = module.partition(".")
    if first in _PYDANTIC:
        return "pydantic"
    return f"{first}.{rest.partition('.')[0]}" if first == "bot" or module.startswith("storage.tables") else first


def _start(command: list[str], environ: Mapping[str, str]) -> Start:
    began = time.perf_counter()
    with commands.run_server(command, environ) as server:
        asyncio.run(commands.ask_once(server, "/timeline first line"))
        wall, cpu = time.perf_counter() - began, server.measure_cpu()
        time.sleep(_SETTLING)
        return Start(wall, cpu, _megabytes(server))


def _megabytes(server: Server) -> float:
    status = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024
