"""Zone names that the zone database lacks: abbreviations, cities, regions ("Alaska time"), and other languages'.

Offsets are minutes east of UTC. A `loose` abbreviation belongs to a place that changes its clocks, whose people often
write the winter name all year; outside its half of the year it has two possible readings. Countries and regions come
from the Unicode CLDR by babel, cities from the zone database, the rest from our own list.

In other languages people write "мск", "по московскому времени", "czasu polskiego", "SEČ". A name in the table is a
zone. Words that only have the form of one ("lokal tid") are evidence: `evidence`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pkgutil import get_data
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.times import cldr
from bot.domain.times.language import make_pattern


@dataclass(frozen=True, slots=True)
class AbbreviationMeaning:
    """One meaning of an abbreviation.

    `minutes` is its literal offset (None for "PT", which follows the region). `areas` are the authors' zones (IANA
    keys, or their first part) for which this meaning is the right one.
    """

    region: str
    minutes: int | None
    areas: frozenset[str] = frozenset()
    loose: bool = False
    only_there: bool = False  # outside these areas no one means this


_AMERICA = frozenset({"America", "US", "Canada", "Pacific"})
_EUROPE = frozenset({"Europe", "Africa", "Atlantic"})
_CHINA = frozenset({"Asia/Shanghai", "Asia/Chongqing", "Asia/Harbin", "Asia/Taipei", "Asia/Macau", "Asia/Hong_Kong"})
_ARABIA = frozenset({"Asia/Riyadh", "Asia/Kuwait", "Asia/Baghdad", "Asia/Qatar", "Asia/Bahrain", "Asia/Aden"})
_DOWN_UNDER = frozenset({"Australia"})


def _seasons(
    region: str, winter: tuple[str, int], summer: tuple[str, int]
) -> dict[str, tuple[AbbreviationMeaning, ...]]:
    return {name: (AbbreviationMeaning(region, minutes, loose=True),) for name, minutes in (winter, summer)}


def _fixed_offsets(names: dict[str, tuple[str, int]]) -> dict[str, tuple[AbbreviationMeaning, ...]]:
    return {name: (AbbreviationMeaning(region, minutes),) for name, (region, minutes) in names.items()}


ABBREVIATIONS: dict[str, tuple[AbbreviationMeaning, ...]] = {
    **_seasons("Europe/Berlin", ("CET", 60), ("CEST", 120)),
    **_seasons("Europe/Athens", ("EET", 120), ("EEST", 180)),
    **_seasons("America/Los_Angeles", ("PST", -480), ("PDT", -420)),
    **_seasons("America/Denver", ("MST", -420), ("MDT", -360)),
    **_seasons("America/Chicago", ("CST", -360), ("CDT", -300)),
    **_seasons("America/New_York", ("EST", -300), ("EDT", -240)),
    **_seasons("America/Halifax", ("AST", -240), ("ADT", -180)),
    **_seasons("America/St_Johns", ("NST", -210), ("NDT", -150)),
    **_seasons("America/Anchorage", ("AKST", -540), ("AKDT", -480)),
    **_seasons("Australia/Sydney", ("AEST", 600), ("AEDT", 660)),
    **_seasons("Australia/Adelaide", ("ACST", 570), ("ACDT", 630)),
    **_seasons("Pacific/Auckland", ("NZST", 720), ("NZDT", 780)),
    **_seasons("Europe/Lisbon", ("WET", 0), ("WEST", 60)),
    **_seasons("Europe/Lisbon", ("WEZ", 0), ("WESZ", 60)),
    **_seasons("Europe/Berlin", ("MEZ", 60), ("MESZ", 120)),
    **_seasons("Europe/Berlin", ("MET", 60), ("MEST", 120)),
    **_seasons("Europe/Athens", ("OEZ", 120), ("OESZ", 180)),
    **_seasons("America/Santiago", ("CLT", -240), ("CLST", -180)),
    **_seasons("America/Asuncion", ("PYT", -180), ("PYST", -180)),
    "IDT": (AbbreviationMeaning("Asia/Jerusalem", 180, loose=True),),
    **_fixed_offsets(
        {
            "HST": ("Pacific/Honolulu", -600),
            "AWST": ("Australia/Perth", 480),
            "JST": ("Asia/Tokyo", 540),
            "KST": ("Asia/Seoul", 540),
            "HKT": ("Asia/Hong_Kong", 480),
            "SGT": ("Asia/Singapore", 480),
            "PHT": ("Asia/Manila", 480),
            "WIB": ("Asia/Jakarta", 420),
            "ICT": ("Asia/Bangkok", 420),
            "PKT": ("Asia/Karachi", 300),
            "NPT": ("Asia/Kathmandu", 345),
            "GST": ("Asia/Dubai", 240),
            "MSK": ("Europe/Moscow", 180),
            "TRT": ("Europe/Istanbul", 180),
            "EAT": ("Africa/Nairobi", 180),
            "SAST": ("Africa/Johannesburg", 120),
            "WAT": ("Africa/Lagos", 60),
            "BRT": ("America/Sao_Paulo", -180),
            "ART": ("America/Argentina/Buenos_Aires", -180),
            "COT": ("America/Bogota", -300),
            "PET": ("America/Lima", -300),
            "VET": ("America/Caracas", -240),
            "BOT": ("America/La_Paz", -240),
            "UYT": ("America/Montevideo", -180),
            "ECT": ("America/Guayaquil", -300),
            "GYT": ("America/Guyana", -240),
            "BRST": ("America/Sao_Paulo", -120),
            "FNT": ("America/Noronha", -120),
            "CAT": ("Africa/Maputo", 120),
            "BDT": ("Asia/Dhaka", 360),
            "BDST": ("Asia/Dhaka", 360),
            "BTT": ("Asia/Thimphu", 360),
            "MMT": ("Asia/Yangon", 390),
            "UZT": ("Asia/Tashkent", 300),
            "AZT": ("Asia/Baku", 240),
            "GET": ("Asia/Tbilisi", 240),
            "IRST": ("Asia/Tehran", 210),
            "AFT": ("Asia/Kabul", 270),
            "WITA": ("Asia/Makassar", 480),
            "WIT": ("Asia/Jayapura", 540),
            "MYT": ("Asia/Kuala_Lumpur", 480),
            "PHST": ("Asia/Manila", 480),
            "YEKT": ("Asia/Yekaterinburg", 300),
            "OMST": ("Asia/Omsk", 360),
            "KRAT": ("Asia/Krasnoyarsk", 420),
            "IRKT": ("Asia/Irkutsk", 480),
            "YAKT": ("Asia/Yakutsk", 540),
            "VLAT": ("Asia/Vladivostok", 600),
            "SAMT": ("Europe/Samara", 240),
            "CHST": ("Pacific/Guam", 600),
            "SST": ("Pacific/Pago_Pago", -660),
            "FJT": ("Pacific/Fiji", 720),
            "ZULU": ("Etc/UTC", 0),
            "UCT": ("Etc/UTC", 0),
        }
    ),
    "AKT": (AbbreviationMeaning("America/Anchorage", None),),
    "PT": (AbbreviationMeaning("America/Los_Angeles", None),),
    "MT": (AbbreviationMeaning("America/Denver", None),),
    "CT": (AbbreviationMeaning("America/Chicago", None),),
    "ET": (AbbreviationMeaning("America/New_York", None),),
    "IST": (
        AbbreviationMeaning("Asia/Kolkata", 330),
        AbbreviationMeaning("Asia/Jerusalem", 120, loose=True),
        AbbreviationMeaning("Europe/Dublin", 60, loose=True),
    ),
    "BST": (
        AbbreviationMeaning("Europe/London", 60, _EUROPE, loose=True),
        AbbreviationMeaning("Asia/Dhaka", 360, frozenset({"Asia/Dhaka"})),
    ),
    "CST": (
        AbbreviationMeaning("America/Chicago", -360, _AMERICA, loose=True),
        AbbreviationMeaning("Asia/Shanghai", 480, _CHINA),
    ),
    "AST": (
        AbbreviationMeaning("America/Halifax", -240, _AMERICA, loose=True),
        AbbreviationMeaning("Asia/Riyadh", 180, _ARABIA),
    ),
    "EST": (
        AbbreviationMeaning("America/New_York", -300, _AMERICA, loose=True),
        AbbreviationMeaning("Australia/Sydney", 600, only_there=True, loose=True, areas=_DOWN_UNDER),
    ),
}

ROUGH_NAMES = {
    "eastern": "America/New_York",
    "central": "America/Chicago",
    "mountain": "America/Denver",
    "pacific": "America/Los_Angeles",
}

# Abbreviations that in small letters are words ("art", French "est"): only capitals name a zone.
WORDS_TOO = frozenset(
    "ACT AFT AMT ART AST AT BOT BST CAT COT EAT ECT EST GET IST MET MMT MST PET SST UCT VET WAT WEST WET WIT".split()
)

# Abbreviations that are words in capitals, too ("GET /health", "BOT down"): these are a question.
CAPITALS_TOO = frozenset("BOT GET WEST".split())

# words before "time" that are no one's clock
NOT_ZONES = frozenset(
    """response load first last same real down up run wait read write build deploy page query boot idle cpu lead cycle
    average avg max min total execution recovery job start end system long short some any no full this that the second
    third next each every at of in a an our my it big good right wrong bad on by over for lag latency access compile
    render request round-trip trip fetch sync gc garbage pause queue service transfer travel part peak off half
    all one more most much little enough spare user code design compile-time run-time day night week month year
    expiry expiration retention grace resolution response-time business office reaction repair detection travel
    overtime free crunch cache startup start-up shutdown ping login checkout delivery release test import export
    backup restore restart reboot failover cutover maintenance window processing connect connection""".split()
)

EXTRA_CITIES = {
    "nyc": "America/New_York",
    "boston": "America/New_York",
    "atlanta": "America/New_York",
    "miami": "America/New_York",
    "philadelphia": "America/New_York",
    "austin": "America/Chicago",
    "dallas": "America/Chicago",
    "houston": "America/Chicago",
    "minneapolis": "America/Chicago",
    "las vegas": "America/Los_Angeles",
    "san francisco": "America/Los_Angeles",
    "san diego": "America/Los_Angeles",
    "seattle": "America/Los_Angeles",
    "ottawa": "America/Toronto",
    "calgary": "America/Edmonton",
    "rio de janeiro": "America/Sao_Paulo",
    "edinburgh": "Europe/London",
    "manchester": "Europe/London",
    "munich": "Europe/Berlin",
    "hamburg": "Europe/Berlin",
    "frankfurt": "Europe/Berlin",
    "cologne": "Europe/Berlin",
    "barcelona": "Europe/Madrid",
    "milan": "Europe/Rome",
    "geneva": "Europe/Zurich",
    "krakow": "Europe/Warsaw",
    "gothenburg": "Europe/Stockholm",
    "rotterdam": "Europe/Amsterdam",
    "lyon": "Europe/Paris",
    "st petersburg": "Europe/Moscow",
    "cape town": "Africa/Johannesburg",
    "haifa": "Asia/Jerusalem",
    "mumbai": "Asia/Kolkata",
    "delhi": "Asia/Kolkata",
    "new delhi": "Asia/Kolkata",
    "bangalore": "Asia/Kolkata",
    "bengaluru": "Asia/Kolkata",
    "chennai": "Asia/Kolkata",
    "hyderabad": "Asia/Kolkata",
    "pune": "Asia/Kolkata",
    "beijing": "Asia/Shanghai",
    "shenzhen": "Asia/Shanghai",
    "hanoi": "Asia/Ho_Chi_Minh",
    "osaka": "Asia/Tokyo",
    "wellington": "Pacific/Auckland",
    "sf": "America/Los_Angeles",
    "santiago de chile": "America/Santiago",
    "bras\u00edlia": "America/Sao_Paulo",
    "bogot\u00e1": "America/Bogota",
}

# Names in the zone database that are ordinary words, above all "canary".
NOT_CITIES = frozenset(
    """act beulah canary center chatham christmas cocos coral_harbour creston currie easter general johnston knox
    knox_in lhi mahe marengo midway monticello nome norfolk north nsw oral queensland rainy_river resolute reunion
    salta south stanley troll vevay victoria virgin wake west yap""".split()
)

# What follows a city that is itself what the line is about ("London DC lost power").
PLACE_WORDS = frozenset(
    """am and az cluster colo customer customers data database datacenter datacentre db dc down edge endpoint fiber
    fibre gateway goes had has is lb link loses lost network node nodes office pop primary proxy rack region replica
    router server servers shard site store stores switch team traffic up user users warehouse was went were
    zone""".split()
)

# Cities whose names people and projects have too ("Sofia restarted the pods").
NAMES_TOO = frozenset(
    "adelaide austin florence jakarta jordan lima madrid paris phoenix regina rosario santiago sofia sydney".split()
)


# The areas whose names end with a city; Etc, US and the like name none.
_AREAS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
_MAIN: Final = {
    "America_Central": "America/Chicago",
    "America_Eastern": "America/New_York",
    "America_Mountain": "America/Denver",
    "America_Pacific": "America/Los_Angeles",
    "Alaska": "America/Anchorage",
    "Atlantic": "America/Halifax",
    "Europe_Central": "Europe/Berlin",
    "Europe_Eastern": "Europe/Athens",
    "Europe_Western": "Europe/Lisbon",
    "Hawaii": "Pacific/Honolulu",
    "Hawaii_Aleutian": "Pacific/Honolulu",
    "Australia_Eastern": "Australia/Sydney",
    "Australia_Central": "Australia/Adelaide",
    "GMT": "Etc/UTC",
}
"""One zone for each of CLDR's regions that has several with the same clocks today."""

