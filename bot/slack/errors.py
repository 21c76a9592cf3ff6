"""What a call to Slack may end in besides a good answer, read in one place.

slack_sdk takes whatever comes for a JSON object of Slack's. What a proxy says, and an answer that broke off, show as a
SlackApiError that knows no word, or as the error over which slack_sdk stumbled.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError

NO_ANSWER = (SlackClientError, ClientError, OSError, TimeoutError)
"""What a call raises that Slack refused, or that never reached it."""

CALL_ERRORS = (*NO_ANSWER, ValueError, AttributeError)
"""The same, and what slack_sdk stumbles over. Nothing but the call belongs where this is caught."""

DEFAULT_REST = 30.0
LONGEST_REST = 3600.0
"""Seconds."""

_RATE_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_SERVER_ERRORS = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable"})
_TOKEN_ERRORS = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer other than "ok". Slack documents each `word` (`channel_not_found`) with its method.

    It is empty where none was said; `status` is HTTP's. `rest` is for how many seconds Slack asks to be left alone,
    None where it does not.
    """

    word: str
    status: int
    rest: float | None

    @property
    def is_trouble(self) -> bool:
        """Whether it says nothing of the call, which may even have taken effect: Slack had trouble of its own."""
        return not self.word or self.status >= 500 or self.word in _SERVER_ERRORS

    @property
    def is_passing(self) -> bool:
        """Whether the same call may be answered another time."""
        return self.rest is not None or self.is_trouble

    @property
    def is_locked_out(self) -> bool:
        """Whether it is the bot's token that is refused, so that nothing else would be answered either."""
        return self.word in _TOKEN_ERRORS


def parse_refusal(error: SlackApiError) -> Refusal:
    """What a refusal says; an answer that is no JSON came without any of it."""
    response = error.response
    body = getattr(response, "data", None)
    word = str(body.get("error") or "") if isinstance(body, dict) else ""
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    is_limit = status == 429 or word in _RATE_LIMITED
    return Refusal(word, status, retry_after(getattr(response, "headers", {})) if is_limit else None)


def describe_cause(error: BaseException) -> str:
    """Slack's word for what went wrong, or the error's own name: for a line in the log."""
    word = parse_refusal(error).word if isinstance(error, SlackApiError) else ""
    return word or type(error).__name__


def retry_after(headers: Mapping[str, str]) -> float:
    """How many seconds Slack asks to wait: at most an hour, and half a minute where it does not say sensibly."""
    told = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        seconds = float(told)
    except ValueError:
        return DEFAULT_REST
    if not math.isfinite(seconds) or seconds <= 0:
        return DEFAULT_REST
    return min(seconds, LONGEST_REST)
