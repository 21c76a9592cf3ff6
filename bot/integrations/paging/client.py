"""Paging through the alerts of Jira Service Management, and through Opsgenie, whose form it took over.

The key is that of an integration of the kind "API". Every write is only accepted and done later, so nothing counts
until its request has been asked after. An alert is known by its alias: while it is open, a second one of that alias
joins the first and pages nobody again.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.domain.text import clean, shorten, to_one_line
from bot.integrations.http import (
    Caller,
    ClientStatus,
    Endpoint,
    IntegrationError,
    RetryPolicy,
    get,
    path_of,
    post,
    read_moment,
    text_at,
    value_at,
)

JSM = "https://api.atlassian.com/jsm/ops/integration/v2"
OPSGENIE = "https://api.opsgenie.com/v2"
OPSGENIE_EU = "https://api.eu.opsgenie.com/v2"

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
"""By so much their clock and ours may differ."""
_KEY_REMEDY = (
    "refused the key: it was revoked, or is not the key of an integration of the kind “API”, or that integration may "
    "not do this. Make one in the team's integrations and put its key into the settings."
)


@dataclass(frozen=True, slots=True)
class Responder:
    """Whom to page: `kind` is `team`, `user`, `escalation` or `schedule`, `id` what the system calls them."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Whom to wake and why. `alias` belongs to this incident alone; `priority` is `P1` to `P5`."""

    alias: str
    message: str
    description: str = ""
    priority: str = "P3"
    responders: tuple[Responder, ...] = ()
    tags: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfirmedPage:
    """The system has confirmed the alert of this id."""

    alert_id: str


@dataclass(frozen=True, slots=True)
class ConfirmationPolicy:
    """How long to ask after a request, in seconds: the `first` wait doubles each time, until `within` have passed."""

    first: float = 0.5
    within: float = 20.0


class NotConfirmedError(IntegrationError):
    """A request was accepted and is not carried out: not yet, or, where it `is_permanent`, it was declined."""


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
        self._caller = Caller(line, patience or RetryPolicy())
        self._confirming = confirming or ConfirmationPolicy()
        self._pace = (patience or RetryPolicy()).pace

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._caller.aclose()

    async def check(self) -> ClientStatus:
        """Whether the key is taken; asks once and changes nothing."""
        await self._caller.ask(get("/alerts", limit="1"))
        return ClientStatus(self.name, "the key is taken")

    async def ask(self, alert: PageRequest) -> str:
        """Ask for an alert; the id of the request, which is only accepted: see `confirmed`.

        While an alert of its alias is open, this joins it and pages nobody again.
        """
        return await self._asked("/alerts", _raised(alert))

    async def confirmed(self, request_id: str) -> ConfirmedPage:
        """Wait until the alert that was asked for is there. Raises NotDone where it is declined, or not there yet."""
        alert_id = await self._confirmed(request_id)
        if not alert_id:
            raise self._unconfirmed()
        return ConfirmedPage(alert_id)

    async def find(self, alias: str, since: datetime) -> ConfirmedPage | None:
        """The alert of an alias that was raised since a moment, also one that is closed by now.

        None where there is none, and where the key may raise alerts and not look for them.
        """
        try:
            answer = await self._caller.ask(get("/alerts", query=f'alias: "{alias}"', limit=_LOOKED_AT))
        except IntegrationError as error:
            if error.is_permanent and error.status != 401:
                return None
            raise
        # The search may be of words; and a database made anew counts its links from one again.
        found = [each for each in answer.objects("data") if text_at(each, "alias") == alias and _is_since(each, since)]
        return ConfirmedPage(text_at(found[0], "id")) if found else None

    async def close(self, alias: str, note: str) -> None:
        """Say that it is over, so that nobody is paged any more. Raises NotDone, also where no such alert is open."""
        path = path_of("alerts", alias[:LONGEST_ALIAS], "close")
        await self._confirmed(await self._asked(path, {"note": _note(note)}, identifierType="alias"))

    async def _asked(self, path: str, body: Mapping[str, Any], **query: str) -> str:
        answer = await self._caller.ask(post(path, {**body, "source": _SOURCE}, **query))
        return answer.text("requestId")

    async def _confirmed(self, request_id: str) -> str:
        wait, waited = self._confirming.first, 0.0
        while waited < self._confirming.within:
            await asyncio.sleep(wait * self._pace)
            waited, wait = waited + wait, wait * 2
            if (found := await self._request(request_id)) is not None:
                return found
        raise self._unconfirmed()

    async def _request(self, request_id: str) -> str | None:
        """The alert's id once a request was carried out; None while it is not."""
        try:
            answer = await self._caller.ask(get(path_of("alerts", "requests", request_id)))
        except IntegrationError as error:
            if error.status == 404:  # for a moment after the write
                return None
            error.may_have_happened = True  # the write itself was accepted
            raise
        if value_at(answer.data, "data", "isSuccess") is False or value_at(answer.data, "data", "success") is False:
            said = shorten(to_one_line(text_at(answer.data, "data", "status")), 200)
            raise NotConfirmedError(
                self.name,
                f"{self.name} accepted it and then did not do it: {said or 'it does not say why'}",
                is_permanent=True,
            )
        return text_at(answer.data, "data", "alertId")

    def _unconfirmed(self) -> IntegrationError:
        return NotConfirmedError(
            self.name,
            f"{self.name} accepted it but has not confirmed it. Do not count on it: call by another way too.",
            may_have_happened=True,
        )


def _raised(alert: PageRequest) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "message": shorten(to_one_line(alert.message), LONGEST_MESSAGE),
        "alias": alert.alias[:LONGEST_ALIAS],
        "description": shorten(clean(alert.description), LONGEST_DESCRIPTION),
        "priority": alert.priority,
        "tags": [shorten(to_one_line(tag), LONGEST_TAG) for tag in alert.tags[:MOST_TAGS]],
        "details": {name: shorten(to_one_line(value), LONGEST_DETAIL) for name, value in alert.details.items()},
    }
    if alert.responders:
        asked["responders"] = [{"id": each.id, "type": each.kind} for each in alert.responders]
    return asked


def _is_since(alert: Mapping[str, Any], since: datetime) -> bool:
    """Whether an alert was raised since a moment; where its time cannot be read, it counts as such."""
    raised_at = read_moment(text_at(alert, "createdAt"))
    return raised_at is None or raised_at >= since - _SKEW


def _note(text: str) -> str:
    return shorten(clean(text), LONGEST_NOTE)
