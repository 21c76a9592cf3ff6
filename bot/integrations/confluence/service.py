"""What people ask of a postmortem's page on Confluence: make it, agree to a masked copy, decide what happens to it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.domain.records import Incident, System
from bot.errors import OutdatedButton, Refused
from bot.integrations.confluence import views as confluence_views
from bot.integrations.links import BACK, PageMemo, SubjectKind, find_link, link_key
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.documents import exports as exports_service
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage import links as links_store
from storage.database.statements import Transaction
from storage.links import Link

_POSTMORTEM = System.CONFLUENCE, SubjectKind.POSTMORTEM


async def publish(services: Services, request: Request) -> Message | None:
    """`/postmortem confluence`: make or update the page."""
    if System.CONFLUENCE not in services.integrations.names:
        raise Refused(words.confluence.not_connected())

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        link = find_link(tx, incident, *_POSTMORTEM)
        links_store.enqueue(tx, link_key(incident, *_POSTMORTEM), request.now)
        tx.note(incident.id, "postmortem on Confluence")
        return confluence_views.order_receipt(incident, is_there=bool(link and link.external_id))

    return await run_once(services, request, unit, verb="confluence.publish")


class PageBlocks:
    """The blocks that other messages show about a postmortem's page: `bot.services.context.PostmortemPage`."""

    def after_publication(self, tx: Transaction, incident: Incident, now: datetime) -> list[Block]:
        """Update the page if there is one, else offer to make it."""
        link = find_link(tx, incident, *_POSTMORTEM)
        if link is None or not link.external_id:
            return [confluence_views.offer_block(incident)]
        links_store.enqueue_if_known(tx, link_key(incident, *_POSTMORTEM), now)
        return [confluence_views.update_note(link)]

    def current(self, tx: Transaction, incident: Incident) -> list[Block]:
        """Where the page is; nothing if there is none."""
        link = find_link(tx, incident, *_POSTMORTEM)
        return [confluence_views.page_note(link)] if link and link.external_id else []

    def below_export(self, tx: Transaction, incident: Incident) -> list[Block]:
        """Where the page is, or the button that makes it."""
        return self.current(tx, incident) or [confluence_views.offer_block(incident)]


async def consent_form(services: Services, request: Request) -> Block:
    """The window that lists what a masked copy would mask."""
    incident = await services.store.read(lambda tx: require_incident(tx, request))
    finds = await asyncio.to_thread(exports_service.list_masked_items, services, incident, request)
    return confluence_views.consent_form(incident, finds)


async def agree(services: Services, request: Request) -> Message | None:
    """[Send masked copy]: someone has seen what is masked. From now on the page holds the masked copy."""

    def change(memo: PageMemo, _: Link) -> PageMemo:
        return replace(memo, is_masked=True)

    message = partial(confluence_views.consent_message, by=request.user)
    return await _decide(services, request, "masked copy onto Confluence", change, message)


async def order_page(services: Services, request: Request, what: str, page_id: str) -> Message | None:
    """[Make a new page] (`anew`) or [Overwrite] (`overwrite`)."""

    def change(memo: PageMemo, link: Link) -> PageMemo | None:
        is_settled = memo.order or link.external_id not in ("", page_id)
        return None if is_settled else replace(memo, order=what)

    message = partial(confluence_views.order_message, order=what, by=request.user)
    return await _decide(services, request, f"page on Confluence: {what}", change, message)


async def put_back(services: Services, request: Request, regions: tuple[str, ...]) -> Message | None:
    """[Restore section]: restore regions that people removed from the page."""

    def change(memo: PageMemo, _: Link) -> PageMemo | None:
        back = tuple(id_ for id_ in regions if id_ in memo.gone)
        return replace(memo, back=back) if back else None

    message = partial(confluence_views.order_message, order=BACK, by=request.user)
    return await _decide(services, request, f"page on Confluence: {BACK}", change, message)


async def _decide(
    services: Services,
    request: Request,
    what: str,
    change: Callable[[PageMemo, Link], PageMemo | None],
    message: Callable[[Incident], Message],
) -> Message | None:
    """Record a decision about the page, in the audit as `what`. `change` returns None if it was decided already.

    Refused then, and while the page is being written: the attempt would overwrite the memo.
    """

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        link = find_link(tx, incident, *_POSTMORTEM)
        memo = change(PageMemo.from_json(link.memo), link) if link else None
        if link is None or memo is None:
            raise OutdatedButton(words.confluence.no_decision_open(key=incident.key))
        if not links_store.enqueue_decision(tx, link, memo.to_json(), request.now):
            raise Refused(words.confluence.busy(key=incident.key))
        tx.note(incident.id, what)
        return message(incident)

    return await run_once(services, request, unit, verb="confluence.decide")
