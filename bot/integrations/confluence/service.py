"""What people ask of a postmortem's page on Confluence: make it, agree to a masked copy, decide what happens to it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from bot.domain.records import Incident
from bot.errors import Refused
from bot.integrations.confluence import views as confluence_views
from bot.integrations.memos import BACK, PageMemo
from bot.integrations.systems import SubjectKind, System, subject_of
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.documents import compiler as compiler_service
from bot.slack.views.blocks import Block, Message
from bot.slack.views.templates import words
from storage import links as links_store
from storage.database.statements import Transaction
from storage.links import Link, LinkKey


async def publish(services: Services, request: Request) -> Message | None:
    """`/postmortem confluence`: make or update the page."""
    if System.CONFLUENCE not in services.integrations.names:
        raise Refused(words.confluence.not_connected())

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        link = _link_of(tx, incident)
        links_store.enqueue(tx, _thing(incident), request.now)
        tx.note(incident.id, "postmortem on Confluence")
        return confluence_views.on_its_way(incident, is_there=bool(link and link.external_id))

    return await run_once(services, request, unit, verb="confluence.publish")


class PageBlocks:
    """What other messages show of a postmortem's page: see `bot.services.context.PostmortemPage`."""

    def after_publication(self, tx: Transaction, incident: Incident, now: datetime) -> list[Block]:
        """Update the page if there is one, else offer to make it."""
        link = _link_of(tx, incident)
        if link is None or not link.external_id:
            return [confluence_views.offer(incident)]
        links_store.enqueue_if_known(tx, _thing(incident), now)
        return [confluence_views.also(link)]

    def current(self, tx: Transaction, incident: Incident) -> list[Block]:
        """Where the page is; nothing if there is none."""
        link = _link_of(tx, incident)
        return [confluence_views.standing(link)] if link and link.external_id else []

    def below_export(self, tx: Transaction, incident: Incident) -> list[Block]:
        """Where the page is, or the button that makes it."""
        return self.current(tx, incident) or [confluence_views.offer(incident)]


async def window(services: Services, request: Request) -> Block:
    """The window that lists what a masked copy would mask."""
    incident = await services.store.read(lambda tx: require_incident(tx, request))

    def finds() -> Block:
        masked = services.store.read_now(
            lambda tx: compiler_service.compile_masked(tx, incident, services.policy.mask, request.now)
        )
        return confluence_views.window(incident, masked[1])

    return await asyncio.to_thread(finds)


@dataclass(frozen=True, slots=True)
class _Decision:
    """What the audit calls it, how the memo changes (None if it was decided already), and the message about it."""

    what: str
    decided: Callable[[PageMemo, Link], PageMemo | None]
    said: Callable[[Incident], Message]


async def agree(services: Services, request: Request) -> Message | None:
    """[Put a masked copy]: someone has seen what is masked. From now on the page holds the masked copy."""

    def decided(memo: PageMemo, _: Link) -> PageMemo:
        return replace(memo, is_masked=True)

    decision = _Decision(
        "masked copy onto Confluence", decided, lambda incident: confluence_views.agreed(incident, request.user)
    )
    return await _decide(services, request, decision)


async def order(services: Services, request: Request, what: str, page_id: str) -> Message | None:
    """[Make a new page] (`anew`) or [Overwrite] (`overwrite`)."""

    def decided(memo: PageMemo, link: Link) -> PageMemo | None:
        is_settled = memo.order or link.external_id not in ("", page_id)
        return None if is_settled else replace(memo, order=what)

    said = partial(confluence_views.ordered, order=what, by=request.user)
    return await _decide(services, request, _Decision(f"page on Confluence: {what}", decided, said))


async def put_back(services: Services, request: Request, regions: tuple[str, ...]) -> Message | None:
    """[Put it back]: restore regions that people removed from the page."""

    def decided(memo: PageMemo, _: Link) -> PageMemo | None:
        back = tuple(id_ for id_ in regions if id_ in memo.gone)
        return replace(memo, back=back) if back else None

    said = partial(confluence_views.ordered, order=BACK, by=request.user)
    return await _decide(services, request, _Decision(f"page on Confluence: {BACK}", decided, said))


async def _decide(services: Services, request: Request, decision: _Decision) -> Message | None:
    """Record a decision about the page. Refused if it was decided already, or while the page is being written."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        link = _link_of(tx, incident)
        memo = decision.decided(PageMemo.from_json(link.memo), link) if link else None
        if link is None or memo is None:
            raise Refused(words.confluence.no_decision_open(key=incident.key))
        if not links_store.enqueue_decision(tx, link, memo.to_json(), request.now):
            raise Refused(words.confluence.busy(key=incident.key))
        tx.note(incident.id, decision.what)
        return decision.said(incident)

    return await run_once(services, request, unit, verb="confluence.decide")


def _thing(incident: Incident) -> LinkKey:
    return LinkKey(incident.team, System.CONFLUENCE, subject_of(incident, SubjectKind.POSTMORTEM), incident.id)


def _link_of(tx: Transaction, incident: Incident) -> Link | None:
    return links_store.find(tx, incident.team, System.CONFLUENCE, subject_of(incident, SubjectKind.POSTMORTEM))
