"""Which actions can never be called done, and which only have such a word in them."""

import pytest

from bot.domain.actions import VAGUE_WORDS, find_vague_word
from bot.domain.whys import parse_blame_words


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Improve monitoring", "Improve"),
        ("be more careful with deploys", "be more careful"),
        ("we should look into the pool", "look into"),
        ("improve the pool's alert: page at 80%", ""),
        ("improve `pool.max`", ""),
        ("consider a replica for reads, as the database answers nothing else while it copies", ""),
        ("add a load test for the pool", ""),
        ("unimproved defaults", ""),
        ("", ""),
    ],
)
def test_an_action_is_vague_where_nothing_in_it_can_be_measured(text: str, word: str) -> None:
    assert find_vague_word(text, VAGUE_WORDS) == word


def test_the_words_are_the_operators() -> None:
    assert find_vague_word("improve it", parse_blame_words("none", VAGUE_WORDS)) == ""
    assert find_vague_word("improve it", parse_blame_words("usual", VAGUE_WORDS)) == "improve"
    assert find_vague_word("tidy up, improve it", parse_blame_words("tidy up, polish", VAGUE_WORDS)) == "tidy up"
