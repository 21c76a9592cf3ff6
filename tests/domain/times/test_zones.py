"""Zone names: what an abbreviation means depends on who wrote it and when."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest

from bot.domain.times import read

SUMMER = datetime(2026, 7, 15, 23, 30, tzinfo=UTC)
WINTER = datetime(2026, 1, 15, 23, 30, tzinfo=UTC)


def hours(text: str, now: datetime, author: str) -> list[str]:
    found = read(text, now, ZoneInfo(author))
    moments = found.question if found.utc is None else (found.utc,)
    assert moments
    return [f"{moment:%H:%M}" for moment in moments]


@pytest.mark.parametrize(
    ("text", "author", "expected"),
    [
        ("14:05 IST x", "Asia/Kolkata", ["08:35"]),
        ("14:05 IST x", "Asia/Jerusalem", ["12:05"]),
        ("14:05 CST x", "America/Chicago", ["20:05"]),
        ("14:05 CST x", "America/New_York", ["20:05"]),
        ("14:05 CST x", "Asia/Shanghai", ["06:05"]),
        ("14:05 CST x", "Europe/Berlin", ["06:05", "20:05"]),
        ("14:05 AST x", "America/Halifax", ["18:05"]),
        ("14:05 AST x", "Asia/Riyadh", ["11:05"]),
        ("14:05 EST x", "America/New_York", ["19:05"]),
        ("14:05 EST x", "Europe/Berlin", ["19:05"]),
        ("14:05 PST x", "Europe/Berlin", ["22:05"]),
        ("14:05 CET x", "America/New_York", ["13:05"]),
    ],
)
def test_an_abbreviation_means_what_fits_its_author(text: str, author: str, expected: list[str]) -> None:
    assert hours(text, WINTER, author) == expected


def test_an_abbreviation_of_three_countries_is_asked_of_anybody_else() -> None:
    assert hours("14:05 IST x", WINTER, "Asia/Tokyo") == ["08:35", "12:05", "13:05", "14:05"]
    assert hours("14:05 BST x", SUMMER, "America/New_York") == ["08:05", "13:05"]
    assert hours("14:05 BST x", SUMMER, "Europe/London") == ["13:05"]


@pytest.mark.parametrize(("name", "readings"), [("PST", ["21:05", "22:05"]), ("CET", ["12:05", "13:05"])])
def test_a_winter_name_in_summer_has_two_honest_readings(name: str, readings: list[str]) -> None:
    assert hours(f"14:05 {name} x", SUMMER, "Europe/Berlin") == readings


def test_a_winter_name_is_literal_for_an_author_whose_clocks_never_change() -> None:
    assert hours("14:05 MST x", SUMMER, "America/Phoenix") == ["21:05"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:05 UTC x", "14:05"),
        ("14:05 GMT x", "14:05"),
        ("14:05z x", "14:05"),
        ("14:05 UTC+3 x", "11:05"),
        ("14:05 GMT-5 x", "19:05"),
        ("14:05 UTC+05:30 x", "08:35"),
        ("14:05+0200 x", "12:05"),
        ("14:05 -05:00 x", "19:05"),
        ("14:05 PT x", "21:05"),
        ("14:05 ET x", "18:05"),
        ("14:05 JST x", "05:05"),
        ("14:05 NZST x", "02:05"),
        ("14:05 America/Argentina/Buenos_Aires x", "17:05"),
        ("14:05 europe/berlin x", "12:05"),
        ("14:05 (New York) x", "18:05"),
        ("14:05 San Francisco time x", "21:05"),
        ("14:05 Bangalore x", "08:35"),
        ("14:05 Eastern: x", "18:05"),
        ("14:05 local time x", "12:05"),
    ],
)
def test_zones_are_written_in_many_ways(text: str, expected: str) -> None:
    found = read(text, SUMMER, ZoneInfo("Europe/Berlin"))
    assert found.utc is not None
    assert (f"{found.utc:%H:%M}", found.text) == (expected, "x")


def test_every_iana_name_is_understood() -> None:
    moment = datetime(2026, 7, 14, 14, 5, tzinfo=UTC)
    for name in sorted(key for key in available_timezones() if "/" in key):
        expected = moment.replace(tzinfo=ZoneInfo(name)).astimezone(UTC)
        assert read(f"2026-07-14 14:05 {name} x", SUMMER, UTC).utc == expected, name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("08:00-09:00 x", ["08:00"]),
        ("23:00-01:00 x", ["23:00"]),
        ("2026-07-13 14:05-03:00 UTC x", ["14:05"]),
        ("11:05-03:00 x", ["11:05", "11:05", "14:05"]),
        ("2026-07-14T08:05-03:00 x", ["11:05"]),
        ("2026-07-14 08:05:33-03:00 x", ["11:05"]),
        ("11:05 +1000 errors", ["01:05", "11:05"]),
    ],
)
def test_a_signed_number_is_an_offset_a_range_or_asked(text: str, expected: list[str]) -> None:
    assert hours(text, datetime(2026, 7, 15, 14, 30, tzinfo=UTC), "Etc/UTC") == expected
