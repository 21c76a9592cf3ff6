"""Blocks of every kind in the shapes of Slack's reference, and the words that Slack shows of them."""

from typing import Any

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": True}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text, "verbatim": False}


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "block_id": "b1", "text": mrkdwn(text), **more}


def rich(*texts: str, kind: str = "rich_text_section", **more: Any) -> Json:
    elements = [{"type": "text", "text": text} for text in texts]
    return {"type": "rich_text", "elements": [{"type": kind, "elements": elements, **more}]}


def items(style: str, *texts: str, **more: Any) -> Json:
    sections = [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]} for text in texts]
    return {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": style, "elements": sections, **more}]}


SHOWN: list[tuple[str, Json, str]] = [
    (
        "fields",
        {"type": "section", "fields": [mrkdwn("*State*\nfiring"), plain("eu & us")]},
        "*State*\nfiring\neu &amp; us",
    ),
    (
        "context",
        {"type": "context", "elements": [{"type": "image", "image_url": "i", "alt_text": "sev 1"}, mrkdwn("by *Bo*")]},
        "sev 1\nby *Bo*",
    ),
    (
        "image",
        {"type": "image", "image_url": "i", "title": plain("p99 by region"), "alt_text": "eu is at 4 s"},
        "p99 by region\neu is at 4 s",
    ),
    ("image with its title as alt text", {"type": "image", "title": plain("p99"), "alt_text": "p99"}, "p99"),
    ("markdown", {"type": "markdown", "text": "**Down** since <14:05>"}, "**Down** since &lt;14:05&gt;"),
    (
        "table",
        {
            "type": "table",
            "column_settings": [{"is_wrapped": True}, None],
            "rows": [
                [{"type": "raw_text", "text": "Region"}, {"type": "raw_text", "text": "State"}],
                [
                    rich("eu-1"),
                    {
                        "type": "rich_text",
                        "elements": [
                            {
                                "type": "rich_text_section",
                                "elements": [{"type": "link", "url": "https://a.example", "text": "down"}],
                            }
                        ],
                    },
                ],
                [{"type": "raw_text", "text": "us-1"}, {"type": "raw_text", "text": ""}],
            ],
        },
        "Region · State\neu-1 · <https://a.example|down>\nus-1",
    ),
    (
        "data table",
        {
            "type": "data_table",
            "caption": "Errors by region",
            "rows": [
                [{"type": "raw_text", "text": "Region"}, {"type": "raw_text", "text": "5xx"}],
                [{"type": "raw_text", "text": "eu-1"}, {"type": "raw_number", "value": 412, "text": "412"}],
                [{"type": "raw_text", "text": "us-1"}, {"type": "raw_number", "value": 3}],
            ],
            "page_size": 5,
        },
        "Errors by region\nRegion · 5xx\neu-1 · 412\nus-1 · 3",
    ),
    (
        "video",
        {
            "type": "video",
            "title": plain("How to fail over"),
            "title_url": "https://v.example",
            "description": plain("Step by step"),
            "video_url": "https://v.example/1",
            "thumbnail_url": "https://v.example/1.png",
            "alt_text": "A recording of the drill",
            "author_name": "Bo",
            "provider_name": "Loom",
        },
        "How to fail over\nBo\nLoom\nStep by step\nA recording of the drill",
    ),
    ("alert", {"type": "alert", "text": mrkdwn("*Writes fail*"), "level": "error"}, "*Writes fail*"),
    (
        "card",
        {
            "type": "card",
            "slack_icon": {"type": "icon", "name": "rocket"},
            "icon": {"type": "image", "image_url": "i", "alt_text": "Icon"},
            "title": mrkdwn("Deploy 42"),
            "subtitle": mrkdwn("eu-1"),
            "hero_image": {"type": "image", "image_url": "i", "alt_text": "a red graph"},
            "body": mrkdwn("*failed*"),
            "actions": [{"type": "button", "action_id": "b", "text": plain("Roll back")}],
        },
        "a red graph\nDeploy 42\neu-1\n*failed*",
    ),
    (
        "carousel",
        {
            "type": "carousel",
            "elements": [{"type": "card", "title": mrkdwn("one")}, {"type": "card", "body": mrkdwn("two")}],
        },
        "one\ntwo",
    ),
    (
        "container",
        {
            "type": "container",
            "title": plain("Bulk update"),
            "subtitle": mrkdwn("2 records"),
            "child_blocks": [
                section("*DB-1*\nOpen"),
                {"type": "divider"},
                {"type": "context", "elements": [plain("eu")]},
            ],
        },
        "Bulk update\n2 records\n*DB-1*\nOpen\neu",
    ),
    (
        "container with a rich title",
        {"type": "container", "rich_text_title": rich("A"), "title": plain("B"), "child_blocks": []},
        "A",
    ),
    (
        "plan",
        {
            "type": "plan",
            "title": "Failing over",
            "tasks": [
                {
                    "type": "task_card",
                    "task_id": "t1",
                    "title": "Promote replica",
                    "status": "complete",
                    "details": rich("lag is 0"),
                    "output": rich("promoted"),
                    "sources": [{"type": "url", "url": "https://r.example", "text": "runbook"}],
                }
            ],
        },
        "Failing over\nPromote replica\nlag is 0\npromoted\n<https://r.example|runbook>",
    ),
    (
        "pie chart",
        {
            "type": "data_visualization",
            "title": "Errors",
            "chart": {"type": "pie", "segments": [{"label": "eu", "value": 45}]},
        },
        "Errors\neu 45",
    ),
    (
        "bar chart",
        {
            "type": "data_visualization",
            "title": "Errors",
            "chart": {
                "type": "bar",
                "series": [{"name": "5xx", "data": [{"label": "Mon", "value": 3}, {"label": "Tue", "value": 9.5}]}],
                "axis_config": {"categories": ["Mon", "Tue"], "x_label": "Day", "y_label": "Count"},
            },
        },
        "Errors\n5xx: Mon 3, Tue 9.5\nDay\nCount",
    ),
    (
        "input",
        {"type": "input", "label": plain("Reason"), "element": {"type": "plain_text_input", "action_id": "r"}},
        "Reason",
    ),
    ("call", {"type": "call", "call_id": "R1", "call": {"v1": {"id": "R1", "name": "War room"}}}, "War room"),
    (
        "file",
        {"type": "file", "source": "remote", "external_id": "A", "file": {"title": "Runbook", "id": "F1"}},
        "Runbook",
    ),
    ("ordered list", items("ordered", "stop", "start", offset=2), "3. stop\n4. start"),
    ("preformatted", rich("exit 1", kind="rich_text_preformatted"), "exit 1"),
    ("quote", rich("it hurts", kind="rich_text_quote"), "it hurts"),
]
