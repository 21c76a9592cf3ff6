from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.export.charts.scale import PAD, TICK_ROOM, Scale, TimeSpan, find_quiet_spans, fit_scale, format_roughly

LEFT, RIGHT = 66.0, 782.0
START = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
MOMENTS = st.datetimes(timezones=st.just(UTC)) | st.integers(0, 1_500_000).map(
    lambda seconds: START + timedelta(seconds=seconds)
)
SPANS = st.lists(st.tuples(MOMENTS, MOMENTS), min_size=1, max_size=40).map(
    lambda pairs: sorted(TimeSpan(min(pair), max(pair)) for pair in pairs)
)


def instants(*minutes: float) -> list[TimeSpan]:
    moments = [START + timedelta(minutes=minute) for minute in minutes]
    return [TimeSpan(moment, moment) for moment in moments]


def daily(days: int) -> list[TimeSpan]:
    return instants(*(day * 1_440 + minute for day in range(days) for minute in (0, 4, 9, 15, 30)))


def axis(spans: list[TimeSpan]) -> Scale:
    return fit_scale(spans, LEFT, RIGHT)


@settings(deadline=None)
@given(SPANS)
def test_moments_stand_in_their_order_inside_the_frame(spans: list[TimeSpan]) -> None:
    scale = axis(spans)
    places = [scale.x(moment) for moment in sorted(moment for span in spans for moment in span)]
    assert places == sorted(places)
    assert places[0] >= LEFT
    assert places[-1] <= RIGHT + 0.001


@settings(deadline=None)
@given(SPANS)
def test_all_stretches_keep_one_scale_and_nothing_recorded_is_cut_out(spans: list[TimeSpan]) -> None:
    scale = axis(spans)
    for stretch in scale.stretches:
        seconds = (stretch.end - stretch.start).total_seconds()
        assert stretch.right - stretch.left == pytest.approx(seconds * scale.per_second, abs=0.001)
    silences = find_quiet_spans(spans)
    for cut in scale.cuts:
        assert TimeSpan(cut.start, cut.end) in silences
        assert cut.right - cut.left >= 2 * PAD
    assert all(earlier.right < later.left for earlier, later in pairwise(scale.stretches))


@settings(deadline=None)
@given(SPANS)
def test_ticks_stand_on_the_axis_far_enough_apart_to_be_labelled(spans: list[TimeSpan]) -> None:
    scale = axis(spans)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 24
    assert ticks[0].opens_day
    for stretch in scale.stretches:
        inside = [tick for tick in ticks if stretch.start <= tick.at <= stretch.end]
        assert inside
        assert all(later.x - earlier.x >= TICK_ROOM - 0.001 for earlier, later in pairwise(inside))


def test_a_short_incident_has_no_cut_however_it_paused() -> None:
    assert axis(instants(0, 1, 2, 3, 4, 5, 50, 51, 52, 53, 54, 90)).cuts == ()


def test_a_day_told_evenly_is_drawn_to_scale() -> None:
    scale = axis(instants(*range(0, 1_441, 40)))
    assert scale.cuts == ()
    assert scale.x(START + timedelta(hours=12)) == pytest.approx((LEFT + RIGHT) / 2)


def test_ten_days_with_an_hour_of_work_each_are_cut_every_night_alike() -> None:
    scale = axis(daily(10))
    assert [cut.end - cut.start for cut in scale.cuts] == [timedelta(hours=23, minutes=30)] * 9
    assert all(stretch.right - stretch.left > 8 for stretch in scale.stretches)


def test_an_entry_long_before_all_others_is_set_apart() -> None:
    scale = axis(instants(-26_000, *range(0, 300, 20)))
    assert len(scale.cuts) == 1
    assert scale.x(START + timedelta(minutes=280)) - scale.x(START) > 500


def test_one_moment_stands_in_the_middle_of_ten_minutes() -> None:
    scale = axis(instants(0))
    assert scale.x(START) == pytest.approx((LEFT + RIGHT) / 2)
    assert [tick.at.minute for tick in scale.ticks()] == list(range(35, 46))


def test_the_first_and_the_last_moment_of_the_calendar_can_be_drawn() -> None:
    ends = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    for moments in ([ends[0]], [ends[1]], ends):
        assert axis([TimeSpan(moment, moment) for moment in moments]).ticks()


def test_a_range_is_no_silence_and_thirty_minutes_are_none_either() -> None:
    spans = [TimeSpan(START, START + timedelta(hours=5)), *instants(60, 330, 361)]
    assert find_quiet_spans(spans) == (TimeSpan(START + timedelta(minutes=330), START + timedelta(minutes=361)),)


@pytest.mark.parametrize(
    ("length", "label"),
    [
        (timedelta(seconds=20), "<1 min"),
        (timedelta(minutes=43), "43 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(hours=23, minutes=50), "24 h"),
        (timedelta(days=3, hours=2, minutes=59), "3 d 2 h"),
        (timedelta(days=17, hours=20), "17 d"),
    ],
)
def test_a_length_is_told_as_roughly_as_a_label_can_be(length: timedelta, label: str) -> None:
    assert format_roughly(length) == label
