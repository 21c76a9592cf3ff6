"""The verbs about a postmortem's page on Confluence: put it there, agree to what leaves, decide what becomes of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from bot.errors import Refused
from bot.incident.records import Incident
from bot.scribe import confluence_memo as memos
from bot.scribe import documents
from bot.scribe.confluence_memo import Memo
from bot.scribe.confluence_pages import POSTMORTEM, SYSTEM
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.slack import confluence as says
from bot.slack.blocks import Block, Message
from bot.slack.words import words
from storage import links
from storage.links import Link, Thing
from storage.statements import Transaction

BACK = "back"


async def publish(desk: Desk, asked: Asked) -> Message | None:
    """`/postmortem confluence`: make the page, or bring it up to date."""
    if SYSTEM not in desk.systems:
        raise Refused(words.confluence.not_connected())

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        link = _link_of(tx, incident)
        links.want(tx, _thing(incident), asked.now)
        tx.note(incident.id, "postmortem on Confluence")
        return says.on_its_way(incident, is_there=bool(link and link.external_id))

    return await once(desk, asked, unit)


def bring_along(tx: Transaction, desk: Desk, incident: Incident, asked: Asked) -> list[Block]:
    """What is said below a publication: the page that is there is brought up to date, or one can be made."""
    if SYSTEM not in desk.systems:
        return []
    link = _link_of(tx, incident)
    if link is None or not link.external_id:
        return [says.offer(incident)]
    links.bump(tx, _thing(incident), asked.now)
    return [says.also(link)]


def page_of(tx: Transaction, desk: Desk, incident: Incident) -> Link | None:
    """The postmortem's page, where there is one."""
    link = _link_of(tx, incident) if SYSTEM in desk.systems else None
    return link if link and link.external_id else None


def offered(tx: Transaction, desk: Desk, incident: Incident) -> list[Block]:
    """Where the page is, or the button that makes it; nothing where Confluence is not connected."""
    if SYSTEM not in desk.systems:
        return []
    link = _link_of(tx, incident)
    return [says.standing(link) if link and link.external_id else says.offer(incident)]


async def window(desk: Desk, asked: Asked) -> Block:
    """What a masked copy would mask, each find."""
    incident = await desk.store.read(lambda tx: require_incident(tx, asked))

    def finds() -> Block:
        masked = desk.store.read_now(lambda tx: documents.masked(tx, incident, desk.mask, asked.now))
        return says.window(incident, masked[1])

    return await asyncio.to_thread(finds)


@dataclass(frozen=True, slots=True)
class _Decision:
    """`what` the audit calls it, how the memo changes (None where it was decided already), and what is said of it."""

    what: str
    decided: Callable[[Memo, Link], Memo | None]
    said: Callable[[Incident], Message]


async def agree(desk: Desk, asked: Asked) -> Message | None:
    """Somebody has seen what is masked: from now on the page holds the masked copy."""

    def decided(memo: Memo, _: Link) -> Memo:
        return replace(memo, is_masked=True)

    decision = _Decision("masked copy onto Confluence", decided, lambda incident: says.agreed(incident, asked.user))
    return await _decide(desk, asked, decision)


async def order(desk: Desk, asked: Asked, what: str, page_id: str) -> Message | None:
    """Somebody decided: another page (`anew`), or this one written over (`overwrite`)."""

    def decided(memo: Memo, link: Link) -> Memo | None:
        is_settled = memo.order or link.external_id not in ("", page_id)
        return None if is_settled else replace(memo, order=what)

    said = partial(says.ordered, order=what, by=asked.user)
    return await _decide(desk, asked, _Decision(f"page on Confluence: {what}", decided, said))


async def put_back(desk: Desk, asked: Asked, regions: tuple[str, ...]) -> Message | None:
    """What people took off the page comes back."""

    def decided(memo: Memo, _: Link) -> Memo | None:
        back = tuple(id_ for id_ in regions if id_ in memo.gone)
        return replace(memo, back=back) if back else None

    said = partial(says.ordered, order=BACK, by=asked.user)
    return await _decide(desk, asked, _Decision(f"page on Confluence: {BACK}", decided, said))


async def _decide(desk: Desk, asked: Asked, decision: _Decision) -> Message | None:
    """Put down a decision about the page, unless it was taken already or the page is being written."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        link = _link_of(tx, incident)
        memo = decision.decided(memos.read(link.memo), link) if link else None
        if link is None or memo is None:
            raise Refused(words.confluence.settled(key=incident.key))
        if not links.order(tx, link, memo.written(), asked.now):
            raise Refused(words.confluence.busy(key=incident.key))
        tx.note(incident.id, decision.what)
        return decision.said(incident)

    return await once(desk, asked, unit)


def _thing(incident: Incident) -> Thing:
    return Thing(incident.team, SYSTEM, f"{incident.key}{POSTMORTEM}", incident.id)


def _link_of(tx: Transaction, incident: Incident) -> Link | None:
    return links.of(tx, incident.team, SYSTEM, f"{incident.key}{POSTMORTEM}")
