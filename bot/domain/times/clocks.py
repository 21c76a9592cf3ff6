"""Times of day as people write them ("14:05", "2:05pm", "15.26", "14h05", "1405Z", "noon"), and as programs do.

Programs write Slack's date tokens, epochs, klog, lines of JSON, and full dates in unusual orders. The last
("23-Nov-26 14:05") are read by dateutil, which takes "may" for a date, "99" for a year and "UTC+3" for the west. So it
only gets text that consists of a named month, figures and a time of day with a colon, without a zone.
"""

import re
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from dateutil import parser

from bot.domain.times.days import EARLIEST_YEAR, LATEST_YEAR, Day
from bot.domain.times.language import DayPart

# Behind "am" and "pm" no accented letter, which \b does not see under re.ASCII, and no German weekday or date: there
# "am" is "on".
_COLON = re.compile(
    r"([0-9]{1,2})(?:(:|\.|\s?h\s?)([0-9]{2})(?::([0-9]{2})(?:[.,:]([0-9]{1,9}))?)?)?"
    r"(?:(\s?(?:-?ish\s?)?([ap])(?:\.?m\b\.?|\.\s?m\b\.?)(?![\u00c0-\u1eff])(?!\s+(?:(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend)|\s[0-9]{1,2}\.(?:\s|[0-9]{1,2}\.)))|([ap])(?![0-9A-Za-z.])"
    r"|(\s?(?:Uhr|uur|heures?(?!\s+(?:de\s+[A-Z]|d'|locale|fran\u00e7aise|suisse|belge))|horas|hs)\b(?![\u00c0-\u1eff])|\s?h(?:ou)?rs?\b\.?(?![\u00c0-\u1eff])|\s?h(?![0-9A-Za-z\u00c0-\u1eff])|\s?o'clock\b))?",
    re.ASCII | re.IGNORECASE,
)
# Hours, minutes and seconds in Chinese, Japanese and Korean. The sign for a point of time needs minutes: alone it is
# any point.
_SIGNS = re.compile(
    r"([0-9]{1,2})\s?(?:[\u6642\u65f6\uc2dc](?![\u9593\u95f4\uac04])|[\u70b9\u9ede](?=[0-9]{1,2}[\u5206]|\u534a))"
    r"(?:\s?([0-9]{1,2})\s?[\u5206\ubd84](?:\s?([0-9]{1,2})\s?[\u79d2\ucd08])?|\s?([\u534a\ubc18]))?"
)
# "1405", if it is not part of a number, a percentage or a date.
_DIGITS = re.compile(r"([0-2]?[0-9])([0-5][0-9])([0-5][0-9])?(?![0-9.,:/%]|[-/.][0-9]{1,2}[-/.])", re.ASCII)
_DIGITS_MARK = re.compile(r"\s?(?:([ap])\.?m\b\.?|h(?:rs|ours)?\b)", re.IGNORECASE)
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
    r"\s?(?:%|°|(?:ratio|split|odds|vote|scale|aspect|mb|gb|min|mins|minutes|secs?|seconds|elapsed|mm:ss)\b)",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"\s?(?:(?:of\s+)?(?:downtime|uptime|duration|outage|delay|lag)|long|later|in\s+total|to\s+go|remaining)\b",
    re.IGNORECASE,
)
# A row of a table: more figures follow, columns apart.
_COLUMNS = re.compile(r"\s{2,}[0-9]{1,3}(?=\s{2,}|$)")
_HOUR_WORDS = frozenset({"h", "hr", "hrs", "hrs.", "hour", "hours"})
_HOURS = re.compile(r"\s?h(?:rs?)?\b", re.IGNORECASE)
# "15.26 upgrade" names a version.
_VERSION = re.compile(
    r"\s+(?:upgrades?d?|releases?d?|images?|minor|major|lts|is\s|rolled|version|update[sd]?|patch|build|branch|tag|to\s+[0-9]+\.)",
    re.IGNORECASE,
)
# A second dot makes "23.11." a date.
_DATE_DOT = re.compile(r"\.(?:\s+\S|[0-9])")
# "midnight backup" is the name of a job.
_JOB = re.compile(
    r"\s+(?:job|cron|cronjob|run|backup|batch|build|deploy|deployment|release|sync|import|export)s?\b", re.IGNORECASE
)
_MORE = re.compile(r"\.?[0-9A-Za-z_]|[/%°]|-(?![0-9]{1,2}[.:][0-9]{2}(?![0-9.]))[A-Za-z0-9]", re.ASCII)
# "5 am I right?"
_VERB_AM = re.compile(r"[0-9]{1,2} am I\b", re.ASCII)


