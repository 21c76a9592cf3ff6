"""Which times of a line are offered once it is recorded at another one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import timeline as timeline_rules
from bot.domain.timeline import MOST, ChosenTime, TimeOffer, list_offers
from bot.domain.times import Reading
from bot.errors import Refused

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOMENTS = st.integers(-4_000, 4_000).map(lambda minutes: NOW + timedelta(minutes=minutes, seconds=minutes % 7))


def reading(
    utc: datetime | None = None, *, end: datetime | None = None, question: tuple[datetime, ...] | None = None,
    offer: tuple[datetime, ...] | None = None,
) -> Reading:  # fmt: skip
    return Reading("ping was lost", utc, end, question=question, assumed_zone=True, offer=offer)


def test_a_clock_elsewhere_in_the_line_is_offered() -> None:
    assert list_offers(reading(offer=(NOW - HOUR,)), NOW, NOW) == (TimeOffer(NOW - HOUR),)


def test_nothing_is_offered_where_the_entry_stands_there_already() -> None:
    assert list_offers(reading(NOW - HOUR), NOW - HOUR, NOW) == ()
    assert list_offers(reading(offer=(NOW - timedelta(seconds=40),)), NOW, NOW) == ()
    assert list_offers(None, NOW, NOW) == ()
    assert list_offers(reading(), NOW, NOW) == ()


def test_what_is_still_to_come_is_no_offer() -> None:
    assert list_offers(reading(offer=(NOW + HOUR, NOW - HOUR)), NOW, NOW) == (TimeOffer(NOW - HOUR),)


def test_the_time_before_the_words_of_a_message_is_offered_with_its_range() -> None:
    found = list_offers(reading(NOW - HOUR, end=NOW - HOUR / 2), NOW, NOW)
    assert found == (TimeOffer(NOW - HOUR, HOUR / 2),)


def test_the_readings_of_a_message_that_nobody_was_asked_about_are_offered() -> None:
    found = list_offers(reading(question=(NOW - 3 * HOUR, NOW - HOUR)), NOW, NOW)
    assert [offer.at for offer in found] == [NOW - 3 * HOUR, NOW - HOUR]


@given(st.lists(MOMENTS, max_size=8), MOMENTS)
def test_at_most_three_are_offered_each_once_and_none_ahead_or_where_it_stands(
    moments: list[datetime], stands_at: datetime
) -> None:
    found = [offer.at for offer in list_offers(reading(offer=tuple(moments)), stands_at, NOW)]
    assert len(found) <= MOST
    assert len(found) == len(set(found))
    assert set(found) <= set(moments)
    for at in found:
        assert at <= NOW + timedelta(minutes=1)
        assert abs(at - stands_at) >= timedelta(minutes=1)


def test_a_chosen_time_reads_as_itself_and_none_as_no_time() -> None:
    chosen = ChosenTime("failed over", NOW, approximate=True, lasts=HOUR).reading()
    assert (chosen.utc, chosen.end_utc, chosen.approximate, chosen.text) == (NOW, NOW + HOUR, True, "failed over")
    assert ChosenTime("failed over", None, approximate=False, lasts=HOUR).reading().utc is None


def test_a_choice_may_lie_two_days_ahead_and_no_more() -> None:
    ahead = (NOW - HOUR, NOW + HOUR, NOW + 48 * HOUR, NOW + 49 * HOUR)
    assert timeline_rules.list_choices(ahead + ahead, NOW) == ahead[:3]
    assert timeline_rules.list_choices(None, NOW) == ()
    timeline_rules.require_chosen(ahead[2], NOW)
    with pytest.raises(Refused, match="more than two days ahead"):
        timeline_rules.require_chosen(ahead[3], NOW)


def test_a_form_is_told_the_past_readings_in_full() -> None:
    both = (NOW - 24 * HOUR, NOW - HOUR, NOW + HOUR)
    assert timeline_rules.format_choices(both, NOW) == "2026-11-22 18:00 UTC or 2026-11-23 17:00 UTC"
    assert timeline_rules.format_choices((), NOW) == "2026-11-23 14:05 UTC"
