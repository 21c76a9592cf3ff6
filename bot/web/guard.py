"""What stands before Bolt: only a whole, signed, well-formed body of Slack's gets in."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

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


class Denied(AfterwordError):
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
        """What the body says. `headers` in lower case. Raises Denied: 401 for what is not Slack's, 400 for nonsense."""
        self._verify(headers, raw)
        return _parse(headers.get("content-type", ""), raw.decode("utf-8"))

    def _verify(self, headers: Mapping[str, str], raw: bytes) -> None:
        timestamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        # The verifier raises on what is no number and on what is not ASCII; both come from anybody.
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            raise Denied(401, "not signed as Slack signs")
        try:
            is_valid = self._verifier.is_valid(raw, timestamp, signature)
        except UnicodeDecodeError:
            raise Denied(400, "not UTF-8") from None
        if not is_valid:
            raise Denied(401, "the signature is not Slack's, or it is older than five minutes")


def _parse(content_type: str, text: str) -> dict[str, Any]:
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            return json_object(text)
        case "application/x-www-form-urlencoded":
            return _form(text)
        case _:
            raise Denied(400, "neither a form nor JSON")


def _form(text: str) -> dict[str, Any]:
    """A command's fields; or, of an interaction, what its one field `payload` says."""
    try:
        form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise Denied(400, "not a form") from None
    return json_object(form["payload"]) if "payload" in form and "command" not in form else dict(form)


def json_object(text: str) -> dict[str, Any]:
    """The object that a JSON text is; raises Denied (400) for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Denied(400, "not JSON") from None
    if not isinstance(found, dict):
        raise Denied(400, "not an object")
    return found


async def read(headers: Mapping[str, str], receive: Receive, seconds: float) -> bytes:
    """The whole body; raises Denied where it is too long, or too slow in coming."""
    if int(headers.get("content-length", "0")) > MOST_BYTES:  # uvicorn lets nothing but a number through
        raise Denied(413, "the body is too long")
    raw, is_whole = bytearray(), False
    try:
        async with asyncio.timeout(seconds):
            while not is_whole:
                message = await receive()
                if message["type"] != "http.request":
                    raise Denied(400, "the body broke off")
                raw += message.get("body", b"")
                if len(raw) > MOST_BYTES:
                    raise Denied(413, "the body is too long")
                is_whole = not message.get("more_body", False)
    except TimeoutError:
        raise Denied(408, "the body took too long") from None
    return bytes(raw)
