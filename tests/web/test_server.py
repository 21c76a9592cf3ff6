"""HTTP over real sockets: Slack's requests are answered, everyone else's are turned away."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import aiohttp
import pytest
import pytest_asyncio

from bot.clock import SettableClock
from bot.errors import Misconfigured
from bot.rehearsal.server import StandIn
from bot.timeouts import Timeouts
from bot.web.health import Health, Probe
from bot.web.server import REQUEST_SECONDS, build_app, serve
from bot.web.slack_endpoint import Dispatcher, Guard
from tests.support.deadlines import LONG_SECONDS, until
from tests.support.echo_app import Echo, without_delay
from tests.support.timeouts import PATIENT

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

SHAPELESS: list[dict[str, object]] = [
    {"type": "block_actions", "actions": []},
    {"type": "view_submission", "view": None},
    {"type": "event_callback", "event": "text"},
    {"type": "event_callback", "event": None},
    {"team": "T1", "user": 5},
    {"type": ["block_actions"]},
    {"command": {"a": 1}},
    {"authorizations": [None]},
    {"authorizations": {}},
]


@dataclass
class House:
    """A workspace, a bot that listens, and where."""

    slack: StandIn
    echo: Echo
    url: str
    port: int
    http: aiohttp.ClientSession
    serving: "asyncio.Task[None]"
    troubles: dict[str, str]


@asynccontextmanager
async def a_house(timeouts: Timeouts = PATIENT, request_seconds: float = REQUEST_SECONDS) -> AsyncIterator[House]:
    clock = SettableClock(NOW)
    troubles = {"database": "", "slack": "", "scheduler": ""}

    def probe_of(name: str) -> Probe:
        async def probe() -> str:
            return troubles[name]

        return probe

    async with StandIn(clock) as slack, aiohttp.ClientSession() as http:
        slack.patience = LONG_SECONDS
        echo = Echo(slack)
        health = Health({name: probe_of(name) for name in troubles})
        app = build_app(Dispatcher(echo.app), Guard(slack.signing_secret, clock), health, timeouts=timeouts)
        ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(serve(app, "127.0.0.1", 0, ready=ready, request_seconds=request_seconds))
        port = await ready
        url = f"http://127.0.0.1:{port}"
        slack.send_to(f"{url}/slack/events")
        yield House(slack, echo, url, port, http, serving, troubles)
        serving.cancel()
        await asyncio.wait([serving])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_house() -> AsyncIterator[House]:
    async with a_house() as opened:
        yield opened


@pytest.fixture
def house(one_house: House) -> House:
    one_house.echo.heard.clear()
    one_house.echo.retries.clear()
    one_house.troubles.update(dict.fromkeys(one_house.troubles, ""))
    return one_house


async def test_a_command_is_answered(house: House) -> None:
    ana = house.slack.user("ana")
    answer = await house.slack.command(ana, house.slack.channel("ops", [ana]), "/timeline 14:05 failed over")
    assert (answer.text, answer.error) == ("heard: 14:05 failed over", "")


async def test_an_answer_is_not_held_back_by_the_network(house: House) -> None:
    """Nagle's algorithm and a delayed acknowledgement make 40 ms where a command takes one."""
    ana = house.slack.user("ana")
    await house.slack.command(ana, house.slack.channel("ops", [ana]), "/timeline x")
    assert set(without_delay(house.port)) == {True}


async def test_the_word_payload_does_not_lose_a_command(house: House) -> None:
    ana = house.slack.user("ana")
    channel = house.slack.channel("inc-payload-api", [ana])
    answer = await house.slack.command(ana, channel, "/timeline rolled back the bad payload={}")
    assert answer.text == "heard: rolled back the bad payload={}"


