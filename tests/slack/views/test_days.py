"""Days in words, on buttons and in receipts."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.slack.views.blocks import moment_label, relative_day
from bot.slack.views.timeline import Clocks, choice_label

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
BERLIN = Clocks(NOW, ZoneInfo("Europe/Berlin"), "Berlin")


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 23), ""),
        (date(2026, 11, 22), "yesterday"),
        (date(2026, 11, 20), "3 days ago"),
        (date(2026, 11, 17), "6 days ago"),
        (date(2026, 11, 16), ""),
        (date(2025, 11, 23), ""),
        (date(2026, 11, 24), "tomorrow"),
        (date(2026, 11, 25), "in 2 days"),
    ],
)
def test_a_day_is_said_in_words(day: date, words: str) -> None:
    assert relative_day(day, NOW.date()) == words


@pytest.mark.parametrize(
    ("moment", "label"),
    [
        (datetime(2026, 11, 23, 11, 5, tzinfo=UTC), "11:05 UTC"),
        (datetime(2026, 11, 22, 17, 31, tzinfo=UTC), "yesterday 17:31 UTC"),
        (datetime(2026, 11, 23, 14, 0, tzinfo=UTC), "today 14:00 UTC"),
        (datetime(2026, 11, 24, 1, 0, tzinfo=UTC), "tomorrow 01:00 UTC"),
        (datetime(2026, 4, 5, 8, 0, tzinfo=UTC), "Sun 5 Apr, 08:00 UTC"),
        (datetime(2024, 4, 5, 8, 0, tzinfo=UTC), "Fri 5 Apr 2024, 08:00 UTC"),
    ],
)
def test_a_button_names_the_day_where_it_is_not_today(moment: datetime, label: str) -> None:
    assert moment_label(moment, NOW) == label


@pytest.mark.parametrize(
    ("moment", "label"),
    [
        (datetime(2026, 11, 22, 14, 0, tzinfo=UTC), "yesterday 14:00 UTC (15:00 Berlin)"),
        (datetime(2026, 11, 23, 14, 0, tzinfo=UTC), "today 14:00 UTC (15:00 Berlin), still to come"),
        (datetime(2026, 11, 23, 12, 0, tzinfo=UTC), "today 12:00 UTC (13:00 Berlin)"),
        (datetime(2026, 11, 22, 23, 30, tzinfo=UTC), "yesterday 23:30 UTC (Mon 00:30 Berlin)"),
        (datetime(2024, 11, 23, 9, 0, tzinfo=UTC), "Sat 23 Nov 2024, 09:00 UTC (10:00 Berlin)"),
    ],
)
def test_a_choice_says_its_day_both_clocks_and_whether_it_is_still_to_come(moment: datetime, label: str) -> None:
    assert choice_label(moment, BERLIN) == label


def test_a_range_of_no_length_is_one_time_on_both_clocks() -> None:
    moment = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
    assert BERLIN.format(moment, moment) == BERLIN.format(moment) == "12:30 UTC (13:30 Berlin)"
    assert BERLIN.format(moment, moment + timedelta(seconds=20)) == "12:30:00–12:30:20 UTC (13:30:00–13:30:20 Berlin)"
