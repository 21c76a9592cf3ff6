"""The rules of an entry: its text and time, words that wait for an incident, and times that are offered.

Words typed without an open incident are a `PendingEntry`, carried by the button that opens one. A time elsewhere in a
line is a `TimeOffer` on the receipt, never applied unasked (decision 32).
"""

import re
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain import times
from bot.domain.form_fields import FormMoment, format_time
from bot.domain.records import Entry
from bot.domain.times import Reading
from bot.errors import Refused

SAME_AGAIN = timedelta(seconds=10)
"""Within this time the same words by the same person are taken for a repeat, and asked about."""


_SKEW = timedelta(minutes=1)
"""Two clocks differ: this little ahead of now is now."""


_LIKE_COMMAND = re.compile(
    r"(?:(?:edit|delete|remove|list|add|status|history|close)(?:\s+#?\d{1,6})?|(?:show|undo)\s+.{0,9})", re.IGNORECASE
)


def is_like_command(text: str) -> bool:
    """Whether an entry reads like a sub-command that there is not, or is not whole: `list`, `remove 4`, `edit`."""
    return _LIKE_COMMAND.fullmatch(text.strip()) is not None


def require_text(text: str) -> str:
    """The text of an entry; raises Refused if only a time was given."""
    if not text:
        raise Refused("That is a time without what happened. Add it, as in `/timeline 14:05 failed over to replica`.")
    return text


def require_past(moment: datetime, now: datetime) -> None:
    """Raise Refused for a moment more than a minute ahead: the timeline is about the past."""
    if moment > now + _SKEW:
        raise Refused(
            f"{moment:%Y-%m-%d %H:%M} UTC is still to come (it is {now:%H:%M} UTC). Give a time that has been.",
            field="when",
        )


def keep_seconds(before: datetime, minute: datetime) -> datetime:
    """A new time to the minute; the old one if it is in that minute, so that its seconds stay."""
    return before if before.replace(second=0, microsecond=0) == minute else minute


FARTHEST_AHEAD = timedelta(hours=48)
"""The limit for a future moment that a person chose among the readings of their line: a maintenance that begins."""


def list_choices(question: tuple[datetime, ...] | None, now: datetime) -> tuple[datetime, ...]:
    """The readings of a time that may be chosen, each once."""
    return tuple(moment for moment in dict.fromkeys(question or ()) if moment <= now + FARTHEST_AHEAD)


def require_chosen(moment: datetime, now: datetime) -> None:
    """Raise Refused for a moment that was chosen and lies further ahead than may be."""
    if moment > now + FARTHEST_AHEAD:
        raise Refused(
            f"{moment:%Y-%m-%d %H:%M} UTC is more than two days ahead. Record it once it has happened.", field="when"
        )


def format_choices(question: tuple[datetime, ...] | None, now: datetime) -> str:
    """The past readings of a time, written so that each is read as itself: what a form asks for instead of a button."""
    past = [moment for moment in dict.fromkeys(question or ()) if moment <= now]
    return " or ".join(f"{moment:%Y-%m-%d %H:%M} UTC" for moment in past[:3]) or "2026-11-23 14:05 UTC"