_OTHER_NAMES: Final = {
    "uk": "Europe/London",
    "british": "Europe/London",
    "ny": "America/New_York",
    "nyc": "America/New_York",
    "sf": "America/Los_Angeles",
    "la": "America/Los_Angeles",
    "west coast": "America/Los_Angeles",
    "east coast": "America/New_York",
    "bay area": "America/Los_Angeles",
    "hawaii": "Pacific/Honolulu",
    "hawaiian": "Pacific/Honolulu",
    "indian": "Asia/Kolkata",
    "japanese": "Asia/Tokyo",
    "chinese": "Asia/Shanghai",
    "german": "Europe/Berlin",
    "french": "Europe/Paris",
    "irish": "Europe/Dublin",
    "israeli": "Asia/Jerusalem",
    "uae": "Asia/Dubai",
    "turkey": "Europe/Istanbul",
    "korea": "Asia/Seoul",
    "brasilia": "America/Sao_Paulo",
    "bras\u00edlia": "America/Sao_Paulo",
    "zulu": "Etc/UTC",
    "universal": "Etc/UTC",
}

STATES: Final = {"ak": "America/Anchorage", "hi": "Pacific/Honolulu"}
"""States of the USA that have one time, as people write them behind "8:34am"."""


@cache
def zone_keys() -> dict[str, str]:
    """Every IANA name, by its small letters. The list is one file of tzdata; `available_timezones` opens 600."""
    names = (get_data("tzdata", "zones") or b"").decode("ascii").split()
    return {name.lower(): name for name in names}


