"""Pages people on call. It says "paged" only once the paging system has confirmed it (decision 41)."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.domain.records import EntryKind, Incident, Status
from bot.domain.secrets import mask_credentials
from bot.domain.text import strip_code_marks, to_one_line
from bot.integrations import views as integration_views
from bot.integrations.links import PagingMemo, label_of
from bot.integrations.paging.client import NotConfirmedError, PageRequest, PagingClient
from bot.integrations.sync import SyncResult
from bot.services.context import CONFIRMED
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link
from storage.timeline import NewEntry

CLOSED = "closed"
NOT_SENT = "not sent"
"""The incident was over before the page could be sent, so no one was woken. Both are stored as a link's status."""
LOST_AFTER = timedelta(minutes=2)
"""A request that was accepted and is still unknown after this time is lost."""
_PRIORITIES = {1: "P1", 2: "P2", 3: "P3", 4: "P4"}


def add_note(tx: Transaction, incident: Incident, user: str, text: str, now: datetime) -> int:
    """Add a note to the timeline; its number."""
    return timeline_store.append(tx, incident.id, NewEntry(now, text, user, user, now, kind=EntryKind.NOTE)).number


@dataclass(frozen=True, slots=True)
class _WantedPaging:
    """A page to raise. `is_over`: its incident is resolved."""

    alert: PageRequest
    memo: PagingMemo
    is_over: bool
    now: datetime


class PagingSync:
    """The sync handler of pages. It looks for a page before it asks again, so that no one is woken twice."""

    def __init__(self, client: PagingClient, team: str) -> None:
        self._client = client
        self._team = team

    def is_urgent(self, link: Link) -> bool:
        return True

    async def aclose(self) -> None:
        await self._client.aclose()

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> _WantedPaging | None:
        """The page behind a link; None if it was raised and its incident is not over."""
        incident = incidents_store.find(tx, link.incident_id)
        is_over = incident is not None and incident.status is Status.RESOLVED
        if incident is None or (link.external_id and not is_over):
            return None
        memo = PagingMemo.from_json(link.memo)
        title = strip_code_marks(to_one_line(mask_credentials(incident.title)))
        alert = PageRequest(
            alias=label_of(link),
            message=f"{incident.key}: {strip_code_marks(to_one_line(mask_credentials(memo.words)))}",
            description=f"{title}\nSlack: {incident.channel_link}",
            priority=_PRIORITIES.get(incident.severity or 0, "P3"),
            team=self._team,
            tags=("afterword", incident.key),
            details={"incident": incident.key},
        )
        return _WantedPaging(alert, memo, is_over, now)

    async def perform(self, link: Link, prepared: _WantedPaging) -> SyncResult:
        """Raise the page, or close it when its incident is over.

        The id of the request is recorded before its confirmation is waited for. Afterwards the request is looked up by
        that id; without one the page is looked up by its alias, also among closed pages, because someone may have
        handled it.
        """
        if link.external_id:
            return await self._close(link, prepared)
        memo, alert = prepared.memo, prepared.alert
        # By the request's id first: it is exact, and needs no permission to search.
        if memo.request and (alert_id := await self._confirm(link, prepared, memo.request)):
            return SyncResult(alert_id, "", CONFIRMED, link.memo)
        # A page from before `at` is another incident's: a database made from scratch counts its links from one again.
        since = memo.at or datetime.min.replace(tzinfo=UTC)
        may_exist = memo.request or link.is_unsure or link.attempts > 1
        if may_exist and (alert_id := await self._client.find(alert.alias, since)):
            return SyncResult(alert_id, "", CONFIRMED, link.memo)
        if prepared.is_over:
            return SyncResult("", "", NOT_SENT, link.memo)
        memo = replace(memo, request=await self._client.ask(alert), sent_at=prepared.now)
        # Recorded before the confirmation: a process that dies while it waits must look this request up, not repeat it.
        return SyncResult("", "", "asked", memo.to_json(), is_all=False)

    async def _close(self, link: Link, wanted: _WantedPaging) -> SyncResult:
        """Close the page, which would wake more people. One that is closed already is fine."""
        try:
            await self._client.close(wanted.alert.alias, f"{wanted.alert.details['incident']} is resolved.")
        except NotConfirmedError as error:
            if not error.is_permanent:
                raise
        return SyncResult(link.external_id, link.url, CLOSED, link.memo)

    async def _confirm(self, link: Link, wanted: _WantedPaging, request: str) -> str:
        """The alert's id; empty if the request was declined or lost and people know: then it is made again."""
        try:
            return await self._client.confirm(request)
        except NotConfirmedError as error:
            is_lost = wanted.memo.sent_at is None or wanted.now - wanted.memo.sent_at >= LOST_AFTER
            if link.error and (error.is_permanent or is_lost):
                return ""
            raise

    def record_success(self, tx: Transaction, link: Link, result: SyncResult, now: datetime) -> None:
        """Once it is confirmed, report it in the channel and add the moment to the timeline."""
        incident, memo = incidents_store.find(tx, link.incident_id), PagingMemo.from_json(link.memo)
        if incident is None or not result.is_all or result.status == CLOSED:
            return
        if result.status == NOT_SENT:
            message = integration_views.unsent_page_message(incident, memo.words)
        else:
            number = add_note(tx, incident, memo.by, f"Paged, and confirmed by {self._client.name}", now)
            message = integration_views.confirmed_page_message(incident, self._client.name, memo.words, number)
        deliveries_store.enqueue_message(tx, incident, message, now)

    async def poll(self, store: Store, now: datetime) -> list[int]:
        """Nothing to poll: what happens to a page arrives as an alert, through /hooks/jsm."""
        return []
