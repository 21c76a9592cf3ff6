"""The data of the grammar: a place in the head of a text, what was found there, and text with plain characters."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bot.domain.times.clocks import TimeOfDay
from bot.domain.times.days import Day
from bot.domain.times.language import ABOUT, DayPart, Vocabulary
from bot.domain.times.zones import Zone

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
