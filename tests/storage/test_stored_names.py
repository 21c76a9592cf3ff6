"""Names that are stored: in databases, and in Slack's messages. A rename in the code must not change one of them.

`tests/data/stored_names.json` lists them all. A new one is added there by hand; none is taken off, or changed.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import handlers
from bot.domain.alerts import AlertStatus, GroupState
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
from bot.domain.secrets import RecordKind
from storage.queues import DeliveryKind, DeliveryState, ScanState, SyncState
from tests.support.house_offenders import modules, tree
from tests.support.play import playing

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
    "history scan states": ScanState,
    "incident states": Status,
    "kinds of records": RecordKind,
    "milestones": Milestone,
    "origins of edits": EditOrigin,
    "postmortem states": PostmortemStatus,
    "reminder kinds": ReminderKind,
    "reminder states": ReminderState,
    "sync states": SyncState,
}


class Recorder:
    """In place of Bolt's app: what the handlers would be called for. A pattern is listed as it is written."""

    def __init__(self) -> None:
        self.found: dict[str, set[str]] = {}

    def __getattr__(self, kind: str) -> Callable[..., Callable[[Any], Any]]:
        def listener(key: Any, *_: Any, **__: Any) -> Callable[[Any], Any]:
            self.found.setdefault(kind, set()).add(getattr(key, "pattern", key))
            return lambda function: function

        return listener


async def test_ids_in_slack_s_messages_are_what_they_were(sqlite_url: str) -> None:
    recorder: Any = Recorder()
    async with playing(sqlite_url) as play:
        handlers.listen(recorder, play.bot.boundary)
    ids = {"action": "action ids", "command": "commands", "shortcut": "shortcuts", "view": "callback ids"}
    assert {name: sorted(recorder.found[kind]) for kind, name in ids.items()} == {
        name: LISTED[name] for name in ids.values()
    }


def test_words_in_the_database_are_what_they_were() -> None:
    assert {name: sorted(words) for name, words in WORDS.items()} == {name: LISTED[name] for name in WORDS}


def test_verbs_of_the_audit_are_what_they_were() -> None:
    calls = (node for name in modules("bot", "handlers") for node in ast.walk(tree(name)) if isinstance(node, ast.Call))
    assert sorted({verb for call in calls for verb in verbs(call)}) == LISTED["verbs of the audit"]


def verbs(call: ast.Call) -> Iterator[str]:
    """The verbs that a call names: `verb="noun.verb"`, or an argument of what writes a line by itself."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "verb"]
    if isinstance(call.func, ast.Attribute) and call.func.attr == "add_lines":
        given += call.args
    for each in (each for node in given for each in ast.walk(node) if isinstance(each, ast.Constant)):
        if isinstance(each.value, str) and re.fullmatch(r"[a-z_]+\.[a-z_]+", each.value):
            yield each.value
