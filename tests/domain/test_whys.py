"""Chains that branch, end and lose a step; what an answer cites; what it may blame."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import whys as whys_rules
from bot.domain.whys import BLAME_WORDS, find_blame_word, outline_whys, parse_blame_words
from bot.errors import Refused
from tests.support.export.cases import why


def test_the_open_end_is_the_latest_that_nothing_explains_and_no_root() -> None:
    chain = (why(1, None), why(2, 1), why(3, 1))
    assert whys_rules.find_open_end(chain) == chain[2]
    ended = (*chain[:2], replace(chain[2], is_root=True))
    assert whys_rules.find_open_end(ended) == chain[1]
    assert not whys_rules.is_ended(ended)
    assert whys_rules.is_ended((chain[0], replace(chain[1], is_root=True), replace(chain[2], is_root=True)))
    assert not whys_rules.is_ended(())


def test_whoever_answers_after_every_branch_ended_goes_on_below_the_latest() -> None:
    assert whys_rules.parent_of_next((why(1, None), why(2, 1, root=True)), None) == 2
    assert whys_rules.parent_of_next((), None) is None


def test_what_somebody_answered_last_is_what_still_stands_of_theirs() -> None:
    chain = (why(1, None), replace(why(2, 1), author="U9"), replace(why(3, 2), struck=True))
    assert whys_rules.find_last_by(chain, "U2") == chain[0]
    with pytest.raises(Refused, match="You haven't answered a why here"):
        whys_rules.find_last_by(chain, "U3")


def test_the_tree_is_read_branch_by_branch() -> None:
    chain = (why(1, None), why(2, 1), why(3, 1), why(4, 2), why(5, None))
    assert [placed.why.number for placed in outline_whys(chain)] == [1, 2, 4, 3, 5]


@given(st.lists(st.tuples(st.none() | st.integers(0, 30), st.booleans()), max_size=30))
def test_no_standing_why_is_lost_or_repeated_whatever_the_parents(shapes: list[tuple[int | None, bool]]) -> None:
    every = [why(number, parent, struck=struck) for number, (parent, struck) in enumerate(shapes, 1)]
    chain = whys_rules.list_active(every)
    assert sorted(placed.why.number for placed in outline_whys(chain)) == [s.number for s in every if not s.struck]
    assert all(step.parent is None or step.parent in {other.number for other in chain} for step in chain)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("because of #4", (4,)),
        ("#4, #12 and (#4)", (4, 12)),
        ("see PR#4 and x/#5 and &#39;", ()),
        ("C#4 and ##7", ()),
        ("#4th time", ()),
        ("#123456", ()),
        ("none", ()),
    ],
)
def test_entries_are_cited_by_a_hash_and_a_number(text: str, numbers: tuple[int, ...]) -> None:
    assert whys_rules.list_cited(text) == numbers


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Because Ana FORGOT to scale it", "FORGOT"),
        ("it was human\n error", "human error"),
        ("Bo should\u2019ve known", "should've known"),
        ("a page fault in the kernel", ""),
        ("the default was careful", ""),
        ("an unforgotten thing", ""),
    ],
)
def test_an_answer_that_stops_at_a_person_is_noticed_by_whole_words(text: str, word: str) -> None:
    assert find_blame_word(text, BLAME_WORDS) == word


def test_the_words_are_ours_none_or_the_operators() -> None:
    assert parse_blame_words("usual") == BLAME_WORDS
    assert parse_blame_words(" None ") == ()
    assert find_blame_word("forgot", parse_blame_words("none")) == ""
    assert find_blame_word("a (weird+) word", parse_blame_words("x, (weird+), ")) == "(weird+)"


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("becuse typo", "because typo"),
        ("Becuase, typo", "Because, typo"),
        ("beacuse", "because"),
        ("becauss: x", "because: x"),
        ("because x", "because x"),
        ("became slow after the deploy", "became slow after the deploy"),
        ("cause unknown", "cause unknown"),
        ("becuse-by date missed", "becuse-by date missed"),
        ("", ""),
    ],
)
def test_a_slip_in_because_is_put_right_and_no_other_word(text: str, spelt: str) -> None:
    assert whys_rules.spell_because(text) == spelt


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("because the pool ran out.", "the pool ran out"),
        ("Because, the pool ran out, see #4", "the pool ran out"),
        ("because: of a deploy (#4, #5).", "of a deploy"),
        ("Because of a deploy.", "a deploy"),
        ("because of course nobody looked", "of course nobody looked"),
        ("because often it is full", "often it is full"),
        ("parce que le pool est plein", "le pool est plein"),
        ("because the pool was full (#2, not #99)", "the pool was full (#2, not #99)"),
        ("because #4 filled the disk", "#4 filled the disk"),
        ("because -5 is no size", "-5 is no size"),
        ("becauses", "becauses"),
    ],
)
def test_a_question_quotes_an_answer_without_because_and_citations(text: str, quoted: str) -> None:
    assert whys_rules.quote_answer(text) == quoted


def test_a_number_that_no_why_has_is_told_from_those_there_are() -> None:
    chain = tuple(why(number, number - 1 or None) for number in range(1, 9))
    for known, number, sentence in (
        (0, 2, "There's no why yet. Answer the first one: `/why because …`"),
        (1, 2, "There's no why 2 yet (only why 1)."),
        (3, 9, "There's no why 9 yet (only whys 1, 2 and 3)."),
        (8, 9, "There's no why 9 yet (only whys 1 to 8)."),
    ):
        with pytest.raises(Refused) as refused:
            whys_rules.find_why(chain[:known], number)
        assert refused.value.sentence.startswith(sentence)
    with pytest.raises(Refused, match=r"There's no why 2 \(only whys 1 and 3\)"):
        whys_rules.find_why((chain[0], chain[2]), 2)
