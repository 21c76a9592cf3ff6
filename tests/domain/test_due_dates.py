"""Due dates: read if there is one reading, asked if there are several, refused if the day does not exist."""

from calendar import monthrange
from contextlib import nullcontext
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.actions import parse_action
from bot.domain.times.due_dates import Due, parse_due_date
from bot.errors import Refused

TODAY = date(2026, 11, 30)
"""A Monday."""


def days(words: str, today: date = TODAY) -> list[str]:
    """The days that the words can mean."""
    found = parse_due_date(words, today)
    return [day.isoformat() for day in found.days] if found else []


def problem(words: str) -> str:
    """Why it is asked or refused."""
    found = parse_due_date(words, TODAY)
    return found.problem if found else ""


@pytest.mark.parametrize(
    "form",
    [
        *("{}", "on {}", "this {}", "coming {}", "{}!", "{} 9am", "{} at 9", "{} 09:00 CET", "9am {}", "noon {}"),
        *(
            "{}, 17:30 UTC",
            "{} morning",
            "{} in the evening",
            "{} eod",
            "{} cob",
            "{} end of day",
            "{} at 9 in the morning",
        ),
    ],
)
@pytest.mark.parametrize(
    ("weekday", "day"),
    [
        *(("monday", "2026-12-07"), ("mon", "2026-12-07"), ("Mon.", "2026-12-07"), ("tues", "2026-12-01")),
        *(("wednesday", "2026-12-02"), ("thurs", "2026-12-03"), ("Friday", "2026-12-04"), ("sun", "2026-12-06")),
    ],
)
def test_a_weekday_is_the_same_day_in_every_form(form: str, weekday: str, day: str) -> None:
    assert days(form.format(weekday)) == [day]
    assert problem(form.format(weekday)) == ""


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("march 2027", "2027-03-31"),
        ("Mar. 2027", "2027-03-31"),
        ("february", "2027-02-28"),
        ("in march", "2027-03-31"),
        ("november", "2026-11-30"),
        ("end of february 2028", "2028-02-29"),
        ("2027-03", "2027-03-31"),
        ("03/2027", "2027-03-31"),
        ("q1", "2027-03-31"),
        ("Q2 2027", "2027-06-30"),
        ("end of q3", "2027-09-30"),
        ("end of 2027", "2027-12-31"),
        ("next week", "2026-12-11"),
        ("this week", "2026-12-04"),
        ("next month", "2026-12-31"),
        ("next quarter", "2027-03-31"),
        ("next year", "2027-12-31"),
        ("month end", "2026-11-30"),
    ],
)
def test_what_names_a_span_is_due_at_its_end_and_never_on_today_s_day_of_it(words: str, day: str) -> None:
    assert days(words) == [day]


@pytest.mark.parametrize(
    ("words", "choices"),
    [
        ("next friday", ["2026-12-04", "2026-12-11"]),
        ("next friday 9am", ["2026-12-04", "2026-12-11"]),
        ("next tue", ["2026-12-01", "2026-12-08"]),
        ("friday after next", ["2026-12-11", "2026-12-18"]),
        ("05/04", ["2027-04-05", "2027-05-04"]),
        ("5/4/2027", ["2027-04-05", "2027-05-04"]),
        ("29 feb", ["2027-02-28", "2028-02-29"]),
        ("february 29th", ["2027-02-28", "2028-02-29"]),
        ("nov 29", ["2027-11-29"]),
        ("29/11", ["2027-11-29"]),
        ("29.11.", ["2027-11-29"]),
        ("october", ["2027-10-31"]),
    ],
)
def test_what_can_be_two_days_is_asked_and_so_is_what_was_lately(words: str, choices: list[str]) -> None:
    assert days(words) == choices
    assert problem(words)
    with_year = parse_due_date(words, TODAY)
    assert with_year is not None
    assert with_year.day is None


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("next monday", "2026-12-07"),
        ("friday next week", "2026-12-11"),
        ("next week on friday", "2026-12-11"),
        ("friday this week", "2026-12-04"),
        ("friday week", "2026-12-11"),
        ("a week from friday", "2026-12-11"),
        ("fri 4", "2026-12-04"),
        ("friday, 4 december", "2026-12-04"),
        ("4 dec (friday)", "2026-12-04"),
        ("fri 04/12", "2026-12-04"),
        ("the 27th", "2026-12-27"),
        ("31st", "2026-12-31"),
        ("1st of next month", "2026-12-01"),
        ("Dec 24th, 2026", "2026-12-24"),
        ("the 24th of december", "2026-12-24"),
        ("24-dec-26", "2026-12-24"),
        ("2026-12-24T09:00Z", "2026-12-24"),
        ("20261224", "2026-12-24"),
        ("29 feb 2028", "2028-02-29"),
        ("in two weeks' time", "2026-12-14"),
        ("a fortnight", "2026-12-14"),
        ("eod", "2026-11-30"),
        ("the day after tomorrow", "2026-12-02"),
    ],
)
def test_what_has_one_reading_is_that_day(words: str, day: str) -> None:
    assert (days(words), problem(words)) == ([day], "")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("dec 32", "There's no 32 December: it has 31 days."),
        ("32 dec", "There's no 32 December: it has 31 days."),
        ("feb 30", "There's no 30 February: it has 29 days."),
        ("31 nov", "There's no 31 November: it has 30 days."),
        ("29 feb 2027", "There's no 29 February 2027: it has 28 days."),
        ("2026-13-01", "There's no month 13."),
        ("13/13", "I couldn't read “13/13” as a date."),
        ("thu 4 dec", "4 December 2026 is a Friday."),
        ("fri 27 nov", "Friday 27 November 2026 is past."),
        ("00/00", "I couldn't read “00/00” as a date."),
    ],
)
def test_a_day_that_there_is_not_is_refused_with_the_reason(words: str, why: str) -> None:
    found = parse_due_date(words, TODAY)
    assert found is not None
    assert found.days == ()
    assert found.problem.startswith(why)
    for word in ("due", "by"):
        with pytest.raises(Refused) if any(map(str.isalpha, words)) or word == "due" else nullcontext():
            parse_action(f"add a test {word} {words}", TODAY)


