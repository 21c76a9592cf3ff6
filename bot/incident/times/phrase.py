"""The grammar of the times that people put before what happened: finds a time at the start of a text.

A time is a time of day with, in any order, a date, a weekday, a part of the day, a zone and the end of a range.
Nothing is interpreted here: what is found is what was written, which `instants` turns into moments. Patterns are tried
at one place of a short head of the text, so the work is bounded for any text.
"""

import re

from bot.incident.times.behind import UNCLEAN, with_rest
from bot.incident.times.evidence import is_silent, leftover
from bot.incident.times.front import clock_with_front
from bot.incident.times.language import Vocabulary
from bot.incident.times.offsets import zone_behind
from bot.incident.times.scan import FLAGS, ISH, Found, Parts, Scan
from bot.incident.times.spans import ago_at

HEAD = 120
"""Characters looked at: the longest time known to stand at the start of a line has about 80."""

_WORTH = re.compile(r"[0-9]|noon|midday|midnight|now|ago", re.IGNORECASE)
_BULLETS = re.compile(
    r"\s*(?:(?:[-*>|+\u2022\u00b7]|\#{1,6}|[0-9]{1,2}[.)](?=\s+[\[(*`~_]{0,3}[0-9]{1,2}:[0-9]))\s+){0,3}", re.ASCII
)
_OPENERS = re.compile(r"(?!'s\s)[\[(*_`\"']{1,3}")
_CLOSING = {"[": "]", "(": ")"}
_NAME = re.compile(r"(@?[\w.'-]{1,40}|[A-Z]\w{0,30}(?: [A-Z]\w{0,30}){1,2})\s{1,3}(?=\[[0-9~])")
_SEPARATOR = re.compile(r"\s*(?:[:,;.|\u3001]|-{1,3}>?|=>|\u2192)(?=\s|$|[^\x00-\u2fff])\s*|[:;,-](?=[^\W\d])|\s+")
_SIGN_PARTICLE = re.compile("(?:\u306b|\u3001|\u306e|\u3067|\u307e\u3067)\\s*")
_AHEAD = re.compile(r"\W*(?:\w+\W+){0,4}?(?:next|starts?|starting|expect\w*|until|will|planned|scheduled|eta)\b", FLAGS)


def find(head: str, words: Vocabulary) -> Found | None:
    """The time at the start of `head`, which has plain digits, dashes and quotes (see `plain`), or None."""
    if words.language == "en" and not _WORTH.search(head):
        return None
    scan = Scan(head, words)
    _open(scan)
    begins = scan.at
    found = _read(scan, begins)
    if found is None:
        return _relative(head, words, begins)
    if not scan.unsure:
        return found
    others = (*found.others, *_others(head, words, frozenset(scan.unsure), begins))
    return found._replace(others=others, maybe_text="text" in scan.unsure)


def _others(head: str, words: Vocabulary, unsure: frozenset[str], begins: int) -> tuple[Found, ...]:
    """The same text read without what was unsure in it."""
    if unsure == {"text"}:
        return ()
    scan = Scan(head, words, without=unsure)
    _open(scan)
    found = _read(scan, begins)
    return (found._replace(leftover=""),) if found else ()


def _read(scan: Scan, begins: int) -> Found | None:
    parts = Parts()
    clock = clock_with_front(scan, parts)
    if clock is None:
        return None
    found = with_rest(scan, clock, parts)
    return _bounded(scan, found, begins) if found else None


def _relative(head: str, words: Vocabulary, begins: int) -> Found | None:
    """A time relative to now."""
    scan = Scan(head, words)
    _open(scan)
    scan.take_roughness()
    ago = ago_at(scan.head, scan.low, words, scan.at)
    if ago is None:
        return None
    scan.at = ago[1]
    return _bounded(scan, Found(ago=ago[0]), begins)


def _bounded(scan: Scan, found: Found, begins: int) -> Found | None:
    """The same with where it stands; None where it is part of a longer word."""
    ends, zone = scan.at, None
    if scan.openers and _unwrap(scan) and found.clock and not found.zone:
        zone = zone_behind(scan)
        ends = scan.at if zone else ends
    if scan.at == ends and not zone and UNCLEAN.match(scan.head, ends):
        return None
    beside = "" if is_silent(scan) or ISH.match(scan.head, ends) else leftover(scan, found)
    if not scan.take(_SIGN_PARTICLE):
        scan.take(_SEPARATOR)
    return found._replace(
        begins=begins,
        ends=ends,
        rest=scan.at,
        kept=scan.kept,
        approximate=scan.approximate,
        zone=found.zone or zone,
        leftover=beside,
        ahead=scan.ahead or bool(_AHEAD.match(scan.head, ends)),
    )


def _open(scan: Scan) -> None:
    """Bullets, a name before a bracketed time, and what the time is wrapped in."""
    scan.take(_BULLETS)
    name = scan.take(_NAME) if "[" in scan.head[:60] else None
    scan.kept = f"{name[1]} " if name else ""
    openers = scan.take(_OPENERS)
    scan.openers = openers.group() if openers else ""


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
