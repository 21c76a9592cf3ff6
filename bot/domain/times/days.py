"""Dates as people write them with a time of day: "Nov 23", "23/11", "2026-11-23", "yesterday", "last monday"."""

import re
from datetime import date, timedelta
from typing import NamedTuple

from bot.domain.times.language import AGO, BEFORE, DAY, LAST, MONTH, WEEKDAY, Vocabulary

_YEAR = r"((?:19|20)[0-9]{2})(?![0-9])"
_FLAGS = re.ASCII | re.IGNORECASE

_ISO = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?![0-9])", _FLAGS)
# Eight figures are a date only with a time behind them.
_BASIC = re.compile(r"((?:19|20)[0-9]{2})([01][0-9])([0-3][0-9])(?=[T_]|[-\s]+[0-9]{1,2}:|\s+[0-9])", _FLAGS)
_SIGNS = re.compile(
    r"(?:([0-9]{4})\s?[\u5e74\ub144]\s?)?([0-9]{1,2})\s?[\u6708\uc6d4]\s?([0-9]{1,2})\s?[\u65e5\u53f7\u865f\uc77c]"
)
_NUMBERS = re.compile(
    r"([0-9]{1,2})([-/.])([0-9]{1,2})(?:\2([0-9]{4}|[0-9]{2})(?![0-9])|(\.)|(?![0-9]|:[0-9]))", re.ASCII
)
_NUMBER = re.compile(
    r"([0-9]{1,2})(?![0-9]|:[0-9])(?:st|nd|rd|th|er|[\u00ba\u00b0\u00aa]|\.)?(?:\s*(?:of|de|di|do)\s+|[\s/-]*)", _FLAGS
)
_DAY_BEHIND = re.compile(
    r"\.?[\s-]*(?:the\s+)?([0-9]{1,2})(?![0-9]|:[0-9])(?:st|nd|rd|th|er|[\u00ba\u00b0\u00aa]|\.(?=\s|$)|-j?[a\u00e1e\u00e9]n\b)?",
    _FLAGS,
)
_YEAR_BEHIND = re.compile(rf"(?:\s*,\s*|[\s,/.-]+(?:de\s+|of\s+|del\s+)?){_YEAR}|(?<=[A-Za-z0-9]){_YEAR}", _FLAGS)
_YEAR_BEFORE = re.compile(rf"{_YEAR}[\s,-]+", _FLAGS)
_JOINED_DATE = re.compile(r"([0-9]{1,2})-?([a-z]{3,9})-?((?:19|20)[0-9]{2})(?![0-9a-z])", re.ASCII)
_ORDINAL = re.compile(
    r"(?:(on\s+)?(the\s+)?([0-9]{1,2})(?:st|nd|rd|th)|(?:am|den|dem|vom)\s+([0-9]{1,2})\."
    r"|(?:(?:le|el|il)\s+(?:d[\u00edi]a\s+)?|(?:no\s+)?dia\s+)([0-9]{1,2})(?:er)?"
    r"|(?:op\s+)?de\s+([0-9]{1,2})(?:e|ste|de)|([0-9]{1,2})\s?\u65e5)(?![\w%-]|[.,:/][0-9])",
    _FLAGS,
)
# What an ordinal counts rather than dates: "2nd try", "95th percentile".
_COUNTED = re.compile(
    r"\s+(?:of\b|(?:percentile|attempt|try|retry|retries|time|deploy\w*|release|replica|node|pod|shard|disk|floor|line"
    r"|request|restart|alert|page|call|incident|failure|failover|party|step|phase|wave|run|batch|batches)s?\b)",
    _FLAGS,
)
# What follows a date rather than a counted thing: a clock, a mark, a verb.
_DATED = re.compile(
    r"\W*[0-9]{1,2}[:.h]|\s*[-:|(]|\s+(?:\w{2,}ed|was|were|is|are|went|came|began|lost|down|up|no|all|we)\b", _FLAGS
)
_WEEK = re.compile(r"((?:19|20)[0-9]{2})-?W([0-5][0-9])-?([1-7])(?![0-9])", _FLAGS)
_AGO_DAYS = re.compile(
    r"(?:([0-9]{1,3})|(an?|one|two|three|four|five|six|seven))\s+(days?|weeks?)\s+(?:ago|earlier)(?![\w'-])", _FLAGS
)
_MOST_COUNTED = 10
"""The highest ordinal that people count with as often as they date with it: "14:05 2nd worker crashing"."""
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_ON = re.compile(r"(?:(?:on|am|den|le|el|op|il|em|no|the|du|del|do)\s+)?(?:(?:the|d[\u00edi]a|den)\s+)?", re.IGNORECASE)
_AFTER_WEEKDAY = re.compile(r"[\s,.]*(?:\|\s*)?(?:the\s+|den\s+|le\s+|el\s+|dem\s+)?", re.IGNORECASE)
_FIGURE = re.compile(r"[0-9]")
_ONE_OR_TWO = re.compile(r"[0-9]{1,2}")
_NAME_BEFORE_FIGURE = re.compile(r"([a-z]{3,9})(?=[0-9])")
_WEEKDAY_BEFORE_FIGURE = re.compile(r"([^\W\d_]{4,10})(?=[0-9]{1,2}\b)")
_AMOUNT = re.compile(r"\s*([0-9]{1,3})\s+")
_THIS = re.compile(r"this\s+")
_BLANKS = re.compile(r"\s+")
# Other years are figures of something else, and near Python's first and last year moving to UTC overflows.
EARLIEST_YEAR, LATEST_YEAR = 1970, 2200


