"""Filters in an address: read whatever they are, written one way, and never more than they ask for."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.library import (
    MOST_LETTERS,
    LibraryFilters,
    ShelfCursor,
    Stage,
    parse_cursor,
    parse_filters,
    parse_span,
)
from bot.domain.similarity import MOST_WORDS

words = st.text(max_size=60)
values = st.one_of(
    words, st.sampled_from(["sev1", "none", "draft", "published", "U0ANA", "2026-11", "2026-Q4", "1", ""])
)
names = st.sampled_from(["q", "severity", "status", "owner", "month", "service", "tag", "overdue", "before", "x"])


@given(st.dictionaries(names, values))
def test_any_address_is_read_and_the_same_filters_are_written_the_same_way(address: dict[str, str]) -> None:
    filters = parse_filters(address)
    again = parse_filters(dict(parse_qsl(filters.query())))
    assert again == filters
    assert again.query() == filters.query()


@given(st.text(max_size=12_000))
def test_a_search_of_any_length_is_cut_to_what_is_looked_for(text: str) -> None:
    filters = parse_filters({"q": text})
    assert len(filters.words) <= MOST_LETTERS
    assert len(filters.terms) <= MOST_WORDS
    assert all(word.isalnum() for word in filters.terms)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-Q4", datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-q1", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
        ("2026-11", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
        (" 2026-12 ", datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_month_a_quarter_and_a_year_are_spans(text: str, since: datetime, until: datetime) -> None:
    span = parse_span(text)
    assert span is not None
    assert (span.since, span.until, span.name) == (since, until, text.strip().upper())


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-00", "2026-Q5", "26-11", "november", "0000", "9999", "2026-1", "٢٠٢٦"]
)
def test_what_is_no_span_is_none(text: str) -> None:
    assert parse_span(text) is None


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda at: at.year >= 1000), st.integers(1, 10**12))
def test_a_page_begins_exactly_where_the_last_one_ended(at: datetime, row: int) -> None:
    cursor = ShelfCursor(at, row)
    assert parse_cursor(str(cursor)) == cursor


@given(st.one_of(st.text(max_size=40), st.from_regex(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}-[0-9]{1,20}", fullmatch=True)))
def test_a_forged_cursor_is_the_first_page_or_a_place_in_the_list(text: str) -> None:
    cursor = parse_cursor(text)
    assert cursor is None or str(cursor) == text or cursor == parse_cursor(str(cursor))


@pytest.mark.parametrize(
    ("text", "number"), [("INC-7", 7), ("inc-7", 7), ("inc7", 7), (" 7 ", 7), ("INC-0", None), ("7 pools", None)]
)
def test_the_key_of_an_incident_is_not_looked_for_as_a_word(text: str, number: int | None) -> None:
    assert LibraryFilters(words=text).number == number


@pytest.mark.parametrize("status", ["draft", "DRAFT", " draft "])
def test_a_status_is_read_in_any_case(status: str) -> None:
    assert parse_filters({"status": status}).stage is Stage.DRAFT