def move_end(entry: Entry, start: datetime, now: datetime, zone: tzinfo) -> datetime | None:
    """The end of an entry that now begins at `start`, with the same length as before.

    Raises Refused if that is in the future: then the end may be meant to stay.
    """
    if entry.ended_at is None:
        return None
    end = start + (entry.ended_at - entry.happened_at)
    if end > now + _SKEW and end > entry.ended_at:
        both = format_time(FormMoment(start, entry.ended_at if start < entry.ended_at else now), now, zone)
        raise Refused(
            f"#{entry.number} was not changed. Its end would move along, to {end:%Y-%m-%d %H:%M} UTC, which is still "
            f"to come. Give both ends, as in `/timeline edit {entry.number} {both}`.",
            field="when",
        )
    return end


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """An entry that has no incident yet, with everything needed to record it later as if it had been recorded then.

    `line` is as typed, to be read at `typed_at` in `zone` (an IANA name); if `at` is set, the time is decided, and
    `line` is the words alone. `key` is that of the request, which makes it take effect once. `author` is empty for the
    person who typed it. `files` are (name, media type, size, address). `is_paste`: many lines, to be previewed.
    `language` is for reading the time; `names_times`: the words are a message's, and may name other times.
    """

    line: str
    typed_at: datetime
    zone: str
    channel: str
    key: str
    at: datetime | None = None
    ended_at: datetime | None = None
    approximate: bool = False
    author: str = ""
    link: str = ""
    source: str = ""
    is_marked: bool = False
    files: tuple[tuple[str, str, int, str], ...] = ()
    is_paste: bool = False
    language: str = ""
    names_times: bool = False

    def packed(self) -> dict[str, Any]:
        """A JSON object, without fields that are empty and optional."""
        found = {name: value for name, value in asdict(self).items() if value or name in _ALWAYS}
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in found.items()}

    def clock(self) -> tzinfo:
        """The zone in which its time is read."""
        return ZoneInfo(self.zone) if self.zone else UTC

    def reading(self) -> Reading:
        """The reading of its time: of the line as of the moment it was typed, or the time that was decided already."""
        if self.at is None:
            return times.read(self.line, self.typed_at, self.clock(), language=self.language or "en")
        return Reading(
            self.at, self.ended_at, self.approximate, self.line, None, None, None, assumed_zone=False, precise=False
        )


_ALWAYS = ("line", "typed_at", "zone", "channel", "key")
_TIMES = ("typed_at", "at", "ended_at")
_NAMES = tuple(field.name for field in fields(PendingEntry))


def unpack_pending_entry(packed: dict[str, Any]) -> PendingEntry:
    """What `packed` made; raises KeyError, TypeError or ValueError for anything else."""
    given = {name: packed[name] for name in _NAMES if name in packed}
    given |= {name: datetime.fromisoformat(given[name]) for name in _TIMES if name in given}
    return PendingEntry(**given | {"files": tuple(tuple(file) for file in given.get("files", ()))})


def zone_name(zone: tzinfo) -> str:
    """The zone's IANA name; empty for UTC."""
    return str(getattr(zone, "key", ""))


def with_words(refused: Refused, carried: PendingEntry) -> Refused:
    """The refusal, with the words for the button that opens an incident, if it has one."""
    if refused.offer != "open_incident":
        return refused
    return Refused(refused.sentence, offer=refused.offer, field=refused.field, carrying=carried.packed())


MOST = 3
"""Moments that one receipt offers."""

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TimeOffer:
    """A moment at which it may have happened, with the length if the line has a range."""

    at: datetime
    lasts: timedelta | None = None
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class ChosenTime:
    """One answer to a question about a time, as its button carries it; `at` is None for none of the readings.

    `asked_at` is when the question was asked.
    """

    text: str
    at: datetime | None
    approximate: bool
    lasts: timedelta | None
    asked_at: datetime | None = None

    def reading(self) -> Reading:
        """The words with the time that was chosen."""
        end = self.at + self.lasts if self.at and self.lasts else None
        return Reading(self.at, end, self.approximate, self.text, None, "UTC", None, assumed_zone=False, precise=False)


def list_offers(reading: Reading | None, stands_at: datetime, now: datetime) -> tuple[TimeOffer, ...]:
    """The times in a line that were not used for its entry, whose time is `stands_at`.

    None in the future, and none within a minute of the entry's time.
    """
    if reading is None:
        return ()
    return tuple(
        offer for offer in _label_choice(reading) if offer.at <= now + _MINUTE and abs(offer.at - stands_at) >= _MINUTE
    )[:MOST]


def _label_choice(reading: Reading) -> tuple[TimeOffer, ...]:
    if reading.offer is not None:
        return tuple(TimeOffer(at) for at in dict.fromkeys(reading.offer))
    if reading.question is not None:
        return tuple(TimeOffer(at, reading.lasts, reading.approximate) for at in dict.fromkeys(reading.question))
    if reading.utc is None:
        return ()
    lasts = reading.end_utc - reading.utc if reading.end_utc else None
    return (TimeOffer(reading.utc, lasts, reading.approximate),)
