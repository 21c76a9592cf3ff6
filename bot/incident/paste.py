"""Many lines at once, as they are copied out of a document or a chat: each becomes an entry, a note to one, or neither.

A line that begins with a time is an entry; lines without one go on with the entry above them. A line that is only a
date is a heading: the times below it are of that date, as are those below a line that is written with its date.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo

from bot.errors import Refused
from bot.incident import moments
from bot.incident.moments import Reading

MOST_LINES = 200
MOST_CHARACTERS = 9_000
"""What the three fields of a form hold."""

_NIGHT = timedelta(hours=12)
"""So far back, a time of day is one of the day after: less is a line that stands in the wrong place."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one line of a paste is read as; `number` counts the lines from 1, `text` is with the lines that go on.

    `problem` says why it cannot be recorded as it stands, and is empty where it can; then `reading.utc` is set.
    `is_earlier`: it happened before the line above it.
    """

    number: int
    written: str
    reading: Reading
    text: str
    more: int = 0
    problem: str = ""
    is_earlier: bool = False

    @property
    def can_be_recorded(self) -> bool:
        """Whether it has one honest time and words."""
        return not self.problem


@dataclass(slots=True)
class _Walk:
    now: datetime
    zone: tzinfo
    rolls: bool
    language: str
    on: date | None = None
    lines: list[Line] = field(default_factory=list)
    is_open: bool = False
    """Whether the line above takes what goes on: a heading ends it."""

    def take(self, number: int, written: str) -> None:
        heading = moments.date_alone(written, self.now, self.zone, self.on)
        if heading is not None:
            self.on, self.is_open = heading, False
            return
        reading = self._read(written)
        if reading.utc is None and reading.question is None and self.is_open:
            self._goes_on(written)
            return
        before = self.lines[-1].reading.utc if self.lines else None
        earlier = bool(before and reading.utc and reading.utc < before)
        self.lines.append(Line(number, written, reading, reading.text, 0, _problem(reading), earlier))
        self.on, self.is_open = reading.day or self.on, True

    def _read(self, written: str) -> Reading:
        reading = moments.read(written, self.now, self.zone, self.on, self.language)
        before = next((line.reading.utc for line in reversed(self.lines) if line.reading.utc), None)
        if not (self.rolls and self.on and before and reading.utc and before - reading.utc >= _NIGHT):
            return reading
        return moments.read(written, self.now, self.zone, self.on + timedelta(days=1), self.language)

    def _goes_on(self, written: str) -> None:
        above = self.lines[-1]
        self.lines[-1] = replace(above, text=f"{above.text}\n{written}".strip(), more=above.more + 1)
        if above.problem == _NO_WORDS:
            self.lines[-1] = replace(self.lines[-1], problem="")


_TIME_BEHIND = "Its time does not stand first. Put it at the beginning of the line, or it is not recorded."
_NO_TIME = "It has no time, and there is no line above that it could belong to."
_NO_WORDS = "It is a time without what happened."


def _problem(reading: Reading) -> str:
    if reading.question is not None:
        return reading.problem or "Its time can be read in several ways."
    if reading.utc is None:
        return _TIME_BEHIND if reading.offer else _NO_TIME
    return "" if reading.text else _NO_WORDS


def read(text: str, now: datetime, zone: tzinfo, *, rolls: bool = False, language: str = "en") -> tuple[Line, ...]:
    """Read every line; `now`, `zone` and `language` as in `moments.read`.

    `rolls`: below a date, a time of day that goes back by half a day or more is one of the day after. Raises Refused
    where nothing has a time, or where it is more than can be shown at once.
    """
    written = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    written = [(number, line) for number, line in written if line]
    if len(written) > MOST_LINES:
        raise too_much(text)
    walk = _Walk(now, zone, rolls, language)
    for number, line in written:
        walk.take(number, line)
    if all(line.reading.utc is None and line.reading.question is None for line in walk.lines):
        sentence = (
            "None of these lines has a time. Begin each with the time at which it happened, as in 14:05 failed over."
            if written
            else "There is nothing to read yet. Paste some lines, each with the time at which it happened."
        )
        raise Refused(sentence)
    return tuple(walk.lines)


def too_much(text: str) -> Refused:
    """The refusal of more than fits at once."""
    count = sum(1 for line in text.splitlines() if line.strip())
    return Refused(
        f"That is {count:,} lines with {len(text):,} characters, and nothing of it was recorded. At most {MOST_LINES} "
        f"lines and {MOST_CHARACTERS:,} characters fit at once: paste the first part, then the next."
    )
