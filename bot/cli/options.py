"""What several commands share: the settings, the timeouts, and the `--now` option."""

from datetime import UTC, datetime

import click

from bot import logs
from bot.clock import SystemClock
from bot.settings import Settings, load
from bot.timeouts import Timeouts


def load_settings() -> Settings:
    """The settings of the environment, with logging set up as they say."""
    found = load()
    logs.configure(found.log_level)
    return found


def find_timeouts() -> Timeouts:
    """How long the command waits: as the caller of `main` says (Click's `obj`), else as shipped."""
    return click.get_current_context().find_object(Timeouts) or Timeouts()


def parse_now(text: str | None) -> datetime:
    """An option's ISO time as aware UTC; the clock's where there is none. Raises BadParameter for anything else."""
    if text is None:
        return SystemClock().now()
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(f"{text!r} is no ISO time. Write it as 2026-11-23T14:05:00Z.") from error
