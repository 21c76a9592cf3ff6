"""A small Bolt app for the tests of the ways in, and a look at the connections that were taken."""

import asyncio
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.rehearsal.server import StandIn


class Echo:
    """Answers /timeline with its text, opens errors in a modal, hears app_mention; `heard` is what came.

    Answers wait while `go_on` is not set.
    """

    def __init__(self, slack: StandIn) -> None:
        self.heard: list[dict[str, Any]] = []
        self.envelopes: list[str] = []
        self.retries: list[str] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

        async def authorize(**_: Any) -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=None, team_id="T0REHEARSE", bot_user_id=slack.bot_user_id)

        self.app = AsyncApp(
            authorize=authorize, process_before_response=True, signing_secret="unused", ssl_check_enabled=True
        )
        self.app.command("/timeline")(self._echo)
        self.app.command("/why")(self._fail)
        self.app.event("app_mention")(self._hear)
        self.app.view("form")(self._complain)
        self.app.error(self._on_error)

    async def _echo(self, ack: Any, body: dict[str, Any], context: dict[str, Any]) -> None:
        self.heard.append(body)
        self.envelopes.append(context.get("envelope_id", ""))
        await self.go_on.wait()
        await ack(f"heard: {body['text']}")

    async def _fail(self, ack: Any) -> None:
        raise RuntimeError("on purpose")

    async def _hear(self, body: dict[str, Any], request: Any) -> None:
        self.heard.append(body)
        self.retries += request.headers.get("x-slack-retry-num", [])

    async def _complain(self, ack: Any) -> None:
        await ack(response_action="errors", errors={"b": "No."})

    async def _on_error(self, error: Exception) -> None:
        self.heard.append({"error": str(error)})


def without_delay(port: int) -> Iterator[bool]:
    """Of every connection that this process has taken on the port: whether its answers leave at once (TCP_NODELAY)."""
    for descriptor in sorted(int(path.name) for path in Path("/dev/fd").iterdir()):
        with suppress(OSError):  # the folder's own descriptor, and the socket that listens
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                with socket.socket(fileno=os.dup(descriptor)) as one:
                    if one.family == socket.AF_INET and one.getsockname()[1] == port and one.getpeername():
                        yield bool(one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
