"""HTTP: the way in for Slack where there is no socket, and what an operator looks at."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Generator

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import Misconfigured
from bot.web.dispatch import Dispatcher
from bot.web.guard import MOST_BYTES, Denied, Guard
from bot.web.health import Health

log = logging.getLogger(__name__)

READ_SECONDS = 3.0
"""Slack itself gives up after three seconds; who sends slower than that is not Slack."""

CLOSE_SECONDS = 10

Endpoint = Callable[[Request], Awaitable[Response]]


def build(dispatch: Dispatcher | None, guard: Guard | None, health: Health) -> Starlette:
    """The web application; without `dispatch` and `guard` (Socket Mode) it only tells how the bot is.

    POST /slack/events is every request of Slack's, GET /healthz says that the process lives, GET /readyz (200 or
    503) whether it can work, GET /metrics is Prometheus text.
    """
    routes = [
        Route("/healthz", _alive, methods=["GET"]),
        Route("/readyz", _ready(health), methods=["GET"]),
        Route("/metrics", _metrics, methods=["GET"]),
    ]
    if dispatch is not None and guard is not None:
        # First, for routes are tried in their order and this is the one that people wait for.
        routes.insert(0, Route("/slack/events", _slack(dispatch, guard), methods=["POST"]))
    return Starlette(routes=routes)


def _slack(dispatch: Dispatcher, guard: Guard) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            body = guard.admit(request.headers, await _read(request))
        except Denied as denied:
            log.warning("a request was refused with %d: %s", denied.status, denied)
            return PlainTextResponse(str(denied), denied.status)
        answer = await dispatch(body, request.headers)
        return Response(answer.body, answer.status, answer.first_headers_without_set_cookie())

    return endpoint


async def _read(request: Request) -> bytes:
    """The whole body; raises Denied where it is too long, or too slow in coming."""
    if int(request.headers.get("content-length", "0")) > MOST_BYTES:  # uvicorn lets nothing but a number through
        raise Denied(413, "the body is too long")
    raw = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > MOST_BYTES:
                    raise Denied(413, "the body is too long")
    except TimeoutError:
        raise Denied(408, "the body took too long") from None
    except ClientDisconnect:
        raise Denied(400, "the body broke off") from None
    return bytes(raw)


async def _alive(_: Request) -> Response:
    return PlainTextResponse("alive")


def _ready(health: Health) -> Endpoint:
    async def endpoint(_: Request) -> Response:
        found = await health.report()
        is_ready = not any(found.values())
        told = {"ready": is_ready, **{name: trouble or "ok" for name, trouble in found.items()}}
        return JSONResponse(told, 200 if is_ready else 503)

    return endpoint


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: whoever runs the loop decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def serve(app: Starlette, host: str, port: int, *, ready: "asyncio.Future[int] | None" = None) -> None:
    """Serve until cancelled, then let what runs finish (10 s).

    `ready` gets the port once connections are taken. Raises Misconfigured where the address cannot be had.
    """
    listener = _listen(host, port)
    server = _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=CLOSE_SECONDS,
        )
    )
    if ready is not None:
        ready.set_result(listener.getsockname()[1])  # the kernel queues connections from here on
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With no protocol named, asyncio does not know TCP and leaves Nagle's delay on: 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        msg = f"AFTERWORD_HOST and AFTERWORD_PORT name {host}:{port}, where nothing can listen ({error})."
        raise Misconfigured(msg) from error
    return listener
