"""Due dates as people write them: "friday", "in 2 weeks", "end of month", "24/12", "3 mar", "the 1st" (decision 31).

`parse_due_date` is the way in. A missing part is never filled in from today. A week, a month, a quarter or a year is
due at its end; what can be two days is a question; a day that does not exist is refused with the reason.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from dateutil.relativedelta import relativedelta

WEEKDAYS = tuple("monday tuesday wednesday thursday friday saturday sunday".split())
MONTHS = tuple("january february march april may june july august september october november december".split())
_NUMBERS = ("a", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
COUNTS = {word: max(count, 1) for count, word in enumerate(_NUMBERS)} | {"an": 1}
NAMED_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_NAMED_DAY = (
    "mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
)
_YEAR = r"(?P<year>\d{4}|'?\d{2})"
_MONTH = rf"(?P<month>{NAMED_MONTH})\.?"
_OF_MONTH = r"(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
_COUNT = rf"(?P<count>\d{{1,3}}|an|{'|'.join(_NUMBERS)})\s*(?P<unit>days?|d|weeks?|w|fortnights?|months?|years?)"
COUNTED = re.compile(_COUNT, re.IGNORECASE)
# "in 2 weeks", "within a month", "3 days' time", "5 days from now".
IN = re.compile(rf"(?:(?:in|within)\s+)?{_COUNT}(?:['’]s?)?(?:\s+(?:time|from\s+(?:now|today)))?")
# "1/3" behind "by" is a share, not the third of January.
FRACTION = re.compile(r"(\d{1,2})/(\d{1,2})")
# A zone goes with the time of day, for a due date is a day where its owner lives.
_ZONE = r"(?:z|utc|gmt|[a-z]{1,3}[sd]?t|[a-z]+/[a-z_]+|[+-]\d{1,2}:?\d{2})"
_CLOCK = (
    rf"(?:at\s+|@\s*)?(?:\d{{1,2}}(?::\d{{2}}){{1,2}}(?:\s*[ap]\.?m\b\.?)?|\d{{1,2}}\s*[ap]\.?m\b\.?|noon|midday|midnight"
    rf"|(?:in\s+the\s+)?(?:morning|afternoon|evening)|(?:at\s+)?night|lunch(?:time)?)(?:\s*{_ZONE})?"
    rf"|at\s+\d{{1,2}}(?:\s+{_ZONE})?"
)
DAYS_END = r"eod|cob|eob|(?:the\s+)?end\s+of\s+(?:the\s+)?(?:business\s+)?day|close\s+of\s+business"
# The "t" is of ISO 8601: "2026-12-24T17:00".
CLOCK_BEHIND = re.compile(rf"(?:(?<![\s,])[\s,]++|(?<=\d)t(?=\d))(?P<clock>{_CLOCK}|(?P<end>{DAYS_END}))$")
CLOCK_BEFORE = re.compile(rf"(?P<clock>{_CLOCK}|(?P<end>{DAYS_END}))(?:[\s,]+(?:on\s+|of\s+)?|$)")
SIMPLE = {"today": 0, "tonight": 0, "tomorrow": 1, "the day after tomorrow": 2, "day after tomorrow": 2}
ON_WEEKDAY = re.compile(
    rf"(?P<how>next|coming|this(?:\s+coming)?|the\s+coming|on)?\s*(?P<weekday>{_NAMED_DAY})\.?"
    r"(?:\s+(?:(?:of\s+)?(?P<whose>next|this)\s+week|(?P<week>week)|(?P<after>after\s+next)))?"
)
# "next week friday", "a week from monday".
WEEK_FIRST = re.compile(
    rf"(?:(?P<whose>next|this)\s+week(?:['’]s)?(?:\s+on)?|(?P<week>a\s+week\s+(?:on|from)))\s+(?P<weekday>{_NAMED_DAY})\.?"
)
# "friday, 24/12" and "24 Dec (Thu)".
WITH_WEEKDAY = re.compile(
    rf"(?:on\s++)?(?P<weekday>{_NAMED_DAY})\.?[\s,]++(?P<rest>\D*+\d.*)"
    rf"|(?P<rest2>\D*+\d.*?)(?<![\s,])[\s,]++\(?(?P<weekday2>{_NAMED_DAY})\)?"
)
# "end of next week", "eom", "week's end", "this quarter".
SPAN = re.compile(
    r"(?:the\s+)?end\s+of\s+(?:the\s+)?(?:this\s+)?(?P<next>next\s+)?(?P<unit>week|month|quarter|year)"
    r"|eo(?P<short>[wmqy])|(?P<unit2>week|month|quarter|year)(?:['’]s)?[\s-]end|(?:in\s+)?(?:this|(?P<next2>next))\s+"
    r"(?P<unit3>week|month|quarter|year)"
)
# "march", "end of march 2027", "2027-03", "3/2027".
MONTH_ALONE = re.compile(
    rf"(?:(?:the\s+)?(?P<end>end\s+of)\s+|in\s+|during\s+)?{_MONTH}(?:[\s,]+(?P<year>\d{{4}}|'\d{{2}}))?"
    r"|(?P<year2>\d{4})[-/](?P<figure>\d{1,2})|(?P<figure2>\d{1,2})/(?P<year3>\d{4})"
)
# "q1", "end of Q2 2027", "2027-q3".
QUARTER = re.compile(
    r"(?:(?:the\s+)?end\s+of\s+|in\s+)?(?:q(?P<quarter>[1-4])(?:[\s/-]*(?P<year>\d{4}))?|(?P<year2>\d{4})[\s/-]*q(?P<quarter2>[1-4]))"
)
YEARS_END = re.compile(r"(?:the\s+)?end\s+of\s+(?P<year>\d{4})")
ISO = re.compile(r"(?P<year>\d{4})(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})|(20\d{2})(\d{2})(\d{2})")
# The order of the two numbers differs by country, so both readings are tried.
FIGURES = re.compile(rf"(?P<a>\d{{1,2}})(?P<sep>[/-])(?P<b>\d{{1,2}})(?:(?P=sep){_YEAR})?")
DOTTED = re.compile(rf"(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\.(?:\s?{_YEAR})?")
NAMED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:on\s+)?{_OF_MONTH}(?:\s+of\s+|[\s-]*){_MONTH}(?:[\s,-]+{_YEAR})?",
        rf"(?:on\s+)?{_MONTH}[\s-]*{_OF_MONTH}(?:[\s,]+{_YEAR})?",
        rf"(?P<year>\d{{4}})[\s-]{_MONTH}[\s-]{_OF_MONTH}",
    )
)
ORDINAL = re.compile(
    r"(?:on\s+)?(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)(?:\s+of\s+(?:this|the|(?P<next>next))\s+month)?"
)
BARE = re.compile(r"(?:the\s+)?(?P<day>\d{1,2})")

__all__ = ["Due", "describe_unreadable", "is_amount", "is_month", "overdue_at", "parse_due_date"]

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6
_LONGEST = 100
"""Characters: no day takes more to say."""
_MOST_CLOCKS = 3
"""As in `friday at 9 in the morning`."""
_MOST_PARTS = 10
_LATELY = timedelta(days=90)
"""A day without a year that was less than this ago may be a slip: next year's is offered, never assumed."""


