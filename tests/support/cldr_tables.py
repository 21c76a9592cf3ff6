"""Writes the names that the reader of times takes from the Unicode CLDR: `python -m tests.support.cldr_tables`.

Run it after babel's version moved in the lock; `tests/domain/times/test_cldr.py` says when the tables differ.
"""

from collections.abc import Iterator

from bot.domain.times import cldr_names
from bot.domain.times.language import LANGUAGES, OTHERS
from bot.domain.times.zone_names import zone_keys
from tests.support.house_offenders import ROOT

FILE = ROOT / "bot" / "domain" / "times" / "cldr.txt"


def tables() -> str:
    """The text of the file: a line for each table."""
    return "".join(f"{name}: {table}\n" for name, table in _tables())


def _tables() -> Iterator[tuple[str, str]]:
    for language in ("en", *LANGUAGES, *OTHERS):
        for kind, table in cldr_names.read_words(language).items():
            yield f"{language} {kind}", table
    # The first of each region's zones that the zone database has.
    keys = {region: key for region, key in reversed([*cldr_names.read_region_keys()]) if key.lower() in zone_keys()}
    yield "countries", cldr_names.write_table((country, key) for key, country in cldr_names.read_countries())
    yield "regions", cldr_names.write_table(cldr_names.read_regions())
    yield "region keys", cldr_names.write_table(reversed(keys.items()))
    for language in ("ru", "uk"):
        yield f"{language} cities", cldr_names.write_table(cldr_names.read_cities(language))


if __name__ == "__main__":
    FILE.write_text(tables(), encoding="utf-8")
