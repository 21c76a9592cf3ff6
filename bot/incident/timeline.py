"""What `/timeline` understands, and the rules of an entry."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from bot.errors import Refused
from bot.incident.fields import When, time_text
from bot.incident.records import Entry

SAME_AGAIN = timedelta(seconds=10)
"""Within this time the same words by the same person are taken for a repeat, and asked about."""


_SKEW = timedelta(minutes=1)
"""Two clocks differ: this little ahead of now is now."""


@dataclass(frozen=True, slots=True)
class Record:
    """Write down what happened; the line still holds its time."""

    line: str


@dataclass(frozen=True, slots=True)
class Show:
    """Show the timeline: all of it, or what happened in the last while, or one entry with its history."""

    since: timedelta | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Change an entry; an empty line asks for a form."""

    number: int
    line: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Strike an entry."""

    number: int


@dataclass(frozen=True, slots=True)
class Undo:
    """Strike the entry that this person recorded last."""


@dataclass(frozen=True, slots=True)
class Paste:
    """Record many lines at once; without any, a form asks for them."""

    lines: str = ""


@dataclass(frozen=True, slots=True)
class Help:
    """Explain."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Nothing was typed: the latest entries and a form."""


Wish = Record | Show | Edit | Delete | Undo | Paste | Help | Overview

_SIMPLE: dict[str, Wish] = {"": Overview(), "help": Help(), "?": Help(), "undo": Undo(), "paste": Paste()}
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_SHOW = re.compile(
    r"show(?:\s+#?(?P<number>\d{1,6})|\s+since\s+(?P<count>\d{1,4})\s*(?P<unit>[mhd])(?:in|ours?|ays?)?)?"
)
_EDIT = re.compile(r"edit\s+#?(?P<number>\d{1,6})(?:\s+(?P<line>.+))?", re.DOTALL)
# What is pasted has several lines, or stands below the word: "paste service is down" is what happened.
_PASTE = re.compile(r"paste(?:[^\S\n]*\n|\s+(?=[\[(~*-]?\s*[0-9].*\n))(?P<lines>.*)", re.DOTALL | re.IGNORECASE)
_DELETE = re.compile(r"delete\s+#?(?P<number>\d{1,6})")

_LIKE_COMMAND = re.compile(
    r"(?:(?:edit|delete|remove|list|add|status|history|close)(?:\s+#?\d{1,6})?|(?:show|undo)\s+.{0,9})", re.IGNORECASE
)


def wish(text: str) -> Wish:
    """What somebody wants who typed `/timeline TEXT`.

    A sub-command is only what fits its whole form; anything else is what happened, so that
    `show stopped loading` is an entry.
    """
    text = text.strip()
    lowered = text.lower()
    simple: Wish | None = _SIMPLE.get(lowered)
    if simple is not None:
        return simple
    if shown := _SHOW.fullmatch(lowered):
        return _show(shown)
    if edited := _EDIT.fullmatch(text):
        return Edit(int(edited["number"]), (edited["line"] or "").strip())
    if deleted := _DELETE.fullmatch(lowered):
        return Delete(int(deleted["number"]))
    if pasted := _PASTE.fullmatch(text):
        return Paste(pasted["lines"])
    return Record(text)


def is_like_command(text: str) -> bool:
    """Whether an entry reads like a sub-command that there is not, or is not whole: `list`, `remove 4`, `edit`."""
    return _LIKE_COMMAND.fullmatch(text.strip()) is not None


def _show(match: re.Match[str]) -> Show:
    if match["number"]:
        return Show(number=int(match["number"]))
    if match["count"]:
        return Show(since=timedelta(**{_UNITS[match["unit"]]: int(match["count"])}))
    return Show()


def require_text(text: str) -> str:
    """The text of an entry; raises Refused where nothing but a time was given."""
    if not text:
        sentence = "That is a time without what happened. Add it, as in `/timeline 14:05 failed over to replica`."
        raise Refused(sentence)
    return text


def require_past(moment: datetime, now: datetime) -> None:
    """Raise Refused for a moment that is more than a minute ahead: the timeline tells what was."""
    if moment > now + _SKEW:
        sentence = f"{moment:%Y-%m-%d %H:%M} UTC is still to come (it is {now:%H:%M} UTC). Give a time that has been."
        raise Refused(sentence, field="when")


def same_minute(before: datetime, minute: datetime) -> datetime:
    """A time that was given to the minute: the one that stood where it is of that minute, so that its seconds stay."""
    return before if before.replace(second=0, microsecond=0) == minute else minute


FARTHEST_AHEAD = timedelta(hours=48)
"""So far ahead a moment may lie that somebody chose among the readings of their line: a maintenance that begins."""


def choices(question: tuple[datetime, ...] | None, now: datetime) -> tuple[datetime, ...]:
    """The readings of a time that may be chosen, each once."""
    return tuple(moment for moment in dict.fromkeys(question or ()) if moment <= now + FARTHEST_AHEAD)


def require_chosen(moment: datetime, now: datetime) -> None:
    """Raise Refused for a moment that was chosen and lies further ahead than may be."""
    if moment > now + FARTHEST_AHEAD:
        sentence = f"{moment:%Y-%m-%d %H:%M} UTC is more than two days ahead. Record it once it has happened."
        raise Refused(sentence, field="when")


def in_full(question: tuple[datetime, ...] | None, now: datetime) -> str:
    """The past readings of a time, written so that each is read as itself: what a form asks for instead of a button."""
    past = [moment for moment in dict.fromkeys(question or ()) if moment <= now]
    return " or ".join(f"{moment:%Y-%m-%d %H:%M} UTC" for moment in past[:3]) or "2026-11-23 14:05 UTC"


def end_moved(entry: Entry, start: datetime, now: datetime, zone: tzinfo) -> datetime | None:
    """The end of an entry that begins at `start` now: as far behind it as before.

    Raises Refused where that is still to come: then the end may as well be meant to stay.
    """
    if entry.ended_at is None:
        return None
    end = start + (entry.ended_at - entry.happened_at)
    if end > now + _SKEW and end > entry.ended_at:
        both = time_text(When(start, entry.ended_at if start < entry.ended_at else now), now, zone)
        sentence = (
            f"#{entry.number} was not changed. Its end would move along, to {end:%Y-%m-%d %H:%M} UTC, which is still "
            f"to come. Give both ends, as in `/timeline edit {entry.number} {both}`."
        )
        raise Refused(sentence, field="when")
    return end
