"""`afterword when`: how a line's time would be read, for people and for programs."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any, BinaryIO
from zoneinfo import ZoneInfoNotFoundError

import click

from bot.cli import options as options_commands
from bot.clock import SystemClock
from bot.domain import times
from bot.domain.times.zones import parse_zone

LONGEST_LINE = 1_000_000
"""Bytes. A longer JSON line is answered with an error and skipped."""


# A line may begin with a minus: `-10m rolled back`.
@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
)
@click.argument("text", required=False)
@click.option("--now", help="The time of writing, in ISO format. Default: now.")
@click.option("--zone", default="UTC", show_default=True, help="The author's IANA zone.")
@click.option("--language", default="en", show_default=True, help="The author's language, as a BCP 47 tag: de-DE.")
def when(text: str | None, now: str | None, zone: str, language: str) -> None:
    """Show how a line's time would be read, as one JSON object.

    "utc" (null if no time was given), "end_utc" of a range, "approximate", "text" (the rest), "question" (null, or
    the choices that would be asked), "offer" (null, or the times elsewhere in the line that a receipt would offer).

    With - it reads JSON lines {"text", "now", "zone", "language"} and prints a line for each at once; only "text" must
    be there. What cannot be read is answered with {"error"}, and the exit code is 1 at the end.
    """
    if text is None:
        raise click.UsageError("Give the line to read, as in: afterword when '14:05 failed over'.")
    defaults = {"now": now, "zone": zone, "language": language}
    if text == "-":
        sys.exit(_answer_lines(sys.stdin.buffer, defaults))
    _print_json(_read({"text": text, **defaults}))


def _answer_lines(lines: BinaryIO, defaults: dict[str, Any]) -> int:
    """Answer each JSON line as soon as it is read. Returns the exit code. `defaults` fill what a line leaves out."""
    code = 0
    for line in _read_lines(lines):
        try:
            answer = _read(defaults | _parse_line(line))
        except (ValueError, TypeError, OverflowError, RecursionError, click.BadParameter) as error:
            answer, code = {"error": _describe_error(error)}, 1
        _print_json(answer)
    return code


def _read_lines(lines: BinaryIO) -> Iterator[bytes]:
    """Each line that is not blank. A line beyond the limit is cut to one byte more, so that memory stays bounded."""
    while line := lines.readline(LONGEST_LINE + 1):
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = lines.readline(LONGEST_LINE + 1)
        if line.strip():
            yield line


def _parse_line(line: bytes) -> dict[str, Any]:
    """The fields of a JSON line. Raises ValueError or TypeError with a sentence if they are not what is documented."""
    if len(line) > LONGEST_LINE:
        raise ValueError(f"The line is longer than {LONGEST_LINE:,} bytes.")
    fields = json.loads(line.decode("utf-8"))
    if not isinstance(fields, dict) or not isinstance(fields.get("text"), str):
        raise TypeError('A line is a JSON object with a "text", which is a string.')
    options = {name: fields[name] for name in ("now", "zone", "language") if fields.get(name) is not None}
    if wrong := [name for name, value in options.items() if not isinstance(value, str)]:
        raise TypeError(f'"{wrong[0]}" must be a string, or left out.')
    return {"text": fields["text"], **options}


def _describe_error(error: Exception) -> str:
    if isinstance(error, click.BadParameter):
        return error.message
    if isinstance(error, json.JSONDecodeError):
        return f"The line isn't JSON: {error.msg} at character {error.pos + 1}."
    if isinstance(error, UnicodeDecodeError):
        return "The line isn't UTF-8."
    if isinstance(error, RecursionError):
        return "The line is nested too deeply."
    if isinstance(error, OverflowError):
        return "That moment is too close to the first or last year that dates can have."
    return str(error)


def _read(line: dict[str, Any]) -> dict[str, Any]:
    now = options_commands.parse_now(line["now"]) or SystemClock().now()
    reading = times.read(line["text"], now, _zone(line["zone"]), language=line["language"])
    return {
        "utc": _iso(reading.utc),
        "end_utc": _iso(reading.end_utc),
        "approximate": reading.approximate,
        "text": reading.text,
        "question": None if reading.question is None else [_iso(choice) for choice in reading.question],
        "offer": None if reading.offer is None else [_iso(moment) for moment in reading.offer],
    }


def _print_json(answer: dict[str, Any]) -> None:
    """Print one line and flush. Characters that the output's encoding lacks are written as escapes."""
    line = json.dumps(answer, ensure_ascii=False)
    try:
        line.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        line = json.dumps(answer)
    click.echo(line)  # echo flushes, so a program that reads our output can wait for each answer


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def _zone(name: str) -> tzinfo:
    try:
        return parse_zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise click.BadParameter(f"{name!r} isn't an IANA zone. Write it as Europe/Berlin, or as UTC+1.") from error
