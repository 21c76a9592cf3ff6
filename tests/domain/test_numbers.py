"""The figures of incidents against those counted by hand, and how a period is read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.numbers import (
    ActionFate,
    Grouping,
    Measure,
    Numbers,
    Period,
    Selection,
    Share,
    Spread,
    count_up,
    divide,
    read_period,
    read_selection,
)
from bot.domain.policy import PostmortemRule, SeverityPolicy
from bot.domain.records import Milestone
from bot.errors import Refused
from tests.support.twenty_incidents import COUNTED, NOW

CHOSEN = Selection(read_period("2026-09..2026-11", NOW))
EVERY = [row.to_counted() for row in COUNTED]


def behind(numbers: Numbers, figure: str) -> list[int]:
    return sorted(one.incident.number for one in numbers.behind.get(figure, ()))


def minutes(*counts: float) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=count) for count in counts)


def test_postmortems_are_counted_as_by_hand() -> None:
    numbers = count_up(EVERY, NOW)
    assert behind(numbers, "within_48h") == [2, 3, 8, 10, 13, 16]  # 48 h on the dot is within: INC-3
    assert behind(numbers, "within_week") == [4, 7, 11]  # and so is a week: INC-7
    assert behind(numbers, "later") == [5, 14]
    assert behind(numbers, "unpublished") == [9, 15, 17, 18]
    assert behind(numbers, "waived") == [6, 12]
    # 17, without two that are waived and INC-18, which has a day left.
    assert numbers.in_two_days == Share(6, 14)
    # 17, without two that are waived, and INC-17 and INC-18, which have days left.
    assert numbers.in_a_week == Share(9, 13)


def test_actions_are_counted_as_by_hand() -> None:
    numbers = count_up(EVERY, NOW)
    assert numbers.actions == {
        ActionFate.IN_TIME: 7,  # INC-2, 3, 7, twice 8, 13, 16
        ActionFate.LATE: 2,  # INC-2, 11
        ActionFate.OVERDUE: 2,  # INC-5, 13
        ActionFate.COMING: 2,  # INC-8, 15
        ActionFate.UNDATED: 1,  # INC-9
        ActionFate.DROPPED: 1,  # INC-7
    }
    assert numbers.actions_in_time == Share(7, 11)  # 7 in time, 2 late, 2 overdue
    assert behind(numbers, "in_time") == [2, 3, 7, 8, 13, 16]
    assert behind(numbers, "overdue") == [5, 13]
    assert behind(numbers, "open_actions") == [5, 8, 9, 13, 15]
    # From the morning of 16 Nov, 2 Nov, 4 Oct, midnight of 1 Oct, and the morning of 15 Sep until 1 Dec, 12:00.
    days = [(15, 2), (29, 2), (58, 2), (61, 12), (77, 2)]
    assert numbers.ages.values == tuple(timedelta(days=count, hours=hours) for count, hours in days)
    assert numbers.ages.median == timedelta(days=58, hours=2)


def test_times_are_counted_as_by_hand() -> None:
    numbers = count_up(EVERY, NOW)
    detect, mitigate, resolve = (numbers.times[measure] for measure in Measure)
    assert detect.values == minutes(1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 20, 30)
    assert (detect.count, detect.median, detect.quartiles) == (14, minutes(6.5)[0], minutes(3.25, 9.75))
    assert mitigate.values == minutes(4, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 90)
    assert (mitigate.count, mitigate.median, mitigate.quartiles) == (13, minutes(30)[0], minutes(15, 45))
    assert resolve.values == minutes(5, 10, 15, 20, 30, 45, 60, 70, 90, 100, 120, 150, 180, 240, 300)
    assert (resolve.count, resolve.median, resolve.quartiles) == (15, minutes(70)[0], minutes(25, 135))
    assert 6 not in behind(numbers, "resolve")  # nobody said when it started


def test_missing_milestones_are_counted_as_by_hand() -> None:
    numbers = count_up(EVERY, NOW)
    assert behind(numbers, "no_impact_started") == [6, 12]
    assert behind(numbers, "no_detected") == [5, 12]
    assert behind(numbers, "no_acknowledged") == [3, 5, 12, 14]
    assert behind(numbers, "no_mitigated") == [4, 12, 14]


def test_what_comes_back_is_counted_as_by_hand() -> None:
    numbers = count_up(EVERY, NOW)
    services = [(name, len(found)) for name, found in numbers.list_returning("service")]
    assert services == [("checkout", 6), ("search", 4), ("login", 3), ("payments", 3)]
    assert [(name, len(found)) for name, found in numbers.list_returning("tag")] == [("database", 4), ("deploy", 3)]
    # INC-11 as INC-2, and INC-13 as INC-11; INC-16 as INC-9.
    assert [cause.numbers for cause in numbers.causes] == [(2, 11, 13), (9, 16)]
    assert behind(numbers, "repeats") == [11, 13, 16]


@pytest.mark.parametrize(
    ("by", "parts"),
    [
        (Grouping.MONTH, {"Sep 2026": 6, "Oct 2026": 5, "Nov 2026": 6}),
        (Grouping.QUARTER, {"Sep 2026": 6, "Oct to Nov 2026": 11}),
        (Grouping.SEVERITY, {"sev1": 3, "sev2": 7, "sev3": 5, "sev4": 2}),
        # INC-8 struck two services, and counts in both.
        (Grouping.SERVICE, {"checkout": 6, "search": 4, "login": 3, "payments": 3, "no service": 2}),
        (Grouping.TAG, {"database": 4, "deploy": 3, "no tag": 10}),
    ],
)
def test_parts_are_counted_as_by_hand(by: Grouping, parts: dict[str, int]) -> None:
    groups = divide(EVERY, CHOSEN, by, NOW)
    assert {group.name: group.numbers.count("all") for group in groups} == parts


def test_a_part_can_be_selected_alone() -> None:
    september, *_, november = divide(EVERY, CHOSEN, Grouping.MONTH, NOW)
    assert september.selection == replace(CHOSEN, period=read_period("2026-09", NOW))
    assert september.numbers.in_two_days == Share(2, 5)  # INC-2, 3 of those and 4, 5, 7
    assert november.numbers.in_two_days == Share(2, 5)  # INC-13, 16 of those and 14, 15, 17
    assert november.numbers.in_a_week == Share(2, 4)
    *_, rest = divide(EVERY, CHOSEN, Grouping.SERVICE, NOW)
    assert (rest.selection, behind(rest.numbers, "all")) == (None, [6, 10])


def test_of_nothing_there_are_no_figures() -> None:
    numbers = count_up((), NOW)
    assert (numbers.in_two_days, numbers.actions_in_time) == (Share(0, 0), Share(0, 0))
    assert (numbers.ages.median, numbers.causes, numbers.list_returning("service")) == (None, (), ())


def test_few_values_have_no_quartiles() -> None:
    assert Spread(minutes(1, 2, 3, 4)).quartiles is None
    assert Spread(minutes(1, 2, 3, 4)).median == minutes(2.5)[0]


def test_times_that_contradict_each_other_are_not_counted() -> None:
    one = EVERY[0]
    before = {**one.milestones, Milestone.DETECTED: one.milestones[Milestone.IMPACT_STARTED] - timedelta(minutes=1)}
    numbers = count_up([replace(one, milestones=before)], NOW)
    assert (numbers.times[Measure.DETECT].count, numbers.times[Measure.RESOLVE].count) == (0, 1)


def test_a_postmortem_that_was_not_asked_for_counts_in_no_share() -> None:
    nine = next(one for one in EVERY if one.incident.number == 9)
    optional = SeverityPolicy("sev2", PostmortemRule.OPTIONAL)
    numbers = count_up([replace(nine, incident=replace(nine.incident, policy=optional))], NOW)
    assert (numbers.in_two_days, behind(numbers, "not_asked")) == (Share(0, 0), [9])
    wanted = replace(optional, is_chosen=True)
    numbers = count_up([replace(nine, incident=replace(nine.incident, policy=wanted))], NOW)
    assert (numbers.in_two_days, behind(numbers, "unpublished")) == (Share(0, 1), [9])


@pytest.mark.parametrize(
    ("text", "since", "until", "name", "description"),
    [
        ("", "2026-10-01", "2027-01-01", "2026-q4", "Q4 2026 so far"),
        ("month", "2026-12-01", "2027-01-01", "2026-12", "Dec 2026 so far"),
        ("this month", "2026-12-01", "2027-01-01", "2026-12", "Dec 2026 so far"),
        ("last month", "2026-11-01", "2026-12-01", "2026-11", "Nov 2026"),
        ("Quarter", "2026-10-01", "2027-01-01", "2026-q4", "Q4 2026 so far"),
        ("last quarter", "2026-07-01", "2026-10-01", "2026-q3", "Q3 2026"),
        ("year", "2026-01-01", "2027-01-01", "2026", "2026 so far"),
        ("last year", "2025-01-01", "2026-01-01", "2025", "2025"),
        ("2026-Q2", "2026-04-01", "2026-07-01", "2026-q2", "Q2 2026"),
        ("2026-11", "2026-11-01", "2026-12-01", "2026-11", "Nov 2026"),
        ("2026-09 .. 2026-11", "2026-09-01", "2026-12-01", "2026-09..2026-11", "Sep to Nov 2026"),
        ("2025-11..2026-02", "2025-11-01", "2026-03-01", "2025-11..2026-02", "Nov 2025 to Feb 2026"),
        ("2024..2026", "2024-01-01", "2027-01-01", "2024-01..2026-12", "Jan 2024 to Dec 2026 so far"),
    ],
)
def test_a_period_is_whole_months(text: str, since: str, until: str, name: str, description: str) -> None:
    period = read_period(text, NOW)
    assert (f"{period.since:%Y-%m-%d}", f"{period.until:%Y-%m-%d}") == (since, until)
    assert (period.name, period.describe(NOW)) == (name, description)


def test_early_in_a_year_the_months_before_are_of_the_last() -> None:
    period = read_period("", datetime(2027, 1, 1, tzinfo=UTC))
    assert period.name == "2026-11..2027-01"
    assert read_period("last quarter", datetime(2027, 1, 31, tzinfo=UTC)).name == "2026-q4"


@pytest.mark.parametrize(
    "text", ["soon", "2026-13", "2026-q5", "1999", "2026-11..2026-10", "..", "2020..2026", "2026-"]
)
def test_no_period_is_said_with_what_would_be_one(text: str) -> None:
    with pytest.raises(Refused, match=r"Try `quarter`|Choose a shorter"):
        read_period(text, NOW)


@given(st.integers(2000 * 12, 2900 * 12), st.integers(0, 35))
def test_the_name_of_a_period_is_read_as_that_period(first: int, more: int) -> None:
    period = Period(first, first + more)
    assert read_period(period.name, NOW) == period


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("", Selection(read_period("", NOW))),
        ("last month", Selection(read_period("2026-11", NOW))),
        ("service checkout", Selection(read_period("", NOW), service="checkout")),
        ("quarter  service: Check out  sev2", Selection(read_period("quarter", NOW), 2, "Check out")),
        ("2026 severity 1 tag=database", Selection(read_period("2026", NOW), 1, tag="database")),
    ],
)
def test_a_line_names_a_period_and_filters(text: str, selection: Selection) -> None:
    assert read_selection(text, NOW) == selection


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("service", "Which service\\? Try `quarter service checkout`"),
        ("quarter sev", "Which sev\\? Try `quarter sev 2`"),
        (f"service {'x' * 41}", "The name of a service has at most 40 characters"),
        ("sev 7", "Severities go from 1"),
        ("checkout", "couldn't read “checkout” as a period"),
    ],
)
def test_a_line_that_names_neither_says_what_would(text: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        read_selection(text, NOW)