class Day(NamedTuple):
    """A date as written, in one of four ways.

    `numbers` are the (year or None, month, day) that it can be, real or not; `ago` counts whole days before today;
    `of_month` is a day of the month alone; else there is `weekday` (0 is Monday). `ago` and `weekday` may accompany
    `numbers`, which they must then match. `form` is "full" (with its year), "month" (named, no year), "numbers" (no
    year), "dots", "weekday", "ordinal" ("the 29th"), "bare" ("29th", which may count) or "word".
    """

    numbers: tuple[tuple[int | None, int, int], ...] = ()
    ago: int | None = None
    weekday: int | None = None
    of_month: int | None = None
    before_today: bool = False  # "last monday", written on a Monday, is not today
    form: str = ""

    @property
    def full(self) -> bool:
        return bool(self.numbers) and self.numbers[0][0] is not None


def day_at(head: str, low: str, words: Vocabulary, at: int) -> tuple[Day, int] | None:
    """The date at position `at` and where it ends; `low` is the head in small letters."""
    if before := _before_in_words(low, words, at):
        return before
    start = _ON.match(head, at).end()  # type: ignore[union-attr]  # every part of it is optional
    is_figure = _FIGURE.match(head[start : start + 1])
    found = _figures_at(head, low, words, start) if is_figure else _words_at(head, low, words, start)
    return found or (_ordinal(head, at) if is_figure or low.startswith(("de ", "op "), at) else None)


def _ordinal(head: str, at: int) -> tuple[Day, int] | None:
    """A day of the month alone: "the 29th", "am 29.", or "29th" unless it counts ("2nd try", "5th replica")."""
    match = _ORDINAL.match(head, at)
    if match is None:
        return None
    number = int(match[match.lastindex or 0])
    is_bare = match[3] is not None and not (match[1] or match[2])
    if is_bare and _COUNTED.match(head, match.end()):
        return None
    is_small = number <= _MOST_COUNTED and head[match.end() : match.end() + 2].strip() and head[match.end()].isspace()
    if not 1 <= number <= 31 or (is_bare and is_small and not _DATED.match(head, match.end())):
        return None
    return Day(of_month=number, form="bare" if is_bare else "ordinal"), match.end()


def _figures_at(head: str, low: str, words: Vocabulary, at: int) -> tuple[Day, int] | None:
    if match := _ISO.match(head, at) or _BASIC.match(head, at):
        year, month, day = (int(match[group]) for group in ((1, 3, 4) if match.re is _ISO else (1, 2, 3)))
        return Day(((year, month, day),), form="full"), match.end()
    if match := _WEEK.match(head, at):
        return _of_week(*(int(group) for group in match.groups())), match.end()
    if match := _SIGNS.match(head, at):
        year_written = int(match[1]) if match[1] else None
        return Day(((year_written, int(match[2]), int(match[3])),), form="full" if match[1] else "month"), match.end()
    if found := _year_first(head, low, words, at) or _day_first(head, low, words, at):
        return found
    if match := _NUMBERS.match(head, at):
        return _numbers(match), match.end()
    return _ago(head, at) or _ago_in_words(low, words, at)


def _of_week(year: int, week: int, weekday: int) -> Day:
    """The day of a week date of ISO 8601, "2026-W48-7"; one that no calendar has for a week that the year lacks."""
    try:
        day = date.fromisocalendar(year, week, weekday)
    except ValueError:
        return Day(((year, 0, 0),), form="full")
    return Day(((day.year, day.month, day.day),), form="full")


def _year_first(head: str, low: str, words: Vocabulary, at: int) -> tuple[Day, int] | None:
    """2018 October 21."""
    year = _YEAR_BEFORE.match(head, at)
    month = words.at(MONTH, low, year.end()) if year else None
    day = _DAY_BEHIND.match(head, month[1]) if month else None
    if not (year and month and day):
        return None
    return Day(((int(year[1]), month[0], int(day[1])),), form="full"), day.end()


