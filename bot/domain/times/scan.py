"""What is found of a time, part by part: `Scan` moves over the head of a text and takes them.

Before the time of day they are small words, a date, a part of the day, a zone. Behind it: a zone (a name, bare or in
brackets, or a signed number that may be something else) and the end of a range ("14:05-14:20", "from 9 to 10am",
"14:05-20").
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bot.domain.times.clocks import TimeOfDay, apply_part, carry_halves, clock_at, full_date_at
from bot.domain.times.days import Day, day_at, join_dates
from bot.domain.times.language import ABOUT, AND, AT, BETWEEN, FROM, PART, TO, DayPart, Vocabulary
from bot.domain.times.zone_names import ABBREVIATIONS, CAPITALS_TOO, ROUGH_NAMES, native_zone_at
from bot.domain.times.zones import Zone, is_bare_place, zone_at

FLAGS = re.ASCII | re.IGNORECASE
CLOSING = {"[": "]", "(": ")"}
_TILDE = re.compile(r"[~\u2248]\s*")

# What makes a time approximate behind it: "14:05ish", "14:05 or so", "14:05 (maybe earlier?)", "14:05?".
ISH = re.compile(
    r"\s?-?ish\b|\s+or\s+so\b|\s*(?:-\s*)?\((?:(?:maybe|approx\.?|approximately|about|around|roughly|ca\.?|circa|estimated|guess"
    r"|ish|earlier|later|or|perhaps|probably|not|sure|unsure|i|think)[\s?,]*){1,6}\)|\s?\?{1,3}(?=[\s:,-]|$)"
    r"|\s?~(?=\s|$)|\s?(?:\u9803|\u3054\u308d)|\s+(?:aprox|approx)(?:imad\w+|imately)?\b\.?",
    FLAGS,
)
ENDS_THERE = re.compile(r"\)?\s*(?:[:;,.|]?$|[:;,.|-](?=\s))")
"""What shows that a time ends: the end of the text, or a mark with a blank behind it."""


class End(NamedTuple):
    """The end of a range as written; the day and zone it does not say it has from the start."""

    clock: TimeOfDay
    day: Day | None = None
    zone: Zone | None = None


class TimeFound(NamedTuple):
    """A time as written.

    `begins` and `ends` bound it in the text, `rest` is where the words begin, `prefix` are words before it that belong
    to them. One of three is set: `clock`, `ago` for a time relative to now, or `moment` for one that a program wrote.
    `also` is the same moment on another clock. `others` are other possible readings of the same text; `maybe_text`: it
    may be no time at all. `problem` is a question about the words alone, and `leftover` the words next to the time that
    were not understood.
    """

    begins: int = 0
    ends: int = 0
    rest: int = 0
    prefix: str = ""
    approximate: bool = False
    ago: timedelta | None = None
    moment: datetime | None = None
    clock: TimeOfDay | None = None
    day: Day | None = None
    zone: Zone | None = None
    end: End | None = None
    also: End | None = None
    others: tuple["TimeFound", ...] = ()
    maybe_text: bool = False
    problem: str = ""
    leftover: str = ""
    ahead: bool = False


@dataclass(slots=True)
class Scan:
    """A place in the head of a text that moves forward over what is recognised; `low` is the head in lower case.

    `without` are readings not to be taken this time, `unsure` those taken that have an alternative. `sure`: a word like
    "at" announces a time; `between`: the range has "and"; `joined`: a "T" joins date and time.
    """

    head: str
    words: Vocabulary
    at: int = 0
    low: str = ""
    approximate: bool = False
    sure: bool = False
    between: bool = False
    joined: bool = False
    ahead: bool = False
    openers: str = ""
    prefix: str = ""
    without: frozenset[str] = frozenset()
    unsure: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.low = lower(self.head)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Match a pattern here and move behind it; without a match nothing moves."""
        match = pattern.match(self.head, self.at)
        if match:
            self.at = match.end()
        return match

    def take_roughness(self) -> bool:
        """Take a word or a mark that makes the time approximate."""
        if not (self.take(_TILDE) or self.word(ABOUT)):
            return False
        self.approximate = True
        return True

    def skip_blanks(self) -> None:
        """Move behind the blanks here."""
        while self.head[self.at : self.at + 1].isspace():
            self.at += 1

    def word(self, kind: str) -> Any | None:
        """The meaning of a word of a kind that is here, moving behind it and the blanks that follow; else None."""
        found = self.words.at(kind, self.low, self.at)
        if found is None:
            return None
        self.at = found[1]
        self.skip_blanks()
        return found[0]


