"""The rule of leftovers (decision 33): words next to a time that say something of another one.

A line is read only if nothing of the kind is left next to the time; else it is a question. A reader of the receipt
cannot see that half a time was dropped. Words for days and times in other languages than the author's are evidence and
never read here: they show that a time was not understood, and which languages to try.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Final

from bot.domain.times.clocks import clock_at
from bot.domain.times.days import day_at
from bot.domain.times.language import (
    ABOUT,
    AGO,
    AND,
    AT,
    BEFORE,
    BETWEEN,
    DAY,
    FILLER,
    FROM,
    LANGUAGES,
    LAST,
    MONTH,
    NEXT,
    OTHERS,
    PART,
    TO,
    UNIT,
    VAGUE,
    WEEKDAY,
    Vocabulary,
    count_letters,
    is_ordinary,
    list_names,
    load_cldr_words,
    load_own_words,
    make_pattern,
    vocabulary,
)
from bot.domain.times.scan import Scan, TimeFound, lower
from bot.domain.times.zone_names import (
    ABBREVIATIONS,
    CAPITALS_TOO,
    ROUGH_NAMES,
    STATES,
    WORDS_TOO,
    cities,
    first_words,
    native_zone_at,
    place_names,
    zone_keys,
)
from bot.domain.times.zones import is_bare_place, zone_at

_SHORT_MONTHS: Final = frozenset({"mai", "maj", "mei"})
_ENGLISH_TOO: Final = frozenset("form per pop pre pred sub sel sre std tag".split())
"""Abbreviations and small words that are also in English lines of programs."""
_NUMBER = re.compile(r"[0-9]{1,2}(?![0-9:])(?:er|[.\u00ba\u00b0\u00aa])?\s*(?:de\s+|di\s+|d')?", re.IGNORECASE)
# "mars 4": a month of another language is evidence only with its day.
_NUMBER_BEHIND = re.compile(r"\.?\s+[0-9]{1,2}(?![0-9:])")
_LENGTH = re.compile(r"[0-9]{1,4}\s?")
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


def _is_telling(word: str) -> bool:
    """Whether a word of another language cannot be one of English."""
    return (not word.isascii() or count_letters(word) >= 3) and not is_ordinary(word) and word not in _ENGLISH_TOO


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
            is_long = not word.isascii() or count_letters(word) > 3 or word in _SHORT_MONTHS
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
    """Words, looked for by their first word: one pattern for all of them would take 70 ms and 6 MB to compile.

    Those of languages that do not part words have a pattern together.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._by_first: dict[str, list[str]] = {}
        self._unparted: list[str] = []
        self._patterns: dict[str, re.Pattern[str]] = {}
        for word in sorted(words):
            if first := _FIRST.match(word):
                self._by_first.setdefault(first.group(), []).append(word)
            if word >= _UNPARTED:
                self._unparted.append(word)

    @cached_property
    def unparted_pattern(self) -> re.Pattern[str]:
        """The words of languages that do not part them."""
        return make_pattern(self._unparted) or _NO_WORD

    def _starting_with(self, first: str) -> re.Pattern[str]:
        if first not in self._by_first:
            return _NO_WORD
        if first >= _UNPARTED:
            return self.unparted_pattern
        if first not in self._patterns:
            self._patterns[first] = make_pattern(self._by_first[first]) or _NO_WORD
        return self._patterns[first]

    def at(self, low: str, at: int) -> re.Match[str] | None:
        first = _FIRST.match(low, at)
        if first is None:
            return None
        pattern = self.unparted_pattern if first.group() >= _UNPARTED else self._starting_with(first.group())
        return pattern.match(low, at)

    def within(self, low: str) -> Iterator[re.Match[str]]:
        """All in a text; a word of letters does not begin within another."""
        for first in _FIRST.finditer(low):
            if match := self._starting_with(first.group()).match(low, first.start()):
                yield match
        if not low.isascii() and max(low) >= _UNPARTED:
            yield from self.unparted_pattern.finditer(low)


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
        _ = words().unparted_pattern


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
    amount = None if month else _LENGTH.match(low, at)
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


