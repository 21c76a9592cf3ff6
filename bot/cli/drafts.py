"""`afterword import --draft FILE.md`: what became of each section of a draft that people edited, told line by line."""

import difflib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from bot.errors import Refused
from bot.export import Exporter
from bot.export.folder import BrokenTemplate
from bot.export.kept import Held
from bot.export.returned import Fate
from bot.incident.plain import plain
from bot.scribe import drafts
from bot.scribe.drafts import Given, Report, Settled
from storage.store import Store

MOST_BYTES = 20_000_000
MOST_LINES = 60
"""Lines of a difference that are printed: the draft has both texts."""

_NOT_TAKEN = {
    Fate.UNCHOSEN: "not taken: it still holds more than one text. Leave only what is right, without the headings that "
    "tell whose it is, and give the file back; or choose in Slack with /postmortem.",
    Fate.TWICE: "not taken: the file has this section twice, and both were edited. Leave one of them.",
    Fate.DAMAGED: "not taken: a marker inside it is damaged (<!-- afterword:… -->). Put it back as the export wrote "
    "it, on a line of its own above its section's heading.",
    Fate.UNKNOWN: "not taken: the document has no such section. Move the text into one that it has.",
}
_CHOOSE = "Choose in Slack with /postmortem, or leave only what is right in the next export and give that back."


def give_back(store: Store, exporter: Exporter, given: Given, team: str, now: datetime) -> bool:
    """Take a draft and tell what became of it; whether all that it holds was taken."""
    try:
        report = drafts.take(store, exporter, given, team, now)
    except BrokenTemplate as error:
        msg = f"The draft was not taken, for want of the templates that it was written with. Mend them first: {error}"
        raise Refused(msg) from error
    for line in _told(report):
        click.echo(line)
    return not any(one.region.fate in _NOT_TAKEN for one in report.settled)


def text(file: Path) -> str:
    """The text of a draft's file. Raises Refused for what is no text, or too long."""
    if file.stat().st_size > MOST_BYTES:
        msg = f"{file} has more than {MOST_BYTES // 1_000_000} MB: that is no draft."
        raise Refused(msg)
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{file} is not UTF-8 text (byte {error.start}). Save it as UTF-8, and give it back again."
        raise Refused(msg) from error


def _told(report: Report) -> Iterator[str]:
    yield _about(report)
    if report.is_head_edited:
        yield "Before the first section: not taken. Title, severity, times and people are the record's: /incident."
    if lost := [one.region.title for one in report.settled if one.region.is_marker_lost]:
        yield f"Found by heading, for their markers are lost: {', '.join(lost)}. What differs there counts as an edit."
    for one in report.settled:
        yield from _region(one)
    untouched = sum(one.region.fate is Fate.UNTOUCHED for one in report.settled)
    yield f"{untouched} of {len(report.settled)} sections untouched."


def _about(report: Report) -> str:
    before, now = report.paper.revision, report.revision
    new = sum(one.is_new for one in report.settled)
    compiled = "" if before is None else f", compiled at revision {before}"
    return f"{report.incident.key} {report.incident.title}{compiled}; the record is at revision {now}; {new} kept."


def _region(one: Settled) -> Iterator[str]:
    region = one.region
    if region.heading:
        yield f"{region.title}: its heading is the template's; “{region.heading}” was not taken."
    if region.fate in _NOT_TAKEN:
        yield f"{region.title}: {_NOT_TAKEN[region.fate]}"
    elif region.fate is Fate.SAME:
        yield f"{region.title}: nothing new, the document says so already."
    elif region.fate is Fate.ABSENT:
        yield f"{region.title}: not in the file, and left as it is."
    elif region.fate is Fate.EMPTIED and one.is_new:
        yield f"{region.title}: emptied in the file. It is not blanked yet: both are shown. {_CHOOSE}"
    elif region.fate in (Fate.EDITED, Fate.EMPTIED):
        yield from _edited(one)


def _edited(one: Settled) -> Iterator[str]:
    held = one.held
    if not one.is_new:
        yield f"{one.region.title}: taken before, nothing changed."
    elif held is None or not held.is_contested:
        yield f"{one.region.title}: taken."
    else:
        yield f"{one.region.title}: taken, and changed elsewhere as well; both are shown. {_CHOOSE}"
        yield from _differences(one, held)


def _differences(one: Settled, held: Held) -> Iterator[str]:
    others = {_whose(text.author.name if text.author else ""): text.markdown for text in held.texts[:-1]}
    if held.is_record_asked:
        others["the record now"] = held.own.body
    for name, text in others.items():
        lines = difflib.unified_diff(text.splitlines(), one.region.text.splitlines(), name, "this file", "", "", 1, "")
        for count, line in enumerate(lines):
            if count == MOST_LINES:
                yield "    … and on: the export has both texts whole."
                break
            yield f"    {plain(line)}"  # nothing in a file may steer the terminal


def _whose(name: str) -> str:
    return f"what {name or 'somebody'} wrote"
