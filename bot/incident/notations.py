"""The grammar of the times that people put before what happened: finds a time at the start of a text.

Nothing is interpreted here: what is found is a date, a time of day and a zone as written, which `instants` turns into
moments. Patterns are tried at one place of a short head of the text, so the work is bounded for any text.
"""

import re
from collections.abc import Callable

from bot.incident.clocks import Clock, with_halves
from bot.incident.days import Day, day_at
from bot.incident.scan import End, Found, Scan
from bot.incident.spans import ago_at
from bot.incident.stamps import ROUGHLY, dated_clock, zone_behind
from bot.incident.zones import Zone

HEAD = 96  # characters looked at: the longest time known to stand at the start of a line has about 60

_FLAGS = re.ASCII | re.IGNORECASE
_START = re.compile(
    r"[0-9~\u2248-]|(?:at|by|on|from|since|between|around|about|circa|approx|roughly|ca|noon|mid|today|yesterday|tom|tonight"
    r"|this|last|past|the|day|now|just|right|an?|half|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri"
    r"|sat|sun)(?![a-z]*['_])",
    _FLAGS,
)
_BULLETS = re.compile(
    r"\s*(?:(?:[-*>|+\u2022\u00b7]|[0-9]{1,2}[.)](?=\s+[\[(*`~_]{0,3}[0-9]{1,2}:[0-9]))\s+){0,3}", re.ASCII
)
_OPENERS = re.compile(r"[\[(*_`\"']{1,3}")
_CLOSING = {"[": "]", "(": ")"}
_NAME = re.compile(r"(@?[\w.'-]{1,40}|[A-Z]\w{0,30}(?: [A-Z]\w{0,30}){1,2})\s{1,3}(?=\[[0-9~])")
_ROUGH = r"(?:around|about|circa|approximately|approx\b\.?|roughly|ca\.|ca)"
_LEAD = re.compile(rf"(?:(?:at|by|on|from|since|(between))\s+)?(?:({_ROUGH}\s+|[~\u2248]\s*))?", _FLAGS)
_ISH = re.compile(
    r"\s?-?ish\b|\s+or\s+so\b|\s*\((?:(?:maybe|approx\.?|approximately|about|around|roughly|ca\.?|circa|estimated|guess"
    r"|ish|earlier|later|or|perhaps|probably|not|sure|unsure|i|think)[\s?,]*){1,6}\)|\s?\?{1,3}(?=[\s:,-]|$)",
    _FLAGS,
)
_TO = re.compile(r"\s*(?:-{1,3}>?|\u2192|~(?=[0-9])|\.\.\.?|/(?=[0-9]{4}-)|\b(?:to|until|till|through)\b)\s*", _FLAGS)
_AND = re.compile(r"\s*(?:-{1,3}|\b(?:and|to)\b)\s*", _FLAGS)
_SHORT_END = re.compile(r"-([0-9]{2})(?![0-9:.%/]|\s?[ap]\.?m)", _FLAGS)
_SEPARATOR = re.compile(r"\s*(?:[:,;.|]|-{1,3}>?|=>|\u2192)(?=\s|$)\s*|[:;,-](?=[^\W\d])|\s+")
_UNCLEAN = re.compile(
    r"[0-9A-Za-z_/%$#&^\\@=+<\u00b0\u00c0-\u024f]|[:.,][0-9]|:[0-9A-Za-z]{0,20}:|\.[A-Za-z]|-[0-9]|'[A-Za-z0-9]|\s+ago\b",
    re.ASCII,
)
_ON_DAY = re.compile(
    r"\s*(?:(,|\bon\b(?:\s+the)?|\()\s*|(?<=\s))(?=[0-9]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu"
    r"|fri|sat|sun|today|tomorrow|yesterday|this|last|the|day)",
    _FLAGS,
)
_ENDS_THERE = re.compile(r"\)?\s*(?:[:;,.|]?$|[:;,.|-](?=\s))")
_LATE_YEAR = re.compile(r"\s+((?:19|20)[0-9]{2})(?![0-9]|:[0-9])", re.ASCII)


