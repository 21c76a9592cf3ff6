"""A zone behind a time of day: a name, bare or in brackets, or a signed number that may as well be something else."""

import re

from bot.incident.times.clocks import Clock
from bot.incident.times.days import Day
from bot.incident.times.scan import Scan
from bot.incident.times.zonenames import ABBREVIATIONS, CAPITALS_TOO, ROUGH_NAMES
from bot.incident.times.zones import Zone, zone_at

_SIGNED = re.compile(r"(\s?)([+-])([0-9]{2})(?:(:?)([0-9]{2}))?(?![0-9A-Za-z./%]|:[0-9A-Za-z])", re.ASCII)
_SAME_ZONE = re.compile(r"\s(?:\([A-Z]{3,4}\)|([A-Z]{3,4})(?![0-9A-Za-z]))|\[[A-Za-z_+/-]{1,40}\]", re.ASCII)
_BLANKS = re.compile(r"\s*([(\[]?)")
_NIGHT = 6 * 60  # minutes: "23:00-01:00" is a range over midnight, "14:05-03:00" can hardly be one
_MARK = re.compile(r"\s*(?:[-:;|/,@\u00b7\u2022]|-{2,3})\s*")
_CLOSING = {"[": "]", "(": ")"}


def zone_behind(scan: Scan, day: Day | None = None, clock: Clock | None = None) -> Zone | None:
    """A zone behind a time of day, bare or in brackets, taken from the scan."""
    head, start = scan.head, scan.at
    if clock and (signed := _SIGNED.match(head, start)):
        return _offset(scan, signed, day, clock)
    blanks = _BLANKS.match(head, start)
    if parted := _parted(scan, clock):
        return parted
    at, bracket = (blanks.end(), blanks[1]) if blanks else (start, "")
    found = zone_at(head, at, scan.words, behind_half=bool(clock and clock.half))
    if found is None or (bracket and head[found[1] : found[1] + 1] != _CLOSING[bracket]):
        return None
    zone, ends = found
    if zone.doubtful and not bracket:
        if "city" in scan.without:
            return None
        scan.unsure.add("city")
    scan.at = ends + len(bracket)
    return zone


def _parted(scan: Scan, clock: Clock | None) -> Zone | None:
    """A zone behind a separator: "14:05 - CET". It may as well be the first word of what happened."""
    mark = _MARK.match(scan.head, scan.at) if clock and "city" not in scan.without else None
    found = zone_at(scan.head, mark.end(), scan.words) if mark else None
    if found is None or found[0].kind in ("unknown", "local"):
        return None
    zone, end = found
    said = scan.low[mark.end() : end] if mark else ""
    if zone.kind == "region" and "/" not in said and " time" not in said and said not in ROUGH_NAMES:
        return None
    scan.unsure.add("city")
    scan.at = end
    return zone


def _offset(scan: Scan, signed: re.Match[str], day: Day | None, clock: Clock) -> Zone | None:
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
    """The name of the zone behind its offset ("+0100 CET"), and not what a log goes on with ("+0100 WARN")."""
    before = scan.at
    named = scan.take(_SAME_ZONE)
    name = named[1] if named else None
    if name and not (name in ("UTC", "GMT") or (name in ABBREVIATIONS and name not in CAPITALS_TOO)):
        scan.at = before


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
