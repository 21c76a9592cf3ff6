"""Zone names as people write them behind a clock time: offsets, abbreviations, cities and IANA names.

`zone_at` finds a name, `list_meanings` says what it means to its author: IST is India in Kolkata and Israel in Tel
Aviv. A name that keeps two honest meanings gets both.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from difflib import get_close_matches
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot import bounds
from bot.domain.times.language import Vocabulary
from bot.domain.times.zone_names import (
    ABBREVIATIONS,
    CAPITALS_TOO,
    NAMES_TOO,
    NOT_ZONES,
    PLACE_WORDS,
    ROUGH_NAMES,
    STATES,
    WORDS_TOO,
    AbbreviationMeaning,
    cities,
    find_place_key,
    native_zone_at,
    zone_keys,
)

_IANA_AREAS = frozenset(
    "africa america asia atlantic australia europe indian pacific antarctica arctic etc us canada brazil".split()
)
# In small letters these name a zone in every language; other abbreviations do only in English.
_LOWER_TOO = frozenset(
    "utc gmt cet cest eest pst pdt edt cdt aest aedt acst acdt awst jst sgt hkt"
    " msk wib wita trt brt nzst nzdt akst akdt".split()
)
_FARTHEST = timedelta(hours=14)  # Kiritimati; nothing on earth keeps a larger offset

_OFFSET = re.compile(
    r"(?:(UTC|GMT)\s?)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?(?![0-9A-Za-z./%]|:[0-9A-Za-z])", re.ASCII | re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z]+)*(?:/[A-Za-z0-9_]+(?:[+-][A-Za-z0-9]+)*)*", re.ASCII)
_BOUND = re.compile(r"(?![0-9A-Za-z_/@\u00c0-\u024f]|['.][A-Za-z]|-[0-9A-Za-z])", re.ASCII)
_SLASHED = re.compile(r"\s?/\s?[0-9]{1,2}[:.hap]", re.ASCII | re.IGNORECASE)
_NEXT_WORD = re.compile(r"\s+([A-Za-z][A-Za-z'-]*)", re.ASCII)
_LETTERS = r"[A-Za-z\u00c0-\u024f.'_-]+"
_NAMES = tuple(re.compile(_LETTERS + f" {_LETTERS}" * more) for more in (2, 1, 0))
_X_TIME = re.compile(
    r"((?:[A-Za-z][A-Za-z.'-]*)(?:[ ][A-Za-z][A-Za-z.'-]*){0,2}?)\s+(?:standard\s+|daylight\s+|summer\s+)?time\b(?!-)",
    re.IGNORECASE,
)
_TIME_OF = re.compile(
    r"(?:hora(?:\s+(?:de|del))?|hor[a\u00e1]rio\s+(?:de|do|da)|heure\s+(?:de\s|d')|ora\s+(?:di|del))\s*(?=[A-Z])",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"(?:[A-Za-z]\.){2,4}(?![A-Za-z0-9])")
_LETTERS_ONLY = re.compile(r"[^\W\d_]+")
_TYPOS = ("eastern", "central", "mountain", "pacific")
# GET is also the time of Georgia.
_REQUEST = re.compile(r"GET\s+(?:/|https?:)")
_PLAIN_OFFSET = re.compile(r"UTC([+-]\d{1,2})(?::?(\d{2}))?")
_TIME_WORD = re.compile(r"\s+time\b", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone as written.

    `label` is short ("Berlin", "CET", "+02:00"). `name` is the IANA key, the abbreviation in capitals, or the words
    that are no zone. `doubtful`: the word may be the beginning of what happened.
    """

    label: str
    kind: str  # "offset", "region", "abbreviation", "local" or "unknown"
    name: str = ""
    offset: timedelta = timedelta(0)
    doubtful: bool = False


def is_bare_place(zone: Zone, name: str) -> bool:
    """Whether a zone was named (in small letters) only by a place, which may as well be where it happened."""
    return zone.kind == "region" and "/" not in name and " time" not in name and name not in ROUGH_NAMES


