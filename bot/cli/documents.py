"""The commands about documents: an incident out of the database, and back into one."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from bot.app import mask_of, rules_of
from bot.cli import drafts, given
from bot.cli.writing import write
from bot.clock import SystemClock
from bot.errors import Refused
from bot.export import FORMATS, Exporter, json_reader, undrawn
from bot.incident.document import Document
from bot.incident.masking import MaskRules
from bot.incident.records import Incident
from bot.scribe import documents, imports
from bot.scribe.drafts import Given
from bot.scribe.imports import Imported
from storage.statements import Transaction
from storage.store import Store, open_store

_LONGEST_NUMBER = 9
"""Digits: what every database holds as a number."""


@click.command(short_help="Write an incident's postmortem, in one of seven formats.")
@click.argument("key")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="markdown", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output.")
@click.option("--team", "workspace", help="The workspace's id, where the database holds several.")
@click.option("--now", help="The moment to tell it as of, ISO; default: now.")
@click.option("--masked", is_flag=True, help="A copy for a wider circle: what is masked is told on standard error.")
def export(key: str, form: str, output: Path | None, workspace: str | None, now: str | None, *, masked: bool) -> None:
    """Write the postmortem of an incident, such as INC-7; as json it is the whole record, for `afterword import`."""
    settings, moment = given.settings(), given.moment(now)
    store = open_store(settings.sqlalchemy_url)
    try:
        incident = _named(store, key, workspace)
        rules = mask_of(settings) if masked else None
        document = store.read_now(lambda tx: _document(tx, incident, form, moment, rules))
    finally:
        store.close()
    written = Exporter(settings.templates_folder).write(document, form)
    if written.trouble:
        click.echo(f"Your own templates could not be used: this is as Afterword writes it. {written.trouble}", err=True)
    if written.undrawn:
        click.echo(_no_font(written.undrawn), err=True)
    write(written.content, output)


def _no_font(letters: str) -> str:
    return (
        f"This machine has no font for some letters, so boxes stand in their place: {undrawn.told(letters)}. Install "
        "such fonts (as the package fonts-noto-cjk) and export again; every other format has them."
    )


def _document(tx: Transaction, incident: Incident, form: str, moment: datetime, rules: MaskRules | None) -> Document:
    if rules is None:
        return documents.compiled(tx, incident, form, moment)
    document, finds = documents.masked(tx, incident, rules, moment)
    for find in finds:
        click.echo(f"Masked {find.kind} in {find.where}: {find.hint}", err=True)
    return document


def _named(store: Store, key: str, workspace: str | None) -> Incident:
    number = key.upper().removeprefix("INC-")
    if not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER):
        msg = f"{key!r} is no incident. Name it as INC-7."
        raise click.BadParameter(msg)
    return store.read_now(lambda tx: documents.named(tx, int(number), workspace or ""))


@click.command("import", short_help="Take in an exported incident, or an edited draft.")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--team", default="", help="The id of the workspace: to put it into, or that a draft is of.")
@click.option("--channel", default="", help="The id of the channel to put it into; default: the file's.")
@click.option("--as-new", is_flag=True, help="Take the next free key, as where another incident has the file's.")
@click.option(
    "--draft",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A Markdown draft that people edited, to be given back: what they wrote is kept.",
)
@click.option("--by", default="", help="With --draft: who edited it, a name or a Slack user id.")
@click.option("--now", help="With --draft: when it came back, ISO; default: now.")
def import_(*, file: Path | None, draft: Path | None, by: str, now: str | None, **wish: Any) -> None:
    """Take in the incident of FILE, as `afterword export --format json` wrote it, or an edited draft (--draft).

    It is written whole or not at all, while the bot runs too. Nothing is posted to Slack. An incident that is here
    already is left as it is; the same draft twice changes nothing.
    """
    if (file is None) == (draft is None):
        msg = "Give either the FILE of an incident, or an edited draft: afterword import --draft FILE.md."
        raise click.UsageError(msg)
    if draft is not None:
        sys.exit(0 if _given_back(draft, by, wish["team"], given.moment(now)) else 1)
    if file is not None:
        _import(file, imports.Wish(wish["team"], wish["channel"], is_new=wish["as_new"]))


def _given_back(draft: Path, by: str, team: str, now: datetime) -> bool:
    settings = given.settings()
    store = open_store(settings.sqlalchemy_url)
    try:
        returned = Given(drafts.text(draft), by.strip())
        return drafts.give_back(store, Exporter(settings.templates_folder), returned, team, now)
    finally:
        store.close()


def _import(file: Path, wish: imports.Wish) -> None:
    settings = given.settings()
    try:
        told = json_reader.read(_content(file))
    except Refused as error:
        msg = f"{file} was not imported. {error}"
        raise click.ClickException(msg) from error
    store = open_store(settings.sqlalchemy_url)
    try:
        imported = imports.take_in(store, told, wish, rules_of(settings), SystemClock().now())
    finally:
        store.close()
    for line in _told(imported):
        click.echo(line)


def _content(file: Path) -> bytes:
    """What the file holds; one byte more than is ever read shows that it is too large."""
    with file.open("rb") as opened:
        return opened.read(json_reader.LARGEST + 1)


def _told(imported: Imported) -> list[str]:
    """What became of it, a line for each thing to know."""
    incident, case = imported.incident, imported.told.case
    if imported.added:
        return [f"{incident.key} was here already; what was said of {', '.join(imported.added)} was added to it."]
    if imported.is_here:
        return [f"{incident.key} is here already, with the same content: nothing was changed."]
    counts = {
        ("entry", "entries"): len(case.entries),
        ("struck entry", "struck entries"): len(imported.told.history.struck),
        ("why", "whys"): len(case.whys),
        ("section", "sections"): len(case.sections),
        ("action", "actions"): len(case.actions),
        ("file", "files"): sum(file.state == "kept" for file in case.attachments),
    }
    named = (f"{number} {one if number == 1 else many}" for (one, many), number in counts.items() if number)
    what = ", ".join(named) or "nothing in it yet"
    lines = [f"{incident.key} was imported into {incident.team}: {what}."]
    if incident.number != case.incident.number:
        lines.append(f"In the file it is {case.incident.key}; here it is {incident.key}.")
    if imported.left_out:
        lines.append(
            f"What was said of {', '.join(imported.left_out)} was left out, for lack of the incident itself. "
            "Import that, and then this file again."
        )
    return lines