class TimeOfDay(NamedTuple):
    """A time of day as written, not yet checked: the hour may be 25.

    `half` is "a", "p" or "" if none was written. `form` is how it was written: "colon", "dot", "hour" ("2pm"), "plain"
    (a number alone), "short" ("13h"), "digits" ("1405") or "named" ("noon"). `length`: it may be a duration ("14:05
    hrs").
    """

    hour: int
    minute: int = 0
    second: int = 0
    microsecond: int = 0
    half: str = ""
    precise: bool = False
    form: str = "colon"
    length: bool = False

    def of_day(self) -> tuple[time, timedelta] | None:
        """The time and the days to add (24:00 is the next midnight); None for a time that no day has."""
        hour = self.hour
        if self.half and hour <= 12:
            if not hour and self.half == "p":
                return None
            hour = hour % 12 + (12 if self.half == "p" else 0)
        # "14:05 pm" says it twice, "14:05 am" contradicts itself.
        elif self.half == "a":
            return None
        if (hour, self.minute, self.second) == (24, 0, 0):
            return time(0), timedelta(days=1)
        if hour > 23 or self.minute > 59 or self.second > 59:
            return None
        return time(hour, self.minute, self.second, self.microsecond), timedelta(0)


def clock_at(head: str, at: int, *, sure: bool, stamp: bool = False) -> tuple[TimeOfDay, int] | None:
    """The time of day at position `at`, and where it ends. `sure`: a date or an "at" before it says that it is a time.

    A lone number ("5") has the form "plain", "13h" is "short" and "1405" is "digits": the caller must find what makes
    them a time. `stamp`: a full date comes before it.
    """
    if signs := _SIGNS.match(head, at):
        return _from_signs(signs), signs.end()
    digits = _DIGITS.match(head, at)
    if digits and (len(digits[1]) == 2 or _DIGITS_MARK.match(head, digits.end())):
        return _from_digits(digits, head)
    match = _COLON.match(head, at)
    if match is None:
        return _named_at(head, at, sure=sure)
    clock = _from_match(match)
    if clock is None or _is_measure(head, match, clock, sure=sure, stamp=stamp):
        return None
    return clock._replace(length=_may_be_length(head, match, clock, stamp=stamp or sure)), match.end()


def _from_signs(match: re.Match[str]) -> TimeOfDay:
    hour, minute, second, half = match.groups()
    return TimeOfDay(int(hour), 30 if half else int(minute or 0), int(second or 0), precise=bool(second))


def _from_digits(match: re.Match[str], head: str) -> tuple[TimeOfDay, int]:
    hour, minute, second = match.groups()
    mark = _DIGITS_MARK.match(head, match.end())
    half = (mark[1] or "").lower() if mark else ""
    form = "colon" if mark and len(hour + minute) >= 3 and (half or len(hour) == 2) else "digits"
    clock = TimeOfDay(int(hour), int(minute), int(second or 0), half=half, precise=bool(second), form=form)
    return clock, mark.end() if mark else match.end()


def _named_at(head: str, at: int, *, sure: bool) -> tuple[TimeOfDay, int] | None:
    match = _NAMED.match(head, at)
    if match is None or (not sure and _JOB.match(head, match.end())) or _MORE.match(head, match.end()):
        return None
    return TimeOfDay(0 if match.group().lower() == "midnight" else 12, form="named"), match.end()


def _from_match(match: re.Match[str]) -> TimeOfDay | None:
    hour, mark, minute, second, fraction, _, half, short, word = match.groups()
    if minute is None:
        if short:
            return None
        named = (word or "").strip().lower()
        form = "hour" if half or named in ("uhr", "uur", "o'clock") else "short" if named else "plain"
    else:
        form = "dot" if mark == "." else "colon"
    return TimeOfDay(
        int(hour),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0").ljust(6, "0")[:6]),
        (half or short or "").lower(),
        precise=second is not None,
        form=form if not (form == "dot" and word) else "colon",
    )


def _is_measure(head: str, match: re.Match[str], clock: TimeOfDay, *, sure: bool, stamp: bool) -> bool:
    """Whether figures that look like a time are a number, a ratio, a version or a length of time."""
    end = match.end()
    if clock.form == "hour":
        return bool(_VERB_AM.match(head, match.start()))
    if clock.form == "colon":
        if stamp or clock.half:
            return False
        if not sure and _COLUMNS.match(head, end):
            return True
        # "60:40" is a split.
        return clock.hour + clock.minute == 100 or bool(_RATIO.match(head, end)) or _is_length(head, match, sure=sure)
    if clock.form == "dot" and not clock.half:
        if not match[9] and _DATE_DOT.match(head, end):
            return True
        unlikely = clock.hour > 23 or clock.minute > 59 or (len(match[1]) < 2 and not sure)
        version = not sure and bool(_VERSION.match(head, end))
        return unlikely or version or bool(_MEASURED.match(head, end) or _MORE.match(head, end))
    return False


