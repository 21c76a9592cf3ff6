"""Slack's Web API is down: what Slack still delivers is recorded, acknowledged in time, and said to be so."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import Afterword
from bot.clock import SystemClock
from bot.rehearsal.delivery import AppAnswer
from bot.rehearsal.server import StandIn
from bot.timeouts import Timeouts
from tests.support.acceptance.programs import Program, afterword, environ_of, free_port
from tests.support.acceptance.weeks import Weeks, weeks
from tests.support.deadlines import LONG_SECONDS
from tests.support.timeouts import SHIPPED, change_patience, hurry

SLACK_SECONDS = SHIPPED.slack_call
TOWARD_SLACK = [name for name in Timeouts.__slots__ if not name.startswith("database")]
NOON = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
SLOWEST_SECONDS = 0.8 * SLACK_SECONDS
"""Someone who waited for a call that hangs waits for longer; Slack itself gives up after three seconds, for which
the bot's waits are short enough by their figures (tests/support/timeouts.py)."""

WHOLLY = 1_000_000


def break_down(slack: StandIn, how: str, over: asyncio.Event) -> None:
    """From now on no call of the Web API works; those that hang hang until it is over."""
    for method in (*slack.api.methods, "response_url", "upload"):
        match how:
            case "refuses":
                slack.fail(method, "internal_error", times=WHOLLY, status=500)
            case "hangs":
                slack.fail(method, drop="before", times=WHOLLY, until=over)
            case "hangs up":
                slack.fail(method, drop="before", times=WHOLLY)
            case "shows a page":
                slack.fail(method, html=True, times=WHOLLY, status=503)


@asynccontextmanager
async def without_slack(
    url: str, how: str, asking_again: float = SHIPPED.slack_person_again, *, is_known: bool = False
) -> AsyncIterator[tuple[Weeks, Afterword]]:
    over = asyncio.Event()
    async with weeks(url, NOON) as life:
        if is_known:
            async with life.bot() as bot:
                for user in (life.ana, life.bo, life.chandra):
                    await bot.slack.directory.look_up(life.slack.workspace.team, user)
        break_down(life.slack, how, over)
        with hurry(*TOWARD_SLACK), change_patience(slack_person_again=asking_again):
            async with life.bot() as bot:
                yield life, bot
                life.slack.api.faults.clear()
                over.set()


def asked_who(life: Weeks) -> int:
    """How often the bot has asked Slack who someone is."""
    (fault,) = life.slack.api.faults["users.info"]
    return WHOLLY - fault.times


async def time_command(life: Weeks, user: str, text: str) -> tuple[AppAnswer, float]:
    began = time.monotonic()
    return await life.do(user, text), time.monotonic() - began


@pytest.mark.parametrize("how", ["refuses", "hangs", "hangs up", "shows a page"])
async def test_it_is_recorded_in_time_and_read_as_utc_which_it_says(how: str, sqlite_url: str, tmp_path: Path) -> None:
    asked_once = 10 * LONG_SECONDS
    async with without_slack(sqlite_url, how, asked_once) as (life, _):
        opened, took = await time_command(life, life.ana, "/incident open checkout is failing")
        assert "opened *INC-1*" in opened.text
        assert took < SLOWEST_SECONDS
        before = asked_who(life)
        answer, took = await time_command(life, life.ana, "/timeline 12:05 failed over to replica")
        assert "12:05 UTC" in answer.text
        assert "I don't know your time zone, so I read the time as UTC" in answer.text
        assert took < SLOWEST_SECONDS
        assert asked_who(life) == before, "somebody whom Slack did not tell of is asked for again and again"
        plain, _ = await time_command(life, life.ana, "/timeline errors are falling")
        assert "12:30 UTC" in plain.text
        assert "time zone" not in plain.text
        named, took = await time_command(life, life.bo, "/timeline 12:06 UTC paged @Ana Demo and @Chandra Demo")
        assert "#4 · 12:06 UTC" in named.text
        assert took < SLOWEST_SECONDS
        exported = json.loads(await afterword(life.environ, tmp_path, "export", "INC-1", "--format", "json"))
    assert [(line["happened_at"], line["text"]) for line in exported["timeline"]] == [
        ("2026-11-23T12:05:00Z", "failed over to replica"),
        ("2026-11-23T12:06:00Z", "paged @Ana Demo and @Chandra Demo"),
        ("2026-11-23T12:30:00Z", "Incident opened: checkout is failing"),
        ("2026-11-23T12:30:00Z", "errors are falling"),
    ]


