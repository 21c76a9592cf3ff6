"""`afterword when`: how a line's time would be read, for people and for programs."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfoNotFoundError

import click

from bot.cli import options as options_commands
from bot.domain import times
from bot.domain.times import benchmark

LONGEST_LINE = 1_000_000
"""Bytes of one JSON line; a longer one is answered with an error and skipped, whatever its length."""


# A line may begin with a minus: `-10m rolled back`.
@click.command(
    short_help="Tell how a line's time would be read.",
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
)
@click.argument("text", required=False)
@click.option("--now", help="ISO; default: now.")
@click.option("--zone", default="UTC", show_default=True, help="The author's IANA zone.")
@click.option("--language", default="en", show_default=True, help="The author's, as a BCP 47 tag: de-DE.")
@click.option(
    "--score",
    "collection",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON lines of times with their right readings; tells by kind how they are read.",
)
def when(text: str | None, now: str | None, zone: str, language: str, collection: Path | None) -> None:
    """Tell how a line's time would be read, as one JSON object.

    "utc" (null where no time was given), "end_utc" of a range, "approximate", "text" (the rest), "question" (null, or
    the choices that would be asked), "offer" (null, or the times elsewhere in the line that a receipt would offer).

    With - it reads JSON lines {"text", "now", "zone", "language"} and prints a line for each at once; only "text" must
    be there. What cannot be read is answered with {"error"}, and the exit code is 1 at the end.
    """
    if collection is not None:
        result = benchmark.score(benchmark.rows_of(collection.read_text(encoding="utf-8")))
        click.echo(benchmark.table(result))
        sys.exit(0 if result.is_enough else 1)
    if text is None:
        raise click.UsageError("Give the line to read, as in: afterword when '14:05 failed over'.")
    usual = {"now": now, "zone": zone, "language": language}
    if text == "-":
        sys.exit(_stream(sys.stdin.buffer, usual))
    _say(_read({"text": text, **usual}))


def _stream(lines: BinaryIO, usual: dict[str, Any]) -> int:
    """Answer each line as soon as it is read; the exit code. `usual` is what a line need not tell."""
    code = 0
    for line in _lines(lines):
        try:
            found = _read(usual | _asked(line))
        except (ValueError, TypeError, OverflowError, RecursionError, click.BadParameter) as error:
            found, code = {"error": _explained(error)}, 1
        _say(found)
    return code


def _lines(lines: BinaryIO) -> Iterator[bytes]:
    """Each line that is not blank; of one that is too long only as much as shows that it is."""
    while line := lines.readline(LONGEST_LINE + 1):
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = lines.readline(LONGEST_LINE + 1)
        if line.strip():
            yield line


def _asked(line: bytes) -> dict[str, Any]:
    """What a line asks; raises ValueError or TypeError with a sentence for a line that is none."""
    if len(line) > LONGEST_LINE:
        raise ValueError(f"The line is longer than {LONGEST_LINE:,} bytes.")
    found = json.loads(line.decode("utf-8"))
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        raise TypeError('A line is a JSON object with a "text", which is a string.')
    given_too = {name: found[name] for name in ("now", "zone", "language") if found.get(name) is not None}
    if wrong := [name for name, value in given_too.items() if not isinstance(value, str)]:
        raise TypeError(f'"{wrong[0]}" is a string, or left out.')
    return {"text": found["text"], **given_too}


def _explained(error: Exception) -> str:
    if isinstance(error, click.BadParameter):
        return error.message
    if isinstance(error, json.JSONDecodeError):
        return f"The line is no JSON: {error.msg} at character {error.pos + 1}."
    if isinstance(error, UnicodeDecodeError):
        return "The line is not in UTF-8."
    if isinstance(error, RecursionError):
        return "The line is nested too deeply."
    if isinstance(error, OverflowError):
        return "No time can be told around that moment: it is at the end of all years."
    return str(error)


def _read(asked: dict[str, Any]) -> dict[str, Any]:
    reading = times.read(
        asked["text"], options_commands.moment(asked["now"]), _zone(asked["zone"]), language=asked["language"]
    )
    return {
        "utc": _iso(reading.utc),
        "end_utc": _iso(reading.end_utc),
        "approximate": reading.approximate,
        "text": reading.text,
        "question": None if reading.question is None else [_iso(choice) for choice in reading.question],
        "offer": None if reading.offer is None else [_iso(moment) for moment in reading.offer],
    }


def _say(found: dict[str, Any]) -> None:
    """Print a line at once; what the terminal or the file cannot hold is written as escapes."""
    line = json.dumps(found, ensure_ascii=False)
    try:
        line.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        line = json.dumps(found)
    click.echo(line)  # which flushes


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def _zone(name: str) -> tzinfo:
    try:
        return benchmark.zone_of(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise click.BadParameter(f"{name!r} is no IANA zone. Write it as Europe/Berlin, or as UTC+1.") from error
