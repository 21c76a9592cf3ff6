"""Reads the names of the Unicode CLDR from babel, as the tables that `cldr` describes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from bot.domain.times.cldr import KINDS, ONLY_TIME

_SPACES = re.compile(r"[\s\u00a0\u202f]+")
_QUOTES = dict.fromkeys(map(ord, "\u2019\u2018\u02bc"), "'")
_DAYS_OF_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LENGTHS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_PARTS = {"midnight": "midnight", "noon": "noon", "am": "am", "pm": "pm"}
_NAMED_PARTS = ("morning", "afternoon", "evening", "night")
_SCRIPTS: Final = {"sr": ("sr", "sr_Latn")}


def read_words(language: str) -> dict[str, str]:
    """The names of a language, in all its scripts, as a table for each kind. Raises KeyError if CLDR has none."""
    found: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    try:
        for code in _SCRIPTS.get(language, (language,)):
            locale = Locale.parse(code)
            _add_names(found, locale)
            _add_relative(found, locale._data["date_fields"])  # noqa: SLF001  # babel has no door to these names
    except (UnknownLocaleError, ValueError, AttributeError) as error:
        raise KeyError(language) from error
    return {kind: write_table((meaning, name) for name, meaning in named.items()) for kind, named in found.items()}


def write_table(items: Iterable[tuple[str, str]]) -> str:
    """A table of (meaning, name)."""
    by_meaning: dict[str, list[str]] = {}
    for meaning, name in items:
        by_meaning.setdefault(meaning, []).append(name)
    return "|".join(f"{meaning}={';'.join(names)}" for meaning, names in by_meaning.items())


def _add_names(found: dict[str, dict[str, str]], locale: Locale) -> None:
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            found["month"] |= {_name(name): str(month) for month, name in locale.months[context][width].items()}
            found["weekday"] |= {_name(name): str(day) for day, name in locale.days[context][width].items()}
            periods = locale.day_periods.get(context, {}).get(width, {})
            mark = "" if context == "stand-alone" or locale.language == "en" else ONLY_TIME
            found["part"] |= {_name(name): part + mark for key, name in periods.items() if (part := _part_of(key))}


def _add_relative(found: dict[str, dict[str, str]], fields: Mapping[str, Any]) -> None:
    """Days near today, whole weeks and weekdays ("last week"), and "{0} days ago"."""
    for key, name in fields["day"].get("relative", {}).items():
        ago = str(-int(key))
        is_other = found["day"].get(_name(name), ago) != ago  # "kal" is yesterday and tomorrow
        found["vague" if is_other else "day"][_name(name)] = "" if is_other else ago
    for name in found["vague"]:
        found["day"].pop(name, None)
    for key in ("week", "month", *_DAYS_OF_WEEK):
        names = fields.get(key, {}).get("relative", {})
        found["vague"] |= {_name(name): "" for near, name in names.items() if near or key in _DAYS_OF_WEEK}
    for key, seconds in _LENGTHS.items():
        for pattern in fields.get(key, {}).get("past", {}).values():
            _add_length(found, pattern, seconds)


def _add_length(found: dict[str, dict[str, str]], pattern: str, seconds: int) -> None:
    before, _, behind = (_name(piece) for piece in pattern.partition("{0}"))
    if behind.endswith("\u524d") and " " not in behind:
        behind = f"{behind[:-1]} \u524d"
    unit, _, ago = (behind, "", "") if before else behind.partition(" ")
    if unit and (before or ago):
        found["unit"][unit.rstrip(".")] = str(seconds)
        found["before" if before else "ago"][before or ago] = ""


def _part_of(period: str) -> str:
    """Our part of the day for one of CLDR's ("morning1", "night2")."""
    return _PARTS.get(period) or next((part for part in _NAMED_PARTS if period.startswith(part)), "")


def _name(text: str) -> str:
    return _SPACES.sub(" ", text).strip().rstrip(".").translate(_QUOTES).lower()


def read_countries() -> Iterator[tuple[str, str]]:
    """Each IANA key of a country's zones, with the country's English name in small letters."""
    names = Locale.parse("en").territories
    for key, territory in get_global("zone_territories").items():
        if str(territory) in names:
            yield str(key), str(names[str(territory)]).lower()


def read_regions() -> Iterator[tuple[str, str]]:
    """What CLDR calls the time of a region, without "time" ("alaska", "central european"), behind the region's name."""
    for region, names in Locale.parse("en").meta_zones.items():
        for name in names.get("long", {}).values():
            short = str(name).lower().removesuffix(" time").removesuffix(" standard").removesuffix(" daylight")
            yield str(region), short.removesuffix(" summer")


def read_region_keys() -> Iterator[tuple[str, str]]:
    """The IANA keys of each region."""
    return ((str(region), str(key)) for key, region in get_global("meta_zones").items())


def read_cities(language: str) -> Iterator[tuple[str, str]]:
    """The IANA keys with what a language calls their cities, in small letters."""
    for key, names in Locale.parse(language).time_zones.items():
        if "city" in names and "/" in key and not key.startswith("Etc"):
            yield key, str(names["city"]).lower()
