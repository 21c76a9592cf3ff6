"""`afterword run` and `afterword tick`: the bot as a process, or once."""

import asyncio
from datetime import datetime

import click

from bot import runner
from bot.app import Afterword
from bot.cli import options as options_commands
from bot.cli.settings import load_settings, open_configured_store, read_time
from bot.clock import CorrectedClock, SettableClock
from bot.policy import build_reminder_rules
from bot.services.notifications import dry_run as dry_run_service
from bot.settings import Settings
from storage.database.store import Store


@click.command()
def run() -> None:
    """Start the bot: Socket Mode if SLACK_APP_TOKEN is set, else HTTP on AFTERWORD_HOST:AFTERWORD_PORT."""
    runner.run(load_settings())


@click.command()
@click.option("--now", help="The time to go by, in ISO format. Default: now.")
@click.option("--dry-run", is_flag=True, help="List what would go out and why, and change nothing.")
def tick(*, now: str | None, dry_run: bool) -> None:
    """Decide which reminders are due, and send everything that's waiting."""
    settings, set_to = load_settings(), options_commands.parse_now(now)
    with open_configured_store(settings) as store:
        moment = set_to or read_time(store)
        rules = build_reminder_rules(settings)
        due = list(dry_run_service.list_enqueued(store, moment))
        due += [dry_run_service.describe(settled) for settled in dry_run_service.rehearse(store, rules, moment)]
        for line in due:
            click.echo(line)
        if not due:
            click.echo("Nothing is due.", err=True)
        if dry_run:
            for line in dry_run_service.explain_policies(store, rules):
                click.echo(line)
        else:
            asyncio.run(_tick(settings, store, set_to))


async def _tick(settings: Settings, store: Store, set_to: datetime | None) -> None:
    # A time that was typed is right, however far it is from any clock.
    clock = CorrectedClock() if set_to is None else SettableClock(set_to)
    async with Afterword(settings, store, clock) as bot:
        if doubt := await bot.check_clock():
            raise click.ClickException(doubt)
        await bot.tick(clock.now())
