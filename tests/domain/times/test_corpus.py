"""Times as real incident teams wrote them, from the shared collection of published timelines."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.times import Reading, read
from tests.support.times_score import CORPUS, parse_moment

BULLET = re.compile(r"^[*-] ")

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="the shared collection of published timelines is not here")


def rows() -> list[dict[str, Any]]:
    with CORPUS.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def zone_of(name: str) -> tzinfo:
    return timezone(timedelta(hours=1)) if name == "UTC+1" else ZoneInfo(name)


def reading(row: dict[str, Any], text: str) -> Reading:
    zone = zone_of(row["tz_of_author"])
    evening = datetime.fromisoformat(f"{row['context_date']}T23:59:59").replace(tzinfo=zone)
    return read(text, evening.astimezone(UTC), zone)


def is_right(row: dict[str, Any], found: Reading) -> bool:
    starts = {parse_moment(row["expected_utc"]), parse_moment(row.get("expected_utc_literal"))} - {None}
    ends = {parse_moment(row.get("expected_end_utc"))} - {None}
    return found.utc in starts and (not ends or found.end_utc in ends)


def texts(row: dict[str, Any]) -> list[str]:
    return [f"{row['raw']} what happened", row["line"], BULLET.sub("", row["line"])]


def test_ninety_nine_of_a_hundred_published_times_are_read_right_in_every_shape() -> None:
    for shape in range(3):
        right = [is_right(row, reading(row, texts(row)[shape])) for row in rows()]
        assert sum(right) / len(right) >= 0.99


def test_no_published_time_is_silently_wrong_but_where_its_source_is() -> None:
    wrong = [
        text
        for row in rows()
        for text in texts(row)
        if (found := reading(row, text)).question is None
        and not is_right(row, found)
        and "wrong" not in row.get("note", "")
    ]
    assert wrong == []


def test_what_happened_is_the_exact_rest_of_a_published_line() -> None:
    assert {reading(row, f"{row['raw']} what happened").text for row in rows()} == {"what happened"}


def test_every_time_published_as_approximate_is_read_as_approximate() -> None:
    marked = [row for row in rows() if row.get("approximate")]
    assert marked
    assert all(reading(row, row["line"]).approximate for row in marked)
