"""What customers are told on Statuspage: never without a person's click, never twice, followed to its end."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.masking import MaskedItem
from bot.domain.records import Component, Incident, Status
from bot.domain.secrets import RecordKind, RecordRef, mask_credentials
from bot.domain.text import clean, require_text, strip_code_marks, to_one_line
from bot.errors import Refused
from bot.integrations.http import IntegrationError
from bot.integrations.relations import WAY_BACK, MetadataStyle, enqueue_links, enqueue_metadata, metadata_of
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
from bot.services import secrets as secrets_service
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.documents import compiler as compiler_service
from bot.slack.views.blocks import Block, Message
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import links as links_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link, LinkKey
from storage.queues import SyncState
from storage.timeline import NewEntry

SYSTEM = "statuspage"
COMPONENTS_EVERY = timedelta(minutes=15)
_PAGE = " customers"
"""Behind an incident's key: the link that stands for the whole public incident."""
_UPDATE = " customer update #"
_POSTMORTEM = " postmortem for customers"
GONE = (
    "The incident that customers read was deleted on Statuspage. Nothing was sent: try again, or write another update, "
    "and it opens a new one there."
)

PostmortemDrafter = Callable[[Incident, datetime], str]
"""The masked postmortem of an incident as Markdown, as of a moment; it blocks, so call it in a thread."""


async def overview(services: Services, request: Request) -> Message:
    """`/incident customers`: what they read, and the way to tell them more."""
    if SYSTEM not in services.integrations.names:
        return statuspage_views.not_connected()

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, request)
        page = links_store.find(tx, request.team, SYSTEM, f"{incident.key}{_PAGE}")
        return statuspage_views.overview(incident, page.status if page else "", page.url if page else "")

    return await services.store.read(look)


async def form(services: Services, request: Request) -> Block:
    """The window in which an update is drafted."""

    def look(tx: Transaction) -> Block:
        incident = require_incident(tx, request)
        page = links_store.find(tx, request.team, SYSTEM, f"{incident.key}{_PAGE}")
        over = incident.status is Status.RESOLVED
        status = PublicStatus.RESOLVED if over else page.status if page else PublicStatus.INVESTIGATING
        return statuspage_views.form(incident, services.integrations.components(), status)

    return await services.store.read(look)


async def confirm(services: Services, request: Request, update: dict[str, Any]) -> Block:
    """The window that shows exactly what customers will read."""
    _require_sayable(update)
    names = [component.name for component in services.integrations.components() if component.id in update["components"]]
    return await services.store.read(lambda tx: statuspage_views.confirm(require_incident(tx, request), update, names))


def _require_sayable(update: Mapping[str, Any]) -> None:
    require_text(update["body"], "Write what customers are to read.")
    if update["status"] not in set(PublicStatus) or (
        update["components"] and update["working"] not in set(ComponentStatus)
    ):
        raise Refused("Choose how far it is.", field="status")


async def publish(services: Services, request: Request, update: dict[str, Any]) -> Message | None:
    """A person has seen every word and published it."""
    _require_sayable(update)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        text = f"Customers told ({update['status']}): {update['body']}"
        entry = timeline_store.append(
            tx, incident.id, NewEntry(request.now, text, request.user, request.user, request.now)
        )
        secrets_service.warn(tx, incident, RecordRef(RecordKind.ENTRY, str(entry.number)), text, request)
        tx.note(incident.id, "customer update")
        thing = LinkKey(request.team, SYSTEM, f"{incident.key}{_UPDATE}{entry.number}", incident.id)
        links_store.enqueue(tx, thing, request.now, json.dumps(update, ensure_ascii=False))
        return statuspage_views.on_its_way(incident, update["status"], request.user)

    return await run_once(services, request, unit, verb="statuspage.publish")


async def draft_form(services: Services, request: Request) -> Block:
    """The window that shows what is masked in the postmortem before customers' page gets it as a draft."""
    incident = await services.store.read(lambda tx: require_incident(tx, request))
    return await asyncio.to_thread(
        lambda: statuspage_views.draft_form(incident, services.store.read_now(finds_in(services, request, incident)))
    )


def finds_in(
    services: Services, request: Request, incident: Incident
) -> Callable[[Transaction], tuple[MaskedItem, ...]]:
    """What a masked copy of an incident's document masks."""
    return lambda tx: compiler_service.compile_masked(tx, incident, services.policy.mask, request.now)[1]


