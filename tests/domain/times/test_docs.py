"""The table in docs/times.md is true."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.domain.times import Reading, read

PAGE = Path(__file__).resolve().parents[3] / "docs" / "times.md"
ROW = re.compile(r"^\| [^|]*\| `(?P<example>[^`]*)` \| (?P<result>[^|]+) \|$", re.MULTILINE)
NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def format_moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}".removesuffix(".000").removesuffix(":00")


def describe_reading(found: Reading) -> str:
    if found.question is not None:
        return "asked: " + " or ".join(map(format_moment, found.question)) if found.question else "asked"
    if found.utc is None:
        return "no time"
    end = f" to {format_moment(found.end_utc)}" if found.end_utc else ""
    return f"{'~' if found.approximate else ''}{format_moment(found.utc)}{end}"


def test_every_row_of_the_grammar_is_read_as_it_says() -> None:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len(rows) > 60
    readings = {
        example: describe_reading(read(f"{example} failed over", NOW, ZoneInfo("Europe/Berlin"))) for example, _ in rows
    }
    assert readings == dict(rows)
