"""Whatever a network can answer is one of three things: sent, surely not sent, or perhaps sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.sender import FileNotReady, FileUpload, OutgoingMessage, Sender, SendResult, SendVerdict
from tests.support.slack.proxy_answers import ODD, Odd, client_to

SAYING = OutgoingMessage("hello")


@asynccontextmanager
async def sender_to(url: str) -> AsyncIterator[Sender]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        client = AsyncWebClient("xoxb-" + "test", base_url=url, session=session, retry_handlers=[])
        client.proxy = None
        yield Sender(client)


async def send_answer(status: int, kind: str, body: bytes) -> tuple[SendResult, int]:
    """What an answer is taken for, and how many calls were made."""
    calls: list[str] = []
    async with client_to(Odd(status, kind, body), calls) as client:
        return await Sender(client).send("C1", SAYING, "key"), len(calls)


@pytest.mark.parametrize(
    "odd", [*ODD, Odd(500, "application/json", b'{"ok": false, "error": "channel_not_found"}')], ids=str
)
async def test_an_answer_that_is_not_slacks_may_come_after_the_message_was_taken(odd: Odd) -> None:
    result, calls = await send_answer(odd.status, odd.kind, odd.body)
    assert (result.verdict, calls) == (SendVerdict.PERHAPS, 1)
    assert result.error


@pytest.mark.parametrize("error", ["ratelimited", "rate_limited", "message_limit_exceeded"])
@pytest.mark.parametrize("status", [200, 429])
async def test_a_limit_is_surely_not_sent(status: int, error: str) -> None:
    body = b'{"ok": false, "error": "' + error.encode() + b'"}'
    result, _ = await send_answer(status, "application/json", body)
    assert (result.verdict, result.wait) == (SendVerdict.LATER, 30)


async def test_a_limit_told_by_a_proxy_is_surely_not_sent() -> None:
    result, _ = await send_answer(429, "text/html", b"<html>Slow down</html>")
    assert (result.verdict, result.wait) == (SendVerdict.LATER, 30)


@pytest.mark.parametrize("error", ["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"])
async def test_a_refused_token_stops_everything(error: str) -> None:
    result, _ = await send_answer(200, "application/json", b'{"ok": false, "error": "' + error.encode() + b'"}')
    assert (result.verdict, result.error) == (SendVerdict.LOCKED_OUT, error)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api/", "http://nobody.invalid/api/"], ids=["refused", "no name"])
async def test_a_slack_that_was_never_reached_has_taken_nothing(url: str) -> None:
    async with sender_to(url) as sender:
        assert (await sender.send("C1", SAYING, "key")).verdict is SendVerdict.LATER


async def test_a_connection_that_could_not_be_made_secure_has_carried_nothing() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, sender_to(f"https://127.0.0.1:{port}/api/") as sender:
        assert (await sender.send("C1", SAYING, "key")).verdict is SendVerdict.LATER


async def test_where_slack_refuses_the_form_it_is_asked_twice_and_no_more() -> None:
    result, calls = await send_answer(200, "application/json", b'{"ok": false, "error": "invalid_blocks"}')
    assert (result.verdict, result.error, calls) == (SendVerdict.NEVER, "invalid_blocks", 2)


async def test_a_file_that_is_still_being_made_is_surely_not_sent() -> None:
    async def not_yet() -> FileUpload:
        raise FileNotReady("not yet")

    async with sender_to("http://127.0.0.1:9/api/") as sender:
        result = await sender.send("C1", replace(SAYING, file=not_yet), "key")
    assert result == SendResult(SendVerdict.LATER, error="the file is still being made")