@dataclass(slots=True)
class Parts:
    """What of a time has been found: at most one of each."""

    day: Day | None = None
    part: DayPart | None = None
    zone: Zone | None = None
    end: End | None = None
    also: End | None = None


def lower(text: str) -> str:
    """A text in small letters, with as many characters as it had."""
    # A few letters grow in small letters ("İ" by one), and a place must be the same in both texts.
    low = text.lower()
    return low if len(low) == len(text) else "".join(one if len(one := char.lower()) == 1 else char for char in text)


_PLAIN = str.maketrans(
    {
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
        **dict.fromkeys(
            "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
        ),
        **dict.fromkeys("\u200b\u200e\u200f\u2060\ufeff", " "),
        **dict.fromkeys("\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d", "-"),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f", '"'),
        "\uff1a": ":",
        "\u2236": ":",
        "\uff0e": ".",
        "\uff0f": "/",
        "\uff5e": "~",
        "\u301c": "~",
        "\uff3b": "[",
        "\uff3d": "]",
        "\uff08": "(",
        "\uff09": ")",
    }
)


def to_plain(text: str) -> str:
    """The text with plain characters, each standing for exactly one, so that a place in it is the same in the text."""
    return text if text.isascii() else text.translate(_PLAIN)


def restore_quotes(prefix: str, source: str) -> str:
    """The words before the time that are part of the text, with the quotation marks as their author typed them."""
    for mark in {"'", '"'}.intersection(prefix):
        typed = next((letter for letter in source if letter.translate(_PLAIN) == mark), mark)
        prefix = prefix.replace(mark, typed)
    return prefix


_GAP = re.compile(
    r"(T)(?=[0-9])|([\])]{0,2})"
    r"(?:[\s,_;]*(?:@|-+|\||:|/|\u00b7|\u2022)[\s,|]*|[\s,_;]+|\.(?=[0-9]{2}:[0-9]{2}))([\[(*`]{0,2})",
    FLAGS,
)
_SIGN_GAP = re.compile("[\\s\u306e\u3001]*")
_DASH = re.compile(r"\s*-{1,3}\s*")
_HALF_BEFORE = re.compile(r"([ap])\.?m\b\.?(?=\W{0,3}[0-9]{1,2}:[0-9]{2})", FLAGS)
_LABEL = re.compile(r"(?:(?:at|time)\s*:|@)\s*(?=[0-9])", FLAGS)
_LETTERS_TOO = ("v ", "o ", "u ")
"""Words for "at" that may mean something else before figures with a dot: "v 1.20"."""
_COLON = re.compile(r"[0-9]{1,2}:")


def clock_with_front(scan: Scan, parts: Parts, depth: int = 0) -> TimeOfDay | None:
    """The time of day at the scan's place, with the parts before it; None if there is no time.

    The parts go into `parts`. `depth` counts the pieces before the time: at most five are read.
    """
    _lead(scan)
    if depth < 5 and not _is_colon(scan):
        start, state = scan.at, (parts.day, parts.part, scan.approximate, scan.sure, scan.openers, scan.joined)
        if _take_native(scan, parts) or _take_part(scan, parts) or _take_day(scan, parts) or _take_zone(scan, parts):
            clock = _behind_gap(scan, parts, depth)
            if clock:
                return clock
        scan.at = start
        parts.day, parts.part, scan.approximate, scan.sure, scan.openers, scan.joined = state
        parts.zone = None
        if loose := full_date_at(scan.head, start):
            parts.day, clock, scan.at = loose
            return clock
    return _clock(scan, parts)


def _lead(scan: Scan) -> None:
    """Take the little words before a time: "at", "from about", "between"."""
    for _ in range(4):
        before = scan.at
        if scan.take(_LABEL):
            scan.sure = True
            return
        if scan.word(BETWEEN):
            scan.between = True
        elif scan.word(AT) or scan.word(FROM):
            scan.ahead = scan.ahead or scan.low.startswith("by", before)
        elif scan.take_roughness():
            pass
        else:
            return
        if not _has_room(scan, before) or (scan.low[before : before + 2] in _LETTERS_TOO and not _is_colon(scan)):
            scan.at = before
            return
        scan.sure = True


