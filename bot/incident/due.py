"""Days as people say them where something is due: "friday", "in 2 weeks", "end of month", "24/12", "3 mar"."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from dateutil import parser as dates
from dateutil.relativedelta import relativedelta

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY = re.compile(r"\b(?:mon|tue|wed|thu|fri|sat|sun)")
_COUNT = r"(?P<count>\d{1,3}|a|an|one|two|three)\s*(?P<unit>days?|d|weeks?|w|months?)"
_COUNTED = re.compile(_COUNT, re.IGNORECASE)
_IN = re.compile(rf"(?:in\s+)?{_COUNT}", re.IGNORECASE)
_END = re.compile(
    r"(?:the\s+)?end\s+of\s+(?:the\s+|this\s+)?(?P<next>next\s+)?(?P<unit>week|month|quarter|year)|eo(?P<short>[wmqy])"
    r"|month\s+end"
)
_FRIDAY = 4
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3}
# A figure is part of a date only beside a month or a weekday: dateutil reads "30 seconds" as a time of today.
_NAMED = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}"
_DATED = re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}|.*\b{_NAMED}\b.*\d.*|.*\d.*\b{_NAMED}\b.*", re.IGNORECASE)
_SLASHED = re.compile(r"(?P<a>\d{1,2})/(?P<b>\d{1,2})(?:/(?P<year>\d{4}))?")
_DOTTED = re.compile(r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.(?:\s?(?P<year>\d{4}))?")


def not_a_day(words: str) -> str:
    """The sentence for a due date that cannot be read."""
    return f"“{words[:60]}” is no day that I can read. Write `due friday`, `due in 2 weeks` or `due 2026-12-24`."


def is_amount(words: str) -> bool:
    """Whether a bare count stands there, as in `3 days`: behind "by" it says how much, and not when."""
    return _COUNTED.fullmatch(words) is not None


def day(words: str, today: date) -> date | None:
    """The day that the words name; None where they name none, or where two days could be meant.

    It is today or later, but for a date with its year, which is taken as written.
    """
    words = words.strip(" !").lower()
    if dotted := _DOTTED.fullmatch(words):
        return _ahead(dotted["year"], dotted["month"], dotted["day"], today)
    words = words.strip(".")
    simple = {"today": 0, "tonight": 0, "tomorrow": 1, "next week": 7}
    if words in simple:
        return today + timedelta(days=simple[words])
    return _weekday(words, today) or _in(words, today) or _end_of(words, today) or _dated(words, today)


def _weekday(words: str, today: date) -> date | None:
    word = words.removesuffix(" next week").removeprefix("next ").removeprefix("this ").removeprefix("on ")
    if len(word) < len("mon"):
        return None
    for index, name in enumerate(_WEEKDAYS):
        if name.startswith(word) and words.endswith("next week"):
            return today + timedelta(days=7 + index - today.weekday())
        if name.startswith(word):
            ahead = (index - today.weekday() - 1) % 7 + 1
            return today + timedelta(days=ahead)
    return None


def _in(words: str, today: date) -> date | None:
    match = _IN.fullmatch(words)
    if match is None:
        return today + relativedelta(months=1) if words == "next month" else None
    count = _COUNTS.get(match["count"]) or int(match["count"])
    if match["unit"].startswith("month"):
        return today + relativedelta(months=count)
    return today + timedelta(days=count * {"d": 1, "w": 7}[match["unit"][0]])


def _end_of(words: str, today: date) -> date | None:
    """The last day of a month, a quarter or a year; of a week its Friday."""
    match = _END.fullmatch(words)
    if match is None:
        return None
    unit = (match["unit"] or match["short"] or "m")[0]
    ahead = 1 if match["next"] else 0
    if unit == "w":
        return today + timedelta(days=(_FRIDAY - today.weekday()) % 7 + 7 * ahead)
    months = {"m": 1, "q": 3, "y": 12}[unit]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    return first + relativedelta(months=months * (ahead + 1), days=-1)


def _dated(words: str, today: date) -> date | None:
    if slashed := _SLASHED.fullmatch(words):
        return _slashed(slashed, today)
    if not _DATED.fullmatch(words):
        return None
    try:
        found, elsewhen = (_parsed(words, default) for default in (today, today + relativedelta(years=4, months=1)))
    except (ValueError, OverflowError):
        return None
    if found < today and found.year != elsewhen.year:  # no year was written
        found += relativedelta(years=1) if found.month == elsewhen.month else relativedelta(months=1)
    weekday = _WEEKDAY.search(words)
    return found if weekday is None or _WEEKDAYS[found.weekday()].startswith(weekday[0]) else None


def _parsed(words: str, default: date) -> date:
    """What dateutil reads; a year, month or day that is not written is that of `default`."""
    is_year_first = words[:4].isdigit()
    return dates.parse(words, default=datetime.combine(default, time(), UTC), dayfirst=not is_year_first).date()


def _slashed(match: re.Match[str], today: date) -> date | None:
    """`24/12` is one day; `05/04` could be two, and is asked."""
    orders = ((match["a"], match["b"]), (match["b"], match["a"]))
    readings = {_ahead(match["year"], month, day_of_month, today) for day_of_month, month in orders} - {None}
    return readings.pop() if len(readings) == 1 else None


def _ahead(year: str | None, month: str, day_of_month: str, today: date) -> date | None:
    """The date in figures, without its year the next such one; None where the calendar has none."""
    try:
        found = date(int(year or today.year), int(month), int(day_of_month))
    except ValueError:
        return None
    return found + relativedelta(years=1) if found < today and not year else found


def overdue_at(due_on: date, zone: tzinfo) -> datetime:
    """The UTC instant at which that day ends in the zone: from then on the action is overdue."""
    return datetime.combine(due_on + timedelta(days=1), time(), zone).astimezone(UTC)
