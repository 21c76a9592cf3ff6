"""The end of a range behind the time at which it begins: "14:05-14:20", "from 9 to 10am", "14:05-20"."""

import re

from bot.incident.times.clocks import Clock, clock_at, in_part, with_halves
from bot.incident.times.days import day_at
from bot.incident.times.front import clock_with_front
from bot.incident.times.language import AND, TO
from bot.incident.times.offsets import zone_behind
from bot.incident.times.scan import FLAGS, ISH, End, Parts, Scan

_TO = re.compile(r"\s*(?:-{1,3}>?|\u2192|~\s?(?=[0-9])|\.\.\.?|/(?=[0-9]{4}-)|\u304b\u3089)\s*", FLAGS)
_SHORT_END = re.compile(r"-([0-9]{2})(?![0-9:.%/]|\s?[ap]\.?m|\s+-?[0-9]|\s+(?:hours?|days?)\b)", FLAGS)
_ON = re.compile(r"\s+on\s+")
_BRACKET = re.compile(r"\s*\(")


def end_step(scan: Scan, start: Clock, parts: Parts) -> bool:
    """Take the end of a range, if it stands behind its start."""
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
    # Behind "14:05 - 1:30 outage" may stand how long it was; "23:50-00:10 outage" and "to 00:10" tell its end.
    scan.sure = scan.sure or link.strip() == link or link.strip().isalpha()
    ended = Parts()
    clock = clock_with_front(scan, ended, depth=3)
    if clock and _may_end(start, clock, link):
        parts.end = _whole_end(scan, clock, ended)
        return True
    scan.at = before
    scan.approximate, scan.joined, scan.sure = state
    return False


def _whole_end(scan: Scan, clock: Clock, ended: Parts) -> End:
    """The end with what stands behind it, too: "to 16:30 (04:30 pm) UTC", "and 19:10 on 08/07/2020 (UTC)"."""
    if scan.take(ISH):
        scan.approximate = True
    ended.zone = ended.zone or zone_behind(scan, ended.day, clock)
    equal(scan, clock)
    if not ended.day:
        _end_day(scan, ended)
    ended.zone = ended.zone or zone_behind(scan, ended.day, clock)
    if ended.part:
        clock = in_part(clock, ended.part.name) or clock
    return End(clock, ended.day, ended.zone)


def _end_day(scan: Scan, ended: Parts) -> None:
    """The date of a range's end, where it stands behind it with an "on" and has its year."""
    before = scan.at
    found = day_at(scan.head, scan.low, scan.words, scan.at) if scan.take(_ON) else None
    if found and found[0].full:
        ended.day, scan.at = found
    else:
        scan.at = before


def _range_link(scan: Scan) -> str:
    """What stands between the two ends of a range, or nothing."""
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


def _short_end(scan: Scan, start: Clock, number: int, before: int) -> End | None:
    """The end in "16:05:57-58" is a second later, in "14:05-20" 14:20, and in "14:30-15" 15:00."""
    last = start.second if start.precise else start.minute
    if last < number < 60:
        return End(start._replace(second=number) if start.precise else start._replace(minute=number))
    if not start.precise and start.hour < number < 24:
        return End(Clock(number))
    scan.at = before
    return None


def _may_end(start: Clock, end: Clock, link: str) -> bool:
    """Whether a second time ends a range. Behind a spaced dash it may as well be the first word of what happened."""
    if end.form in ("plain", "digits", "short") and not (end.form == start.form == "short"):
        return False
    if end.form == "dot" and start.form != "dot":
        return False
    if start.form == "plain" and end.form != "hour" and link.strip() != link:
        return False
    first, last = (part.of_day() for part in with_halves(start, end))
    if first is None or last is None or link.strip() != "-" or link == "-":
        return True
    return last[0] > first[0] or (last[0].hour - first[0].hour) % 24 < 12


def equal(scan: Scan, clock: Clock) -> bool:
    """The same time of day written a second way, in brackets: "16:30 (04:30 pm)"."""
    before = scan.at
    if scan.take(_BRACKET):
        read = clock_at(scan.head, scan.at, sure=True)
        if read and scan.head[read[1] : read[1] + 1] == ")" and read[0].of_day() == clock.of_day():
            scan.at = read[1] + 1
            return True
    scan.at = before
    return False