def _is_length(head: str, match: re.Match[str], *, sure: bool) -> bool:
    """Whether "1:30 h outage", "0:45 downtime" or "1h30 later" is a duration."""
    if sure:
        return False
    figures, mark, word = match[1], match[2], (match[9] or "").strip().lower()
    if word in _HOUR_WORDS and match[9] != word:
        return len(figures) == 1 and word in ("h", "hour", "hours")
    behind = _LENGTH.match(head, match.end())
    if behind is None:
        return False
    word = behind.group().split()[-1].lower()
    is_short = len(figures) == 1 and word != "later"
    return is_short or "h" in mark.lower() or match[4] is not None or int(figures) == 0 or word == "duration"


def _may_be_length(head: str, match: re.Match[str], clock: TimeOfDay, *, stamp: bool) -> bool:
    if stamp or clock.half or clock.form != "colon" or not match[3]:
        return False
    word = (match[9] or "").strip().lower()
    if word in _HOUR_WORDS and match[9] != word:
        return True
    return bool(_LENGTH.match(head, match.end()) or ("h" in match[2].lower() and _HOURS.match(head, match.end())))


def carry_halves(start: TimeOfDay, end: TimeOfDay) -> tuple[TimeOfDay, TimeOfDay]:
    """Both ends of a range with "am" and "pm" carried over: "2:05-2:20pm", "11:30-1:15pm", "11:50pm-12:10"."""
    if start.half and not end.half and end.hour <= 12:
        return start, _nearest(start, end)
    if end.half and not start.half and start.hour <= 12:
        options = [start._replace(half=half) for half in "ap"]
        return min(options, key=lambda option: _seconds_between(option, end)), end
    return start, end


def _nearest(start: TimeOfDay, end: TimeOfDay) -> TimeOfDay:
    return min((end._replace(half=half) for half in "ap"), key=lambda option: _seconds_between(start, option))


def _seconds_between(start: TimeOfDay, end: TimeOfDay) -> float:
    first, last = start.of_day(), end.of_day()
    if first is None or last is None:
        return float("inf")
    return (_seconds(last[0]) - _seconds(first[0])) % 86400


def _seconds(of_day: time) -> float:
    return of_day.hour * 3600 + of_day.minute * 60 + of_day.second + of_day.microsecond / 1e6


def apply_part(clock: TimeOfDay, part: str) -> TimeOfDay | None:
    """A time of day with the half that a part of the day implies: "3:00" in the afternoon is 15:00.

    Hours above twelve stay as written. None if the part and the time contradict each other.
    """
    hour = clock.hour
    if part in ("noon", "midnight"):
        if (hour, clock.minute) not in ((12, 0), (0, 0), (24, 0)):
            return None
        return clock._replace(hour=12 if part == "noon" else 0, half="")
    if part in ("am", "pm"):
        return clock._replace(half=part[0]) if not clock.half else clock
    if clock.half or hour > 12 or hour == 0:
        return clock if _fits(clock, part) else None
    if part == "morning":
        return clock._replace(half="a")
    if part == "afternoon":
        return clock._replace(half="p")
    if part == "evening":
        return None if hour == 12 else clock._replace(half="p")
    return clock._replace(half="p" if 6 <= hour < 12 else "a")


def _fits(clock: TimeOfDay, part: str) -> bool:
    of_day = clock.of_day()
    if of_day is None:
        return True
    hour = of_day[0].hour
    # Wider than a clock would have it, for people's parts of the day overlap. With 24 hours added, a night can pass
    # midnight.
    first, last = {"morning": (0, 12), "afternoon": (12, 19), "evening": (15, 24)}.get(part, (18, 30))
    return first <= hour < last or first <= hour + 24 < last


def list_day_shifts(part: DayPart, clock: TimeOfDay) -> tuple[int, ...]:
    """How many days ago a time in the night of today or of yesterday was: one number, or two to ask."""
    of_day = clock.of_day()
    if part.day is None or of_day is None:
        return ()
    if part.name == "last":
        return (1,) if of_day[0].hour >= 12 else (0,)
    if part.name == "night" and part.day > 0 and of_day[0].hour < 6:
        return (part.day, part.day - 1)
    return (part.day,)


