import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.text import (
    format_age,
    format_ago,
    format_count,
    format_day,
    format_day_time,
    format_duration,
    format_iso,
    format_range,
)
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
        (at(14, 5).replace(second=40), False, False, "14:05 UTC"),
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
        (timedelta(seconds=59), "less than a minute"),
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


DAYS = st.dates(min_value=date(1000, 1, 1))
MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (hypothesis adds the zone)
NOW = datetime(2026, 12, 2, 9, 0, tzinfo=UTC)


def test_a_day_has_its_year_only_where_it_is_another() -> None:
    assert format_day(date(2026, 12, 2), NOW.date()) == "Wed 2 Dec"
    assert format_day(date(2025, 12, 2), NOW.date()) == "Tue 2 Dec 2025"
    assert format_day_time(NOW, NOW.date()) == "Wed 2 Dec, 9:00 UTC"
    berlin = NOW.astimezone(timezone(timedelta(hours=1)))
    assert format_day_time(berlin, date(2027, 1, 1)) == "Wed 2 Dec 2026, 9:00 UTC"


@given(DAYS, DAYS)
def test_a_written_day_can_be_read_back(day: date, today: date) -> None:
    written = format_day(day, today)
    has_year = day.year != today.year
    form, full = ("%a %d %b %Y", written) if has_year else ("%a %d %b %Y", f"{written} {today.year}")
    assert datetime.strptime(full, form).replace(tzinfo=UTC).date() == day
    assert re.fullmatch(r"[A-Z][a-z]{2} [1-9]\d? [A-Z][a-z]{2}( \d{4})?", written)


@given(MOMENTS, DAYS)
def test_a_written_moment_can_be_read_back_to_the_minute(moment: datetime, today: date) -> None:
    day, clock = format_day_time(moment, today).split(", ")
    assert day == format_day(moment.date(), today)
    assert datetime.strptime(clock, "%H:%M UTC").replace(tzinfo=UTC).time() == moment.time().replace(
        second=0, microsecond=0
    )
    assert not clock.startswith("0") or moment.hour == 0


@pytest.mark.parametrize(
    ("length", "age"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=12, seconds=59), "12 min"),
        (timedelta(hours=3, minutes=59), "3 h"),
        (timedelta(hours=24), "1 day"),
        (timedelta(days=13), "13 days"),
        (timedelta(days=21), "3 weeks"),
        (timedelta(days=60), "2 months"),
        (timedelta(days=729), "24 months"),
        (timedelta(days=730), "2 years"),
    ],
)
def test_an_age_is_said_in_one_unit(length: timedelta, age: str) -> None:
    assert format_age(length) == age


@given(st.timedeltas(min_value=timedelta(minutes=1), max_value=timedelta(days=36_500)))
def test_an_age_is_rounded_down_by_less_than_a_half(length: timedelta) -> None:
    count, unit = format_age(length).split(" ")
    sizes = {"min": 1, "h": 60, "day": 1440, "week": 10_080, "month": 43_200, "year": 525_600}
    rounded = timedelta(minutes=int(count) * sizes[unit if unit in sizes else unit.removesuffix("s")])
    assert rounded <= length < 2 * rounded
    assert unit in {"min", "h"} or unit.endswith("s") == (int(count) > 1)


@pytest.mark.parametrize(
    ("moment", "ago"),
    [
        (NOW - timedelta(seconds=30), "just now"),
        (NOW - timedelta(minutes=12), "12 min ago"),
        (NOW - timedelta(hours=10), "10 h ago"),
        (NOW - timedelta(hours=24), "yesterday"),
        (NOW - timedelta(hours=33), "yesterday"),
        (NOW - timedelta(hours=33, minutes=1), "2 days ago"),
        (NOW - timedelta(days=2), "2 days ago"),
        (NOW - timedelta(days=21), "3 weeks ago"),
        (NOW + timedelta(minutes=12), "in 12 min"),
        (NOW + timedelta(hours=30), "tomorrow"),
        (NOW + timedelta(days=3), "in 3 days"),
    ],
)
def test_how_long_ago_it_was_is_said_in_words(moment: datetime, ago: str) -> None:
    assert format_ago(moment, NOW) == ago


@given(MOMENTS, MOMENTS)
def test_past_and_future_are_never_confused(moment: datetime, now: datetime) -> None:
    ago = format_ago(moment, now)
    is_near = abs(now - moment) < timedelta(minutes=1)
    is_past = ago == "yesterday" or ago.endswith(" ago")
    is_ahead = ago == "tomorrow" or ago.startswith("in ")
    assert (ago == "just now", is_past, is_ahead) == (
        is_near,
        not is_near and moment < now,
        not is_near and moment > now,
    )


def test_a_count_agrees_with_its_noun() -> None:
    assert [format_count(count, "incident") for count in (1, 2, 1_200)] == [
        "1 incident",
        "2 incidents",
        "1,200 incidents",
    ]
    assert [format_count(count, "entry", "entries") for count in (0, 1)] == ["0 entries", "1 entry"]
