"""The names of the Unicode CLDR: the shipped tables say what babel says, and babel is asked only for the rest."""

from datetime import UTC, datetime

import pytest

from bot.domain import times
from bot.domain.times import cldr
from bot.domain.times.zone_names import zone_keys
from tests.support import cldr_tables

NOW = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)


def test_the_shipped_tables_are_those_of_the_locked_babel() -> None:
    assert cldr_tables.FILE.read_text(encoding="utf-8") == cldr_tables.tables()


def test_no_name_holds_what_parts_the_names_of_a_table() -> None:
    for line in cldr_tables.tables().splitlines():
        name, _, table = line.partition(": ")
        for meaning, word in cldr.list_items(table):
            assert word, name
            assert not set(meaning + word) & set("|;=:"), (name, word)


def test_a_language_that_has_no_table_is_read_from_babel() -> None:
    assert "7=ივლისი" in cldr.read_words("ka")["month"]
    assert times.read("გუშინ 14:05 x", NOW, UTC, language="ka").utc == datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize("language", ["xx", "", "no such", "a" * 200])
def test_a_language_that_nobody_knows_has_no_words(language: str) -> None:
    with pytest.raises(KeyError):
        cldr.read_words(language)
    assert times.read("yesterday 14:05 x", NOW, UTC, language=language).utc == datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


def test_every_region_has_a_zone_that_is_there() -> None:
    keys = [key for _, key in cldr.read_places("region keys")]
    assert len(keys) > 100
    assert {key for key in keys if key.lower() not in zone_keys()} == set()
