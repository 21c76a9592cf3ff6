"""From what Slack delivered to what it gets back: one road for HTTP requests and for envelopes of a socket."""

import logging
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from prometheus_client import Counter, Histogram
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse

log = logging.getLogger(__name__)

Body = dict[str, Any]

# Slack's words for what it delivers; a label of a metric must not be whatever somebody sends.
_KINDS = frozenset(
    {
        "app_rate_limited",
        "block_actions",
        "block_suggestion",
        "event_callback",
        "message_action",
        "shortcut",
        "url_verification",
        "view_closed",
        "view_submission",
    }
)

# Bolt's own headers (`x-slack-bolt-…`) would be obeyed, and a signature does not cover headers.
_PASSED_ON = ("x-slack-retry-num", "x-slack-retry-reason")

_ANSWERS = Counter("afterword_requests_total", "What Slack delivered, by kind and by status given.", ["kind", "status"])
_SECONDS = Histogram(
    "afterword_request_seconds",
    "Seconds until Slack had its answer; it waits for three.",
    ["kind"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3),
)


@cache
def _answers(kind: str, status: int) -> Counter:
    """Looked up once: prometheus_client takes a lock to find a label's counter, and one more to count."""
    return _ANSWERS.labels(kind, str(status))


@cache
def _seconds(kind: str) -> Histogram:
    return _SECONDS.labels(kind)


def kind_of(body: Body) -> str:
    """What a delivery is, in a word that holds nothing of what anybody wrote."""
    if "command" in body:
        return "command"
    if "ssl_check" in body:
        return "ssl_check"
    kind = body.get("type")
    return kind if isinstance(kind, str) and kind in _KINDS else "unknown"


class Dispatcher:
    """Hands parsed deliveries to Bolt.

    Bolt gets every body as a dict, as it does from a socket: its own parser of HTTP bodies answers nothing to any
    command whose text or channel name holds the word "payload", and parses before it verifies. Whoever calls
    has verified.
    """

    def __init__(self, app: AsyncApp) -> None:
        self._app = app

    async def __call__(self, body: Body, headers: Mapping[str, str], envelope_id: str = "") -> BoltResponse:
        """Answer one delivery; `headers` in lower case. Listeners find `envelope_id` in their context."""
        kind = kind_of(body)
        began = time.monotonic()
        response = await self._answer(kind, body, headers, envelope_id)
        _seconds(kind).observe(time.monotonic() - began)
        _answers(kind, response.status).inc()
        return response

    async def _answer(self, kind: str, body: Body, headers: Mapping[str, str], envelope_id: str) -> BoltResponse:
        try:
            response = await self._bolt(body, headers, envelope_id)
        # Listeners' errors end in Bolt's error handler; these are Bolt's own, at a body of a shape it does not know.
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            log.warning("a delivery (%s) has a shape that Slack does not send (%s)", kind, type(error).__name__)
            return BoltResponse(status=400)
        if response.status != 404:
            return response
        log.info("nothing here answers this delivery (%s)", kind)
        # Slack repeats an event that is refused, and warns under a button (also one that is only a link). A command
        # that nobody answers is an error that its author should see.
        return response if kind == "command" else BoltResponse(status=200)

    async def _bolt(self, body: Body, headers: Mapping[str, str], envelope_id: str) -> BoltResponse:
        request = AsyncBoltRequest(
            body=body,
            headers={name: headers[name] for name in _PASSED_ON if name in headers},
            mode="socket_mode",
            context={"envelope_id": envelope_id} if envelope_id else None,
        )
        return await self._app.async_dispatch(request)
