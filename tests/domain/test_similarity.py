from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bot.domain.records import Action, ActionStatus, Why
from bot.domain.similarity import append_text, draft_recurrence, extract_words, rank
from tests.support.export.cases import NOW, case, incident


def test_words_that_every_text_has_tell_nothing_apart() -> None:
    assert extract_words("The pool ran out because of THE retry-storm", "pool 503 x") == (
        "pool",
        "ran",
        "retry",
        "storm",
        "503",
    )


def test_the_more_and_the_rarer_the_words_shared_the_more_alike() -> None:
    words = extract_words("checkout pool exhausted by retries")
    texts = [
        "checkout pools were slow",
        "checkout was slow, retries",
        "exhausted pool: retry storm at checkout",
        "checkout",
    ]
    assert [match.index for match in rank(words, texts)] == [2, 0, 1]
    assert set(rank(words, texts)[0].shared) == {"checkout", "pool", "exhausted", "retries"}
    assert rank(words, texts)[0].shared[-1] == "checkout"  # a word that all texts have counts least


def test_one_word_in_common_is_no_likeness_unless_there_is_no_other() -> None:
    assert rank(("checkout", "pool"), ["checkout is down"]) == ()
    assert [match.index for match in rank(("checkout",), ["nothing", "checkout is down"])] == [1]
    assert rank((), ["anything"]) == ()


def an_action(number: int, status: ActionStatus, **more: Any) -> Action:
    plain = Action(number, 7, number, f"do {number}", None, None, None, "", status, "", "U1", NOW, None)
    return replace(plain, **more)


def test_what_was_done_then_is_told_with_what_became_of_it() -> None:
    past = case(
        about=incident(title="Checkout fails"),
        whys=(Why(1, 7, 1, None, "The pool ran out", "U1", NOW, is_root=True),),
        actions=(
            an_action(1, ActionStatus.DONE, closed_at=NOW + timedelta(days=1)),
            an_action(2, ActionStatus.OPEN, owner="U1", due_on=date(2026, 12, 1)),
            an_action(3, ActionStatus.DROPPED, reason="too large"),
        ),
    )
    draft = draft_recurrence(past)
    first, cause, *done = draft["recurrence"].splitlines()
    assert first.startswith(f"{past.incident.key} Checkout fails, 2026-")
    assert cause == "Root cause then: The pool ran out"
    assert done == [
        "Actions then:",
        f"- do 1 (done {NOW + timedelta(days=1):%Y-%m-%d})",
        f"- do 2 (still open, due 2026-12-01, {past.name('U1')})",
        "- do 3 (dropped: too large)",
    ]
    assert draft["backlog_check"].splitlines()[1:] == done[2:]


def test_an_incident_without_a_cause_or_actions_says_so() -> None:
    draft = draft_recurrence(case())
    assert "Root cause then: not recorded\nActions then: none were recorded" in draft["recurrence"]
    assert "backlog_check" not in draft


@pytest.mark.parametrize(("before", "after"), [("", "b"), ("a\n", "a\n\nb")])
def test_more_goes_below_what_stands(before: str, after: str) -> None:
    assert append_text(before, "b") == after
