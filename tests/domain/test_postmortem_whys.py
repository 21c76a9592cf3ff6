from hypothesis import given
from hypothesis import strategies as st

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Why
from tests.support.export.cases import NOW, case, why


def order(*whys: Why) -> list[tuple[int, int | None, int, bool]]:
    document = postmortem_rules.compile_document(case(whys=whys), NOW)
    return [(step.number, step.parent, step.depth, step.is_branch) for step in document.whys]


def test_each_step_of_a_chain_stands_under_the_why_that_it_explains_however_long() -> None:
    chain = [why(1, None), *(why(number, number - 1) for number in range(2, 60))]
    assert order(*chain) == [(step.number, step.parent, step.number - 1, False) for step in chain]


def test_a_branch_stands_beside_the_chain_that_it_leaves() -> None:
    assert order(why(1, None), why(2, 1), why(3, 2), why(4, 1), why(5, 4)) == [
        (1, None, 0, False),
        (2, 1, 1, False),
        (3, 2, 2, False),
        (4, 1, 1, True),
        (5, 4, 2, False),
    ]


def test_what_explains_a_struck_why_moves_up_to_the_nearest_that_stands() -> None:
    assert order(why(1, None), why(2, 1, struck=True), why(3, 2)) == [(1, None, 0, False), (3, 1, 1, False)]


def test_what_explains_an_unknown_why_begins_a_chain() -> None:
    assert order(why(2, 1), why(3, 9)) == [(2, None, 0, False), (3, None, 0, False)]


def test_several_whys_may_be_roots() -> None:
    document = postmortem_rules.compile_document(
        case(whys=(why(1, None), why(2, 1, root=True), why(3, 1, root=True))), NOW
    )
    assert [step.number for step in document.roots] == [2, 3]


@given(st.lists(st.tuples(st.none() | st.integers(0, 40), st.booleans()), max_size=40))
def test_no_standing_why_is_lost_or_repeated_whatever_the_parents(shapes: list[tuple[int | None, bool]]) -> None:
    whys = [why(number, parent, struck=struck) for number, (parent, struck) in enumerate(shapes, 1)]
    assert sorted(number for number, *_ in order(*whys)) == [step.number for step in whys if not step.struck]
