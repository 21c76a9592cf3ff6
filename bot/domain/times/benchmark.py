"""How well written times are read, against a collection whose right readings are known.

A row is a JSON object: `raw` (the time as written), `line` (with the text around it), `context_date`, `tz_of_author`
(an IANA name or `UTC+1`), `expected_utc`, and where it applies `expected_end_utc`, `approximate`,
`expected_utc_literal` (a second right reading), `language` (of its author, as a BCP 47 tag), `kind`, and `note`. The
line is read as on the evening of its `context_date` in its author's zone.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain import times
from bot.domain.times import Reading
from bot.errors import Refused

ENOUGH = 0.99
"""The share of times that must be read right; none may be silently wrong."""

_OFFSET = re.compile(r"UTC([+-]\d{1,2})(?::?(\d{2}))?")

Row = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """What became of the times of one kind. `asked` is an honest question, `wrong` a reading that nobody would notice.

    `excused` are the wrong ones where the row's note says that its source itself is wrong.
    """

    right: int = 0
    asked: int = 0
    wrong: int = 0
    excused: int = 0

    @property
    def total(self) -> int:
        """The times that count: all but the excused ones."""
        return self.right + self.asked + self.wrong


@dataclass(frozen=True, slots=True)
class Score:
    """The tally by kind, and each line that was read wrong, with what was understood."""

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
        """Whether enough is right and nothing silently wrong."""
        whole = self.whole
        return whole.wrong == 0 and whole.total > 0 and whole.right >= ENOUGH * whole.total


def rows_of(text: str) -> list[Row]:
    """The rows of a file of JSON lines; raises Refused for a line that is no row."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            zone_of(row["tz_of_author"])
            _ = row["raw"], row["context_date"], row["expected_utc"]
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(f"Line {number} is no row of a collection of times ({type(error).__name__}).") from error
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
    """A text as the row's author would have had it read that evening."""
    zone = zone_of(row["tz_of_author"])
    evening = datetime.fromisoformat(f"{row['context_date']}T23:59:59").replace(tzinfo=zone)
    return times.read(text, evening.astimezone(UTC), zone, language=row.get("language") or "en")


def is_right(row: Row, reading: Reading) -> bool:
    """Whether a reading is one that the row gives."""
    starts = {_moment(row["expected_utc"]), _moment(row.get("expected_utc_literal"))} - {None}
    end = _moment(row.get("expected_end_utc"))
    doubt = bool(row.get("approximate")) <= reading.approximate
    return reading.utc in starts and (end is None or reading.end_utc == end) and doubt


def zone_of(name: str) -> tzinfo:
    """A zone by its IANA name or as `UTC+1`; raises ValueError or KeyError for anything else."""
    offset = _OFFSET.fullmatch(name)
    if offset is None:
        return ZoneInfo(name)
    hours = int(offset[1])
    return timezone(timedelta(hours=hours, minutes=int(offset[2] or 0) * (1 if hours >= 0 else -1)))


def table(result: Score) -> str:
    """The score as lines to print."""
    lines = [f"{'kind':<28}{'right':>7}{'asked':>7}{'wrong':>7}{'source wrong':>14}"]
    for kind, tally in (*sorted(result.kinds.items()), ("all", result.whole)):
        lines.append(f"{kind:<28}{tally.right:>7}{tally.asked:>7}{tally.wrong:>7}{tally.excused or '':>14}")
    whole = result.whole
    share = whole.right / whole.total if whole.total else 0.0
    return "\n".join([*lines, f"{share:.2%} right, {whole.asked} asked, {whole.wrong} silently wrong", *result.misread])


def _verdict(row: Row, reading: Reading) -> str:
    if reading.question is not None:
        return "asked"
    if is_right(row, reading):
        return "right"
    return "excused" if "wrong" in row.get("note", "") else "wrong"


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
