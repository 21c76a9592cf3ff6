"""The HTTP server: Slack's endpoint, webhooks, health and metrics.

uvicorn bounds neither the time nor the size of a request: a silent peer would hold its connection for ever, and headers
could fill the memory. `BoundedConnection` does. The endpoints bound the bodies that they read.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import ClassVar

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.errors import Misconfigured
from bot.timeouts import Timeouts
from bot.web.health import PROBE_SECONDS, Health
from bot.web.slack_endpoint import DeniedError, Dispatcher, Guard, read_body
from storage.database.drivers import database_errors

log = logging.getLogger(__name__)

REQUEST_SECONDS = 10.0
"""From the first byte, or from the connection if none comes; Slack itself gives up after three."""

MOST_HEAD_BYTES = 64 * 1024
"""Of a request's line and headers; what a proxy adds to Slack's is a few hundred."""


class BoundedConnection(HttpToolsProtocol):
    """Aborted if a request does not arrive within `seconds`, or has more headers than a request can need."""

    seconds: ClassVar[float] = REQUEST_SECONDS
    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0

    # uvicorn narrows the type that asyncio gives this method, and we follow uvicorn.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # Counted after the parser has seen the bytes: it says where the head ends.
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._abort("its headers are too long")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._start_deadline()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._stop_deadline()
        super().on_message_complete()

    def _start_deadline(self) -> None:
        self._stop_deadline()
        self._deadline = self.loop.call_later(self.seconds, self._abort, "it did not arrive in time")

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _abort(self, why: str) -> None:
        if not self.transport.is_closing():
            log.info("A connection was closed: %(cause)s.", {"event": "request_aborted", "cause": why})
        self.transport.abort()  # closing politely would wait for a peer that may not read


def limit_time(seconds: float) -> type[BoundedConnection]:
    """The class of connections that give each request so many seconds to arrive; uvicorn takes only a class."""
    return type("BoundedConnection", (BoundedConnection,), {"seconds": seconds})


SLACK_PATH = "/slack/events"

CLOSE_SECONDS = 10.0
LOOK_SECONDS = 0.005
DATE_SECONDS = 1.0

Endpoint = Callable[[Request], Awaitable[Response]]


def build_app(
    dispatch: Dispatcher | None,
    guard: Guard | None,
    health: Health,
    hooks: Sequence[Route] = (),
    measure: Callable[[], Awaitable[None]] | None = None,
    timeouts: Timeouts = Timeouts(),
) -> Starlette:
    """The web application; without `dispatch` and `guard` (Socket Mode) it serves hooks, health and metrics.

    POST /slack/events takes every request from Slack, GET /healthz says that the process is alive, GET /readyz (200 or
    503) whether it can work, GET /metrics is Prometheus text.
    """
    routes = [
        Route("/healthz", _report_alive, methods=["GET"]),
        Route("/readyz", _make_ready_endpoint(health), methods=["GET"]),
        Route("/metrics", _make_metrics_endpoint(measure), methods=["GET"]),
        *hooks,
    ]
    if dispatch is None or guard is None:
        return Starlette(routes=routes)
    slack = _Slack(dispatch, guard, timeouts)
    return _Web(slack, [*routes, Route(SLACK_PATH, slack, methods=["POST"])])


class _Web(Starlette):
    """Sends Slack's requests straight to their endpoint: Starlette's layers cost as much as reading the request."""

    def __init__(self, slack: "_Slack", routes: list[Route]) -> None:
        super().__init__(routes=routes)
        self._slack = slack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == SLACK_PATH and scope["method"] == "POST":
            await self._slack(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class _Slack:
    """The endpoint of Slack's requests, as plain ASGI."""

    def __init__(self, dispatch: Dispatcher, guard: Guard, timeouts: Timeouts) -> None:
        self._dispatch = dispatch
        self._timeouts = timeouts
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            body = self._guard.admit(headers, await read_body(headers, receive, self._timeouts.request_body))
        except DeniedError as denied:
            log.warning(
                "A request to /slack/events was refused with %(status)d: %(cause)s",
                {"event": "request_refused", "status": denied.status, "cause": str(denied)},
            )
            await PlainTextResponse(str(denied), denied.status)(scope, receive, send)
            return
        answer = await self._dispatch(body, headers)
        content = answer.body.encode()
        answered = {**answer.first_headers_without_set_cookie(), "content-length": str(len(content))}
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answered.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        await send({"type": "http.response.body", "body": content})


