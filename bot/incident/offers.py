"""A time that stands elsewhere in a line than where times are read: offered on the receipt, never taken unasked."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.incident.times import Reading

MOST = 3
"""Moments that one receipt offers."""

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Offer:
    """A moment at which it may have happened, with the length where the line tells a range."""

    at: datetime
    lasts: timedelta | None = None
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """One reading of a time that was asked, as its button carries it; `at` is None for none of them.

    `asked_at` is when the question was asked.
    """

    text: str
    at: datetime | None
    approximate: bool
    lasts: timedelta | None
    asked_at: datetime | None = None

    def reading(self) -> Reading:
        """The words with the time that was chosen."""
        end = self.at + self.lasts if self.at and self.lasts else None
        return Reading(self.at, end, self.approximate, self.text, None, "UTC", None, assumed_zone=False, precise=False)


def offers(reading: Reading | None, stands_at: datetime, now: datetime) -> tuple[Offer, ...]:
    """What a line says of its time that was not taken for the time of its entry, which stands at `stands_at`.

    Nothing that is still to come, and nothing within a minute of where the entry stands.
    """
    if reading is None:
        return ()
    return tuple(
        offer for offer in _named(reading) if offer.at <= now + _MINUTE and abs(offer.at - stands_at) >= _MINUTE
    )[:MOST]


def _named(reading: Reading) -> tuple[Offer, ...]:
    if reading.offer is not None:
        return tuple(Offer(at) for at in dict.fromkeys(reading.offer))
    if reading.question is not None:
        return tuple(Offer(at, reading.lasts, reading.approximate) for at in dict.fromkeys(reading.question))
    if reading.utc is None:
        return ()
    lasts = reading.end_utc - reading.utc if reading.end_utc else None
    return (Offer(reading.utc, lasts, reading.approximate),)
