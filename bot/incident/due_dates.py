"""Dates where something is due, in figures and with the names of months: "24/12", "3 mar", "fri 27", "the 1st"."""

import re
from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from bot.incident import due_forms as forms

_LATELY = timedelta(days=90)
"""A day without a year that was so lately is perhaps a slip: next year's is asked about, and never taken."""


@dataclass(frozen=True, slots=True)
class Due:
    """What words say of a day: `days` holds it, or those among which somebody is to choose, and `problem` says why.

    Without days `problem` is the sentence of the refusal. `beside` is the time of day that stood with it.
    """

    days: tuple[date, ...] = ()
    problem: str = ""
    beside: str = ""

    @property
    def day(self) -> date | None:
        """The day, where there is one reading."""
        return self.days[0] if len(self.days) == 1 and not self.problem else None


def not_a_day(words: str) -> str:
    """The sentence for a due date that cannot be read."""
    return f"“{words[:60]}” is no day that I can read. {EXAMPLES}"


EXAMPLES = "Write `due friday`, `due in 2 weeks` or `due 2026-12-24`."


def asked(days: Iterable[date], said: str, why: str = "") -> Due:
    """These days to choose from, each once; where it comes to the same, that day."""
    choices = tuple(sorted(set(days)))
    if len(choices) == 1 and not why:
        return Due(choices)
    return Due(choices, why or f"“{said[:60]}” can be {'two' if len(choices) == 2 else 'several'} days.")


def last_of(year: int, month: int) -> date:
    """The last day of a month."""
    return date(year, month, monthrange(year, month)[1])


def full(year: str) -> int:
    """A year as it was written, in four figures or in two."""
    return int(year) if len(year) == 4 else 2000 + int(year.strip("'"))


def next_years(past: date, ahead: date, today: date) -> Due:
    """A day without its year that is past this year: next year's, which is asked about where it was lately."""
    if today - past > _LATELY:
        return Due((ahead,))
    return Due((ahead,), f"{past.day} {past:%B} is past this year. Is {ahead.day} {ahead:%B %Y} meant?")


def dotted(text: str, today: date, _: str) -> Due | None:
    """`24.12.`: the day first, as wherever dots are written."""
    match = forms.DOTTED.fullmatch(text)
    return _of(match["year"], int(match["month"]), int(match["day"]), today) if match else None


def dated(text: str, today: date, said: str) -> Due | None:
    """A date in figures or with the name of its month, or a day of some month; None for anything else."""
    if iso := forms.ISO.fullmatch(text):
        year, month, day = (iso["year"], iso["month"], iso["day"]) if iso["year"] else iso.group(5, 6, 7)
        return _of(year, int(month), int(day), today)
    if figures := forms.FIGURES.fullmatch(text):
        return _in_figures(figures, today, said)
    for pattern in forms.NAMED:
        if match := pattern.fullmatch(text):
            return _of(match.groupdict().get("year"), month_of(match["month"]), int(match["day"]), today)
    ordinal = forms.ORDINAL.fullmatch(text)
    return _of_some_month(int(ordinal["day"]), today, is_next=bool(ordinal["next"])) if ordinal else None


def _in_figures(match: re.Match[str], today: date, said: str) -> Due:
    """`24/12` is one day; `05/04` could be two, and is asked."""
    a, b, year = int(match["a"]), int(match["b"]), match["year"]
    if year and len(year) == 2 and a > 31:  # the year stands first
        return _of(str(2000 + a), b, int(year), today)
    found = [_of(year, month, day, today) for day, month in {(a, b), (b, a)} if 1 <= month <= 12]
    readings = [one for one in found if one.days]
    if not readings:
        return found[0] if found else Due((), not_a_day(said))
    ahead = [one for one in readings if max(one.days) >= today] or readings
    if len(ahead) == 1:
        return ahead[0]
    return asked([day for one in ahead for day in one.days], said)


def _of(year: str | None, month: int, day: int, today: date) -> Due:
    """A day by its date; without a year the next such one. A day that the calendar has not is refused."""
    if not 1 <= month <= 12:
        return Due((), f"There is no month {month}. {EXAMPLES}")
    most = monthrange(full(year) if year and int(year.strip("'")) else 2000, month)[1]
    if not 1 <= day <= most or (year and len(year) == 4 and not int(year)):
        when = f"{forms.MONTHS[month - 1].title()}{f' {full(year)}' if year else ''}"
        return Due((), f"There is no {day} {when}: it has {most} days. {EXAMPLES}")
    if year:
        return Due((date(full(year), month, day),))
    if (month, day) == (2, 29):
        return _leap_day(today)
    found = date(today.year, month, day)
    return Due((found,)) if found >= today else next_years(found, date(today.year + 1, month, day), today)


def _leap_day(today: date) -> Due:
    """The next 29 February; asked where the next February has only 28 days."""
    year = today.year if last_of(today.year, 2) >= today else today.year + 1
    last = last_of(year, 2)
    if last.day == 29:
        return Due((last,))
    leap = next(last_of(ahead, 2) for ahead in range(year, year + 9) if last_of(ahead, 2).day == 29)
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
    return Due((), f"There is no day {day} in that month. {EXAMPLES}")


def both(text: str, today: date, said: str) -> Due | None:
    """A weekday beside a date: both must be the same day, and of two readings of the date it names the one."""
    match = forms.WITH_WEEKDAY.fullmatch(text)
    if match is None:
        return None
    rest, index = match["rest"] or match["rest2"], index_of(match["weekday"] or match["weekday2"])
    bare = forms.BARE.fullmatch(rest)
    if bare:
        found: Due | None = _of_some_month(int(bare["day"]), today, is_next=False)
    else:
        found = dotted(rest, today, said) or dated(rest, today, said)
    if found is None or not found.days:
        return found
    return _that_is(index, found)


def _that_is(index: int, found: Due) -> Due:
    """Of the days of a reading the one that is such a weekday; refused where none is."""
    days = tuple(day for day in found.days if day.weekday() == index)
    if days:
        return Due(days, found.problem if len(days) == len(found.days) else "")
    day = found.days[0]
    before = day - relativedelta(years=1)
    if found.problem and before.weekday() == index:
        return Due((), f"{before:%A} {before.day} {before:%B %Y} is past. {EXAMPLES}")
    return Due((), f"{day.day} {day:%B %Y} is a {day:%A}. {EXAMPLES}")


def index_of(name: str) -> int:
    """Which day of the week a name begins, from Monday on."""
    return next(index for index, weekday in enumerate(forms.WEEKDAYS) if weekday.startswith(name[:3]))


def month_of(name: str) -> int:
    """Which month a name begins."""
    return next(number for number, month in enumerate(forms.MONTHS, 1) if month.startswith(name[:3]))
