"""Times of day as people write them: "14:05", "2:05pm", "12:29p", "15.26", "14h05", "1405Z", "noon"."""

import re
from datetime import time, timedelta
from typing import NamedTuple

from bot.incident.days import Day

_COLON = re.compile(
    r"([0-9]{1,2})(?:([:.h])([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)?"
    r"(?:(\s?(?:-?ish\s?)?([ap])\.?m\b\.?)|([ap])(?![0-9A-Za-z.])|h(?![0-9A-Za-z])|\s?Uhr\b)?",
    re.ASCII | re.IGNORECASE,
)
_DIGITS = re.compile(r"([0-2][0-9])([0-5][0-9])([0-5][0-9])?(?![0-9.,:/%])", re.ASCII)
_NAMED = re.compile(r"(noon|midday|midnight)\b", re.ASCII | re.IGNORECASE)

# What a number with a dot counts ("15.26 ms"), what a ratio is of ("12:30 ratio"), what a length of time is in
# ("5:30 min"): behind such words the figures are no time of day.
_MEASURED = re.compile(
    r"\s?(?:%|°|x\b|[kmgtp]i?b?(?:ps|/s)?\b|[mnuµ]?s\b|ms|sec|min|hours?\b|hrs?\b|days?\b|weeks?\b|years?\b|bytes?\b|percent|pct"
    r"|rps\b|qps\b|req|tps\b|usd|eur|gbp|[$€£]|million|billion|thousand|times\b|degrees|points?\b|load\b|average"
    r"|avg\b|latency|[mg]hz|cores?\b|cpus?\b|of\b|(?:lts|beta|rc|alpha)[0-9]*\b)",
    re.IGNORECASE,
)
_RATIO = re.compile(
    r"\s?(?:%|°|(?:ratio|split|odds|vote|scale|aspect|mb|gb|min|mins|minutes|hours|hrs|secs?|seconds)\b)", re.IGNORECASE
)
_JOB = re.compile(
    r"\s+(?:job|cron|cronjob|run|backup|batch|build|deploy|deployment|release|sync|import|export)s?\b", re.IGNORECASE
)
_MORE = re.compile(r"\.?[0-9A-Za-z_]|[/%°]|-(?![0-9]{1,2}[.:][0-9]{2}(?![0-9.]))[A-Za-z0-9]", re.ASCII)
_VERB_AM = re.compile(r"[0-9]{1,2} am I\b", re.ASCII)


class Clock(NamedTuple):
    """A time of day as written, not yet checked: the hour may be 25.

    `half` is "a", "p" or "" where none was written. `form` is how it was written: "colon", "dot", "hour" ("2pm"),
    "plain" (a number alone), "digits" ("1405") or "named" ("noon").
    """

    hour: int
    minute: int = 0
    second: int = 0
    microsecond: int = 0
    half: str = ""
    precise: bool = False
    form: str = "colon"

    def of_day(self) -> tuple[time, timedelta] | None:
        """The time and the days to add (24:00 is the next midnight); None for a time that no day has."""
        hour = self.hour
        if self.half and hour <= 12:
            if not hour and self.half == "p":
                return None
            hour = hour % 12 + (12 if self.half == "p" else 0)
        elif self.half == "a":
            return None
        if (hour, self.minute, self.second) == (24, 0, 0):
            return time(0), timedelta(days=1)
        if hour > 23 or self.minute > 59 or self.second > 59:
            return None
        return time(hour, self.minute, self.second, self.microsecond), timedelta(0)


def clock_at(head: str, at: int, *, sure: bool) -> tuple[Clock, int] | None:
    """The time of day at position `at` and where it ends. `sure`: a date or an "at" before it says that it is a time.

    A lone number ("5") is given as form "plain" and "1405" as "digits": the caller must find what makes them a time.
    """
    digits = _DIGITS.match(head, at)
    if digits:
        return _from_digits(digits), digits.end()
    match = _COLON.match(head, at)
    if match is None:
        return _named_at(head, at, sure=sure)
    clock = _from_match(match)
    if clock is None or _is_measure(head, match, clock, sure=sure):
        return None
    return clock, match.end()


def _from_digits(match: re.Match[str]) -> Clock:
    hour, minute, second = match.groups()
    return Clock(int(hour), int(minute), int(second or 0), precise=bool(second), form="digits")


def _named_at(head: str, at: int, *, sure: bool) -> tuple[Clock, int] | None:
    match = _NAMED.match(head, at)
    if match is None or (not sure and _JOB.match(head, match.end())) or _MORE.match(head, match.end()):
        return None
    return Clock(0 if match.group().lower() == "midnight" else 12, form="named"), match.end()


def _from_match(match: re.Match[str]) -> Clock | None:
    hour, mark, minute, second, fraction, _, half, short = match.groups()
    if minute is None:
        if short:
            return None
        form = "hour" if half else "plain"
    else:
        form = "dot" if mark == "." else "colon"
    return Clock(
        int(hour),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0").ljust(6, "0")[:6]),
        (half or short or "").lower(),
        precise=second is not None,
        form=form,
    )


def _is_measure(head: str, match: re.Match[str], clock: Clock, *, sure: bool) -> bool:
    """Whether figures that look like a time are a number, a ratio or a length of time."""
    end = match.end()
    if clock.form == "hour":
        return bool(_VERB_AM.match(head, match.start()))
    if clock.form == "colon":
        return (clock.hour + clock.minute == 100 and not clock.half) or bool(_RATIO.match(head, end))
    if clock.form == "dot" and not clock.half:
        unlikely = clock.hour > 23 or clock.minute > 59 or (len(match[1]) < 2 and not sure)
        return unlikely or bool(_MEASURED.match(head, end) or _MORE.match(head, end))
    return False


def with_halves(start: Clock, end: Clock) -> tuple[Clock, Clock]:
    """Both ends of a range with "am" and "pm" carried over: "2:05-2:20pm", "11:30-1:15pm", "11:50pm-12:10"."""
    if start.half and not end.half and end.hour <= 12:
        return start, _nearest(start, end)
    if end.half and not start.half and start.hour <= 12:
        options = [start._replace(half=half) for half in "ap"]
        return min(options, key=lambda option: _seconds_between(option, end)), end
    return start, end


def _nearest(start: Clock, end: Clock) -> Clock:
    return min((end._replace(half=half) for half in "ap"), key=lambda option: _seconds_between(start, option))


def _seconds_between(start: Clock, end: Clock) -> float:
    first, last = start.of_day(), end.of_day()
    if first is None or last is None:
        return float("inf")
    return (_seconds(last[0]) - _seconds(first[0])) % 86400


def _seconds(of_day: time) -> float:
    return of_day.hour * 3600 + of_day.minute * 60 + of_day.second + of_day.microsecond / 1e6


def in_part(day: Day, clock: Clock) -> tuple[Day, Clock]:
    """A part of the day made plain: "this afternoon 3:00" is 15:00, "last night 23:50" was yesterday."""
    if day.part in ("afternoon", "evening") and not clock.half and clock.hour < 12:
        return day, clock._replace(half="p")
    if day.part == "last night":
        evening = clock._replace(half="p") if not clock.half and 5 <= clock.hour < 12 else clock
        late = evening.half == "p" or evening.hour >= 12
        return day._replace(ago=1 if late else 0), evening
    return day, clock
