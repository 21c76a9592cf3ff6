"""A message is read whatever it is made of: text, blocks, attachments, files."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.slack.messages_in import SlackMessage, parse_message, parse_ts

TS = "1795437300.000002"


def message(**parts: Any) -> SlackMessage:
    return parse_message({"ts": TS, "user": "U1", **parts}, "C1", "A1")


def rich(*pieces: dict[str, Any], kind: str = "rich_text_section") -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(pieces)}]}


def test_a_time_stamp_is_the_moment_to_the_microsecond() -> None:
    assert parse_ts(TS) == datetime(2026, 11, 23, 12, 35, 0, 2, tzinfo=UTC)
    assert parse_ts("1795437300") == datetime(2026, 11, 23, 12, 35, tzinfo=UTC)
    with pytest.raises(ValueError, match="invalid literal"):
        parse_ts("yesterday")


@given(some.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - made aware below
def test_every_time_stamp_is_read_without_rounding(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    whole = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)
    assert parse_ts(f"{whole // 1_000_000}.{whole % 1_000_000:06d}") == moment


def test_the_text_stands_for_its_own_blocks() -> None:
    assert (
        message(text="hello &amp; <@U2>", blocks=[rich({"type": "text", "text": "other"})]).text == "hello &amp; <@U2>"
    )


def test_a_message_of_blocks_alone_is_read_from_them() -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "A & B"}},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*down* &amp; out"},
            "fields": [{"text": "since 14:05"}],
        },
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "eu"}, {"type": "image", "image_url": "x"}]},
        {"type": "divider"},
        {"type": "markdown", "text": "a < b"},
        rich(
            {"type": "text", "text": "<raw> "},
            {"type": "user", "user_id": "U2"},
            {"type": "channel", "channel_id": "C2"},
            {"type": "link", "url": "https://a.example", "text": "a"},
            {"type": "link", "url": "https://b.example"},
            {"type": "emoji", "name": "fire"},
            {"type": "usergroup", "usergroup_id": "S1"},
            {"type": "broadcast", "range": "here"},
            {"type": "date", "timestamp": 1, "fallback": "noon"},
        ),
        rich(
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "one"}]},
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "two"}]},
            kind="rich_text_list",
        ),
    ]
    assert message(text="", blocks=blocks).text.split("\n") == [
        "A &amp; B",
        "*down* &amp; out",
        "since 14:05",
        "eu",
        "a &lt; b",
        "&lt;raw&gt; <@U2><#C2><https://a.example|a><https://b.example>:fire:<!subteam^S1><!here>noon",
        "one",
        "two",
    ]


def test_what_a_link_unfolds_to_is_no_words_of_the_person() -> None:
    unfolded = [{"from_url": "https://a.example", "title": "A page", "text": "about"}]
    assert message(text="see <https://a.example>", attachments=unfolded).text == "see <https://a.example>"


def test_a_message_that_was_passed_on_without_a_word_is_what_was_passed_on() -> None:
    assert message(text="", attachments=[{"is_msg_unfurl": True, "text": "it is down"}]).text == "it is down"


def test_a_bot_says_its_attachments_too() -> None:
    result = message(
        user=None,
        bot_id="B1",
        username="Alertmanager",
        text="FIRING",
        attachments=[
            {"title": "HighErrorRate", "text": "5xx > 5 %"},
            {"fallback": "only this"},
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "in blocks"}}]},
            {"from_url": "https://a.example", "text": "unfolded"},
        ],
    )
    assert result.text == "FIRING\nHighErrorRate\n5xx > 5 %\nonly this\nin blocks"
    assert (result.author, result.bot_name) == ("B1", "Alertmanager")


@pytest.mark.parametrize(
    ("parts", "name"),
    [({"bot_profile": {"name": "Grafana"}}, "Grafana"), ({"username": "A", "bot_profile": {}}, "A"), ({}, "B1")],
)
def test_a_bot_is_named_as_it_names_itself(parts: dict[str, Any], name: str) -> None:
    assert message(bot_id="B1", **parts).bot_name == name


def test_only_files_that_are_there_hang_on_a_message() -> None:
    files = [
        {"name": "a.png", "mimetype": "image/png", "size": 3, "url_private": "https://files.slack.com/a"},
        {"name": "b.png", "mode": "tombstone"},
        {"title": "c", "url_private_download": "https://files.slack.com/c/download", "url_private": "x", "size": None},
        {"name": "d", "mode": "hidden_by_limit", "url_private": "https://files.slack.com/d"},
    ]
    assert [(file.name, file.size, file.address) for file in message(text="", files=files).files] == [
        ("a.png", 3, "https://files.slack.com/a"),
        ("c", 0, "https://files.slack.com/c/download"),
    ]


def test_the_bot_knows_its_own_messages() -> None:
    assert message(app_id="A1").is_ours
    assert not message(app_id="A2").is_ours
    assert not parse_message({"ts": TS, "user": "U1"}, "C1", "").is_ours
