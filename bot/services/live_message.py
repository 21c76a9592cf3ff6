"""Live messages: they follow the record, and are posted again if they were deleted or have scrolled away."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.domain import incident as incident_rules
from bot.domain.facets import FacetKind, list_names
from bot.domain.records import AuditLine, Case, Incident, Place, Status
from bot.services import facets as facets_service
from bot.services.context import Policy, Request, Services, require_incident
from bot.slack.refresh import MessageUpdater
from bot.slack.views import live_message as live_message_views
from bot.slack.views import whys as whys_views
from bot.slack.views.blocks import Message
from bot.slack.views.incidents import SimilarCase
from bot.slack.views.live_message import CardChange, CardContent
from storage import audit as audit_store
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.deliveries import Delivery, NewDelivery
from storage.queues import DeliveryKind

log = logging.getLogger(__name__)

SCROLLED_AWAY = 50
"""Messages after a live message that push it out of sight."""

STAYS_FOR = timedelta(hours=1)
COUNTED_EVERY = timedelta(minutes=5)

_AUDITED = 20
"""Lines of the audit that are looked through for changes to mention."""

FindSimilar = Callable[[Incident], Awaitable[tuple[SimilarCase, ...]]]
"""Finds past incidents like this one that everyone in its channel may see."""


def read_content(tx: Transaction, incident: Incident) -> CardContent:
    """What the live message of an incident shows, but for similar incidents, of which Slack is asked first."""
    entries = timeline_store.list_human(tx, incident.id, live_message_views.ENTRIES)
    changed = timeline_store.list_changes(tx, incident.id, live_message_views.CHANGES)
    case = case_store.load_page(tx, incident, (*entries, *changed))
    lines = audit_store.list_latest(tx, incident.id, _AUDITED)
    audited = (live_message_views.audit_change(line, _name_author(tx, incident, line)) for line in lines)
    changes = [*(live_message_views.entry_change(entry, case) for entry in changed), *filter(None, audited)]
    reached = incident_rules.list_reached_milestones(incident, timeline_store.list_marking(tx, incident.id))
    return CardContent(
        replace(case, entries=entries),
        timeline_store.measure_span(tx, incident),
        {milestone: mark.at for milestone, mark in reached.items()},
        sorted(changes, key=_change_time, reverse=True)[: live_message_views.CHANGES],
    )


def _change_time(change: CardChange) -> datetime:
    return change.at


def _name_author(tx: Transaction, incident: Incident, line: AuditLine) -> str:
    person = people_store.find(tx, incident.team, line.who)
    return person.name if person is not None else line.who


def compose(tx: Transaction, incident: Incident, now: datetime) -> Message:
    """The live message as the record has it."""
    return live_message_views.live_message(read_content(tx, incident), now)


async def overview(services: Services, request: Request) -> Message:
    """The state of the channel's incident: the live message's content as a private answer."""
    return await services.store.read(
        lambda tx: compose_overview(tx, services.policy, require_incident(tx, request), request.now)
    )


def compose_overview(tx: Transaction, policy: Policy, incident: Incident, now: datetime) -> Message:
    """The same, with the names that are proposed to this reader alone."""
    proposals = facets_service.list_proposals(tx, policy, incident)
    return live_message_views.overview(read_content(tx, incident), proposals, now)


@dataclass(frozen=True, slots=True)
class _Card:
    """A live message, or the head of the whys' thread: where it is, and what it should show."""

    incident: Incident
    ts: str
    content: CardContent | None = None
    head: Message | None = None


