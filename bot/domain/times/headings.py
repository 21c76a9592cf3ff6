"""Dates and zones in lines without a time of day: headings, and notes ("All times are in UTC.", "Zeiten in MEZ").

Whether a line is a heading, and which lines it applies to, is decided in `paste_lines`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta, tzinfo
from functools import cache
from typing import NamedTuple

from bot.domain.times.days import Day, day_at, is_real, list_dates, move_near
from bot.domain.times.grammar import HEAD
from bot.domain.times.language import DAY, LANGUAGES, MONTH, PART, WEEKDAY, Vocabulary, vocabulary
from bot.domain.times.scan import lower, to_plain
from bot.domain.times.zones import Zone, list_meanings, zone_at

_LEAD = (
    r"(?:unless\s+\w+\s+(?:noted|stated|specified|indicated|mentioned)[,:]?\s+)?(?:unless\s+noted[,:]?\s+)?(?:please\s+)?"
    r"(?:note(?:\s+that)?[:,]?\s+)?"
)
_ALL = (
    r"(?P<all>(?:all|alle|toutes|tous|todas|todos|tutti|tutte)\s+"
    r"(?:the\s+|les\s+|las\s+|los\s+|as\s+|os\s+|gli\s+|le\s+)?)?"
)
_MANY = (
    r"times|timestamps|events|entries|dates|hours|zeiten|zeitangaben|uhrzeiten|heures|horaires|horas|hor[a\u00e1]rios"
    r"|tijden|tijdstippen|orari|ore"
)
_ONE = r"time\s?zone|timeline|time|tz|zeitzone|zeit|uhrzeit|heure|fuseau|hora|hor[a\u00e1]rio|fuso|tijdzone|tijd|ora"
_NOTE = re.compile(
    rf"(?<!\w){_LEAD}{_ALL}(?:(?P<many>{_MANY})|(?:{_ONE}))(?!\w)|(?P<signs>\u6642\u523b|\u65e5\u6642|\u6642\u9593)",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"[\s:=(\[,|*_`\u306f\u3059\u3079\u3066]+|(?:(?:and\s+dates?|dates?|times?|timestamps?|listed|shown|given|stated|noted|recorded|documented|reported"
    r"|expressed|written|displayed|below|above|here|is|are|was|were|be|being|in|as|to|on|the|both|and|or|at|of|all|local\s+to|based|happened"
    r"|occurred|took\s+place|use|uses|using|approximately|approximate|approx|zone|this|document|report|timeline|log|page"
    r"|sind|ist|angegeben|jeweils|nach|und|est|sont|exprim\u00e9es?|indiqu\u00e9e?s|donn\u00e9e?s|en|est\u00e1n|son|s\u00e3o|est\u00e3o|em|sono|zijn|staan|de|di|d[uo])(?!\w))[.]?",
    re.IGNORECASE,
)
_BRACKET = re.compile(r"[(\[]\s*+([^()\[\]]{1,40}?)(?<!\s)\s*+[)\]]")
_BEFORE_CAPITAL = re.compile(r"(?<=[\s,(\[])(?=[A-Z+-])")
_CAPITALS = re.compile(r"[A-Z]{2,5}(?![\w/-])", re.ASCII)
_TAIL = re.compile(
    r"(?:\s+times?\b|\s+angegeben\b|\u3067\u3059|\u3067)?[\s)\]*_.:|\u3002]*(?:\(https?:[^\s)]*\)\s*(?:times?\b[.]?)?)?",
    re.IGNORECASE,
)
_LEADS_IN = re.compile(r"(?:\bin|[(\[=:])\s*$", re.IGNORECASE)
_SIDE = re.compile(r"[\s*_`#|.:;,()\[\]~-]*")
# Bounds of the search: a line may be as long as a paste, and each small word costs a few matches.
_MOST_FILLERS = 24
_MOST_NOTES = 4


class ZoneNote(NamedTuple):
    """A note: the zones it can mean, and the parts of the line that are the note.

    `problem`: its zone is unknown here. `leads_to` is the position of a date that applies to all times, else -1.
    `is_note`: words like "times in" introduce it; else the zone is separate, in brackets or at the end. `says_all`: the
    words include "all times".
    """

    zones: tuple[tzinfo, ...]
    spans: tuple[tuple[int, int], ...]
    problem: str = ""
    leads_to: int = -1
    is_note: bool = True
    says_all: bool = False


class _Read(NamedTuple):
    zones: tuple[Zone, ...]
    begins: int
    ends: int
    leads_to: int = -1
    says_all: bool = False


def read_note(line: str, words: Vocabulary, author: tzinfo) -> ZoneNote | None:
    """What a line with plain characters notes on the zone of times, or on the day of them all; else None."""
    read = list(_notes(line, words))
    leads = next((one.leads_to for one in read if one.leads_to >= 0), -1)
    is_note = bool(read)
    says_all = any(one.says_all for one in read if one.zones or one.leads_to >= 0)
    read = [one for one in read if one.zones or one.leads_to >= 0]
    if not any(one.zones for one in read):
        apart = _find_separate(line, words)
        is_note = any(one.leads_to >= 0 for one in read) or (apart is not None and is_note)
        read += [apart] if apart else []
    if not read:
        return None
    zones = [zone for one in read for zone in one.zones]
    unknown = next((zone for zone in zones if zone.kind == "unknown"), None)
    problem = f"{unknown.name} isn't a time zone that I know." if unknown else ""
    clocks = dict.fromkeys(clock for zone in zones for clock in _clocks(zone, author))
    return ZoneNote(tuple(clocks), tuple((one.begins, one.ends) for one in read), problem, leads, is_note, says_all)


def has_words(text: str) -> bool:
    """Whether a part of a line holds more than marks."""
    return bool(text[_SIDE.match(text).end() :])  # type: ignore[union-attr]  # every part of it is optional


def _notes(line: str, words: Vocabulary) -> Iterator[_Read]:
    behind = 0
    for count, match in enumerate(_NOTE.finditer(line)):
        if count == _MOST_NOTES:
            return
        if match.start() < behind:
            continue
        zones, place, last = _behind(line, match.end(), words, is_loose=bool(match["many"] or match["signs"]))
        dated = place if match["all"] and not zones and line[place : place + 1].isalnum() else -1
        behind = place if dated >= 0 else last
        yield _Read(zones, match.start(), behind, dated, bool(match["all"]))


def _behind(line: str, at: int, words: Vocabulary, *, is_loose: bool) -> tuple[tuple[Zone, ...], int, int]:
    """The zones behind a word like "times", with small words in between; and where they end."""
    zones: list[Zone] = []
    place = last = at
    for _ in range(_MOST_FILLERS):
        if zone := _zone(line, place, words, is_loose=is_loose):
            zones.append(zone[0])
            place = last = _TAIL.match(line, zone[1]).end()  # type: ignore[union-attr]  # every part of it is optional
            continue
        filler = _FILLER.match(line, place)
        if filler is None:
            break
        place = filler.end()
    if not zones and is_loose and (unknown := _CAPITALS.match(line, place)) and _LEADS_IN.search(line, 0, place):
        return (Zone(unknown.group(), "unknown", unknown.group()),), unknown.end(), unknown.end()
    return tuple(zones), place, last


def _zone(line: str, at: int, words: Vocabulary, *, is_loose: bool) -> tuple[Zone, int] | None:
    """A zone at a place; a city only behind words like "all times in" and before a pause."""
    first = line[at : at + 1]
    if not first or not (
        first.isupper() or first in "+-ul" or (is_loose and first.isalpha() and _LEADS_IN.search(line, 0, at))
    ):
        return None
    found = zone_at(line, at, words)
    if found is None:
        return None
    zone, end = found
    name = line[at:end].lower()
    if zone.kind == "region" and "/" not in name and " time" not in name and not name.isupper():
        is_pause = not line[end:].strip() or line[end : end + 1] in ".,;)]|*_"
        return found if is_loose and is_pause else None
    if zone.kind == "unknown" and not is_loose:
        return None
    return found


def _find_separate(line: str, words: Vocabulary) -> _Read | None:
    """A separate zone: alone in brackets, or at the very end."""
    for bracket in _BRACKET.finditer(line):
        found = _zone(line, bracket.start(1), words, is_loose=False)
        tail = _TAIL.match(line, found[1]) if found else None
        if found and tail and tail.end() >= bracket.end():
            return _Read((found[0],), bracket.start(), bracket.end())
    # Only near the end, where such a zone stands; a long line has many capitals.
    for start in [match.start() for match in _BEFORE_CAPITAL.finditer(line)][-6:]:
        found = _zone(line, start, words, is_loose=False)
        if found and not found[0].doubtful and not has_words(line[found[1] :]):
            return _Read((found[0],), start, found[1])
    return None


def _clocks(zone: Zone, author: tzinfo) -> tuple[tzinfo, ...]:
    """The clocks that a zone can mean. If it is the author's own by the name of another season, it is that."""
    clocks: list[tzinfo] = []
    for meaning in list_meanings(zone, author):
        if meaning.place is None:
            clocks.append(meaning.zone)
        elif _agree(meaning.place, author):
            clocks.append(author)
        else:
            clocks += [meaning.zone, meaning.place]
    return tuple(clocks)