class Meaning(NamedTuple):
    """A meaning of a written zone; `place` is set if people there also use the name loosely.

    "PST" is eight hours behind UTC, but many in Los Angeles write it in July for their own clocks.
    """

    label: str
    zone: tzinfo
    place: tzinfo | None = None


def zone_at(
    head: str, at: int, words: Vocabulary | None = None, *, behind_half: bool = False
) -> tuple[Zone, int] | None:
    """The zone at position `at` (the caller skips blanks before it), and where it ends.

    `behind_half`: an "am" or "pm" comes before it, as people in America write it.
    """
    if head[at : at + 1] in ("Z", "z") and head[at - 1 : at].isdigit() and not head[at + 1 : at + 2].isalnum():
        return Zone("UTC", "offset"), at + 1
    if dotted := _dotted_at(head, at):
        return dotted
    if native := _native_at(head, at):
        return native
    return _named_zone(head, at, words, behind_half=behind_half)


def _named_zone(head: str, at: int, words: Vocabulary | None, *, behind_half: bool) -> tuple[Zone, int] | None:
    word = None if _REQUEST.match(head, at) else _WORD.match(head, at)
    if word is None:
        return _offset_at(head, at)
    if named := _time_of(head, at):
        return named
    if "/" in word.group() and (iana := _iana(word.group(), word.end())):
        return iana
    name = word.group().partition("/")[0]
    ends = at + len(name)
    if name.lower() in ("utc", "gmt") or name in ("Z", "UT"):
        return _universal_at(head, at, ends)
    found = _abbreviation(name, ends, words) or _place_time(head, at) or _place(head, at, ends)
    found = found or _state(name, ends, behind_half=behind_half)
    # Part of a longer word or of a path is no zone.
    if found is None or not (_BOUND.match(head, found[1]) or _SLASHED.match(head, found[1])):
        return _unknown_at(head, at, word)
    end = _TIME_WORD.match(head, found[1])
    return (found[0], end.end()) if end else found


def _native_at(head: str, at: int) -> tuple[Zone, int] | None:
    """A zone in its people's own words: "мск", "czasu polskiego"."""
    found = native_zone_at(head, at)
    if found is None:
        return None
    label = head[at : found.end]
    if found.is_season:
        return Zone(label, "abbreviation", found.name), found.end
    return Zone(_city_of(found.name), "region", found.name, doubtful=found.doubtful), found.end


def _dotted_at(head: str, at: int) -> tuple[Zone, int] | None:
    """An abbreviation with dots: "P.S.T."."""
    match = _DOTTED.match(head, at)
    name = match.group().replace(".", "").upper() if match else ""
    if match is None or not (name in ABBREVIATIONS or name in ("UTC", "GMT")):
        return None
    zone = Zone(name, "abbreviation", name) if name in ABBREVIATIONS else Zone(name, "offset")
    return zone, match.end()


def _time_of(head: str, at: int) -> tuple[Zone, int] | None:
    """The time of a place as other languages say it: "hora de Santiago", "heure de Paris"."""
    named = _TIME_OF.match(head, at)
    if named is None:
        return None
    place = _LETTERS_ONLY.match(head, named.end())
    unknown = Zone(place.group(), "unknown", head[at : place.end()]) if place else None
    return _longest(head, named.end()) or ((unknown, place.end()) if unknown and place else None)


def _longest(head: str, at: int) -> tuple[Zone, int] | None:
    for pattern in _NAMES:
        match = pattern.match(head, at)
        key = find_place_key(match.group()) if match else None
        if match and key is not None:
            zone = Zone(match.group(), "region", key) if key else Zone(match.group(), "unknown", match.group())
            return zone, match.end()
    return None


def _place_time(head: str, at: int) -> tuple[Zone, int] | None:
    """A place with the word "time" behind it: "Alaska time", "UK time"."""
    match = _X_TIME.match(head, at)
    if match is None:
        return None
    key = find_place_key(" ".join(match[1].split()))
    if key is None:
        return None
    return Zone(_city_of(key), "region", key) if key else Zone(match[1], "unknown", f"{match[1]} time"), match.end()


def _state(name: str, end: int, *, behind_half: bool) -> tuple[Zone, int] | None:
    key = STATES.get(name.lower()) if behind_half and name.isupper() else None
    return (Zone(name, "region", key, doubtful=True), end) if key else None


