"""The end of the server: nothing holds it up for ever."""

import asyncio

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.web import server


async def test_a_request_that_does_not_end_is_broken_off(caplog: pytest.LogCaptureFixture) -> None:
    asked = asyncio.Event()

    async def endless(_: Request) -> PlainTextResponse:
        asked.set()
        await asyncio.Event().wait()
        return PlainTextResponse("never")

    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        server.serve(Starlette(routes=[Route("/", endless)]), "127.0.0.1", 0, ready=ready, close_seconds=0.05),
    )
    async with aiohttp.ClientSession() as http:
        asking = asyncio.create_task(http.get(f"http://127.0.0.1:{await ready}/"))
        await asked.wait()
        serving.cancel()
        await asyncio.wait([serving])
        async with await asking as answer:
            assert answer.status == 500
    assert "stopped with unanswered requests: 1." in caplog.text