async def test_an_event_is_heard_and_its_repeat_says_so(house: House) -> None:
    first = await house.slack.event({"type": "app_mention", "user": "U1", "text": "hello", "channel": "C1"})
    again = await house.slack.deliver_again(first)
    assert (first.error, again.error) == ("", "")
    assert [body["event"]["text"] for body in house.echo.heard] == ["hello", "hello"]
    assert house.echo.retries == ["1"]


async def test_an_event_that_nothing_answers_is_taken_and_a_command_is_not(house: House) -> None:
    ana = house.slack.user("ana")
    assert (await house.slack.event({"type": "pin_added", "user": ana, "channel_id": "C1"})).status == 200
    assert (await house.slack.command(ana, house.slack.channel("ops", [ana]), "/unknown x")).status == 404


async def test_a_button_that_only_opens_a_link_needs_no_listener(house: House) -> None:
    body = json.dumps({"type": "block_actions", "actions": [{"action_id": "link", "block_id": "b"}], "team": None})
    raw = urlencode({"payload": body}).encode()
    reply = await house.slack.raw_post(FORM | house.slack.http.sign(raw), raw)
    assert reply.status == 200


async def test_an_error_in_a_listener_is_500_and_says_nothing(house: House) -> None:
    ana = house.slack.user("ana")
    answer = await house.slack.command(ana, house.slack.channel("ops", [ana]), "/why x")
    assert (answer.status, answer.raw) == (500, b"")
    assert house.echo.heard == [{"error": "on purpose"}]


async def test_slack_verifies_the_address(house: House) -> None:
    raw = json.dumps({"type": "url_verification", "challenge": "abc", "token": "t"}).encode()
    reply = await house.slack.raw_post(JSON | house.slack.http.sign(raw), raw)
    assert (reply.status, reply.body) == (200, {"challenge": "abc"})


async def test_slack_checks_the_certificate(house: House) -> None:
    raw = b"ssl_check=1&token=t"
    assert (await house.slack.raw_post(FORM | house.slack.http.sign(raw), raw)).status == 200


async def test_a_stranger_is_turned_away_without_a_trace(house: House) -> None:
    for headers in ({}, {"X-Slack-Signature": "v0=\u00e9", "X-Slack-Request-Timestamp": "abc"}):
        reply = await house.slack.raw_post(JSON | headers, b"[" * 50_000)
        assert (reply.status, reply.raw) == (401, b"not signed as Slack signs")
    assert house.echo.heard == []


async def test_an_old_signature_and_one_of_another_secret_are_turned_away(house: House) -> None:
    raw = b"command=%2Ftimeline&text=x"
    assert (await house.slack.raw_post(FORM | house.slack.http.sign(raw, age=301), raw)).status == 401
    assert (await house.slack.raw_post(FORM | house.slack.http.sign(raw, secret="other"), raw)).status == 401
    assert house.echo.heard == []


async def test_a_signed_body_of_no_known_shape_does_not_bring_a_trace_out(house: House) -> None:
    for body in SHAPELESS:
        raw = json.dumps(body).encode()
        reply = await house.slack.raw_post(JSON | house.slack.http.sign(raw), raw)
        assert reply.status in (200, 400, 404, 500), body
        assert reply.raw in (b"", b'{"error": "unhandled request"}'), body


async def test_a_body_of_more_than_a_megabyte_is_refused_by_its_length_and_while_it_comes(house: House) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100_000

    url = f"{house.url}/slack/events"
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000001\r\n\r\n")
    assert b" 413 " in await reader.readline()
    writer.close()
    async with house.http.post(url, data=endless(), headers=JSON) as answer:
        assert answer.status == 413
    raw = json.dumps({"type": "event_callback", "event": {"type": "pin_added", "text": "x" * 900_000}}).encode()
    assert (await house.slack.raw_post(JSON | house.slack.http.sign(raw), raw)).status == 200


