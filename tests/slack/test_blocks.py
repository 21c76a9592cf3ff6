"""Block Kit's pieces, held against the limits that Slack documents."""

import pytest

from bot.rehearsal.limits import check_blocks
from bot.slack import blocks


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_a_choice_whose_name_is_blank_can_still_be_chosen(name: str) -> None:
    chosen = blocks.option(name, "7", name)
    menu = {"type": "static_select", "action_id": "choose", "options": [chosen]}
    check_blocks([blocks.actions(menu)])
    assert chosen["text"]["text"].strip()
