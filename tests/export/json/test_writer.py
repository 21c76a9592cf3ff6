import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Attachment, AttachmentState, Case
from bot.domain.sections import SECTIONS
from bot.export import Exporter
from bot.export.json import convert_document, write_json
from tests.export.test_hostile import everywhere
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, at, case, entry, incident

EXPORTER = Exporter()


def export_case(about: Case) -> Any:
    return json.loads(EXPORTER.render(postmortem_rules.compile_document(about, NOW), "json"))


def test_the_incident_is_told_with_its_milestones_and_people() -> None:
    record = export_case(FULL)["incident"]
    assert (record["key"], record["title"], record["severity"], record["status"]) == (
        "INC-7", "Checkout returns 503s", "sev2", "resolved",
    )  # fmt: skip
    assert record["milestones"] == {
        "impact_started": "2026-11-23T13:58:00Z",
        "detected": "2026-11-23T14:05:00Z",
        "acknowledged": "2026-11-23T14:09:00Z",
        "mitigated": "2026-11-23T14:41:00Z",
        "resolved": "2026-11-23T15:10:00Z",
    }
    assert {person["name"] for person in record["people"]} == {"Ana Costa", "Ben Okafor", "Chloé Martin"}
    assert record["lead"] == {"id": "U1", "name": "Ana Costa"}
    assert record["postmortem"]["owner"]["name"] == "Ben Okafor"
    assert (record["opened_at"], record["resolved_at"]) == ("2026-11-23T14:07:00Z", "2026-11-23T15:10:00Z")


def test_a_line_of_the_timeline_tells_all_that_was_recorded() -> None:
    about = case(entries=(entry(3, at(14, 5) + timedelta(microseconds=5), recorder="U2", ended_at=at(14, 9)),))
    assert export_case(about)["timeline"] == [
        {
            "number": 3,
            "happened_at": "2026-11-23T14:05:00.000005Z",
            "ended_at": "2026-11-23T14:09:00Z",
            "approximate": False,
            "text": "failed over to replica",
            "milestone": None,
            "counts": None,
            "kind": "note",
            "author": "Ana Costa",
            "author_id": "U1",
            "recorder": "Ben Okafor",
            "recorder_id": "U2",
            "recorded_at": "2026-11-23T14:07:00.000005Z",
            "permalink": None,
            "message": None,
            "message_since": None,
            "files": [],
            "versions": [],
        }
    ]


def test_each_why_is_followed_by_those_that_explain_it_and_names_its_parent() -> None:
    whys = export_case(FULL)["whys"]
    assert [(why["number"], why["parent"], why["root"]) for why in whys] == [
        (1, None, False), (2, 1, False), (3, 2, False), (5, 3, True), (4, 2, False),
    ]  # fmt: skip


def test_every_section_is_there_and_null_where_nobody_wrote() -> None:
    sections = export_case(FULL)["sections"]
    assert list(sections) == [section.slug for section in SECTIONS]
    assert sections["summary"]["text"].startswith("Checkout failed for 43 minutes.\nThe EU")
    assert (sections["fault"]["text"], sections["fault"]["author"]) == (None, None)


def test_actions_say_who_when_and_what_became_of_them() -> None:
    first, second, *_, last = export_case(FULL)["actions"]
    assert (first["owner"], first["due"], first["status"], first["overdue"]) == (
        {"id": "U1", "name": "Ana Costa"}, "2026-11-27", "open", True,
    )  # fmt: skip
    assert (second["owner"], second["due"], second["overdue"], second["link"]) == (None, None, False, None)
    assert (last["status"], last["reason"]) == ("dropped", "too large")


def test_metrics_are_seconds_or_null() -> None:
    assert export_case(FULL)["metrics"] == {
        "time_to_detect": 420,
        "time_to_acknowledge": 240,
        "time_to_mitigate": 2580,
        "time_to_resolve": 4320,
        "postmortem_age": 507_000,
    }
    assert set(export_case(NOTHING_KNOWN)["metrics"].values()) == {None}


def test_texts_survive_in_any_script() -> None:
    assert export_case(case(about=incident(title='“ü” \\ "é" 漢 🚒')))["incident"]["title"] == '“ü” \\ "é" 漢 🚒'


@pytest.mark.parametrize("about", [FULL, NOTHING_KNOWN, everywhere('x\n  "timeline": []'), everywhere("`a`\t\u2028")])
def test_it_is_written_as_any_encoder_would(about: Case) -> None:
    files = tuple(
        Attachment(1, one.id, "a.png", "image/png", 3, "", AttachmentState.STORED, "", b"abc")
        for one in about.entries[:1]
    )
    document = postmortem_rules.compile_document(replace(about, attachments=files), NOW)
    whole = json.dumps(convert_document(document), ensure_ascii=False, indent=2)
    assert write_json(document).decode() == f"{whole}\n"