def test_on_a_day_of_the_weekend_this_week_and_next_week_are_asked() -> None:
    saturday, sunday = date(2026, 12, 5), date(2026, 12, 6)
    assert days("end of week", saturday) == ["2026-12-06", "2026-12-11"]
    assert days("next friday", saturday) == ["2026-12-11"]
    assert days("next friday", sunday) == ["2026-12-11", "2026-12-18"]
    assert days("next week", sunday) == ["2026-12-11", "2026-12-18"]


@pytest.mark.parametrize(
    ("line", "text", "day"),
    [
        ("add a test, due: friday", "add a test", "2026-12-04"),
        ("add a test due:friday", "add a test", "2026-12-04"),
        ("add a test due=2026-12-24", "add a test", "2026-12-24"),
        ("add a test due date: friday", "add a test", "2026-12-04"),
        ("add a test deadline: friday", "add a test", "2026-12-04"),
        ("add a test (due friday)", "add a test", "2026-12-04"),
        ("add a test [due: friday]", "add a test", "2026-12-04"),
        ("add a test (by friday) for the pool", "add a test for the pool", "2026-12-04"),
        ("add a test @due(friday)", "add a test", "2026-12-04"),
        ("due friday: add a test", "add a test", "2026-12-04"),
        ("add a test due by friday.", "add a test", "2026-12-04"),
        ("have it read by Bob due friday", "have it read by Bob", "2026-12-04"),
        ("add a test due monday 9am", "add a test (9am)", "2026-12-07"),
        ("add a test due friday eod", "add a test", "2026-12-04"),
        ("add a test due tomorrow at 5pm in the evening", "add a test (at 5pm in the evening)", "2026-12-01"),
        ("retry due to timeouts", "retry due to timeouts", None),
        ("cut the share by 1/3", "cut the share by 1/3", None),
        ("cut it by 20/30", "cut it by 20/30", None),
        ("approved by Mark", "approved by Mark", None),
        ("due-date handling is broken", "due-date handling is broken", None),
    ],
)
def test_a_due_date_is_found_where_people_put_it_and_no_other_word_is_lost(
    line: str, text: str, day: str | None
) -> None:
    asked = parse_action(line, TODAY)
    assert (asked.text, asked.due_on.isoformat() if asked.due_on else None, asked.unsure) == (text, day, None)


def test_by_a_month_can_be_its_first_day_too() -> None:
    assert parse_action("add a test by march", TODAY).unsure == Due(
        (date(2027, 3, 1), date(2027, 3, 31)), "“march” could be either of two days."
    )
    assert parse_action("add a test due march", TODAY).due_on == date(2027, 3, 31)


_MONTHS = ("jan", "February", "mar", "april", "may", "June", "jul", "aug", "sept", "oct", "nov", "December")


@given(
    some.integers(0, 99),
    some.integers(1, 12),
    some.sampled_from(["", " 2026", " 2027", " 2028"]),
    some.dates(date(2026, 1, 1), date(2030, 12, 31)),
)
def test_no_day_is_made_up_of_a_day_and_a_month(day: int, month: int, year: str, today: date) -> None:
    found = parse_due_date(f"{day} {_MONTHS[month - 1]}{year}", today)
    assert found is not None
    for one in found.days:
        is_leap = (day, month) == (29, 2) and one.day == 28
        assert (one.day, one.month) == (day, month) or (is_leap and found.problem)
        assert not year or one.year == int(year)
        assert year or one >= today
    most = monthrange(int(year or 2028), month)[1]
    assert bool(found.days) is (1 <= day <= most)


@given(some.text(max_size=120), some.dates(date(1971, 1, 1), date(2900, 1, 1)))
def test_whatever_is_written_is_read_or_not_and_never_breaks(words: str, today: date) -> None:
    found = parse_due_date(words, today)
    assert found is None or found.days or found.problem


@given(
    some.from_regex(
        r"(next |this |on )?(mon|friday|sun)( next week| 9am)?|in \d{1,3} (days|weeks|months|years)", fullmatch=True
    ),
    some.dates(date(2020, 1, 1), date(2090, 1, 1)),
)
def test_what_is_counted_from_today_is_today_or_later(words: str, today: date) -> None:
    found = parse_due_date(words, today)
    assert found is not None
    assert all(one >= today for one in found.days)
    assert not words.startswith(("mon", "friday", "sun")) or max(found.days) - today <= timedelta(days=14)
