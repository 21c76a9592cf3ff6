"""Many reminders through two replicas whose clocks disagree: how often each was sent.

    python -m tests.bench.skewed_clocks 1000

The matrix of tests/acceptance/test_skewed_clocks.py at full length. Three clocks at a time, each on a database of its
own: more would need more connections than a server allows. It waits for Slack nearly all the time.
"""

import asyncio
import sys
import time
from typing import Any

import click

from tests.conftest import running_server
from tests.support.skew import LATENCIES, send_all

SKEWS = ((0.0, 5.0, 50.0), (65.0, 300.0, 600.0))


async def measure(server: Any, count: int) -> None:
    """Print a line for each cell."""
    for latency in LATENCIES:
        for skews in SKEWS:
            began = time.monotonic()
            sent = await send_all(server, skews, latency, count)
            for ahead, (due, early) in sent.items():
                once = "each once" if (due, early) == ({1: count}, {0: count // 10}) else f"WRONG: {due}, early {early}"
                click.echo(f"{ahead:3.0f} s apart, Slack after {latency} s: {count} reminders, {once}")
            click.echo(f"  in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    with running_server() as running:
        asyncio.run(measure(running, int(sys.argv[1])))
