"""What hangs below a message is read: what apps attach, and messages that people forward with their files.

The payloads are shaped after public reports, which the comments name.
"""

from typing import Any

import pytest

from bot.slack.messages_in import SlackMessage, parse_message

TS = "1795437300.000002"
FROM = "https://acme.slack.com/archives/C2/p1795437000000100"
Json = dict[str, Any]


def by_app(*attachments: Json, text: str = "", **parts: Any) -> SlackMessage:
    payload = {"ts": TS, "bot_id": "B0OTHER", "text": text, "attachments": list(attachments), **parts}
    return parse_message(payload, "C1", "A1")


def by_person(*attachments: Json, text: str = "", **parts: Any) -> SlackMessage:
    return parse_message({"ts": TS, "user": "U1", "text": text, "attachments": list(attachments), **parts}, "C1", "A1")


def file(name: str) -> Json:
    return {
        "id": f"F{name}",
        "name": name,
        "mimetype": "image/png",
        "size": 70,
        "mode": "hosted",
        "url_private": f"https://files.slack.com/files-pri/T1-F1/{name}",
    }


def forward_message(**parts: Any) -> Json:
    """After ColeMurray/background-agents#1143 and sonichi/sutando#4257."""
    return {
        "id": 1,
        "is_share": True,
        "is_msg_unfurl": True,
        "from_url": FROM,
        "ts": "1795437000.000100",
        "channel_id": "C2",
        "channel_name": "db-alerts",
        "author_id": "U3",
        "author_name": "Chandra Demo",
        "author_subname": "chandra",
        "author_link": "https://acme.slack.com/team/U3",
        "color": "D0D0D0",
        "footer": "Posted in #db-alerts",
        "mrkdwn_in": ["text"],
        "fallback": "[November 23rd, 2026 4:30 AM] chandra: primary is at 100% iowait since 14:05",
        "text": "primary is at 100% iowait since 14:05",
        **parts,
    }


GRAFANA = {  # turt2live/matrix-appservice-webhooks#26
    "color": "#D63232",
    "fallback": "[Alerting] Test notification",
    "fields": [
        {"short": True, "title": "High value", "value": 100},
        {"short": True, "title": "Higher Value", "value": 200},
        {"short": False, "title": "Error message", "value": "This is only a test"},
    ],
    "footer": "Grafana v4.4.1",
    "footer_icon": "https://grafana.example/fav32.png",
    "image_url": "https://grafana.example/mixed_styles.png",
    "text": " Someone is testing the alert notification within grafana.",
    "title": "[Alerting] Test notification",
    "title_link": "https://grafana.example/",
    "ts": 1505222577,
}


def test_an_alert_is_read_with_all_of_its_fields() -> None:
    assert by_app(GRAFANA).text.split("\n") == [
        "[Alerting] Test notification",
        "Someone is testing the alert notification within grafana.",
        "High value: 100",
        "Higher Value: 200",
        "Error message: This is only a test",
        "Grafana v4.4.1",
    ]


def test_an_attachment_of_nothing_but_fields_has_words() -> None:  # YelpArchive/elastalert#1053
    fields = [{"title": "Service", "value": "disk"}, {"title": "State:", "value": "CRITICAL"}, {"value": "db-1"}]
    assert by_app({"color": "danger", "fields": fields}).text == "Service: disk\nState: CRITICAL\ndb-1"


def test_the_parts_of_an_attachment_are_read_in_the_order_in_which_they_are_shown() -> None:
    attachment = {  # the example of Slack's own reference, with words of this house
        "mrkdwn_in": ["text"],
        "pretext": "Optional pretext",
        "author_name": "Sentry",
        "author_link": "https://s.example",
        "title": "ValueError in checkout",
        "title_link": "https://s.example/1",
        "text": "at line *3*",
        "fields": [{"title": "Level", "value": "error", "short": True}],
        "thumb_url": "https://s.example/1.png",
        "footer": "acme/checkout",
        "ts": 123456789,
        "actions": [{"type": "button", "text": "Resolve", "name": "resolve"}],
    }
    assert by_app(attachment, text="New issue").text.split("\n") == [
        *("New issue", "Optional pretext", "Sentry", "ValueError in checkout", "at line *3*", "Level: error"),
        "acme/checkout",
    ]


def test_below_blocks_the_attachments_are_shown_too() -> None:  # getsentry/sentry#114212
    header = {"type": "header", "text": {"type": "plain_text", "text": "HighErrorRate"}}
    message = by_app({"text": "5xx at 7 %", "fallback": "5xx"}, text="New alert", blocks=[header])
    assert message.text == "HighErrorRate\n5xx at 7 %"


