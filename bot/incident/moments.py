"""The time that a person writes before what happened, read as a UTC moment, or asked about where it could be two.

`docs/times.md` is the grammar for people. Pure: the clock and the author's zone are arguments.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from bot.incident.days import Day, dates, day_at, near
from bot.incident.instants import Instant, Outcome, outcome
from bot.incident.notations import HEAD, find
from bot.incident.scan import Found

# Each stands for exactly one plain character, so that a place in the plain head is the same place in the text.
_PLAIN = str.maketrans(
    {
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
        **dict.fromkeys(
            "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
        ),
        **dict.fromkeys("\u200b\u200e\u200f\u2060\ufeff", " "),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d", "-"),
        **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
        "\uff1a": ":",
        "\u2236": ":",
        "\uff0e": ".",
        "\uff0f": "/",
        "\uff5e": "~",
        "\uff3b": "[",
        "\uff3d": "]",
        "\uff08": "(",
        "\uff09": ")",
    }
)


_FRAME = " \t#*_:=-[]()"
"""What people put around a heading."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line says about its time.

    Exactly one of three: `utc` is given, `question` is given, or neither is and no time was written.

    `question` holds the honest readings (aware UTC, ascending; empty where the time can not be, like "25:99"), and
    `problem` says in a sentence why it must be asked. `text` is the rest: what happened, as it was written. `zone` is
    a short label ("Berlin", "CET", "+02:00"), `assumed_zone` says that it is the author's own, `precise` that seconds
    were written. `lasts` is the length of a range, for the choice among questions. `day` is the date that stood beside
    the time, or that was given for it, in the zone of the time.
    `offer` holds the moments of a clock that stands elsewhere in a line which is recorded as of now (aware UTC), else None.
    """

    utc: datetime | None
    end_utc: datetime | None
    approximate: bool
    text: str
    question: tuple[datetime, ...] | None
    zone: str | None
    written: str | None
    assumed_zone: bool
    precise: bool
    problem: str | None = None
    lasts: timedelta | None = None
    day: date | None = None
    offer: tuple[datetime, ...] | None = None


def read(text: str, now: datetime, zone: tzinfo, on: date | None = None, language: str = "en") -> Reading:  # noqa: ARG001
    """Read the time at the start of `text`, or at its end behind " | ".

    `language` is the author's, as a BCP 47 tag ("de-DE"). `now` is aware; `zone` is the author's own, in which a time without a zone is meant. A time of day means the latest
    past moment that it can be, and a date without its year the latest past one; where `on` is given, that of the date
    `on` and the one next to it. A full date is taken as written, however old. Never raises for any text.
    """
    found = find(_plain(text))
    if found:
        found = _dated(found, on) if on else found
        rest = text[found.rest :].strip()
        if text.lstrip().startswith("|"):
            rest = rest.removesuffix("|").rstrip()
        return _reading(found, text, rest, now, zone)
    if "|" in text:
        before, _, last = text.rpartition("|")
        found = find(_plain(last)) if before[-1:].isspace() else None
        if found and found.rest == len(last):
            found = _dated(found, on) if on else found
            return _reading(found, last, before.strip(), now, zone)
    return _no_time(text)


def date_alone(text: str, now: datetime, zone: tzinfo, on: date | None = None) -> date | None:
    """The date that is all of a text, as in a heading above lines that only tell the time of day; else None.

    One without its year is the latest past one, or the one next to `on`. None too where it can be two dates.
    """
    head = _plain(text).strip(_FRAME)
    found = day_at(head, 0)
    if found is None or found[1] != len(head) or len(text) > HEAD:
        return None
    today = now.astimezone(zone).date()
    meant = near(found[0], on) if on else found[0]
    rows = [[day for day in row if day <= today] for row in dates(meant, today)]
    return rows[0][0] if len(rows) == 1 and rows[0] else None


def shown(moment: datetime, end: datetime | None, approximate: bool, precise: bool) -> str:  # noqa: FBT001
    """A moment as the timeline shows it, in UTC and without a date: "14:05", "~13:30–13:45", "16:05:57"."""
    form = "%H:%M:%S" if precise else "%H:%M"
    last = f"\u2013{end.astimezone(UTC):{form}}" if end else ""
    return f"{'~' if approximate else ''}{moment.astimezone(UTC):{form}}{last}"


def _dated(found: Found, on: date) -> Found:
    """The same on a date, where it tells none and is not so long before now; a date without its year is one near it."""
    if found.ago is not None or (found.day and (found.day.full or not found.day.numbers)):
        return found
    day = near(found.day, on) if found.day else Day(((on.year, on.month, on.day),), form="full")
    return found._replace(day=day, others=tuple(_dated(other, on) for other in found.others))


def _no_time(text: str) -> Reading:
    return Reading(
        utc=None,
        end_utc=None,
        approximate=False,
        text=text,
        question=None,
        zone=None,
        written=None,
        assumed_zone=False,
        precise=False,
    )


def _plain(text: str) -> str:
    head = text[:HEAD]
    return head if head.isascii() else head.translate(_PLAIN)


def _reading(found: Found, source: str, rest: str, now: datetime, zone: tzinfo) -> Reading:
    written = source[found.begins : found.ends].strip()
    result = outcome(found, written, now, zone)
    text = _as_typed(found.kept, source) + rest
    for other in found.others:
        own = outcome(other, source[other.begins : other.ends].strip(), now, zone)
        text = max(text, _as_typed(other.kept, source) + source[other.rest :].strip(), key=len)
        if [instant.start for instant in own.instants] == [instant.start for instant in result.instants]:
            found, result = other, own
        else:
            result = _either(written, result.instants + own.instants)
    if found.maybe_text:
        text = source
        result = _either(written, (*result.instants, Instant(now.astimezone(UTC))))
    return _told(found, written, text, result)


def _as_typed(kept: str, source: str) -> str:
    """What stood before the time and is part of the words, with the quotation marks that its author typed."""
    for plain in {"'", '"'}.intersection(kept):
        typed = next((letter for letter in source if letter.translate(_PLAIN) == plain), plain)
        kept = kept.replace(plain, typed)
    return kept


def _either(written: str, instants: tuple[Instant, ...]) -> Outcome:
    """Two readings of the same words, where what follows the time could be part of it or not."""
    unique = {instant.start: instant for instant in instants}
    return Outcome(tuple(unique[start] for start in sorted(unique)), f"\u201c{written}\u201d can be read in two ways.")


def _told(found: Found, written: str, text: str, result: Outcome) -> Reading:
    first = result.instants[0] if result.instants else Instant(datetime.min.replace(tzinfo=UTC))
    asked = result.problem is not None
    zones = {instant.zone for instant in result.instants}
    return Reading(
        utc=None if asked else first.start,
        end_utc=None if asked else first.end,
        approximate=found.approximate,
        text=text,
        question=tuple(instant.start for instant in result.instants) if asked else None,
        zone=first.zone if len(zones) == 1 else None,
        written=written,
        assumed_zone=found.ago is None and found.zone is None,
        precise=bool(found.clock and found.clock.precise),
        problem=result.problem,
        lasts=first.end - first.start if first.end else None,
        day=first.day if found.day and not asked else None,
    )