_GAP = re.compile(r"[\s\-\u00b7\u2022/|,;:.()\[\]\u2192>*_`~@=&+]{1,12}")
# "am" is also a verb, and German for "on": so only before a mark.
_HALF = re.compile(r"(?:[ap]\.\s?m\b\.?|pm\b|am(?=\s*(?:$|[-:;,.|)\]])))", re.IGNORECASE)
_RELATIVE = re.compile(
    r"(?:ago|later|earlier|before\s+that|day\s+before|prev\b|yest\b|(?:last\s+)?nite|weekend|fortnight|christmas|xmas|new\s+year|eve\b|lunch(?:time)?|dawn|dusk|sunrise|sunset|[DT][+-][0-9]|previous|previously|next\s+day|noon|midnight)\b",
    re.IGNORECASE,
)
# "14:05, two long days ago": up to three words before the "ago".
_AGO_SOON = re.compile(r"[\s,:;|/()\[\]\u00b7\u2022-]{1,6}(?:[^\s.,;:]{1,20}\s+){1,3}ago\b", re.IGNORECASE)
_ZONES = re.compile(r"([A-Z]{2,5})/[A-Z]{2,5}\b")
_AMOUNT = re.compile(
    r"(?:([0-9]{1,4})(?:[.,][0-9])?(\s?)|(?:an?|one|two|three|half\s+an)\s+)(?=[A-Za-z\u00c0-\u024f\u3000-\u9fff])"
)
_OFFSET = re.compile(
    r"(?:(?:UTC|GMT)\s?)?[+-](?:[0-9]{1,2}:[0-9]{2}|[0-9]{4})(?![0-9.%]|:[0-9])|(?:UTC|GMT)\s?[+-][0-9]", re.IGNORECASE
)
# An offset without its zone: "14:05 +02".
_LONE_OFFSET = re.compile(r"\s+[+-](?:0[0-9]|1[0-4])(?:00|30|45)?(?=\s|$|[)\]])")
# An offset apart from its zone: "14:05 UTC +3".
_SHIFT = re.compile(r"\s*(?:\+\s?|-)[0-9]{1,2}(?![0-9A-Za-z%.:/])")
_DAY_COUNT = re.compile(r"[+-]\s?[0-9]\s?(?:days?|d)\b", re.IGNORECASE)
_ORDINARY = re.compile(r"(?:\s?[-:,]?\s+|:\s?)([A-Za-z]{2,})(?=[\s.,;:!?]|$)", re.ASCII)
# Not a word that is a time only at the start of a line: "just now", "an hour ago".
_OPENING = re.compile(r"(?!(?:just|right|now|an|half)\b)([A-Za-z]{2,})(?=\s|$)", re.ASCII | re.IGNORECASE)
_CAPITALS = re.compile(r"([A-Z]{3,5})(?![0-9A-Za-z/_.:-])", re.ASCII)
_OTHER_WORDS = (
    "ago later earlier before previous previously next noon midnight utc gmt zulu ut local hora heure ora am pm ish or"
    " an one two three four five six seven ten half several few couple some yest prev nite weekend fortnight eve lunch"
    " lunchtime dawn dusk sunrise sunset christmas easter over then plus am den dem vom le el il dia de op"
)
_YEAR = re.compile(r"[\s,]+(?:of\s+|de\s+)?(?:19|20)[0-9]{2}(?![0-9A-Za-z_%:.-])", re.IGNORECASE)
# Small words before a day, and numbers before a length of time, in other languages.
_ON_WORDS = (
    "am im den der die das dem des om op na no em nos nas le la el il lo los las du de di da do dos das ve vo we pe din"
    " ce cet cette este esta ese esa questo questa del della nel nella diesen dieses op om i za od do po u v w"
    " zwei drei twee drie deux trois dos tres due tre dois duas dwa dwie trzy dva dve kaksi kolme pari iki kahe"
)
_PART_OF_NUMBER = re.compile(r"[0-9A-Za-z_%$#^\\\u00b0]|[:.,/-][0-9A-Za-z]", re.ASCII)
# Words of English, and days only if nothing follows them.
_LATER_WORDS = frozenset({"sat", "sun", "may", "march", "mar"})
_MOST_FILLERS = 3


# Words that only have the form of a zone's name.
_FORM = re.compile(
    r"(?!(?:lange|langer|kurze|kurzer|einige|etwas|keine|viel|ganze|hele|lange|korte|enige|lång|lite|lang|kort|hele|всё|все"
    r"|долгое|некоторое|настоящее|последнее|то|pitkän|jonkin|hosszú|egész|uzun|kısa|dlouhou|nějakou|hodně|дълго)\s)"
    r"(?:(?:по\s+|за\s+)?[^\W\d_]{3,20}\s+(?:zeit|tijd|tid|aikaa|idő|saatiyle|saati|времени|время|часом|часу|време|vremenu"
    r"|času|laiku|laika)(?![\w-])"
    r"|(?:czasu\s+[^\W\d_]+ego|hora\s+(?:local|oficial|españ\w+)|heure\s+(?:locale|fran\w+|d'été|d'hiver|suisse|belge)"
    r"|ora\s+(?:locale|italiana|legale|solare|locală|rom\w+)|hor(?:a|ário)\s+(?:local|brasileir[ao]|oficial|de\s+verão)"
    r"|ώρα\s+[^\W\d_]{4,}|שעון\s+[^\W\d_]+"
    r"|بتوقيت\s+[^\W\d_]+|به وقت\s+[^\W\d_]+|giờ\s+[^\W\d_]+|waktu\s+[^\W\d_]+)(?![\w-])"
    r"|(?:ortszeit|lokalzeit)\b|(?:当地|當地|現地|纽约|東京|伦敦|本地)(?:时间|時間))"
)
_FORM_BEHIND = re.compile(r"[^\W\d_]{3,20}\s+(?:zeit|tijd|tid|aikaa|saati)", re.ASCII)


