"""Whatever stands in a message, reading it never raises, and costs no more than its size."""

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.slack.message_text import _KINDS, _PIECES
from bot.slack.messages_in import parse_message
from bot.slack.mrkdwn import to_plain_text

KINDS = [*_KINDS, *_PIECES, "button", "static_select", "hologram", "text", "", "message"]
NAMES = [
    *("type", "text", "blocks", "attachments", "elements", "fields", "title", "value", "files", "rows", "accessory"),
    *("ts", "thread_ts", "user", "bot_id", "bot_profile", "user_profile", "name", "username", "subtype", "app_id"),
    *("alt_text", "child_blocks", "rich_text_title", "caption", "chart", "series", "data", "segments", "label"),
    *("is_share", "is_msg_unfurl", "from_url", "message_blocks", "message", "author_name", "author_id", "fallback"),
    *("size", "mode", "url_private", "mimetype", "timestamp", "style", "offset", "footer", "tasks", "details", "url"),
]
WORDS = some.sampled_from(["", "down", "<@U1>", "&lt;", "https://a.example", "1795437300.000002", "B1", "\ud800\x00"])
LEAVES = some.none() | some.booleans() | some.integers() | some.floats() | WORDS | some.text(max_size=8)
JSON = some.recursive(
    LEAVES,
    lambda inner: (
        some.lists(inner, max_size=4)
        | some.dictionaries(some.sampled_from(NAMES), inner, max_size=6)
        | some.builds(
            lambda kind, rest: {**rest, "type": kind},
            some.sampled_from(KINDS),
            some.dictionaries(some.sampled_from(NAMES), inner, max_size=5),
        )
    ),
    max_leaves=40,
)


@given(some.dictionaries(some.sampled_from(NAMES), JSON, max_size=10))
def test_whatever_stands_in_a_message_reading_it_never_raises(payload: dict[str, Any]) -> None:
    message = parse_message(payload, "C1", "A1")
    assert isinstance(to_plain_text(message.text, str.lower), str)
    if message.ts:
        assert message.at.year >= 1970
    assert all(file.size >= 0 and file.address for file in message.files)


@pytest.mark.parametrize("name", ["blocks", "attachments", "elements", "message_blocks", "child_blocks", "text"])
def test_however_deep_a_message_is_reading_it_never_raises(name: str) -> None:
    payload: Any = {"type": "mrkdwn", "text": "down"}
    for _ in range(5_000):
        payload = {"type": "container", "is_share": True, name: [payload], "message": payload}
    parse_message(
        {"ts": "1795437300.000002", "bot_id": "B1", "blocks": [payload], "attachments": [payload]}, "C1", "A1"
    )


def steps(payload: dict[str, Any]) -> int:
    """How many functions reading it calls, those of C among them."""
    count = 0

    def count_call(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count_call)
    try:
        parse_message(payload, "C1", "A1")
    finally:
        sys.setprofile(before)
    return count


def many(kind: str, size: int) -> dict[str, Any]:
    mrkdwn = {"type": "mrkdwn", "text": "down since <https://a.example>"}
    share = {"is_msg_unfurl": True, "from_url": "https://b.example", "text": "down", "author_name": "Ana"}
    file = {"name": "a", "url_private": "https://files.slack.com/a"}
    message: dict[str, Any] = {"ts": "1795437300.000002", "bot_id": "B1", "text": "New alert"}
    kinds: dict[str, dict[str, Any]] = {
        "sections": {"blocks": [{"type": "section", "text": mrkdwn, "fields": [mrkdwn]}] * size},
        "fields": {"attachments": [{"fields": [{"title": "a", "value": "b"}] * size}]},
        "shares": {"attachments": [share] * size, "text": "https://c.example " * size},
        "rows": {"blocks": [{"type": "table", "rows": [[mrkdwn, mrkdwn]] * size}]},
        "unknown": {"blocks": [{"type": "hologram", "parts": [{"a": {"b": {"text": "down"}}}] * size}]},
        "files": {"files": [{**file, "url_private": f"https://files.slack.com/{n}"} for n in range(size)]},
    }
    return message | kinds[kind]


@pytest.mark.parametrize("kind", ["sections", "fields", "shares", "rows", "unknown", "files"])
def test_reading_a_message_costs_no_more_than_its_size(kind: str) -> None:
    small, large = steps(many(kind, 200)), steps(many(kind, 2_000))
    assert large < 11 * small