def _unknown_at(head: str, at: int, word: re.Match[str]) -> tuple[Zone, int] | None:
    """A word before "time" that is no known zone: "Foo time", or a misspelt "Pacitific"."""
    name = word.group()
    match = _X_TIME.match(head, at)
    if match and _is_whose(match[1]):
        return Zone(match[1], "unknown", f"{match[1]} time"), match.end()
    if len(name) >= 6 and name[0].isupper() and name.lower() not in ROUGH_NAMES:
        # High, for these are words of English, too; a match is doubtful, so the line is asked about.
        close = get_close_matches(name.lower(), _TYPOS, n=1, cutoff=0.82)
        if close and name.lower() not in cities():
            return Zone(name, "region", ROUGH_NAMES[close[0]], doubtful=True), word.end()
    return None


def _is_whose(words: str) -> bool:
    """Whether the words before "time" may say whose time it is: not in "response time" or "loading time"."""
    last = words.rsplit(maxsplit=1)[-1].lower()
    return last not in NOT_ZONES and not last.endswith("ing") and (words[0].isupper() or " " not in words)


def _universal_at(head: str, at: int, end: int) -> tuple[Zone, int] | None:
    if head[at:end].lower() != "z":
        shifted = _offset_at(head, at)
        if shifted:
            return shifted
    if not (_BOUND.match(head, end) or _SLASHED.match(head, end)):
        return None
    label = "GMT" if head[at:end].lower() == "gmt" else "UTC"
    time_word = _TIME_WORD.match(head, end)
    return Zone(label, "offset"), time_word.end() if time_word else end


def _offset_at(head: str, at: int) -> tuple[Zone, int] | None:
    match = _OFFSET.match(head, at)
    if match is None:
        return None
    prefix, sign, hours, minutes = match.groups()
    if not prefix and (len(hours) < 2 or minutes is None):
        return None
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if offset > _FARTHEST or int(minutes or 0) > 59:
        return None
    label = f"{prefix.upper() if prefix else ''}{sign}{int(hours):02}:{int(minutes or 0):02}"
    return Zone(label, "offset", offset=-offset if sign == "-" else offset), match.end()


def _iana(name: str, end: int) -> tuple[Zone, int] | None:
    key = zone_keys().get(name.lower())
    if key:
        return Zone(_city_of(key), "region", key), end
    if name.partition("/")[0].lower() in _IANA_AREAS:
        return Zone(name, "unknown", name), end
    return None


def _abbreviation(name: str, end: int, words: Vocabulary | None = None) -> tuple[Zone, int] | None:
    """An abbreviation in capitals, or in any case if it is not a word ("AkDT", "pst", but not "art")."""
    upper = name.upper()
    if upper not in ABBREVIATIONS:
        return None
    if name == upper:
        return Zone(upper, "abbreviation", upper, doubtful=name in CAPITALS_TOO), end
    is_english = words is None or words.language == "en"
    if name in _LOWER_TOO or (is_english and len(name) >= 3 and upper not in WORDS_TOO):
        return Zone(upper, "abbreviation", upper), end
    return None


def _place(head: str, at: int, end: int) -> tuple[Zone, int] | None:
    """A city, the longest name first; "Eastern" and the like only if nothing else can be meant."""
    first = head[at:end].lower()
    known = cities()
    if first not in known:
        return _rough_at(head, at, end)
    for pattern in _NAMES:
        match = pattern.match(head, at)
        key = known.get(match.group().lower().replace(".", "")) if match else None
        if match and key:
            zone = Zone(_city_of(key) if key.lower().endswith(first) else match.group(), "region", key)
            return _mark_doubtful(head, zone, match.end()), match.end()
    return None


def _rough_at(head: str, at: int, end: int) -> tuple[Zone, int] | None:
    """Eastern, Central, Mountain, Pacific: read with a capital, but a question in small letters before a word."""
    first = head[at:end].lower()
    rest = _NEXT_WORD.match(head, end)
    if first == "local" and (rest is None or rest[1].lower() == "time"):
        return Zone("local", "local"), end
    key = ROUGH_NAMES.get(first)
    if key is None:
        return None
    follows = rest[1] if rest else ""
    is_read = not follows or follows.lower() == "time" or (head[at].isupper() and follows[0].islower())
    doubtful = not is_read or follows.lower() in PLACE_WORDS
    return Zone(_city_of(key), "region", key, doubtful=doubtful), end