def native_form_at(low: str, at: int) -> int:
    """Where words end that have the form of a zone's name in another language; 0 if there are none at the place."""
    found = _FORM.match(low, at)
    return found.end() if found else 0


def may_be_form(ahead: str) -> bool:
    """Whether the two words at the start of a text in small letters may name a zone."""
    return _FORM_BEHIND.match(ahead) is not None


@cache
def _first_words(words: Vocabulary) -> frozenset[str]:
    """The first words, in small letters, of everything that may belong to a time."""
    found = {word for kind in words.words.values() for term in kind for word in term.split(" ")[:1]}
    found |= {name.split(" ")[0].split("_")[0] for name in (*place_names(), *cities(), *STATES)}
    found |= {name.lower() for name in ABBREVIATIONS} | set(ROUGH_NAMES) | {key.split("/")[0] for key in zone_keys()}
    found |= {word.split(" ")[0].split("'")[0] for word in foreign_words()}
    return frozenset(found | first_words() | set(_OTHER_WORDS.split()) | set(_ON_WORDS.split()))


def is_silent(scan: Scan) -> bool:
    """Whether what follows is an ordinary word, behind a blank, that cannot belong to a time: nearly always it is.

    It spares the whole grammar for the line that people type most.
    """
    match = _ORDINARY.match(scan.head, scan.at)
    return match is not None and _is_apart(scan, match)


def opens_silently(scan: Scan) -> bool:
    """Whether the line begins with such a word, so that no time can begin it. It may still hold one."""
    match = _OPENING.match(scan.head)
    # "ana [14:05] failed over": a name.
    return match is not None and "[" not in scan.head[:60] and _is_apart(scan, match)


def _is_apart(scan: Scan, match: re.Match[str]) -> bool:
    word = match[1].lower()
    # A misspelt "Eastern", "Central", "Mountain" or "Pacific" is read by `zones`.
    may_be_typo = len(word) >= 6 and match[1][0] in "ECMP"
    if word in _first_words(scan.words) or may_be_typo:
        return False
    ahead = scan.low[match.end() : match.end() + 40]
    return " time" not in ahead and " ago" not in ahead and not may_be_form(scan.low[match.start(1) :])


def find_leftover(scan: Scan, found: TimeFound) -> str:
    """The evidence of another time directly behind the scan's position, as written; else empty."""
    head = scan.head
    if offset := _LONE_OFFSET.match(head, scan.at):
        return offset.group().strip() if not found.zone else ""
    if found.zone and found.zone.label in ("UTC", "GMT") and (shift := _SHIFT.match(head, scan.at)):
        return shift.group().strip()
    if found.ago is None and (ago := _AGO_SOON.match(head, scan.at)):
        return ago.group().strip()
    place, places = scan.at, [scan.at]
    for _ in range(_MOST_FILLERS):
        gap = _GAP.match(head, place)
        place = gap.end() if gap else place
        places.append(place)
        filler = next((word for kind in (FILLER, AND, TO) if (word := scan.words.at(kind, scan.low, place))), None)
        if filler is None:
            break
        place = filler[1]
    for at in dict.fromkeys(places[1:]):
        within = scan.low[max(0, at - 4) : at] in (" in ", "(in ", "[in ")
        end = _evidence(scan, found, at, near=within or at == places[1], within=within)
        if end:
            return head[at:end].strip()
    end = foreign_behind(scan.low, places[1])
    return head[places[1] : end].strip()


def is_lead(head: str, words: Vocabulary, end: int) -> bool:
    """Whether all words before the time at `place` are evidence of a time as well: "pm CET 1:00"."""
    scan, place, is_evidence = Scan(head, words), 0, False
    while place < end:
        gap = _GAP.match(head, place)
        place = gap.end() if gap else place
        filler = words.at(FILLER, scan.low, place)
        end_of_evidence = _evidence(scan, TimeFound(), place, near=True)
        is_evidence = is_evidence or bool(end_of_evidence)
        place = max(end_of_evidence, filler[1] if filler else 0)
        if not place:
            return False
        while head[place : place + 1].isspace():
            place += 1
    return is_evidence


