"""Names that are stored: in databases, and in Slack's messages. A rename in the code must not change one of them.

`tests/data/stored_names.json` lists them all. A new one is added there by hand; none is taken off, or changed.
"""

import ast
import json
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import handlers
from bot.domain.alerts.groups import AlertStatus, GroupState
from bot.domain.facets import FacetKind
from bot.domain.readers import SignInOutcome
from bot.domain.records import (
    ActionKind,
    ActionStatus,
    AttachmentState,
    EditOrigin,
    EntryKind,
    Milestone,
    PostmortemStatus,
    Status,
)
from bot.domain.reminders import ReminderKind, ReminderState
from bot.domain.review import Verdict
from bot.domain.secrets import RecordKind
from bot.slack.views.blocks import MORE
from storage.queues import DeliveryKind, DeliveryState, ScanState, SyncState
from tests.support.house_offenders import modules, tree

LISTED: dict[str, list[str]] = json.loads(
    (Path(__file__).resolve().parents[1] / "data" / "stored_names.json").read_text(encoding="utf-8")
)
WORDS: dict[str, type[StrEnum]] = {
    "action kinds": ActionKind,
    "action states": ActionStatus,
    "alert group states": GroupState,
    "alert states": AlertStatus,
    "attachment states": AttachmentState,
    "delivery kinds": DeliveryKind,
    "delivery states": DeliveryState,
    "entry kinds": EntryKind,
    "facet kinds": FacetKind,
    "history scan states": ScanState,
    "incident states": Status,
    "kinds of records": RecordKind,
    "milestones": Milestone,
    "origins of edits": EditOrigin,
    "postmortem states": PostmortemStatus,
    "reminder kinds": ReminderKind,
    "reminder states": ReminderState,
    "review verdicts": Verdict,
    "sign-in outcomes": SignInOutcome,
    "sync states": SyncState,
}


def listened_names(*kinds: str) -> list[str]:
    """The names that the handlers of these kinds listen to. A pattern is listed as it is written."""
    keys: Iterator[Any] = (key for table in handlers.TABLES for kind in kinds for key in getattr(table, kind))
    return sorted({getattr(key, "pattern", key) for key in keys})


def test_ids_in_slack_s_messages_are_what_they_were() -> None:
    assert {
        "action ids": sorted([MORE, *listened_names("clicks", "forms")]),
        "callback ids": listened_names("submissions"),
        "commands": listened_names("commands"),
        "shortcuts": listened_names("shortcuts", "shortcut_forms"),
    } == {name: LISTED[name] for name in ("action ids", "callback ids", "commands", "shortcuts")}


def test_words_in_the_database_are_what_they_were() -> None:
    assert {name: sorted(words) for name, words in WORDS.items()} == {name: LISTED[name] for name in WORDS}


def test_verbs_of_the_audit_are_what_they_were() -> None:
    calls = (node for name in modules("bot", "handlers") for node in ast.walk(tree(name)) if isinstance(node, ast.Call))
    assert sorted({verb for call in calls for verb in verbs(call)}) == LISTED["verbs of the audit"]


def verbs(call: ast.Call) -> Iterator[str]:
    """The verbs that a call names: `verb="noun.verb"`, or an argument of what writes a line by itself."""
    nodes = [keyword.value for keyword in call.keywords if keyword.arg == "verb"]
    if isinstance(call.func, ast.Attribute) and call.func.attr == "add_lines":
        nodes += call.args
    for each in (each for node in nodes for each in ast.walk(node) if isinstance(each, ast.Constant)):
        if isinstance(each.value, str) and re.fullmatch(r"[a-z_]+\.[a-z_]+", each.value):
            yield each.value