class LiveMessageRenderer:
    """Updates live messages. The first time that one was deleted, and if one has scrolled away, it is posted again."""

    def __init__(self, services: Services, messages: MessageUpdater, find_similar: FindSimilar) -> None:
        self._services = services
        self._messages = messages
        self._find_similar = find_similar
        self._similar: dict[int, tuple[str, tuple[SimilarCase, ...]]] = {}
        """By incident: the title and services for which they were found, and what was found."""
        self._counted: dict[int, datetime] = {}
        self._posted_again: set[int] = set()
        self._gone: set[tuple[str, str]] = set()
        self._replaced: dict[int, str] = {}
        """By incident: the time stamp of the card that the current one took the place of, which is still pinned."""

    async def refresh(self, place: Place, incident_id: int | None) -> float:
        """Bring the card of the incident named, else of the channel's, up to date, and the head of its whys' thread.

        The answer is for how many seconds Slack wants to be left alone.
        """
        wait = 0.0
        for card in await self._services.store.read(lambda tx: self._look(tx, place, incident_id)):
            if card.content is not None and await self._has_scrolled_away(card):
                await self._services.store.write(partial(self._post_anew, card=card))
                self._services.slack.outbox.notify()
                continue
            done = await self._messages.update(card.incident.channel, card.ts, await self._render(card))
            wait = max(wait, done.wait)
            if done.is_gone:
                await self._replace_deleted(card)
            elif card.content is not None and self._services.policy.pin_card:
                await self._pin(card)
        return wait

    def note_replaced(self, incident_id: int, ts: str) -> None:
        """A card was posted in place of the one of this time stamp, whose pin goes once the new one is pinned."""
        self._replaced[incident_id] = ts

    async def _pin(self, card: _Card) -> None:
        await self._messages.pin(card.incident.channel, card.ts)
        if old := self._replaced.pop(card.incident.id, ""):
            await self._messages.unpin(card.incident.channel, old)

    def _look(self, tx: Transaction, place: Place, incident_id: int | None) -> tuple[_Card, ...]:
        incident = incidents_store.find(tx, incident_id) if incident_id else incidents_store.find_current(tx, place)
        if incident is None:
            return ()
        card, thread = (
            incidents_store.read_live_message(tx, incident.id),
            incidents_store.read_whys_thread(tx, incident.id),
        )
        found = [_Card(incident, card, read_content(tx, incident))] if card else []
        if thread and (incident.channel, thread) not in self._gone:
            case = case_store.load_latest(tx, incident)
            found.append(_Card(incident, thread, head=whys_views.thread_message(case)))
        return tuple(found)

    async def _render(self, card: _Card) -> Message:
        if card.content is None:
            return card.head or {}
        content = replace(card.content, similar=await self._list_similar(card.content.case))
        return live_message_views.live_message(content, self._services.clock.now())

    async def _list_similar(self, case: Case) -> tuple[SimilarCase, ...]:
        """Found once for a title and its services, for it takes a search and calls to Slack.

        Afterwards `/postmortem` proposes them.
        """
        incident = case.incident
        about = "\n".join((incident.title, *list_names(case.facets, FacetKind.SERVICE)))
        if incident.status is Status.RESOLVED:
            return ()
        if self._similar.get(incident.id, ("", ()))[0] != about:
            found = await self._find_similar(incident)
            self._similar[incident.id] = (about, found[: live_message_views.SIMILAR])
        return self._similar[incident.id][1]

    async def _has_scrolled_away(self, card: _Card) -> bool:
        now, incident = self._services.clock.now(), card.incident
        posted_at = datetime.fromtimestamp(float(card.ts), UTC)
        if incident.status is Status.RESOLVED or now - posted_at < STAYS_FOR:
            return False
        if now - self._counted.get(incident.id, posted_at) < COUNTED_EVERY:
            return False
        # Before the call: one that fails is tried again after the pause, not with the next entry.
        self._counted[incident.id] = now
        return await self._messages.count_after(incident.channel, card.ts, SCROLLED_AWAY) >= SCROLLED_AWAY

    def _post_anew(self, tx: Transaction, card: _Card) -> None:
        """Enqueue the card once more. Once it is posted, the old one becomes a line (`record_posted`)."""
        incident = card.incident
        # Another process may have posted it again already.
        if incidents_store.read_live_message(tx, incident.id) == card.ts:
            body, now = {"instead_of": card.ts}, self._services.clock.now()
            new = NewDelivery(incident.team, DeliveryKind.LIVE_MESSAGE, incident.channel, body, now, incident.id)
            deliveries_store.enqueue(tx, new)

    async def _replace_deleted(self, card: _Card) -> None:
        if card.content is None:  # the whys' thread goes on without its head
            self._gone.add((card.incident.channel, card.ts))
            return
        await self._services.store.write(partial(self._post_again, card=card))
        self._services.slack.outbox.notify()

    def _post_again(self, tx: Transaction, card: _Card) -> None:
        incident = card.incident
        if incidents_store.read_live_message(tx, incident.id) != card.ts:
            return  # another process saw it first
        # Emptied first, so that refreshes leave it alone until the new one is posted.
        incidents_store.save_live_message(tx, incident.id, "")
        if incident.id in self._posted_again:
            log.info(
                "The live message of %(incident)s was deleted twice. It isn't posted again.",
                {"event": "live_message_deleted", "incident": incident.key, "team": incident.team},
            )
            return
        # Once: a person who deletes it twice does not want it.
        self._posted_again.add(incident.id)
        now = self._services.clock.now()
        deliveries_store.enqueue(
            tx, NewDelivery(incident.team, DeliveryKind.LIVE_MESSAGE, incident.channel, "", now, incident.id)
        )


def read_replaced(delivery: Delivery) -> str:
    """The time stamp of the live message that a delivery of one takes the place of; empty for the first."""
    return str(delivery.content.get("instead_of", ""))


def record_posted(tx: Transaction, incident: Incident, old: str, ts: str, now: datetime) -> None:
    """Save where the live message is; the `old` one, if there is one, becomes a line that leads there."""
    incidents_store.save_live_message(tx, incident.id, ts)
    if old:
        line = live_message_views.moved_message(incident, ts)
        body = {"of": 0, "ts": old, "to": "", "about": "", **line}
        deliveries_store.enqueue(
            tx,
            NewDelivery(incident.team, DeliveryKind.REPLACED_REMINDER, incident.channel, body, now, incident.id),
        )
