"""Keeps Statuspage in sync: updates for customers, the draft of the postmortem, and metadata.

One link is about the whole public incident (`SubjectKind.PUBLIC_INCIDENT`): it is never sent, and holds the incident's
id and status. Each update, the draft and the metadata have their own links.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.records import Component, Incident, Status, System
from bot.domain.secrets import mask_credentials
from bot.domain.text import clean, strip_code_marks, to_one_line
from bot.integrations.http import IntegrationError
from bot.integrations.links import (
    CustomerUpdateMemo,
    MetadataStyle,
    SubjectKind,
    enqueue_links,
    enqueue_metadata,
    find_link,
    kind_of,
    link_key,
    metadata_of,
)
from bot.integrations.statuspage import views as statuspage_views
from bot.integrations.statuspage.client import (
    Announcement,
    ComponentStatus,
    PublicIncident,
    PublicStatus,
    StatuspageClient,
    Update,
)
from bot.integrations.sync import Deferred, SyncResult
from bot.services.notifications import outdated_buttons as outdated_buttons_service
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link
from storage.queues import SyncState

COMPONENTS_EVERY = timedelta(minutes=15)
"""Components change rarely, and a key may make only one call a second."""
_ORDER_WAIT = timedelta(seconds=5)
"""Until an update looks again whether the one before it was sent."""
_SETTLED = (SyncState.IN_SYNC, SyncState.REJECTED, SyncState.ABANDONED)
GONE = (
    "The incident was deleted on Statuspage, so nothing was sent. Try again, or write another update: that opens a new "
    "incident on Statuspage."
)

PostmortemDrafter = Callable[[Incident, datetime], str]
"""The masked postmortem of an incident as Markdown, as of a moment. It blocks: call it in a thread."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """The postmortem of an incident as of `now`, for the public incident `page_id`."""

    incident: Incident
    page_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class _WantedUpdate:
    """One update for customers. `page_id` is its public incident, empty before the first update.

    `is_overtaken`: a later update was sent already.
    """

    incident: Incident
    update: Update
    mark: str
    page_id: str
    is_overtaken: bool
    metadata: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Metadata:
    """The metadata of the public incident `page_id`, which is found again by `mark`."""

    page_id: str
    mark: str
    metadata: Mapping[str, object]


_Prepared = _WantedUpdate | _Draft | _Metadata


class CustomerUpdateSync:
    """The sync handler of Statuspage. Each update is sent once and in order; at the end, people are asked for the last.

    `style`: how the public incident's metadata names what exists in other systems.
    """

    def __init__(self, client: StatuspageClient, draft: PostmortemDrafter, style: MetadataStyle = "keys") -> None:
        self._client = client
        self._draft = draft
        self._style = style
        self._components: tuple[Component, ...] = ()
        self._components_at: datetime | None = None

    async def aclose(self) -> None:
        await self._client.aclose()

    def is_urgent(self, link: Link) -> bool:
        """Everything that customers read is urgent; metadata is not."""
        return kind_of(link.subject) is not SubjectKind.METADATA

    def components(self) -> tuple[Component, ...]:
        """The components of the page, as last polled."""
        return self._components

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> _Prepared | Deferred | None:
        """What is behind a link; None for the public incident itself, and for an update that was sent."""
        incident, kind = incidents_store.find(tx, link.incident_id), kind_of(link.subject)
        if incident is None:
            return None
        if kind in (SubjectKind.CUSTOMER_POSTMORTEM, SubjectKind.METADATA):
            public = find_public_link(tx, incident)
            if public is None:
                return None
            if kind is SubjectKind.CUSTOMER_POSTMORTEM:
                return _Draft(incident, public.external_id, now)
            return _Metadata(public.external_id, _mark_of(incident), metadata_of(tx, incident, self._style))
        if link.external_id or kind is SubjectKind.PUBLIC_INCIDENT:
            return None
        return self._prepare_update(tx, link, incident)

    def _prepare_update(self, tx: Transaction, link: Link, incident: Incident) -> _WantedUpdate | Deferred:
        memo = CustomerUpdateMemo.from_json(link.memo)
        working = {component: ComponentStatus(memo.working) for component in memo.components}
        update = Update(PublicStatus(memo.status), clean(memo.body), memo.mails, working)
        updates = [one for one in links_store.list_by_incident(tx, incident.id) if _is_update(one)]
        if any(one.id < link.id and one.state not in _SETTLED for one in updates):
            return Deferred(_ORDER_WAIT)  # customers read the updates in their order
        # It was rejected, a newer one was sent, and then someone pressed [Try again].
        is_overtaken = any(one.id > link.id and one.state == SyncState.IN_SYNC for one in updates)
        page_id, metadata = _page_of(tx, link, incident, updates), metadata_of(tx, incident, self._style)
        return _WantedUpdate(incident, update, _mark_of(incident), page_id, is_overtaken, metadata)

    async def perform(self, link: Link, prepared: _Prepared) -> SyncResult:
        """Send it. An incident's first update opens it in public; the one that resolves it resets its components."""
        if isinstance(prepared, _Metadata):
            return await self._write_metadata(prepared)
        if isinstance(prepared, _Draft):
            text = await asyncio.to_thread(self._draft, prepared.incident, prepared.now)
            await self._client.draft_postmortem(prepared.page_id, text)
            return SyncResult(prepared.page_id, link.url, "draft", link.memo)
        if prepared.is_overtaken:
            raise IntegrationError(
                self._client.name,
                "Customers have a newer update already, so this one isn't sent. Write a new update.",
                is_permanent=True,
            )
        try:
            made = await self._send(prepared, is_repeat=link.is_unsure or link.attempts > 1)
        except IntegrationError as error:
            if error.status == 404 and prepared.page_id:
                await self._client.check()  # if the page itself is unknown, its error is the one to report
                raise IntegrationError(self._client.name, GONE, is_permanent=True, status=404) from error
            raise
        return SyncResult(made.id, made.url, prepared.update.status.value, link.memo)

    async def _write_metadata(self, wanted: _Metadata) -> SyncResult:
        try:
            await self._client.lead_back(wanted.page_id, wanted.mark, wanted.metadata)
        except IntegrationError as error:
            if error.status != 404 or not error.is_permanent:  # one that was deleted is reported with the next update
                raise
        return SyncResult(wanted.page_id, "")

    async def _send(self, wanted: _WantedUpdate, *, is_repeat: bool) -> PublicIncident:
        client, update, page_id = self._client, wanted.update, wanted.page_id
        if not page_id:
            name = strip_code_marks(to_one_line(mask_credentials(wanted.incident.title)))
            return await client.open(Announcement(wanted.mark, name, update, back=wanted.metadata), is_repeat=is_repeat)
        if update.status is PublicStatus.RESOLVED:
            return await client.resolve(page_id, update.body, notifies=update.notifies, is_repeat=is_repeat)
        return await client.update(page_id, update, is_repeat=is_repeat)

    def record_success(self, tx: Transaction, link: Link, result: SyncResult, now: datetime) -> None:
        """Report that customers can read it, and store the public incident's id, address and status."""
        incident, kind = incidents_store.find(tx, link.incident_id), kind_of(link.subject)
        if incident is None or kind is SubjectKind.METADATA:
            return
        if kind is SubjectKind.CUSTOMER_POSTMORTEM:
            deliveries_store.enqueue_message(tx, incident, statuspage_views.draft_message(incident), now)
            return
        before = find_public_link(tx, incident)
        public_key = link_key(incident, System.STATUSPAGE, SubjectKind.PUBLIC_INCIDENT)
        links_store.add_existing(tx, public_key, result.external_id, result.url, now)
        if before is None or (before.external_id, before.url) != (result.external_id, result.url):
            enqueue_links(tx, incident, System.STATUSPAGE, now)
        else:
            enqueue_metadata(tx, incident, now)  # someone may have overwritten our mark
        if (public := find_public_link(tx, incident)) is not None:
            links_store.set_status(tx, public, result.status, now)
        if result.status == PublicStatus.RESOLVED:  # so the question of whether it is still open there is answered
            outdated_buttons_service.drop_answered(tx, incident.id, ["statuspage_form"], now)
        deliveries_store.enqueue_message(
            tx, incident, statuspage_views.update_message(incident, result.status, result.url), now
        )

    async def poll(self, store: Store, now: datetime) -> list[int]:
        """Poll the components; ask about public incidents that are open though the incident is over."""
        for page in await store.read(_list_left_open):
            # `page=page` binds this round's page; mypy takes the default for a second argument of the unit.
            await store.write(lambda tx, page=page: _ask_to_resolve(tx, page, now))  # type: ignore[misc]
        if self._components_at is None or now - self._components_at >= COMPONENTS_EVERY:
            self._components = tuple(await self._client.components())
            self._components_at = now
        return []


