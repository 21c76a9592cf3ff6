"""The cost of reading grows with the length of a line only, whatever is in it. Counts operations, not seconds."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.times import read

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
PIECES = [
    "14:05 ", "a 14:05 ", "1:", "12:30 ", '{"ts":', "(", "14:05 | ", "| ", "yesterday ", "1h", "9\u6708", "Nov ",
    "am ", "10/11/", "at ", "gestern ", "UTC+", "\u4eca\u671d", "hora de ", "epoch ", "'", " time", "A time ", "- ",
    "<!date^1", "\u0432\u0447\u0435\u0440\u0430 ", "\u6628\u5929", "5 \u043c\u0430\u044f ", "\u043f\u043e ",
    "v ", "sobota ",
]  # fmt: skip


def calls(work: Callable[[], object]) -> int:
    count = 0

    def count_call(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(count_call)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("begin", ["", "14:05 ", "failed at "])
def test_a_line_of_forty_thousand_characters_takes_as_many_steps_as_a_short_one(piece: str, begin: str) -> None:
    def cost(length: int) -> int:
        line = (begin + piece * (length // len(piece) + 1))[:length]
        read(line, NOW, ZoneInfo("Europe/Berlin"))
        return calls(lambda: read(line, NOW, ZoneInfo("Europe/Berlin")))

    assert cost(40_000) <= 1.2 * cost(4_000) + 50
