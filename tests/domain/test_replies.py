"""What counts as an answer about actions, and what is only talk."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.actions import (
    MOST,
    About,
    Choose,
    HandOver,
    MoveDueDate,
    Operation,
    ReplyAnswer,
    ReplyDone,
    ReplyDrop,
    Unclear,
    Unpicked,
    in_command,
    read_reply,
)
from bot.domain.times.due_dates import Due

TODAY = date(2026, 11, 23)
"""A Monday."""

FRIDAY = MoveDueDate(date(2026, 11, 27))
NEXT_FRIDAY = Choose(Due((date(2026, 11, 27), date(2026, 12, 4)), "“next friday” could be either of two days."))


def about(*numbers: int, incident: int | None = None) -> tuple[About, ...]:
    return tuple(About(number, incident) for number in numbers)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "done 3",
            "Done #3.",
            "3 done",
            "action 3 is done!",
            "3 ✅",
            ":white_check_mark: 3",
            "✔️ done 3",
            "done 3 ✅ 🎉",
        ),
        *(
            "finished 3, thanks",
            "I have finished 3",
            "closed 3",
            "done with 3",
            "3 is done already",
            "3 done, thank you!",
        ),
    ],
)
def test_done_is_said_in_many_ways(text: str) -> None:
    assert read_reply(text, TODAY) == ReplyAnswer(about(3), ReplyDone())


@pytest.mark.parametrize(
    ("text", "named", "operation"),
    [
        ("done INC-4 3", about(3, incident=4), ReplyDone()),
        ("inc-4 #3 done", about(3, incident=4), ReplyDone()),
        ("done 3 and 4", about(3, 4), ReplyDone()),
        ("done 3, 4 and #5", about(3, 4, 5), ReplyDone()),
        ("done 3 4", about(3, 4), ReplyDone()),
        ("3 & 4 are done", about(3, 4), ReplyDone()),
        ("done INC-4 3 and 5, INC-6 1", (*about(3, 5, incident=4), About(1, 6)), ReplyDone()),
        ("3 friday", about(3), FRIDAY),
        ("3 next friday please", about(3), NEXT_FRIDAY),
        ("3 and 4 next friday", about(3, 4), NEXT_FRIDAY),
        ("3 monday 9am", about(3), MoveDueDate(date(2026, 11, 30), "9am")),
        (
            "3 by december",
            about(3),
            Choose(Due((date(2026, 12, 1), date(2026, 12, 31)), "“december” could be either of two days.")),
        ),
        ("3 december", about(3), Unclear("december")),
        ("3 @bruno", about(3), Unpicked("@bruno")),
        ("3 and 4 to @bruno", about(3, 4), Unpicked("@bruno")),
        ("give 3 to @bruno.m", about(3), Unpicked("@bruno.m")),
        ("hand 3 over to @bruno", about(3), Unpicked("@bruno")),
        ("done 3 @bruno", about(3), Unpicked("@bruno")),
        ("drop 3 @bruno", about(3), Unpicked("@bruno")),
        ("drop 3 because @bruno said so", about(3), ReplyDrop("@bruno said so")),
        ("INC-4 3 @bruno friday", about(3, incident=4), Unpicked("@bruno")),
        ("3 and 4 to friday", about(3, 4), FRIDAY),
        ("3, 4 friday", about(3, 4), FRIDAY),
        ("3 move to friday", about(3), FRIDAY),
        ("postpone 3 until friday", about(3), FRIDAY),
        ("3: due in 2 weeks", about(3), MoveDueDate(date(2026, 12, 7))),
        ("3, 2 weeks", about(3), MoveDueDate(date(2026, 12, 7))),
        ("move 3 to 24 Dec", about(3), MoveDueDate(date(2026, 12, 24))),
        ("3, 24 december 2026", about(3), MoveDueDate(date(2026, 12, 24))),
        ("INC-4 3 2026-12-24", about(3, incident=4), MoveDueDate(date(2026, 12, 24))),
        ("drop 3 because the proxy does it", about(3), ReplyDrop("the proxy does it")),
        ("3 won't do, the proxy does it", about(3), ReplyDrop("the proxy does it")),
        ("won't do 3 too costly", about(3), ReplyDrop("too costly")),
        ("will not do 3 and 4: 2 nodes were replaced", about(3, 4), ReplyDrop("2 nodes were replaced")),
        ("drop 3", about(3), ReplyDrop("")),
        ("3", about(3), Unclear("")),
        ("3 👍", about(3), Unclear("")),
        ("done 3 of 4", about(3), Unclear("of 4")),
        ("3 nodes are down", about(3), Unclear("nodes are down")),
        ("move 3 to some day", about(3), Unclear("to some day")),
        ("3 and 4", about(3, 4), Unclear("")),
    ],
)
def test_an_answer_names_actions_and_what_becomes_of_them(
    text: str, named: tuple[About, ...], operation: Operation
) -> None:
    assert read_reply(text, TODAY) == ReplyAnswer(named, operation)


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        *((text, ReplyDone()) for text in ("done", "Done!", "✅", "all done", "done it", "it is done", "I did that")),
        *(("friday", FRIDAY), ("move it to friday", FRIDAY), ("next friday 🙏", NEXT_FRIDAY)),
        *(("drop it because the proxy does it", ReplyDrop("the proxy does it")), ("won't do", ReplyDrop(""))),
    ],
)
def test_without_a_number_the_only_one_is_meant(text: str, operation: Operation) -> None:
    assert read_reply(text, TODAY) == ReplyAnswer((), operation)


@pytest.mark.parametrize(
    "text", ["hello", "", "what is this?", "drop the database", "done with this week", "2026", "close call", "🎉"]
)
def test_talk_is_no_answer(text: str) -> None:
    assert read_reply(text, TODAY) is None or read_reply(text, TODAY) == ReplyAnswer(about(2026), Unclear(""))


@pytest.mark.parametrize("text", ["3", "3 to", "give 3 to", "hand over 3 to", "hand 3 over to", "3 hand over to"])
def test_who_is_mentioned_is_given_it(text: str) -> None:
    assert read_reply(text, TODAY, mentions=True) == ReplyAnswer(about(3), HandOver())


def test_a_mention_beside_other_words_hands_nothing_over() -> None:
    assert read_reply("3 friday, asked", TODAY, mentions=True) == ReplyAnswer(about(3), Unclear("friday, asked"))
    assert read_reply("done 3", TODAY, mentions=True) == ReplyAnswer(about(3), Unclear(""))
    assert read_reply("give it to", TODAY, mentions=True) == ReplyAnswer((), HandOver())
    assert read_reply("thanks,", TODAY, mentions=True) is None


@given(some.text(max_size=60) | some.from_regex(r"(INC-\d )?\d{1,4}(, \d)* .{0,20}", fullmatch=True), some.booleans())
def test_whatever_is_written_is_an_answer_or_none(text: str, mentions: bool) -> None:
    answer = read_reply(text, TODAY, mentions=mentions)
    assert answer is None or len(answer.about) <= MOST
    assert answer is None or all(0 <= one.number <= 9999 for one in answer.about)


@pytest.mark.parametrize("words", ["feb 30", "dec 32", "31 nov", "29 feb 2027"])
def test_a_day_that_there_is_not_is_no_new_action_behind_a_number(words: str) -> None:
    answer = in_command(f"3 {words}", TODAY)
    assert answer is not None
    assert isinstance(answer.operation, Unclear)
    assert answer.operation.problem.startswith("There's no ")
