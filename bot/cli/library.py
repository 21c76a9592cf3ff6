"""`afterword library FOLDER`: the published postmortems as static files, for any web server or none."""

from pathlib import Path

import click

from bot.cli import folder as folder_commands
from bot.cli import options as options_commands
from bot.cli.settings import load_settings, open_configured_store, read_time
from bot.domain.text import format_count
from bot.errors import Refused
from bot.export import Exporter
from bot.policy import build_mask_rules
from bot.services.library import static_site as static_site_service
from bot.services.library.static_site import StaticLibrary
from storage.database.statements import Transaction


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--url", default="", help="The address the folder is served at. With it there is an Atom feed.")
@click.option("--team", default="", help="The workspace's ID, if the database has several.")
@click.option("--dry-run", is_flag=True, help="Only list what would be written and deleted.")
@click.option("--now", help="The ISO time to write the library as of. Default: the current time.")
def library(folder: Path, url: str, team: str, now: str | None, *, dry_run: bool) -> None:
    """Write the published postmortems of public channels to FOLDER, as a site of static files.

    Copies are masked as AFTERWORD_MASK says. Files in FOLDER that Afterword didn't write are never changed.
    """
    if url and not url.startswith(("https://", "http://")):
        raise click.BadParameter("An address begins with https:// or http://.", param_hint="--url")
    settings, moment = load_settings(), options_commands.parse_now(now)
    rules, exporter = build_mask_rules(settings), Exporter(settings.templates_folder, options_commands.find_timeouts())
    with open_configured_store(settings) as store:
        at = moment or read_time(store)

        def look(tx: Transaction) -> StaticLibrary:
            workspace = static_site_service.find_team(tx, team)
            if not workspace:
                raise Refused("The database has no incident, or those of several workspaces. Choose one with --team.")
            return static_site_service.write_library(tx, exporter, rules, workspace, at, url)

        made = store.read_now(look)
    apply = folder_commands.plan_change if dry_run else folder_commands.write_folder
    try:
        change = apply(folder, made.files)
    except OSError as error:
        raise Refused(f"{folder} can't be written ({error.strerror}). Run it again once it can.") from error
    _report(made, change, dry_run=dry_run)


def _report(made: StaticLibrary, change: folder_commands.FolderChange, *, dry_run: bool) -> None:
    for name in (*change.written, *change.deleted) if dry_run else ():
        click.echo(f"{'write' if name in change.written else 'delete'} {name}")
    if made.left_out:
        click.echo(
            f"Left out: {', '.join(made.left_out)}. Their channels are private, or it isn't known yet whether they "
            "are: the bot learns it from Slack while it runs.",
            err=True,
        )
    would = "would be " if dry_run else ""
    click.echo(
        f"{format_count(len(made.written), 'postmortem')}: {format_count(len(change.written), 'file')} {would}written, "
        f"{len(change.deleted)} {would}deleted, {change.same} unchanged."
    )
