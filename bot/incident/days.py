"""Dates as people write them beside a time of day: "Nov 23", "23/11", "2026-11-23", "yesterday", "last monday"."""

import re
from datetime import date, timedelta
from typing import NamedTuple

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_WEEKDAYS = "mon tue wed thu fri sat sun".split()
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)(?![a-z])"
)
_WEEKDAY = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
    r"(?![a-z])"
)
_YEAR = r"((?:19|20)[0-9]{2})(?![0-9])"
_DAY = r"([0-9]{1,2})(?![0-9]|:[0-9])"
_FLAGS = re.ASCII | re.IGNORECASE

_ISO = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?![0-9])", _FLAGS)
_BASIC = re.compile(r"((?:19|20)[0-9]{2})([01][0-9])([0-3][0-9])(?=T|\s+[0-9])", _FLAGS)
_NUMBERS = re.compile(
    r"([0-9]{1,2})([-/.])([0-9]{1,2})(?:\2([0-9]{4}|[0-9]{2})(?![0-9])|(\.)|(?![0-9]|:[0-9]))", re.ASCII
)
_DAY_FIRST = re.compile(rf"{_DAY}(?:st|nd|rd|th|\.)?(?:\s+of)?[\s/-]*({_MONTH})\.?(?:[\s,/-]+{_YEAR})?", _FLAGS)
_YEAR_FIRST = re.compile(rf"{_YEAR}[\s,-]+({_MONTH})\.?[\s-]+{_DAY}(?:st|nd|rd|th)?", _FLAGS)
_MONTH_FIRST = re.compile(rf"({_MONTH})\.?\s*{_DAY}(?:st|nd|rd|th)?(?:,?\s+{_YEAR})?", _FLAGS)
_NAMED_DAY = re.compile(
    rf"(?:on\s+)?(?:(last|this|past)\s+)?({_WEEKDAY})(?:\s+(morning|afternoon|evening))?[.,]?", _FLAGS
)
_RELATIVE = re.compile(
    r"(?:(today|tomorrow|(?:the\s+)?day\s+before\s+yesterday|yesterday|[0-9]{1,3}\s+days?\s+ago)"
    r"(?:\s+(morning|afternoon|evening|night))?|(this)\s+(morning|afternoon|evening)|(last)\s+(night)|(tonight))\b(?!['-])",
    _FLAGS,
)
_ON = re.compile(r"(?:on\s+)?(?:the\s+)?", _FLAGS)
_AFTER_WEEKDAY = re.compile(r"[\s,]*(?:the\s+)?", _FLAGS)
EARLIEST_YEAR, LATEST_YEAR = 1970, 2200


class Day(NamedTuple):
    """A date as written.

    One of these says it: `numbers`, the (year or None, month, day) that it can be, real or not; `ago`, whole days
    before today; else `weekday` (0 is Monday), which may also stand beside `numbers`. `part` is "morning" and its like.
    `form` is "full" (with its year), "month" (named, no year), "numbers" (no year), "dots", "weekday" or "word".
    """

    numbers: tuple[tuple[int | None, int, int], ...] = ()
    ago: int | None = None
    weekday: int | None = None
    before_today: bool = False  # "last monday", said on a Monday, is not today
    part: str = ""
    form: str = ""

    @property
    def full(self) -> bool:
        return bool(self.numbers) and self.numbers[0][0] is not None


def day_at(head: str, at: int) -> tuple[Day, int] | None:
    """The date at position `at` and where it ends."""
    at = _ON.match(head, at).end()  # type: ignore[union-attr]  # every part of it is optional
    char = head[at : at + 1]
    return _figures_at(head, at) if char.isdigit() else _words_at(head, at)


def _figures_at(head: str, at: int) -> tuple[Day, int] | None:
    if match := _ISO.match(head, at) or _BASIC.match(head, at):
        year, month, day = (int(match[group]) for group in ((1, 3, 4) if match.re is _ISO else (1, 2, 3)))
        return Day(((year, month, day),), form="full"), match.end()
    if match := _YEAR_FIRST.match(head, at):
        return _dated(match[1], match[2], match[3]), match.end()
    if match := _DAY_FIRST.match(head, at):
        return _dated(match[3], match[2], match[1]), match.end()
    if match := _NUMBERS.match(head, at):
        return _numbers(match), match.end()
    match = _RELATIVE.match(head, at)
    return (_relative(match), match.end()) if match else None


