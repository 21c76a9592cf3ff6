"""Names of places and regions whose time people tell: "Alaska time", "India time", "hora de Santiago".

Countries and regions come from the Unicode CLDR by babel, cities from the zone database, the rest from our own list.
"""

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


def place_key(name: str) -> str | None:
    """The IANA key of a place whose time people tell; empty for one of several zones, None where it is none."""
    keys = place_names().get(name.lower().replace(".", ""))
    if keys is None:
        return None
    return keys[0] if len(keys) == 1 or _is_one(keys) else ""


@cache
def place_names() -> dict[str, tuple[str, ...]]:
    """Regions, countries and cities in small letters, each with the IANA keys of its zones."""
    english = Locale.parse("en")
    found: dict[str, tuple[str, ...]] = {name: (key,) for name, key in cities().items() if key}
    found |= _countries(english)
    return found | {name: (key,) for name, key in (_regions(english) | _OTHER_NAMES).items()}


def _countries(english: Locale) -> dict[str, tuple[str, ...]]:
    zones: dict[str, tuple[str, ...]] = {}
    for key, territory in get_global("zone_territories").items():
        if str(key).lower() in zone_keys():
            zones[str(territory)] = (*zones.get(str(territory), ()), str(key))
    found = {
        str(english.territories[code]).lower(): keys for code, keys in zones.items() if code in english.territories
    }
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


def _regions(english: Locale) -> dict[str, str]:
    """What CLDR calls the time of a region, without the word "time": "alaska", "central european"."""
    keys: dict[str, str] = {}
    for key, region in get_global("meta_zones").items():
        if str(key).lower() in zone_keys():
            keys.setdefault(str(region), str(key))
    found: dict[str, str] = {}
    for region, names in english.meta_zones.items():
        key = _MAIN.get(region) or keys.get(region, "")
        for name in names.get("long", {}).values() if key else ():
            short = str(name).lower().removesuffix(" time").removesuffix(" standard").removesuffix(" daylight")
            found[short.removesuffix(" summer")] = key
    return found
