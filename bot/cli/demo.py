"""`afterword demo` and `afterword rehearse`: an incident in the Slack stand-in, without Slack."""

import asyncio
import sys
from pathlib import Path

import click
from rich.console import Console

from bot import demo as demo_play
from bot import logs
from bot.cli import options as options_commands
from bot.rehearsal import story
from bot.rehearsal.story import Narrator, Tour


@click.command()
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


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8500, show_default=True)
def rehearse(port: int) -> None:
    """Serve the Slack stand-in in a browser, with the bot in it: no account, no token, no network."""
    logs.configure("WARNING")
    asyncio.run(demo_play.serve(port))