def _words_at(head: str, at: int) -> tuple[Day, int] | None:
    if match := _MONTH_FIRST.match(head, at):
        return _dated(match[3], match[1], match[2]), match.end()
    if match := _RELATIVE.match(head, at):
        return _relative(match), match.end()
    match = _NAMED_DAY.match(head, at)
    if match is None:
        return None
    weekday = _WEEKDAYS.index(match[2][:3].lower())
    dated = _figures_at(head, after := _after(head, match.end())) or _months_at(head, after)
    if dated and dated[0].numbers:
        return Day(dated[0].numbers, weekday=weekday, form=dated[0].form), dated[1]
    before = (match[1] or "").lower() in ("last", "past")
    return Day(weekday=weekday, before_today=before, part=(match[3] or "").lower(), form="weekday"), match.end()


def _after(head: str, at: int) -> int:
    match = _AFTER_WEEKDAY.match(head, at)
    return match.end() if match else at


def _months_at(head: str, at: int) -> tuple[Day, int] | None:
    match = _MONTH_FIRST.match(head, at)
    return (_dated(match[3], match[1], match[2]), match.end()) if match else None


def _dated(year: str | None, month: str, day: str) -> Day:
    number = _MONTHS.index(month[:3].lower()) + 1
    return Day(((int(year) if year else None, number, int(day)),), form="full" if year else "month")


def _numbers(match: re.Match[str]) -> Day:
    """Two or three figures in the order that their mark allows: dots are day first, slashes and dashes either way."""
    first, mark, second, year, dot = match.groups()
    one, two = int(first), int(second)
    full_year = None if year is None else int(year) if len(year) == 4 else 2000 + int(year)
    orders = [(full_year, two, one)]
    if mark != ".":
        orders.append((full_year, one, two))
    if mark == "-" and year and len(year) == 2:
        orders.append((2000 + one, two, int(year)))
    real = tuple(dict.fromkeys(order for order in orders if is_real(*order)))
    form = "full" if year else "dots" if mark == "." and not dot else "numbers"
    return Day(real or (orders[0],), form=form)


def _relative(match: re.Match[str]) -> Day:
    word, part, _, this_part, last, _, _ = match.groups()
    if not word:
        return Day(ago=0, part="last night" if last else (this_part or "evening").lower(), form="word")
    word = word.lower()
    named = {"today": 0, "yesterday": 1, "tomorrow": -1}
    ago = named[word] if word in named else int(word.split()[0]) if word[0].isdigit() else 2
    return Day(ago=ago, part=(part or "").lower(), form="word")


def is_real(year: int | None, month: int, day: int) -> bool:
    """Whether a calendar has this date (29 February has one without its year) and a timeline can carry it."""
    if year is not None and not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return False
    return _exists(2000 if year is None else year, month, day)


def dates(day: Day | None, today: date) -> tuple[tuple[date, ...], ...]:
    """What is meant, seen from `today`: for each reading its dates, the latest first, of which the latest past counts.

    Without a day the time is today's or else yesterday's; a date without its year is next year's, this year's, …
    """
    if day is None:
        return ((today, today - timedelta(days=1)),)
    if day.numbers:
        return tuple(_years(numbers, today) for numbers in day.numbers)
    if day.ago is not None:
        return ((today - timedelta(days=day.ago),),)
    since = (today.weekday() - (day.weekday or 0)) % 7
    latest = today - timedelta(days=since or (7 if day.before_today else 0))
    return ((latest, latest - timedelta(days=7)),)


def near(day: Day, on: date) -> Day:
    """The same with its year, where it is written without: of the dates it can be, those nearest to another one."""
    if not day.numbers or day.full:
        return day
    dated = [_nearest(month, day_of_month, on) for _, month, day_of_month in day.numbers]
    numbers = tuple((one.year, one.month, one.day) for one in dated if one is not None)
    return day._replace(numbers=numbers, form="full") if numbers else day


def _nearest(month: int, day: int, on: date) -> date | None:
    years = (year for year in range(on.year - 4, on.year + 5) if _exists(year, month, day))
    return min((date(year, month, day) for year in years), key=lambda one: abs(one - on), default=None)


def _years(numbers: tuple[int | None, int, int], today: date) -> tuple[date, ...]:
    year, month, day = numbers
    if year is not None:
        return (date(year, month, day),) if is_real(*numbers) else ()
    years = range(today.year + 1, today.year - 9, -1)
    return tuple(date(year, month, day) for year in years if _exists(year, month, day))


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
