"""Whether Slack's Web API answers, and takes the bot's token: known from every call, or asked if there are none."""

import asyncio
import logging
import time
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.errors import CALL_ERRORS, parse_refusal

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""Between two looks at whether Slack has to be asked."""

QUIET_SECONDS = 60.0
"""Without any call for so long, Slack is asked."""

REFUSED_SECONDS = 30.0
"""Until the token is replaced every call is refused, so asking more often helps no one."""

SILENT_SECONDS = 10.0
"""A silence of so long is reported: a single call that fails is none."""


class Reachability:
    """Listens to all calls of Slack's Web API; `refusal` is Slack's error for the bot's token, empty if it takes it."""

    def __init__(self, count: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._heard = self._asked = count()
        self._silent_since: float | None = None
        self._cause = ""
        self.refusal = ""

    def trace(self) -> aiohttp.TraceConfig:
        """For the session of the client."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._note_end)
        config.on_request_exception.append(self._note_exception)
        return config

    async def _note_end(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, parameters: aiohttp.TraceRequestEndParams
    ) -> None:
        status = parameters.response.status
        if status >= 500:
            self.note_failure(f"status {status}")
        else:
            self.note_answer()

    async def _note_exception(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, found: aiohttp.TraceRequestExceptionParams
    ) -> None:
        # A call that we broke off says nothing about Slack.
        if not isinstance(found.exception, asyncio.CancelledError):
            self.note_failure(type(found.exception).__name__)

    def note_answer(self) -> None:
        """Slack answered."""
        self._heard, self._silent_since = self._count(), None

    def note_failure(self, cause: str) -> None:
        """A call got no answer."""
        self._cause = cause
        if self._silent_since is None:
            self._silent_since = self._count()

    @property
    def is_silent(self) -> bool:
        """Whether the last call got no answer."""
        return self._silent_since is not None

    async def probe(self) -> str:
        """What is wrong, for the health report; empty if all is well."""
        if self.refusal:
            return (
                f"Slack refuses the bot's token ({self.refusal}). Install the app again, and set SLACK_BOT_TOKEN to "
                "the new one. Messages wait meanwhile."
            )
        silence = 0.0 if self._silent_since is None else self._count() - self._silent_since
        if silence < SILENT_SECONDS:
            return ""
        return (
            f"Slack hasn't answered for {silence:.0f} s ({self._cause}). Check the network, the proxy and "
            "https://status.slack.com. Recording works; messages wait."
        )

    async def run(self, client: AsyncWebClient, on_return: Callable[[], None]) -> None:
        """Ask Slack while it is silent or no calls are made. `on_return` is called when it answers again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self.must_ask():
                await self.ask(client, on_return)

    def must_ask(self) -> bool:
        """Whether nothing else tells how Slack is."""
        if self.refusal:
            return self._count() - self._asked >= REFUSED_SECONDS
        return self.is_silent or self._count() - self._heard >= QUIET_SECONDS

    async def ask(self, client: AsyncWebClient, on_return: Callable[[], None]) -> None:
        """Ask Slack whether it takes the bot's token."""
        was_away, self._asked = self.is_silent or bool(self.refusal), self._count()
        try:
            await client.auth_test()
        except SlackApiError as error:
            refusal = parse_refusal(error)
            if refusal.is_locked_out:
                self._refuse(refusal.word)
            return
        except CALL_ERRORS:
            return  # noted by the trace
        self.refusal = ""
        if was_away and not self.is_silent:
            log.info("Slack answers again. What waited goes out now.", {"event": "slack_back"})
            on_return()

    def _refuse(self, word: str) -> None:
        if not self.refusal:
            log.error(
                "Slack refuses the bot's token (%(cause)s). Install the app again, and set SLACK_BOT_TOKEN to the new "
                "one.",
                {"event": "token_refused", "cause": word},
            )
        self.refusal = word
