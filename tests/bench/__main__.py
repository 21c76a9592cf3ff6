"""`make bench`: what Afterword costs, as ratios against a floor measured in the same run."""

import contextlib
import io
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import uvloop

from bot.clock import SystemClock
from tests.bench import commands, compilation, group_commit, history, replicas, sockets, startup

PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"

Measure = Callable[[Path], object]

PARTS: dict[str, tuple[str, Measure]] = {
    "Start and memory": (
        "Aims: `--help` 1.0 and `when` 1.5 of the imports; the bare app's first acknowledgement 1.6, its memory 1.8.",
        startup.compare,
    ),
    "Recording": (
        """The floor is the same Bolt app, which only acknowledges. Aims with 16 clients: 0.6 of its requests a second,
and 3 times its p99; with one client, a p50 of 0.55 ms above floor and fsync.""",
        commands.compare,
    ),
    "Socket Mode": ("Aim: 0.4 of the floor.", lambda folder: uvloop.run(sockets.compare(folder))),
    "One writer": ("Why all writes go through one thread.", group_commit.compare),
    "PostgreSQL": ("Aim: 2.5 times the units of one statement after another.", replicas.compare),
    "History": (
        "What people look at, with little history and with much. Aim: 1.3.",
        lambda folder: uvloop.run(history.compare(folder)),
    ),
    "History on PostgreSQL": (
        "The same; the CPU time is the bot's, without the server's.",
        lambda folder: uvloop.run(history.compare(folder, on_postgresql=True)),
    ),
    "Documents": (
        "Aims for 10,000 entries: Markdown 1.5, HTML 4, JSON 4, canvas 8 times a plain join.",
        lambda _: compilation.compare(),
    ),
}

HEAD = """# Performance

`make bench` measures these figures and writes this page. Read the ratios: each is against a floor measured in the same
run, in alternating rounds, and holds on other machines too. Milliseconds and rates are this machine's.

Measured on {day:%d %B %Y}: {cores} cores, load {load:.1f} at the start, Python {python}, SQLite {sqlite}. What was
tried and not taken: [decision 12](decisions/0012-a-third-of-bolts-throughput-is-accepted.md) and
[decision 59](decisions/0059-a-start-loads-what-answers-need.md).
"""


class _Both(io.StringIO):
    """Shows what is written, and keeps it."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]
        return super().write(text)


def main() -> None:
    """Print the tables, and write them into docs/performance.md."""
    written = [_head()]
    with tempfile.TemporaryDirectory(prefix="afterword-bench-") as folder:
        for title, (about, measure) in PARTS.items():
            table = _Both()
            with contextlib.redirect_stdout(table):
                measure(Path(folder))
            written.append(f"## {title}\n\n{about}\n\n```text\n{table.getvalue().strip()}\n```\n")
    PAGE.write_text("\n".join(written), encoding="utf-8")


def _head() -> str:
    return HEAD.format(
        day=SystemClock().now(),
        cores=os.cpu_count(),
        load=os.getloadavg()[0],
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
    )


if __name__ == "__main__":
    main()