def _day_first(head: str, low: str, words: Vocabulary, at: int) -> tuple[Day, int] | None:
    """23 November 2026."""
    if joined_up := _JOINED_DATE.match(low, at):
        month_named = words.words[MONTH].get(joined_up[2])
        if month_named:
            return Day(((int(joined_up[3]), month_named, int(joined_up[1])),), form="full"), joined_up.end()
    number = _NUMBER.match(head, at)
    month = words.at(MONTH, low, number.end()) if number else None
    if not (number and month):
        return None
    return _with_year(head, month[0], int(number[1]), month[1])


def _with_year(head: str, month: int, day: int, end: int) -> tuple[Day, int]:
    year = _YEAR_BEHIND.match(head, end)
    if year:
        return Day(((int(year[1] or year[2]), month, day),), form="full"), year.end()
    return Day(((None, month, day),), form="month"), end


def _month_first(head: str, low: str, words: Vocabulary, at: int) -> tuple[Day, int] | None:
    """Nov 23, 2026."""
    month = words.at(MONTH, low, at)
    if month is None:
        month = _short_month(low, words, at)
    day = _DAY_BEHIND.match(head, month[1]) if month else None
    return _with_year(head, month[0], int(day[1]), day.end()) if month and day else None


def _short_month(low: str, words: Vocabulary, at: int) -> tuple[int, int] | None:
    """A month with its day joined to it: "Nov23"."""
    name = _NAME_BEFORE_FIGURE.match(low, at)
    found = words.words[MONTH].get(name[1]) if name else None
    return (found, name.end()) if name and found else None


def _words_at(head: str, low: str, words: Vocabulary, at: int) -> tuple[Day, int] | None:
    if found := _month_first(head, low, words, at):
        return found
    if relative := words.at(DAY, low, at):
        return None if _is_owner(head, relative[1]) else (Day(ago=relative[0], form="word"), relative[1])
    if before := _before_in_words(low, words, at):
        return before
    if found := _ago(head, at):
        return found
    return _weekday_at(head, low, words, at)


def _is_owner(head: str, at: int) -> bool:
    """Whether it reads "today's" or "today-like": then the word is no date."""
    return head[at : at + 1] in ("'", "-") and head[at + 1 : at + 2].isalnum()


def _ago(head: str, at: int) -> tuple[Day, int] | None:
    match = _AGO_DAYS.match(head, at)
    if match is None:
        return None
    count = int(match[1]) if match[1] else _COUNTS[match[2].lower()]
    return Day(ago=count * (7 if match[3].lower().startswith("w") else 1), form="word"), match.end()


