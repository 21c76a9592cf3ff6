"""The ways in for monitoring: POST /hooks/alertmanager, /hooks/pagerduty and /hooks/jsm, each there only with a secret.

A sender gets 200 once what it told is on disk (or was before), and 503 where it should tell it again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from prometheus_client import Counter
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.clock import Clock
from bot.errors import NotRecorded
from bot.incident.alerts import Alert
from bot.incident.payloads import PARSERS, Malformed
from bot.scribe.alerts import Heard
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

Hear = Callable[[Sequence[Alert]], Awaitable[Heard]]

_OUTCOMES = Counter("afterword_hooks_total", "Webhooks of monitoring, by what became of them.", ["hook", "outcome"])


class Hook:
    """One address, as plain ASGI: who knocks is asked for proof, what they say is parsed, then heard."""

    def __init__(self, name: str, proof: Proof, hear: Hear, clock: Clock) -> None:
        self._name = name
        self._proof = proof
        self._hear = hear
        self._clock = clock
        self._writing = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        outcome, answer = await self._answered(headers, receive)
        _OUTCOMES.labels(self._name, outcome).inc()
        await answer(scope, receive, send)

    async def _answered(self, headers: Mapping[str, str], receive: Receive) -> tuple[str, PlainTextResponse]:
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

    async def _taken(self, headers: Mapping[str, str], receive: Receive) -> tuple[str, PlainTextResponse]:
        self._proof.before(headers)
        raw = await read(headers, receive, BODY_SECONDS)
        now = self._clock.now()
        self._proof.of(headers, raw, now)
        # A megabyte of alerts takes a third of a second to read, and meanwhile the loop has Slack to answer.
        told = await asyncio.to_thread(lambda: PARSERS[self._name](_shallow(raw), now))
        heard = await self._written(told)
        outcome = "taken" if heard.taken else "repeated" if told else "nothing"
        return outcome, PlainTextResponse(f"{heard.taken} new, {heard.repeated} known or without meaning here")

    async def _written(self, told: Sequence[Alert]) -> Heard:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._writing.acquire()
        except TimeoutError:
            raise NotRecorded("Too many webhooks wait already.") from None
        try:
            return await self._hear(told)
        finally:
            self._writing.release()


def routes(proofs: Mapping[str, Proof], hear: Hear, clock: Clock) -> list[Route]:
    """The addresses of those hooks that have a proof; the others are not there."""
    return [
        Route(f"{HOOKS}/{name}", Hook(name, proof, hear, clock), methods=["POST"]) for name, proof in proofs.items()
    ]


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