def _mark_doubtful(head: str, zone: Zone, end: int) -> Zone:
    """Mark a city that may be what the line is about: "14:05 London DC lost power", "14:05 Sofia restarted it"."""
    follows = _NEXT_WORD.match(head, end)
    if follows is None:
        return zone
    doubtful = follows.group(1).lower() in PLACE_WORDS or zone.label.lower() in NAMES_TOO
    return Zone(zone.label, zone.kind, zone.name, doubtful=doubtful)


def list_meanings(zone: Zone, author: tzinfo) -> tuple[Meaning, ...]:
    """The meanings of a written zone; none for a name that is no zone."""
    if zone.kind == "offset":
        return (Meaning(zone.label, timezone(zone.offset) if zone.offset else UTC),)
    if zone.kind == "region":
        return (Meaning(zone.label, ZoneInfo(zone.name)),)
    if zone.kind == "local":
        return (Meaning(label_of(author), author),)
    if zone.kind == "unknown":
        return ()
    return tuple(_meaning(zone.name, meant, author) for meant in _choose_meanings(zone.name, author))


def _choose_meanings(name: str, author: tzinfo) -> tuple[AbbreviationMeaning, ...]:
    """Of the meanings of an abbreviation, those that fit the author: by the own zone, else by the part of the world."""
    all_meant = ABBREVIATIONS[name]
    if len(all_meant) == 1:
        return all_meant
    # The name that the author's own clocks have in winter or summer is meant.
    for month in (1, 7):
        there = datetime(2026, month, 1, tzinfo=author)
        own = [meant for meant in all_meant if there.utcoffset() == timedelta(minutes=meant.minutes or 0)]
        if there.tzname() == name and own:
            return (own[0],)
    key = getattr(author, "key", "")
    near = tuple(meant for meant in all_meant if meant.areas & {key, key.partition("/")[0]})
    return near if len(near) == 1 else tuple(meant for meant in all_meant if not meant.only_there or meant in near)


def _meaning(name: str, meant: AbbreviationMeaning, author: tzinfo) -> Meaning:
    if meant.minutes is None:
        return Meaning(name, ZoneInfo(meant.region))
    loose = meant.loose and name not in _names_all_year(author)
    return Meaning(name, timezone(timedelta(minutes=meant.minutes), name), ZoneInfo(meant.region) if loose else None)


def _names_all_year(author: tzinfo) -> frozenset[str]:
    """The abbreviation of a zone without summer time (Phoenix: MST), which is literal there the whole year."""
    winter, summer = (datetime(2026, month, 1, tzinfo=author).tzname() or "" for month in (1, 7))
    return frozenset({winter}) if winter == summer else frozenset()


def parse_zone(name: str) -> tzinfo:
    """The zone of an IANA name or of an offset like `UTC+1`. Raises ValueError or KeyError for anything else."""
    offset = _PLAIN_OFFSET.fullmatch(name)
    if offset is None and len(name) > bounds.ZONE:
        raise ValueError("no zone has so long a name")
    if offset is None:
        return ZoneInfo(name)
    hours = int(offset[1])
    return timezone(timedelta(hours=hours, minutes=int(offset[2] or 0) * (1 if hours >= 0 else -1)))


def label_of(zone: tzinfo) -> str:
    """A short name for a zone: the city of an IANA zone, else "UTC" or the offset ("+02:00")."""
    key = getattr(zone, "key", None)
    if isinstance(key, str):
        return _city_of(key)
    name = datetime(2026, 1, 1, tzinfo=zone).tzname() or ""
    return name if name in ("UTC", "GMT") else name.removeprefix("UTC")


def _city_of(key: str) -> str:
    return "UTC" if key in ("Etc/UTC", "UTC", "Etc/UCT", "Zulu") else key.rsplit("/", 1)[-1].replace("_", " ")
