"""Times of day elsewhere in a line. The line is recorded as of now, and its receipt offers them (decision 32).

Only a clock time makes an offer; a bare date, a duration, a count or a version never does.
"""

import re
from collections.abc import Iterator

from bot.domain.times.foreign import languages_of
from bot.domain.times.grammar import HEAD, find_time
from bot.domain.times.language import (
    ABOUT,
    AGO,
    AT,
    BEFORE,
    BETWEEN,
    DAY,
    FROM,
    LANGUAGES,
    MONTH,
    PART,
    WEEKDAY,
    Vocabulary,
    vocabulary,
)
from bot.domain.times.scan import TimeFound, lower, to_plain

_SEEN = 1_000
"""Characters of a line that are looked through."""
_MOST = 3
_MOST_LANGUAGES = 8
"""Of the further languages that have a word of a line: as many as the Slavic ones that share most words."""
_REACH = 64
"""How far before a clock its date may begin."""

_CLOCK = re.compile(
    r"(?:(?<![0-9A-Za-z_\u00c0-\u0dff.:/%+$#-])|(?<=[\u05d0-\u05ea]-))(?:[0-9]{1,2}:[0-9]{2}(?![\w/%]|:[0-9a-f]{2}:|\s{2,}[0-9])|[0-9]{1,2}(?:[:.][0-9]{2}){0,2}\s?[ap]\.?m\b"
    r"|[0-9]{1,2}(?:[.:h]|\sh\s)[0-9]{2}\s?(?:Uhr|uur|hrs?|h|Z|UTC|CES?T)?(?![\w:.%/-])|[0-9]{1,2}\s?(?:Uhr|uur|o'clock)\b"
    r"|[0-9]{1,2}h(?![\w])|[01][0-9][0-5][0-9]\s?(?:UTC|GMT|Z|h)\b)"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}|[0-9]{1,2}\s?[\u6642\u65f6\uc2dc](?![\u9593\u95f4\uac04])"
    r"|[0-9]{1,2}[\u70b9\u9ede](?=[0-9]{1,2}\u5206|\u534a)|(?<=at )(?:noon|midnight)\b",
    re.IGNORECASE,
)
_LENGTH_BEFORE = re.compile(
    r"(?:\bdays?|\bweeks?|\btook|\bwithin|\bup|\buptime|\belapsed|\blasted|\bduration:?|\bfor|\bttl|\btime\s+to\s+\w+:?)\s+(?:of\s+)?$",
    re.IGNORECASE,
)
_START = re.compile(r"(?:(?<=^)|(?<=[\s(\[\"'*_`|:,;-]))(?=[^\s\W]|[~\u2248])")
_KINDS = (AT, FROM, BETWEEN, ABOUT, BEFORE, AGO, DAY, PART, MONTH, WEEKDAY)


def find_elsewhere(text: str, words: Vocabulary) -> Iterator[tuple[TimeFound, str, int]]:
    """The times in the first part of a line, at most three: each as found, as written, and where it begins."""
    line = to_plain(text[:_SEEN])
    behind, count = 0, 0
    for match in _CLOCK.finditer(line):
        if (
            count == _MOST
            or match.start() < behind
            or _LENGTH_BEFORE.search(line, max(0, match.start() - 24), match.start())
        ):
            continue
        found = _around(line, match.start(), behind, words)
        if found is None:
            continue
        start, read = found
        behind, count = start + read.ends, count + 1
        yield read, line[start + read.begins : start + read.ends].strip(), start + read.begins


def _around(line: str, clock: int, behind: int, words: Vocabulary) -> tuple[int, TimeFound] | None:
    """The longest time that holds the clock at a place, in the author's words or else in those of another language."""
    first = max(behind, clock - _REACH)
    starts = [match.start() for match in _START.finditer(line, first, clock + 1)][-10:]
    if clock not in starts:
        starts.append(clock)
    window = line[first : clock + HEAD]
    languages = languages_in(window, words)
    best: tuple[int, TimeFound] | None = None
    for vocabulary_ in (words, *languages):
        for start in starts:
            found = find_time(line[start : start + HEAD], vocabulary_)
            if found and _is_clock(found, clock - start) and start + found.begins <= clock < start + found.ends:
                if best is None or (start + found.begins, -found.ends) < (best[0] + best[1].begins, -best[1].ends - 2):
                    best = start, found
                break
    return best


def _is_clock(found: TimeFound, place: int) -> bool:
    """Whether a time has a clock. With a dot ("15.26") it is a number unless more words say that it is a time."""
    return found.clock is not None and (found.clock.form != "dot" or found.begins < place)


def languages_in(text: str, own: Vocabulary) -> list[Vocabulary]:
    """The vocabularies, without the author's own, of the languages in which a text has a word for a day or time."""
    tried = [other for name in LANGUAGES if name != own.language and _has_time_word(other := vocabulary(name), text)]
    told = [name for name in languages_of(lower(text)) if name not in LANGUAGES and name != own.language]
    return [*tried, *map(vocabulary, told[:_MOST_LANGUAGES])]


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
