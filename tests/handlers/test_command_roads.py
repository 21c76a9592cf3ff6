"""Commands go past Bolt's dispatch, to the listener that Bolt would call: both roads answer alike."""

import logging
from typing import Any

import pytest
from slack_bolt.response import BoltResponse

import handlers
from bot.web.slack_endpoint import Dispatcher, build_bolt
from handlers import COMMANDS
from handlers.command_table import FIRST
from tests.support.play import TEAM, Play, playing

STORY = (
    "/incident open checkout is down",
    "/timeline 14:05 failed over to replica",
    "/timeline failed over & <rolled back> `api@4f2a`",
    "/timeline 9:30 is ambiguous?",
    "/timeline 25:99 cannot be",
    "/timeline the password is hunter2secret99",
    "/incident resolved",
    "/why because the pool ran out",
)
"""So that the examples of help, which come next, find something; with entries of several shapes."""

ODD: tuple[dict[str, Any], ...] = (
    {"command": "/timeline"},
    {"command": "/timeline", "channel_id": "C1", "text": "no person"},
    {"command": "/timeline", "user_id": "U1", "text": "no channel"},
    {"command": "/timeline", "user_id": "U1", "channel_id": "C1", "text": None},
    {"command": "/timeline", "user_id": 5, "channel_id": ["C1"], "text": "words"},
    {"command": ["/timeline"]},
)


def typed_lines() -> list[str]:
    """The story, then every example of every command, and lines that its verbs refuse."""
    examples = [f"{table.name} {verb.example}".strip().format(**FIRST) for table in COMMANDS for verb in table.verbs]
    return [
        *STORY,
        *examples,
        *(f"{table.name} help" for table in COMMANDS),
        *(f"{table.name} 4" for table in COMMANDS),
    ]


def body_of(play: Play, number: int, line: str) -> dict[str, Any]:
    name, _, text = line.partition(" ")
    return {
        "team_id": TEAM,
        "channel_id": play.channel,
        "channel_name": "checkout",
        "user_id": play.ana,
        "command": name,
        "text": text,
        "response_url": f"http://127.0.0.1:9/{number}",
        "trigger_id": f"trigger-{number}",
    }


def through_bolt(play: Play) -> Dispatcher:
    """The road that commands no longer take."""
    session = play.bot.client.session
    assert session is not None
    bolt = build_bolt("xoxb-" + "test", play.slack.api_url, session)
    for name, listener in handlers.build_commands(play.bot.boundary).items():
        bolt.command(name)(listener)
    return Dispatcher(bolt)


async def answer_all(url: str, *, by_bolt: bool) -> list[tuple[str, BoltResponse]]:
    async with playing(url) as play:
        dispatch = through_bolt(play) if by_bolt else play.bot.dispatch
        lines = typed_lines()
        answers = [(line, await dispatch(body_of(play, number, line), {})) for number, line in enumerate(lines)]
        repeated = [(line, await dispatch(body_of(play, number, line), {})) for number, line in enumerate(lines)]
        return [*answers, *repeated, ("/unknown", await dispatch(body_of(play, -1, "/unknown x"), {}))]


async def test_both_roads_answer_every_command_alike(sqlite_url: str) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    direct = await answer_all(f"sqlite:///{path}", by_bolt=False)
    roundabout = await answer_all(f"sqlite:///{path}.bolt", by_bolt=True)
    assert len(direct) == len(roundabout) > 2 * len(STORY)
    for (line, ours), (_, bolts) in zip(direct, roundabout, strict=True):
        assert (ours.status, ours.body) == (bolts.status, bolts.body), line
        assert ours.headers == bolts.headers, line


@pytest.mark.parametrize("body", ODD, ids=repr)
async def test_an_odd_command_is_refused_without_a_trace(
    sqlite_url: str, body: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with playing(sqlite_url) as play:
        with caplog.at_level(logging.INFO):
            response = await play.bot.dispatch(body, {})
        assert response.status == 400
        assert not [record for record in caplog.records if record.exc_info]
