"""Days as people say them where something is due: "friday", "in 2 weeks", "end of month", "24/12", "3 mar".

A part that is missing is never filled in from today. What names a week, a month, a quarter or a year is due at its
end; what can be two days is asked; a day that no calendar has is refused with the reason.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from dateutil.relativedelta import relativedelta

from bot.incident import due_forms as forms
from bot.incident.due_dates import (
    Due,
    asked,
    both,
    dated,
    dotted,
    full,
    index_of,
    last_of,
    month_of,
    next_years,
    not_a_day,
)

__all__ = ["Due", "is_amount", "is_month", "not_a_day", "overdue_at", "read"]

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6

_LONGEST = 100
"""Characters: no day takes more to say."""

_MOST_CLOCKS = 3
"""As in `friday at 9 in the morning`."""

_MOST_PARTS = 10


def is_amount(words: str) -> bool:
    """Whether a bare count stands there, as in `3 days` or `1/3`: behind "by" it says how much, and not when."""
    fraction = forms.FRACTION.fullmatch(words)
    return forms.COUNTED.fullmatch(words) is not None or (
        fraction is not None and int(fraction[1]) < int(fraction[2]) <= _MOST_PARTS
    )


def is_month(words: str) -> bool:
    """Whether nothing but a month's name stands there."""
    return re.fullmatch(forms.NAMED_MONTH, words.strip(" .!"), re.IGNORECASE) is not None


def read(words: str, today: date, *, is_limit: bool = False) -> Due | None:
    """What the words say of a day, seen from `today`; None where they name none.

    It is today or later, but for a date with its year, which is taken as written. `is_limit` where they stand behind
    "by" or "until": a month is then perhaps its first day.
    """
    said = " ".join(words.split()).strip(" !?,;")
    if len(said) > _LONGEST:
        return None
    text, beside = _without_clock(said.lower())
    found = Due((today,)) if said and not text else _read(text, today, said)
    if found is None:
        return None
    if is_limit and found.day is not None and (first := _first_of(text, found.day, today)):
        found = asked((first, found.day), said)
    return replace(found, beside=beside)


def _without_clock(text: str) -> tuple[str, str]:
    """The words without a time of day, and that time; the end of the day adds nothing, for that is when it is due."""
    if re.fullmatch(forms.DAYS_END, text):
        return "", ""
    beside: list[str] = []
    for _ in range(_MOST_CLOCKS):
        match = forms.CLOCK_BEHIND.search(text) or forms.CLOCK_BEFORE.match(text)
        rest = f"{text[: match.start()]}{text[match.end() :]}".strip(" ,") if match else ""
        if match is None or not rest:
            break
        text = rest
        beside += [] if match["end"] else [match["clock"].strip()]
    return text, " ".join(reversed(beside))


_Reader = Callable[[str, date, str], Due | None]


def _read(text: str, today: date, said: str) -> Due | None:
    readers: tuple[_Reader, ...] = (dotted, _simple, _weekday, _counted, _span, _month, dated, both)
    for reader in readers:
        found = reader(text if reader is dotted else text.rstrip("."), today, said)
        if found is not None:
            return found
    return None


def _simple(text: str, today: date, _: str) -> Due | None:
    ahead = forms.SIMPLE.get(text)
    return None if ahead is None else Due((today + ahead * _DAY,))


def _mondays(today: date, ahead: int) -> tuple[date, ...]:
    """The Monday of this week, or of one so many weeks ahead: on a Sunday, which may begin a week, there are two."""
    monday = today - today.weekday() * _DAY + ahead * _WEEK
    return (monday, monday + _WEEK) if today.weekday() == _SUNDAY else (monday,)


