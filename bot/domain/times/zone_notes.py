"""Notes on the zone of the times of a text: "All times are in UTC.", "Timeline (PT)", "Time (CET)", "Zeiten in MEZ"."""

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import NamedTuple

from bot.domain.times.language import Vocabulary
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
_BRACKET = re.compile(r"[(\[]\s*([^()\[\]]{1,40}?)\s*[)\]]")
_WORD = re.compile(r"(?<=[\s,(\[])(?=[A-Z+-])")
_CAPITALS = re.compile(r"[A-Z]{2,5}(?![\w/-])", re.ASCII)
_TAIL = re.compile(
    r"(?:\s+times?\b|\s+angegeben\b|\u3067\u3059|\u3067)?[\s)\]*_.:|\u3002]*(?:\(https?:[^\s)]*\)\s*(?:times?\b[.]?)?)?",
    re.IGNORECASE,
)
_LEADS_IN = re.compile(r"(?:\bin|[(\[=:])\s*$", re.IGNORECASE)
_SIDE = re.compile(r"[\s*_`#|.:;,()\[\]~-]*")
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
    problem = f"{unknown.name} is no time zone that is known here." if unknown else ""
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
    said = line[at:end].lower()
    if zone.kind == "region" and "/" not in said and " time" not in said and not said.isupper():
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
    for start in [match.start() for match in _WORD.finditer(line)][-6:]:
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
