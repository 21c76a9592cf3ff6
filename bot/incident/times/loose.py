"""Full dates in orders that the own grammar does not know ("23-Nov-26 14:05"), read by dateutil under guard.

dateutil takes "may" for a date, "99" for a year and "UTC+3" for the west: it is only ever given text that consists of a
named month, figures and a time of day with a colon, without any zone.
"""

import re
from datetime import UTC, datetime

from dateutil import parser

from bot.incident.times.clocks import Clock
from bot.incident.times.days import EARLIEST_YEAR, LATEST_YEAR, Day

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_WEEKDAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\s?[ap]m)?"
_FIGURES = r"[0-9]{1,4}(?:st|nd|rd|th)?"
_DATE = rf"(?:{_WEEKDAY}[\s,]+)?(?:{_FIGURES}[\s/,-]*{_MONTH}|{_MONTH}[\s/,-]*{_FIGURES})[\s/,-]+'?{_FIGURES}"
_DATED = re.compile(
    rf"(?:{_DATE}[\s,/-]+{_CLOCK}|{_CLOCK}[\s,/-]+{_DATE})(?![0-9A-Za-z:/%.])", re.ASCII | re.IGNORECASE
)
_BLANK = datetime(4, 1, 1, tzinfo=UTC)  # a year that nobody writes, and a leap year: what is not written shows


def loose_at(head: str, at: int) -> tuple[Day, Clock, int] | None:
    """A date with its year and a time of day at position `at`, and where they end."""
    match = _DATED.match(head, at)
    if match is None:
        return None
    try:
        found = parser.parse(match.group().replace("'", ""), default=_BLANK, ignoretz=True)
    except (ValueError, OverflowError):
        return None
    if not EARLIEST_YEAR <= found.year <= LATEST_YEAR:
        return None
    precise = match.group().count(":") == 2
    day = Day(((found.year, found.month, found.day),), form="full")
    return day, Clock(found.hour, found.minute, found.second, precise=precise), match.end()
