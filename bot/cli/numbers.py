"""`afterword trends`: the figures of a period as CSV."""

from pathlib import Path

import click

from bot.cli import options as options_commands
from bot.cli.settings import load_settings, open_configured_store, read_time
from bot.domain.numbers import Grouping, read_selection
from bot.domain.readers import public_sight
from bot.errors import Refused
from bot.export.csv_format import write_numbers
from bot.services.library import numbers as numbers_service
from storage import incidents as incidents_store
from storage.database.store import Store
from storage.numbers import MOST


@click.command()
@click.argument("what", nargs=-1)
@click.option("--by", type=click.Choice([str(by) for by in Grouping]), default="month", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output.")
@click.option("--team", default="", help="The workspace's ID, if the database has several.")
@click.option("--now", help="The time to count as of, in ISO format. Default: now.")
def trends(what: tuple[str, ...], by: str, output: Path | None, team: str, now: str | None) -> None:
    """Count what came of the incidents of a period, as CSV: afterword trends last quarter service checkout.

    Only incidents in public channels count. docs/numbers.md says how each figure is counted.
    """
    moment = options_commands.parse_now(now)
    with open_configured_store(load_settings()) as store:
        moment = moment or read_time(store)
        chosen, sight = read_selection(" ".join(what), moment), public_sight(team or _find_team(store))
        found = store.read_now(lambda tx: numbers_service.compare(tx, chosen, sight, Grouping(by), moment))
    if found.is_cut:
        click.echo(f"Only the latest {MOST:,} incidents of this period are counted.", err=True)
    options_commands.write_output(write_numbers(found.groups), output)


def _find_team(store: Store) -> str:
    teams = store.read_now(incidents_store.list_teams)
    if len(teams) > 1:
        raise Refused(f"The database has several workspaces. Choose one with --team: {', '.join(teams)}")
    return teams[0] if teams else ""
