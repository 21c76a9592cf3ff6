"""Slack's clock, as the header `Date` of its answers shows it: the one clock that no machine of ours can set wrong."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import TimeReading, count_seconds
from bot.slack.errors import CALL_ERRORS

HALF_A_SECOND = timedelta(seconds=0.5)
"""The header has no fractions: on average this much of its second is over."""


def read_date(headers: Mapping[str, str]) -> datetime | None:
    """The time in an answer's headers; None if there is none."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).replace(tzinfo=UTC) + HALF_A_SECOND
    except ValueError:
        return None


async def read_time(client: AsyncWebClient, patience: float) -> TimeReading | None:
    """Ask Slack what time it is; None if no answer comes within `patience` seconds, or one that is not Slack's."""
    began = count_seconds()
    response: Any = None
    try:
        async with asyncio.timeout(patience):
            response = await client.auth_test()
    except SlackApiError as refusal:
        response = refusal.response  # a refused token, say: the time is Slack's all the same
    except CALL_ERRORS:
        return None
    ended = count_seconds()
    body = getattr(response, "data", None)
    # A proxy's own page has a date, too.
    if not isinstance(body, dict) or "ok" not in body:
        return None
    found = read_date(response.headers)
    return TimeReading.between(began, found, ended) if found is not None else None
