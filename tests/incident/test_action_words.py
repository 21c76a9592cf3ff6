"""The kind and the link in what somebody types behind `/action`."""

from datetime import date

import pytest

from bot.incident.actions import Asked, day, read
from bot.incident.records import ActionKind

TODAY = date(2026, 11, 23)
FRIDAY = date(2026, 11, 27)
LINK = "https://demo.example/1?a=b"


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("prevent: add a load test due friday", Asked("add a load test", FRIDAY, ActionKind.PREVENT)),
        ("Detect: alert on the queue", Asked("alert on the queue", None, ActionKind.DETECT)),
        ("add a load test #prevent due friday", Asked("add a load test", FRIDAY, ActionKind.PREVENT)),
        ("#mitigate write the runbook", Asked("write the runbook", None, ActionKind.MITIGATE)),
        ("add a review kind process due friday", Asked("add a review", FRIDAY, ActionKind.PROCESS)),
        ("add a review due friday #process", Asked("add a review", FRIDAY, ActionKind.PROCESS)),
        (f"add a load test {LINK}", Asked("add a load test", None, None, LINK)),
        (f"add a load test ({LINK}) due friday", Asked("add a load test", FRIDAY, None, LINK)),
        (f"add a load test due friday {LINK}", Asked("add a load test", FRIDAY, None, LINK)),
        (f"prevent: see {LINK} for why", Asked(f"see {LINK} for why", None, ActionKind.PREVENT, LINK)),
        (LINK, Asked(LINK, None, None, LINK)),
        ("prevent the next one", Asked("prevent the next one", None)),
        ("mend the process: it is slow", Asked("mend the process: it is slow", None)),
        ("watch #prevention", Asked("watch #prevention", None)),
        ("add some kind of process", Asked("add some kind of process", None)),
    ],
)
def test_kind_and_link_are_taken_out_where_they_stand_apart(line: str, asked: Asked) -> None:
    assert read(line, TODAY) == asked


@pytest.mark.parametrize(
    ("words", "due_on"),
    [
        ("end of week", date(2026, 11, 27)),
        ("the end of next week", date(2026, 12, 4)),
        ("end of month", date(2026, 11, 30)),
        ("end of next month", date(2026, 12, 31)),
        ("eoq", date(2026, 12, 31)),
        ("end of the year", date(2026, 12, 31)),
        ("next month", date(2026, 12, 23)),
        ("in 2 months", date(2027, 1, 23)),
        ("friday next week", date(2026, 12, 4)),
        ("Friday!", date(2026, 11, 27)),
        ("friday", date(2026, 11, 27)),
        ("monday", date(2026, 11, 30)),
        ("someday next week", None),
        ("2.5", None),
    ],
)
def test_a_day_is_read_as_people_say_it(words: str, due_on: date | None) -> None:
    assert day(words, TODAY) == due_on
    if due_on is not None:
        assert read(f"add a load test due {words}", TODAY) == Asked("add a load test", due_on)


def test_a_month_ahead_of_its_last_day_is_the_last_day_there_is() -> None:
    assert day("in a month", date(2027, 1, 31)) == date(2027, 2, 28)


def test_a_day_without_its_year_is_next_year_s_where_it_is_past_leap_years_included() -> None:
    assert day("24/3", date(2027, 11, 23)) == date(2028, 3, 24)
