"""From Slack to the listeners, for HTTP requests and for envelopes of a socket.

`Guard` lets only complete, signed, well-formed bodies through; `Dispatcher` hands commands to their listeners and
everything else to Bolt, and returns the answer.
"""

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from prometheus_client import Counter, Histogram
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.signature import Clock as SignatureClock
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from starlette.types import Receive

from bot import bounds
from bot.clock import Clock
from bot.errors import AfterwordError

MOST_FIELDS = 100
"""A command has about fifteen fields."""

Body = dict[str, Any]

_GROUPS = (dict, list)
_HALVES = re.compile("[\ud800-\udfff]")

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


class DeniedError(AfterwordError):
    """A request is rejected; `status` is its HTTP status."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Now(SignatureClock):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock.now().timestamp()


class Guard:
    """Verifies the signature over the raw bytes, then parses them.

    The rule is Slack's (docs.slack.dev/authentication/verifying-requests-from-slack): HMAC-SHA256 with the signing
    secret, and a timestamp within five minutes. The inbox finds requests repeated within these. Raises ValueError for
    an empty secret, with which anyone could sign.
    """

    def __init__(self, signing_secret: str, clock: Clock) -> None:
        self._verifier = SignatureVerifier(signing_secret, _Now(clock))

    def admit(self, headers: Mapping[str, str], raw: bytes) -> dict[str, Any]:
        """The parsed body. `headers` are lower case. Raises DeniedError: 401 if not from Slack, 400 if malformed."""
        # First, over the bytes as they came: what is parsed and written again has another signature (decision 1).
        self._verify(headers, raw)
        return _parse(headers.get("content-type", ""), raw.decode("utf-8"))

    def _verify(self, headers: Mapping[str, str], raw: bytes) -> None:
        timestamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        # The verifier itself would raise for a timestamp that is no number, or a signature that is not ASCII.
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
    """The fields of a command, or the object in an interaction's only field, `payload`."""
    try:
        # Blank values are kept: a command without words has an empty `text`, which must not be missing.
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


def to_plain(body: Body) -> Body:
    """The body with half characters (lone surrogates) replaced, which no database holds.

    Raises ValueError for numbers that none holds either, and for nesting deeper than Slack's.
    """
    level: list[Any] = [body]
    is_whole = True
    for _ in range(bounds.BODY_LEVELS):
        if any(isinstance(value, int | float) and not -(2.0**63) < value < 2.0**63 for value in level):
            raise ValueError("a number that is none of Slack's")
        is_whole = is_whole and all(_is_whole(value) for value in level if isinstance(value, str))
        groups = ((*one, *one.values()) if isinstance(one, dict) else one for one in level if isinstance(one, _GROUPS))
        level = [value for group in groups for value in group]
        if not level:
            return body if is_whole else _mend(body)
    raise ValueError("nested too deeply")


def _is_whole(text: str) -> bool:
    return text.isascii() or not _HALVES.search(text)


def _mend(body: Body) -> Body:
    mended: Body = json.loads(_HALVES.sub("\ufffd", json.dumps(body, ensure_ascii=False)))
    return mended


async def read_body(headers: Mapping[str, str], receive: Receive, seconds: float) -> bytes:
    """The whole body. Raises DeniedError if it is too long or too slow."""
    if int(headers.get("content-length", "0")) > bounds.BODY:  # uvicorn accepts only numbers
        raise DeniedError(413, "the body is too long")
    raw, is_whole = bytearray(), False
    try:
        async with asyncio.timeout(seconds):
            while not is_whole:
                message = await receive()
                if message["type"] != "http.request":
                    raise DeniedError(400, "the body broke off")
                raw += message.get("body", b"")
                if len(raw) > bounds.BODY:
                    raise DeniedError(413, "the body is too long")
                is_whole = not message.get("more_body", False)
    except TimeoutError:
        raise DeniedError(408, "the body took too long") from None
    return bytes(raw)


log = logging.getLogger(__name__)

# The kinds that Slack documents. A metric's label must not be text that a sender chose.
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

# No other header reaches Bolt: it would obey its own (`x-slack-bolt-…`), and the signature does not cover headers.
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
    # Cached: prometheus_client takes a lock to find the counter of a label, and another to count.
    return _ANSWERS.labels(kind, str(status))


@cache
def _duration_histogram(kind: str) -> Histogram:
    return _SECONDS.labels(kind)


def find_kind(body: Body) -> str:
    """The kind of a delivery, for metrics and the log; never text that a person wrote."""
    if "command" in body:
        return "command"
    if "ssl_check" in body:
        return "ssl_check"
    kind = body.get("type")
    return kind if isinstance(kind, str) and kind in _KINDS else "unknown"


def build_bolt(token: str, api_url: str, session: aiohttp.ClientSession) -> AsyncApp:
    """The Bolt app, without listeners. Whatever it gets has been verified: by `Guard`, or by Slack's socket."""

    async def authorize(**_: Any) -> AuthorizeResult:
        # Known from the settings. Calling auth.test here would delay the first record.
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=token)

    return AsyncApp(
        name="afterword",  # else Bolt names itself after its caller's file, and reads every source on the stack for it
        logger=logging.getLogger("slack_bolt"),  # Bolt's own loggers ignore the level set for them
        client=AsyncWebClient(base_url=api_url, session=session),
        authorize=authorize,
        process_before_response=True,  # the acknowledgement is what the listener returns, once that is on disk
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
    )


CommandListener = Callable[..., Awaitable[BoltResponse]]


class Dispatcher:
    """Hands verified, parsed deliveries to their listeners: a command to its own, everything else to Bolt.

    Bolt's way to a command's listener costs more than all that the listener does, and decides nothing (decision 55).
    It gets every body as a dict, as from a socket: its own parser of HTTP bodies parses before it verifies, and does
    not answer a command whose text or channel name contains "payload".
    """

    def __init__(self, app: AsyncApp, commands: Mapping[str, CommandListener] = MappingProxyType({})) -> None:
        self._app = app
        self._commands = commands

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
            command = self._commands.get(body["command"]) if kind == "command" else None
            # A command's listener checks its few fields itself: this is the way on which speed counts.
            response = await (command(body=body) if command else self._bolt(to_plain(body), headers, envelope_id))
        # Of a body of unknown shape. Errors of commands end in the boundary, those of other listeners in Bolt.
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            log.warning(
                "A signed request (%(kind)s) isn't as Slack documents it (%(cause)s). It was answered with 400.",
                {"event": "request_malformed", "kind": kind, "cause": type(error).__name__},
            )
            return BoltResponse(status=400)
        if response.status != 404:
            return response
        log.info(
            "Nothing in Afterword answers this request of Slack's (%(kind)s). If the app's manifest is older or "
            "newer than the bot, paste it again.",
            {"event": "request_unknown", "kind": kind},
        )
        # Slack repeats an event that is refused, and shows a warning under a button, even one that is only a link. But
        # the author of a command without a listener should see an error.
        return response if kind == "command" else BoltResponse(status=200)

    async def _bolt(self, body: Body, headers: Mapping[str, str], envelope_id: str) -> BoltResponse:
        request = AsyncBoltRequest(
            body=body,
            headers={name: headers[name] for name in _PASSED_ON if name in headers},
            mode="socket_mode",
            context={"envelope_id": envelope_id} if envelope_id else None,
        )
        return await self._app.async_dispatch(request)
