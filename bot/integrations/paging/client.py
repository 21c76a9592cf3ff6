"""Paging through the alerts of Jira Service Management, and through Opsgenie, whose form it took over.

The key is that of an integration of the kind "API". A write is only accepted, and done later, so nothing counts before
its request was looked up. An alert is found by its alias: while it is open, another of that alias joins it and pages no
one (decision 41).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.domain.text import clean, shorten, to_one_line
from bot.integrations.http import (
    Endpoint,
    IntegrationError,
    RetryPolicy,
    get,
    make_caller,
    path_of,
    post,
    read_moment,
    text_at,
    value_at,
)

JSM = "https://api.atlassian.com/jsm/ops/integration/v2"
OPSGENIE = "https://api.opsgenie.com/v2"
OPSGENIE_EU = "https://api.eu.opsgenie.com/v2"

# Limits of the fields of an alert, after the reference of the alert API.
LONGEST_MESSAGE = 130
LONGEST_ALIAS = 512
LONGEST_DESCRIPTION = 15_000
LONGEST_NOTE = 25_000
MOST_TAGS = 20
LONGEST_TAG = 50
LONGEST_DETAIL = 500

_SOURCE = "Afterword"
_LOOKED_AT = "20"
_SKEW = timedelta(minutes=10)
"""How much their clock and ours may differ."""
_KEY_REMEDY = (
    "refused the key. It was revoked, isn't the key of an “API” integration, or lacks the permission. Create an API "
    "integration for the team, and put its key into the settings."
)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which team is paged, and why. No other page has its `alias`. `priority` is `P1` to `P5`."""

    alias: str
    message: str
    description: str = ""
    priority: str = "P3"
    team: str = ""
    tags: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfirmationPolicy:
    """How long to wait for a confirmation, in seconds: the `first` wait doubles each time, until `within` is over."""

    first: float = 0.5
    within: float = 20.0


class NotConfirmedError(IntegrationError):
    """A request was accepted and is not carried out yet; if it `is_permanent`, it was declined."""


class PagingClient:
    """One integration as its key reaches it. Every verb raises IntegrationError. Close it with `aclose`."""

    name = "Jira Service Management"

    def __init__(
        self,
        key: str,
        api: str = JSM,
        patience: RetryPolicy | None = None,
        confirming: ConfirmationPolicy | None = None,
    ) -> None:
        if "opsgenie" in api:
            self.name = "Opsgenie"
        headers = {"Authorization": f"GenieKey {key}"}
        line = Endpoint(self.name, api.rstrip("/"), headers, (key,), {401: _KEY_REMEDY, 403: _KEY_REMEDY})
        self._caller = make_caller(line, patience or RetryPolicy())
        self._confirming = confirming or ConfirmationPolicy()
        self._pace = (patience or RetryPolicy()).pace

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()

    async def check(self) -> str:
        """Whether the key is accepted, by a call that changes nothing."""
        await self._caller.ask(get("/alerts", limit="1"))
        return "the key is taken"

    async def ask(self, alert: PageRequest) -> str:
        """Ask for an alert. Returns the id of the request, which is only accepted: see `confirm`.

        While an alert of its alias is open, this joins it and pages no one again.
        """
        return await self._send("/alerts", _alert_body(alert))

    async def confirm(self, request_id: str) -> str:
        """Wait for the requested alert; its id. Raises NotConfirmedError if it was declined, or is not there yet."""
        alert_id = await self._await_outcome(request_id)
        if not alert_id:
            raise self._unconfirmed_error()
        return alert_id

    async def find(self, alias: str, since: datetime) -> str:
        """The id of an alert of an alias that was raised since a moment, even if it is closed now.

        Empty if there is none, and if the key may raise alerts but not search for them.
        """
        try:
            answer = await self._caller.ask(get("/alerts", query=f'alias: "{alias}"', limit=_LOOKED_AT))
        except IntegrationError as error:
            if error.is_permanent and error.status != 401:
                return ""
            raise
        # The search may match words only. And a database made from scratch counts its links, and so aliases, from one.
        found = [each for each in answer.objects("data") if text_at(each, "alias") == alias and _is_since(each, since)]
        return text_at(found[0], "id") if found else ""

    async def close(self, alias: str, note: str) -> None:
        """Close an alert, so that it pages no one any more. Raises NotConfirmedError, also if no such alert is open."""
        # Cut as it was when the alert was raised, or it would not be found.
        path = path_of("alerts", alias[:LONGEST_ALIAS], "close")
        await self._await_outcome(await self._send(path, {"note": _note(note)}, identifierType="alias"))

    async def _send(self, path: str, body: Mapping[str, Any], **query: str) -> str:
        answer = await self._caller.ask(post(path, {**body, "source": _SOURCE}, **query))
        return answer.text("requestId")

    async def _await_outcome(self, request_id: str) -> str:
        wait, waited = self._confirming.first, 0.0
        while waited < self._confirming.within:
            # Waits double from half a second: the write is carried out soon or late, and each look is a call.
            await asyncio.sleep(wait * self._pace)
            waited, wait = waited + wait, wait * 2
            if (alert_id := await self._look_up(request_id)) is not None:
                return alert_id
        raise self._unconfirmed_error()

    async def _look_up(self, request_id: str) -> str | None:
        """The alert's id if a request was carried out, else None. Raises NotConfirmedError if it was declined."""
        try:
            answer = await self._caller.ask(get(path_of("alerts", "requests", request_id)))
        except IntegrationError as error:
            if error.status == 404:  # the answer for a moment after the write
                return None
            error.may_have_happened = True  # the write itself was accepted
            raise
        if value_at(answer.data, "data", "isSuccess") is False or value_at(answer.data, "data", "success") is False:
            reason = shorten(to_one_line(text_at(answer.data, "data", "status")), 200)
            raise NotConfirmedError(
                self.name,
                f"{self.name} accepted it, then didn't do it: {reason or 'no reason given'}",
                is_permanent=True,
            )
        return text_at(answer.data, "data", "alertId")

    def _unconfirmed_error(self) -> IntegrationError:
        return NotConfirmedError(
            self.name,
            f"{self.name} accepted it but hasn't confirmed it. Don't count on it: reach them another way too.",
            may_have_happened=True,
        )


def _alert_body(alert: PageRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "message": shorten(to_one_line(alert.message), LONGEST_MESSAGE),
        "alias": alert.alias[:LONGEST_ALIAS],
        "description": shorten(clean(alert.description), LONGEST_DESCRIPTION),
        "priority": alert.priority,
        "tags": [shorten(to_one_line(tag), LONGEST_TAG) for tag in alert.tags[:MOST_TAGS]],
        "details": {name: shorten(to_one_line(value), LONGEST_DETAIL) for name, value in alert.details.items()},
    }
    if alert.team:
        body["responders"] = [{"id": alert.team, "type": "team"}]
    return body


def _is_since(alert: Mapping[str, Any], since: datetime) -> bool:
    """Whether an alert was raised since a moment. If its time cannot be read, it counts as raised since."""
    raised_at = read_moment(text_at(alert, "createdAt"))
    return raised_at is None or raised_at >= since - _SKEW


def _note(text: str) -> str:
    return shorten(clean(text), LONGEST_NOTE)
