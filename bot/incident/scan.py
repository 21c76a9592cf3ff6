"""What the grammar of times is read with: a place in the head of a text, and what is found there."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from bot.incident.clocks import Clock
from bot.incident.days import Day
from bot.incident.zones import Zone


class End(NamedTuple):
    """The end of a range as written; the day and zone it does not say it has from the start."""

    clock: Clock
    day: Day | None = None
    zone: Zone | None = None


class Found(NamedTuple):
    """A time as written.

    `begins` and `ends` bound it in the text, `rest` is where what happened begins, `kept` what stood before it and is
    part of what happened. Either `clock` is given, or `ago` for a time relative to now. `others` are other honest
    readings of the same text; `maybe_text` says that no time at all is one too.
    """

    begins: int = 0
    ends: int = 0
    rest: int = 0
    kept: str = ""
    approximate: bool = False
    ago: timedelta | None = None
    clock: Clock | None = None
    day: Day | None = None
    zone: Zone | None = None
    end: End | None = None
    others: tuple["Found", ...] = ()
    maybe_text: bool = False


@dataclass(slots=True)
class Scan:
    """A place in the head of a text that moves forward over what is recognised.

    `without` are the readings not to be taken this time, `unsure` those taken that have an honest other. `sure`: a word
    like "at" says that a time follows; `between`: its range says "and"; `joined`: date and time stand joined by a "T".
    """

    head: str
    at: int = 0
    approximate: bool = False
    sure: bool = False
    between: bool = False
    joined: bool = False
    openers: str = ""
    kept: str = ""
    without: frozenset[str] = frozenset()
    unsure: set[str] = field(default_factory=set)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The match of a pattern here, moving behind it; where there is none, nothing moves."""
        match = pattern.match(self.head, self.at)
        if match:
            self.at = match.end()
        return match

    def rough(self, pattern: re.Pattern[str]) -> None:
        """Take a word that makes the time approximate, if it stands here."""
        if self.take(pattern):
            self.approximate = True