def find(head: str) -> Found | None:
    """The time at the start of `head`, which has plain digits, dashes and quotes (see `moments`), or None."""
    scan = Scan(head)
    _open(scan)
    if not _START.match(head, scan.at):
        return None
    begins = scan.at
    found = _read(scan, _clocked, begins)
    if found is None:
        scan = Scan(head)
        _open(scan)
        return _read(scan, _relative, begins)
    if not scan.unsure:
        return found
    return found._replace(others=_others(head, frozenset(scan.unsure), begins), maybe_text="text" in scan.unsure)


def _others(head: str, unsure: frozenset[str], begins: int) -> tuple[Found, ...]:
    """The same text read without what was unsure in it."""
    if unsure == {"text"}:
        return ()
    scan = Scan(head, without=unsure)
    _open(scan)
    found = _read(scan, _clocked, begins)
    return (found,) if found else ()


def _read(scan: Scan, kind: Callable[[Scan], Found | None], begins: int) -> Found | None:
    found = kind(scan)
    closed = _close(scan, found) if found else None
    if found is None or closed is None:
        return None
    ends, zone = closed
    return found._replace(
        begins=begins,
        ends=ends,
        rest=scan.at,
        kept=scan.kept,
        approximate=scan.approximate,
        zone=found.zone or zone,
    )


def _open(scan: Scan) -> None:
    """Bullets, a name before a bracketed time, and what the time is wrapped in."""
    scan.take(_BULLETS)
    name = scan.take(_NAME) if "[" in scan.head[:60] else None
    scan.kept = f"{name[1]} " if name else ""
    openers = scan.take(_OPENERS)
    scan.openers = openers.group() if openers else ""


def _close(scan: Scan, found: Found) -> tuple[int, Zone | None] | None:
    """The end of the written time, and a zone behind its wrapping; None where it is part of a longer word."""
    ends, zone = scan.at, None
    if scan.openers and _unwrap(scan) and found.clock and not found.zone:
        zone = zone_behind(scan)
        ends = scan.at if zone else ends
    if scan.at == ends and not zone and _UNCLEAN.match(scan.head, ends):
        return None
    scan.take(_SEPARATOR)
    return ends, zone


def _unwrap(scan: Scan) -> bool:
    """Take what closes the wrapping of the time; a wrapping that closes later belongs to what happened."""
    head, at = scan.head, scan.at
    at += head[at : at + 1] in (":", ",", ".") and head[at + 1 : at + 2] in tuple("])*_`\"'")
    closed = 0
    for opener in reversed(scan.openers):
        if head[at : at + 1] != _CLOSING.get(opener, opener):
            break
        at, closed = at + 1, closed + 1
    scan.at = at if closed else scan.at
    scan.kept += scan.openers[: len(scan.openers) - closed]
    return bool(closed)


def _clocked(scan: Scan) -> Found | None:
    """A time of day, with whatever date, range and zone go with it."""
    lead = scan.take(_LEAD)
    if lead and lead.group():
        scan.sure, scan.between, scan.approximate = True, bool(lead[1]), bool(lead[2])
    dated = dated_clock(scan)
    return _with_rest(scan, *dated) if dated else None