def _has_room(scan: Scan, before: int) -> bool:
    """Whether a little word is apart from what follows, as words are in languages that part them."""
    return scan.head[before : scan.at] != scan.head[before : scan.at].rstrip() or not (
        scan.head[before].isalpha() and scan.head[scan.at - 1] != "-"
    )


def _is_colon(scan: Scan) -> bool:
    return _COLON.match(scan.head, scan.at) is not None


def _take_day(scan: Scan, parts: Parts) -> bool:
    found = day_at(scan.head, scan.low, scan.words, scan.at)
    day = join_dates(parts.day, found[0]) if found else None
    if found is None or day is None:
        return False
    parts.day, scan.at = day, found[1]
    return True


def _take_part(scan: Scan, parts: Parts) -> bool:
    # In German "am" is "on".
    if scan.words.language != "de" and (half := _HALF_BEFORE.match(scan.head, scan.at)):
        parts.part, scan.at = DayPart(f"{half[1].lower()}m"), half.end()
        return True
    found = scan.words.at(PART, scan.low, scan.at)
    if found is None or parts.part is not None or found[0].name in ("noon", "midnight"):
        return False
    if found[0].name in ("am", "pm") and scan.head[scan.at].isascii():
        return False
    parts.part, scan.at = found
    return True


def _take_native(scan: Scan, parts: Parts) -> bool:
    """A zone in its people's own words before the time; it goes first, as a day may begin it: "日本時間"."""
    if parts.zone or scan.head[scan.at : scan.at + 1].isascii():
        return False
    found = zone_at(scan.head, scan.at, scan.words) if native_zone_at(scan.head, scan.at) else None
    if found is None or found[0].doubtful:
        return False
    parts.zone, scan.at = found
    return True


def _take_zone(scan: Scan, parts: Parts) -> bool:
    """A zone before the time: "UTC 14:05", "CET: 14:05"."""
    head, at = scan.head, scan.at
    if parts.zone or not (head[at : at + 1].isupper() or head[at : at + 1] in ("+", "-")):
        return False
    found = zone_at(head, at, scan.words)
    if found is None or found[0].kind in ("unknown", "local"):
        return False
    zone, end = found
    name = head[at:end].lower()
    if is_bare_place(zone, name) or (zone.doubtful and name not in ROUGH_NAMES):
        return False
    parts.zone, scan.at = zone, end
    return True


def _behind_gap(scan: Scan, parts: Parts, depth: int) -> TimeOfDay | None:
    """The rest of the parts before a time, behind a separator."""
    dated = parts.day
    gap = scan.take(_GAP)
    if gap is None:
        if scan.head[scan.at - 1 : scan.at].isascii():
            return None
        scan.take(_SIGN_GAP)
    if gap:
        scan.joined = gap[1] is not None
        scan.openers = ("" if gap[2] else scan.openers) + (gap[3] or "")
    sure, scan.sure = scan.sure, True
    clock = clock_with_front(scan, parts, depth + 1)
    if clock is None or (clock.form == "plain" and not parts.part):
        scan.sure = sure
        return clock if clock and _begins_range(scan, parts) else None
    if dated and dated.form == "dots" and parts.day is dated and gap and (clock.form != "colon" or gap.group().strip()):
        return None
    return clock


def _begins_range(scan: Scan, parts: Parts) -> bool:
    """Whether a number alone behind a date begins a range: "Nov 23, 9-10am"."""
    return bool(parts.day) and bool(_DASH.match(scan.head, scan.at))


def _clock(scan: Scan, parts: Parts) -> TimeOfDay | None:
    stamp = bool(parts.day and parts.day.full)
    read = clock_at(scan.head, scan.at, sure=scan.sure, stamp=stamp) or _take_named_clock(scan)
    if read is None:
        return None
    scan.at = read[1]
    return read[0]


def _take_named_clock(scan: Scan) -> tuple[TimeOfDay, int] | None:
    """Noon and midnight in the author's own language."""
    found = scan.words.at(PART, scan.low, scan.at) if scan.words.language != "en" else None
    if found is None or found[0].name not in ("noon", "midnight") or found[0].day is not None:
        return None
    return TimeOfDay(12 if found[0].name == "noon" else 0, form="named"), found[1]


