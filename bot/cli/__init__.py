"""The command line: `afterword --help`. A command's module is loaded once the command is asked for.

Loading all of them takes six times as long as answering `--help` may.
"""

import gc
import sys
from importlib import import_module
from typing import Any, NamedTuple

import click

from bot import __version__
from bot.errors import AfterwordError


class _Entry(NamedTuple):
    """A line of `afterword --help`, and where the command is found."""

    module: str
    help: str
    function: str = ""


_COMMANDS = {
    "demo": _Entry("demo", "Play a whole incident without Slack, and write its postmortem."),
    "rehearse": _Entry("demo", "Try it in your browser, without Slack."),
    "manifest": _Entry("manifest", "Print the Slack app's manifest to paste into Slack."),
    "doctor": _Entry("doctor", "Check the settings and connections, and say what to fix."),
    "run": _Entry("runner", "Start the bot."),
    "migrate": _Entry("database", "Update the database to this version's schema."),
    "backup": _Entry("database", "Copy the SQLite database to FILE while the bot runs."),
    "restore": _Entry("database", "Restore the SQLite database from a backup."),
    "prune": _Entry("history", "Delete what is past its retention. --dry-run only lists it."),
    "forget": _Entry("history", "Replace a person by a pseudonym everywhere. --dry-run only counts."),
    "export": _Entry("documents", "Write an incident's postmortem, in one of eight formats."),
    "library": _Entry("library", "Write the published postmortems as a static site."),
    "import": _Entry("documents", "Import an exported incident or an edited draft.", "import_"),
    "template": _Entry("documents", "Use templates of your own."),
    "policy": _Entry("policy", "Check what is asked after an incident, by severity."),
    "trends": _Entry("numbers", "Count what came of a period's incidents, as CSV."),
    "when": _Entry("times", "Show how a line's time would be read."),
    "tick": _Entry("runner", "Send what's due. With --dry-run, only list it."),
}
"""In the order in which a new user needs them: try, set up, run, move documents, look closer."""


class _CommandGroup(click.Group):
    """Loads a command when it is asked for. An error on purpose is one sentence and exit status 1, never a trace."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = _COMMANDS.get(cmd_name)
        return _load(entry.module, entry.function or cmd_name) if entry else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except AfterwordError as error:
            raise click.ClickException(str(error)) from error
        except _database_errors() as error:  # its message may quote a row, so only its type is shown
            raise click.ClickException(
                f"The database refused ({type(error).__name__}). To see what's wrong with it: `afterword doctor`"
            ) from None


def _load(module: str, function: str) -> click.Command:
    name = f"bot.cli.{module}"
    if name not in sys.modules:
        # What modules make while they are loaded stays. To look through it for garbage, again and again, would take a
        # third of the time; frozen, it is never looked at.
        gc.disable()
        try:
            import_module(name)
        finally:
            gc.freeze()
            gc.enable()
    command: click.Command = getattr(sys.modules[name], function)
    return command


def _database_errors() -> tuple[type[Exception], ...]:
    """Those of the drivers; asked for only once something was raised."""
    from storage.database.drivers import database_errors  # noqa: PLC0415 (a command without a database loads none)

    return database_errors()


@click.group(cls=_CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="afterword")
def main() -> None:
    """The incident scribe for Slack: writes the timeline down once, in UTC, and gets the postmortem finished."""
