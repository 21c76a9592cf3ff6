"""How well written times are read, measured on a collection whose correct readings are known.

A row is a JSON object: `raw` (the time as written), `line` (with the text around it), `context_date`, `tz_of_author`
(an IANA name or `UTC+1`), `expected_utc`, and optionally `expected_end_utc`, `approximate`, `expected_utc_literal` (a
second correct reading), `language` (the author's, as a BCP 47 tag), `kind`, and `note`. A row is read as on the
evening of its `context_date` in its author's zone.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.domain import times
from bot.domain.times import Reading
from bot.domain.times.zones import parse_zone

CORPUS = Path(__file__).resolve().parents[2] / ".." / "shared" / "times" / "times.jsonl"
"""The shared collection of times; elsewhere it may be missing."""
ENOUGH = 0.99
"""The share of times that must be read correctly; none may be silently wrong."""

Row = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """The results of one kind. `asked` became a question, `wrong` is a reading that no one would notice.

    `excused` are the wrong ones whose row has a note that its source itself is wrong; they do not count.
    """

    right: int = 0
    asked: int = 0
    wrong: int = 0
    excused: int = 0

    @property
    def total(self) -> int:
        """The readings that count."""
        return self.right + self.asked + self.wrong


@dataclass(frozen=True, slots=True)
class Score:
    """The tally by kind, and a sentence for each line that was read wrong."""

    kinds: dict[str, Tally]
    misread: tuple[str, ...]

    @property
    def whole(self) -> Tally:
        """All kinds together."""
        tallies = self.kinds.values()
        return Tally(
            *(sum(getattr(tally, name) for tally in tallies) for name in ("right", "asked", "wrong", "excused"))
        )

    @property
    def is_enough(self) -> bool:
        """Whether enough times are right and none is silently wrong. An empty collection is not enough."""
        whole = self.whole
        return whole.wrong == 0 and whole.total > 0 and whole.right >= ENOUGH * whole.total


def parse_rows(text: str) -> list[Row]:
    """The rows of a file of JSON lines. Raises ValueError with the number of the first line that is not a row."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            parse_zone(row["tz_of_author"])
            _ = row["raw"], row["context_date"], row["expected_utc"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"Line {number} is not a row of times ({type(error).__name__}).") from error
        rows.append(row)
    return rows


def score(rows: Iterable[Row]) -> Score:
    """Read each time twice: in its own line, and before other words."""
    kinds: dict[str, Tally] = {}
    misread: list[str] = []
    for row in rows:
        tally = kinds.setdefault(row.get("kind") or "other", Tally())
        for text in (row.get("line") or row["raw"], f"{row['raw']} what happened"):
            reading = read(row, text)
            verdict = _verdict(row, reading)
            setattr(tally, verdict, getattr(tally, verdict) + 1)
            if verdict == "wrong":
                misread.append(f"{text[:60]!r} was read as {reading.utc}, and is {row['expected_utc']}")
    return Score(kinds, tuple(misread))


def read(row: Row, text: str) -> Reading:
    """Read a text as the row's author would on that evening."""
    zone = parse_zone(row["tz_of_author"])
    evening = datetime.fromisoformat(f"{row['context_date']}T23:59:59").replace(tzinfo=zone)
    return times.read(text, evening.astimezone(UTC), zone, language=row.get("language") or "en")


def is_right(row: Row, reading: Reading) -> bool:
    """Whether a reading is one that the row accepts, with its end and its doubt."""
    starts = {parse_moment(row["expected_utc"]), parse_moment(row.get("expected_utc_literal"))} - {None}
    end = parse_moment(row.get("expected_end_utc"))
    doubt = bool(row.get("approximate")) <= reading.approximate
    return reading.utc in starts and (end is None or reading.end_utc == end) and doubt


def _verdict(row: Row, reading: Reading) -> str:
    if reading.question is not None:
        return "asked"
    if is_right(row, reading):
        return "right"
    return "excused" if "wrong" in row.get("note", "") else "wrong"


def parse_moment(text: str | None) -> datetime | None:
    """A moment of a row, if it has it."""
    return datetime.fromisoformat(text) if text else None