_SIGNED = re.compile(r"(\s?)([+-])([0-9]{2})(?:(:?)([0-9]{2}))?(?![0-9A-Za-z./%]|:[0-9A-Za-z])", re.ASCII)
_SAME_ZONE = re.compile(r"\s(?:\([A-Z]{3,4}\)|([A-Z]{3,4})(?![0-9A-Za-z]))|\[[A-Za-z_+/-]{1,40}\]", re.ASCII)
_BLANKS = re.compile(r"\s*([(\[]?)")
_NIGHT = 6 * 60  # minutes: "23:00-01:00" is a range over midnight, "14:05-03:00" can hardly be one
_MARK = re.compile(r"\s*(?:[-:;|/,@\u00b7\u2022]|-{2,3})\s*")


def zone_behind(scan: Scan, day: Day | None = None, clock: TimeOfDay | None = None) -> Zone | None:
    """A zone behind a time of day, bare or in brackets, taken from the scan."""
    head, start = scan.head, scan.at
    if clock and (signed := _SIGNED.match(head, start)):
        return _offset(scan, signed, day, clock)
    blanks = _BLANKS.match(head, start)
    if parted := _take_separated_zone(scan, clock):
        return parted
    at, bracket = (blanks.end(), blanks[1]) if blanks else (start, "")
    found = zone_at(head, at, scan.words, behind_half=bool(clock and clock.half))
    if found is None or (bracket and head[found[1] : found[1] + 1] != CLOSING[bracket]):
        return None
    zone, ends = found
    if zone.doubtful and not bracket:
        if "city" in scan.without:
            return None
        scan.unsure.add("city")
    scan.at = ends + len(bracket)
    return zone


def _take_separated_zone(scan: Scan, clock: TimeOfDay | None) -> Zone | None:
    """A zone behind a separator: "14:05 - CET". It may as well be the first word of what happened."""
    mark = _MARK.match(scan.head, scan.at) if clock and "city" not in scan.without else None
    found = zone_at(scan.head, mark.end(), scan.words) if mark else None
    if found is None or found[0].kind in ("unknown", "local"):
        return None
    zone, end = found
    name = scan.low[mark.end() : end] if mark else ""
    if is_bare_place(zone, name):
        return None
    scan.unsure.add("city")
    scan.at = end
    return zone


def _offset(scan: Scan, signed: re.Match[str], day: Day | None, clock: TimeOfDay) -> Zone | None:
    """A signed number behind a time: an offset, the end of a range ("08:00-09:00"), or a number of what happened."""
    if "offset" in scan.without:
        return None
    stamp = scan.joined or (day is not None and clock.precise)
    likelihood = _offset_likelihood(signed, clock, stamp=stamp)
    if likelihood == "either" and not signed[4] and day and day.full:
        likelihood = "sure"
    found = zone_at(f"{signed[2]}{signed[3]}:{signed[5] or '00'}", 0, scan.words) if likelihood else None
    if found is None:
        return None
    if likelihood == "either":
        if zone_at(scan.head, signed.end() + scan.head.startswith(" ", signed.end()), scan.words):
            return None
        scan.unsure.add("offset")
    scan.at = signed.end()
    _take_same_zone(scan)
    return found[0]


def _take_same_zone(scan: Scan) -> None:
    """The name of the zone behind its offset ("+0100 CET"), but not the next word of a log ("+0100 WARN")."""
    before = scan.at
    named = scan.take(_SAME_ZONE)
    name = named[1] if named else None
    if name and not (name in ("UTC", "GMT") or (name in ABBREVIATIONS and name not in CAPITALS_TOO)):
        scan.at = before


def _offset_likelihood(signed: re.Match[str], clock: TimeOfDay, *, stamp: bool) -> str:
    """Whether a signed number is an offset: "sure", "either" or "". A stamp carries one, "08:00-09:00" does not."""
    space, sign, hours, colon, minutes = signed.groups()
    if minutes not in (None, "00", "30", "45") or (sign == "-" and int(hours) > 12):
        return ""
    if stamp or (sign == "+" and (colon or not space)):
        return "sure"
    if minutes is None:
        return ""
    if not colon:
        return "either"
    if space or clock.precise:
        return "sure"
    lasts = (int(hours) * 60 + int(minutes) - clock.hour * 60 - clock.minute) % 1440
    forward = (int(hours), int(minutes)) > (clock.hour, clock.minute)
    return "" if forward or lasts <= _NIGHT else "either"


_TO = re.compile(r"\s*(?:-{1,3}>?|\u2192|~\s?(?=[0-9])|\.\.\.?|/(?=[0-9]{4}-)|\u304b\u3089)\s*", FLAGS)
_SHORT_END = re.compile(r"-([0-9]{2})(?![0-9:.%/]|\s?[ap]\.?m|\s+-?[0-9]|\s+(?:hours?|days?)\b)", FLAGS)
_ON = re.compile(r"\s+on\s+")
_BRACKET = re.compile(r"\s*\(")


