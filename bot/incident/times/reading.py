"""What a line says about its time."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line says about its time.

    Exactly one of three: `utc` is given, `question` is given, or neither is and no time was written.

    `question` holds the honest readings (aware UTC, ascending; empty where the time can not be, like "25:99"), and
    `problem` says in a sentence why it must be asked. `text` is the rest: what happened, as it was written. `zone` is
    a short label ("Berlin", "CET", "+02:00"), `assumed_zone` says that it is the author's own, `precise` that seconds
    were written. `lasts` is the length of a range, for the choice among questions. `day` is the date that stood beside
    the time, or that was given for it, in the zone of the time. `offer` holds the moments of a clock that stands
    elsewhere in a line which is recorded as of now (aware UTC, ascending), else None.
    """

    utc: datetime | None
    end_utc: datetime | None
    approximate: bool
    text: str
    question: tuple[datetime, ...] | None
    zone: str | None
    written: str | None
    assumed_zone: bool
    precise: bool
    problem: str | None = None
    lasts: timedelta | None = None
    day: date | None = None
    offer: tuple[datetime, ...] | None = None
