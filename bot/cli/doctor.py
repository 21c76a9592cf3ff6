"""`afterword doctor`: what is wrong with the settings and connections, and what to do about it."""

import asyncio
import sys
from contextlib import closing

import click

from bot.cli import options as options_commands
from bot.cli.settings import load_settings
from bot.clock import SystemClock
from bot.doctor import CheckResult, check_settings, examine
from bot.domain.clock import ClockReadings, judge
from bot.domain.text import format_count
from bot.errors import AfterwordError
from bot.services.history import chain as chain_service
from bot.settings import Settings
from bot.timeouts import Timeouts
from storage.database import clock as clock_store
from storage.database.store import open_store
from storage.history import chain as chain_store


@click.command()
def doctor() -> None:
    """Check tokens, scopes, database and clock; each finding says what to do."""
    settings, timeouts = load_settings(), options_commands.find_timeouts()
    findings = [
        *check_settings(settings),
        *asyncio.run(examine(settings, SystemClock(), lambda: _check_database(settings, timeouts))),
        *_check_clock(settings, timeouts),
    ]
    findings += _check_history(settings, timeouts)
    for finding in findings:
        sign = {True: "ok  ", False: "FAIL", None: "note"}[finding.ok]
        click.echo(f"{sign}  {finding.name}: {finding.sentence}")
    if any(finding.ok is False for finding in findings):
        sys.exit(1)


def _check_database(settings: Settings, timeouts: Timeouts) -> CheckResult:
    try:
        open_store(settings.sqlalchemy_url, timeouts=timeouts).close()
    except AfterwordError as error:
        return CheckResult.failure("database", str(error))
    return CheckResult.success("database", "It opens, and its schema matches this version.")


def _check_history(settings: Settings, timeouts: Timeouts) -> list[CheckResult]:
    """Whether the whole history is as it was written; empty if the database cannot be opened, which is said already."""
    try:
        store = open_store(settings.sqlalchemy_url, timeouts=timeouts)
    except AfterwordError:
        return []
    try:
        report = chain_store.verify(store)
        file = chain_service.find_notes_file(settings.chain_file, store.driver)
        noted = chain_service.read_notes(file) if file else ()
        lost = store.read_now(lambda tx: chain_store.find_lost_heads(tx, noted))
    finally:
        store.close()
    if report.faults:
        more = f" And {report.more} more." if report.more else ""
        sentence = f"It was changed without Afterword: {' '.join(report.faults)}{more} Compare it with a backup."
        return [CheckResult.failure("history", sentence)]
    if lost:
        sentence = (
            f"The history of {format_count(len(lost), 'incident')} doesn't match {file}: its end was cut off, or the "
            "database was replaced. If you replaced it yourself, delete that file."
        )
        return [CheckResult.failure("history", sentence)]
    redacted = f" {report.redacted} of them have redacted words." if report.redacted else ""
    outside = f"It ends where {file} notes." if noted else "Its end isn't noted outside the database yet."
    checked = "1 row is as it was" if report.rows == 1 else f"All {report.rows:,} rows are as they were"
    sentence = f"{checked} written.{redacted} {outside}" if report.rows else "Nothing is recorded yet."
    return [CheckResult("history", ok=True if noted or not report.rows else None, sentence=sentence)]


def _check_clock(settings: Settings, timeouts: Timeouts) -> list[CheckResult]:
    """Whether the database has the same time, and whether reminders would be settled by it; empty if all is well."""
    try:
        store = open_store(settings.sqlalchemy_url, timeouts=timeouts)
    except AfterwordError:
        return []  # the check of the database says why
    with closing(store):
        reading, swept_at = store.read_now(lambda tx: (clock_store.read_time(tx), clock_store.find_swept_at(tx)))
    database = reading.at if reading is not None else None
    verdict = judge(ClockReadings(machine=SystemClock().now(), database=database, swept_at=swept_at))
    found = [CheckResult.failure("database's clock", verdict.trouble)] if verdict.trouble else []
    # Only noted: after some days off the next run asks Slack, and goes on. Before the first run nothing is due.
    if verdict.doubt and swept_at is not None:
        found.append(CheckResult.note("reminders", verdict.doubt))
    return found
