"""The command line: `afterword --help`."""

import asyncio
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import click
from rich.console import Console

from bot import __version__, logs, runner
from bot import demo as demo_play
from bot import manifest as app_manifest
from bot.app import Afterword
from bot.cli import documents as documents_commands
from bot.cli import options as options_commands
from bot.cli import times as times_commands
from bot.clock import SettableClock, SystemClock
from bot.doctor import CheckResult, examine
from bot.errors import AfterwordError, Misconfigured
from bot.policy import build_mask_rules, build_reminder_rules
from bot.rehearsal import story
from bot.rehearsal.story import Narrator, Tour
from bot.services import reminders as reminders_service
from bot.settings import Settings, describe_unknown
from bot.timeouts import Timeouts
from handlers import SLASH_COMMANDS
from storage.database import drivers
from storage.database.drivers import DATABASE_ERRORS
from storage.database.store import Store, open_store

_ORDER = (
    "demo", "rehearse", "manifest", "doctor", "run", "migrate", "backup",
    "export", "import", "template", "when", "tick",
)  # fmt: skip
"""In the order in which a new user needs them: try, set up, run, move documents, look closer."""


class _SentenceGroup(click.Group):
    """An error on purpose is one sentence on standard error and exit status 1, never a trace."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(super().list_commands(ctx), key=_ORDER.index)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AfterwordError as error:
            raise click.ClickException(str(error)) from error
        except DATABASE_ERRORS as error:  # its message may quote a row, so only its type is shown
            raise click.ClickException(
                f"The database refused ({type(error).__name__}). To see what's wrong with it: `afterword doctor`"
            ) from None


@click.group(cls=_SentenceGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="afterword")
def main() -> None:
    """The incident scribe for Slack: writes the timeline down once, in UTC, and gets the postmortem finished."""


for command in (
    documents_commands.export,
    documents_commands.import_,
    documents_commands.template,
    times_commands.when,
):
    main.add_command(command)


@main.command(short_help="Start the bot.")
def run() -> None:
    """Start the bot: Socket Mode where SLACK_APP_TOKEN is set, else HTTP on AFTERWORD_HOST:AFTERWORD_PORT."""
    runner.run(options_commands.load_settings())


@main.command(short_help="Play a whole incident without Slack, and write its postmortem.")
@click.option("--incident", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="An incident file.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("demo-out"), show_default=True)
@click.option("--full", is_flag=True, help="Show everything that's typed and shown, not only a tour of 40 lines.")
def demo(*, incident: Path | None, out: Path, full: bool) -> None:
    """Play a whole incident against the built-in Slack stand-in, and write its published postmortem."""
    logs.configure("WARNING")
    played = story.read_story(incident) if incident else story.shipped_story()
    narrator = (Narrator if full else Tour)(Console(highlight=False))
    asyncio.run(demo_play.play(played, out, narrator, options_commands.find_timeouts(), _name_program()))


def _name_program() -> str:
    """How this program was called: `.venv/bin/afterword` from the folder with the environment, else by its name."""
    called = Path(sys.argv[0])
    is_beside = called.is_absolute() and called.is_relative_to(Path.cwd())
    return (
        str(called.relative_to(Path.cwd())) if is_beside else str(called) if not called.is_absolute() else called.name
    )


@main.command(short_help="Try it in your browser, without Slack.")
@click.option("--port", type=click.IntRange(0, 65535), default=8500, show_default=True)
def rehearse(port: int) -> None:
    """Serve the Slack stand-in in a browser, with the bot in it: no account, no token, no network."""
    logs.configure("WARNING")
    asyncio.run(demo_play.serve(port))


@main.command(short_help="Send what's due. With --dry-run, only list it.")
@click.option("--now", help="ISO; default: now.")
@click.option("--dry-run", is_flag=True, help="List what would go out and why, and change nothing.")
def tick(*, now: str | None, dry_run: bool) -> None:
    """Do what is due: settle reminders and send what is owed."""
    settings, moment = options_commands.load_settings(), options_commands.parse_now(now)
    with options_commands.open_configured_store(settings) as store:
        due = list(reminders_service.list_enqueued(store, moment))
        due += [
            reminders_service.describe(settled)
            for settled in reminders_service.rehearse(store, build_reminder_rules(settings), moment)
        ]
        for line in due:
            click.echo(line)
        if not due:
            click.echo("Nothing is due.", err=True)
        if not dry_run:
            asyncio.run(_tick(settings, store, moment))


async def _tick(settings: Settings, store: Store, moment: datetime) -> None:
    async with Afterword(settings, store, SettableClock(moment)) as bot:
        await bot.tick(moment)


@main.command(short_help="Check the settings and connections, and say what to fix.")
def doctor() -> None:
    """Check tokens, scopes, database and clock; each finding says what to do."""
    settings, timeouts = options_commands.load_settings(), options_commands.find_timeouts()
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


@main.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    open_store(
        options_commands.load_settings().sqlalchemy_url, migrating=True, timeouts=options_commands.find_timeouts()
    ).close()
    click.echo("The database is up to date.")


@main.command(short_help="Print the Slack app's manifest to paste into Slack.")
@click.option("--http", "url", metavar="URL", help="The variant for HTTP: the public https address of the bot.")
@click.option("--minimal", is_flag=True, help="Without the optional scopes.")
def manifest(*, url: str | None, minimal: bool) -> None:
    """Print the Slack app's manifest to paste; the reason of each scope goes to standard error."""
    transport: Literal["socket", "http"] = "http" if url else "socket"
    built = app_manifest.manifest(transport, SLASH_COMMANDS, url or "", minimal=minimal)
    click.echo(json.dumps(built, indent=2))
    click.echo(app_manifest.reasons(), err=True)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the SQLite database to FILE while the bot runs."""
    drivers.backup(options_commands.load_settings().sqlalchemy_url, file)
    click.echo(f"Copied to {file}.")
