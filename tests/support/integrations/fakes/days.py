"""A server that keeps its state like the real one, and has bad days on demand."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HTML = "<html><body>Please sign in</body></html>"


@dataclass(frozen=True)
class BadDay:
    """What goes wrong with one request: `acts` first does it, `resets` cuts the line, `hangs` says nothing."""

    status: int = 500
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    acts: bool = False
    resets: bool = False
    hangs: bool = False


@dataclass(frozen=True)
class Seen:
    """A request that came in."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


def refuse_with(status: int, body: object, **headers: str) -> BadDay:
    return BadDay(status, json.dumps(body), {"Content-Type": "application/json", **headers})


def page(status: int) -> BadDay:
    return BadDay(status, HTML, {"Content-Type": "text/html; charset=utf-8"})


class Fake:
    """The base of every fake. A subclass adds its routes to `app` in `__init__`."""

    def __init__(self) -> None:
        @web.middleware
        async def day(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._day(request, handler)

        self.app = web.Application(middlewares=[day])
        self.seen: list[Seen] = []
        self.authorization = ""
        self.url = ""
        self._coming: list[tuple[re.Pattern[str], BadDay]] = []

    def next_time(self, request: str, *days: BadDay) -> None:
        """The next requests whose `METHOD /path` the pattern finds go wrong, in this order."""
        self._coming += [(re.compile(request), day) for day in days]

    def better(self) -> None:
        """No more bad days."""
        self._coming.clear()

    def find_calls(self, request: str) -> list[Seen]:
        return [seen for seen in self.seen if re.search(request, f"{seen.method} {seen.path}")]

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        async with TestServer(self.app) as server:
            self.url = str(server.make_url("")).rstrip("/")
            yield self.url

    async def _day(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw) if raw and request.content_type == "application/json" else raw
        seen = Seen(request.method, request.path, dict(request.query), body, dict(request.headers))
        self.seen.append(seen)
        day = self._bad_day(f"{seen.method} {seen.path}")
        if day is None:
            if not self._lets_in(request):
                return web.json_response({"errorMessages": ["You are not authenticated."]}, status=401)
            return await handler(request)
        if day.acts:
            await handler(request)
        if day.resets and request.transport:
            request.transport.abort()
        if day.hangs:
            await asyncio.Event().wait()
        return web.Response(status=day.status, text=day.body, headers=day.headers)

    def _lets_in(self, request: web.Request) -> bool:
        return not self.authorization or request.headers.get("Authorization") == self.authorization

    def _bad_day(self, request: str) -> BadDay | None:
        for index, (pattern, day) in enumerate(self._coming):
            if pattern.search(request):
                del self._coming[index]
                return day
        return None
