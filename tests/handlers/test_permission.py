"""Who may do what: every command, button, form and event of the product, by every kind of person.

The operations are read from the tables, so none is missed. What others recorded holds a word that no outsider may read.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

import handlers
from bot.domain.records import Person
from bot.rehearsal.delivery import AppDelivery
from handlers.command_table import FIRST
from storage import people as people_store
from storage.database.statements import Statement, table_of
from storage.tables.queues import DeliveryRow
from storage.tables.record import (
    ActionRow,
    AuditRow,
    EntryRow,
    EntryVersionRow,
    IncidentRow,
    SectionRow,
    WhyRow,
    WhyVersionRow,
)
from tests.support.interactions import open_incident, type_command
from tests.support.play import TEAM, Play, playing

SECRET = "zebra"
FOR_EVER = 1_000_000
SECONDS = 30.0
FAULTS: dict[str, dict[str, Any]] = {
    "fails": {"error": "fatal_error"},
    "limits the rate": {"error": "ratelimited", "retry_after": 60},
    "hangs up": {"drop": "before"},
    "shows a page": {"html": True, "status": 503},
    "lacks the scope": {"error": "missing_scope"},
    "refuses the token": {"error": "invalid_auth"},
}
OUTSIDERS: dict[str, dict[str, Any]] = {
    "guest": {"is_restricted": True},
    "guest of one channel": {"is_restricted": True, "is_ultra_restricted": True},
    "stranger": {"is_stranger": True},
    "of another workspace": {"team_id": "T0ELSEWHERE"},
    "deactivated": {"deleted": True},
}
RECORDING = {
    "/timeline 14:05 failed over to replica",
    "/why because the connection pool ran out",
    "/incident open checkout is failing",
    "button timeline_at_0",
    "button timeline_entered",
    "button capture_at_0",
    "button incident_form_open",
    "form incident_open",
    "shortcut timeline_add_message",
    "shortcut incident_open",
    "event reaction_added",
    "event app_mention",
}
"""All that is open to people of whom Slack has not said yet who they are."""

CARRIED = {
    "entry": 1, "version": 1, "why": 1, "action": 1, "actions": [1], "other": 1, "alert": 1, "into": 1, "incident": 1,
    "section": "impact", "seen": 1, "facts": "", "keep": 1, "hours": 2, "form": "markdown", "to": "C0R00000001",
    "milestone": "mitigated", "at": "2026-11-23T12:00:00+00:00", "written": "12:00", "text": "seen by hand",
    "source": "C0R00000001:1795437000.000001", "typed_at": "2026-11-23T12:00:00+00:00", "line": "seen by hand",
    "user": "U0R00000002", "system": "jira", "page": "1", "storm": 1, "due": "2026-11-27", "of": "x", "kind": "entry",
    "number": 1, "subject": "1", "beside": False, "lookback": 1, "update": {}, "id": 1,
    "name": "checkout", "old": "checkout", "new": "cart", "place": "status",
}  # fmt: skip

Operation = tuple[str, AppDelivery]
_RECORD = (IncidentRow, EntryRow, EntryVersionRow, WhyRow, WhyVersionRow, ActionRow, SectionRow, AuditRow, DeliveryRow)
_COUNTS = [Statement(select(func.count()).select_from(table_of(row))) for row in _RECORD]


def count_rows(play: Play) -> list[int]:
    return play.bot.store.read_now(lambda tx: [tx.one(int, count) or 0 for count in _COUNTS])


def name_of(key: str | re.Pattern[str]) -> str:
    """A name of the table, or one that its pattern matches."""
    if isinstance(key, str):
        return key
    name = re.sub(r"\(.*?\)|\\d\+", "0", key.pattern).replace("[a-z]+", "html").replace("[a-z0-9_-]+", "short")
    assert key.fullmatch(name), key
    return name


def operations(play: Play, user: str) -> Iterator[Operation]:
    """Everything that this person can ask for, in the channel of the incident."""
    ts = f"{play.clock.now().timestamp():.0f}.000009"
    who: dict[str, Any] = {"user": {"id": user, "team_id": TEAM}, "team": {"id": TEAM}, "trigger_id": "1.2.3"}
    here = {"channel": {"id": play.channel}, "container": {"type": "message", "channel_id": play.channel}}
    for command in handlers.COMMANDS:
        for verb in command.verbs:
            text = verb.example.format(**FIRST)
            typed = {
                "team_id": TEAM,
                "channel_id": play.channel,
                "user_id": user,
                "command": command.name,
                "text": text,
            }
            yield f"{command.name} {text}".strip(), AppDelivery("slash_commands", typed | {"trigger_id": text})
    for table in handlers.TABLES:
        for name in map(name_of, (*table.clicks, *table.forms)):
            action = {"type": "button", "action_id": name, "value": json.dumps(CARRIED)}
            yield (
                f"button {name}",
                AppDelivery("interactive", {"type": "block_actions", **who, **here, "actions": [action]}),
            )
        for name in table.submissions:
            values = {"b": {"text": {"type": "plain_text_input", "value": "seen by hand"}}}
            metadata = json.dumps(CARRIED | {"channel": play.channel, "opened_in": play.channel})
            view = {
                "id": "V1",
                "type": "modal",
                "callback_id": name,
                "private_metadata": metadata,
                "state": {"values": values},
            }
            yield f"form {name}", AppDelivery("interactive", {"type": "view_submission", **who, "view": view})
        for name in map(name_of, (*table.shortcuts, *table.shortcut_forms)):
            message = {"type": "message", "user": play.bo, "text": "seen by hand", "ts": f"{ts[:-1]}8"}
            body = {"type": "message_action", **who, **here, "callback_id": name, "message": message}
            yield f"shortcut {name}", AppDelivery("interactive", body)
        for kind in table.events:
            yield f"event {kind}", AppDelivery("events_api", event_body(play, user, kind, ts))


def event_body(play: Play, user: str, kind: str, ts: str) -> dict[str, Any]:
    """An event that this person causes."""
    event: dict[str, Any] = {"type": kind, "user": user, "channel": play.channel, "ts": ts, "event_ts": "1795437000.1"}
    match kind:
        case "reaction_added" | "reaction_removed":
            item = {"type": "message", "channel": play.channel, "ts": play.slack.messages(play.channel)[0].ts}
            event |= {"reaction": "memo", "item": item}
        case "app_mention":
            event |= {"text": f"<@{play.slack.bot_user_id}> seen by hand"}
        case "message":
            event |= {"text": "list", "channel": play.slack.dm(user), "channel_type": "im"}
        case "app_home_opened":
            event |= {"tab": "home"}
    bots = [{"user_id": play.slack.bot_user_id, "team_id": TEAM}]
    return {"type": "event_callback", "team_id": TEAM, "event": event, "event_id": f"E{kind}", "authorizations": bots}


LEFT_OUT = {
    "user_change",
    "team_join",
    "channel_rename",
    "group_rename",
    "member_joined_channel",
    "member_left_channel",
}
"""Events by which Slack reports about people and channels: no one asks for anything."""


async def stage(play: Play) -> str:
    """An incident full of words that no outsider may read, and someone new in its channel."""
    first = await play.slack.say(play.bo, play.channel, "the replica lags")
    await open_incident(play, f"{SECRET} is failing")
    await type_command(play, play.bo, f"/timeline 12:05 UTC {SECRET} failed over")
    await type_command(play, play.ana, "/incident resolved")
    await type_command(play, play.ana, f"/why because the {SECRET} was too small")
    await type_command(play, play.ana, f"/action add a {SECRET} @Bo Demo due friday")
    await play.settle()
    assert first
    dana = play.slack.user("Dana Demo", "Europe/Berlin")
    play.slack.workspace.channels[play.channel].members.add(dana)
    return dana


def read_by(play: Play, user: str) -> str:
    """All that the person alone was shown since the last time: whispers, DMs, windows, the Home tab."""
    calls, play.slack.calls[:] = list(play.slack.calls), []
    mine = [one for one in calls if user in (one.args.get("user"), one.args.get("user_id"), one.args.get("channel"))]
    windows = [one for one in calls if one.method.startswith("views.")]
    dms = [one for one in calls if one.args.get("channel") == play.slack.dm(user)]
    return json.dumps([one.args for one in (*mine, *windows, *dms)], default=str)


async def attempt_all(play: Play, user: str) -> tuple[set[str], set[str]]:
    """Which operations showed the person something of the record, and which changed it."""
    shown, changed = set(), set()
    read_by(play, user)
    for name, delivery in operations(play, user):
        if name.removeprefix("event ") in LEFT_OUT:
            continue
        before = count_rows(play)
        answer = await play.slack.http.deliver(delivery, SECONDS)
        assert answer.status == 200, (name, answer)
        await play.bot.boundary.drain()
        if SECRET in json.dumps(answer.body) + read_by(play, user):
            shown.add(name)
        if count_rows(play) != before and name != "event message":  # an answer in a DM is a row, also one that refuses
            changed.add(name)
    await play.settle()
    if SECRET in read_by(play, user):
        shown.add("later")
    return shown, changed


@pytest.mark.parametrize("who", OUTSIDERS)
async def test_somebody_who_is_no_member_reads_and_changes_nothing(sqlite_url: str, who: str) -> None:
    async with playing(sqlite_url) as play:
        dana = await stage(play)
        person = {"id": dana, "team_id": TEAM, "real_name": "Dana Demo", "profile": {}, **OUTSIDERS[who]}
        await play.slack.event({"type": "user_change", "user": person})
        assert await attempt_all(play, dana) == (set(), set())


@pytest.mark.parametrize("fault", FAULTS)
async def test_somebody_of_whom_slack_says_nothing_only_records(sqlite_url: str, fault: str) -> None:
    async with playing(sqlite_url) as play:
        dana = await stage(play)
        play.slack.fail("users.info", times=FOR_EVER, **FAULTS[fault])
        shown, changed = await attempt_all(play, dana)
        assert shown == set()
        assert changed <= RECORDING
        assert {
            "/timeline 14:05 failed over to replica",
            "event app_mention",
            "shortcut timeline_add_message",
        } <= changed


async def test_somebody_whom_slack_does_not_know_reads_and_changes_nothing(sqlite_url: str) -> None:
    async with playing(sqlite_url) as play:
        dana = await stage(play)
        play.slack.fail("users.info", "user_not_found", times=FOR_EVER)
        assert await attempt_all(play, dana) == (set(), set())


async def test_a_member_reads_and_changes(sqlite_url: str) -> None:
    """Else the tests above would show nothing."""
    async with playing(sqlite_url) as play:
        shown, changed = await attempt_all(play, await stage(play))
        assert len(shown) > 25, sorted(shown)
        assert len(changed) > 12, sorted(changed)


def test_what_is_open_to_people_unidentified_is_listed_here() -> None:
    verbs = {
        f"{command.name} {verb.example.format(**FIRST)}"
        for command in handlers.COMMANDS
        for verb in command.verbs
        if verb.is_recording
    }
    named = {name_of(key) for table in handlers.TABLES for key in table.recording}
    listed = {name.partition(" ")[2] for name in RECORDING if not name.startswith(("/", "event "))}
    assert verbs == {name for name in RECORDING if name.startswith("/")}
    assert named == listed


async def test_a_role_that_another_replica_learned_counts_here(postgres_url: str) -> None:
    async with playing(postgres_url) as play:
        dana = await stage(play)
        assert SECRET in await type_command(play, dana, "/timeline show")
        guest = Person(TEAM, dana, "Dana Demo", is_guest=True)
        play.bot.store.write_now(lambda tx: people_store.save(tx, guest))
        assert "Guests and people" in await type_command(play, dana, "/timeline show")
        assert "Guests and people" in await type_command(play, dana, "/timeline by hand")
