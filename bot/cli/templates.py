"""`afterword template`: try a team's own templates, or copy the shipped ones to start from."""

import sys
from pathlib import Path

import click

from bot.cli import options as options_commands
from bot.domain.samples import SAMPLES
from bot.domain.text import to_one_line
from bot.errors import Refused
from bot.export import templates


@click.group(short_help="Use templates of your own.")
def template() -> None:
    """A team's own templates for the postmortem (docs/templates.md)."""


@template.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def check(folder: Path | None) -> None:
    """Try the templates of FOLDER (default: AFTERWORD_TEMPLATES) on three invented incidents.

    A line for each file that takes the place of ours and for each finding. Exit status 1 where an export would fall
    back to ours.
    """
    chosen = folder or options_commands.load_settings().templates_folder
    if chosen is None:
        raise click.UsageError("Name the folder, as in: afterword template check FOLDER, or set AFTERWORD_TEMPLATES.")
    trial = templates.try_folder(chosen)
    for name in trial.used:
        _print_line("ok", f"{name} takes the place of ours.")
    for sentence in trial.notes:
        _print_line("note", sentence)
    for sentence in trial.broken:
        _print_line("FAIL", sentence)
    if trial.broken:
        click.echo("Until this is mended, exports are as Afterword writes them, and say so.")
        sys.exit(1)
    click.echo(f"{chosen} can be used: tried on {len(SAMPLES)} incidents ({', '.join(SAMPLES)}).")


def _print_line(sign: str, sentence: str) -> None:
    click.echo(f"{sign:4}  {to_one_line(sentence)}")  # a template must not steer the terminal


@template.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def copy(folder: Path) -> None:
    """Write our templates and style sheets into FOLDER, to start from. What is there already is left as it is."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (*templates.TEMPLATES, *templates.STYLES):
            _copy_file(folder / name, name)
    except OSError as error:
        raise Refused(f"{error.filename} cannot be written: {error.strerror}.") from error
    click.echo(f"Delete what you leave as it is, and set AFTERWORD_TEMPLATES={folder}")


def _copy_file(file: Path, name: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(templates.shipped_text(name) or "")
        _print_line("ok", f"{name} was written.")
    except FileExistsError:
        _print_line("note", f"{name} is there already, and left as it is.")
