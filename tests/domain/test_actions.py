"""The kind, the link and the day in a line behind `/action`."""

from datetime import date

import pytest

from bot.domain.actions import TypedAction, parse_action
from bot.domain.records import ActionKind
from bot.domain.times.due_dates import Due, parse_due_date

TODAY = date(2026, 11, 23)
FRIDAY = date(2026, 11, 27)
LINK = "https://demo.example/1?a=b"


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("prevent: add a load test due friday", TypedAction("add a load test", FRIDAY, ActionKind.PREVENT)),
        ("Detect: alert on the queue", TypedAction("alert on the queue", None, ActionKind.DETECT)),
        ("add a load test #prevent due friday", TypedAction("add a load test", FRIDAY, ActionKind.PREVENT)),
        ("#mitigate write the runbook", TypedAction("write the runbook", None, ActionKind.MITIGATE)),
        ("add a review kind process due friday", TypedAction("add a review", FRIDAY, ActionKind.PROCESS)),
        ("add a review due friday #process", TypedAction("add a review", FRIDAY, ActionKind.PROCESS)),
        (f"add a load test {LINK}", TypedAction("add a load test", None, None, LINK)),
        (f"add a load test ({LINK}) due friday", TypedAction("add a load test", FRIDAY, None, LINK)),
        (f"add a load test due friday {LINK}", TypedAction("add a load test", FRIDAY, None, LINK)),
        (f"prevent: see {LINK} for why", TypedAction(f"see {LINK} for why", None, ActionKind.PREVENT, LINK)),
        (LINK, TypedAction(LINK, None, None, LINK)),
        ("prevent the next one", TypedAction("prevent the next one", None)),
        ("mend the process: it is slow", TypedAction("mend the process: it is slow", None)),
        ("watch #prevention", TypedAction("watch #prevention", None)),
        ("add some kind of process", TypedAction("add some kind of process", None)),
    ],
)
def test_kind_and_link_are_taken_out_where_they_stand_apart(line: str, asked: TypedAction) -> None:
    assert parse_action(line, TODAY) == asked


@pytest.mark.parametrize(
    ("words", "due_on"),
    [
        ("end of week", date(2026, 11, 27)),
        ("the end of next week", date(2026, 12, 4)),
        ("end of month", date(2026, 11, 30)),
        ("end of next month", date(2026, 12, 31)),
        ("eoq", date(2026, 12, 31)),
        ("end of the year", date(2026, 12, 31)),
        ("next month", date(2026, 12, 31)),
        ("in 2 months", date(2027, 1, 23)),
        ("friday next week", date(2026, 12, 4)),
        ("Friday!", date(2026, 11, 27)),
        ("friday", date(2026, 11, 27)),
        ("monday", date(2026, 11, 30)),
        ("someday next week", None),
        ("2.5", None),
        ("fri 27", date(2026, 11, 27)),
        ("tue 1", date(2026, 12, 1)),
        ("mon 1", None),
        ("3 mar", date(2027, 3, 3)),
        ("3 mar 27", date(2027, 3, 3)),
        ("24.12.", date(2026, 12, 24)),
        ("24.12.2027", date(2027, 12, 24)),
        ("3. 1.", date(2027, 1, 3)),
        ("30 seconds", None),
        ("5 pm", None),
    ],
)
def test_a_day_is_read_as_people_say_it(words: str, due_on: date | None) -> None:
    found = parse_due_date(words, TODAY)
    assert (found.day if found else None) == due_on
    if due_on is not None:
        assert parse_action(f"add a load test due {words}", TODAY) == TypedAction("add a load test", due_on)


def test_a_month_ahead_of_its_last_day_is_the_last_day_there_is() -> None:
    assert parse_due_date("in a month", date(2027, 1, 31)) == Due((date(2027, 2, 28),))


def test_a_day_without_its_year_is_next_year_s_where_it_is_past_leap_years_included() -> None:
    assert parse_due_date("24/3", date(2027, 11, 23)) == Due((date(2028, 3, 24),))


@pytest.mark.parametrize(
    "line",
    [
        "cut the failover time by 30 seconds",
        "reduce the time to detect by 20 minutes",
        "shorten the retention by 3 days",
        "raise the limit by one week",
        "keep the old pool until 2 hours",
    ],
)
def test_by_how_much_is_no_day_and_no_word_of_it_is_lost(line: str) -> None:
    assert parse_action(line, TODAY) == TypedAction(line, None)


def test_a_count_of_days_is_a_day_where_it_says_so() -> None:
    assert parse_action("add a load test by in 3 days", TODAY) == TypedAction("add a load test", date(2026, 11, 26))
    assert parse_action("add a load test due 3 days", TODAY) == TypedAction("add a load test", date(2026, 11, 26))


@pytest.mark.parametrize("written", ["3 mar 25", "2025-03-03", "3 March 2025"])
def test_a_date_with_its_year_is_taken_as_written_so_that_it_can_be_refused_as_past(written: str) -> None:
    assert parse_due_date(written, TODAY) == Due((date(2025, 3, 3),))
