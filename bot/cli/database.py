"""`afterword migrate`, `backup` and `restore`: the database that the settings name."""

from pathlib import Path

import click

from bot.cli import options as options_commands
from bot.cli.settings import load_settings
from bot.clock import SystemClock
from bot.domain.text import format_count
from bot.services.history import chain as chain_service
from storage.database import drivers
from storage.database import restore as restore_store
from storage.database.lock import lock_database
from storage.database.store import open_store


@click.command()
def migrate() -> None:
    """Update the database to this version's schema."""
    open_store(load_settings().sqlalchemy_url, migrating=True, timeouts=options_commands.find_timeouts()).close()
    click.echo("The database is up to date.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the SQLite database to FILE while the bot runs."""
    drivers.backup(load_settings().sqlalchemy_url, file)
    click.echo(f"Copied to {file}.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the database that's there. It's kept beside the new one.")
def restore(file: Path, *, force: bool) -> None:
    """Restore the SQLite database from the backup FILE, while the bot is stopped.

    FILE is checked first: it must be a whole backup of Afterword, no newer than this version, with its history as it
    was written. It's only read.
    """
    settings = load_settings()
    url = settings.sqlalchemy_url
    notes = chain_service.find_notes_file(settings.chain_file, drivers.driver_for(url))
    with lock_database(url):
        done = restore_store.restore(url, file, SystemClock().now(), notes=notes, is_forced=force)
    counts = f"{format_count(done.incidents, 'incident')}, {format_count(done.entries, 'entry', 'entries')}"
    click.echo(f"Restored {file}: {counts}.")
    if done.aside is not None:
        click.echo(f"The previous database is now {done.aside}.")
