"""Times relative to now: "-10m", "1h30m ago", "half an hour ago", "just now", "vor 10 Minuten"."""

import re
from datetime import timedelta

from bot.incident.times.language import AGO, BEFORE, UNIT, Vocabulary

_FLAGS = re.ASCII | re.IGNORECASE
_SPAN = re.compile(
    r"(?:([0-9]{1,4}(?:\.[0-9]{1,2})?)\s?|(an?|half\s+an?|one|two|three|five|ten)\s+)"
    r"(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)(?![A-Za-z])\.?(?:\s*,?\s*and\s+|\s*)",
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
_AMOUNT = re.compile(r"\s*([0-9]{1,4})\s*")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_COUNTS = {"one": 1.0, "two": 2.0, "three": 3.0, "five": 5.0, "ten": 10.0}


def ago_at(head: str, low: str, words: Vocabulary, at: int) -> tuple[timedelta, int] | None:
    """How long before now is meant at position `at`, and where that ends. A minus stands for "ago"."""
    now = _NOW.match(head, at)
    if now:
        return timedelta(0), now.end()
    signed = head.startswith("-", at)
    spans = _spans(head, at + signed, _MINUTES if signed else _MINUTES_AGO)
    if spans is None:
        return _in_words(low, words, at)
    back, end = spans
    if signed:
        end = len(head[:end].rstrip())
    match = _AGO.match(head, end) or (_END.match(head, end) if signed else None)
    return (back, match.end()) if match else _in_words(low, words, at)


def _spans(head: str, at: int, bare: re.Pattern[str]) -> tuple[timedelta, int] | None:
    back, last = timedelta(0), ""
    for _ in range(3):
        match = _SPAN.match(head, at)
        if match is None or match[3] == "M":
            break
        amount = float(match[1]) if match[1] else _named(match[2].lower())
        last = match[3][0].lower()
        back += timedelta(seconds=round(amount * _SECONDS[last]))
        at = match.end()
    minutes = bare.match(head, at) if last == "h" else None
    if minutes:
        return back + timedelta(minutes=int(minutes[1])), minutes.end()
    return (back, at) if last else None


def _named(word: str) -> float:
    return 0.5 if word.startswith("half") else _COUNTS.get(word, 1.0)


def _in_words(low: str, words: Vocabulary, at: int) -> tuple[timedelta, int] | None:
    """The same as other languages say it, with their "ago" before ("vor 10 Minuten") or behind ("10 minuti fa")."""
    if words.language == "en":
        return None
    before = words.at(BEFORE, low, at)
    amount = _AMOUNT.match(low, before[1] if before else at)
    unit = words.at(UNIT, low, amount.end()) if amount else None
    if not (amount and unit):
        return None
    end = unit[1]
    if not before:
        while low[end : end + 1].isspace():
            end += 1
        behind = words.at(AGO, low, end)
        if behind is None:
            return None
        end = behind[1]
    return timedelta(seconds=int(amount[1]) * unit[0]), end