async def draft(services: Services, request: Request) -> Message | None:
    """Somebody has seen what is masked: put the postmortem there as a draft, or bring the draft up to date."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        page = links_store.find(tx, request.team, SYSTEM, f"{incident.key}{_PAGE}")
        if page is None:
            raise Refused("Customers were told nothing of it yet, so there is nothing that its postmortem belongs to.")
        tx.note(incident.id, "postmortem draft for customers")
        thing = LinkKey(request.team, SYSTEM, f"{incident.key}{_POSTMORTEM}", incident.id)
        links_store.enqueue(tx, thing, request.now)
        return statuspage_views.drafting(incident, request.user)

    return await run_once(services, request, unit, verb="statuspage.draft")


@dataclass(frozen=True, slots=True)
class _Draft:
    """The postmortem of an incident, as of a moment, for a public incident."""

    incident: Incident
    page_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class _WantedUpdate:
    """One update, and the public incident that it belongs to (its id is empty before the first)."""

    incident: Incident
    update: Update
    mark: str
    page_id: str
    is_overtaken: bool
    back: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Back:
    """What leads back from the public incident `page_id`, which is known by `mark`."""

    page_id: str
    mark: str
    back: Mapping[str, object]


_Prepared = _WantedUpdate | _Draft | _Back


class CustomerUpdateSync:
    """Sends each update once, in order, and asks for the last one when the incident is over.

    `names`: how the public incident's metadata names what leads back.
    """

    def __init__(self, client: StatuspageClient, drafted: PostmortemDrafter, names: MetadataStyle = "keys") -> None:
        self._client = client
        self._drafted = drafted
        self._names = names
        self._components: tuple[Component, ...] = ()
        self._asked_at: datetime | None = None

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    def is_urgent(self, link: Link) -> bool:
        """All that customers are to read is; what leads back is read by nobody who waits for it."""
        return not link.subject.endswith(WAY_BACK)

    def components(self) -> tuple[Component, ...]:
        """The parts of the service, as last read."""
        return self._components

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> _Prepared | Deferred | None:
        """What is behind a link; None for the link that stands for the whole, and for an update once it was sent."""
        incident = incidents_store.find(tx, link.incident_id)
        if incident is not None and link.subject.endswith((_POSTMORTEM, WAY_BACK)):
            whole = links_store.find(tx, link.team, SYSTEM, f"{incident.key}{_PAGE}")
            if whole is None:
                return None
            if link.subject.endswith(_POSTMORTEM):
                return _Draft(incident, whole.external_id, now)
            return _Back(whole.external_id, _mark_of(incident), metadata_of(tx, incident, self._names))
        if incident is None or link.external_id or link.subject.endswith(_PAGE):
            return None
        asked = json.loads(link.memo)
        working = {component: ComponentStatus(asked["working"]) for component in asked["components"]}
        update = Update(PublicStatus(asked["status"]), clean(asked["body"]), asked["mails"], working)
        known = links_store.list_by_incident(tx, incident.id)
        updates = [one for one in known if one.system == SYSTEM and _UPDATE in one.subject]
        if any(
            one.id < link.id and one.state not in (SyncState.IN_SYNC, SyncState.REJECTED, SyncState.ABANDONED)
            for one in updates
        ):
            return Deferred(timedelta(seconds=5))  # updates are read in their order
        is_overtaken = any(one.id > link.id and one.state == SyncState.IN_SYNC for one in updates)
        page_id, back = _page_of(tx, link, incident, updates), metadata_of(tx, incident, self._names)
        return _WantedUpdate(incident, update, _mark_of(incident), page_id, is_overtaken, back)

    async def perform(self, link: Link, prepared: _Prepared) -> SyncResult:
        """Say it. The first update of an incident opens it in public; the one that ends it resets its components."""
        if isinstance(prepared, _Back):
            return await self._led_back(prepared)
        if isinstance(prepared, _Draft):
            text = await asyncio.to_thread(self._drafted, prepared.incident, prepared.now)
            await self._client.draft_postmortem(prepared.page_id, text)
            return SyncResult(prepared.page_id, link.url, "draft", link.memo)
        if prepared.is_overtaken:
            raise IntegrationError(
                "Statuspage",
                "Customers read something newer already, so this is not sent after it. Write a new update.",
                is_permanent=True,
            )
        try:
            made = await self._said(prepared, is_repeat=link.is_unsure or link.attempts > 1)
        except IntegrationError as error:
            if error.status == 404 and prepared.page_id:
                await self._client.check()  # where the whole page is not known, that is what is told
                raise IntegrationError(self._client.name, GONE, is_permanent=True, status=404) from error
            raise
        return SyncResult(made.id, made.url, prepared.update.status.value, link.memo)

    async def _led_back(self, wanted: _Back) -> SyncResult:
        try:
            await self._client.lead_back(wanted.page_id, wanted.mark, wanted.back)
        except IntegrationError as error:
            if error.status != 404 or not error.is_permanent:  # of one that was deleted there the next update tells
                raise
        return SyncResult(wanted.page_id, "")

    async def _said(self, wanted: _WantedUpdate, *, is_repeat: bool) -> PublicIncident:
        client, update, page_id = self._client, wanted.update, wanted.page_id
        if not page_id:
            name = strip_code_marks(to_one_line(mask_credentials(wanted.incident.title)))
            return await client.open(Announcement(wanted.mark, name, update, back=wanted.back), is_repeat=is_repeat)
        if update.status is PublicStatus.RESOLVED:
            return await client.resolve(page_id, update.body, notifies=update.notifies, is_repeat=is_repeat)
        return await client.update(page_id, update, is_repeat=is_repeat)

    def keep(self, tx: Transaction, link: Link, kept: SyncResult, now: datetime) -> None:
        """Customers read it: now the channel is told, and the whole stands where it stands."""
        incident = incidents_store.find(tx, link.incident_id)
        if incident is None or link.subject.endswith(WAY_BACK):
            return
        if link.subject.endswith(_POSTMORTEM):
            deliveries_store.enqueue_message(tx, incident, statuspage_views.drafted(incident), now)
            return
        whole = LinkKey(link.team, SYSTEM, f"{incident.key}{_PAGE}", incident.id)
        before = links_store.find(tx, link.team, SYSTEM, whole.subject)
        links_store.add_existing(tx, whole, kept.external_id, kept.url, now)
        page = links_store.find(tx, link.team, SYSTEM, whole.subject)
        if before is None or (before.external_id, before.url) != (kept.external_id, kept.url):
            enqueue_links(tx, incident, SYSTEM, now)
        else:
            enqueue_metadata(tx, incident, now)  # somebody may have written over what the incident is known by
        if page is not None:
            links_store.set_status(tx, page, kept.status, now)
        deliveries_store.enqueue_message(tx, incident, statuspage_views.told(incident, kept.status, kept.url), now)

    async def look(self, store: Store, now: datetime) -> list[int]:
        """Read the components anew, and ask for the end of what is over here and open there."""
        for page in await store.read(_left_open):
            await store.write(lambda tx, page=page: _ask_for_the_end(tx, page, now))  # type: ignore[misc]
        if self._asked_at is None or now - self._asked_at >= COMPONENTS_EVERY:
            self._components = tuple(await self._client.components())
            self._asked_at = now
        return []


def _mark_of(incident: Incident) -> str:
    return f"afterword-{incident.team}-{incident.key}".lower()


def _page_of(tx: Transaction, link: Link, incident: Incident, updates: list[Link]) -> str:
    """The public incident that an update belongs to; empty before the first, and once people were told it is gone."""
    settled = [one for one in updates if one.id <= link.id and (one.state == SyncState.IN_SYNC or one.error)]
    if settled and settled[-1].error == GONE:
        return ""
    page = links_store.find(tx, link.team, SYSTEM, f"{incident.key}{_PAGE}")
    return page.external_id if page else ""


def _left_open(tx: Transaction) -> list[Link]:
    """What customers read as going on, though it is over here, and nobody was asked about it since."""
    pages = [link for link in links_store.list_existing(tx, SYSTEM) if link.subject.endswith(_PAGE)]
    going_on = [page for page in pages if page.status != PublicStatus.RESOLVED]
    return [page for page in going_on if (over := _over(tx, page)) and page.memo != _asked(over)]


def _over(tx: Transaction, page: Link) -> Incident | None:
    incident = incidents_store.find(tx, page.incident_id)
    return incident if incident and incident.status is Status.RESOLVED and incident.resolved_at else None


def _asked(over: Incident) -> str:
    """What is remembered once people were asked: of an incident that was opened again they are asked again."""
    return over.resolved_at.isoformat() if over.resolved_at else ""


def _ask_for_the_end(tx: Transaction, seen: Link, now: datetime) -> None:
    page, over = links_store.lock(tx, seen), _over(tx, seen)  # another process may be asking, too
    if page is None or over is None or page.memo == _asked(over):
        return
    links_store.set_memo(tx, page, _asked(over))
    deliveries_store.enqueue_message(tx, over, statuspage_views.still_open(over, page.status, page.url), now)
