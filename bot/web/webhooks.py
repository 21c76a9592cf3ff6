"""Webhooks of other systems: POST /hooks/alertmanager, /hooks/pagerduty, /hooks/jsm and /hooks/jira.

An address exists only if it has a secret. Its sender proves itself by a signature over the raw body, or by a bearer
token if it does not sign (Alertmanager, JSM). The answer is 200 once the content is on disk, and 503 to ask for it
again.
"""

import asyncio
import hashlib
import hmac
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from prometheus_client import Counter
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot import bounds
from bot.clock import Clock
from bot.domain.alerts.groups import Alert
from bot.domain.alerts.payloads import PARSERS
from bot.errors import MalformedPayloadError, NotRecorded
from bot.timeouts import Timeouts
from bot.web.slack_endpoint import DeniedError, parse_json_object, read_body
from storage.database.drivers import database_errors

log = logging.getLogger(__name__)

SKEW_SECONDS = 300
"""How far a signed timestamp may be from now, in either direction."""

Headers = Mapping[str, str]


class Authenticator(Protocol):
    """How a sender proves itself. Raises DeniedError: 401 for no proof, 403 for a wrong one. Headers are lower case."""

    def check_headers(self, headers: Headers) -> None:
        """Reject what can be rejected before the body is read: that takes up to a megabyte of memory."""
        ...

    def check_body(self, headers: Headers, raw: bytes, now: datetime) -> None:
        """Check the signature over the raw body."""
        ...