@dataclass(frozen=True, slots=True)
class Due:
    """What words say of a day: `days` holds it, or those to choose from, and `problem` says why.

    Without days `problem` is the refusal. `time_of_day` was written with it, and is not part of it.
    """

    days: tuple[date, ...] = ()
    problem: str = ""
    time_of_day: str = ""

    @property
    def day(self) -> date | None:
        """The day, if there is exactly one."""
        return self.days[0] if len(self.days) == 1 and not self.problem else None


def parse_due_date(words: str, today: date, *, is_limit: bool = False) -> Due | None:
    """What the words say of a day, seen from `today`; None if they name none.

    It is today or later, except for a date with its year, which is taken as written. `is_limit`: "by" or "until" comes
    before it, and a month may then mean its first day.
    """
    written = " ".join(words.split()).strip(" !?,;")
    if len(written) > _LONGEST:
        return None
    text, time_of_day = _without_clock(written.lower())
    found = Due((today,)) if written and not text else _read(text, today, written)
    if found is None:
        return None
    if is_limit and found.day is not None and (first := _first_of(text, found.day, today)):
        found = choose_from((first, found.day), written)
    return replace(found, time_of_day=time_of_day)


def is_amount(words: str) -> bool:
    """Whether it is a bare count, as in `3 days` or `1/3`: behind "by" it says how much, not when."""
    fraction = FRACTION.fullmatch(words)
    return COUNTED.fullmatch(words) is not None or (
        fraction is not None and int(fraction[1]) < int(fraction[2]) <= _MOST_PARTS
    )


