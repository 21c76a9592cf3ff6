"""Socket Mode: requests over a connection that the bot opens and keeps open, so that it needs no public address."""

import asyncio
import contextlib
import json
import logging
import time
from typing import Any

import aiohttp
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.timeouts import Timeouts
from bot.web.slack_endpoint import Dispatcher

log = logging.getLogger(__name__)

# Where it can, slack_sdk's client reconnects within seconds; after a minute it is stuck.
PATIENCE_SECONDS = 60.0
CLOSE_SECONDS = 10.0
HANG_UP_SECONDS = 2.0
LOOK_SECONDS = 0.5
# At least so long between two dials: Slack limits how often an app asks for an address (tier 1).
REDIAL_SECONDS = 5.0


def _drop_trace(record: logging.LogRecord) -> bool:
    # If Slack cannot be reached, the line names the cause, and a traceback adds nothing.
    record.exc_info = None
    return True


# The client logs whole messages at DEBUG, and a traceback for each failed attempt to connect.
_client_log = logging.getLogger(f"{__name__}.client")
_client_log.setLevel(logging.WARNING)
_client_log.addFilter(_drop_trace)


class SocketMode:
    """One connection to Slack, over which deliveries come in and answers go back.

    slack_sdk's client reconnects, but it can get stuck, for instance dialling an expired address for ever. After
    `patience` seconds without a live socket the client is replaced. `expected` is how many connections the app has
    when all its replicas run.
    """

    def __init__(
        self,
        app_token: str,
        web_client: AsyncWebClient,
        dispatch: Dispatcher,
        *,
        expected: int = 1,
        patience: float = PATIENCE_SECONDS,
        timeouts: Timeouts = Timeouts(),
    ) -> None:
        self._app_token = app_token
        self._web_client = web_client
        self._dispatch = dispatch
        self._expected = expected
        self._patience = patience
        self._timeouts = timeouts
        self._client: SocketModeClient | None = None
        self._redialing: asyncio.Task[None] | None = None
        self._redialed = -REDIAL_SECONDS
        self._in_flight: set[asyncio.Task[Any]] = set()
        self._closing = asyncio.Event()
        self.num_connections = 0
        """How many connections the app has according to Slack's last hello: one for each replica."""
        self.rebuilt = 0

    async def is_connected(self) -> bool:
        """Whether there is a live socket that Slack has greeted."""
        return self._client is not None and self.num_connections > 0 and bool(await self._client.is_connected())

    async def probe(self) -> str:
        """What is wrong, for the health report; empty if nothing is."""
        return "" if await self.is_connected() else "There's no live socket to Slack."

    async def run(self) -> None:
        """Stay connected until closed; cancelling it closes it."""
        while not self._closing.is_set():
            connecting = self._open()
            try:
                await self._until_dead()
                if not self._closing.is_set():
                    self.rebuilt += 1
                    log.error(
                        "No socket to Slack for %(seconds)g s. It's connecting again. Check the network and "
                        "the proxy if this repeats.",
                        {"event": "socket_rebuilt", "seconds": self._patience},
                    )
                    await self._drop()
            except asyncio.CancelledError:
                self._closing.set()
                raise
            finally:
                connecting.cancel()
                await asyncio.wait([connecting])
                if self._closing.is_set():
                    await self.close()

    async def close(self) -> None:
        """Accept no more deliveries, finish those under way (10 s at most), then hang up."""
        self._closing.set()
        await self._drain()
        await self._drop()

    async def _drain(self) -> None:
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=CLOSE_SECONDS)

    def _open(self) -> "asyncio.Task[None]":
        client = SocketModeClient(
            app_token=self._app_token,
            logger=_client_log,
            web_client=self._web_client,
            ping_interval=self._timeouts.socket_ping,
        )
        client.proxy = self._web_client.proxy  # else the environment's, even to this machine
        client.message_listeners.append(self._on_message)
        client.socket_mode_request_listeners.append(self._on_envelope)
        self._client = client
        # A task, because slack_sdk's `connect` may retry for ever, and this loop must see whether it succeeds.
        return asyncio.create_task(client.connect(), name="afterword-socket-connect")  # type: ignore[no-untyped-call]

    async def _until_dead(self) -> None:
        """Return after `patience` seconds without a live socket, or on close."""
        alive = time.monotonic()
        while not self._closing.is_set() and time.monotonic() - alive < self._patience:
            if await self.is_connected():
                alive = time.monotonic()
            else:
                self._redial()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(LOOK_SECONDS, self._patience / 4)):
                    await self._closing.wait()

    def _redial(self) -> None:
        """Request a new socket after a break at once: the client itself checks only every few seconds."""
        client = self._client
        was_lately = time.monotonic() - self._redialed < REDIAL_SECONDS
        if was_lately or client is None or client.current_session is None or not client.current_session.closed:
            return
        self._redialed = time.monotonic()
        self._redialing = asyncio.create_task(_reconnect(client), name="afterword-socket-redial")

    async def _drop(self) -> None:
        client, self._client = self._client, None
        self.num_connections = 0
        if self._redialing is not None:
            self._redialing.cancel()
        if client is None:
            return
        # The client is thrown away: that it could not say goodbye changes nothing.
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with asyncio.timeout(HANG_UP_SECONDS):
                await client.close()  # type: ignore[no-untyped-call]
        client.message_processor.cancel()  # `close` leaves it running if the other side does not answer
        await client.aiohttp_client_session.close()

    async def _on_message(
        self, client: AsyncBaseSocketModeClient, message: dict[str, Any], raw: str | None = None
    ) -> None:
        # The old client may still hear something while it is being dropped.
        if client is not self._client or message.get("type") != "hello":
            return
        self.num_connections = int(message.get("num_connections") or 1)
        log.info(
            "Connected to Slack. Connections of this app: %(connections)d.",
            {"event": "socket_connected", "connections": self.num_connections},
        )
        if self.num_connections > self._expected:
            log.warning(
                "The app has %(connections)d connections instead of %(expected)d. Slack gives each request to one of "
                "them: stop the other process that uses this app token.",
                {
                    "event": "socket_connections_unexpected",
                    "connections": self.num_connections,
                    "expected": self._expected,
                },
            )

    async def _on_envelope(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        task = asyncio.current_task()
        if self._closing.is_set() or task is None:
            return  # without an acknowledgement Slack repeats an event, and shows an error for a command
        # Known to `close`, which lets deliveries under way finish before it hangs up.
        self._in_flight.add(task)
        try:
            response = await self._dispatch(request.payload, _retry_headers(request), request.envelope_id)
            answer = _acknowledge(request, response)
            if answer is not None:
                await client.send_message(answer)
        except (aiohttp.ClientError, OSError) as error:
            log.warning(
                "An answer didn't reach Slack over the socket (%(cause)s). What was asked took effect.",
                {"event": "socket_answer_lost", "cause": type(error).__name__},
            )
        finally:
            self._in_flight.discard(task)


async def _reconnect(client: SocketModeClient) -> None:
    try:
        await client.connect_to_new_endpoint()
    except (SlackClientError, aiohttp.ClientError, OSError) as error:
        log.warning(
            "Slack didn't open a socket (%(cause)s). It's tried again by itself.",
            {"event": "socket_refused", "cause": type(error).__name__},
        )


def _retry_headers(request: SocketModeRequest) -> dict[str, str]:
    """The headers that the delivery would have over HTTP."""
    headers = {}
    if request.retry_attempt:
        headers["x-slack-retry-num"] = str(request.retry_attempt)
    if request.retry_reason:
        headers["x-slack-retry-reason"] = request.retry_reason
    return headers


def _acknowledge(request: SocketModeRequest, response: BoltResponse) -> str | None:
    """The acknowledgement as JSON; None after a failure: Slack repeats an event and shows an error for a command."""
    envelope: dict[str, Any] = {"envelope_id": request.envelope_id}
    if response.status == 400:  # logged; the same again would not be read either
        return json.dumps(envelope)
    if response.status != 200:
        log.warning(
            "A request over the socket (%(kind)s) was refused with %(status)d. Slack repeats it if it's an event.",
            {"event": "envelope_refused", "kind": request.type, "status": response.status},
        )
        return None
    if not response.body or not request.accepts_response_payload:
        return json.dumps(envelope)
    if response.headers.get("content-type", [""])[0].startswith("application/json"):
        # The body is JSON already: a receipt is not read only to be written again.
        return f'{json.dumps(envelope)[:-1]}, "payload": {response.body}}}'
    return json.dumps(envelope | {"payload": {"text": response.body}})