async def test_when_slack_is_back_the_live_message_comes_once_and_zones_are_known(sqlite_url: str) -> None:
    async with without_slack(sqlite_url, "refuses", asking_again=0.0) as (life, bot):
        await life.do(life.ana, "/incident open checkout is failing")
        await bot.tick(life.clock.now())
        assert not life.slack.messages(life.channel, user=life.bo)
        life.slack.api.faults.clear()
        for _ in range(3):
            life.clock.advance(timedelta(minutes=10))
            await bot.tick(life.clock.now())
        assert (
            len([message for message in life.slack.messages(life.channel, user=life.bo) if "INC-1" in message.plain])
            == 1
        )
        answer = await life.do(life.ana, "/timeline 13:05 failed over to replica")
        assert "12:05 UTC (13:05 Berlin)" in answer.text
        assert "your time zone" not in answer.text


async def test_everything_else_is_acknowledged_in_time_too(sqlite_url: str) -> None:
    async with without_slack(sqlite_url, "hangs", is_known=True) as (life, _):
        await life.do(life.ana, "/incident open checkout is failing")
        for text, expected in (
            ("/incident sev 2", "*INC-1* is now :large_orange_circle: sev2"),
            ("/incident lead @Bo Demo", "*Bo Demo* leads *INC-1* now"),
            ("/incident resolved", "INC-1 resolved"),
            ("/why because the pool was too small", "Why 2 of 5"),
            ("/action add a load test @Chandra Demo due friday", "due Fri 27 Nov"),
            ("/action list", "add a load test"),
            ("/incident list", "checkout is failing"),
            ("/postmortem", "Postmortem of INC-1"),
            ("/postmortem owner @Chandra Demo", "@Chandra Demo owns the postmortem"),
            ("/postmortem export", "Exporting Markdown"),
            ("/timeline", "Bo Demo leads"),
        ):
            answer, took = await time_command(life, life.ana, text)
            assert expected in answer.text, answer.text
            assert took < SLOWEST_SECONDS, text


@contextmanager
def a_door_that_nobody_opens() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield int(listener.getsockname()[1])


@pytest.mark.parametrize("answers", [False, True], ids=["nothing listens", "nobody answers"])
async def test_the_program_starts_and_records_while_slack_cannot_be_reached(answers: bool, tmp_path: Path) -> None:
    async with StandIn(SystemClock()) as slack:
        slack.patience = LONG_SECONDS
        ana = slack.user("Ana Demo", "Europe/Berlin")
        channel = slack.channel("checkout", [ana])
        with a_door_that_nobody_opens() as silent:
            port = silent if answers else free_port()
            url = f"sqlite:///{tmp_path / 'afterword.db'}"
            environ = environ_of(slack, url, SLACK_API_URL=f"http://127.0.0.1:{port}/api/")
            program = Program(environ, free_port(), tmp_path)
            slack.send_to(program.request_url)
            await program.start()
            try:
                for text in ("/incident open checkout is failing", "/timeline 00:00Z midnight has passed"):
                    answer = await slack.command(ana, channel, text)
                    assert answer.ok, (answer, (tmp_path / "program.log").read_text())
                    assert "INC-1" in answer.text or "#2 · 00:00 UTC" in answer.text
            finally:
                await program.kill()
            exported = json.loads(await afterword(environ, tmp_path, "export", "INC-1", "--format", "json"))
    assert sorted(line["text"] for line in exported["timeline"]) == [
        "Incident opened: checkout is failing",
        "midnight has passed",
    ]
