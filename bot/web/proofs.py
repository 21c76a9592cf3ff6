"""How a sender of webhooks proves itself: a signature over the raw body where it signs, else a bearer token.

The forms are the senders': X-PagerDuty-Signature (several while a secret is changed), X-Grafana-Alerting-Signature
with an optional timestamp, X-Hub-Signature of Jira's; Alertmanager and JSM sign nothing and carry a header that was
given to them.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from bot.web.guard import Denied

SKEW_SECONDS = 300
"""How old, or how far ahead, a signed timestamp may be."""

Headers = Mapping[str, str]


class Proof(Protocol):
    """Raises Denied, 401 where a proof is missing and 403 where it is wrong. Headers are in lower case."""

    def before(self, headers: Headers) -> None:
        """What can be told before the body is read."""
        ...

    def of(self, headers: Headers, raw: bytes, now: datetime) -> None:
        """The rest, once it is."""
        ...


class Bearer:
    """`Authorization: Bearer TOKEN`, compared in constant time."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def before(self, headers: Headers) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Denied(401, "An Authorization header with a bearer token is needed.")
        if not hmac.compare_digest(token.strip().encode("latin-1", "replace"), self._token):
            raise Denied(403, "That bearer token is not the one that was agreed on.")

    def of(self, headers: Headers, raw: bytes, now: datetime) -> None:
        """Nothing more: the header was the proof."""


class PagerDuty:
    """`X-PagerDuty-Signature: v1=HEX,v1=HEX`: HMAC-SHA256 over the raw body; one that fits is enough."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def before(self, headers: Headers) -> None:
        if "x-pagerduty-signature" not in headers:
            raise Denied(401, "The header X-PagerDuty-Signature is missing.")

    def of(self, headers: Headers, raw: bytes, now: datetime) -> None:
        expected = f"v1={_signed(self._secret, raw)}".encode()
        given = [part.strip().encode("latin-1", "replace") for part in headers["x-pagerduty-signature"].split(",")]
        if not any(hmac.compare_digest(each, expected) for each in given[:10]):
            raise Denied(403, "No signature in X-PagerDuty-Signature fits the body.")


class Grafana:
    """`X-Grafana-Alerting-Signature: HEX`: HMAC-SHA256 over the raw body.

    With `X-Grafana-Alerting-Timestamp`, in seconds since 1970, it is over `TIMESTAMP:BODY`.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def before(self, headers: Headers) -> None:
        if "x-grafana-alerting-signature" not in headers:
            raise Denied(401, "The header X-Grafana-Alerting-Signature is missing.")

    def of(self, headers: Headers, raw: bytes, now: datetime) -> None:
        timestamp = headers.get("x-grafana-alerting-timestamp")
        said = raw if timestamp is None else timestamp.encode("latin-1", "replace") + b":" + raw
        given = headers["x-grafana-alerting-signature"].strip().encode("latin-1", "replace")
        if not hmac.compare_digest(given, _signed(self._secret, said).encode()):
            raise Denied(403, "The signature in X-Grafana-Alerting-Signature does not fit the body.")
        if timestamp is not None:
            _require_fresh(timestamp, now)


class Hub:
    """`X-Hub-Signature: sha256=HEX`: HMAC-SHA256 over the raw body, as Jira signs."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def before(self, headers: Headers) -> None:
        if "x-hub-signature" not in headers:
            raise Denied(401, "The header X-Hub-Signature is missing. Give the webhook its secret in Jira.")

    def of(self, headers: Headers, raw: bytes, now: datetime) -> None:
        given = headers["x-hub-signature"].strip().encode("latin-1", "replace")
        if not hmac.compare_digest(given, f"sha256={_signed(self._secret, raw)}".encode()):
            raise Denied(403, "The signature in X-Hub-Signature does not fit the body.")


class AnyOf:
    """The signature where there is one, else the bearer token: for an address that two kinds of senders share."""

    def __init__(self, signature: Grafana | None, bearer: Bearer | None) -> None:
        self._signature = signature
        self._bearer = bearer

    def _chosen(self, headers: Headers) -> Proof:
        is_signed = "x-grafana-alerting-signature" in headers
        chosen = self._signature if self._signature and (is_signed or not self._bearer) else self._bearer
        if chosen is None:
            raise Denied(401, "No proof is agreed on for this address.")
        return chosen

    def before(self, headers: Headers) -> None:
        self._chosen(headers).before(headers)

    def of(self, headers: Headers, raw: bytes, now: datetime) -> None:
        self._chosen(headers).of(headers, raw, now)


def proofs_of(alertmanager: str, grafana: str, pagerduty: str, jsm: str) -> dict[str, Proof]:
    """The proof of each address that has a secret, by the last part of the address; an empty secret is none."""
    found: dict[str, Proof] = {}
    if alertmanager or grafana:
        found["alertmanager"] = AnyOf(
            Grafana(grafana) if grafana else None, Bearer(alertmanager) if alertmanager else None
        )
    if pagerduty:
        found["pagerduty"] = PagerDuty(pagerduty)
    if jsm:
        found["jsm"] = Bearer(jsm)
    return found


def _signed(secret: bytes, said: bytes) -> str:
    return hmac.new(secret, said, hashlib.sha256).hexdigest()


def _require_fresh(timestamp: str, now: datetime) -> None:
    if not re.fullmatch(r"[0-9]{1,12}", timestamp, re.ASCII):
        raise Denied(403, "The signed timestamp is no number of seconds.")
    if abs(now.timestamp() - int(timestamp)) > SKEW_SECONDS:
        raise Denied(403, "The signed timestamp is more than five minutes off.")