def _with_rest(scan: Scan, day: Day | None, clock: Clock) -> Found | None:
    """What may follow a time of day: roughness, zone, end of a range, date, and a year at the very end."""
    begun = scan.at
    scan.rough(_ISH)
    zone = zone_behind(scan, day, clock)
    end = _end(scan, clock)
    if end:
        start_clock, end_clock = with_halves(clock, end.clock)
        clock, end = start_clock, end._replace(clock=end_clock)
        zone = zone or end.zone
    elif clock.form == "plain" or (clock.form == "digits" and not _is_time(scan, day, zone)):
        return None
    day = day or _later_day(scan)
    if day and day.form == "month" and clock.precise and (year := scan.take(_LATE_YEAR)):
        day = day._replace(
            numbers=tuple((int(year[1]), month, number) for _, month, number in day.numbers), form="full"
        )
    if clock.form == "dot" and scan.at == begun and not (day or scan.sure or scan.openers):
        _suspect_version(scan, clock)
    return Found(clock=clock, day=day, zone=zone, end=end)


def _is_time(scan: Scan, day: Day | None, zone: Zone | None) -> bool:
    """Whether four figures are a time of day, and not a number or part of a name ("1405Z-node")."""
    if scan.head.startswith("-", scan.at):
        return False
    return bool(day and day.full) or bool(zone and zone.kind in ("offset", "abbreviation"))


def _suspect_version(scan: Scan, clock: Clock) -> None:
    if clock.minute in (4, 10) and not clock.half and not _ENDS_THERE.match(scan.head, scan.at):
        scan.unsure.add("text")


def _end(scan: Scan, start: Clock) -> End | None:
    """The end of a range."""
    before = scan.at
    if (short := scan.take(_SHORT_END)) and start.form == "colon":
        return _short_end(scan, start, int(short[1]), before)
    scan.at = before
    link = scan.take(_AND if scan.between else _TO)
    if link is None:
        return None
    approximate = scan.approximate
    scan.rough(ROUGHLY)
    joined, scan.joined = scan.joined, False
    read = dated_clock(scan)
    if read and _may_end(start, read[1], link.group()):
        scan.rough(_ISH)
        zone = zone_behind(scan, *read)
        return End(read[1], read[0], zone)
    scan.at, scan.approximate, scan.joined = before, approximate, joined
    return None


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
    if end.form in ("plain", "digits") or (end.form == "dot" and start.form != "dot"):
        return False
    if start.form == "plain" and end.form != "hour" and link.strip() != link:
        return False
    first, last = (part.of_day() for part in with_halves(start, end))
    if first is None or last is None or link.strip() != "-" or link == "-":
        return True
    return last[0] > first[0] or (last[0].hour - first[0].hour) % 24 < 12


def _later_day(scan: Scan) -> Day | None:
    """A date behind the time: "14:05 UTC on 23 November", "2:05 PM yesterday", "14:05, Nov 23"."""
    head, before = scan.head, scan.at
    link = scan.take(_ON_DAY)
    dated = day_at(head, scan.at) if link and "day" not in scan.without else None
    if link is None or dated is None:
        scan.at = before
        return None
    day, scan.at = dated
    if link[1] == "(" and head[scan.at : scan.at + 1] == ")":
        scan.at += 1
    ends = _ENDS_THERE.match(head, scan.at)
    plainly = day.full or day.form == "word" or (link[1] and _is_dated(link[1], day, head[scan.at :]))
    if not _UNCLEAN.match(head, scan.at) and (ends or plainly):
        return day
    as_written = head[dated[1] - len(head[before : dated[1]].strip()) : dated[1]]
    named = day.form == "month" or as_written.endswith("day")
    if named and as_written != as_written.lower():
        scan.unsure.add("day")
        return day
    scan.at = before
    return None


def _is_dated(link: str, day: Day, rest: str) -> bool:
    """Whether a date is meant behind a time: not in "14:05, 3/4 ready" nor in "14:05 on 1/2 of the shards"."""
    if day.form in ("numbers", "dots"):
        return link.lower().startswith("on") and not rest.lstrip().lower().startswith("of ")
    return True


def _relative(scan: Scan) -> Found | None:
    """A time relative to now."""
    scan.rough(ROUGHLY)
    ago = ago_at(scan.head, scan.at)
    if ago is None:
        return None
    scan.at = ago[1]
    return Found(ago=ago[0])
