"""Code in Slack: what people mark as code is code, and nothing else of what they write becomes some."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.text import split_pieces, strip_code_marks
from bot.slack.mrkdwn import mrkdwn
from bot.slack.views import blocks
from bot.slack.views.templates import words
from tests.domain.test_code import TEXTS

_SLACKS = re.compile(r"```(?P<block>.+?)```|`(?P<span>[^`\n]+)`", re.DOTALL)


def in_slack(shown: str) -> list[str]:
    """The code that Slack makes of a text."""
    return [(found["block"] or found["span"]).strip("\n") for found in _SLACKS.finditer(shown)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ran `kubectl get po` <twice>", "ran `kubectl get po` &lt;twice&gt;"),
        ("```\na & b\n```", "```a &amp; b```"),
        ("see\n```bash\nls\nps\n```\nabove", "see\n```\nls\nps\n```\nabove"),
        ("use ``a`b`` now", "use `aˋb` now"),
        ("unbalanced ` one", "unbalanced ˋ one"),
        ("``` never closed", "ˋˋˋ never closed"),
        ("````\n```x```\n````", "```ˋˋˋxˋˋˋ```"),
    ],
)
def test_slack_shows_the_code_that_was_written(text: str, shown: str) -> None:
    assert mrkdwn(text) == shown


@given(TEXTS, TEXTS)
def test_no_ones_backticks_make_code_of_what_another_wrote(one: str, other: str) -> None:
    line = f"{mrkdwn(one)} — Ana {mrkdwn(other)}"
    expected = [piece.text.strip("\n") for text in (one, other) for piece in split_pieces(text) if piece.marks]
    found = [code.replace("ˋ", "`").replace("&lt;", "<").replace("&gt;", ">") for code in in_slack(line)]
    assert found == expected


@given(st.text())
def test_no_word_is_lost_on_the_way(text: str) -> None:
    shown = mrkdwn(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("ˋ", "`")
    assert "".join(strip_code_marks(shown).split()) == "".join(strip_code_marks(text).replace("ˋ", "`").split())


def test_a_block_that_spans_two_sections_is_a_block_in_both() -> None:
    text = mrkdwn("before\n```\n" + "\n".join(f"line {number} {'x' * 60}" for number in range(80)) + "\n```\nafter")
    shown = [block["text"]["text"] for block in blocks.sections(text)]
    assert len(shown) > 1
    assert all(text.count("```") % 2 == 0 for text in shown)
    assert "line 79" in in_slack(shown[-1])[0]


def test_where_slack_can_show_no_code_there_are_no_marks() -> None:
    assert blocks.header("INC-7 `checkout` is down")["text"]["text"] == "INC-7 checkout is down"
    assert blocks.option("`a`", "a", "ran `b`")["description"]["text"] == "ran b"


def test_a_question_quotes_the_code_of_the_answer_before() -> None:
    assert words.whys.question(number=2, about="`pool` was full") == "*Why 2 of 5* — Why *`pool` was full*?"
