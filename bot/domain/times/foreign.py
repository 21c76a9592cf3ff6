"""Words for days and times in all known languages, for a line that is not in its author's language.

They are evidence and never read here: they show that a time was not understood, and which languages to try.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final

from bot.domain.times.language import (
    ABOUT,
    AGO,
    AT,
    BEFORE,
    BETWEEN,
    DAY,
    FROM,
    LANGUAGES,
    LAST,
    MONTH,
    NEXT,
    OTHERS,
    PART,
    UNIT,
    VAGUE,
    WEEKDAY,
    Vocabulary,
    is_ordinary,
    list_names,
    load_cldr_words,
    load_own_words,
    make_pattern,
    vocabulary,
)
from bot.domain.times.scan import lower

_SHORT_MONTHS: Final = frozenset({"mai", "maj", "mei"})
_ENGLISH_TOO: Final = frozenset("form per pop pre pred sub sel sre std tag".split())
"""Abbreviations and small words that are also in English lines of programs."""
_NUMBER = re.compile(r"[0-9]{1,2}(?![0-9:])(?:er|[.\u00ba\u00b0\u00aa])?\s*(?:de\s+|di\s+|d')?", re.IGNORECASE)
# "mars 4": a month of another language is evidence only with its day.
_NUMBER_BEHIND = re.compile(r"\.?\s+[0-9]{1,2}(?![0-9:])")
_AMOUNT = re.compile(r"[0-9]{1,4}\s?")
_SHORT_WORD = re.compile(r"[^\W\d_]{1,3}\s+")
_FIRST = re.compile(r"'?[^\W\d_]+")
_UNPARTED: Final = "\u0e00"
"""From here on, letters of languages that do not part words: Thai, Chinese, Japanese, and Korean with its particles."""
_WORD = re.compile(r"[^\W\d_]{2,12}\s+")
_BLANKS = re.compile(r"\s+")
_NO_WORD = re.compile(r"(?!)")
_MOST_LANGUAGES = 8
"""Of the further languages that have a word of a line: as many as the Slavic ones that share most words."""
_KINDS = (AT, FROM, BETWEEN, ABOUT, BEFORE, AGO, DAY, PART, MONTH, WEEKDAY)


def _letters(word: str) -> int:
    return sum(letter.isalpha() for letter in word)


def _is_telling(word: str) -> bool:
    """Whether a word of another language cannot be one of English."""
    return (not word.isascii() or _letters(word) >= 3) and not is_ordinary(word) and word not in _ENGLISH_TOO


@cache
def _languages() -> Mapping[str, tuple[str, ...]]:
    """The words for days and parts of the day that English has not, each with the languages that have it."""
    found: dict[str, list[str]] = {}
    english = {word for kind in vocabulary("en").words.values() for word in kind}
    for code in (*LANGUAGES, *OTHERS):
        named = list_names(code)
        for kind in (WEEKDAY, DAY, PART, VAGUE):
            own = load_own_words(code, kind) if kind == WEEKDAY else {}
            for word in named[kind]:
                is_short = word in own and len(word) <= 4 and word.isascii() and word not in load_cldr_words(code)[kind]
                if word not in english and _is_telling(word) and not is_short:
                    found.setdefault(word, []).append(code)
    return {word: tuple(dict.fromkeys(codes)) for word, codes in found.items()}


@cache
def _months() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    english = vocabulary("en").words[MONTH]
    for code in (*LANGUAGES, *OTHERS):
        for word in list_names(code)[MONTH]:
            is_long = not word.isascii() or _letters(word) > 3 or word in _SHORT_MONTHS
            if is_long and word not in english and _is_telling(word) and not word[0].isdigit():
                found.setdefault(word, []).append(code)
    return {word: tuple(codes) for word, codes in found.items()}


@cache
def _others(*kinds: str) -> Mapping[str, tuple[str, ...]]:
    """The words of some kinds, without those of English, each with the languages that have it."""
    english = {word for kind in vocabulary("en").words.values() for word in kind}
    found: dict[str, list[str]] = {}
    for code in (*LANGUAGES, *OTHERS):
        words = [word for kind in kinds for word in list_names(code)[kind]]
        words += load_cldr_words(code)[UNIT] if UNIT in kinds else ()
        for word in words:
            if word not in english and _is_telling(word):
                found.setdefault(word, []).append(code)
    return {word: tuple(codes) for word, codes in found.items()}


def foreign_words() -> frozenset[str]:
    """Words of other languages that name a day or a part of it, or introduce one; none that are also English."""
    return frozenset(_languages()) | _leading_words()


@cache
def _leading_words() -> frozenset[str]:
    return frozenset(_others(LAST, NEXT, BEFORE))


class _Words:
    """Words as one pattern, tried only at the first word of one of them."""

    def __init__(self, words: Iterable[str]) -> None:
        ordered = sorted(words)
        self._pattern = make_pattern(ordered) or _NO_WORD
        self._first = {match.group() for word in ordered if (match := _FIRST.match(word))}

    def at(self, low: str, at: int) -> re.Match[str] | None:
        first = _FIRST.match(low, at)
        if first is None or (first.group() not in self._first and first.group() < _UNPARTED):
            return None
        return self._pattern.match(low, at)

    def within(self, low: str) -> Iterator[re.Match[str]]:
        """All in a text; a word of letters does not begin within another."""
        for first in _FIRST.finditer(low):
            if first.group() in self._first and (match := self._pattern.match(low, first.start())):
                yield match
        if not low.isascii() and max(low) >= _UNPARTED:
            yield from (match for match in self._pattern.finditer(low) if match[1] >= _UNPARTED)


@cache
def _day() -> _Words:
    return _Words(_languages())


@cache
def _month() -> _Words:
    return _Words(_months())


@cache
def _unit() -> _Words:
    return _Words(_others(UNIT))


@cache
def _ago() -> _Words:
    return _Words(word for code in (*LANGUAGES, *OTHERS) for word in list_names(code)[AGO])


@cache
def _lead() -> _Words:
    return _Words(_leading_words())


def prepare() -> None:
    """Read the words of all languages once."""
    for words in (_day, _month, _unit, _ago, _lead):
        words()


def foreign_at(low: str, at: int) -> int:
    """Where a day, a part of it, a date or a length of time in another language ends that begins at `at`; else 0.

    `low` is the text in lower case.
    """
    if low[at : at + 1].isdigit():
        return _behind_number(low, at)
    if found := _day().at(low, at):
        return found.end()
    month = _month().at(low, at)
    behind = _NUMBER_BEHIND.match(low, month.end()) if month else None
    return behind.end() if behind else 0


def _behind_number(low: str, at: int) -> int:
    number = _NUMBER.match(low, at)
    month = _month().at(low, number.end()) if number else None
    amount = None if month else _AMOUNT.match(low, at)
    unit = _unit().at(low, amount.end()) if amount else None
    found = month or unit
    return found.end() if found else 0


def foreign_behind(low: str, at: int) -> int:
    """The end of such words behind others: "am Freitag", "w zeszły piątek", "il y a 2 jours"; 0 if there are none."""
    short = _SHORT_WORD.match(low, at)
    for start in (at, short.end() if short else at):
        lead = _lead().at(low, start)
        place = lead.end() if lead else start
        while low[place : place + 1].isspace():
            place += 1
        if place > at and (end := foreign_at(low, place)) and not (lead is None and low[place].isdigit()):
            return end
    return _end_of_amount(low, at)


def _end_of_amount(low: str, at: int) -> int:
    """Where a number of days in words ends: "dwa dni temu", "vor zwei Tagen"; 0 if there is none."""
    lead = _lead().at(low, at)
    word = _WORD.match(low, lead.end() + 1 if lead else at)
    alone = None if lead else _unit().at(low, at)
    unit = alone or (_unit().at(low, word.end()) if word else None)
    blanks = _BLANKS.match(low, unit.end()) if unit else None
    ago = _ago().at(low, blanks.end()) if blanks else None
    return ago.end() if ago else unit.end() if unit and lead else 0


def _languages_of(low: str) -> Iterator[str]:
    """The languages that have a word of a text for a day, a month or a part of the day, but not English."""
    seen: set[str] = set()
    for pattern, words in ((_day(), _languages()), (_month(), _months()), (_unit(), _others(UNIT))):
        for match in pattern.within(low):
            for code in words.get(" ".join(match[1].split()), ()):
                if code not in seen:
                    seen.add(code)
                    yield code


def languages_in(text: str, own: Vocabulary) -> list[Vocabulary]:
    """The vocabularies, without the author's own, of the languages in which a text has a word for a day or time."""
    tried = [other for name in LANGUAGES if name != own.language and _has_time_word(other := vocabulary(name), text)]
    others = [name for name in _languages_of(lower(text)) if name not in LANGUAGES and name != own.language]
    return [*tried, *map(vocabulary, others[:_MOST_LANGUAGES])]


def _has_time_word(words: Vocabulary, text: str) -> bool:
    """Whether a text has a word for a day or time in that language that is not English."""
    low = lower(text)
    english = vocabulary("en")
    for kind in _KINDS:
        pattern = words.patterns.get(kind)
        if pattern is None:
            continue
        for match in pattern.finditer(low):
            is_word = not match.start() or not low[match.start() - 1].isalnum() or not match[1].isascii()
            if is_word and match[1] not in english.words.get(kind, {}):
                return True
    return False