def _before_in_words(low: str, words: Vocabulary, at: int) -> tuple[Day, int] | None:
    """Whole days before today, as in "vor 2 Tagen" and "il y a 2 jours"."""
    before = words.at(BEFORE, low, at)
    amount = _AMOUNT.match(low, before[1]) if before else None
    unit = words.at("unit", low, amount.end()) if amount else None
    if not (amount and unit) or unit[0] < 86400 or words.at(AGO, low, unit[1]):
        return None
    return Day(ago=int(amount[1]) * unit[0] // 86400, form="word"), unit[1]


def _ago_in_words(low: str, words: Vocabulary, at: int) -> tuple[Day, int] | None:
    """Whole days before today, with the "ago" at the end, as in "2 dagen geleden"."""
    amount = _AMOUNT.match(low, at) if words.language != "en" else None
    unit = words.at("unit", low, amount.end()) if amount else None
    if not (amount and unit) or unit[0] < 86400:
        return None
    blanks = _BLANKS.match(low, unit[1])
    ago = words.at(AGO, low, blanks.end()) if blanks else None
    return (Day(ago=int(amount[1]) * unit[0] // 86400, form="word"), ago[1]) if ago else None


def _weekday_at(head: str, low: str, words: Vocabulary, at: int) -> tuple[Day, int] | None:
    last = words.at(LAST, low, at)
    start = last[1] if last else at
    while head[start : start + 1].isspace():
        start += 1
    this = _THIS.match(low, start)
    start = this.end() if this else start
    named = words.at(WEEKDAY, low, start) or _joined_weekday(low, words, start)
    if named is None or _is_owner(head, named[1]):
        return None
    after = _AFTER_WEEKDAY.match(head, named[1])
    place = after.end() if after else named[1]
    dated = _figures_at(head, low, words, place) or _month_first(head, low, words, place)
    dated = dated or _ordinal(head, place)
    # Both are kept: if the weekday is not that of the date, the line is asked about (decision 33).
    if dated and (dated[0].numbers or dated[0].of_month) and not last:
        return dated[0]._replace(weekday=named[0]), dated[1]
    behind = _BLANKS.match(low, named[1])
    trailing = words.at(LAST, low, behind.end()) if behind and words.language != "en" else None
    end = trailing[1] if trailing else named[1]
    end += head[end : end + 1] in (".", ",")
    return Day(weekday=named[0], before_today=bool(last or trailing), form="weekday"), end


def _joined_weekday(low: str, words: Vocabulary, at: int) -> tuple[int, int] | None:
    """A weekday with its day of the month joined to it: "Jueves27"."""
    name = _WEEKDAY_BEFORE_FIGURE.match(low, at)
    found = words.words[WEEKDAY].get(name[1]) if name else None
    if name is None or found is None:
        return None
    number = _ONE_OR_TWO.match(low, name.end())
    return (found, number.end()) if number else None


def _numbers(match: re.Match[str]) -> Day:
    """Two or three figures in the order that their mark allows: dots are day first, slashes and dashes either way.

    Two figures may be a year at the front ("26/03/05"), as programs write it. Then both readings are possible, unless
    the day cannot come first.
    """
    first, mark, second, year, dot = match.groups()
    one, two = int(first), int(second)
    full_year = None if year is None else int(year) if len(year) == 4 else 2000 + int(year)
    # Day first, as most of the world writes; with slashes and dashes the other order is tried as well, and asked
    # about.
    orders = [(full_year, two, one)]
    if mark != "." or two > 12:
        orders.append((full_year, one, two))
    if mark in "-/" and year and len(year) == 2 and one > 12:
        orders.append((2000 + one, two, int(year)))
    real = tuple(dict.fromkeys(order for order in orders if is_real(*order)))
    form = "full" if year else "dots" if mark == "." and not dot else "numbers"
    return Day(real or (orders[0],), form=form)


def join_dates(one: Day | None, other: Day) -> Day | None:
    """Two adjacent dates for the same day, as one; None if they cannot be."""
    if one is None:
        return other
    if one.numbers and other.numbers:
        return None
    first, second = (one, other) if one.numbers else (other, one)
    if second.numbers or (not first.numbers and first.weekday is not None and second.weekday is not None):
        return None
    if not first.numbers and (first.ago is not None) == (second.ago is not None):
        return None
    return first._replace(
        weekday=second.weekday if first.weekday is None else first.weekday,
        ago=second.ago if first.ago is None else first.ago,
    )


def is_real(year: int | None, month: int, day: int) -> bool:
    """Whether a calendar has this date (29 February has one without its year) and a timeline can carry it."""
    if year is not None and not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return False
    return _exists(2000 if year is None else year, month, day)


def list_dates(day: Day | None, today: date) -> tuple[tuple[date, ...], ...]:
    """The dates of each reading, seen from `today`, the latest first; the latest past one counts.

    Without a day the time is today's or else yesterday's; a date without a year is next year's, this year's, …
    """
    if day is None:
        return ((today, today - timedelta(days=1)),)
    if day.numbers:
        return tuple(_years(numbers, today) for numbers in day.numbers)
    if day.ago is not None:
        return ((today - timedelta(days=day.ago),),)
    if day.of_month is not None:
        row = _of_months(day.of_month, today)
        return (tuple(one for one in row[:3] if one.weekday() == day.weekday) or row,)
    since = (today.weekday() - (day.weekday or 0)) % 7
    latest = today - timedelta(days=since or (7 if day.before_today else 0))
    return ((latest, latest - timedelta(days=7)),)


def _of_months(number: int, today: date) -> tuple[date, ...]:
    months = ((today.year * 12 + today.month - 1 - back) for back in range(14))
    return tuple(
        date(month // 12, month % 12 + 1, number) for month in months if _exists(month // 12, month % 12 + 1, number)
    )


def move_near(day: Day, on: date) -> Day:
    """A date without a year, in the year that brings it nearest to `on`."""
    if not day.numbers or day.full:
        return day
    dated = [_nearest(month, day_of_month, on) for _, month, day_of_month in day.numbers]
    numbers = tuple((one.year, one.month, one.day) for one in dated if one is not None)
    return day._replace(numbers=numbers, form="full") if numbers else day


def _nearest(month: int, day: int, on: date) -> date | None:
    # Four years either way reach a 29 February.
    years = (year for year in range(on.year - 4, on.year + 5) if _exists(year, month, day))
    return min((date(year, month, day) for year in years), key=lambda one: abs(one - on), default=None)


def _years(numbers: tuple[int | None, int, int], today: date) -> tuple[date, ...]:
    year, month, day = numbers
    if year is not None:
        return (date(year, month, day),) if is_real(*numbers) else ()
    # Next year first, for a plan. Eight years back reach a 29 February even across 2100.
    years = range(today.year + 1, today.year - 9, -1)
    return tuple(date(year, month, day) for year in years if _exists(year, month, day))


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