def _agree(one: tzinfo, other: tzinfo) -> bool:
    return all(
        datetime(2026, month, 1, tzinfo=one).utcoffset() == datetime(2026, month, 1, tzinfo=other).utcoffset()
        for month in (1, 4, 7, 11)
    )


_SOON = timedelta(days=2)
"""Less than this ahead, a date without its year is as likely in the future, or in another zone, as last year's."""

# A date begins at a word, behind a Chinese or Japanese sign, or behind a dash before figures.
_START = re.compile(r"(?<![\w/:.+-])(?=\w)|(?<=[^\x00-\u2fff])(?=[0-9])|(?<=-)(?=[0-9]{1,2}[/.][0-9])")
_BOUND = re.compile(r"(?![\w/+%]|:\S|-(?![0-9]{1,2}[/.][0-9])\w|[.,][0-9])|(?<=[^\x00-\u2fff])")
_BASIC = re.compile(r"((?:19|20)[0-9]{2})([01][0-9])([0-3][0-9])(?![0-9])")
_ORDERED = re.compile(r"(?<![\w./:-])([0-9]{1,2})([/.-])([0-9]{1,2})\2((?:19|20)[0-9]{2}|[0-9]{2})(?![\w/:-]|\.[0-9])")
# "3rd to 5 March" names two days.
_RANGE_BEFORE = re.compile(r"[0-9]{1,2}(?:st|nd|rd|th|\.)?\s?(?:-|to|bis|and|und|au|al)\s?$", re.IGNORECASE)
_RANGE_BEHIND = re.compile(r"\s?(?:-|to|bis|and|und)\s?[0-9]{1,2}(?![0-9:/.-])", re.IGNORECASE)
_LABEL = re.compile(
    r"(?:day|tag|jour|d\u00eda|dia|dag|giorno)\s?[0-9]{1,2}|(?:incident\s+|outage\s+)?(?:date|datum|day|tag|fecha|data|jour|dia|d\u00eda|dag)"
    r"(?:\s+of(?:\s+the)?\s+(?:incident|outage))?|\u65e5\u4ed8|on|am|den|le|el|il|em|op",
    re.IGNORECASE,
)
_SIGNS = "\u6708\u706b\u6c34\u6728\u91d1\u571f\u65e5"
"""The weekdays in Japanese, from Monday."""
_SIGN_WEEKDAY = re.compile(f"[{_SIGNS}](?:\u66dc\u65e5?)?")
_SIGN_BEHIND = re.compile(rf"\s?\(?([{_SIGNS}])(?:\u66dc|\))")
_MARKS_BETWEEN = re.compile(r"[\s\-\u00b7\u2022/|,;:.()\[\]>*_`~=#]+")
_MARKS = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])|[*`]+")
_ON = re.compile(r"(?:on|am|den|le|el|il|em|the|op)\s+(?:the\s+)?", re.IGNORECASE)
# "2.28.24" is a version: with dots the day comes first.
_VERSION = re.compile(r"[0-9]{1,2}\.(?:1[3-9]|[2-9][0-9])\.")
_NUMBERED = re.compile(r"(?:day|tag|jour|d\u00eda|dia|dag|giorno)\s?$", re.IGNORECASE)
# Figures with a year that are no readable date: "2026-3-?", "31/2/2026".
_YEARLIKE = re.compile(
    r"(?<![\w./:-])(?:(?:19|20)[0-9]{2}(?:[/.-][\w?]{1,3}){0,2}|[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4}|[\w?]{1,3}[/.-][\w?]{1,4}[/.-](?:19|20)[0-9]{2})(?![\w/:-])"
)
_NUMBER = re.compile(r"(?<![\w./:])[0-9]{1,2}(?:st|nd|rd|th)?(?![\w/:%])")
_WORD = re.compile(r"[^\W\d_]{3,}")
_DAY_NUMBER = re.compile(r"\W*(?:day|tag|jour|d\u00eda|dia|dag|giorno)\s?[0-9]{1,2}\W*", re.IGNORECASE)
_MONTH_DAY = re.compile(r"\W{1,3}[0-9]{1,2}(?![\w:])|(?<![\w:])[0-9]{1,2}\W{1,3}$")
_FULL = re.compile(
    r"(?<![\w./-])(?:19|20)[0-9]{2}([/.-])[0-9]{1,2}\1[0-9]{1,2}|(?<![\w./-])[0-9]{1,2}([/.-])[0-9]{1,2}\2(?:19|20)[0-9]{2}(?!\w)"
)
_VAGUE = re.compile(
    r"\W*(?:the\s+)?(?:week-?end|(?:next|following|same)\s+week(?:-?end)?|(?:a|one|[0-9]+)\s+weeks?\s+later|wochenende|fin\s+de\s+semana)\W*",
    re.IGNORECASE,
)
_SHORTEST_WORD, _LONGEST_WORD = 4, 24
_SHORT = 8
_MOST_DATES = 4


class HeadingDate(NamedTuple):
    """What a line names. `days` are the dates it can be: one, or several if its figures have two readings.

    `zones` are the zones it can mean. `begins` and `ends` bound the date in the line. `other_words` are left when date,
    weekday, zone and notes are removed. `problem` says why no single day is known although the line seems to name one.
    `of_all`: a note says that everything undated is of that day. `starts`: only marks come before the date.
    `is_note`: words like "times in" name the zone; `says_all`: "all times". `mentioned` are all dates in the line, each
    in every reading.
    """

    days: tuple[date, ...] = ()
    zones: tuple[tzinfo, ...] = ()
    begins: int = 0
    ends: int = 0
    other_words: tuple[str, ...] = ()
    problem: str = ""
    of_all: bool = False
    starts: bool = False
    is_note: bool = False
    says_all: bool = False
    mentioned: tuple[date, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the line is nothing else than a date, a zone or a note on them."""
        return not self.other_words

    @property
    def has_date(self) -> bool:
        """Whether it names a day, or seems to."""
        return bool(self.days or self.problem)


class _HeadingSpan(NamedTuple):
    day: Day
    begins: int
    ends: int


def read_heading(
    text: str,
    now: datetime,
    zone: tzinfo,
    on: date | None = None,
    language: str = "en",
    orders: Mapping[str, str] | None = None,
) -> HeadingDate | None:
    """What a line without a time of day names; None if nothing.

    A date without a year is the latest past one, or the one next to `on`. `orders` maps a mark ("/", "-") to the order
    of day and month that other dates of the text show; see `find_orders`. Never raises.
    """
    line = _MARKS.sub(lambda match: " " * len(match.group()), to_plain(text[: 4 * HEAD]))
    words = vocabulary(language)
    note = read_note(line, words, zone)
    found = _dates(line[:HEAD], words) if len(text) <= 4 * HEAD else []
    if not found and (alone := _word_day(line, words)):
        found = [alone]
    if not found:
        return _read_undated(line, note, words)
    first = found[0]
    home = note.zones[0] if note and note.zones else zone
    days, problem = _days(found, line, now, home, on, orders or {})
    return HeadingDate(
        days,
        note.zones if note else (),
        first.begins,
        first.ends,
        _other_words(line, found, note, words),
        problem or (note.problem if note else ""),
        of_all=bool(note and note.leads_to == first.begins),
        starts=not _other_words(line[: first.begins], [], None, words),
        is_note=bool(note and note.is_note),
        says_all=bool(note and note.says_all),
        mentioned=tuple(day for one in found for day in _list_meant(one.day, now.astimezone(home).date(), on)),
    )


def find_orders(lines: Iterable[str]) -> dict[str, str]:
    """By mark, whether day ("d") or month ("m") comes first, if all dates of the text that can show it agree."""
    seen: dict[str, set[str]] = {}
    for line in lines:
        for match in _ORDERED.finditer(to_plain(line[:HEAD])):
            first, mark, second, year = int(match[1]), match[2], int(match[3]), match[4]
            if first <= 12 < second <= 31:
                seen.setdefault(mark, set()).add("m")
            elif second <= 12 < first <= 31 and len(year) == 4:
                seen.setdefault(mark, set()).add("d")
    return {mark: next(iter(orders)) for mark, orders in seen.items() if len(orders) == 1}


def _dates(head: str, words: Vocabulary) -> list[_HeadingSpan]:
    """The dates in a line, in the author's words, else those of another language that leave no doubt."""
    own = list(_dates_in(head, words))
    if own or not re.search(r"[0-9]", head):
        return own
    # In another language only a name with a figure leaves no doubt; a name alone may be any word.
    for language in LANGUAGES:
        others = [one for one in _dates_in(head, vocabulary(language)) if _has_letters(head[one.begins : one.ends])]
        if language != words.language and others:
            return others
    return []


def _has_letters(written: str) -> bool:
    return any(letter.isalpha() for letter in written)


def _dates_in(head: str, words: Vocabulary) -> Iterator[_HeadingSpan]:
    low, behind, count = lower(head), 0, 0
    for start in (match.start() for match in _START.finditer(head)):
        if start < behind or count == _MOST_DATES:
            continue
        found = _date_at(head, low, words, start)
        if found:
            behind, count = found.ends, count + 1
            yield found


def _date_at(head: str, low: str, words: Vocabulary, start: int) -> _HeadingSpan | None:
    basic = _BASIC.match(head, start)
    if basic and is_real(int(basic[1]), int(basic[2]), int(basic[3])) and _BOUND.match(head, basic.end()):
        return _HeadingSpan(Day(((int(basic[1]), int(basic[2]), int(basic[3])),), form="full"), start, basic.end())
    if on := _ON.match(head, start):
        start = on.end()
    if _NUMBERED.search(head, 0, start) or _VERSION.match(head, start):
        return None
    found = day_at(head, low, words, start)
    dated = _HeadingSpan(found[0], start, found[1]) if found else None
    return dated if dated and _BOUND.match(head, dated.ends) and _is_date(head, dated) else None


def _is_date(head: str, dated: _HeadingSpan) -> bool:
    """Whether figures or words that can be a date are one at this place."""
    day, start, end = dated
    if not any(is_real(*numbers) for numbers in day.numbers):
        return False
    if day.form in ("numbers", "dots"):
        return not (has_words(head[:start]) or has_words(head[end:]))
    # "it may 5 times"
    return not (day.form == "month" and start and head[start:end].islower() and not head[start].isdigit())


def _word_day(line: str, words: Vocabulary) -> _HeadingSpan | None:
    """A weekday, "yesterday" or "the 4th" that is all of a line but for marks."""
    low = lower(line)
    start = re.search(r"[^\W_]", line)
    found = day_at(line, low, words, start.start()) if start and len(line) <= HEAD else None
    if found is None or found[0].numbers or has_words(line[found[1] :]) or start is None:
        return None
    return _HeadingSpan(found[0], start.start(), found[1])


def _read_undated(line: str, note: ZoneNote | None, words: Vocabulary) -> HeadingDate | None:
    problem = note.problem if note else ""
    if not problem and len(line) <= HEAD and _seems_dated(line, words):
        problem = "It seems to name a day, but I can't read which. Write it as 2026-03-04."
    if note is None and not problem:
        return None
    other_words = _other_words(line, [], note, words)
    if note is None:
        return HeadingDate(other_words=other_words, problem=problem)
    return HeadingDate(
        zones=note.zones, other_words=other_words, problem=problem, is_note=note.is_note, says_all=note.says_all
    )


def _seems_dated(line: str, words: Vocabulary) -> bool:
    """Whether a short line holds a year, a month with a number, or "Day 2", and little else."""
    if _DAY_NUMBER.fullmatch(line) or _VAGUE.fullmatch(line) or _is_foreign_day(line, words):
        return True
    if len(line.split()) <= _SHORT and (_has_month(line, words) or _FULL.search(line)):
        return True
    year = _YEARLIKE.search(line)
    if year is None or len(line.split()) > 5:
        return False
    rest = line[: year.start()] + " " + line[year.end() :]
    return not year.group().isdigit() or bool(_NUMBER.search(rest)) or len(rest.split()) <= 1


def _is_foreign_day(line: str, words: Vocabulary) -> bool:
    """Whether a line is nothing but a word of another language for a day, which its author may mean or not."""
    low = lower(_MARKS_BETWEEN.sub(" ", line).strip())
    if not _SHORTEST_WORD <= len(low) <= _LONGEST_WORD and low.isascii():
        return False
    others = (vocabulary(language) for language in LANGUAGES if language != words.language)
    return any(low in other.words[kind] for other in others for kind in (DAY, WEEKDAY))


def _has_month(line: str, words: Vocabulary) -> bool:
    low = lower(line)
    for word in _WORD.finditer(line):
        month = words.at(MONTH, low, word.start())
        if month and word.group()[0].isupper():
            return bool(_MONTH_DAY.match(line, month[1]) or _MONTH_DAY.search(line[: word.start()]))
    return False


def _days(
    spans: list[_HeadingSpan], line: str, now: datetime, zone: tzinfo, on: date | None, orders: Mapping[str, str]
) -> tuple[tuple[date, ...], str]:
    first = spans[0]
    written = line[first.begins : first.ends].strip()
    today = now.astimezone(zone).date()
    meant = [_list_meant(_apply_order(one.day, line[one.begins : one.ends], orders), today, on) for one in spans]
    if len(set(meant)) > 1 or _is_range(line, first):
        return (), "It names more than one day. Write each day on a line before its times."
    days = meant[0]
    if not days:
        return (), f"{written} isn't a date that exists."
    weekday = _weekday(line, first)
    wrong = [day for day in days if weekday is not None and day.weekday() != weekday]
    if wrong and len(wrong) == len(days):
        return (), f"{_format_day(wrong[0])} {wrong[0].year} is a {wrong[0]:%A}."
    days = tuple(day for day in days if day not in wrong)
    if len(days) > 1:
        either = " or ".join(_format_day(day, days) for day in days)
        return days, f"{written} could be {either}. Write it as {' or as '.join(f'{day:%Y-%m-%d}' for day in days)}."
    return days, ""


def _format_day(day: date, among: tuple[date, ...] = ()) -> str:
    year = f" {day.year}" if len({one.year for one in among}) > 1 else ""
    return f"{day.day} {day:%B}{year}"


def _is_range(line: str, dated: _HeadingSpan) -> bool:
    written = line[dated.begins : dated.ends]
    if not _has_letters(written):
        return False
    day_first = written[:1].isdigit()
    if day_first:
        return bool(_RANGE_BEFORE.search(line, 0, dated.begins))
    return bool(_RANGE_BEHIND.match(line, dated.ends))


def _weekday(line: str, dated: _HeadingSpan) -> int | None:
    """The weekday next to a date, before or behind it, in any of the languages."""
    if dated.day.weekday is not None or not dated.day.numbers:
        return dated.day.weekday if dated.day.numbers else None
    if sign := _SIGN_BEHIND.match(line, dated.ends):
        return _SIGNS.index(sign[1])
    neighbors = [*_WORD.findall(line[: dated.begins])[-1:], *_WORD.findall(line[dated.ends :])[:1]]
    return next((day for word in neighbors if (day := _weekdays_everywhere().get(word.lower())) is not None), None)


def _apply_order(day: Day, written: str, orders: Mapping[str, str]) -> Day:
    """The date in the order of day and month that the other dates of the text have."""
    match = _ORDERED.match(written)
    order = orders.get(match[2]) if match else None
    if match is None or order is None or len(day.numbers) < 2:
        return day
    first, second = int(match[1]), int(match[3])
    wanted = (second, first) if order == "d" else (first, second)
    fitting = tuple(numbers for numbers in day.numbers if numbers[1:] == wanted)
    return day._replace(numbers=fitting) if fitting else day


def _list_meant(day: Day, today: date, on: date | None) -> tuple[date, ...]:
    if day.weekday is not None and not day.numbers and day.ago is None:
        return _weekdays(day, today, on)
    if day.full or not day.numbers:
        return tuple(dict.fromkeys(row[0] for row in list_dates(day, today) if row))
    if on:
        close = tuple(row[0] for row in list_dates(move_near(day, on), today) if row)
        past = tuple(one for one in close if one <= today)
        if past:
            return past
    found: list[date] = []
    for row in list_dates(day, today):
        past = tuple(one for one in row if one <= today)
        ahead = tuple(one for one in row if today < one <= today + _SOON)
        found += [*past[:1], *ahead]
    return tuple(sorted(dict.fromkeys(found)))


def _weekdays(day: Day, today: date, on: date | None) -> tuple[date, ...]:
    """The latest past such weekday; below a date the nearest one, or both if they are equally near."""
    latest = list_dates(day, today)[0][0]
    if on is None or on > today:
        return (latest,)
    ahead = ((day.weekday or 0) - on.weekday()) % 7
    after, before = on + timedelta(days=ahead), on - timedelta(days=7 - ahead)
    if ahead <= 2 or before > today:
        return (after,) if after <= today else (before,)
    if ahead >= 5 or after > today + _SOON:
        return (before,)
    return (before, after)


def _other_words(line: str, found: list[_HeadingSpan], note: ZoneNote | None, words: Vocabulary) -> tuple[str, ...]:
    """The words of a line that are no part of a date, a zone or a note on them."""
    letters = list(line)
    spans = [(one.begins, one.ends) for one in found] + (list(note.spans) if note else [])
    for begins, ends in spans:
        letters[begins:ends] = "|" * (ends - begins)
    rest = _MARKS_BETWEEN.sub(" ", "".join(letters)).strip()
    if _LABEL.fullmatch(rest) or _SIGN_WEEKDAY.fullmatch(rest):
        return ()
    return tuple(word for word in rest.split() if not _is_day_word(word, words))


def _is_day_word(word: str, words: Vocabulary) -> bool:
    low = word.lower().rstrip(".")
    return low in _weekdays_everywhere() or any(low in words.words[kind] for kind in (WEEKDAY, PART, DAY))


@cache
def _weekdays_everywhere() -> dict[str, int]:
    """The weekdays of all languages that were tried, as they are written out."""
    found = {name: day for code in LANGUAGES for name, day in vocabulary(code).words[WEEKDAY].items() if len(name) > 3}
    return found | dict(vocabulary("en").words[WEEKDAY])
