"""A small Bolt app for the tests of the ways in."""

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.rehearsal.standin import StandIn


class Echo:
    """Answers /timeline with its text, opens errors in a modal, hears app_mention; `heard` is what came."""

    def __init__(self, slack: StandIn) -> None:
        self.heard: list[dict[str, Any]] = []
        self.envelopes: list[str] = []
        self.retries: list[str] = []
        self.pause = 0.0

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
        await asyncio.sleep(self.pause)
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
