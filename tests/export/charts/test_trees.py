from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import WhyStep
from bot.export.charts.whys import BoxPlace, find_parents, place_in_outline, place_in_tree
from tests.support.export.cases import NOW, case, why


@st.composite
def chains(draw: st.DrawFn) -> tuple[WhyStep, ...]:
    """Whys that grew as whys can: each explains an earlier one, or begins another chain."""
    count = draw(st.integers(1, 40))
    above = [draw(st.none() | st.integers(1, number - 1)) if number > 1 else None for number in range(1, count + 1)]
    return compile_steps(*above)


def compile_steps(*above: int | None) -> tuple[WhyStep, ...]:
    whys = tuple(why(number, parent) for number, parent in enumerate(above, 1))
    return postmortem_rules.compile_document(case(whys=whys), NOW).whys


def grown(whys: tuple[WhyStep, ...]) -> tuple[BoxPlace, ...]:
    return place_in_tree(find_parents(whys))


@settings(deadline=None)
@given(chains())
def test_every_box_has_a_place_of_its_own_below_what_it_explains(whys: tuple[WhyStep, ...]) -> None:
    places = grown(whys)
    assert len({(place.column, place.row) for place in places}) == len(whys) + 1
    for step, place in zip(whys, places[1:], strict=True):
        assert place.parent is not None
        over = places[place.parent]
        assert (place.row, place.column >= over.column) == (over.row + 1, True)
        assert place.parent == (0 if step.parent is None else 1 + [one.number for one in whys].index(step.parent))


@settings(deadline=None)
@given(chains())
def test_no_line_crosses_another(whys: tuple[WhyStep, ...]) -> None:
    places = grown(whys)
    lines = [(places[place.parent], place) for place in places if place.parent is not None]
    for (over, below), (other_over, other_below) in combinations(lines, 2):
        if over.row != other_over.row or over is other_over:
            continue
        left, right = sorted(((over.column, below.column), (other_over.column, other_below.column)))
        assert left[1] < right[0]


def test_a_chain_goes_straight_down_and_its_branches_stand_to_the_right() -> None:
    whys = compile_steps(None, 1, 2, 2, 3, 1)
    places = {step.number: (place.column, place.row) for step, place in zip(whys, grown(whys)[1:], strict=True)}
    assert places == {1: (0, 1), 2: (0, 2), 3: (0, 3), 5: (0, 4), 4: (1, 3), 6: (1, 2)}


def test_an_outline_has_a_line_for_each_in_reading_order() -> None:
    whys = compile_steps(None, 1, 1, 2)
    places = place_in_outline(whys, find_parents(whys))
    assert [step.number for step in whys] == [1, 2, 4, 3]
    assert [(place.column, place.row, place.parent) for place in places] == [
        (0, 0, None),
        (1, 1, 0),
        (2, 2, 1),
        (3, 3, 2),
        (2, 4, 1),
    ]
