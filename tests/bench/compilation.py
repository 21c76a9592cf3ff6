"""A long timeline in each format, beside a plain join of the same lines: how much dearer is the document?"""

import statistics
import time
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import click

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case, Entry
from bot.export import Exporter
from tests.support.export.cases import NOW, at, case, entry

ENTRIES = 10_000
ROUNDS = 7
TEXTS = (
    "failed over to replica db-2, 12% of requests still 503",
    "rolled back deploy `api@4f2a` by hand",
    "p99 is 2.3 s, see https://grafana.example/d/abc?x=1",
    "the pool was at 100/100 connections (max_connections)",
    "restarted 2 of 3 nodes",
    "error rate *down* to 0.2 %",
)


FORMS = ("markdown", "json", "csv", "canvas", "html", "confluence")


def compare() -> None:
    """Print CPU milliseconds of each format, from the record on, and their ratios to a plain join."""
    about, exporter = _long(), Exporter()

    def write(form: str) -> bytes:
        return exporter.render(postmortem_rules.compile_document(about, NOW), form)

    click.echo(f"\n{ENTRIES} entries, record to document, beside a join of the same lines that escapes nothing")
    click.echo(f"{'':<28} {'CPU ms':>9} {'ratio':>9}")
    rounds = [
        [_milliseconds(lambda: _join(about)), *(_milliseconds(partial(write, form)) for form in FORMS)]
        for _ in range(ROUNDS)
    ]
    for index, name in enumerate(("plain join", *FORMS)):
        milliseconds = statistics.median(one[index] for one in rounds)
        ratios = [one[index] / one[0] for one in rounds]
        spread = f"(rounds from {min(ratios):.2f} to {max(ratios):.2f})"
        click.echo(f"{name:<28} {milliseconds:>9.1f} {statistics.median(ratios):>9.2f}   {spread}")
    if not exporter.explain_trouble("pdf"):
        began = time.perf_counter()
        write("pdf")
        click.echo(f"{'pdf, in its own process':<28} {time.perf_counter() - began:>9.1f} s of wall time")
    click.echo(f"{'most memory, MB':<28} {_megabytes(about, exporter):>9.1f}")


def _long() -> Case:
    began = at(8, 0)
    entries = tuple(
        entry(number, began + timedelta(seconds=17 * number), f"{TEXTS[number % len(TEXTS)]} {number}")
        for number in range(1, ENTRIES + 1)
    )
    return case(entries=entries)


def _join(about: Case) -> bytes:
    return "\n".join(_line(about, one) for one in about.entries).encode()


def _line(about: Case, one: Entry) -> str:
    return f"- **{one.happened_at:%Y-%m-%d %H:%M} UTC** {one.text} — {about.name(one.author)} (#{one.number})"


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def _megabytes(about: Case, exporter: Exporter) -> float:
    tracemalloc.start()
    exporter.render(postmortem_rules.compile_document(about, NOW), "markdown")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1e6