def _mark_of(incident: Incident) -> str:
    return f"afterword-{incident.team}-{incident.key}".lower()


def _is_update(link: Link) -> bool:
    return link.system == System.STATUSPAGE and kind_of(link.subject) is SubjectKind.CUSTOMER_UPDATE


def find_public_link(tx: Transaction, incident: Incident) -> Link | None:
    """The link of the public incident; None if nothing was published yet."""
    return find_link(tx, incident, System.STATUSPAGE, SubjectKind.PUBLIC_INCIDENT)


def _page_of(tx: Transaction, link: Link, incident: Incident, updates: list[Link]) -> str:
    """The public incident of an update; empty before the first, or once people know that it was deleted."""
    # Once an update was refused because the incident is gone, the next one opens a new incident.
    settled = [one for one in updates if one.id <= link.id and (one.state == SyncState.IN_SYNC or one.error)]
    if settled and settled[-1].error == GONE:
        return ""
    public = find_public_link(tx, incident)
    return public.external_id if public else ""


def _list_left_open(tx: Transaction) -> list[Link]:
    """Public incidents that are open though the incident is over, and about which people were not asked since."""
    public = [
        link
        for link in links_store.list_existing(tx, System.STATUSPAGE)
        if kind_of(link.subject) is SubjectKind.PUBLIC_INCIDENT and link.status != PublicStatus.RESOLVED
    ]
    return [link for link in public if (over := _find_over(tx, link)) and link.memo != _memo_of_question(over)]


def _find_over(tx: Transaction, link: Link) -> Incident | None:
    incident = incidents_store.find(tx, link.incident_id)
    return incident if incident and incident.status is Status.RESOLVED and incident.resolved_at else None


def _memo_of_question(over: Incident) -> str:
    """What is stored once people were asked. An incident that was reopened has another end, so they are asked again."""
    return over.resolved_at.isoformat() if over.resolved_at else ""


def _ask_to_resolve(tx: Transaction, seen: Link, now: datetime) -> None:
    public, over = links_store.lock(tx, seen), _find_over(tx, seen)  # locked: another process may be asking, too
    if public is None or over is None or public.memo == _memo_of_question(over):
        return
    # In one transaction with the message, so that people are asked once for this end.
    links_store.set_memo(tx, public, _memo_of_question(over))
    deliveries_store.enqueue_message(tx, over, statuspage_views.still_open(over, public.status, public.url), now)
