"""Names from the Unicode CLDR, as tables: months, days, parts of the day, lengths of time, countries, regions, cities.

To read them from babel takes a third of a second and 50 MB, so they are shipped in `cldr.txt`, which
`python -m tests.support.cldr_tables` writes. Only the words of a language that is not in it are read from babel, when
a person has that language.

A table is a text of items parted by "|": a meaning, "=", and the names that have it, parted by ";".
"""

from collections.abc import Iterator
from functools import cache
from pkgutil import get_data
from typing import Final

KINDS: Final = ("month", "weekday", "day", "part", "vague", "unit", "ago", "before")
"""The tables of a language. The meanings are numbers, our names for parts of the day, or nothing."""

ONLY_TIME: Final = "*"
"""Behind a part of the day whose word can only be a time ("abends"), while "evening" may be what happened."""


@cache
def _shipped_tables() -> dict[str, str]:
    """Every table, by its name: "de month", "countries"."""
    lines = (get_data(__package__, "cldr.txt") or b"").decode("utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines)


def list_items(table: str) -> Iterator[tuple[str, str]]:
    """Each name of a table behind its meaning."""
    for item in filter(None, table.split("|")):
        meaning, _, names = item.partition("=")
        for name in names.split(";"):
            yield meaning, name


def read_places(table: str) -> Iterator[tuple[str, str]]:
    """The items of "countries", "regions", "region keys", "ru cities" or "uk cities"."""
    return list_items(_shipped_tables()[table])


def read_words(language: str) -> dict[str, str]:
    """The tables of a language by kind. Raises KeyError for one that CLDR does not know."""
    if f"{language} month" in _shipped_tables():
        return {kind: _shipped_tables()[f"{language} {kind}"] for kind in KINDS}
    from bot.domain.times import cldr_names  # noqa: PLC0415 (of the languages that Slack offers, the file has all)

    return cldr_names.read_words(language)