@pytest.mark.parametrize(
    ("attachment", "words"),
    [
        ({"fallback": "only this"}, "only this"),
        ({"fallback": "[no preview available]"}, ""),
        ({"fallback": "[no preview available]", "image_url": "https://g.example/a.png"}, "<https://g.example/a.png>"),
        ({"fallback": "[fallback]", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "a"}}]}, "a"),
        ({"fallback": "a hologram", "blocks": [{"type": "hologram", "id": "X"}]}, "a hologram"),
        ({"title": "A", "fields": "[{}]"}, "A"),
        ({"title": None, "text": None, "fields": None, "blocks": None, "fallback": None}, ""),
    ],
)
def test_the_fallback_is_read_only_where_nothing_else_is_there(attachment: Json, words: str) -> None:
    assert by_app(attachment).text == words


def test_what_is_forwarded_is_read_with_who_said_it_and_the_words_beside_it() -> (
    None
):  # NousResearch/hermes-agent#96384
    message = by_person(forward_message(files=[file("iowait.png")]), text="deal with this")
    assert message.text == "deal with this\nChandra Demo: primary is at 100% iowait since 14:05"
    assert [each.name for each in message.files] == ["iowait.png"]


def test_what_is_forwarded_without_a_word_is_read() -> None:
    assert by_person(forward_message()).text == "Chandra Demo: primary is at 100% iowait since 14:05"


def test_a_file_that_is_forwarded_hangs_on_the_message() -> None:  # NousResearch/hermes-agent#75481
    alone = forward_message(text="", fallback="[no preview available]", files=[file("iowait.png")])
    assert (by_person(alone).text, [each.name for each in by_person(alone).files]) == ("", ["iowait.png"])
    assert by_person(alone, text="deal with this").text == "deal with this\nChandra Demo: iowait.png"


def test_files_of_both_are_kept_each_once() -> None:
    message = by_person(
        forward_message(files=[file("a.png"), file("b.png")]), text="see", files=[file("c.png"), file("a.png")]
    )
    assert [each.name for each in message.files] == ["c.png", "a.png", "b.png"]


def test_a_forwarded_message_of_an_app_is_read_as_it_is_shown() -> None:  # slackapi/java-slack-sdk#1179
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "HighErrorRate on checkout"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "5xx above *5 %*"}},
    ]
    message = {"team": "T1", "channel": "C2", "ts": "1795437000.000100", "message": {"blocks": blocks}}
    attachment = forward_message(
        text="New alert", author_name="Alertmanager", author_id=None, bot_id="B2", message_blocks=[message]
    )
    assert by_person(attachment, text="look").text == ("look\nAlertmanager: HighErrorRate on checkout\n5xx above *5 %*")


def test_a_forwarded_alert_is_read_with_its_fields_and_what_hung_below_it() -> None:
    message = {"message": {"blocks": [], "attachments": [GRAFANA]}}
    parsed = by_person(forward_message(text="", fallback="", author_name="Grafana", message_blocks=[message]))
    assert parsed.text.startswith("Grafana: [Alerting] Test notification\n")
    assert "Error message: This is only a test" in parsed.text


def test_a_forwarded_message_that_forwards_another_is_read_whole() -> None:  # langchain-ai/open-swe#1835
    inner = forward_message(author_name="Bo Demo", text="disk is full", files=[file("disk.png")])
    message = by_person(forward_message(text="see below", attachments=[inner]), text="fyi")
    assert message.text == "fyi\nChandra Demo: see below\nBo Demo: disk is full"
    assert [each.name for each in message.files] == ["disk.png"]


def test_a_forwarded_message_that_may_not_be_read_leaves_the_way_to_it() -> None:
    assert by_person(forward_message(text="", fallback="[no preview available]")).text == f"Chandra Demo: <{FROM}>"


def test_an_author_without_a_name_is_mentioned() -> None:
    assert by_person(forward_message(author_name="", author_subname="")).text.startswith("<@U3>: primary")


def test_the_preview_of_a_link_is_no_words_of_who_pasted_it() -> None:
    preview = forward_message(is_share=None, from_url=f"{FROM}?thread_ts=1&cid=C2", files=[file("a.png")])
    message = by_person(preview, text=f"same as <{FROM}?thread_ts=1&amp;cid=C2>")
    assert (message.text, message.files) == (f"same as <{FROM}?thread_ts=1&amp;cid=C2>", ())
    page = {"from_url": "https://a.example", "service_name": "A", "title": "A page", "text": "about"}
    assert by_person(page, text="see <https://a.example>").text == "see <https://a.example>"


def test_a_message_that_no_link_leads_to_was_forwarded() -> None:
    """Old clients forwarded without saying so."""
    assert by_person(forward_message(is_share=None), text="look").text.startswith("look\nChandra Demo: primary")
