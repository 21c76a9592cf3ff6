"""How the stand-in reaches the app: signed requests to a URL, or envelopes over a socket."""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from bot.clock import Clock
from bot.rehearsal.screen import AppDelivery
from bot.rehearsal.workspace import Json

PATIENCE = 3.0
MOST_SOCKETS = 10


@dataclass(frozen=True, slots=True)
class AppReply:
    """What the app said: its HTTP status (0 for nothing) and bytes, or the error Slack would show."""

    status: int = 0
    raw: bytes = b""
    error: str = ""

    @property
    def body(self) -> Any:
        """The reply decoded: an object where it is JSON, else text."""
        text = self.raw.decode(errors="replace")
        if not text.startswith("{"):
            return text
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return text


class HttpSender:
    """Posts to the app's request URL, signed at the workspace clock's time."""

    def __init__(self, clock: Clock, secret: str) -> None:
        self.clock = clock
        self.secret = secret
        self.url = ""
        self.session: aiohttp.ClientSession | None = None

    def signed(self, body: bytes, *, secret: str = "", age: float = 0) -> dict[str, str]:
        """The headers Slack signs a body with; `age` in seconds makes it an old one."""
        stamp = str(int(self.clock.now().timestamp() - age))
        base = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new((secret or self.secret).encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    async def deliver(self, delivery: AppDelivery, patience: float) -> AppReply:
        """Send one delivery and wait for the app."""
        kind, body = encode(delivery)
        headers = {"Content-Type": kind, "User-Agent": "Slackbot 1.0", **self.signed(body)}
        if delivery.attempt:
            headers |= {"X-Slack-Retry-Num": str(delivery.attempt), "X-Slack-Retry-Reason": delivery.reason}
        return await self.post(headers, body, patience)

    async def post(self, headers: Mapping[str, str], body: bytes, patience: float) -> AppReply:
        """Send bytes as they are; a status that is no success is an error to the person."""
        if self.session is None:
            self.session = aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=patience)
        try:
            async with self.session.post(self.url, data=body, headers=headers, timeout=timeout) as answer:
                raw = await answer.read()
                return AppReply(answer.status, raw, "" if answer.ok else "dispatch_failed")
        except TimeoutError:
            return AppReply(error="operation_timeout")
        except aiohttp.ClientError:
            return AppReply(error="dispatch_failed")

    async def close(self) -> None:
        """Let go of the connections."""
        if self.session is not None:
            await self.session.close()
            self.session = None


def encode(delivery: AppDelivery) -> tuple[str, bytes]:
    """The content type and the bytes of a delivery over HTTP."""
    if delivery.kind == "events_api":
        return "application/json", json.dumps(delivery.payload).encode()
    form = delivery.payload if delivery.kind == "slash_commands" else {"payload": json.dumps(delivery.payload)}
    return "application/x-www-form-urlencoded", urlencode(form).encode()


class SocketSender:
    """The app's open sockets; an envelope goes to one of them, nobody knows which."""

    def __init__(self, app_id: str) -> None:
        self.app_id = app_id
        self.sockets: list[web.WebSocketResponse] = []
        self.retired: list[web.WebSocketResponse] = []
        self.tickets: set[str] = set()
        self.waiting: dict[str, asyncio.Future[Any]] = {}
        self.connected = asyncio.Event()

    def ticket(self) -> str:
        """A ticket for one connection."""
        ticket = secrets.token_hex(12)
        self.tickets.add(ticket)
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One socket, from hello to its end."""
        ticket = request.query.get("ticket", "")
        if ticket not in self.tickets:
            raise web.HTTPForbidden(text="invalid_ticket")
        self.tickets.discard(ticket)
        socket = web.WebSocketResponse(timeout=1.0)
        await socket.prepare(request)
        if len(self.sockets) >= MOST_SOCKETS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        self.sockets.append(socket)
        try:
            await socket.send_json(self._hello())
            self.connected.set()
            await self._listen(socket)
        finally:
            self._forget(socket)
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.sockets),
            "connection_info": {"app_id": self.app_id},
            "debug_info": {"host": "rehearsal", "build_number": 1, "approximate_connection_time": 18060},
        }

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            said = json.loads(message.data)
            waiter = self.waiting.pop(said.get("envelope_id", ""), None)
            if waiter is not None and not waiter.done():
                waiter.set_result(said.get("payload"))

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self.sockets:
            self.sockets.remove(socket)
        if not self.sockets:
            self.connected.clear()

    async def deliver(self, delivery: AppDelivery, patience: float) -> AppReply:
        """Send one envelope and wait until it is acknowledged."""
        live = [socket for socket in self.sockets if not socket.closed]
        if not live:
            return AppReply(error="dispatch_failed")
        envelope = secrets.token_hex(16)
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting[envelope] = waiter
        try:
            await secrets.choice(live).send_json(_make_envelope(envelope, delivery))
            payload = await asyncio.wait_for(waiter, patience)
        except TimeoutError:
            return AppReply(error="operation_timeout")
        except ConnectionError:
            return AppReply(error="dispatch_failed")
        finally:
            self.waiting.pop(envelope, None)
        return AppReply(200, b"" if payload is None else json.dumps(payload).encode())

    async def disconnect(self, reason: str, *, close: bool) -> None:
        """Tell every socket to go; with `close` at once, else they stay open but get nothing more."""
        leaving, self.sockets = self.sockets, []
        self.connected.clear()
        for socket in leaving:
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "rehearsal"}})
            if close:
                await socket.close()
        self.retired = [*self.retired, *([] if close else leaving)]

    async def close(self) -> None:
        """End every connection."""
        for socket in [*self.sockets, *self.retired]:
            await socket.close()


def _make_envelope(envelope: str, delivery: AppDelivery) -> Json:
    frame: Json = {
        "envelope_id": envelope,
        "type": delivery.kind,
        "payload": delivery.payload,
        "accepts_response_payload": delivery.kind != "events_api",
    }
    if delivery.kind == "events_api":
        frame |= {"retry_attempt": delivery.attempt, "retry_reason": delivery.reason}
    return frame
