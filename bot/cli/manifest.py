"""`afterword manifest`: the app's manifest, to paste into Slack."""

import json
from typing import Literal

import click

from bot import manifest as app_manifest
from bot.settings import load
from handlers import SLASH_COMMANDS


@click.command()
@click.option("--http", "url", metavar="URL", help="Use HTTP instead of Socket Mode: the bot's public https address.")
@click.option("--library", metavar="URL", help="The library's https address, AFTERWORD_URL: for the sign-in.")
@click.option("--minimal", is_flag=True, help="Leave out the optional scopes.")
def manifest(*, url: str | None, library: str | None, minimal: bool) -> None:
    """Print the Slack app's manifest to paste; the reason of each scope goes to standard error."""
    transport: Literal["socket", "http"] = "http" if url else "socket"
    built = app_manifest.manifest(transport, SLASH_COMMANDS, url or "", minimal=minimal, library=_read_address(library))
    click.echo(json.dumps(built, indent=2))
    click.echo(app_manifest.reasons(), err=True)


def _read_address(library: str | None) -> str:
    return load({"AFTERWORD_URL": library or ""}, env_file=None).url
