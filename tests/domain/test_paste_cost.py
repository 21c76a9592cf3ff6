"""The cost of a paste grows with its number of lines only, whatever is in them. Counts operations, not seconds."""

import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.pasting.paste import read_lines

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
LINES = [
    "12:05 failed over to the replica",
    "and nobody saw it until noon, as they were all at lunch",
    "Ana  2:05 PM",
    "2:07",
    "### 2026-11-20 Friday (all times CET)",
    "03/04/2026",
    "the response times in Denver were slow on 4 mars 2026",
    "| 1 | 12:05 | down |",
    "22:XX more reports",
    "00:10 (+1 day) worse",
    "Update 26.08.2022 18:00 Uhr:",
]


def cost(text: str) -> int:
    """How many calls reading a text takes."""
    count = 0

    def count_call(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(count_call)
    try:
        read_lines(text, NOW, BERLIN)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("line", LINES)
def test_four_times_the_lines_take_four_times_the_steps(line: str) -> None:
    few, many = ("\n".join(["2026-11-20 10:00 first", *[line] * count]) for count in (40, 160))
    read_lines(many, NOW, BERLIN)
    assert cost(many) <= 4.4 * cost(few) + 500


@pytest.mark.parametrize(
    "piece", ["4 mars ", "all times in ", "3/4/26 ", "Ana ", "| ", "22:XX ", "+1 day ", "**", "— "]
)
def test_a_long_line_takes_as_many_steps_as_a_short_one(piece: str) -> None:
    short, long = (f"12:05 first\n{piece * (length // len(piece))}" for length in (900, 8_000))
    read_lines(long, NOW, BERLIN)
    assert cost(long) <= 1.5 * cost(short) + 2_000