def _evidence(scan: Scan, found: TimeFound, at: int, *, near: bool, within: bool = False) -> int:
    """Where the evidence at a place ends; 0 for none. `within`: an "in" comes before it, as in "14:05 in Tokyo"."""
    head, low = scan.head, scan.low
    if not head[at : at + 1].strip() or (at and head[at - 1].isalnum() and head[at - 1].isascii()):
        return 0
    for pattern in (_HALF, _RELATIVE, _OFFSET, _DAY_COUNT):
        if match := pattern.match(head, at):
            return match.end()
    if words := _words(scan, at):
        return words
    if head[at].isdigit():
        return _figures(scan, at) or foreign_at(low, at)
    if amount := _amount(scan, at):
        return amount
    if near and (zone := _first_zone(scan, at, within=within) if found.zone is None else _second_zone(scan, at)):
        return zone
    return foreign_at(low, at)


def _first_zone(scan: Scan, at: int, *, within: bool) -> int:
    return _zone(scan, at, within=within) or native_form_at(scan.low, at)


def _zone(scan: Scan, at: int, *, within: bool) -> int:
    """A name of a zone; of a place only with the word "time", or behind an "in"."""
    if (both := _ZONES.match(scan.head, at)) and (both[1] in ABBREVIATIONS or both[1] in ("UTC", "GMT")):
        return both.end()
    found = zone_at(scan.head, at, scan.words)
    if found is None:
        return 0
    zone, end = found
    is_named = not is_bare_place(zone, scan.low[at:end]) or native_zone_at(scan.head, at) is not None
    return end if is_named or (within and not zone.doubtful) else 0


def _second_zone(scan: Scan, at: int) -> int:
    """Another zone behind the one that was read ("14:05 UTC PST"), if its name is no word."""
    name = _CAPITALS.match(scan.head, at)
    is_zone = name and name[1] in ABBREVIATIONS and name[1] not in WORDS_TOO | CAPITALS_TOO
    return name.end() if name and is_zone else 0


def _words(scan: Scan, at: int) -> int:
    """A weekday, a day in words, a part of the day, or a month with its day."""
    head, low, words = scan.head, scan.low, scan.words
    for kind in (PART, DAY, WEEKDAY):
        found = words.at(kind, low, at)
        if found is None or head[found[1] : found[1] + 1] in ("-", "_", "/", "'"):
            continue
        written = head[at : found[1]].strip(" .")
        if written in _LATER_WORDS and head[found[1] :].strip(" .,:;)|-"):
            continue
        return found[1]
    dated = day_at(head, low, words, at)
    if dated and dated[0].numbers and (dated[0].full or dated[0].form == "month"):
        month = low[at : dated[1]].split()[-1].strip(".,")
        if month in _LATER_WORDS and head[at : dated[1]].islower() and head[dated[1] :].strip():
            return 0
        return 0 if _PART_OF_NUMBER.match(head, dated[1]) else dated[1]
    month_named = words.at(MONTH, low, at)
    if month_named and (year := _YEAR.match(head, month_named[1])):
        return year.end()
    last = words.at(LAST, low, at) or words.at(NEXT, low, at)
    if last is None:
        return 0
    unit = words.at(UNIT, low, last[1] + 1)
    named = next((word for kind in (PART, WEEKDAY, MONTH) if (word := words.at(kind, low, last[1] + 1))), None)
    return unit[1] if unit and unit[0] >= 86400 else named[1] if named else 0


def _figures(scan: Scan, at: int) -> int:
    """A clock, or a unit of duration behind a number."""
    read = clock_at(scan.head, at, sure=True)  # a length of time is evidence as well: "14:05, 1:30 outage"
    if read and read[0].form in ("colon", "hour") and not _PART_OF_NUMBER.match(scan.head, read[1]):
        return read[1]
    dated = day_at(scan.head, scan.low, scan.words, at)
    is_date = dated and (dated[0].full or (dated[0].form == "numbers" and scan.head[dated[1] - 1] == "."))
    if dated and is_date and not _PART_OF_NUMBER.match(scan.head, dated[1]):
        return dated[1]
    return _amount(scan, at)


def _amount(scan: Scan, at: int) -> int:
    amount = _AMOUNT.match(scan.head, at)
    unit = scan.words.at(UNIT, scan.low, amount.end()) if amount else None
    if not (amount and unit):
        return 0
    is_short = unit[1] - amount.end() == 1
    if is_short and amount[1] and (len(amount[1]) > 2 or scan.head[amount.end()].isupper()):
        return 0
    return unit[1]
