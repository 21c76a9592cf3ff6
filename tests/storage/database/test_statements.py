"""What goes into a column comes out the same, on both databases, or is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql import psycopg as postgresql
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.types import TypeEngine

from storage.database.statements import CalendarDay, FlagType, UtcDateTime, Word
from storage.database.store import Store
from tests.support.storage.sample_records import entry, open_incident, record_entry

DIALECTS: list[Dialect] = [pysqlite.dialect(), postgresql.dialect()]  # type: ignore[no-untyped-call]
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1), timezones=zones)  # noqa: DTZ001 (hypothesis wants it)


class Colour(StrEnum):
    RED = "red"


def bound(kind: TypeEngine[Any], value: object, dialect: Dialect) -> Any:
    processor = kind.dialect_impl(dialect).bind_processor(dialect)
    return processor(value) if processor else value


def read(kind: TypeEngine[Any], value: object, dialect: Dialect) -> Any:
    processor = kind.dialect_impl(dialect).result_processor(dialect, None)
    return processor(value) if processor else value


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@given(moment=moments)
def test_a_moment_of_any_zone_comes_back_as_the_same_moment_in_utc(dialect: Dialect, moment: datetime) -> None:
    back = read(UtcDateTime(), bound(UtcDateTime(), moment, dialect), dialect)
    assert back == moment
    assert back.tzinfo is UTC


@given(one=moments, other=moments)
def test_on_sqlite_the_order_of_the_text_is_the_order_of_time(one: datetime, other: datetime) -> None:
    first, second = (bound(UtcDateTime(), moment, DIALECTS[0]) for moment in (one, other))
    assert len(first) == len(second) == len("2026-11-23T12:00:00.123456+00:00")
    assert (first < second) == (one < other)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_time_without_a_zone_is_refused(dialect: Dialect) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        bound(UtcDateTime(), datetime(2026, 11, 23), dialect)  # noqa: DTZ001 (that is the point)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Word(Colour), Colour.RED),
        (FlagType(), True),
        (FlagType(), False),
        (CalendarDay(), date(2026, 2, 28)),
        (UtcDateTime(), None),
        (Word(Colour), None),
        (FlagType(), None),
        (CalendarDay(), None),
    ],
)
def test_words_flags_days_and_nothing_come_back_as_they_were(dialect: Dialect, kind: Any, value: object) -> None:
    back = read(kind, bound(kind, value, dialect), dialect)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_an_unknown_word_in_the_database_is_not_passed_on(dialect: Dialect) -> None:
    with pytest.raises(ValueError, match="blue"):
        read(Word(Colour), "blue", dialect)


def test_a_naive_time_reaches_neither_database(store: Store) -> None:
    store.write_now(open_incident)
    naive = entry(at=datetime(2026, 11, 23))  # noqa: DTZ001 (that is the point)
    with pytest.raises(ValueError, match="without a zone"):
        store.write_now(lambda tx: record_entry(tx, naive))
    assert store.write_now(lambda tx: record_entry(tx, entry())) == 1
