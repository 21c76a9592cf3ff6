"""Words that wait for an incident come out of their button as they went in, and are read by the clock of then."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.timeline import PendingEntry, unpack_pending_entry, with_words
from bot.errors import Refused

TYPED = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
MOMENTS = st.datetimes(timezones=st.just(UTC))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
FILES = st.lists(st.tuples(TEXTS, TEXTS, st.integers(0, 10**12), TEXTS), max_size=3).map(tuple)
CARRIED = st.builds(
    PendingEntry,
    TEXTS,
    MOMENTS,
    st.sampled_from(["", "Europe/Berlin", "Asia/Kolkata"]),
    TEXTS,
    TEXTS,
    at=st.none() | MOMENTS,
    ended_at=st.none() | MOMENTS,
    approximate=st.booleans(),
    author=TEXTS,
    link=TEXTS,
    source=TEXTS,
    is_marked=st.booleans(),
    files=FILES,
    is_paste=st.booleans(),
)


@given(CARRIED)
def test_what_is_packed_comes_out_again(carried: PendingEntry) -> None:
    assert unpack_pending_entry(json.loads(json.dumps(carried.pack(), ensure_ascii=False))) == carried


@pytest.mark.parametrize(
    ("line", "zone", "read"),
    [
        ("13:05 failed over", "Europe/Berlin", datetime(2026, 11, 23, 12, 5, tzinfo=UTC)),
        ("15:45 failed over", "Europe/Berlin", datetime(2026, 11, 22, 14, 45, tzinfo=UTC)),
        ("12:05 failed over", "", datetime(2026, 11, 23, 12, 5, tzinfo=UTC)),
        ("10 min ago failed over", "Asia/Kolkata", TYPED - timedelta(minutes=10)),
        ("failed over", "Asia/Kolkata", None),
    ],
)
def test_a_time_is_read_by_the_clock_of_the_moment_at_which_it_was_typed(
    line: str, zone: str, read: datetime | None
) -> None:
    reading = PendingEntry(line, TYPED, zone, "C1", "k").reading()
    assert (reading.utc, reading.text) == (read, "failed over")


def test_a_time_that_was_settled_is_not_read_again() -> None:
    settled = TYPED - timedelta(days=1)
    end = settled + timedelta(minutes=5)
    reading = PendingEntry("14:05 it said", TYPED, "", "C1", "k", settled, end, approximate=True).reading()
    assert (reading.utc, reading.end_utc, reading.approximate) == (settled, end, True)
    assert reading.text == "14:05 it said"


def test_only_the_refusal_that_offers_to_open_an_incident_takes_words_along() -> None:
    carried = PendingEntry("it broke", TYPED, "", "C1", "k")
    other = Refused("#3 is already removed.")
    assert with_words(other, carried) is other
    offered = with_words(Refused("None is open.", offer="open_incident"), carried)
    assert unpack_pending_entry(dict(offered.carrying)) == carried
