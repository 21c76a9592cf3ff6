from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.domain.text import format_duration, format_iso, format_range
from tests.support.export.cases import at


@pytest.mark.parametrize(
    ("end", "approximate", "with_date", "written"),
    [
        (None, False, False, "14:05 UTC"),
        (None, True, False, "~14:05 UTC"),
        (None, False, True, "2026-11-23 14:05 UTC"),
        (at(14, 20), False, False, "14:05–14:20 UTC"),
        (at(14, 20), True, True, "~2026-11-23 14:05–14:20 UTC"),
        (at(0, 0, day=24), False, True, "2026-11-23 14:05 – 2026-11-24 00:00 UTC"),
        (at(14, 5), False, False, "14:05 UTC"),
    ],
)
def test_a_stamp_says_as_much_as_is_needed(
    end: datetime | None, approximate: bool, with_date: bool, written: str
) -> None:
    assert format_range(at(14, 5), end, approximate=approximate, with_date=with_date) == written


def test_seconds_are_cut_not_rounded() -> None:
    assert format_range(datetime(987, 1, 2, 23, 59, 59, 999999, tzinfo=UTC)) == "0987-01-02 23:59 UTC"


@pytest.mark.parametrize(
    ("length", "written"),
    [
        (timedelta(seconds=59), "under 1 min"),
        (timedelta(minutes=43), "43 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=24, minutes=11), "24 h 11 min"),
        (timedelta(days=2), "2 d"),
        (timedelta(days=3, hours=2, minutes=1), "3 d 2 h 1 min"),
    ],
)
def test_a_span_is_written_in_the_units_people_say(length: timedelta, written: str) -> None:
    assert format_duration(length) == written


def test_iso_times_end_in_z_and_keep_what_is_below_the_second() -> None:
    assert format_iso(at(14, 5)) == "2026-11-23T14:05:00Z"
    assert (
        format_iso(datetime(2026, 11, 23, 15, 5, 1, 20, timezone(timedelta(hours=1)))) == "2026-11-23T14:05:01.000020Z"
    )
