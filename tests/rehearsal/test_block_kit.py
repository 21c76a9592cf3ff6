"""Blocks at their limits are taken; one over, they are refused with a pointer to the place."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal import block_kit
from bot.rehearsal.workspace import ApiRefusal
from tests.rehearsal.conftest import Json, actions, button, field_of, section

LIMITS = Path(__file__).resolve().parents[2] / ".." / "shared" / "tools" / "blocks" / "limits.json"


def plain(words: str) -> Json:
    return {"type": "plain_text", "text": words}


def option(words: str = "o", value: str = "v") -> Json:
    return {"text": plain(words), "value": value}


def menu(kind: str, options: list[Json], **more: Any) -> Json:
    return {"type": kind, "action_id": "m", "options": options, **more}


def complaints(*blocks: Json) -> list[str]:
    try:
        block_kit.check_blocks(list(blocks))
    except ApiRefusal as refusal:
        found = refusal
    else:
        return []
    messages: list[str] = found.answer["response_metadata"]["messages"]
    assert found.error == "invalid_blocks"
    assert [f"[ERROR] {words}" for words in found.answer["errors"]] == messages
    return messages


@pytest.mark.parametrize(
    ("make", "most", "pointer"),
    [
        (lambda n: [section("x" * n)], 3000, "/blocks/0/text/text"),
        (lambda n: [{"type": "section", "fields": [plain("x" * n)]}], 2000, "/blocks/0/fields/0/text"),
        (lambda n: [{"type": "section", "fields": [plain("x")] * n}], 10, "/blocks/0/fields"),
        (lambda n: [{"type": "header", "text": plain("x" * n)}], 150, "/blocks/0/text/text"),
        (lambda n: [actions(button("x" * n, "a"))], 75, "/blocks/0/elements/0/text/text"),
        (lambda n: [actions(button("x", "a", "v" * n))], 2000, "/blocks/0/elements/0/value"),
        (lambda n: [actions(button("x", "a" * n))], 255, "/blocks/0/elements/0/action_id"),
        (lambda n: [actions(*(button("x", f"a{i}") for i in range(n)))], 25, "/blocks/0/elements"),
        (lambda n: [{"type": "context", "elements": [plain("x")] * n}], 10, "/blocks/0/elements"),
        (lambda n: [{"type": "divider", "block_id": "b" * n}], 255, "/blocks/0/block_id"),
        (lambda n: [{"type": "divider"}] * n, 50, "/blocks"),
        (lambda n: [actions(menu("overflow", [option()] * n))], 5, "/blocks/0/elements/0/options"),
        (lambda n: [actions(menu("radio_buttons", [option()] * n))], 10, "/blocks/0/elements/0/options"),
        (lambda n: [actions(menu("static_select", [option()] * n))], 100, "/blocks/0/elements/0/options"),
        (lambda n: [actions(menu("static_select", [option("x" * n)]))], 75, "/blocks/0/elements/0/options/0/text/text"),
        (lambda n: [actions(menu("overflow", [option("x", "v" * n)]))], 150, "/blocks/0/elements/0/options/0/value"),
        (
            lambda n: [actions(menu("static_select", [option()], placeholder=plain("x" * n)))],
            150,
            "/blocks/0/elements/0/placeholder/text",
        ),
        (lambda n: [{"type": "markdown", "text": "x" * n}], 12_000, "/blocks/0/text"),
        (lambda n: [field_of("a", label=plain("x" * n))], 2000, "/blocks/0/label/text"),
        (lambda n: [{"type": "table", "rows": [[plain("x")]] * n}], 100, "/blocks/0/rows"),
        (lambda n: [{"type": "table", "rows": [[plain("x")] * n]}], 20, "/blocks/0/rows"),
    ],
)
def test_a_limit_is_kept_to_the_character(make: Any, most: int, pointer: str) -> None:
    assert complaints(*make(most)) == []
    assert [message for message in complaints(*make(most + 1)) if message.endswith(f"[json-pointer:{pointer}]")]


@pytest.mark.parametrize(
    ("blocks", "complaint"),
    [
        ([{"type": "shout"}], "unsupported type: shout [json-pointer:/blocks/0/type]"),
        ([{"type": "section"}], "missing required field: text [json-pointer:/blocks/0]"),
        ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        ([section("x") | {"text": "bare"}], "must be a valid text object [json-pointer:/blocks/0/text]"),
        ([{"type": "header", "text": section("x")["text"]}], "must be plain_text [json-pointer:/blocks/0/text/type]"),
        ([actions()], "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
        (
            [actions(button("a", "x"), button("b", "x"))],
            "already used [json-pointer:/blocks/0/elements/1/action_id]",
        ),
        ([{"type": "divider", "block_id": "b"}] * 2, "is already used [json-pointer:/blocks/1/block_id]"),
        (
            [{"type": "context", "elements": [button("a", "x")]}],
            "button [json-pointer:/blocks/0/elements/0/type]",
        ),
        ([actions(menu("overflow", []))], "missing required field: options [json-pointer:/blocks/0/elements/0]"),
        ([{"type": "table", "rows": []}] * 2, "only one table is allowed [json-pointer:/blocks]"),
    ],
)
def test_what_cannot_be_shown_is_refused(blocks: list[Json], complaint: str) -> None:
    assert any(words.endswith(complaint) for words in complaints(*blocks)), complaints(*blocks)


def test_all_the_text_of_a_message_together_is_limited() -> None:
    block_kit.check_size([section("x" * 3000)] * 4)
    with pytest.raises(ApiRefusal, match="msg_blocks_too_long"):
        block_kit.check_size([*[section("x" * 3000)] * 4, section("x")])


@pytest.mark.skipif(not LIMITS.exists(), reason="the published limits are not beside this checkout")
def test_the_table_agrees_with_the_published_limits() -> None:
    published = json.loads(LIMITS.read_text())
    names = {"PlainTextOption": "option", "OptionGroup": "option_group", "Confirm": "confirm"}
    compared = 0
    for kind, fields in published.items():
        ours = names.get(kind, kind)
        for name, limit in fields.items():
            if ours in block_kit.TEXTS and name in block_kit.TEXTS[ours] and "maxLength" in limit:
                assert block_kit.TEXTS[ours][name][0] == limit["maxLength"], (kind, name)
                compared += 1
            if ours in block_kit.LISTS and name in block_kit.LISTS[ours] and "maxItems" in limit:
                assert block_kit.LISTS[ours][name] == limit["maxItems"], (kind, name)
                compared += 1
    assert compared >= 20
