"""Paging: people on call are woken through their own system, and nobody is told "paged" before it has confirmed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.records import EntryKind, Incident, Status
from bot.domain.secrets import RecordKind, RecordRef, mask_credentials
from bot.domain.text import clean_input, strip_code_marks, to_one_line
from bot.errors import Refused
from bot.integrations import views as integration_views
from bot.integrations.paging.client import ConfirmedPage, NotConfirmedError, PageRequest, PagingClient, Responder
from bot.integrations.sync import SyncResult
from bot.services import secrets as secrets_service
from bot.services.context import CONFIRMED, Request, Services, require_incident, run_once
from bot.slack.views.blocks import Message
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link, LinkKey
from storage.timeline import NewEntry

SYSTEM = "paging"
CLOSED = "closed"
NOT_SENT = "not sent"
"""Its incident was over before it could be sent, and nobody is woken for that."""
LOST_AFTER = timedelta(minutes=2)
"""A request that nobody knows of so long after it was accepted is lost."""
_PRIORITIES = {1: "P1", 2: "P2", 3: "P3", 4: "P4"}


async def page(services: Services, request: Request, words: str) -> Message | None:
    """`/incident page WORDS`: have those on call paged; it is in the timeline that it was asked for, and when."""
    if SYSTEM not in services.integrations.names:
        raise Refused(
            "Nobody was paged: paging is not connected. Page as you usually do, and write it down with `/timeline`. "
            "Whoever runs Afterword can connect it: AFTERWORD_JSM_KEY."
        )
    words = " ".join(clean_input(words, "That page").split())

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        text = f"Asked to page: {words or incident.title}"
        number = _note(tx, incident, request.user, text, request.now)
        secrets_service.warn(tx, incident, RecordRef(RecordKind.ENTRY, str(number)), text, request)
        thing = LinkKey(request.team, SYSTEM, f"{incident.key} page of #{number}", incident.id)
        memo = json.dumps({"words": words or incident.title, "by": request.user, "at": request.now.isoformat()})
        links_store.enqueue(tx, thing, request.now, memo)
        return integration_views.paging(incident, number)

    return await run_once(services, request, unit, verb="paging.page")


def _note(tx: Transaction, incident: Incident, user: str, text: str, now: datetime) -> int:
    return timeline_store.append(tx, incident.id, NewEntry(now, text, user, user, now, kind=EntryKind.NOTE)).number


@dataclass(frozen=True, slots=True)
class _WantedPaging:
    """A page as it was asked for, with what is remembered of it. `is_over`: so is its incident."""

    alert: PageRequest
    asked: Mapping[str, Any]
    is_over: bool
    now: datetime


class PagingSync:
    """Raises each page once: whatever became of an answer, it is looked for before it is asked for again."""

    def __init__(self, client: PagingClient, team: str) -> None:
        self._client = client
        self._responders = (Responder("team", team),) if team else ()

    def is_urgent(self, link: Link) -> bool:
        return True

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> _WantedPaging | None:
        """The page behind a link; None where nothing is to be done about it."""
        incident = incidents_store.find(tx, link.incident_id)
        is_over = incident is not None and incident.status is Status.RESOLVED
        if incident is None or (link.external_id and not is_over):
            return None
        asked = json.loads(link.memo)
        title = strip_code_marks(to_one_line(mask_credentials(incident.title)))
        alert = PageRequest(
            alias=f"afterword-{link.team}-{link.id}".lower(),
            message=f"{incident.key}: {strip_code_marks(to_one_line(mask_credentials(asked['words'])))}",
            description=f"{title}\nSlack: {incident.channel_link}",
            priority=_PRIORITIES.get(incident.severity or 0, "P3"),
            responders=self._responders,
            tags=("afterword", incident.key),
            details={"incident": incident.key},
        )
        return _WantedPaging(alert, asked, is_over, now)

    async def perform(self, link: Link, prepared: _WantedPaging) -> SyncResult:
        """Ask for it, and write down by which request before that is waited for; then wait until it is confirmed.

        What became of it is asked by its request, and without one by its alias: whoever took it up may have closed it.
        """
        wanted, client = prepared, self._client
        if link.external_id:
            return await self._closed(link, wanted)
        request = wanted.asked.get("request")
        if request and (paged := await self._confirmed(link, wanted, request)):
            return SyncResult(paged.alert_id, "", CONFIRMED, link.memo)
        if (request or link.is_unsure or link.attempts > 1) and (
            paged := await client.find(wanted.alert.alias, _asked_at(wanted))
        ):
            return SyncResult(paged.alert_id, "", CONFIRMED, link.memo)
        if wanted.is_over:
            return SyncResult("", "", NOT_SENT, link.memo)
        told = {"request": await client.ask(wanted.alert), "sent_at": wanted.now.isoformat()}
        return SyncResult("", "", "asked", json.dumps(dict(wanted.asked) | told), is_all=False)

    async def _closed(self, link: Link, wanted: _WantedPaging) -> SyncResult:
        """Its incident is over: close the alert, which would go on paging people. Where it is closed, that is well."""
        try:
            await self._client.close(wanted.alert.alias, f"{wanted.alert.details['incident']} is resolved.")
        except NotConfirmedError as error:
            if not error.is_permanent:
                raise
        return SyncResult(link.external_id, link.url, CLOSED, link.memo)

    async def _confirmed(self, link: Link, wanted: _WantedPaging, request: str) -> ConfirmedPage | None:
        """What became of a request; None where it is to be asked for anew, which people were told the reason of."""
        try:
            return await self._client.confirmed(request)
        except NotConfirmedError as error:
            is_lost = wanted.now - datetime.fromisoformat(wanted.asked["sent_at"]) >= LOST_AFTER
            if link.error and (error.is_permanent or is_lost):
                return None
            raise

    def keep(self, tx: Transaction, link: Link, kept: SyncResult, now: datetime) -> None:
        """Once it is confirmed, people are told, and the timeline says when."""
        incident, asked = incidents_store.find(tx, link.incident_id), json.loads(link.memo)
        if incident is None or not kept.is_all or kept.status == CLOSED:
            return
        if kept.status == NOT_SENT:
            said = integration_views.not_paged(incident, asked["words"])
        else:
            number = _note(tx, incident, asked["by"], f"Paged, and confirmed by {self._client.name}", now)
            said = integration_views.paged(incident, self._client.name, asked["words"], number)
        deliveries_store.enqueue_message(tx, incident, said, now)

    async def look(self, store: Store, now: datetime) -> list[int]:
        """What becomes of a page over there comes in as an alert, through /hooks/jsm."""
        return []


def _asked_at(wanted: _WantedPaging) -> datetime:
    """When somebody asked for the page: an alert from before that is another one."""
    return datetime.fromisoformat(wanted.asked["at"]) if "at" in wanted.asked else datetime.min.replace(tzinfo=UTC)
