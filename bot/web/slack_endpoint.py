"""The way from Slack to Bolt, for HTTP requests and for envelopes of a socket.

`Guard` lets only whole, signed, well-formed bodies through; `Dispatcher` hands them to Bolt and returns its answer.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from prometheus_client import Counter, Histogram
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import Clock as SignatureClock
from slack_sdk.signature import SignatureVerifier
from starlette.types import Receive

from bot.clock import Clock
from bot.errors import AfterwordError

MOST_BYTES = 1_000_000
MOST_FIELDS = 100
"""A command has about fifteen fields."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


class DeniedError(AfterwordError):
    """A request that goes no further; `status` is the HTTP status it gets."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Now(SignatureClock):
    """Our clock as the verifier reads it, in seconds since 1970."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now().timestamp()


class Guard:
    """Verifies the signature over the raw bytes, then reads them once.

    The rule is Slack's (docs.slack.dev/authentication/verifying-requests-from-slack): HMAC-SHA256 with the signing
    secret, and a timestamp within five minutes. A request repeated within these is for the inbox to find out.
    Raises ValueError on an empty secret, with which anybody could sign.
    """

    def __init__(self, signing_secret: str, clock: Clock) -> None:
        self._verifier = SignatureVerifier(signing_secret, _Now(clock))

    def admit(self, headers: Mapping[str, str], raw: bytes) -> dict[str, Any]:
        """The parsed body. `headers` are lower case. Raises DeniedError: 401 if not from Slack, 400 if malformed."""
        self._verify(headers, raw)
        return _parse(headers.get("content-type", ""), raw.decode("utf-8"))

    def _verify(self, headers: Mapping[str, str], raw: bytes) -> None:
        timestamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        # The verifier raises on what is no number and on what is not ASCII; both come from anybody.
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            raise DeniedError(401, "not signed as Slack signs")
        try:
            is_valid = self._verifier.is_valid(raw, timestamp, signature)
        except UnicodeDecodeError:
            raise DeniedError(400, "not UTF-8") from None
        if not is_valid:
            raise DeniedError(401, "the signature is not Slack's, or it is older than five minutes")


def _parse(content_type: str, text: str) -> dict[str, Any]:
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            return parse_json_object(text)
        case "application/x-www-form-urlencoded":
            return _parse_form(text)
        case _:
            raise DeniedError(400, "neither a form nor JSON")


def _parse_form(text: str) -> dict[str, Any]:
    """A command's fields; or, of an interaction, what its one field `payload` says."""
    try:
        form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise DeniedError(400, "not a form") from None
    return parse_json_object(form["payload"]) if "payload" in form and "command" not in form else dict(form)


def parse_json_object(text: str) -> dict[str, Any]:
    """The JSON object of a text. Raises DeniedError (400) for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise DeniedError(400, "not JSON") from None
    if not isinstance(found, dict):
        raise DeniedError(400, "not an object")
    return found


async def read_body(headers: Mapping[str, str], receive: Receive, seconds: float) -> bytes:
    """The whole body. Raises DeniedError if it is too long or too slow."""
    if int(headers.get("content-length", "0")) > MOST_BYTES:  # uvicorn lets nothing but a number through
        raise DeniedError(413, "the body is too long")
    raw, is_whole = bytearray(), False
    try:
        async with asyncio.timeout(seconds):
            while not is_whole:
                message = await receive()
                if message["type"] != "http.request":
                    raise DeniedError(400, "the body broke off")
                raw += message.get("body", b"")
                if len(raw) > MOST_BYTES:
                    raise DeniedError(413, "the body is too long")
                is_whole = not message.get("more_body", False)
    except TimeoutError:
        raise DeniedError(408, "the body took too long") from None
    return bytes(raw)


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
def _answer_counter(kind: str, status: int) -> Counter:
    """Looked up once: prometheus_client takes a lock to find a label's counter, and one more to count."""
    return _ANSWERS.labels(kind, str(status))


@cache
def _duration_histogram(kind: str) -> Histogram:
    return _SECONDS.labels(kind)


def find_kind(body: Body) -> str:
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
        kind = find_kind(body)
        began = time.monotonic()
        response = await self._answer(kind, body, headers, envelope_id)
        _duration_histogram(kind).observe(time.monotonic() - began)
        _answer_counter(kind, response.status).inc()
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