_SLACK = re.compile(r"\s*<!date\^([0-9]{1,12})\^[^|>]{0,300}(?:\|[^>]{0,300})?>\s*[-:,|]?\s*")
_EPOCH = re.compile(
    r"\s*+(?:(?:epoch|unix(?:\s?time)?|timestamp|ts)\s*+[:=]?+\s*+@?|@)([0-9]{10}|[0-9]{13})(?:\.([0-9]{1,9}))?(?![0-9A-Za-z])[:,]?\s*",
    re.IGNORECASE,
)
_EPOCH_BEHIND = re.compile(
    r"\s*([0-9]{10}|[0-9]{13})\s*(?:\(?(?:epoch|unix(?:\s?time)?|ms|seconds since epoch)\)?)[:,]?\s+", re.IGNORECASE
)
_LONE = re.compile(r"\s*(?:-\s+)?([0-9]{10}|[0-9]{13})(?:\.[0-9]{1,9})?\s+")
_KLOG = re.compile(r"\s*[IWEF]([01][0-9])([0-3][0-9]) ([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)(?=\s)")
_JSON = re.compile(
    r'"(?:@?timestamp|timeStamp|ts|time|t|date|datetime|@t|eventTime|asctime)"\s*:\s*(?:\{\s*"\$date"\s*:\s*)?'
    r'(?:"([^"]{10,40})"|([0-9]{10}|[0-9]{13})(?:\.([0-9]{1,9}))?(?![0-9]))'
)
# A line of a log may hold a stack trace of megabytes; its time is among the first fields.
_JSON_HEAD = 2_000
_LATEST = 4_102_444_800  # the year 2100


class Stamp(NamedTuple):
    """A program's time: a `moment`, or a `written` time to be read like any other. `rest` is where the words begin.

    `is_text`: it may be just a number.
    """

    moment: datetime | None
    written: str
    rest: int
    is_text: bool = False


def stamp_at(text: str, now: datetime) -> Stamp | None:
    """The time that a program wrote at the start of a line, or None."""
    if text.lstrip()[:1] == "{":
        return _json(text)
    if slack := _SLACK.match(text):
        return _epoch(slack[1], "", slack.end())
    if klog := _KLOG.match(text):
        year = now.year - (f"{klog[1]}{klog[2]}" > f"{now + timedelta(days=1):%m%d}")  # it writes no year
        return Stamp(None, f"{year}-{klog[1]}-{klog[2]} {klog[3]}", klog.end())
    epoch = _EPOCH.match(text)
    if epoch:
        return _epoch(epoch[1], epoch[2] or "", epoch.end())
    if behind := _EPOCH_BEHIND.match(text):
        return _epoch(behind[1], "", behind.end())
    # Any ten figures can be an id, so a number alone must at least be a time of the last year.
    lone = _LONE.match(text)
    stamp = _epoch(lone[1], "", 0) if lone else None
    if stamp and stamp.moment and timedelta(days=-1) < now - stamp.moment < timedelta(days=366):
        return stamp._replace(is_text=True)
    return None


def _json(text: str) -> Stamp | None:
    match = _JSON.search(text[:_JSON_HEAD])
    if match is None:
        return None
    if match[2]:
        return _epoch(match[2], match[3] or "", 0)
    return Stamp(None, match[1], 0)


def _epoch(figures: str, fraction: str, rest: int) -> Stamp | None:
    seconds = int(figures) / (1000 if len(figures) == 13 else 1)
    # Larger figures are ids, and would leave Python's calendar.
    if not 0 < seconds < _LATEST:
        return None
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds + float(f"0.{fraction or 0}"))
    return Stamp(moment, "", rest)


_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_WEEKDAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\s?[ap]m)?"
_FIGURES = r"[0-9]{1,4}(?:st|nd|rd|th)?"
_DATE = rf"(?:{_WEEKDAY}[\s,]+)?(?:{_FIGURES}[\s/,-]*{_MONTH}|{_MONTH}[\s/,-]*{_FIGURES})[\s/,-]+'?{_FIGURES}"
_DATED = re.compile(
    rf"(?:{_DATE}[\s,/-]+{_CLOCK}|{_CLOCK}[\s,/-]+{_DATE})(?![0-9A-Za-z:/%.])", re.ASCII | re.IGNORECASE
)
_BLANK = datetime(4, 1, 1, tzinfo=UTC)  # a leap year that no one writes, so that a part that was not written shows


def full_date_at(head: str, at: int) -> tuple[Day, TimeOfDay, int] | None:
    """A date with its year and a time of day at position `at`, and where they end."""
    match = _DATED.match(head, at)
    if match is None:
        return None
    try:
        # Without zones, because dateutil reads "UTC+3" with the sign of POSIX, which is the other way round.
        found = parser.parse(match.group().replace("'", ""), default=_BLANK, ignoretz=True)
    except (ValueError, OverflowError):
        return None
    if not EARLIEST_YEAR <= found.year <= LATEST_YEAR:
        return None
    precise = match.group().count(":") == 2
    day = Day(((found.year, found.month, found.day),), form="full")
    return day, TimeOfDay(found.hour, found.minute, found.second, precise=precise), match.end()
