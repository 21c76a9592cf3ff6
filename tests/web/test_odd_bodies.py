"""Signed bodies that no Slack sends get a plain refusal or 400, and one line in the log; nothing odd is recorded."""

import copy
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.rehearsal.delivery import AppDelivery
from bot.rehearsal.workspace import Json
from storage.database.statements import Statement, table_of
from storage.tables.record import AuditRow, EntryRow, IncidentRow, WhyRow
from tests.support.interactions import open_incident, press, type_command
from tests.support.play import Play, playing

DEEP: Any = "end"
for _ in range(200):
    DEEP = [DEEP]

NUMBERS: tuple[Any, ...] = (7, -1, 10**22, 1.5, float("inf"), True)
ODD: tuple[Any, ...] = (None, *NUMBERS, "", "x", "\ud800", "a" * 5_000, [], ["x"], {}, {"x": 1}, DEEP)
MISSING = object()
SECONDS = 10.0
"""Over a socket there is no answer but the acknowledgement: what gets none is waited for so long."""
SEED = 13
AT_MOST = 120
"""Odd copies of one body."""


async def record(play: Play) -> list[AppDelivery]:
    """Real bodies of every kind, as Slack delivered them in one incident."""
    await open_incident(play)
    ts = await play.slack.say(play.bo, play.channel, "the replica lags")
    for line in (
        "/timeline 12:05 failed over",
        "/timeline show",
        "/action add a test @Bo Demo due friday",
        "/postmortem",
    ):
        await type_command(play, play.ana, line)
    await play.slack.shortcut(play.ana, play.channel, ts, "timeline_add_message")
    await play.slack.react(play.ana, play.channel, ts, "memo")
    await play.slack.unreact(play.ana, play.channel, ts, "memo")
    await play.slack.edit(play.bo, play.channel, ts, "the replica lagged")
    await play.slack.say(play.bo, play.channel, "@afterword 12:20 UTC the pool is empty")
    await play.slack.say(play.bo, play.slack.dm(play.bo), "done 1")
    await play.slack.open_home(play.ana)
    await play.slack.change_person(play.bo, zone="Asia/Tokyo")
    room = play.slack.channel("room", [play.ana], with_bot=False)
    await play.slack.invite_bot(room, by=play.ana)
    await play.slack.rename(play.ana, room, "other-room")
    await play.slack.leave(play.chandra, play.channel)
    await play.settle()
    await use_forms(play)
    return [answer.delivery for answer in play.slack.answers if answer.delivery is not None]


async def use_forms(play: Play) -> None:
    """Forms and buttons, up to the first why."""
    await play.slack.global_shortcut(play.ana, "incident_open")
    await play.settle()
    (form,) = play.slack.views(play.ana)
    await play.slack.submit(play.ana, form, {"title": "another", "channel": play.slack.channel("b", [play.ana])})
    await type_command(play, play.ana, "/timeline 12:06 a second line")
    await press(play, play.ana, "timeline_edit")
    (form,) = play.slack.views(play.ana)
    await play.slack.submit(play.ana, form, {"text": "a better line"})
    await press(play, play.ana, "timeline_undo")
    await type_command(play, play.ana, "/incident resolved")
    await play.settle()
    await type_command(play, play.ana, "/why because the pool was too small")
    await play.settle()


def kind_of(delivery: AppDelivery) -> str:
    """What tells bodies apart: the command, the button, the form, or the event."""
    payload = delivery.payload
    event, view = payload.get("event") or {}, payload.get("view") or {}
    (action, *_) = payload.get("actions") or [{}]
    about = (payload.get("command"), action.get("action_id"), view.get("callback_id"), payload.get("callback_id"))
    return ":".join(str(part or "") for part in (payload.get("type"), *about, event.get("type"), event.get("subtype")))


def paths_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body; of a list only the first two."""
    keys = list(value) if isinstance(value, dict) else range(min(len(value), 2)) if isinstance(value, list) else ()
    for key in keys:
        yield (*path, key)
        yield from paths_in(value[key], (*path, key))


def change_body(body: Json, path: tuple[Any, ...], value: Any) -> Json:
    """A copy of the body with another value there, or none."""
    copied: Any = copy.deepcopy(body)
    inside = copied
    for key in path[:-1]:
        inside = inside[key]
    if value is MISSING:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value
    return copied  # type: ignore[no-any-return]


def odd_copies(delivery: AppDelivery, chance: random.Random) -> list[AppDelivery]:
    """The body with each of its parts left out or replaced, and the same for what its button or form carries."""
    body = delivery.payload
    found = [change_body(body, path, value) for path in paths_in(body) for value in (MISSING, *chance.sample(ODD, 3))]
    for path in (("actions", 0, "value"), ("view", "private_metadata")):
        try:
            carried = json.loads(str(body[path[0]][path[1]][path[2]] if len(path) == 3 else body[path[0]][path[1]]))
        except (KeyError, ValueError):
            continue
        for inner in paths_in(carried):
            found += [change_body(body, path, json.dumps(change_body(carried, inner, odd))) for odd in (MISSING, *ODD)]
    chance.shuffle(found)
    return [AppDelivery(delivery.kind, one) for one in found[:AT_MOST]]


def is_sendable(delivery: AppDelivery) -> bool:
    """Whether it can be written as a form: a command is one."""
    return delivery.kind != "slash_commands" or all(
        isinstance(value, str) and value.isascii() for value in delivery.payload.values()
    )


_COUNTS = [
    Statement(select(func.count()).select_from(table_of(row))) for row in (IncidentRow, EntryRow, WhyRow, AuditRow)
]
_entry, _incident = table_of(EntryRow), table_of(IncidentRow)
_IDS = Statement(select(_entry.c.recorder, _entry.c.author, _incident.c.channel, _incident.c.team).join(_incident))


def count_rows(play: Play) -> list[int]:
    return play.bot.store.read_now(lambda tx: [tx.one(int, count) or 0 for count in _COUNTS])


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_every_odd_body_is_refused_in_one_line(
    sqlite_url: str, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(SEED)
    async with playing(sqlite_url, transport=transport) as play:
        sender = play.slack.http if transport == "http" else play.slack.sockets
        by_kind = {kind_of(one): one for one in await record(play)}
        assert len(by_kind) > 20, sorted(by_kind)
        caplog.clear()
        wrong: Counter[tuple[str, int]] = Counter()
        statuses: Counter[int] = Counter()
        for kind, delivery in by_kind.items():
            for odd in odd_copies(delivery, chance):
                is_ours = odd.payload.get("command") == delivery.payload.get("command")
                if not (is_ours and (transport == "socket" or is_sendable(odd))):
                    continue
                before = count_rows(play)
                answer = await sender.deliver(odd, SECONDS)
                statuses[answer.status] += 1
                is_right = answer.status == 200 or (answer.status == 400 and count_rows(play) == before)
                wrong += Counter() if is_right else Counter([(kind, answer.status)])
            await play.bot.boundary.drain()
        assert [one.exc_text for one in caplog.records if one.exc_info] == []
        assert wrong == Counter()
        for row in play.bot.store.read_now(lambda tx: tx.rows(_IDS)):
            assert all(re.fullmatch(r"[A-Z][A-Z0-9]+", value) for value in row), row
        assert statuses[200] > 100
        assert transport == "socket" or statuses[400] > 100
