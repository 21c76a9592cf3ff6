"""What people do about Statuspage: draft an update, confirm its words, publish it, and draft the postmortem there."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.domain.records import Status, System
from bot.domain.secrets import RecordKind, RecordRef
from bot.domain.text import require_text
from bot.errors import Refused
from bot.integrations.links import CustomerUpdateMemo, SubjectKind, link_key
from bot.integrations.statuspage import views as statuspage_views
from bot.integrations.statuspage.client import ComponentStatus, PublicStatus
from bot.integrations.statuspage.sync import find_public_link
from bot.services import secrets as secrets_service
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.documents import exports as exports_service
from bot.slack.views.blocks import Block, Message
from storage import links as links_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.timeline import NewEntry


async def overview(services: Services, request: Request) -> Message:
    """`/incident customers`: what they read, and [Tell customers …]."""
    if System.STATUSPAGE not in services.integrations.names:
        return statuspage_views.not_connected()

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, request)
        public = find_public_link(tx, incident)
        return statuspage_views.overview(incident, public.status if public else "", public.url if public else "")

    return await services.store.read(look)


async def form(services: Services, request: Request) -> Block:
    """The window in which an update is drafted."""

    def look(tx: Transaction) -> Block:
        incident = require_incident(tx, request)
        public, is_over = find_public_link(tx, incident), incident.status is Status.RESOLVED
        status = PublicStatus.RESOLVED if is_over else public.status if public else PublicStatus.INVESTIGATING
        return statuspage_views.form(incident, services.integrations.components(), status)

    return await services.store.read(look)


async def confirm(services: Services, request: Request, update: dict[str, Any]) -> Block:
    """The window that shows exactly what customers will read. `update` has the keys of `CustomerUpdateMemo`."""
    _require_valid(update)
    names = [component.name for component in services.integrations.components() if component.id in update["components"]]
    return await services.store.read(lambda tx: statuspage_views.confirm(require_incident(tx, request), update, names))


def _require_valid(update: Mapping[str, Any]) -> None:
    require_text(update["body"], "Write the update for customers.")
    is_unknown = update["components"] and update["working"] not in set(ComponentStatus)
    if update["status"] not in set(PublicStatus) or is_unknown:
        raise Refused("Choose a status.", field="status")


async def publish(services: Services, request: Request, update: dict[str, Any]) -> Message | None:
    """[Publish]: a person has seen every word. `update` has the keys of `CustomerUpdateMemo`."""
    _require_valid(update)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        text = f"Customers told ({update['status']}): {update['body']}"
        new = NewEntry(request.now, text, request.user, request.user, request.now)
        entry = timeline_store.append(tx, incident.id, new)
        secrets_service.warn(tx, incident, RecordRef(RecordKind.ENTRY, str(entry.number)), text, request)
        tx.note(incident.id, "customer update")
        key = link_key(incident, System.STATUSPAGE, SubjectKind.CUSTOMER_UPDATE, entry.number)
        links_store.enqueue(tx, key, request.now, CustomerUpdateMemo.from_values(update).to_json())
        return statuspage_views.publishing_message(incident, update["status"], request.user)

    return await run_once(services, request, unit, verb="statuspage.publish")


async def draft_form(services: Services, request: Request) -> Block:
    """The window that lists what is masked in the postmortem before Statuspage gets it as a draft."""
    incident = await services.store.read(lambda tx: require_incident(tx, request))
    finds = await asyncio.to_thread(exports_service.list_masked_items, services, incident, request)
    return statuspage_views.draft_form(incident, finds)


async def draft(services: Services, request: Request) -> Message | None:
    """[Create draft]: put the masked postmortem on Statuspage as a draft, or update the draft."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        if find_public_link(tx, incident) is None:
            raise Refused("Customers haven't been told about it yet. Update them first: `/incident customers`")
        tx.note(incident.id, "postmortem draft for customers")
        key = link_key(incident, System.STATUSPAGE, SubjectKind.CUSTOMER_POSTMORTEM)
        links_store.enqueue(tx, key, request.now)
        return statuspage_views.drafting_message(incident, request.user)

    return await run_once(services, request, unit, verb="statuspage.draft")
