"""What stands before a time of day and belongs to it: little words, a date, a part of the day, a zone."""

import re

from bot.incident.times.clocks import Clock, clock_at
from bot.incident.times.days import day_at, joined
from bot.incident.times.language import AT, BETWEEN, FROM, PART, Part
from bot.incident.times.languages.native import native_zone_at
from bot.incident.times.loose import loose_at
from bot.incident.times.scan import FLAGS, Parts, Scan
from bot.incident.times.zonenames import ROUGH_NAMES
from bot.incident.times.zones import zone_at

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
"""Words for "at" that may stand for something else before figures with a dot: "v 1.20"."""
_COLON = re.compile(r"[0-9]{1,2}:")


def clock_with_front(scan: Scan, parts: Parts, depth: int = 0) -> Clock | None:
    """The time of day at the scan's place, behind whatever stands before it and belongs to it; None for no time.

    What was found goes into `parts`. `depth` counts the pieces before it: at most five are read.
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
        if loose := loose_at(scan.head, start):
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
    day = joined(parts.day, found[0]) if found else None
    if found is None or day is None:
        return False
    parts.day, scan.at = day, found[1]
    return True


def _take_part(scan: Scan, parts: Parts) -> bool:
    if scan.words.language != "de" and (half := _HALF_BEFORE.match(scan.head, scan.at)):
        parts.part, scan.at = Part(f"{half[1].lower()}m"), half.end()
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
    said = head[at:end].lower()
    if zone.kind == "region" and "/" not in said and " time" not in said and said not in ROUGH_NAMES:
        return False
    if zone.doubtful and said not in ROUGH_NAMES:
        return False
    parts.zone, scan.at = zone, end
    return True


def _behind_gap(scan: Scan, parts: Parts, depth: int) -> Clock | None:
    """The rest of what stands before a time, where something parts it from what was read."""
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


def _clock(scan: Scan, parts: Parts) -> Clock | None:
    stamp = bool(parts.day and parts.day.full)
    read = clock_at(scan.head, scan.at, sure=scan.sure, stamp=stamp) or _named(scan)
    if read is None:
        return None
    scan.at = read[1]
    return read[0]


def _named(scan: Scan) -> tuple[Clock, int] | None:
    """Noon and midnight in the author's own language."""
    found = scan.words.at(PART, scan.low, scan.at) if scan.words.language != "en" else None
    if found is None or found[0].name not in ("noon", "midnight") or found[0].day is not None:
        return None
    return Clock(12 if found[0].name == "noon" else 0, form="named"), found[1]
