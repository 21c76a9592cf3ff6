"""Block Kit's pieces, held against the limits that Slack documents."""

import pytest

from bot.rehearsal.block_kit import check_blocks, check_size
from bot.slack.views import blocks


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_a_choice_whose_name_is_blank_can_still_be_chosen(name: str) -> None:
    chosen = blocks.option(name, "7", name)
    menu = {"type": "static_select", "action_id": "choose", "options": [chosen]}
    check_blocks([blocks.actions(menu)])
    assert chosen["text"]["text"].strip()


def test_a_message_that_is_too_long_says_so_and_keeps_its_buttons() -> None:
    row = blocks.actions(blocks.button("Show", "timeline_show"))
    said = blocks.message("much", blocks=[*(blocks.section("x" * 2_000) for _ in range(9)), row])
    check_blocks(said["blocks"])
    check_size(said["blocks"])
    assert said["blocks"][-1] == row
    assert "the rest does not fit into one message" in said["blocks"][-2]["elements"][0]["text"]
