"""Of an app's message the words are read that Slack shows: its blocks, and not what its notification says.

The shapes are those of Slack's reference of Block Kit; the reports name who met them.
"""

from typing import Any

import pytest

from bot.slack.messages_in import SlackMessage, parse_message
from tests.support.slack.block_samples import SHOWN, Json, items, plain, rich, section

TS = "1795437300.000002"


def by_app(text: str, *blocks: Json, **parts: Any) -> SlackMessage:
    return parse_message({"ts": TS, "bot_id": "B0OTHER", "text": text, "blocks": list(blocks), **parts}, "C1", "A1")


def by_person(text: str, *blocks: Json, **parts: Any) -> SlackMessage:
    return parse_message({"ts": TS, "user": "U1", "text": text, "blocks": list(blocks), **parts}, "C1", "A1")


def test_what_an_app_shows_is_read_and_not_its_notification() -> None:  # PostHog/posthog#99564
    header = {"type": "header", "text": plain("HighErrorRate on checkout")}
    message = by_app("New alert", header, section("5xx above 5 % since 14:05"))
    assert message.text == "HighErrorRate on checkout\n5xx above 5 % since 14:05"


def test_what_slack_puts_where_there_are_no_words_is_not_recorded() -> None:  # guidone/node-red-contrib-chatbot#561
    blocks = (
        section(" "),
        {"type": "header", "text": plain("This is a test message")},
        section(
            "A test", accessory={"type": "image", "image_url": "https://a.example/546.png", "alt_text": "red light"}
        ),
    )
    assert by_app("This content can't be displayed.", *blocks).text == "This is a test message\nA test\nred light"
    assert by_app("This content can't be displayed.").text == ""
    assert by_person("This content can't be displayed.").text == "This content can't be displayed."  # it was typed
    assert by_app("[no preview available]", {"type": "divider"}).text == ""


def test_the_notification_is_read_where_the_blocks_show_no_words() -> None:
    button = {"type": "button", "action_id": "ack", "text": plain("Acknowledge"), "value": "42"}
    assert by_app("Disk is full on db-1", {"type": "actions", "elements": [button]}).text == "Disk is full on db-1"
    assert by_app("Disk is full on db-1", {"type": "divider"}).text == "Disk is full on db-1"


def test_buttons_and_menus_are_no_words_of_a_message() -> None:
    menu = {"type": "static_select", "placeholder": plain("Pick"), "action_id": "a", "options": []}
    blocks = (
        section("Down", accessory={"type": "button", "action_id": "x", "text": plain("Snooze")}),
        {"type": "actions", "elements": [menu]},
        {
            "type": "context_actions",
            "elements": [{"type": "feedback_buttons", "positive_button": {"text": plain("+1")}}],
        },
    )
    assert by_app("New alert", *blocks).text == "Down"


def test_a_text_that_says_the_same_as_the_blocks_is_kept_with_its_marks() -> None:
    # Slack makes blocks of its own of an app's text, without the marks.
    assert by_app("*Deploy* of `api` failed", rich("Deploy of api failed")).text == "*Deploy* of `api` failed"
    assert by_app("• one\n• two", items("bullet", "one", "two")).text == "• one\n• two"
    assert by_app("5 &lt; 6", rich("5 < 6")).text == "5 &lt; 6"
    assert by_app("5 &lt; 6", rich("5 > 6")).text == "5 &gt; 6"


def test_words_that_slack_escapes_are_read_like_those_that_it_does_not() -> None:  # slackapi/bolt-python#513
    assert by_app("x", {"type": "header", "text": plain("R&amp;D &lt;1 s")}).text == "R&amp;D &lt;1 s"
    assert by_app("x", {"type": "header", "text": plain("R&D <1 s")}).text == "R&amp;D &lt;1 s"
    assert by_app("x", {"type": "header", "text": plain("<!channel> <@U2>")}).text == "&lt;!channel&gt; &lt;@U2&gt;"


@pytest.mark.parametrize(("block", "words"), [row[1:] for row in SHOWN], ids=[row[0] for row in SHOWN])
def test_each_kind_of_block_is_read_as_it_is_shown(block: Json, words: str) -> None:
    assert by_app("New alert", block).text == words


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        ({"type": "team", "team_id": "T1"}, "T1"),
        ({"type": "color", "value": "#FF0000"}, "#FF0000"),
        ({"type": "date", "timestamp": 1795437300, "format": "{date_num}"}, "2026-11-23 12:35 UTC"),
        ({"type": "date", "timestamp": 1795437300, "fallback": "noon"}, "noon"),
        ({"type": "link", "url": "https://a.example/?q=<x>|y"}, "<https://a.example/?q=%3Cx%3E%7Cy>"),
        ({"type": "workflow_mention", "workflow_id": "W1", "title": "Page someone"}, "Page someone"),
        ({"type": "user"}, ""),
        ({"type": "emoji", "name": None}, ""),
    ],
)
def test_pieces_of_rich_text_are_read(piece: Json, words: str) -> None:
    block = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [piece]}]}
    assert parse_message({"ts": TS, "user": "U1", "text": "", "blocks": [block]}, "C1", "A1").text == words


def test_a_kind_that_is_not_known_gives_what_looks_like_words() -> None:
    new = {
        "type": "status_board",
        "block_id": "b9",
        "heading": plain("Checkout"),
        "tiles": [
            {"type": "tile", "label": "p99", "value": "4 s", "style": "danger"},
            {"type": "tile", "label": "5xx", "value": 12},
            {"type": "button", "action_id": "a", "text": plain("More")},
        ],
    }
    assert by_app("New alert", new).text == "Checkout\np99\n4 s\n5xx\n12"


def test_the_notification_stands_in_for_what_could_not_be_read() -> None:
    new = {"type": "hologram", "blob": {"id": "X1"}}
    assert by_app("Deploy 42 failed", section("Deploy"), new).text == "Deploy\nDeploy 42 failed"
    assert by_app("Deploy 42 failed", new).text == "Deploy 42 failed"
    assert by_app("Deploy 42 failed", {"type": "container", "title": plain("A"), "child_blocks": [new]}).text == (
        "A\nDeploy 42 failed"
    )


def test_a_table_that_a_person_pasted_is_read_with_their_words() -> None:  # vercel/chat#803, openclaw/openclaw#22452
    cells = [{"type": "raw_text", "text": "Item A"}, {"type": "raw_text", "text": "1,200"}]
    table = {"type": "table", "rows": [cells]}
    attached = [{"id": 1, "blocks": [table], "fallback": "[no preview available]"}]
    typed = rich("which of these is down?")
    assert by_person("which of these is down?", typed, attachments=attached).text == (
        "which of these is down?\nItem A · 1,200"
    )
    assert by_person("which of these is down?", typed, table).text == "which of these is down?\nItem A · 1,200"


def test_what_a_person_typed_is_read_as_slack_writes_it() -> None:
    assert by_person("`rm -rf` &amp; <@U2>", rich("rm -rf & ana")).text == "`rm -rf` &amp; <@U2>"
