"""What is suggested for an unknown sub-command: never a word that wakes, ends, takes away or tells others."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.errors import Refused
from handlers.incidents import INCIDENT
from handlers.postmortem import POSTMORTEM

HARMFUL = {"page", "resolved", "jsm", "customers", "publish", "waive", "confluence", "share"}
COMMANDS: dict[str, Callable[[str], object]] = {"/incident": INCIDENT.parse, "/postmortem": POSTMORTEM.parse}


def guess_word(command: str, word: str) -> str:
    """The suggestion for a word; empty where it is known, or nothing is suggested."""
    try:
        COMMANDS[command](word)
    except Refused as refused:
        _, _, behind = refused.sentence.partition("Did you mean `")
        return behind.partition("`")[0].removeprefix(command).strip()
    return ""


def test_what_wakes_ends_takes_away_or_tells_others_is_marked_as_harmful() -> None:
    verbs = (*INCIDENT.verbs, *POSTMORTEM.verbs)
    assert {word for verb in verbs if verb.harmful for word in verb.words.split()} == HARMFUL


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("word", [*HARMFUL, "update", "role", "fixed", "done", "end", "finish", "close", "stop"])
def test_a_slip_of_a_harmful_word_suggests_nothing(command: str, word: str) -> None:
    slips = {f"{word}x", word[:-1], f"x{word}", word[1:], word[0] + word[2:], word[:2] + word[1:], word}
    assert not {guess_word(command, slip) for slip in slips} & HARMFUL


@given(some.sampled_from(sorted(COMMANDS)), some.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12))
def test_no_word_at_all_suggests_a_harmful_one(command: str, word: str) -> None:
    assert guess_word(command, word).split(" ")[0] not in HARMFUL


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("staus", "I don't know `staus`. Did you mean `status`? (`/incident help` lists everything)"),
        ("a`b", "I don't know `ab`. (`/incident help` lists everything)"),
    ],
)
def test_a_word_of_ours_that_is_near_is_suggested_and_what_is_quoted_ends_no_code(typed: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        INCIDENT.parse(typed)
    assert refused.value.sentence == sentence
