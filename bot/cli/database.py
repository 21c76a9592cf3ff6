"""`afterword migrate` and `afterword backup`: the database that the settings name."""

from pathlib import Path

import click

from bot.cli import options as options_commands
from bot.cli.settings import load_settings
from storage.database import drivers
from storage.database.store import open_store


@click.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    open_store(load_settings().sqlalchemy_url, migrating=True, timeouts=options_commands.find_timeouts()).close()
    click.echo("The database is up to date.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the SQLite database to FILE while the bot runs."""
    drivers.backup(load_settings().sqlalchemy_url, file)
    click.echo(f"Copied to {file}.")