def _weekday(text: str, today: date, said: str) -> Due | None:
    match = forms.ON_WEEKDAY.fullmatch(text) or forms.WEEK_FIRST.fullmatch(text)
    if match is None:
        return None
    parts, index = match.groupdict(), index_of(match["weekday"])
    coming = today + ((index - today.weekday() - 1) % 7 + 1) * _DAY
    if whose := parts["whose"]:
        days = [monday + index * _DAY for monday in _mondays(today, 1 if whose == "next" else 0)]
        ahead = [day for day in days if day >= today]
        return asked(ahead, said) if ahead else Due((), f"The {forms.WEEKDAYS[index].title()} of this week is past.")
    if parts["week"]:
        return Due((coming + _WEEK,))
    if parts.get("after"):
        return asked([day + _WEEK for day in _next(today, index, coming)], said)
    return asked(_next(today, index, coming), said) if parts.get("how") == "next" else Due((coming,))


def _next(today: date, index: int, coming: date) -> list[date]:
    """What "next friday" can mean: the one that comes first, or that of next week."""
    return [coming, *(monday + index * _DAY for monday in _mondays(today, 1))]


def _counted(text: str, today: date, _: str) -> Due | None:
    match = forms.IN.fullmatch(text)
    if match is None:
        return None
    count = forms.COUNTS.get(match["count"]) or int(match["count"])
    unit = match["unit"][0]
    if match["unit"].startswith(("month", "year")):
        return Due((today + relativedelta(months=count * (1 if unit == "m" else 12)),))
    return Due((today + count * {"d": 1, "w": 7, "f": 14}[unit] * _DAY,))


def _span(text: str, today: date, said: str) -> Due | None:
    """The end of a week (its Friday), a month, a quarter or a year."""
    match = forms.SPAN.fullmatch(text)
    if match is None:
        return None
    unit = (match["unit"] or match["short"] or match["unit2"] or match["unit3"])[0]
    ahead = 1 if match["next"] or match["next2"] else 0
    if unit == "w":
        return _weeks_end(today, ahead, said)
    months = {"m": 1, "q": 3, "y": 12}[unit]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    return Due((first + relativedelta(months=months * (ahead + 1), days=-1),))


def _weeks_end(today: date, ahead: int, said: str) -> Due:
    if ahead == 0 and today.weekday() >= _SATURDAY:  # this week ends tomorrow, or is the one about to begin
        monday = today - today.weekday() * _DAY
        return asked((monday + _SUNDAY * _DAY, monday + _WEEK + _FRIDAY * _DAY), said)
    return asked([monday + _FRIDAY * _DAY for monday in _mondays(today, ahead)], said)


def _month(text: str, today: date, said: str) -> Due | None:
    """A month, a quarter or a year by its name: its last day."""
    if named := forms.MONTH_ALONE.fullmatch(text):
        year = named["year"] or named["year2"] or named["year3"]
        month = month_of(named["month"]) if named["month"] else int(named["figure"] or named["figure2"])
        return _ending(year, month, today, said)
    if quarter := forms.QUARTER.fullmatch(text):
        month = int(quarter["quarter"] or quarter["quarter2"]) * 3
        return _ending(quarter["year"] or quarter["year2"], month, today, said)
    years_end = forms.YEARS_END.fullmatch(text)
    return _ending(years_end["year"], 12, today, said) if years_end else None


def _ending(year: str | None, month: int, today: date, said: str) -> Due:
    """The last day of a month; without its year of the next such one."""
    if not 1 <= month <= 12 or (year and not int(year.strip("'"))):
        return Due((), not_a_day(said))
    if year:
        return Due((last_of(full(year), month),))
    last = last_of(today.year, month)
    return Due((last,)) if last >= today else next_years(last, last_of(today.year + 1, month), today)


def _first_of(text: str, last: date, today: date) -> date | None:
    """The first day of a month that stands alone, where that is still ahead."""
    match = forms.MONTH_ALONE.fullmatch(text.rstrip("."))
    first = last.replace(day=1)
    return first if match is not None and not match["end"] and first > today else None


def overdue_at(due_on: date, zone: tzinfo) -> datetime:
    """The UTC instant at which that day ends in the zone: from then on the action is overdue."""
    return datetime.combine(due_on + timedelta(days=1), time(), zone).astimezone(UTC)