class BearerToken:
    """`Authorization: Bearer TOKEN`, compared in constant time."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def check_headers(self, headers: Headers) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise DeniedError(401, "An Authorization header with a bearer token is required.")
        if not hmac.compare_digest(token.strip().encode("latin-1", "replace"), self._token):
            raise DeniedError(403, "That bearer token isn't the one in the settings.")

    def check_body(self, headers: Headers, raw: bytes, now: datetime) -> None:
        """Nothing: the token has proved it."""


class HubSignature:
    """`X-Hub-Signature: sha256=HEX`: HMAC-SHA256 over the raw body, as Jira signs. Others differ in what they name."""

    header = "X-Hub-Signature"
    prefix = "sha256="
    hint = " Give the webhook its secret in Jira."

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def check_headers(self, headers: Headers) -> None:
        if self.header.lower() not in headers:
            raise DeniedError(401, f"The header {self.header} is missing.{self.hint}")

    def check_body(self, headers: Headers, raw: bytes, now: datetime) -> None:
        if not self._fits(headers[self.header.lower()], raw):
            raise DeniedError(403, f"The signature in {self.header} doesn't match the body.")

    def _fits(self, signature: str, signed: bytes) -> bool:
        expected = self.prefix + hmac.new(self._secret, signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(signature.strip().encode("latin-1", "replace"), expected.encode())


class PagerDutySignature(HubSignature):
    """`X-PagerDuty-Signature: v1=HEX,v1=HEX`: one valid signature of ten is enough, as after a change of the secret."""

    header = "X-PagerDuty-Signature"
    prefix = "v1="
    hint = ""

    def check_body(self, headers: Headers, raw: bytes, now: datetime) -> None:
        # Ten at most, for each costs an HMAC over the whole body, and a stranger may send thousands.
        if not any(self._fits(each, raw) for each in headers[self.header.lower()].split(",")[:10]):
            raise DeniedError(403, f"No signature in {self.header} matches the body.")


class GrafanaSignature(HubSignature):
    """`X-Grafana-Alerting-Signature: HEX`.

    With `X-Grafana-Alerting-Timestamp`, in seconds since 1970, the signature is over `TIMESTAMP:BODY`.
    """

    header = "X-Grafana-Alerting-Signature"
    prefix = ""
    hint = ""

    def check_body(self, headers: Headers, raw: bytes, now: datetime) -> None:
        timestamp = headers.get("x-grafana-alerting-timestamp")
        if timestamp is None:
            return super().check_body(headers, raw, now)
        super().check_body(headers, timestamp.encode("latin-1", "replace") + b":" + raw, now)
        # Only after the signature: the timestamp of a forged request says nothing.
        _require_fresh(timestamp, now)
        return None


class SignatureOrToken:
    """A signature or a bearer token: Grafana and Alertmanager share an address."""

    def __init__(self, signature: GrafanaSignature | None, bearer: BearerToken | None) -> None:
        self._signature = signature
        self._bearer = bearer

    def _choose(self, headers: Headers) -> Authenticator:
        is_signed = "x-grafana-alerting-signature" in headers
        chosen = self._signature if self._signature and (is_signed or not self._bearer) else self._bearer
        if chosen is None:
            raise DeniedError(401, "No secret is set for this address.")
        return chosen

    def check_headers(self, headers: Headers) -> None:
        self._choose(headers).check_headers(headers)

    def check_body(self, headers: Headers, raw: bytes, now: datetime) -> None:
        self._choose(headers).check_body(headers, raw, now)


def build_authenticators(alertmanager: str, grafana: str, pagerduty: str, jsm: str) -> dict[str, Authenticator]:
    """The authenticators of the addresses that have a secret, by the last part of the address. "" is no secret."""
    found: dict[str, Authenticator] = {}
    if alertmanager or grafana:
        found["alertmanager"] = SignatureOrToken(
            GrafanaSignature(grafana) if grafana else None, BearerToken(alertmanager) if alertmanager else None
        )
    if pagerduty:
        found["pagerduty"] = PagerDutySignature(pagerduty)
    if jsm:
        found["jsm"] = BearerToken(jsm)
    return found


def _require_fresh(timestamp: str, now: datetime) -> None:
    if not re.fullmatch(r"[0-9]{1,12}", timestamp, re.ASCII):
        raise DeniedError(403, "The signed timestamp isn't a number of seconds.")
    if abs(now.timestamp() - int(timestamp)) > SKEW_SECONDS:
        raise DeniedError(403, "The signed timestamp is more than five minutes off.")


HOOKS = "/hooks"
MAX_CONCURRENT = 4
"""How many webhooks write at the same time. More could make a person who records wait."""

RETRY_AFTER = "10"
"""Seconds."""


class WebhookResult(Protocol):
    """How many items were new, and how many were known already."""

    @property
    def new_count(self) -> int: ...
    @property
    def known_count(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Receiver:
    """Parses (`read`, in a thread) and records an authenticated body. `read` raises MalformedPayloadError."""

    read: Callable[[dict[str, object], Headers, datetime], Any]
    record: Callable[[Any, datetime], Awaitable[WebhookResult]]


def make_alert_receiver(name: str, record: Callable[[Sequence[Alert], datetime], Awaitable[WebhookResult]]) -> Receiver:
    """The receiver of alerts from one kind of sender."""
    return Receiver(lambda body, _, now: PARSERS[name](body, now), record)


_OUTCOMES = Counter("afterword_hooks_total", "Webhooks by what became of them.", ["hook", "outcome"])


class WebhookEndpoint:
    """One address, as plain ASGI: authenticates, parses, records."""

    def __init__(
        self, name: str, authenticator: Authenticator, receiver: Receiver, clock: Clock, timeouts: Timeouts
    ) -> None:
        self._name = name
        self._authenticator = authenticator
        self._receiver = receiver
        self._clock = clock
        self._timeouts = timeouts
        self._writing = asyncio.Semaphore(MAX_CONCURRENT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        outcome, answer = await self._answer(headers, receive)
        _OUTCOMES.labels(self._name, outcome).inc()
        await answer(scope, receive, send)

    async def _answer(self, headers: Headers, receive: Receive) -> tuple[str, PlainTextResponse]:
        try:
            return await self._record(headers, receive)
        except DeniedError as denied:
            log.warning(
                "A webhook to %(hook)s was refused with %(status)d: %(cause)s",
                {
                    "event": "webhook_refused",
                    "hook": f"{HOOKS}/{self._name}",
                    "status": denied.status,
                    "cause": str(denied),
                },
            )
            outcome = "unproven" if denied.status in (401, 403) else "malformed"
            return outcome, PlainTextResponse(str(denied), denied.status)
        except MalformedPayloadError as malformed:
            log.warning(
                "A webhook to %(hook)s isn't as its sender documents it: %(cause)s",
                {"event": "webhook_malformed", "hook": f"{HOOKS}/{self._name}", "cause": str(malformed)},
            )
            return "malformed", PlainTextResponse(str(malformed), 400)
        except NotRecorded as error:
            log.warning(
                "A webhook to %(hook)s couldn't be saved, and its sender was asked to send it again: %(cause)s",
                {"event": "webhook_deferred", "hook": f"{HOOKS}/{self._name}", "cause": str(error)},
            )
            return "busy", _ask_to_retry(str(error))
        except database_errors() as error:
            log.warning(
                "A webhook to %(hook)s couldn't be saved (%(cause)s), and its sender was asked to send it again.",
                {"event": "webhook_deferred", "hook": f"{HOOKS}/{self._name}", "cause": type(error).__name__},
            )
            return "busy", _ask_to_retry("The database doesn't answer.")

    async def _record(self, headers: Headers, receive: Receive) -> tuple[str, PlainTextResponse]:
        # Before the body is read: a stranger without any proof costs no memory.
        self._authenticator.check_headers(headers)
        raw = await read_body(headers, receive, self._timeouts.webhook_body)
        now = self._clock.now()
        self._authenticator.check_body(headers, raw, now)
        # In a thread: a megabyte of alerts takes a third of a second to parse, during which Slack needs answers.
        content = await asyncio.to_thread(lambda: self._receiver.read(_parse_shallow(raw), headers, now))
        result = await self._write(content, now)
        outcome = "taken" if result.new_count else "repeated" if content else "nothing"
        return outcome, PlainTextResponse(f"{result.new_count} new, {result.known_count} known or without meaning here")

    async def _write(self, content: Any, now: datetime) -> WebhookResult:
        # Waiting is bounded so that a storm ends in 503s, after which senders try again, and not in their timeouts.
        try:
            async with asyncio.timeout(self._timeouts.webhook_turn):
                await self._writing.acquire()
        except TimeoutError:
            raise NotRecorded("Too many webhooks are waiting already.") from None
        try:
            return await self._receiver.record(content, now)
        finally:
            self._writing.release()


def make_route(name: str, authenticator: Authenticator, receiver: Receiver, clock: Clock, timeouts: Timeouts) -> Route:
    """The route of one webhook."""
    return Route(f"{HOOKS}/{name}", WebhookEndpoint(name, authenticator, receiver, clock, timeouts), methods=["POST"])


def _ask_to_retry(sentence: str) -> PlainTextResponse:
    return PlainTextResponse(sentence, 503, headers={"retry-after": RETRY_AFTER})


def _parse_shallow(raw: bytes) -> dict[str, object]:
    """The JSON object of a body. Raises DeniedError if there is none, or it is nested too deep."""
    try:
        found = parse_json_object(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise DeniedError(400, "not UTF-8") from None
    level: list[object] = [found]
    # Level by level and not by recursion, which a deep payload would exhaust.
    for _ in range(bounds.HOOK_LEVELS):
        level = [child for parent in level for child in _list_children(parent)]
        if not level:
            return found
    raise DeniedError(400, "nested too deep")


def _list_children(parent: object) -> list[object]:
    if isinstance(parent, dict):
        return list(parent.values())
    return parent if isinstance(parent, list) else []
