"""The only reader of the machine's clock. Everything else gets the time as an argument, or a `Clock`."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

# Linux's CLOCK_MONOTONIC stands still while the machine sleeps. Elsewhere the monotonic clock goes on.
_COUNTER = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def count_seconds() -> float:
    """Seconds since some moment, by a counter that can't be set and goes on while the machine sleeps."""
    return time.clock_gettime(_COUNTER)


class Clock(Protocol):
    """Returns the time as an aware UTC datetime."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class TimeReading:
    """Another clock was read: it showed `at` when the counter showed `counted`, give or take `error` seconds."""

    at: datetime
    counted: float
    error: float

    @classmethod
    def between(cls, began: float, at: datetime, ended: float) -> "TimeReading":
        """A reading that was asked for and answered at these counts: it is taken to be of the middle."""
        return cls(at, (began + ended) / 2, (ended - began) / 2)

    def show(self, counted: float) -> datetime:
        """What that clock shows at another count."""
        return self.at + timedelta(seconds=counted - self.counted)


class CorrectedClock:
    """A clock that is set by what other clocks show: the database's, or Slack's. Until the first it is the machine's.

    Between two settings it goes on by the counter: setting the machine's clock meanwhile does not move it. Any
    thread may read it.
    """

    def __init__(self, machine: Clock | None = None, count: Callable[[], float] = count_seconds) -> None:
        self.machine: Clock = machine or SystemClock()
        """The machine's own clock, uncorrected."""
        self._count = count
        self._latest: TimeReading | None = None

    def now(self) -> datetime:
        latest = self._latest
        return self.machine.now() if latest is None else latest.show(self._count())

    def show(self, counted: float) -> datetime | None:
        """What it shows at a count; None if it was never set."""
        return self._latest.show(counted) if self._latest is not None else None

    def read_machine(self) -> TimeReading:
        """What the machine's clock shows."""
        return TimeReading.between(self._count(), self.machine.now(), self._count())

    def set(self, reading: TimeReading) -> None:
        """Go on from what another clock showed."""
        self._latest = reading


class SettableClock:
    """A clock that moves only when it is set: for rehearsals and tests."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        """Set the clock to an aware time, also backwards."""
        self._now = now.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        self._now += by
