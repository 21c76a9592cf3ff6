"""Socket Mode against a real socket: answers go back, and the connection comes back, whatever happens to it."""

import asyncio
import logging
import socket as socketlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SettableClock
from bot.rehearsal.delivery import AppDelivery
from bot.rehearsal.server import StandIn
from bot.timeouts import Timeouts
from bot.web.slack_endpoint import Dispatcher
from bot.web.socket_mode import SocketMode
from tests.support.deadlines import LONG_SECONDS, until
from tests.support.echo_app import Echo

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


@dataclass
class Wire:
    """A workspace, a bot that listens, and the socket between them."""

    slack: StandIn
    echo: Echo
    socket: SocketMode
    running: "asyncio.Task[None]"
    ana: str
    channel: str


@asynccontextmanager
async def a_wire(**options: Any) -> AsyncIterator[Wire]:
    async with StandIn(SettableClock(NOW)) as slack, aiohttp.ClientSession() as session:
        echo = Echo(slack)
        client = AsyncWebClient(base_url=slack.api_url, session=session)
        client.proxy = None
        socket = SocketMode(slack.app_token, client, Dispatcher(echo.app), **options)
        running = asyncio.create_task(socket.run())
        slack.patience = LONG_SECONDS
        await slack.wait_for_socket()
        ana = slack.user("ana")
        yield Wire(slack, echo, socket, running, ana, slack.channel("inc-payload", [ana]))
        await socket.close()
        await asyncio.wait([running], timeout=LONG_SECONDS)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with a_wire() as opened:
        yield opened


async def is_connected(socket: SocketMode) -> None:
    async with asyncio.timeout(LONG_SECONDS):
        while not await socket.is_connected():  # noqa: ASYNC110 (what is waited for is the SDK's state)
            await asyncio.sleep(0.005)


async def test_a_command_is_answered_and_its_listener_knows_the_envelope(wire: Wire) -> None:
    answer = await wire.slack.command(wire.ana, wire.channel, "/timeline the bad payload")
    assert (answer.text, answer.error) == ("heard: the bad payload", "")
    assert len(wire.echo.envelopes[0]) > 8


async def test_a_modal_is_answered_with_what_is_wrong(wire: Wire) -> None:
    view = {"id": "V1", "type": "modal", "callback_id": "form", "state": {"values": {}}}
    payload = {"type": "view_submission", "team": {"id": "T0REHEARSE"}, "user": {"id": wire.ana}, "view": view}
    reply = await wire.slack.sockets.deliver(AppDelivery("interactive", payload), 3)
    assert reply.body == {"response_action": "errors", "errors": {"b": "No."}}


async def test_an_event_is_taken_and_its_repeat_says_so(wire: Wire) -> None:
    first = await wire.slack.event({"type": "app_mention", "user": "U1", "text": "hello", "channel": "C1"})
    again = await wire.slack.deliver_again(first)
    assert (first.error, again.error, first.raw) == ("", "", b"")
    assert wire.echo.retries == ["1"]


async def test_what_nothing_answers_is_taken_unless_it_is_a_command(wire: Wire) -> None:
    assert (await wire.slack.event({"type": "pin_added", "user": wire.ana})).error == ""
    wire.slack.patience = 0.3
    assert (await wire.slack.command(wire.ana, wire.channel, "/unknown x")).error == "operation_timeout"


async def test_an_error_in_a_listener_is_not_acknowledged(wire: Wire) -> None:
    wire.slack.patience = 0.3
    assert (await wire.slack.command(wire.ana, wire.channel, "/why x")).error == "operation_timeout"


async def test_many_commands_at_once_are_answered_at_once(wire: Wire) -> None:
    wire.echo.go_on.clear()
    answering = asyncio.gather(
        *(wire.slack.command(wire.ana, wire.channel, f"/timeline {number}") for number in range(30))
    )
    await until(lambda: len(wire.echo.heard) == 30)
    wire.echo.go_on.set()
    assert [answer.text for answer in await answering] == [f"heard: {number}" for number in range(30)]


@pytest.mark.parametrize("close", [True, False], ids=["closed at once", "left open"])
async def test_when_slack_wants_a_new_connection_a_command_is_answered_soon_after(wire: Wire, close: bool) -> None:
    await wire.slack.disconnect("refresh_requested", close=close)
    await wire.slack.wait_for_socket()
    assert (await wire.slack.command(wire.ana, wire.channel, "/timeline x")).text == "heard: x"
    assert wire.socket.rebuilt == 0


async def test_a_line_that_is_cut_is_taken_up_again_before_the_client_itself_looks() -> None:
    async with a_wire(timeouts=Timeouts(socket_ping=10 * LONG_SECONDS)) as wire:
        await is_connected(wire.socket)
        client = wire.socket._client
        wire.slack.sockets.connected.clear()
        for socket in wire.slack.sockets.sockets:
            assert socket._req is not None
            assert socket._req.transport is not None
            socket._req.transport.abort()
        await wire.slack.wait_for_socket()
        assert (await wire.slack.command(wire.ana, wire.channel, "/timeline x")).text == "heard: x"
        assert wire.socket._client is client


