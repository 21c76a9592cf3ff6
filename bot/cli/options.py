"""What several commands share and is quick to load: the timeouts, `--now`, and files written whole."""

import errno
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click

from bot.timeouts import Timeouts


def find_timeouts() -> Timeouts:
    """The timeouts that the caller of `main` passed as Click's `obj` (tests do), else those as shipped."""
    return click.get_current_context().find_object(Timeouts) or Timeouts()


def parse_now(text: str | None) -> datetime | None:
    """An option's ISO time as aware UTC; None if there is none. Raises BadParameter if it is no ISO time."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(f"{text!r} isn't an ISO time. Write it as 2026-11-23T14:05:00Z.") from error


def write_output(content: bytes, output: Path | None) -> None:
    """Write to standard output or, whole or not at all, to a file. Raises ClickException with a sentence."""
    try:
        if output is None:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        elif output.exists() and not output.is_file():  # a pipe or a device is written to, not replaced
            output.write_bytes(content)
        else:
            replace_file(output.resolve(), content)
    except OSError as error:
        if error.errno == errno.EPIPE:  # the reader of the pipe has read enough
            raise
        where = "Standard output" if output is None else str(output)
        raise click.ClickException(f"{where} can't be written ({error.strerror}). Nothing was changed.") from error


def replace_file(output: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises OSError."""
    # Written next to the file and renamed over it: renaming is atomic, so a full disk or a kill leaves the old file.
    part = output.with_name(f".{output.name[:100]}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
        if output.exists():
            part.chmod(output.stat().st_mode & 0o7777)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
