"""What stands above a line says of its day and its zone; a line is read under it, or asked where it is in doubt."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo

from bot.incident import times
from bot.incident.times import Reading
from bot.incident.times.headings import Named, named

_NIGHT = timedelta(hours=12)
"""So far back, a time of day is one of the day after: less is a line that stands in the wrong place."""

_DAY = timedelta(days=1)
_NEXT = (
    r"(?:the\s+)?(?:next|following)\s+(?:day|morning)|(?:am\s+)?n\u00e4chste[rn]?\s+tag|(?:am\s+)?folgetag"
    r"|(?:le\s+)?lendemain|(?:al\s+)?d\u00eda\s+siguiente|(?:no\s+)?dia\s+seguinte|(?:de\s+)?volgende\s+dag"
    r"|(?:il\s+)?giorno\s+(?:dopo|seguente)|\u7fcc\u65e5"
)
_UNIT = r"(?:days?|d|tage?|jours?|d\u00edas?|dias?|dag(?:en)?|giorn[io]|\u65e5)(?!\w)"
_SHIFT = rf"(?:D\s?\+\s?(?P<since>[1-9])(?![\w:.])|\+\s?(?P<count>[1-9])\s?{_UNIT}|(?P<next>{_NEXT})(?!\w))"
_BEFORE = re.compile(
    rf"(?P<lead>[\s|>*#\u2022-]*)[\[(]?\s*{_SHIFT}\s*[\])]?[\s,:|*-]*(?=[\[(*`~]*[0-9])", re.IGNORECASE
)
_BEHIND = re.compile(rf"(?:[\s,*|]*[\[(]\s*|[\s,*|]+){_SHIFT}(?:\s*[\])]|(?=[\s:,;|*-]|$))", re.IGNORECASE)
_BRACKETED = re.compile(r"[\s*]*[\[(]\s*\+(?P<count>[1-9])\s*[\])]")
_CLOCK_BEFORE = re.compile(r"[0-9][^A-Za-z]{0,3}(?:[ap]\.?m\.?|[A-Z]{2,5}|Uhr|h)?\W{0,3}$", re.IGNORECASE)
_ALONE = re.compile(
    rf"\W*(?:{_SHIFT}|(?P<later>[1-9])\s+days?\s+(?:later|after)|(?:day|T)\s?\+\s?(?P<plus>[1-9])\s?d?)\W*",
    re.IGNORECASE,
)
_REACH = 48


@dataclass(slots=True)
class Above:
    """What is known at a line, changed by what is heeded.

    `on` is the day that counts for times without one, `base` the day that "+1 day" counts from, `always` the day that a
    note says all others are of. `doubt` says why no day is known, and `choices` which it may be. `zones` are what a
    heading's zone can mean, `zone_doubt` why it is none. `prose` are the days that were named in passing, `hint` is one
    whose year counts for dates without theirs, and `last` the moment of the latest line under the same heading.
    """

    now: datetime
    zone: tzinfo
    language: str = "en"
    orders: Mapping[str, str] = field(default_factory=dict)
    on: date | None = None
    base: date | None = None
    always: date | None = None
    doubt: str = ""
    choices: tuple[date, ...] = ()
    zones: tuple[tzinfo, ...] = ()
    zone_doubt: str = ""
    prose: set[date] = field(default_factory=set)
    hint: date | None = None
    last: datetime | None = None
    _moved: date | None = None

    def named(self, text: str) -> Named | None:
        """What a line without a time of day names, seen from here."""
        return named(text, self.now, self.zone, self.on, self.language, self.orders)

    def heed(self, named: Named, number: int) -> None:
        """Take the day and the zone that a line names for those below it."""
        if named.zones:
            self.zones, self.zone_doubt = named.zones, ""
        elif named.is_note and named.problem:
            self.zone_doubt = named.problem
            return
        if len(named.days) == 1 and not named.problem:
            self.set_day(named.days[0])
            self.always = named.days[0] if named.of_all else self.always
        elif named.has_date:
            self.lose_day(number, named.days)
            self.hint = named.mentioned[0] if named.mentioned else self.hint

    def set_day(self, day: date) -> None:
        """From here on a time without a day is of this one."""
        self.on = self.base = day
        self.doubt, self.choices, self.last = "", (), None

    def lose_day(self, number: int, choices: tuple[date, ...] = ()) -> None:
        """From here on nobody knows of which day a time is, until a line says it."""
        self.on = self.base = None
        self.doubt, self.choices = f"Line {number} leaves open of which day it is.", choices
        self.always = None

    def passed(self, reading: Reading) -> None:
        """A line was read: its date counts for those below it, unless a note says of which day they are."""
        if self.always is None and reading.day:
            self.set_day(reading.day)
        elif self.always is None and reading.utc and self._moved:
            self.on = self._moved
        self.last = reading.utc or self.last

    def read(self, text: str, before: datetime | None, *, rolls: bool) -> Reading:
        """The line under what stands above it. `before` is the moment of the line above; `rolls` as in `paste.read`."""
        self._moved = None
        if shifted := self._shifted(text, before):
            return shifted
        if self.on is None and self.hint and not self.depends(text):
            return self._one(text, self.hint)
        if self.doubt and self.depends(text):
            return asked([self._one(text, day) for day in self.choices] or [self._one(text, None)], self.doubt)
        reading = self._one(text, self.on)
        if self.on and reading.question is not None and not self.depends(text):
            return self._one(text, None)
        if self.on and reading.day and (alone := self._one(text, None)).question and len(alone.question) > 1:
            return alone  # "3/4" can be two days, also where one of them is still to come this year
        if self.on is None and self.prose and reading.utc and self.depends(text):
            return self._if_named(reading)
        if rolls and self.on and self.is_night(reading):
            self._moved = self.on + _DAY
            return self._one(text, self._moved)
        return reading

    def is_night(self, reading: Reading) -> bool:
        """Whether a moment is half a day or more before the line above it, under the same heading."""
        return bool(self.last and reading.utc and self.last - reading.utc >= _NIGHT)

    def depends(self, text: str) -> bool:
        """Whether a line's moment depends on the day that stands above it."""
        today = self.now.astimezone(self.zone).date()
        first, second = (times.read(text, self.now, self.zone, today - _DAY * back, self.language) for back in (2, 3))
        return (first.utc, first.question) != (second.utc, second.question)

    def heed_next_day(self, text: str, number: int, before: datetime | None) -> bool:
        """Whether a line is only "next day" or "+1 day"; then the day below it is that."""
        shift = _ALONE.fullmatch(text) if len(text) <= _REACH else None
        if shift is None:
            return False
        day = self.on or (before.astimezone(self.own_zone).date() if before and not self.doubt else None)
        if day is None:
            self.lose_day(number)
        else:
            self.set_day(day + _DAY * (_count(shift) or 1))
        return True

    @property
    def own_zone(self) -> tzinfo:
        """The zone in which a time without one is read."""
        return self.zones[0] if self.zones else self.zone

    def _one(self, text: str, on: date | None) -> Reading:
        zones = self.zones or (self.zone,)
        readings = [times.read(text, self.now, zone, on, self.language) for zone in zones]
        first = readings[0]
        if self.zone_doubt and first.assumed_zone and first.utc:
            return asked(readings, self.zone_doubt)
        if len({(reading.utc, reading.question) for reading in readings}) == 1:
            return first
        return asked(readings, "The zone that stands above it can mean two. Write the distance from UTC, as in UTC+2.")

    def _if_named(self, reading: Reading) -> Reading:
        if reading.utc is None or reading.utc.astimezone(self.own_zone).date() in self.prose:
            return reading
        named = min(self.prose)
        return asked(
            [reading], f"No line says of which day it is, and {named:%Y-%m-%d} is named above. Write the day above."
        )

    def _shifted(self, text: str, before: datetime | None) -> Reading | None:
        """A line that says "+1 day" or "next day" beside its time, read on that day."""
        found = _shift(text)
        if found is None:
            return None
        count, rest = found
        base = self.base or (before.astimezone(self.own_zone).date() if before else None)
        if base is None or self.doubt or not self.depends(rest):
            reading = self._one(rest, None)
            if reading.utc is None and reading.question is None:
                return None
            return asked([reading], self.doubt or "It says “next day”, and no line above says after which.")
        day = base + _DAY * (count or 1)
        if (
            not count
            and before
            and (moment := self._one(rest, day).utc)
            and moment < before
            and self.on
            and self.on >= day
        ):
            return asked(
                [self._one(rest, day), self._one(rest, day + _DAY)], "“Next day” can be two days here. Write the date."
            )
        self._moved = day
        return self._one(rest, day)


def _shift(text: str) -> tuple[int, str] | None:
    """How many days later a line says it was (0 for "next day"), and the line without that."""
    head = text[: _REACH * 2]
    if match := _BEFORE.match(head):
        return _count(match), match["lead"] + text[match.end() :]
    for pattern in (_BEHIND, _BRACKETED):
        match = pattern.search(head, 0, _REACH)
        if match and _CLOCK_BEFORE.search(head[: match.start()]):
            return _count(match), text[: match.start()] + text[match.end() :]
    return None


def _count(match: re.Match[str]) -> int:
    groups = match.groupdict()
    return int(next((groups[name] for name in ("count", "since", "later", "plus") if groups.get(name)), 0))


def asked(readings: list[Reading], problem: str) -> Reading:
    """The first of some readings as a question, with the moments of them all to choose from."""
    moments = {reading.utc for reading in readings if reading.utc}
    moments |= {moment for reading in readings for moment in reading.question or ()}
    return replace(readings[0], utc=None, end_utc=None, question=tuple(sorted(moments)), problem=problem, day=None)
