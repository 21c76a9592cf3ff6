"""Updates for people outside an incident's channel, and the promise of the next one."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from bot.domain import times
from bot.domain.times import Reading

LONGEST_PROMISE = timedelta(days=7)
USUAL_PACE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class UpdateLine:
    """An update as typed: its text, and when the next one is promised. `problem` quotes a promise with no one time."""

    text: str
    next_at: datetime | None = None
    problem: str = ""


# The last "next" of the line, at its beginning or behind a mark that ends a part.
_NEXT = re.compile(r"(?:^|[,;.!?–—-]|\band\b)\s*next(?:\s+update)?\s*:?\s+(?P<when>[^,;]{1,60})\Z", re.IGNORECASE)
_IN = re.compile(r"in\s+(?P<length>.+)", re.IGNORECASE)
_SEEMS_TIME = re.compile(r"(?:(?:in|at)\s+)?\d|in\s+(?:an?|half|one|two)\b", re.IGNORECASE)


def split_update(line: str, now: datetime, zone: tzinfo, language: str = "en") -> UpdateLine:
    """Read `checkout at 80 %, next in 30m`: `next` with a time behind it is a promise, with any other words text."""
    match = _NEXT.search(line)
    if match is None:
        return UpdateLine(line.strip())
    when = match["when"].strip().rstrip(".!")
    text = line[: match.start()].strip()
    next_at = read_promise(when, now, zone, language)
    if next_at is not None:
        return UpdateLine(text, next_at)
    return UpdateLine(text, problem=when) if _SEEMS_TIME.match(when) else UpdateLine(line.strip())


def read_promise(when: str, now: datetime, zone: tzinfo, language: str = "en") -> datetime | None:
    """Read `in 30m`, `15:00` or `15:00 CET`: the next such moment; None if it has no single reading, or is too far."""
    length = _IN.fullmatch(when.strip())
    if length or re.fullmatch(r"\d[\d.]*\s*[a-z].*", when.strip(), re.IGNORECASE):
        # The grammar knows lengths as how long ago something was.
        ago = times.read(f"it | {length['length'] if length else when} ago", now, zone, language=language)
        if _is_single(ago) and ago.utc is not None and ago.utc < now:
            return _within(now + (now - ago.utc), now)
    # Without a date it is today's or tomorrow's, on the author's clock.
    today = now.astimezone(zone).date()
    ahead = (_read_on(when, now, zone, today + timedelta(days=days), language) for days in (0, 1))
    return next((_within(moment, now) for moment in ahead if moment is not None and moment > now), None)


def _read_on(when: str, now: datetime, zone: tzinfo, day: date, language: str) -> datetime | None:
    # The grammar looks back from its now, so that lies ahead of every promise. Words such as "yesterday" would count
    # from there: what two of them read differently is no promise.
    later = (now + LONGEST_PROMISE, now + 2 * LONGEST_PROMISE)
    found = {times.read(f"it | {when}", moment, zone, on=day, language=language) for moment in later}
    return next(iter(found)).utc if len(found) == 1 and all(map(_is_single, found)) else None


def _is_single(reading: Reading) -> bool:
    return reading.question is None and reading.text == "it" and reading.end_utc is None


def _within(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and now < moment <= now + LONGEST_PROMISE else None