async def _report_alive(_: Request) -> Response:
    return PlainTextResponse("alive")


def _make_ready_endpoint(health: Health) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        only = request.query_params.get("only", "")
        troubles = await health.report(only)
        if only and not troubles:
            return PlainTextResponse("There's no such check.", 404)
        is_ready = not any(troubles.values())
        report: dict[str, object] = {"ready": is_ready}
        report |= {name: trouble or "ok" for name, trouble in troubles.items()}
        if not only and (notes := health.list_notes()):
            report["notes"] = notes
        return JSONResponse(report, 200 if is_ready else 503)

    return endpoint


def _make_metrics_endpoint(measure: Callable[[], Awaitable[None]] | None) -> Endpoint:
    async def endpoint(_: Request) -> Response:
        # A database that does not answer leaves the gauges as they were; the counters matter most just then.
        with contextlib.suppress(TimeoutError, *database_errors()):
            async with asyncio.timeout(PROBE_SECONDS):
                await (measure or _measure_nothing)()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return endpoint


async def _measure_nothing() -> None:
    """Without a bot there are no queues."""


class _Server(uvicorn.Server):
    """uvicorn without signal handlers (the loop's owner decides when to stop), and without delay at its end.

    Unchanged, it checks every tenth of a second whether to end, and then always sleeps as long again.
    """

    def __init__(self, config: uvicorn.Config, close_seconds: float) -> None:
        super().__init__(config)
        self._close_seconds = close_seconds
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """End once requests under way are answered, after `close_seconds` at most."""
        self._leaving.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def main_loop(self) -> None:
        while not self._leaving.is_set():
            await self.on_tick(0)  # renews the Date header
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DATE_SECONDS):
                    await self._leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        under_way = self.server_state
        for connection in list(under_way.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self._close_seconds):
                while under_way.connections or under_way.tasks:  # noqa: ASYNC110 (uvicorn notifies no one)
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            log.warning(
                "The bot stopped with unanswered requests: %(requests)d. Their senders see an error.",
                {"event": "requests_aborted", "requests": len(under_way.tasks)},
            )
            for task in under_way.tasks:
                task.cancel()


async def serve(
    app: Starlette,
    host: str,
    port: int,
    *,
    ready: "asyncio.Future[int] | None" = None,
    request_seconds: float = REQUEST_SECONDS,
    close_seconds: float = CLOSE_SECONDS,
) -> None:
    """Serve until cancelled, then let requests under way finish within `close_seconds`.

    `ready` gets the port once connections are accepted; a request has `request_seconds` to arrive. Raises Misconfigured
    if the address cannot be bound.
    """
    listener = _listen(host, port)
    log.info(
        "Listening at http://%(host)s:%(port)d (/healthz, /readyz, /metrics). Ctrl-C stops.",
        {"event": "listening", "host": host, "port": listener.getsockname()[1]},
    )
    server = _Server(
        uvicorn.Config(
            app,
            http=limit_time(request_seconds),
            lifespan="off",
            ws="none",
            log_config=None,  # else uvicorn would replace our logging, with its rule of no text
            access_log=False,
            proxy_headers=False,  # no one's address is used, so no header needs to be believed
            server_header=False,
        ),
        close_seconds,
    )
    if ready is not None:
        ready.set_result(listener.getsockname()[1])  # the kernel queues connections from here on
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        # Shielded: cancelling us must not break off requests under way, which `leave` lets finish.
        await asyncio.shield(serving)
    finally:
        server.leave()
        await serving


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With no protocol named, asyncio does not know TCP and leaves Nagle's delay on: 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Else a restart would fail for a minute, while connections of the last run are in TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        raise Misconfigured(
            f"AFTERWORD_HOST and AFTERWORD_PORT name {host}:{port}, but nothing can listen there ({error})."
        ) from error
    return listener