def end_step(scan: Scan, start: TimeOfDay, parts: Parts) -> bool:
    """Take the end of a range, if there is one behind its start."""
    if parts.end:
        return False
    before = scan.at
    if (short := scan.take(_SHORT_END)) and start.form == "colon":
        parts.end = _short_end(scan, start, int(short[1]), before)
        return parts.end is not None
    scan.at = before
    link = _range_link(scan)
    if not link:
        return False
    state = scan.approximate, scan.joined, scan.sure
    scan.joined = False
    scan.take_roughness()
    # "14:05 - 1:30 outage" may be a length; "23:50-00:10 outage" and "to 00:10" are ends.
    scan.sure = scan.sure or link.strip() == link or link.strip().isalpha()
    ended = Parts()
    clock = clock_with_front(scan, ended, depth=3)
    if clock and _may_end(start, clock, link):
        parts.end = _whole_end(scan, clock, ended)
        return True
    scan.at = before
    scan.approximate, scan.joined, scan.sure = state
    return False


def _whole_end(scan: Scan, clock: TimeOfDay, ended: Parts) -> End:
    """The end with the parts behind it: "to 16:30 (04:30 pm) UTC", "and 19:10 on 08/07/2020 (UTC)"."""
    if scan.take(ISH):
        scan.approximate = True
    ended.zone = ended.zone or zone_behind(scan, ended.day, clock)
    take_equal(scan, clock)
    if not ended.day:
        _end_day(scan, ended)
    ended.zone = ended.zone or zone_behind(scan, ended.day, clock)
    if ended.part:
        clock = apply_part(clock, ended.part.name) or clock
    return End(clock, ended.day, ended.zone)


def _end_day(scan: Scan, ended: Parts) -> None:
    """The date of a range's end, if it follows with an "on" and has its year."""
    before = scan.at
    found = day_at(scan.head, scan.low, scan.words, scan.at) if scan.take(_ON) else None
    if found and found[0].full:
        ended.day, scan.at = found
    else:
        scan.at = before


def _range_link(scan: Scan) -> str:
    """The words between the two ends of a range, or nothing."""
    before = scan.at
    if scan.between:
        scan.skip_blanks()
        if scan.word(AND):
            return scan.head[before : scan.at]
        scan.at = before
    if scan.take(_TO):
        return scan.head[before : scan.at]
    spaced = scan.head[scan.at : scan.at + 1].isspace() or not scan.head[scan.at - 1 : scan.at].isascii()
    scan.skip_blanks()
    if spaced and scan.word(TO):
        return scan.head[before : scan.at]
    scan.at = before
    return ""


def _short_end(scan: Scan, start: TimeOfDay, number: int, before: int) -> End | None:
    """The end in "16:05:57-58" is a second later, in "14:05-20" 14:20, and in "14:30-15" 15:00."""
    last = start.second if start.precise else start.minute
    if last < number < 60:
        return End(start._replace(second=number) if start.precise else start._replace(minute=number))
    if not start.precise and start.hour < number < 24:
        return End(TimeOfDay(number))
    scan.at = before
    return None


def _may_end(start: TimeOfDay, end: TimeOfDay, link: str) -> bool:
    """Whether a second time ends a range. Behind a spaced dash it may as well be the first word of what happened."""
    if end.form in ("plain", "digits", "short") and not (end.form == start.form == "short"):
        return False
    if end.form == "dot" and start.form != "dot":
        return False
    if start.form == "plain" and end.form != "hour" and link.strip() != link:
        return False
    first, last = (part.of_day() for part in carry_halves(start, end))
    if first is None or last is None or link.strip() != "-" or link == "-":
        return True
    return last[0] > first[0] or (last[0].hour - first[0].hour) % 24 < 12


def take_equal(scan: Scan, clock: TimeOfDay) -> bool:
    """The same time of day written a second way, in brackets: "16:30 (04:30 pm)"."""
    before = scan.at
    if scan.take(_BRACKET):
        read = clock_at(scan.head, scan.at, sure=True)
        if read and scan.head[read[1] : read[1] + 1] == ")" and read[0].of_day() == clock.of_day():
            scan.at = read[1] + 1
            return True
    scan.at = before
    return False
