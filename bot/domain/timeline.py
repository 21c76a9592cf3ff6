"""The rules of an entry: its text and time, words that wait for an incident, and times that are offered.

Words typed without an open incident are a `PendingEntry`, carried by the button that opens one. A time elsewhere in a
line is a `TimeOffer` on the receipt, never applied unasked (decision 32).
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain import times
from bot.domain.records import Entry
from bot.domain.text import format_day_time
from bot.domain.times import Reading
from bot.errors import Refused

SAME_AGAIN = timedelta(seconds=10)
"""Within this time the same words by the same person count as a repeat, and need a confirmation."""

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
        raise Refused("You gave a time, but not what happened. Add it, as in `/timeline 14:05 failed over to replica`.")
    return text


def require_past(moment: datetime, now: datetime) -> None:
    """Raise Refused for a moment more than a minute ahead: the timeline is about the past."""
    if moment > now + _SKEW:
        raise Refused(
            f"{format_day_time(moment, now.date())} hasn't happened yet (it's {now:%H:%M} UTC). Use a past time, as in "
            f"{now:%Y-%m-%d %H:%M} UTC.",
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
            f"{format_day_time(moment, now.date())} is more than two days ahead. Record it once it has happened.",
            field="when",
        )


def format_choices(question: tuple[datetime, ...] | None, now: datetime) -> str:
    """The past readings of a time, written so that each is read as itself: what a form asks for instead of a button."""
    past = [moment for moment in dict.fromkeys(question or ()) if moment <= now]
    return " or ".join(f"{moment:%Y-%m-%d %H:%M} UTC" for moment in past[:3]) or "2026-11-23 14:05 UTC"


@dataclass(frozen=True, slots=True)
class FormMoment:
    """A moment of the record, or a span up to `end`, as its form shows it; both aware."""

    start: datetime
    end: datetime | None = None
    approximate: bool = False


def format_time(when: FormMoment, now: datetime, zone: tzinfo, language: str = "en") -> str:
    """A time as field text, on the clocks of `zone`, that `parse_time` reads back at `now` as exactly this time.

    It is the shortest form for which that holds: dates at both ends, offsets and UTC only if needed. If none does (a
    range with an end in the future is a question), it is in UTC, and only the fingerprint keeps the value.
    """
    forms = tuple(_forms(when, zone))
    return next((text for text in forms if parse_time(text, now, zone, language) == when), forms[-1])


def parse_time(text: str, now: datetime, zone: tzinfo, language: str = "en") -> FormMoment | None:
    """The time in a form's field; None if it is no time, or more than one."""
    # Behind a bar, all of the text must be the time.
    found = times.read(f"it | {text}", now, zone, language=language)
    return FormMoment(found.utc, found.end_utc, found.approximate) if found.utc and found.text == "it" else None


def _forms(when: FormMoment, zone: tzinfo) -> Iterator[str]:
    about = "~" if when.approximate else ""
    first, last = (each and each.astimezone(zone) for each in (when.start, when.end))
    assert first is not None  # noqa: S101 (the start is never None)
    if last is None or last.date() == first.date():
        yield f"{about}{_format_with_date(first)}" + (f" - {_clock(last)}" if last else "")
    yield about + " to ".join(_format_with_date(each) for each in (first, last) if each)
    if all(_is_written(each) for each in (first, last) if each):
        yield about + " to ".join(f"{_format_with_date(each)} {_offset(each)}" for each in (first, last) if each)
    yield about + " to ".join(f"{_format_with_date(each.astimezone(UTC))} UTC" for each in (first, last) if each)


def _format_with_date(local: datetime) -> str:
    return f"{local.date().isoformat()} {_clock(local)}"


def _clock(local: datetime) -> str:
    seconds = f":{local:%S}" if local.second or local.microsecond else ""
    return f"{local:%H:%M}{seconds}" + (f".{local:%f}".rstrip("0") if local.microsecond else "")


def _is_written(local: datetime) -> bool:
    """Whether its offset is of whole minutes, as all are since clocks keep standard time."""
    return not (local.utcoffset() or timedelta(0)) % timedelta(minutes=1)


def _offset(local: datetime) -> str:
    text = f"{local:%z}"
    return f"{text[:3]}:{text[3:5]}"


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
            f"#{entry.number} wasn't changed. Its end would move to {format_day_time(end, now.date())}, which hasn't "
            f"happened yet. Type both ends, as in `/timeline edit {entry.number} {both}`.",
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

    def pack(self) -> dict[str, Any]:
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
        return Reading(self.line, self.at, self.ended_at, self.approximate)


_ALWAYS = ("line", "typed_at", "zone", "channel", "key")
_TIMES = ("typed_at", "at", "ended_at")
_NAMES = tuple(field.name for field in fields(PendingEntry))


def unpack_pending_entry(packed: dict[str, Any]) -> PendingEntry:
    """What `PendingEntry.pack` made; raises KeyError, TypeError or ValueError for anything else."""
    # The button may be of another version: unknown fields are dropped, missing ones have their defaults.
    values = {name: packed[name] for name in _NAMES if name in packed}
    values |= {name: datetime.fromisoformat(values[name]) for name in _TIMES if name in values}
    return PendingEntry(**values | {"files": tuple(tuple(file) for file in values.get("files", ()))})


def zone_name(zone: tzinfo) -> str:
    """The zone's IANA name; empty for UTC."""
    return str(getattr(zone, "key", ""))


def with_words(refused: Refused, pending: PendingEntry) -> Refused:
    """The refusal, with the pending entry for the button that opens an incident, if it has one."""
    if refused.offer != "open_incident":
        return refused
    return Refused(refused.sentence, offer=refused.offer, field=refused.field, carrying=pending.pack())


SLIP = timedelta(hours=3)
"""A time of day this little ahead, which is read as yesterday's, may be a slip."""


def find_slip(reading: Reading, now: datetime, zone: tzinfo, language: str) -> str:
    """The time of day as typed, if it was read as yesterday's and comes again within `SLIP`; else empty."""
    if reading.utc is None or not reading.written:
        return ""
    again = reading.utc + timedelta(days=1)
    if not now < again <= now + SLIP:
        return ""
    # With its day typed, it would stay that day's once it has come again.
    later = times.read(f"{reading.written} .", again + _MINUTE, zone, language=language)
    return reading.written if later.utc == again else ""


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
        return Reading(self.text, self.at, end, self.approximate, zone="UTC")


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
