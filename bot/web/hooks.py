"""The ways in for other systems: POST /hooks/alertmanager, /hooks/pagerduty, /hooks/jsm and /hooks/jira.

Each is there only with a secret.

A sender gets 200 once what it told is on disk (or was before), and 503 where it should tell it again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from prometheus_client import Counter
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.clock import Clock
from bot.errors import NotRecorded
from bot.incident.alerts import Alert
from bot.incident.payloads import PARSERS, Malformed
from bot.web.guard import Denied, json_object, read
from bot.web.proofs import Proof
from storage.drivers import DATABASE_ERRORS

log = logging.getLogger(__name__)

HOOKS = "/hooks"
BODY_SECONDS = 5.0
AT_ONCE = 4
"""So many webhooks write at the same time; others wait, so that whoever records waits for these at most."""

WAIT_SECONDS = 3.0
"""So long a webhook waits for its turn; then its sender is asked to come again."""

RETRY_AFTER = "10"
"""Seconds after which a sender is asked to come again."""

DEEPEST = 20
"""How deep a payload may be nested; what senders document is six deep at most."""

Headers = Mapping[str, str]


class Outcome(Protocol):
    """How much of what was told is taken, and how much was known already."""

    @property
    def taken(self) -> int: ...
    @property
    def repeated(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Ear:
    """What is done with a proven body: it is `read`, in a thread (raises Malformed); then what that gave is heard."""

    read: Callable[[dict[str, object], Headers, datetime], Any]
    hear: Callable[[Any, datetime], Awaitable[Outcome]]


def alert_ear(name: str, hear: Callable[[Sequence[Alert], datetime], Awaitable[Outcome]]) -> Ear:
    """That of one of the senders of alerts."""
    return Ear(lambda body, _, now: PARSERS[name](body, now), hear)


_OUTCOMES = Counter("afterword_hooks_total", "Webhooks by what became of them.", ["hook", "outcome"])


class Hook:
    """One address, as plain ASGI: who knocks is asked for proof, what they say is parsed, then heard."""

    def __init__(self, name: str, proof: Proof, ear: Ear, clock: Clock) -> None:
        self._name = name
        self._proof = proof
        self._ear = ear
        self._clock = clock
        self._writing = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        outcome, answer = await self._answered(headers, receive)
        _OUTCOMES.labels(self._name, outcome).inc()
        await answer(scope, receive, send)

    async def _answered(self, headers: Headers, receive: Receive) -> tuple[str, PlainTextResponse]:
        try:
            return await self._taken(headers, receive)
        except Denied as denied:
            log.warning("a webhook to %s/%s was refused with %d: %s", HOOKS, self._name, denied.status, denied)
            outcome = "unproven" if denied.status in (401, 403) else "malformed"
            return outcome, PlainTextResponse(str(denied), denied.status)
        except Malformed as malformed:
            log.warning("a webhook to %s/%s is not as its sender documents it: %s", HOOKS, self._name, malformed)
            return "malformed", PlainTextResponse(str(malformed), 400)
        except NotRecorded as error:
            log.warning("a webhook to %s/%s is to come again: %s", HOOKS, self._name, error)
            return "busy", _later(str(error))
        except DATABASE_ERRORS as error:
            log.warning("a webhook to %s/%s is to come again (%s)", HOOKS, self._name, type(error).__name__)
            return "busy", _later("The database does not answer.")

    async def _taken(self, headers: Headers, receive: Receive) -> tuple[str, PlainTextResponse]:
        self._proof.before(headers)
        raw = await read(headers, receive, BODY_SECONDS)
        now = self._clock.now()
        self._proof.of(headers, raw, now)
        # A megabyte of alerts takes a third of a second to read, and meanwhile the loop has Slack to answer.
        told = await asyncio.to_thread(lambda: self._ear.read(_shallow(raw), headers, now))
        heard = await self._written(told, now)
        outcome = "taken" if heard.taken else "repeated" if told else "nothing"
        return outcome, PlainTextResponse(f"{heard.taken} new, {heard.repeated} known or without meaning here")

    async def _written(self, told: Any, now: datetime) -> Outcome:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._writing.acquire()
        except TimeoutError:
            raise NotRecorded("Too many webhooks wait already.") from None
        try:
            return await self._ear.hear(told, now)
        finally:
            self._writing.release()


def route(name: str, proof: Proof, ear: Ear, clock: Clock) -> Route:
    """The address of a hook."""
    return Route(f"{HOOKS}/{name}", Hook(name, proof, ear, clock), methods=["POST"])


def _later(sentence: str) -> PlainTextResponse:
    return PlainTextResponse(sentence, 503, headers={"retry-after": RETRY_AFTER})


def _shallow(raw: bytes) -> dict[str, object]:
    """The JSON object in a body; raises Denied where there is none, or one nested deeper than any sender does."""
    try:
        found = json_object(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise Denied(400, "not UTF-8") from None
    level: list[object] = [found]
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return found
    raise Denied(400, "nested too deep")


def _children(parent: object) -> list[object]:
    if isinstance(parent, dict):
        return list(parent.values())
    return parent if isinstance(parent, list) else []
