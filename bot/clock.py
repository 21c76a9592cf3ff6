"""The only reader of the machine's clock. Everything else gets the time as an argument, or a `Clock`."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Returns the time as an aware UTC datetime."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


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
