"""Block Kit's pieces, held against the limits that Slack documents."""

import json

import pytest

from bot.rehearsal.block_kit import check_blocks, check_size
from bot.slack.views import blocks
from handlers.requests import button_of, for_reader


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_a_choice_whose_name_is_blank_can_still_be_chosen(name: str) -> None:
    chosen = blocks.option(name, "7", name)
    menu = {"type": "static_select", "action_id": "choose", "options": [chosen]}
    check_blocks([blocks.actions(menu)])
    assert chosen["text"]["text"].strip()


def test_a_message_that_is_too_long_says_so_and_keeps_its_buttons() -> None:
    row = blocks.actions(blocks.button("Show", "timeline_show"))
    message = blocks.message("much", blocks=[*(blocks.section("x" * 2_000) for _ in range(9)), row])
    check_blocks(message["blocks"])
    check_size(message["blocks"])
    assert message["blocks"][-1] == row
    assert "the rest doesn't fit in one message" in message["blocks"][-2]["elements"][0]["text"]


def test_a_line_of_a_menu_says_which_button_it_stands_for() -> None:
    menu = blocks.overflow(
        blocks.button("Edit", "timeline_edit", '{"incident": 999999, "entry": 99999, "version": 99}'),
        blocks.button("Whole timeline", "timeline_show"),
    )
    check_blocks([blocks.section("x", menu), blocks.actions(blocks.button("Undo", "timeline_undo"), menu)])
    (pressed,) = button_of({"actions": [{"type": "overflow", "selected_option": menu["options"][0]}]})["actions"]
    assert (pressed["type"], pressed["action_id"]) == ("button", "timeline_edit")
    assert json.loads(pressed["value"])["entry"] == 99999
    assert json.loads(menu["options"][1]["value"]) == {"do": "timeline_show"}


def test_a_line_of_a_menu_is_made_for_its_reader_as_a_button_is() -> None:
    menu = blocks.overflow(blocks.button("Edit", "timeline_edit", '{"incident": 999999, "entry": 99999}'))
    marked = for_reader({"blocks": [blocks.section("x", menu)]}, "U0123456789")["blocks"]
    check_blocks(marked)
    assert json.loads(marked[0]["accessory"]["options"][0]["value"])["for"] == "U0123456789"


@pytest.mark.parametrize("count", [48, 49, 50, 51, 60])
def test_the_buttons_of_a_message_with_many_blocks_are_kept(count: int) -> None:
    row = blocks.actions(blocks.button("Show", "timeline_show"))
    message = blocks.message("many", blocks=[*(blocks.section(str(number)) for number in range(count - 1)), row])
    check_blocks(message["blocks"])
    assert message["blocks"][-1] == row
    is_cut = "the rest doesn't fit in one message" in str(message["blocks"][-2])
    assert (len(message["blocks"]), is_cut) == (min(count, 50), count > 50)
