"""`afterword doctor`: what is wrong with the settings and connections, and what to do about it."""

import asyncio
import sys

import click

from bot.cli import options as options_commands
from bot.cli.settings import load_settings
from bot.clock import SystemClock
from bot.doctor import CheckResult, examine
from bot.errors import AfterwordError, Misconfigured
from bot.policy import build_mask_rules
from bot.settings import Settings, describe_unknown
from bot.timeouts import Timeouts
from storage.database.store import open_store


@click.command()
def doctor() -> None:
    """Check tokens, scopes, database and clock; each finding says what to do."""
    settings, timeouts = load_settings(), options_commands.find_timeouts()
    findings = [
        *_check_settings(settings),
        *asyncio.run(examine(settings, SystemClock(), lambda: _check_database(settings, timeouts))),
    ]
    for finding in findings:
        sign = {True: "ok  ", False: "FAIL", None: "note"}[finding.ok]
        click.echo(f"{sign}  {finding.name}: {finding.sentence}")
    if any(finding.ok is False for finding in findings):
        sys.exit(1)


def _check_settings(settings: Settings) -> list[CheckResult]:
    found = [CheckResult.note("settings", sentence) for sentence in (*settings.useless, *describe_unknown())]
    try:
        build_mask_rules(settings)
    except Misconfigured as error:
        found.append(CheckResult.failure("mask", str(error)))
    return found


def _check_database(settings: Settings, timeouts: Timeouts) -> CheckResult:
    try:
        open_store(settings.sqlalchemy_url, timeouts=timeouts).close()
    except AfterwordError as error:
        return CheckResult.failure("database", str(error))
    return CheckResult.success("database", "It opens, and its schema matches this version.")
