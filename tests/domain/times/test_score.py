"""The score of the time grammar, by kind, and how it is counted."""

import json
from typing import Any

import pytest

from tests.support.times_score import CORPUS, Score, Tally, parse_rows, score


def row(raw: str, expected: str, **more: Any) -> dict[str, Any]:
    values = {"raw": raw, "line": f"{raw} failed over", "context_date": "2026-11-23", "tz_of_author": "Europe/Berlin"}
    return {**values, "expected_utc": expected, "kind": "bare clock", **more}


def score_rows(*rows: dict[str, Any]) -> Score:
    return score(parse_rows("\n".join(json.dumps(one) for one in rows)))


@pytest.mark.skipif(not CORPUS.exists(), reason="the shared collection of published timelines is not here")
def test_every_published_time_is_read_right() -> None:
    result = score(parse_rows(CORPUS.read_text(encoding="utf-8")))
    assert result.is_enough, result.misread
    assert result.misread == ()
    assert (result.whole.right, result.whole.asked, result.whole.wrong) == (result.whole.total, 0, 0)


def test_each_kind_has_its_tally_and_every_time_is_read_in_two_places() -> None:
    result = score_rows(
        row("14:05", "2026-11-23T13:05:00Z"),
        row("14:05 UTC+1", "2026-11-23T13:05:00Z", tz_of_author="UTC+5:30", kind="offset"),
    )
    assert result.is_enough
    assert result.kinds == {"bare clock": Tally(right=2), "offset": Tally(right=2)}
    assert result.whole == Tally(right=4)


def test_one_silently_wrong_time_fails_and_is_named() -> None:
    result = score_rows(row("14:05", "2026-11-23T14:05:00Z"))
    assert not result.is_enough
    assert "'14:05 failed over' was read as 2026-11-23 13:05:00+00:00, and is 2026-11-23T14:05:00Z" in result.misread


def test_a_question_is_not_wrong_but_too_many_are_not_enough() -> None:
    result = score_rows(row("03/04 14:05", "2026-04-03T12:05:00Z"))
    assert not result.is_enough
    assert result.whole == Tally(asked=2)


def test_a_source_that_is_wrong_itself_is_counted_apart() -> None:
    right = row("13:05", "2026-11-23T12:05:00Z")
    result = score_rows(right, row("14:05", "2026-11-23T14:05:00Z", note="source is wrong"))
    assert result.is_enough
    assert result.kinds == {"bare clock": Tally(right=2, excused=2)}


def test_a_lost_end_or_a_lost_doubt_is_wrong() -> None:
    ends = score_rows(row("14:05", "2026-11-23T13:05:00Z", expected_end_utc="2026-11-23T13:20:00Z"))
    doubts = score_rows(row("14:05", "2026-11-23T13:05:00Z", approximate=True))
    assert (ends.is_enough, doubts.is_enough) == (False, False)


@pytest.mark.parametrize("text", ["no json", '{"raw": "14:05"}', '["14:05"]', '{"tz_of_author": "Mars/Olympus"}'])
def test_a_line_that_is_no_row_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="Line 2 is not a row of times"):
        parse_rows(f"\n{text}\n")


def test_an_empty_collection_proves_nothing() -> None:
    assert not score_rows().is_enough
