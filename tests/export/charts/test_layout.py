from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.export.charts.layout import GAP, assign_label_rows, assign_lanes, place_flags, spread_labels, subtract_breaks

EDGE = 800.0
PLACES = st.floats(70, 780)
WIDTHS = st.floats(20, 112)
LABELS = st.lists(st.tuples(PLACES, WIDTHS), max_size=5).map(sorted)


@settings(deadline=None)
@given(LABELS)
def test_flags_stay_in_the_frame_and_no_label_covers_another(labels: list[tuple[float, float]]) -> None:
    placed = place_flags(labels, EDGE)
    assert all(flag.left >= 0 and flag.right <= EDGE for flag in placed)
    for one, other in combinations(placed, 2):
        assert one.row != other.row or one.right <= other.left or other.right <= one.left


@settings(deadline=None)
@given(LABELS)
def test_no_pole_runs_through_the_label_of_a_lower_row(labels: list[tuple[float, float]]) -> None:
    for one in (placed := place_flags(labels, EDGE)):
        assert not [below for below in placed if below.row < one.row and below.left < one.pole < below.right]
        assert one.row < len(placed)


def test_flags_with_room_share_a_row() -> None:
    assert [flag.row for flag in place_flags([(100, 80), (300, 80), (700, 80)], EDGE)] == [0, 0, 0]


def test_a_flag_without_room_behind_its_pole_turns_to_the_other_side() -> None:
    (flag,) = place_flags([(780, 80)], EDGE)
    assert (flag.left, flag.right) == (700, 780)


@settings(deadline=None)
@given(st.lists(st.tuples(PLACES, WIDTHS)).map(sorted), st.integers(1, 3))
def test_thinned_labels_of_a_row_do_not_touch(labels: list[tuple[float, float]], rows: int) -> None:
    found = assign_label_rows(labels, rows)
    assert found[:1] in ((), (0,))
    for row in range(rows):
        shown = [label for label, at in zip(labels, found, strict=True) if at == row]
        for (middle, width), (later, other) in pairwise(shown):
            assert middle + width / 2 <= later - other / 2


@settings(deadline=None)
@given(st.lists(st.tuples(PLACES, WIDTHS), max_size=4).map(sorted))
def test_labels_side_by_side_stay_between_the_edges_and_apart(labels: list[tuple[float, float]]) -> None:
    starts = spread_labels(labels, 66, EDGE)
    ends = [start + width for start, (_, width) in zip(starts, labels, strict=True)]
    assert all(start >= 65.999 and end <= EDGE + 0.001 for start, end in zip(starts, ends, strict=True))
    assert all(end + GAP <= start + 0.001 for end, start in zip(ends, starts[1:], strict=False))


@settings(deadline=None)
@given(st.lists(st.tuples(PLACES, WIDTHS)).map(lambda found: sorted((at, at + long) for at, long in found)))
def test_spans_of_a_lane_do_not_overlap(spans: list[tuple[float, float]]) -> None:
    found = assign_lanes(spans, 3)
    for lane in range(3):
        shown = [span for span, at in zip(spans, found, strict=True) if at == lane]
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(shown))


def test_pieces_are_what_the_breaks_leave() -> None:
    assert subtract_breaks(0, 10, [(5, 6), (2, 2), (-3, 0)]) == ((0, 2), (2, 5), (6, 10))
    assert subtract_breaks(0, 10, [(8, 12), (4, 9)]) == ((0, 4),)
    assert subtract_breaks(0, 10, [(-1, 11)]) == ()