def is_month(words: str) -> bool:
    """Whether it is only a month's name."""
    return re.fullmatch(NAMED_MONTH, words.strip(" .!"), re.IGNORECASE) is not None


def overdue_at(due_on: date, zone: tzinfo) -> datetime:
    """The UTC instant at which that day ends in the zone: from then on the action is overdue."""
    return datetime.combine(due_on + timedelta(days=1), time(), zone).astimezone(UTC)


def describe_unreadable(words: str) -> str:
    """The sentence for a due date that cannot be read."""
    return f"I couldn't read “{words[:60]}” as a date. {EXAMPLES}"


EXAMPLES = "Try `due friday`, `due in 2 weeks` or `due 2026-12-24`."


def _without_clock(text: str) -> tuple[str, str]:
    """The words without a time of day, and that time; the end of the day adds nothing: it is due then anyway."""
    if re.fullmatch(DAYS_END, text):
        return "", ""
    time_of_day: list[str] = []
    for _ in range(_MOST_CLOCKS):
        match = CLOCK_BEHIND.search(text) or CLOCK_BEFORE.match(text)
        rest = f"{text[: match.start()]}{text[match.end() :]}".strip(" ,") if match else ""
        if match is None or not rest:
            break
        text = rest
        time_of_day += [] if match["end"] else [match["clock"].strip()]
    return text, " ".join(reversed(time_of_day))


_Reader = Callable[[str, date, str], Due | None]


def _read(text: str, today: date, written: str) -> Due | None:
    readers: tuple[_Reader, ...] = (
        parse_dotted,
        _simple,
        _weekday,
        _parse_count,
        _span,
        _month,
        parse_date,
        combine_with_weekday,
    )
    for reader in readers:
        found = reader(text if reader is parse_dotted else text.rstrip("."), today, written)
        if found is not None:
            return found
    return None


def _simple(text: str, today: date, _: str) -> Due | None:
    ahead = SIMPLE.get(text)
    return None if ahead is None else Due((today + ahead * _DAY,))


def _mondays(today: date, ahead: int) -> tuple[date, ...]:
    """The Monday of this week, or of one so many weeks ahead: on a Sunday, which may begin a week, there are two."""
    monday = today - today.weekday() * _DAY + ahead * _WEEK
    return (monday, monday + _WEEK) if today.weekday() == _SUNDAY else (monday,)


def _weekday(text: str, today: date, written: str) -> Due | None:
    match = ON_WEEKDAY.fullmatch(text) or WEEK_FIRST.fullmatch(text)
    if match is None:
        return None
    parts, index = match.groupdict(), weekday_index(match["weekday"])
    coming = today + ((index - today.weekday() - 1) % 7 + 1) * _DAY
    if whose := parts["whose"]:
        # "friday of this week", written on a Sunday, may be in the week that has begun.
        days = [monday + index * _DAY for monday in _mondays(today, 1 if whose == "next" else 0)]
        ahead = [day for day in days if day >= today]
        return choose_from(ahead, written) if ahead else Due((), f"{WEEKDAYS[index].title()} of this week is past.")
    if parts["week"]:
        return Due((coming + _WEEK,))
    if parts.get("after"):
        return choose_from([day + _WEEK for day in _next(today, index, coming)], written)
    return choose_from(_next(today, index, coming), written) if parts.get("how") == "next" else Due((coming,))


def _next(today: date, index: int, coming: date) -> list[date]:
    """What "next friday" can mean: the one that comes first, or that of next week."""
    return [coming, *(monday + index * _DAY for monday in _mondays(today, 1))]


def _parse_count(text: str, today: date, _: str) -> Due | None:
    match = IN.fullmatch(text)
    if match is None:
        return None
    count = COUNTS.get(match["count"]) or int(match["count"])
    unit = match["unit"][0]
    if match["unit"].startswith(("month", "year")):
        return Due((today + relativedelta(months=count * (1 if unit == "m" else 12)),))
    return Due((today + count * {"d": 1, "w": 7, "f": 14}[unit] * _DAY,))


