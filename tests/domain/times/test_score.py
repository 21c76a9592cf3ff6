"""`afterword when --score`: how well written times are read, by kind."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.cli import main

CORPUS = Path(__file__).resolve().parents[3] / ".." / "shared" / "times" / "times.jsonl"


def row(raw: str, expected: str, **more: Any) -> dict[str, Any]:
    given = {"raw": raw, "line": f"{raw} failed over", "context_date": "2026-11-23", "tz_of_author": "Europe/Berlin"}
    return {**given, "expected_utc": expected, "kind": "bare clock", **more}


def scored(path: Path, *rows: dict[str, Any]) -> Result:
    path.write_text("\n".join(json.dumps(one) for one in rows), encoding="utf-8")
    return CliRunner().invoke(main, ["when", "--score", str(path)])


@pytest.mark.skipif(not CORPUS.exists(), reason="the shared collection of published timelines is not here")
def test_the_published_times_are_read_right_and_none_silently_wrong() -> None:
    result = CliRunner().invoke(main, ["when", "--score", str(CORPUS)])
    assert result.exit_code == 0, result.output
    words = result.output.splitlines()[-1].split()
    assert float(words[0].rstrip("%")) >= 99
    assert words[-3:] == ["0", "silently", "wrong"]


def test_each_kind_has_its_line_and_every_time_is_read_in_two_places(tmp_path: Path) -> None:
    result = scored(
        tmp_path / "times.jsonl",
        row("14:05", "2026-11-23T13:05:00Z"),
        row("14:05 UTC+1", "2026-11-23T13:05:00Z", tz_of_author="UTC+5:30", kind="offset"),
    )
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["bare", "clock", "2", "0", "0"] in lines
    assert ["offset", "2", "0", "0"] in lines
    assert ["all", "4", "0", "0"] in lines


def test_one_silently_wrong_time_fails_and_is_named(tmp_path: Path) -> None:
    result = scored(tmp_path / "times.jsonl", row("14:05", "2026-11-23T14:05:00Z"))
    assert result.exit_code == 1
    assert "'14:05 failed over' was read as 2026-11-23 13:05:00+00:00, and is 2026-11-23T14:05:00Z" in result.output


def test_a_question_is_not_wrong_but_too_many_are_not_enough(tmp_path: Path) -> None:
    result = scored(tmp_path / "times.jsonl", row("03/04 14:05", "2026-04-03T12:05:00Z"))
    assert result.exit_code == 1
    assert "0.00% right, 2 asked, 0 silently wrong" in result.output


def test_a_source_that_is_wrong_itself_stands_apart(tmp_path: Path) -> None:
    right = row("13:05", "2026-11-23T12:05:00Z")
    result = scored(tmp_path / "times.jsonl", right, row("14:05", "2026-11-23T14:05:00Z", note="source is wrong"))
    assert result.exit_code == 0, result.output
    assert ["bare", "clock", "2", "0", "0", "2"] in [line.split() for line in result.output.splitlines()]


def test_a_lost_end_or_a_lost_doubt_is_wrong(tmp_path: Path) -> None:
    ends = scored(
        tmp_path / "ends.jsonl", row("14:05", "2026-11-23T13:05:00Z", expected_end_utc="2026-11-23T13:20:00Z")
    )
    doubts = scored(tmp_path / "doubts.jsonl", row("14:05", "2026-11-23T13:05:00Z", approximate=True))
    assert (ends.exit_code, doubts.exit_code) == (1, 1)


@pytest.mark.parametrize("text", ["no json", '{"raw": "14:05"}', '["14:05"]', '{"tz_of_author": "Mars/Olympus"}'])
def test_a_line_that_is_no_row_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "times.jsonl"
    path.write_text(f"\n{text}\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["when", "--score", str(path)])
    assert result.exit_code == 1
    assert "Line 2 is no row of a collection of times" in result.output


def test_an_empty_collection_proves_nothing(tmp_path: Path) -> None:
    assert scored(tmp_path / "times.jsonl").exit_code == 1


def test_without_a_line_to_read_it_says_how() -> None:
    result = CliRunner().invoke(main, ["when"])
    assert result.exit_code == 2
    assert "Give the line to read" in result.output
