"""Deliveries to the app, by signed requests to a URL or envelopes over a socket, and the effect of its answers."""

import asyncio
import hashlib
import hmac
import io
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web

from bot.clock import Clock
from bot.rehearsal.screen import PersonReader, ShownMessage, show_message, unescape
from bot.rehearsal.web_api.chat import post_in_reply
from bot.rehearsal.web_api.views import change, check_body, push
from bot.rehearsal.workspace import BOT_SCOPES, ApiRefusal, Json, Message, ResponseUrl, StandInChannel, View, Workspace

PATIENCE = 3.0
"""Seconds in which Slack wants an acknowledgement."""
MOST_SOCKETS = 10
"""Slack's limit of open sockets per app."""
MOST_RETRIES = 3
"""Slack retries an event three times: at once, after one minute and after five."""
TROUBLE = "We had some trouble connecting. Try again?"


Kind = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True, slots=True)
class AppDelivery:
    """One request or envelope to the app; `attempt` counts the retries of an event."""

    kind: Kind
    payload: Json
    attempt: int = 0
    reason: str = ""


@dataclass(frozen=True)
class AppAnswer:
    """The result of one delivery, as the person who caused it sees it.

    `status` is the app's HTTP status (200 for an acknowledged envelope, 0 for none). `error` is what Slack shows in
    place of an answer (`operation_timeout`, `dispatch_failed`, …), or empty. `message` is the last message that the
    app sent by its acknowledgement or the response_url. `errors` are the complaints of a refused modal by block_id.
    """

    status: int = 0
    body: Any = ""
    error: str = ""
    raw: bytes = b""
    delivery: AppDelivery | None = None
    message: ShownMessage | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the app accepted the delivery."""
        return not self.error

    @property
    def ephemeral(self) -> ShownMessage | None:
        """The message, if only the person who acted sees it."""
        return self.message if self.message is not None and self.message.ephemeral_for else None

    @property
    def text(self) -> str:
        """What the person reads: all words of the message, else the text of the body, unescaped."""
        if self.message is not None:
            return self.message.plain
        return unescape(str(self.body.get("text", "") if isinstance(self.body, dict) else self.body))


def read_answer(status: int, raw: bytes, error: str = "") -> AppAnswer:
    """The answer that these bytes are; its body is decoded if it is a JSON object, else it is text."""
    text = raw.decode(errors="replace")
    body: Any = text
    if text.startswith("{"):
        with suppress(json.JSONDecodeError):
            body = json.loads(text)
    return AppAnswer(status, body, error, raw)


class HttpSender:
    """Posts to the app's request URL, signed at the workspace clock's time."""

    def __init__(self, clock: Clock, secret: str) -> None:
        self.clock = clock
        self.secret = secret
        self.url = ""
        self.session: aiohttp.ClientSession | None = None

    def sign(self, body: bytes, *, secret: str = "", age: float = 0) -> dict[str, str]:
        """The headers with Slack's signature of a body: by another secret, or as of `age` seconds ago."""
        stamp = str(int(self.clock.now().timestamp() - age))
        # After docs.slack.dev/authentication/verifying-requests-from-slack.
        base = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new((secret or self.secret).encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    async def deliver(self, delivery: AppDelivery, patience: float) -> AppAnswer:
        """Send one delivery and wait for the app."""
        kind, body = encode(delivery)
        headers = {"Content-Type": kind, "User-Agent": "Slackbot 1.0", **self.sign(body)}
        if delivery.attempt:
            headers |= {"X-Slack-Retry-Num": str(delivery.attempt), "X-Slack-Retry-Reason": delivery.reason}
        return await self.post(headers, body, patience)

    async def post(self, headers: Mapping[str, str], body: bytes, patience: float) -> AppAnswer:
        """Send bytes as they are; a status that is no success is an error to the person."""
        if self.session is None:
            self.session = aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=patience)
        try:
            sent = io.BytesIO(body)  # aiohttp warns of large bodies in bytes
            async with self.session.post(self.url, data=sent, headers=headers, timeout=timeout) as answer:
                raw = await answer.read()
                return read_answer(answer.status, raw, "" if answer.ok else "dispatch_failed")
        except TimeoutError:
            return AppAnswer(error="operation_timeout")
        except aiohttp.ClientError:
            return AppAnswer(error="dispatch_failed")

    async def close(self) -> None:
        """Close the connections."""
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
    """The app's open sockets. As in Slack, an envelope goes to any one of them."""

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
        # A second for the closing handshake: an app that was killed does not answer, and tests end often.
        socket = web.WebSocketResponse(timeout=1.0)
        await socket.prepare(request)
        # As in Slack: the connection is accepted, then ended with the reason.
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
            ack = json.loads(message.data)
            waiter = self.waiting.pop(ack.get("envelope_id", ""), None)
            # After a timeout the waiter is cancelled, and a late acknowledgement changes nothing.
            if waiter is not None and not waiter.done():
                waiter.set_result(ack.get("payload"))

    def _forget(self, socket: web.WebSocketResponse) -> None:
        if socket in self.sockets:
            self.sockets.remove(socket)
        if not self.sockets:
            self.connected.clear()

    async def deliver(self, delivery: AppDelivery, patience: float) -> AppAnswer:
        """Send one envelope and wait until it is acknowledged."""
        live = [socket for socket in self.sockets if not socket.closed]
        if not live:
            return AppAnswer(error="dispatch_failed")
        envelope = secrets.token_hex(16)
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting[envelope] = waiter
        try:
            # At random, as Slack does it: an app with several connections must not rely on one.
            await secrets.choice(live).send_json(_make_envelope(envelope, delivery))
            payload = await asyncio.wait_for(waiter, patience)
        except TimeoutError:
            return AppAnswer(error="operation_timeout")
        except ConnectionError:
            return AppAnswer(error="dispatch_failed")
        finally:
            self.waiting.pop(envelope, None)
        return read_answer(200, b"" if payload is None else json.dumps(payload).encode())

    async def disconnect(self, reason: str, *, close: bool) -> None:
        """Ask the app to leave every socket. Without `close` they stay open but get no more envelopes."""
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


