"""Names of places and regions whose time people tell: "Alaska time", "India time", "hora de Santiago".

Countries and regions come from the Unicode CLDR by babel, cities from the zone database, the rest from our own list.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pkgutil import get_data
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global

from bot.incident.times.zonenames import EXTRA_CITIES, NOT_CITIES

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
"""A zone for each of CLDR's regions in which several have been kept apart, and differ in our days."""

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
"""States of the USA that keep a time of their own, as people write them behind "8:34am"."""


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


@cache
def places() -> dict[str, str]:
    """Names that stand before "time": regions, countries and cities in small letters, each with an IANA key.

    An empty key is a place of several zones, which must be asked about.
    """
    english = Locale.parse("en")
    found = {name: key for name, key in cities().items() if key}
    found |= _countries(english) | _regions(english) | _OTHER_NAMES
    return found


def _countries(english: Locale) -> dict[str, str]:
    """Countries of one zone; those of several have an empty key."""
    zones: dict[str, list[str]] = {}
    for key, territory in get_global("zone_territories").items():
        zones.setdefault(str(territory), []).append(str(key))
    found: dict[str, str] = {}
    for code, keys in zones.items():
        name = english.territories.get(code)
        if name:
            found[str(name).lower()] = keys[0] if _is_one(keys) else ""
    return found | {"us": "", "usa": "", "america": "", "american": "", "european": ""}


def _is_one(keys: Iterable[str]) -> bool:
    """Whether all these zones show the same time in winter and in summer."""
    offsets = set()
    for key in keys:
        if key.lower() not in zone_keys():
            continue
        offsets.add(tuple(datetime(2026, month, 1, tzinfo=ZoneInfo(key)).utcoffset() for month in (1, 7)))
    return len(offsets) == 1


def _regions(english: Locale) -> dict[str, str]:
    """What CLDR calls the time of a region, without the word "time": "alaska", "central european"."""
    keys: dict[str, str] = {}
    for key, region in get_global("meta_zones").items():
        if str(key).lower() in zone_keys():
            keys.setdefault(str(region), str(key))
    found: dict[str, str] = {}
    for region, names in english.meta_zones.items():
        key = _MAIN.get(region) or keys.get(region)
        for name in names.get("long", {}).values() if key else ():
            short = str(name).lower().removesuffix(" time").removesuffix(" standard").removesuffix(" daylight")
            found[short.removesuffix(" summer")] = key
    return found
