"""Times that programs write: Slack's date tokens, epochs, klog, lines of JSON, and full dates in unusual orders.

The last ("23-Nov-26 14:05") are read by dateutil, which takes "may" for a date, "99" for a year and "UTC+3" for the
west. So it only gets text that consists of a named month, figures and a time of day with a colon, without a zone.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from dateutil import parser

from bot.domain.times.clocks import TimeOfDay
from bot.domain.times.days import EARLIEST_YEAR, LATEST_YEAR, Day

_SLACK = re.compile(r"\s*<!date\^([0-9]{1,12})\^[^|>]{0,300}(?:\|[^>]{0,300})?>\s*[-:,|]?\s*")
_EPOCH = re.compile(
    r"\s*(?:(?:epoch|unix(?:\s?time)?|timestamp|ts)\s*[:=]?\s*@?|@)([0-9]{10}|[0-9]{13})(?:\.([0-9]{1,9}))?(?![0-9A-Za-z])[:,]?\s*",
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
        found = parser.parse(match.group().replace("'", ""), default=_BLANK, ignoretz=True)
    except (ValueError, OverflowError):
        return None
    if not EARLIEST_YEAR <= found.year <= LATEST_YEAR:
        return None
    precise = match.group().count(":") == 2
    day = Day(((found.year, found.month, found.day),), form="full")
    return day, TimeOfDay(found.hour, found.minute, found.second, precise=precise), match.end()