@cache
def cities() -> dict[str, str]:
    """City names and, for the longer ones, their first word (with an empty key), in small letters."""
    found: dict[str, str] = {}
    for key in zone_keys().values():
        city = key.rsplit("/", 1)[-1]
        if key.startswith(_AREAS) and "/" in key and city.lower() not in NOT_CITIES:
            found[city.lower()] = found[city.lower().replace("_", " ")] = key
    found.update(EXTRA_CITIES)
    for city in list(found):
        found.setdefault(city.split(" ")[0], "")
    return found


def find_place_key(name: str) -> str | None:
    """The IANA key of a place that people name with "time"; empty if it has several zones, None if it is no place."""
    keys = place_names().get(name.lower().replace(".", ""))
    if keys is None:
        return None
    return keys[0] if len(keys) == 1 or _is_one(keys) else ""


@cache
def place_names() -> dict[str, tuple[str, ...]]:
    """Regions, countries and cities in small letters, each with the IANA keys of its zones."""
    found: dict[str, tuple[str, ...]] = {name: (key,) for name, key in cities().items() if key}
    found |= _countries()
    return found | {name: (key,) for name, key in (_regions() | _OTHER_NAMES).items()}


def _countries() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for country, key in cldr.read_places("countries"):
        if key.lower() in zone_keys():
            found[country] = (*found.get(country, ()), key)
    several = ("America/New_York", "America/Los_Angeles")
    return (
        found
        | dict.fromkeys(("us", "usa", "america", "american"), several)
        | {"european": ("Europe/London", "Europe/Kyiv")}
    )


@cache
def _is_one(keys: tuple[str, ...]) -> bool:
    """Whether all these zones show the same time in winter and in summer."""
    offsets = {tuple(datetime(2026, month, 1, tzinfo=ZoneInfo(key)).utcoffset() for month in (1, 7)) for key in keys}
    return len(offsets) == 1


def _regions() -> dict[str, str]:
    """What CLDR calls the time of a region, without the word "time": "alaska", "central european"."""
    keys: dict[str, str] = {}
    for region, key in cldr.read_places("region keys"):
        if key.lower() in zone_keys():
            keys.setdefault(region, key)
    named = ((_MAIN.get(region) or keys.get(region, ""), name) for region, name in cldr.read_places("regions"))
    return {name: key for key, name in named if key}


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
        names = {name: key for key, name in cldr.read_places(f"{language} cities")}
        for name, key in (names | _MORE_CITIES[language]).items():
            found |= {f"{word} {form}": key for word, form in inflect(name)}
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
