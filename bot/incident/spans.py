"""Times relative to now: "-10m", "1h30m ago", "half an hour ago", "just now"."""

import re
from datetime import timedelta

_FLAGS = re.ASCII | re.IGNORECASE
_SPAN = re.compile(
    r"(?:([0-9]{1,4}(?:\.[0-9]{1,2})?)\s?|(an?|half\s+an?)\s+)"
    r"(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?![A-Za-z])(?:\s*,?\s*and\s+|\s*)",
    _FLAGS,
)
_MINUTES = re.compile(r"([0-9]{1,2})(?![0-9A-Za-z.,:])", re.ASCII)
_MINUTES_AGO = re.compile(r"([0-9]{1,2})(?=\s*ago)", re.ASCII)
_AGO = re.compile(r"\s*ago(?![\w'-])", _FLAGS)
_END = re.compile(r"(?![\w%/'-])")
_NOW = re.compile(
    r"(?:(?:just|right)\s+now|now(?!\s+(?:that|it|its|it's|we|they|the|at|only|all|what|with|in|on|and|is|are|a|an|our"
    r"|there|or|for|to)\b))(?![\w'-])",
    _FLAGS,
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def ago_at(head: str, at: int) -> tuple[timedelta, int] | None:
    """How long before now is meant at position `at`, and where that ends. A minus stands for "ago"."""
    now = _NOW.match(head, at)
    if now:
        return timedelta(0), now.end()
    signed = head.startswith("-", at)
    spans = _spans(head, at + signed, _MINUTES if signed else _MINUTES_AGO)
    if spans is None:
        return None
    back, end = spans
    if signed:
        end = len(head[:end].rstrip())
    match = _AGO.match(head, end) or (_END.match(head, end) if signed else None)
    return (back, match.end()) if match else None


def _spans(head: str, at: int, bare: re.Pattern[str]) -> tuple[timedelta, int] | None:
    back, last = timedelta(0), ""
    for _ in range(3):
        match = _SPAN.match(head, at)
        if match is None or match[3] == "M":
            break
        amount = float(match[1]) if match[1] else 0.5 if match[2].lower().startswith("half") else 1.0
        last = match[3][0].lower()
        back += timedelta(seconds=round(amount * _SECONDS[last]))
        at = match.end()
    minutes = bare.match(head, at) if last == "h" else None
    if minutes:
        return back + timedelta(minutes=int(minutes[1])), minutes.end()
    return (back, at) if last else None
