"""The errors of calls to Slack.

slack_sdk takes every answer for Slack's JSON. An answer from a proxy, or a truncated one, becomes a SlackApiError
without an error code, or whatever slack_sdk raises when it fails to read it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError

NO_ANSWER = (SlackClientError, ClientError, OSError, TimeoutError)
"""What a call raises if Slack refused it, or was not reached."""

CALL_ERRORS = (*NO_ANSWER, ValueError, AttributeError)
"""The same, and what slack_sdk raises for an answer that it cannot read. Catch it around nothing but the call."""

DEFAULT_REST = 30.0
LONGEST_REST = 3600.0
"""Seconds. A proxy may send any header; an hour is the most that messages wait because of one."""

_RATE_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_SERVER_ERRORS = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable"})
_TOKEN_ERRORS = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than "ok". `word` is Slack's error code (`channel_not_found`), documented with each method.

    It is empty if there was none. `status` is HTTP's. `rest` is the number of seconds to wait, None if Slack asks for
    none.
    """

    word: str
    status: int
    rest: float | None

    @property
    def is_trouble(self) -> bool:
        """Whether Slack itself failed. The call may have taken effect."""
        return not self.word or self.status >= 500 or self.word in _SERVER_ERRORS

    @property
    def is_passing(self) -> bool:
        """Whether a retry of the same call may succeed."""
        return self.rest is not None or self.is_trouble

    @property
    def is_locked_out(self) -> bool:
        """Whether the bot's token is refused, so that every call would fail."""
        return self.word in _TOKEN_ERRORS


def parse_refusal(error: SlackApiError) -> Refusal:
    """The refusal in an error. An answer that is no JSON has neither code nor headers."""
    response = error.response
    body = getattr(response, "data", None)
    word = str(body.get("error") or "") if isinstance(body, dict) else ""
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    is_limit = status == 429 or word in _RATE_LIMITED
    return Refusal(word, status, retry_after(getattr(response, "headers", {})) if is_limit else None)


def describe_cause(error: BaseException) -> str:
    """Slack's error code, or the error's class name, for the log."""
    word = parse_refusal(error).word if isinstance(error, SlackApiError) else ""
    return word or type(error).__name__


def retry_after(headers: Mapping[str, str]) -> float:
    """The seconds of the header `Retry-After`: at most an hour; half a minute if it is missing or invalid."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        seconds = float(value)
    except ValueError:
        return DEFAULT_REST
    if not math.isfinite(seconds) or seconds <= 0:
        return DEFAULT_REST
    return min(seconds, LONGEST_REST)