async def test_a_body_in_pieces_is_put_together_before_it_is_verified(house: House) -> None:
    raw = json.dumps({"type": "url_verification", "challenge": "in two halves"}).encode()

    async def halves() -> AsyncIterator[bytes]:
        yield raw[:20]
        await asyncio.sleep(0.02)
        yield raw[20:]

    signed = JSON | house.slack.http.sign(raw)
    async with house.http.post(f"{house.url}/slack/events", data=halves(), headers=signed) as answer:
        assert (answer.status, "in two halves" in await answer.text()) == (200, True)


async def test_a_body_whose_rest_does_not_come_is_refused() -> None:
    async with a_house(replace(PATIENT, request_body=0.05)) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf")
        assert b" 408 " in await reader.readline()
        writer.close()


async def test_whoever_sends_no_body_at_all_is_let_go() -> None:
    async with a_house(request_seconds=0.1) as house:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), LONG_SECONDS) == b""
        writer.close()


async def test_the_address_of_slack_takes_nothing_but_a_post(house: House) -> None:
    async with house.http.get(f"{house.url}/slack/events") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_a_body_that_breaks_off_disturbs_nobody(house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await reader.read() == b""
    async with house.http.get(f"{house.url}/healthz") as answer:
        assert answer.status == 200


async def test_nothing_that_anybody_wrote_is_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("slack_bolt").setLevel(logging.INFO)
    ana = house.slack.user("ana")
    channel = house.slack.channel("ops", [ana])
    for text in ("/timeline a canary sang", "/why a canary sang", "/unknown a canary sang"):
        await house.slack.command(ana, channel, text)
    raw = b"text=a+canary+sang"
    await house.slack.raw_post(FORM | house.slack.http.sign(raw, secret="other"), raw)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("bot.web")]
    assert any(line.startswith("Nothing in Afterword answers this request of Slack's (command).") for line in lines)
    assert "canary" not in caplog.text


async def test_health_is_told_thing_by_thing(house: House) -> None:
    async with house.http.get(f"{house.url}/readyz") as answer:
        assert (answer.status, await answer.json()) == (
            200,
            {"ready": True, "database": "ok", "slack": "ok", "scheduler": "ok"},
        )
    house.troubles["slack"] = "There's no live socket to Slack."
    async with house.http.get(f"{house.url}/readyz") as answer:
        body = await answer.json()
        assert (answer.status, body["ready"], body["slack"]) == (503, False, "There's no live socket to Slack.")
    async with house.http.get(f"{house.url}/healthz") as answer:
        assert (answer.status, await answer.text()) == (200, "alive")


async def test_metrics_count_what_was_answered(house: House) -> None:
    await house.slack.event({"type": "app_mention", "user": "U1", "text": "hello", "channel": "C1"})
    async with house.http.get(f"{house.url}/metrics") as answer:
        text = await answer.text()
        assert answer.content_type == "text/plain"
    assert 'afterword_requests_total{kind="event_callback",status="200"}' in text


async def test_a_request_under_way_is_answered_before_the_server_ends() -> None:
    async with a_house() as house:
        house.echo.go_on.clear()
        ana = house.slack.user("ana")
        command = asyncio.create_task(house.slack.command(ana, house.slack.channel("ops", [ana]), "/timeline x"))
        await until(lambda: house.echo.heard)
        house.serving.cancel()
        asyncio.get_running_loop().call_later(0.1, house.echo.go_on.set)
        assert (await command).text == "heard: x"
        await asyncio.wait([house.serving])
        assert house.serving.cancelled()


async def test_a_port_that_is_taken_is_said_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"127.0.0.1:{port}"):
            await serve(build_app(None, None, Health({})), "127.0.0.1", port)


async def test_without_a_way_in_there_is_health_only() -> None:
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(build_app(None, None, Health({})), "127.0.0.1", 0, ready=ready))
    url = f"http://127.0.0.1:{await ready}"
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{url}/readyz") as answer:
            assert answer.status == 200
        async with http.post(f"{url}/slack/events") as answer:
            assert answer.status == 404
    serving.cancel()
    await asyncio.wait([serving])