class InteractionSender:
    """Sends what people do to the app and records every answer in `answers`; `patience` is in seconds."""

    def __init__(self, clock: Clock, *, team: str = "T0REHEARSE") -> None:
        self.clock = clock
        self.workspace = Workspace(clock, team)
        self.bot_token = self.workspace.new_token("xoxb", BOT_SCOPES)
        self.app_token = self.workspace.new_token("xapp", {"connections:write"})
        self.signing_secret = secrets.token_hex(16)
        self.http = HttpSender(clock, self.signing_secret)
        self.sockets = SocketSender(self.workspace.app_id)
        self.patience = PATIENCE
        self.answers: list[AppAnswer] = []
        self.unacked: list[AppDelivery] = []

    @property
    def bot_user_id(self) -> str:
        """The user id of the app's bot."""
        return self.workspace.bot_user_id

    # --- out ---------------------------------------------------------------------------------------------------

    async def deliver(self, delivery: AppDelivery) -> AppAnswer:
        """Send one delivery and apply the app's answer."""
        place = self._find_response_url(delivery)
        before = len(place.made) if place else 0
        answer = await (self.http if self.http.url else self.sockets).deliver(delivery, self.patience)
        answer = replace(answer, delivery=delivery)
        if not answer.error:
            answer = self._apply(answer, delivery, place)
        # Slack repeats events only; a command or a click that was not answered is lost, and the person sees an error.
        elif delivery.kind == "events_api" and delivery.attempt < MOST_RETRIES:
            self.unacked.append(delivery)
        if place and len(place.made) > before:
            answer = replace(answer, message=self.see(place.made[-1]))
        self.answers.append(answer)
        return answer

    async def deliver_again(self, answer: AppAnswer) -> AppAnswer:
        """Repeat a delivery; an event is marked as a retry."""
        if answer.delivery is None:
            raise LookupError("there was no delivery that could be repeated")
        return await self.deliver(self._retry(answer.delivery))

    async def redeliver_unacked(self) -> list[AppAnswer]:
        """Retry every event that was not acknowledged, without Slack's pauses."""
        unacked, self.unacked = self.unacked, []
        return [await self.deliver(self._retry(delivery)) for delivery in unacked]

    def _retry(self, delivery: AppDelivery) -> AppDelivery:
        if delivery.kind != "events_api":
            return delivery
        reason = "http_timeout" if self.http.url else "timeout"
        return replace(delivery, attempt=delivery.attempt + 1, reason=reason)

    async def raw_post(self, headers: dict[str, str], body: bytes) -> AppAnswer:
        """Post any bytes to the app's request URL, with only these headers."""
        return await self.http.post(headers, body, self.patience)

    # --- back --------------------------------------------------------------------------------------------------

    def _find_response_url(self, delivery: AppDelivery) -> ResponseUrl | None:
        key = str(delivery.payload.get("response_url", "")).rpartition("/")[2]
        return self.workspace.response_urls.get(key)

    def _apply(self, answer: AppAnswer, delivery: AppDelivery, place: ResponseUrl | None) -> AppAnswer:
        """Do what an acknowledgement asks for. Slack shows the person an error if it cannot be done."""
        content = answer.body if isinstance(answer.body, dict) else {}
        if delivery.kind == "slash_commands" and place:
            content = content or {"text": answer.body}
            if any(content.get(key) for key in ("text", "blocks", "attachments")):
                try:
                    post_in_reply(
                        self.workspace, place, content | {"replace_original": False, "delete_original": False}
                    )
                except ApiRefusal:
                    return replace(answer, error="invalid_command_response")
        if delivery.payload.get("type") == "view_submission":
            try:
                return self._apply_to_view(answer, self.workspace.views[delivery.payload["view"]["id"]], content)
            except ApiRefusal as refusal:
                return replace(answer, error=refusal.error, body={**content, "text": TROUBLE})
        return answer

    def _apply_to_view(self, answer: AppAnswer, view: View, content: Json) -> AppAnswer:
        stack = self.workspace.stacks.get(view.user, [])
        match content.get("response_action"):
            case "errors":
                return replace(answer, errors=_collect_errors(view, content.get("errors")))
            case "update":
                change(self.workspace, view, check_body(content.get("view") or {}, "modal"))
            case "push":
                push(self.workspace, view.user, check_body(content.get("view") or {}, "modal"))
            case "clear":
                stack.clear()
            case None:
                if view in stack:
                    del stack[stack.index(view) :]
            case _:
                raise ApiRefusal("invalid_arguments")
        return answer

    # --- who may do what ---------------------------------------------------------------------------------------

    def require_member(self, user: str, channel: str) -> StandInChannel:
        """The channel, if this person is in it and can write there. Raises LookupError, which says why not."""
        place = self.workspace.channels.get(channel)
        if place is None:
            raise LookupError(f"there is no channel {channel!r}")
        self.require_active(user)
        if user not in place.members:
            raise LookupError(f"{self.name_of(user)} is not in #{place.name}")
        if place.archived:
            raise LookupError(f"#{place.name} is archived: no one can do anything there")
        return place

    def require_active(self, user: str) -> None:
        """Raise LookupError unless this person can still sign in."""
        if user not in self.workspace.users or self.workspace.users[user].deleted:
            raise LookupError(f"there is no active person {user!r}")

    # --- what is seen ------------------------------------------------------------------------------------------

    def name_of(self, some_id: str) -> str:
        """The name that people see for a user or channel id; the id itself if it is unknown."""
        if some_id in self.workspace.users:
            return self.workspace.users[some_id].name
        channel = self.workspace.channels.get(some_id)
        return channel.name or "direct message" if channel else some_id

    def reader(self, user: str = "") -> PersonReader:
        """A reader with everyone's names and dates in this person's zone, or UTC without a person."""
        zone = self.workspace.users[user].zone if user else "UTC"
        return PersonReader(self.name_of, ZoneInfo(zone))

    def see(self, message: Message, user: str = "") -> ShownMessage:
        """A message as this person sees it, or its recipient if it is ephemeral."""
        return show_message(message, self.reader(user or message.ephemeral_for))


def _collect_errors(view: View, errors: Any) -> dict[str, str]:
    """The errors of a refused modal. Slack accepts them for input blocks only, else raises ApiRefusal."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise ApiRefusal("invalid_arguments")
    return {str(block): str(words) for block, words in errors.items()}
