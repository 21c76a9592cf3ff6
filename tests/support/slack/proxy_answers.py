"""Answers that are not Slack's: what proxies, captive portals and broken connections say in its place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.web.async_client import AsyncWebClient


@dataclass(frozen=True, slots=True)
class Odd:
    """One such answer."""

    status: int
    kind: str
    body: bytes


ODD = (
    Odd(200, "text/html", b"<html>Sign in to the network</html>"),
    Odd(200, "text/plain", b"ok"),
    Odd(503, "text/plain", b"upstream connect error or disconnect/reset before headers"),
    Odd(200, "application/json", b'{"ok": true, "ts": "17'),
    Odd(200, "application/json", b"[1]"),
    Odd(200, "application/json", b'"ok"'),
    Odd(200, "application/json", b"null"),
    Odd(200, "application/json", b"{}"),
    Odd(200, "application/json", b""),
    Odd(200, "application/json", b"\xff\xfe{"),
    Odd(502, "text/html", b"<html>Bad gateway</html>"),
    Odd(404, "text/html", b"<html>Not here</html>"),
    Odd(302, "text/html", b""),
)


@asynccontextmanager
async def client_to(odd: Odd, calls: list[str] | None = None) -> AsyncIterator[AsyncWebClient]:
    """A client of a Slack that answers every call so; `calls` gets the methods that were called."""

    async def answer(request: web.Request) -> web.Response:
        if calls is not None:
            calls.append(request.match_info["method"])
        return web.Response(status=odd.status, headers={"Content-Type": odd.kind}, body=odd.body)

    app = web.Application()
    app.router.add_route("*", "/api/{method}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("/api/"))
        yield AsyncWebClient("xoxb-" + "odd", base_url=url, session=session, retry_handlers=[])
