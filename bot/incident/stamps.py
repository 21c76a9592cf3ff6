"""[date] time [zone]: what a moment is written with, before it is known whether it is one."""

import re

from bot.incident.clocks import Clock, clock_at, in_part
from bot.incident.days import Day, day_at
from bot.incident.loose import loose_at
from bot.incident.scan import Scan
from bot.incident.zones import Zone, zone_at

_FLAGS = re.ASCII | re.IGNORECASE
_ROUGH = r"(?:around|about|circa|approximately|approx\b\.?|roughly|ca\.|ca)"
ROUGHLY = re.compile(rf"{_ROUGH}\s+|[~\u2248]\s*", _FLAGS)
_GAP = re.compile(
    r"(T)(?=[0-9])|(?:\s*\(?(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\)?(?=[\s,]))?([\])]{0,2})"
    r"(?:[\s,_]*(?:(?:at|um)\b|@|-+|\||:)[\s,]*|[\s,_]+)([\[(*`]{0,2})(?:at\s+)?",
    _FLAGS,
)
_SIGNED = re.compile(r"(\s?)([+-])([0-9]{2})(?:(:?)([0-9]{2}))?(?![0-9A-Za-z:./%])", re.ASCII)
_AND_UTC = re.compile(r"\s\(?(?:UTC|GMT)\)?(?![0-9A-Za-z])", re.ASCII)
_BLANKS = re.compile(r"\s*([(\[]?)")
_NIGHT = 6 * 60  # minutes: "23:00-01:00" is a range over midnight, "14:05-03:00" can hardly be one
_CLOSING = {"[": "]", "(": ")"}


def dated_clock(scan: Scan) -> tuple[Day | None, Clock] | None:
    """[date] time, taken from the scan: the date only where a time of day follows it."""
    head, start = scan.head, scan.at
    if head[start + 1 : start + 2] != ":" and head[start + 2 : start + 3] != ":":
        dated = day_at(head, start)
        clock = _clock_after(scan, *dated) if dated else None
        if dated and clock and clock.form != "plain":
            return in_part(dated[0], clock)
        if loose := loose_at(head, start):
            scan.at = loose[2]
            return loose[0], loose[1]
        if dated and clock:
            return dated[0], clock
        scan.at = start
    read = clock_at(head, start, sure=scan.sure)
    if read is None:
        return None
    scan.at = read[1]
    return None, read[0]


def _clock_after(scan: Scan, day: Day, ends: int) -> Clock | None:
    scan.at = ends
    gap = scan.take(_GAP)
    if gap is None:
        return None
    before = scan.approximate
    scan.rough(ROUGHLY)
    read = clock_at(scan.head, scan.at, sure=True)
    if read is None or (day.form == "dots" and (read[0].form != "colon" or gap.group().strip())):
        scan.approximate = before
        return None
    scan.at, scan.joined = read[1], gap[1] is not None
    scan.openers = ("" if gap[2] else scan.openers) + (gap[3] or "")
    return read[0]


def zone_behind(scan: Scan, day: Day | None = None, clock: Clock | None = None) -> Zone | None:
    """A zone behind a time of day, bare or in brackets, taken from the scan."""
    head, start = scan.head, scan.at
    if clock and (signed := _SIGNED.match(head, start)):
        return _offset(scan, signed, day, clock)
    blanks = _BLANKS.match(head, start)
    at, bracket = (blanks.end(), blanks[1]) if blanks else (start, "")
    found = zone_at(head, at)
    if found is None or (bracket and head[found[1] : found[1] + 1] != _CLOSING[bracket]):
        return None
    zone, ends = found
    if zone.doubtful and not bracket:
        if "city" in scan.without:
            return None
        scan.unsure.add("city")
    scan.at = ends + len(bracket)
    return zone


def _offset(scan: Scan, signed: re.Match[str], day: Day | None, clock: Clock) -> Zone | None:
    """A signed number behind a time: an offset, the end of a range ("08:00-09:00"), or a number of what happened."""
    if "offset" in scan.without:
        return None
    stamp = scan.joined or (day is not None and clock.precise)
    likelihood = _offset_likelihood(signed, clock, stamp=stamp)
    if likelihood == "either" and not signed[4] and day and day.full:
        likelihood = "sure"
    found = zone_at(f"{signed[2]}{signed[3]}:{signed[5] or '00'}", 0) if likelihood else None
    if found is None:
        return None
    if likelihood == "either":
        if zone_at(scan.head, signed.end() + scan.head.startswith(" ", signed.end())):
            return None
        scan.unsure.add("offset")
    scan.at = signed.end()
    scan.take(_AND_UTC)
    return found[0]


def _offset_likelihood(signed: re.Match[str], clock: Clock, *, stamp: bool) -> str:
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
