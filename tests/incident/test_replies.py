"""What counts as an answer about an action, and what is only talk."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.incident.replies import About, Answer, Done, Drop, Move, read

TODAY = date(2026, 11, 23)
"""A Monday."""


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("done 3", Done(About(3, None))),
        ("Done #3.", Done(About(3, None))),
        ("3 done", Done(About(3, None))),
        ("action 3 is done!", Done(About(3, None))),
        ("done INC-4 3", Done(About(3, 4))),
        ("inc-4 #3 done", Done(About(3, 4))),
        ("3 friday", Move(About(3, None), date(2026, 11, 27))),
        ("3: due in 2 weeks", Move(About(3, None), date(2026, 12, 7))),
        ("move 3 to 24 Dec", Move(About(3, None), date(2026, 12, 24))),
        ("INC-4 3 2026-12-24", Move(About(3, 4), date(2026, 12, 24))),
        ("drop 3 because the proxy does it", Drop(About(3, None), "the proxy does it")),
        ("3 won't do, the proxy does it", Drop(About(3, None), "the proxy does it")),
        ("drop 3", Drop(About(3, None), "")),
        ("3", None),
        ("done", None),
        ("done 3 of 4", None),
        ("3 nodes are down", None),
        ("hello", None),
        ("", None),
    ],
)
def test_an_answer_names_an_action_and_what_becomes_of_it(text: str, answer: Answer | None) -> None:
    assert read(text, TODAY) == answer


@given(some.text(max_size=60) | some.from_regex(r"(INC-\d )?\d{1,4} .{0,20}", fullmatch=True))
def test_whatever_is_written_is_an_answer_or_none(text: str) -> None:
    answer = read(text, TODAY)
    assert answer is None or 0 <= answer.about.number <= 9999
