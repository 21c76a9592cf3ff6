"""Sockets and signed requests: what arrives, what does not, and what goes wrong on purpose."""

import asyncio
import json
import time
from urllib.parse import urlencode

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.rehearsal.server import StandIn
from tests.rehearsal.conftest import Scribe


async def test_with_nobody_listening_a_command_fails(slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    assert (await slack.command(ana, ops, "/note")).error == "dispatch_failed"
    slack.send_to("http://127.0.0.1:9/slack/events")
    assert (await slack.command(ana, ops, "/note")).error == "dispatch_failed"


async def test_a_late_answer_is_no_answer(app: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    slack.patience = 0.05
    app.modal = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": []}
    slack.fail("views.open", delay=0.2)
    assert (await slack.command(ana, ops, "/note")).error == "operation_timeout"
    await asyncio.sleep(0.25)


async def test_a_command_in_a_thread_never_reaches_the_app(app: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    ts = await slack.say(ana, ops, "x")
    answer = await slack.command(ana, ops, "/note x", thread_ts=ts)
    assert "not supported in threads" in answer.text
    assert app.heard == []


async def test_nobody_acts_where_they_are_not(slack: StandIn) -> None:
    ana, gone = slack.user("ana"), slack.user("gone", deleted=True)
    ops = slack.channel("ops", [gone])
    with pytest.raises(LookupError, match="ana is not in #ops"):
        await slack.command(ana, ops, "/note")
    with pytest.raises(LookupError, match="no active person"):
        await slack.command(gone, ops, "/note")
    with pytest.raises(LookupError, match="archived"):
        await slack.say(ana, slack.channel("old", [ana], archived=True), "x")


async def test_an_envelope_goes_to_one_of_the_sockets(by_socket: Scribe, slack: StandIn) -> None:
    second = AsyncSocketModeHandler(by_socket.bolt, slack.app_token)
    await second.connect_async()  # type: ignore[no-untyped-call]
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    for number in range(10):
        assert (await slack.command(ana, ops, f"/note {number}")).ok
    assert [body["text"] for body in by_socket.heard] == [str(number) for number in range(10)]
    await second.close_async()  # type: ignore[no-untyped-call]
    await second.client.aiohttp_client_session.close()


async def test_the_eleventh_socket_is_turned_away(slack: StandIn, client: AsyncWebClient) -> None:
    async with aiohttp.ClientSession() as session:
        open_sockets = []
        for number in range(11):
            url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
            open_sockets.append(await session.ws_connect(url))
            frame = await open_sockets[-1].receive_json()
            assert frame.get("num_connections") == (number + 1 if number < 10 else None)
        assert frame == {"type": "disconnect", "reason": "too_many_websockets"}
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


@pytest.mark.parametrize("close", [True, False])
async def test_after_a_refresh_the_app_is_there_again(by_socket: Scribe, slack: StandIn, close: bool) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    await slack.disconnect("refresh_requested", close=close)
    assert (await slack.command(ana, ops, "/note")).error in ("dispatch_failed", "")
    await slack.wait_for_socket()
    assert (await slack.command(ana, ops, "/note again")).ok


async def test_an_event_that_nobody_took_comes_again_three_times(app: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("ops", [ana])
    url, slack.http.url = slack.http.url, "http://127.0.0.1:9/"
    await slack.say(ana, ops, "@afterword hello")
    for _ in range(2):
        assert [answer.ok for answer in await slack.redeliver_unacked()] == [False]
    slack.http.url = url
    (answer,) = await slack.redeliver_unacked()
    assert answer.ok
    assert answer.delivery is not None
    assert answer.delivery.attempt == 3
    assert await slack.redeliver_unacked() == []
    assert len(app.heard) == 1


async def test_a_request_with_a_bad_signature_is_not_taken(by_http: Scribe, slack: StandIn) -> None:
    body = urlencode({"command": "/note", "text": "x"}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    sign = slack.http.sign
    for headers in ({}, sign(body, secret="other"), sign(body, age=301), sign(b"else")):
        assert (await slack.raw_post(form | headers, body)).status == 401
    check = json.dumps({"type": "url_verification", "challenge": "c4"}).encode()
    reply = await slack.raw_post({"Content-Type": "application/json", **slack.http.sign(check)}, check)
    assert (reply.status, reply.body) == (200, {"challenge": "c4"})


async def test_the_word_payload_arrives_in_text_and_channel_name(by_socket: Scribe, slack: StandIn) -> None:
    ana = slack.user("ana")
    ops = slack.channel("inc-payload-api", [ana])
    await slack.command(ana, ops, "/note rolled back the bad payload")
    assert (by_socket.heard[0]["text"], by_socket.heard[0]["channel_name"]) == (
        "rolled back the bad payload", "inc-payload-api",
    )  # fmt: skip


# --- faults ------------------------------------------------------------------------------------------------------


async def test_a_rate_limit_says_when_to_come_again(slack: StandIn, client: AsyncWebClient) -> None:
    ops = slack.channel("ops")
    slack.fail("chat.postMessage", "ratelimited", retry_after=7)
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=ops, text="x")
    assert (refused.value.response.status_code, refused.value.response.headers["Retry-After"]) == (429, "7")
    slack.fail("chat.postMessage", "ratelimited", retry_after=0)
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler())
    await client.chat_postMessage(channel=ops, text="y")
    assert [message.text for message in slack.messages(ops)] == ["y"]
    assert [call.ok for call in slack.calls] == [False, False, True]


@pytest.mark.parametrize(("drop", "written"), [("before", []), ("after", ["x"])])
async def test_a_cut_line_leaves_the_message_written_or_not(
    slack: StandIn, client: AsyncWebClient, drop: str, written: list[str]
) -> None:
    ops = slack.channel("ops")
    slack.fail("chat.postMessage", drop=drop)
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=ops, text="x")
    assert [message.text for message in slack.messages(ops)] == written


async def test_errors_pages_and_slowness_come_as_ordered(slack: StandIn, client: AsyncWebClient) -> None:
    ops = slack.channel("ops")
    slack.fail("chat.postMessage", "fatal_error", times=2)
    slack.fail("chat.postMessage", status=503, html=True)
    slack.fail("chat.postMessage", delay=0.05)
    for _ in range(2):
        with pytest.raises(SlackApiError, match="fatal_error"):
            await client.chat_postMessage(channel=ops, text="x")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=ops, text="x")
    assert refused.value.response.status_code == 503
    began = time.perf_counter()
    await client.chat_postMessage(channel=ops, text="x")
    assert time.perf_counter() - began >= 0.05
    assert len(slack.messages(ops)) == 1
