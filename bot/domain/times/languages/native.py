"""Zones as people name them in their own languages: "мск", "по московскому времени", "czasu polskiego", "SEČ".

A name in the table is a zone. Words that only have the form of one ("lokal tid") are evidence, and the line is a
question.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from babel import Locale

from bot.domain.times.language import make_pattern

_NAMES: Final = {
    "Europe/Moscow": "мск|по мск|по московскому времени|по московскому|московского времени|московское время|время "
    " московское"
    "|за московським часом",
    "Europe/Kyiv": "по киевскому времени|по киевскому|киевского времени|киевское время|за київським часом|за києвом"
    "|по києву"
    "|київського часу|київський час",
    "Europe/Minsk": "по минскому времени|па мінскім часе",
    "Europe/Sofia": "българско време|софийско време",
    "Etc/UTC": "по гринвичу|по utc|по гмт|за гринвічем|за utc",
    "Europe/Warsaw": "czasu polskiego|czasu warszawskiego|czas polski|polskiego czasu",
    "Europe/Prague": "českého času|pražského času",
    "Europe/Bratislava": "slovenského času",
    "Europe/Stockholm": "svensk tid|stockholmstid",
    "Europe/Oslo": "norsk tid",
    "Europe/Copenhagen": "dansk tid",
    "Europe/Amsterdam": "nederlandse tijd",
    "Europe/Berlin": "deutscher zeit|deutsche zeit|berliner zeit",
    "Europe/Vienna": "wiener zeit|österreichischer zeit",
    "Europe/Helsinki": "suomen aikaa|suomen aika",
    "Europe/Tallinn": "eesti aja järgi|eesti aeg",
    "Europe/Riga": "latvijas laiks|latvijas laika",
    "Europe/Vilnius": "lietuvos laiku",
    "Europe/Budapest": "magyar idő szerint|budapesti idő szerint|magyar idő",
    "Europe/Madrid": "hora peninsular|hora española",
    "Europe/Paris": "heure française",
    "Europe/Rome": "ora italiana",
    "Europe/Bucharest": "ora româniei|ora romaniei|ora bucureștiului",
    "Europe/Athens": "ώρα ελλάδας|ώρα ελλάδος|ώρα αθήνας",
    "Europe/Istanbul": "türkiye saatiyle|türkiye saati|tsi̇|tsi|istanbul saati",
    "Asia/Jerusalem": "שעון ישראל",
    "Africa/Cairo": "بتوقيت القاهرة|بتوقيت مصر",
    "Asia/Riyadh": "بتوقيت السعودية|بتوقيت الرياض|بتوقيت مكة",
    "Asia/Tehran": "به وقت تهران|به وقت ایران",
    "Asia/Ho_Chi_Minh": "giờ việt nam|giờ vn",
    "Asia/Shanghai": "北京时间|北京時間|中国时间",
    "Asia/Taipei": "台北時間|台灣時間",
    "Asia/Hong_Kong": "香港時間|香港时间",
    "Asia/Tokyo": "日本時間|日本标准时间|日本时间",
    "Asia/Seoul": "한국시간|한국 시간",
    "Asia/Bangkok": "เวลาประเทศไทย",
}
_SEASONS: Final = {"seč": "CET", "selč": "CEST"}
_MORE_CITIES: Final = {"ru": {"киев": "Europe/Kyiv"}, "uk": {}}
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
_BEHIND = re.compile(r"[^\W\d_]{3,20}\s+(?:zeit|tijd|tid|aikaa|saati)", re.ASCII)


class Native(NamedTuple):
    """A zone as written: its IANA key or its abbreviation, and whether it may as well be a place of what happened."""

    name: str
    end: int
    is_season: bool = False
    doubtful: bool = False


def native_zone_at(head: str, at: int) -> Native | None:
    """The zone named at a place in another language than English, and where its name ends."""
    if head[at : at + 1].lower() not in _first_letters():
        return None
    low = head[at : at + 48].lower()
    if found := _pattern().match(low):
        name = " ".join(found[1].split())
        return Native(_zones().get(name) or _SEASONS[name], at + _width(head, at, found.end()), name in _SEASONS)
    if place := _by_city().match(low):
        return Native(_cities()[" ".join(place[1].split())], at + place.end(), doubtful=True)
    return None


def native_form_at(low: str, at: int) -> int:
    """Where words end that have the form of a zone's name in another language; 0 if there are none at the place."""
    found = _FORM.match(low, at)
    return found.end() if found else 0


def may_be_form(ahead: str) -> bool:
    """Whether the two words at the start of a text in small letters may name a zone."""
    return _BEHIND.match(ahead) is not None


def _width(head: str, at: int, end: int) -> int:
    """How many characters of the head became that many in small letters: "İ" becomes two."""
    return end - head[at : at + end].count("\u0130")


@cache
def _zones() -> dict[str, str]:
    return {name: key for key, names in _NAMES.items() for name in names.split("|")}


@cache
def _pattern() -> re.Pattern[str]:
    return make_pattern([*_zones(), *_SEASONS]) or re.compile(r"(?!)")


@cache
def _cities() -> dict[str, str]:
    """Cities of CLDR in the grammatical case for their time: "по Москве", "за Києвом"."""
    found: dict[str, str] = {}
    for language, inflect in (("ru", _dative), ("uk", _instrumental)):
        zones = Locale.parse(language).time_zones
        names = {str(names["city"]).lower(): key for key, names in zones.items() if "city" in names}
        for name, key in (names | _MORE_CITIES[language]).items():
            found |= {f"{word} {form}": key for word, form in inflect(name) if "/" in key and not key.startswith("Etc")}
    return {name: key for name, key in found.items() if name not in _zones()}


def _dative(name: str) -> Iterator[tuple[str, str]]:
    stem, last = name[:-1], name[-1:]
    ends = {"а": stem + "е", "я": stem + "е", "ь": stem + "и", "о": name, "и": name, "й": stem + "ю"}
    yield "по", ends.get(last, name + "у")


def _instrumental(name: str) -> Iterator[tuple[str, str]]:
    stem, last = name[:-1], name[-1:]
    ends = {"а": stem + "ою", "я": stem + "ею", "ь": stem + "ю", "о": name, "й": stem + "єм"}
    yield "за", ends.get(last, name + "ом")


@cache
def _by_city() -> re.Pattern[str]:
    return make_pattern(_cities()) or re.compile(r"(?!)")


@cache
def _first_letters() -> frozenset[str]:
    return frozenset(name[0] for name in (*_zones(), *_SEASONS, *_cities()))


def first_words() -> frozenset[str]:
    """The words, in small letters, with which a zone of the table begins."""
    return frozenset(name.split(" ")[0] for name in (*_zones(), *_SEASONS)) | frozenset(
        "czasu hora heure ora horário waktu ortszeit lokalzeit".split()
    )


def prepare() -> None:
    """Read the names once."""
    _pattern()
    _by_city()
    _first_letters()
