"""What a paste is read as: lines that can be recorded or are flagged, and lines that were heeded."""

from dataclasses import dataclass
from datetime import date, tzinfo

from bot.incident.times import Reading


@dataclass(frozen=True, slots=True)
class Line:
    """What one line of a paste is read as; `number` counts the lines from 1, `text` is with the lines that go on.

    `problem` says why it cannot be recorded as it stands, and is empty where it can; then `reading.utc` is set.
    `is_earlier`: it happened before the line above it; `may_be_next_day`: by half a day or more, under the same date.
    `also_names` are the numbers of the lines that go on with it and hold another time.
    """

    number: int
    written: str
    reading: Reading
    text: str
    more: int = 0
    problem: str = ""
    is_earlier: bool = False
    may_be_next_day: bool = False
    also_names: tuple[int, ...] = ()

    @property
    def can_be_recorded(self) -> bool:
        """Whether it has one honest time and words."""
        return not self.problem


@dataclass(frozen=True, slots=True)
class Heeded:
    """A line that counts for those below it and is no entry: the day and the zone that it names, as far as it does."""

    number: int
    written: str
    day: date | None = None
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that a paste is read as."""

    lines: tuple[Line, ...]
    heeded: tuple[Heeded, ...] = ()
