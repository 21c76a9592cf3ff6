"""What time it is, where clocks disagree, and whether it is sure enough to settle what is due by it.

On PostgreSQL the replicas go by the database's clock, because leases of two clocks a minute apart overlap. On SQLite it
is the machine's clock, corrected by Slack's if they differ. What jumps by more than a day is not believed until Slack
says the same: whatever is settled too early does not come again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.text import format_age

OFF = timedelta(seconds=5)
"""A clock that is off by more is reported. Below it a clock is right: Slack tells its time in whole seconds."""

IMPLAUSIBLE = timedelta(days=1)
"""A jump beyond this, and as long without a sweep, may be a wrong clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReadings:
    """What the clocks show, all of one moment.

    `database` is None on SQLite. `expected` is where our own clock has got to since it was last set, None at the start.
    `slack` is None while Slack does not answer. `machine_error` is what Slack said the machine's clock was ahead the
    last time. `swept_at` is the last sweep of any process. `is_sure`: an earlier verdict of this process had no doubt.
    """

    machine: datetime
    database: datetime | None = None
    expected: datetime | None = None
    slack: datetime | None = None
    machine_error: timedelta = timedelta()
    swept_at: datetime | None = None
    is_sure: bool = False

    @property
    def source(self) -> datetime:
        """The time by the clock that we go by."""
        return self.machine - self.machine_error if self.database is None else self.database


@dataclass(frozen=True, slots=True)
class ClockVerdict:
    """The time. `doubt` says why nothing may be settled by it; `trouble` what is wrong with a clock."""

    now: datetime
    doubt: str = ""
    trouble: str = ""


def is_surprising(readings: ClockReadings) -> bool:
    """Whether Slack should be asked before the clock that we go by is believed."""
    return _has_jumped(readings, OFF) or bool(_find_doubt(readings))


def judge(readings: ClockReadings) -> ClockVerdict:
    """Decide what time it is."""
    now, doubt = readings.source, ""
    if readings.slack is None:
        doubt = _find_doubt(readings)
        # A clock of ours that was sure goes on; at the start there is none better than the one in doubt.
        now = readings.expected if doubt and readings.is_sure and readings.expected is not None else now
    elif readings.database is None:
        # Slack tells whole seconds, so a clock that is right is the finer one.
        now = readings.machine if abs(readings.machine - readings.slack) <= OFF else readings.slack
    elif abs(readings.database - readings.slack) > IMPLAUSIBLE:
        now = readings.expected or now
        doubt = _explain(f"The database's clock is {_apart(readings.database, readings.slack)} Slack's.")
    return ClockVerdict(now, doubt, _find_trouble(readings, now))


def _find_doubt(readings: ClockReadings) -> str:
    """Why nothing may be settled while Slack is silent; empty if the clock is plausible."""
    whose = "This machine's" if readings.database is None else "The database's"
    swept_at = readings.swept_at
    if readings.is_sure:
        # A person ordered a sweep at that time: the clock is right.
        is_ordered = swept_at is not None and abs(readings.source - swept_at) <= IMPLAUSIBLE
        if is_ordered or readings.expected is None or not _has_jumped(readings, IMPLAUSIBLE):
            return ""
        return _explain(f"{whose} clock jumped: it is {_apart(readings.source, readings.expected)} where it should be.")
    if swept_at is None:
        return _explain(f"{whose} clock isn't confirmed yet.")
    # A clock that is behind settles late, and nothing too early.
    if readings.source - swept_at <= IMPLAUSIBLE:
        return ""
    return _explain(f"By {whose.lower()} clock, nothing ran for {format_age(readings.source - swept_at)}.")


def _has_jumped(readings: ClockReadings, by: timedelta) -> bool:
    return readings.expected is not None and abs(readings.source - readings.expected) > by


def _find_trouble(readings: ClockReadings, now: datetime) -> str:
    """Which clock is off, in a sentence; empty if none is known to be."""
    is_compared = readings.database is not None or readings.slack is not None or bool(readings.machine_error)
    base = "Slack's" if readings.database is None else "the database's"
    if is_compared and abs(readings.machine - now) > OFF:
        return f"This machine's clock is {_apart(readings.machine, now)} {base}, which is used. Set it with NTP."
    if readings.slack is not None and abs(now - readings.slack) > OFF:
        return f"The database's clock is {_apart(now, readings.slack)} Slack's. Set it with NTP."
    return ""


def _explain(sentence: str) -> str:
    return (
        f"{sentence} Reminders wait until Slack's answers show the same time."
        " If the clock is right, run `afterword tick --now` with the time."
    )


def _apart(one: datetime, other: datetime) -> str:
    """`65 s ahead of`, `3 h behind`."""
    seconds = round(abs((one - other).total_seconds()))
    length = f"{seconds} s" if seconds < 600 else format_age(timedelta(seconds=seconds))
    return f"{length} {'ahead of' if one > other else 'behind'}"
