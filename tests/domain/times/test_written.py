"""Lines as people wrote them in incident reports, and lines without a time of the event."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.times import Reading, read

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "times"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared collection of written times is not here")


def rows(name: str) -> list[dict[str, Any]]:
    with (SHARED / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def reading(row: dict[str, Any]) -> Reading:
    return read(row["text"], datetime.fromisoformat(row["now"]).astimezone(UTC), ZoneInfo(row["zone"]))


def meant(row: dict[str, Any]) -> list[datetime]:
    return [datetime.fromisoformat(moment) for moment in (row["expected_utc"], *row["accept"]) if moment]


def is_among(moments: tuple[datetime, ...] | None, row: dict[str, Any]) -> bool:
    return any(abs(one - other) < timedelta(seconds=1) for one in moments or () for other in meant(row))


def test_ninety_five_of_a_hundred_written_lines_are_right_asked_or_offered() -> None:
    good = []
    for row in rows("written.jsonl"):
        found = reading(row)
        if row["only_ask_or_text"]:
            good.append(found.utc is None or is_among((found.utc,), row))
        elif found.utc:
            good.append(is_among((found.utc,), row))
        else:
            good.append(is_among(found.question or found.offer, row))
    assert sum(good) / len(good) >= 0.95


def test_no_written_line_is_silently_wrong() -> None:
    wrong = [
        row["text"] for row in rows("written.jsonl") if (found := reading(row)).utc and not is_among((found.utc,), row)
    ]
    assert wrong == []


def test_the_end_of_a_written_range_is_read_with_it() -> None:
    ranges = [row for row in rows("written.jsonl") if row["expected_end_utc"]]
    ends = {row["text"]: found.end_utc for row in ranges if (found := reading(row)).utc}
    assert len(ends) >= 5
    assert ends == {
        row["text"]: datetime.fromisoformat(row["expected_end_utc"]) for row in ranges if row["text"] in ends
    }


def test_no_line_without_a_time_is_taken_for_one() -> None:
    assert [row["text"] for row in rows("not-times.jsonl") if reading(row).utc] == []


def test_at_most_one_in_twenty_lines_without_a_time_gets_an_offer() -> None:
    lines = rows("not-times.jsonl")
    assert sum(reading(row).offer is not None for row in lines) / len(lines) <= 0.05