async def test_readiness_follows_the_socket(wire: Wire) -> None:
    await is_connected(wire.socket)
    assert (await wire.socket.probe(), wire.socket.num_connections) == ("", 1)
    await wire.socket.close()
    assert await wire.socket.probe() == "There's no live socket to Slack."


async def test_more_connections_than_expected_are_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "bot.web")
    async with a_wire() as wire:
        await is_connected(wire.socket)
        assert "connections instead of" not in caplog.text
        client = AsyncWebClient(base_url=wire.slack.api_url)
        client.proxy = None
        second = SocketMode(wire.slack.app_token, client, Dispatcher(wire.echo.app))
        running = asyncio.create_task(second.run())
        await is_connected(second)
        assert second.num_connections == 2
        assert "The app has 2 connections instead of 1" in caplog.text
        await second.close()
        await asyncio.wait_for(running, LONG_SECONDS)


async def test_a_client_that_dials_a_dead_address_for_ever_is_built_anew(caplog: pytest.LogCaptureFixture) -> None:
    async with a_wire(patience=1) as wire:
        await is_connected(wire.socket)
        stuck = wire.socket._client
        home, wire.slack.workspace.base_url = wire.slack.workspace.base_url, "http://127.0.0.1:9"
        asked = len(wire.slack.calls)
        await wire.slack.sockets.close()
        await until(lambda: len(wire.slack.calls) > asked or wire.socket.rebuilt)
        wire.slack.workspace.base_url = home
        await wire.slack.wait_for_socket()
        await is_connected(wire.socket)
        assert wire.socket.rebuilt >= 1
        assert wire.socket._client is not stuck
        assert (await wire.slack.command(wire.ana, wire.channel, "/timeline x")).text == "heard: x"
    assert "It's connecting again" in caplog.text


async def test_a_slack_that_cannot_be_reached_at_the_start_is_tried_again() -> None:
    async with StandIn(SettableClock(NOW)) as slack, aiohttp.ClientSession() as session:
        slack.fail("apps.connections.open", "invalid_auth", times=2)
        client = AsyncWebClient(base_url=slack.api_url, session=session)
        client.proxy = None
        socket = SocketMode(slack.app_token, client, Dispatcher(Echo(slack).app), patience=1)
        running = asyncio.create_task(socket.run())
        await is_connected(socket)
        running.cancel()
        await asyncio.wait([running])
        assert not slack.sockets.sockets


async def test_what_is_being_answered_is_answered_before_the_end(wire: Wire) -> None:
    wire.echo.go_on.clear()
    command = asyncio.create_task(wire.slack.command(wire.ana, wire.channel, "/timeline x"))
    await until(lambda: wire.echo.heard)
    closing = asyncio.create_task(wire.socket.close())
    await until(wire.socket._closing.is_set)
    wire.slack.patience = 0.5
    late = await wire.slack.command(wire.ana, wire.channel, "/timeline late")
    wire.echo.go_on.set()
    assert (await command).text == "heard: x"
    await closing
    assert late.error in ("operation_timeout", "dispatch_failed")
    assert [body["text"] for body in wire.echo.heard] == ["x"]


async def test_cancelling_it_also_lets_an_answer_out(wire: Wire) -> None:
    wire.echo.go_on.clear()
    command = asyncio.create_task(wire.slack.command(wire.ana, wire.channel, "/timeline x"))
    await until(lambda: wire.echo.heard)
    wire.running.cancel()
    asyncio.get_running_loop().call_later(0.1, wire.echo.go_on.set)
    assert (await command).text == "heard: x"
    await asyncio.wait([wire.running])
    assert not wire.slack.sockets.sockets


async def test_nothing_that_anybody_wrote_is_logged(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for text in ("/timeline a canary sang", "/why a canary sang", "/unknown a canary sang"):
        wire.slack.patience = LONG_SECONDS if text.startswith("/timeline") else 0.5
        await wire.slack.command(wire.ana, wire.channel, text)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("bot.web")]
    assert ours
    assert not [line for line in ours if "canary" in line]


async def test_where_slack_cannot_be_reached_one_line_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with socketlib.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(base_url=f"http://127.0.0.1:{port}/api/", session=session, retry_handlers=[])
        client.proxy = None
        running = asyncio.create_task(
            SocketMode("xapp-" + "test", client, Dispatcher(AsyncApp(token="xoxb-" + "x"))).run()
        )
        await until(lambda: "Failed to connect" in caplog.text)
        running.cancel()
        await asyncio.wait([running])
    assert "Traceback" not in caplog.text
    assert [record for record in caplog.records if record.exc_info] == []
