"""What people read, as docs/style.md has it: for screen readers as for eyes."""

import pytest

from bot.slack.views import blocks
from tests.support.interactions import require_spelt_out


def test_the_text_of_a_message_says_what_its_blocks_say() -> None:
    typed = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "sev 9 <!here>"}]}
    message = blocks.message(
        "*INC-7* is open.",
        blocks=[
            blocks.header("INC-7"),
            blocks.section("*INC-7* is open."),
            blocks.section("Ana leads."),
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "Since 14:05 UTC"}]},
            blocks.context("#4 · just now"),
            {"type": "rich_text", "elements": [typed]},
            blocks.actions(blocks.button("Undo", "undo")),
        ],
    )
    assert message["text"].split("\n") == [
        "*INC-7* is open.",
        "Ana leads.",
        "Since 14:05 UTC",
        "#4 · just now",
        "sev 9 &lt;!here&gt;",
    ]
    require_spelt_out(message)


def test_a_text_that_leaves_something_out_is_noticed() -> None:
    short = blocks.message("INC-7 is open.", blocks.context("Ana leads.")) | {"text": "INC-7 is open."}
    with pytest.raises(AssertionError, match="leads"):
        require_spelt_out(short)