def _span(text: str, today: date, written: str) -> Due | None:
    """The end of a week (its Friday), a month, a quarter or a year."""
    match = SPAN.fullmatch(text)
    if match is None:
        return None
    unit = (match["unit"] or match["short"] or match["unit2"] or match["unit3"])[0]
    ahead = 1 if match["next"] or match["next2"] else 0
    if unit == "w":
        return _weeks_end(today, ahead, written)
    months = {"m": 1, "q": 3, "y": 12}[unit]
    first = date(today.year, (today.month - 1) // months * months + 1, 1)
    return Due((first + relativedelta(months=months * (ahead + 1), days=-1),))


def _weeks_end(today: date, ahead: int, written: str) -> Due:
    if ahead == 0 and today.weekday() >= _SATURDAY:  # this week ends tomorrow, or is the one about to begin
        monday = today - today.weekday() * _DAY
        return choose_from((monday + _SUNDAY * _DAY, monday + _WEEK + _FRIDAY * _DAY), written)
    return choose_from([monday + _FRIDAY * _DAY for monday in _mondays(today, ahead)], written)


def _month(text: str, today: date, written: str) -> Due | None:
    """A month, a quarter or a year by its name: its last day."""
    if named := MONTH_ALONE.fullmatch(text):
        year = named["year"] or named["year2"] or named["year3"]
        month = month_number(named["month"]) if named["month"] else int(named["figure"] or named["figure2"])
        return _month_end(year, month, today, written)
    if quarter := QUARTER.fullmatch(text):
        month = int(quarter["quarter"] or quarter["quarter2"]) * 3
        return _month_end(quarter["year"] or quarter["year2"], month, today, written)
    years_end = YEARS_END.fullmatch(text)
    return _month_end(years_end["year"], 12, today, written) if years_end else None


def _month_end(year: str | None, month: int, today: date, written: str) -> Due:
    """The last day of a month; without its year of the next such one."""
    if not 1 <= month <= 12 or (year and not int(year.strip("'"))):
        return Due((), describe_unreadable(written))
    if year:
        return Due((last_day_of_month(expand_year(year), month),))
    last = last_day_of_month(today.year, month)
    return Due((last,)) if last >= today else move_to_next_year(last, last_day_of_month(today.year + 1, month), today)


def _first_of(text: str, last: date, today: date) -> date | None:
    """The first day of a lone month, if it is still ahead."""
    match = MONTH_ALONE.fullmatch(text.rstrip("."))
    first = last.replace(day=1)
    return first if match is not None and not match["end"] and first > today else None


def choose_from(days: Iterable[date], written: str) -> Due:
    """These days to choose from, without repeats; a single one is the day itself."""
    choices = tuple(sorted(set(days)))
    if len(choices) == 1:
        return Due(choices)
    number = "either of two" if len(choices) == 2 else "one of several"
    return Due(choices, f"“{written[:60]}” could be {number} days.")


def last_day_of_month(year: int, month: int) -> date:
    """The last day of a month."""
    return date(year, month, monthrange(year, month)[1])


def expand_year(year: str) -> int:
    """A year as it was written, in four figures or in two."""
    return int(year) if len(year) == 4 else 2000 + int(year.strip("'"))


def move_to_next_year(past: date, ahead: date, today: date) -> Due:
    """The day next year, if it is past this year; a question if it was recent."""
    if today - past > _LATELY:
        return Due((ahead,))
    return Due((ahead,), f"{past.day} {past:%B} has passed this year. Is it {ahead.day} {ahead:%B %Y}?")


def parse_dotted(text: str, today: date, _: str) -> Due | None:
    """`24.12.`: the day first, as wherever dots are written."""
    match = DOTTED.fullmatch(text)
    return _of(match["year"], int(match["month"]), int(match["day"]), today) if match else None


def parse_date(text: str, today: date, written: str) -> Due | None:
    """A date in figures or with the name of its month, or a day of some month; None for anything else."""
    if iso := ISO.fullmatch(text):
        year, month, day = (iso["year"], iso["month"], iso["day"]) if iso["year"] else iso.group(5, 6, 7)
        return _of(year, int(month), int(day), today)
    if figures := FIGURES.fullmatch(text):
        return _in_figures(figures, today, written)
    for pattern in NAMED:
        if match := pattern.fullmatch(text):
            return _of(match.groupdict().get("year"), month_number(match["month"]), int(match["day"]), today)
    ordinal = ORDINAL.fullmatch(text)
    return _of_some_month(int(ordinal["day"]), today, is_next=bool(ordinal["next"])) if ordinal else None


def _in_figures(match: re.Match[str], today: date, written: str) -> Due:
    """`24/12` is one day; `05/04` could be two and is a question."""
    a, b, year = int(match["a"]), int(match["b"]), match["year"]
    if year and len(year) == 2 and a > 31:  # the year comes first
        return _of(str(2000 + a), b, int(year), today)
    found = [_of(year, month, day, today) for day, month in {(a, b), (b, a)} if 1 <= month <= 12]
    readings = [one for one in found if one.days]
    if not readings:
        return found[0] if found else Due((), describe_unreadable(written))
    ahead = [one for one in readings if max(one.days) >= today] or readings
    if len(ahead) == 1:
        return ahead[0]
    return choose_from([day for one in ahead for day in one.days], written)


def _of(year: str | None, month: int, day: int, today: date) -> Due:
    """A day by its date; without a year the next such one. A day that the calendar has not is refused."""
    if not 1 <= month <= 12:
        return Due((), f"There's no month {month}. {EXAMPLES}")
    most = monthrange(expand_year(year) if year and int(year.strip("'")) else 2000, month)[1]
    if not 1 <= day <= most or (year and len(year) == 4 and not int(year)):
        when = f"{MONTHS[month - 1].title()}{f' {expand_year(year)}' if year else ''}"
        return Due((), f"There's no {day} {when}: it has {most} days. {EXAMPLES}")
    if year:
        return Due((date(expand_year(year), month, day),))
    if (month, day) == (2, 29):
        return _leap_day(today)
    found = date(today.year, month, day)
    return Due((found,)) if found >= today else move_to_next_year(found, date(today.year + 1, month, day), today)


def _leap_day(today: date) -> Due:
    """The next 29 February; a question if next February has only 28 days."""
    year = today.year if last_day_of_month(today.year, 2) >= today else today.year + 1
    last = last_day_of_month(year, 2)
    if last.day == 29:
        return Due((last,))
    # Eight years ahead, because 2100 is no leap year.
    leap = next(last_day_of_month(ahead, 2) for ahead in range(year, year + 9) if last_day_of_month(ahead, 2).day == 29)
    return Due((last, leap), f"{year} has no 29 February.")


def _of_some_month(day: int, today: date, *, is_next: bool) -> Due:
    """The next such day of a month, or that of next month."""
    first = today.replace(day=1) + relativedelta(months=1 if is_next else 0)
    for months in range(3):
        month = first + relativedelta(months=months)
        if day <= monthrange(month.year, month.month)[1] and day > 0 and month.replace(day=day) >= today:
            return Due((month.replace(day=day),))
        if is_next:
            break
    return Due((), f"That month has no day {day}. {EXAMPLES}")


def combine_with_weekday(text: str, today: date, written: str) -> Due | None:
    """A weekday with a date: both must be the same day, and of two readings the weekday picks one."""
    match = WITH_WEEKDAY.fullmatch(text)
    if match is None:
        return None
    rest, index = match["rest"] or match["rest2"], weekday_index(match["weekday"] or match["weekday2"])
    bare = BARE.fullmatch(rest)
    if bare:
        found: Due | None = _of_some_month(int(bare["day"]), today, is_next=False)
    else:
        found = parse_dotted(rest, today, written) or parse_date(rest, today, written)
    if found is None or not found.days:
        return found
    return _select_weekday(index, found)


def _select_weekday(index: int, due: Due) -> Due:
    """Of the days of a reading the one on that weekday; refused if none is."""
    days = tuple(day for day in due.days if day.weekday() == index)
    if days:
        return Due(days, due.problem if len(days) == len(due.days) else "")
    day = due.days[0]
    before = day - relativedelta(years=1)
    if due.problem and before.weekday() == index:
        return Due((), f"{before:%A} {before.day} {before:%B %Y} is past. {EXAMPLES}")
    return Due((), f"{day.day} {day:%B %Y} is a {day:%A}. {EXAMPLES}")


def weekday_index(name: str) -> int:
    """Which day of the week a name begins, from Monday on."""
    return next(index for index, weekday in enumerate(WEEKDAYS) if weekday.startswith(name[:3]))


def month_number(name: str) -> int:
    """Which month a name begins."""
    return next(number for number, month in enumerate(MONTHS, 1) if month.startswith(name[:3]))
