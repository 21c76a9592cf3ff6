"""Keeping each incident's live messages as its record is: its card, and the one at the head of its whys' thread."""

import logging
from dataclasses import dataclass
from functools import partial

from bot.clock import Clock
from bot.incident.records import Incident, Place, Status
from bot.slack import incidents as shows
from bot.slack import whys as asks
from bot.slack.blocks import Message
from bot.slack.cards import LiveMessages
from bot.slack.outbox import Outbox
from storage import cases, deliveries, incidents, timeline
from storage.deliveries import Owed
from storage.statements import Transaction
from storage.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Card:
    """A live message, where it stands and as it should read."""

    incident: Incident
    ts: str
    said: Message
    is_card: bool = True


class CardKeeper:
    """Updates live messages; a card that somebody deleted is posted anew, the first time."""

    def __init__(self, store: Store, clock: Clock, messages: LiveMessages, outbox: Outbox) -> None:
        self._store = store
        self._clock = clock
        self._messages = messages
        self._outbox = outbox
        self._posted_anew: set[int] = set()
        self._gone: set[tuple[str, str]] = set()

    async def refresh(self, place: Place, incident_id: int | None) -> float:
        """Bring the card of the incident named, else of the channel's, up to date, and the head of its whys' thread.

        The answer is for how many seconds Slack wants to be left alone.
        """
        wait = 0.0
        for card in await self._store.read(lambda tx: self._look(tx, place, incident_id)):
            done = await self._messages.update(card.incident.channel, card.ts, card.said)
            wait = max(wait, done.wait)
            if not done.is_gone:
                continue
            if card.is_card:
                await self._store.write(partial(self._post_anew, card=card))
                self._outbox.kick()
            else:  # its thread goes on without it
                self._gone.add((card.incident.channel, card.ts))
        return wait

    def _look(self, tx: Transaction, place: Place, incident_id: int | None) -> tuple[_Card, ...]:
        incident = incidents.by_id(tx, incident_id) if incident_id else incidents.current(tx, place)
        if incident is None:
            return ()
        card, thread = incidents.card(tx, incident.id), incidents.whys_thread(tx, incident.id)
        if not card and not thread:
            return ()
        case, total = cases.glance(tx, incident, shows.CARD_ENTRIES)
        said = shows.card(case, total, timeline.course(tx, incident), self._clock.now())
        found = [_Card(incident, card, said)] if card else []
        # While it is open again nothing is asked, and the thread stands as it was.
        is_asked = incident.status is Status.RESOLVED and (incident.channel, thread) not in self._gone
        if thread and is_asked:
            found.append(_Card(incident, thread, asks.opening(case), is_card=False))
        return tuple(found)

    def _post_anew(self, tx: Transaction, card: _Card) -> None:
        incident = card.incident
        if incidents.card(tx, incident.id) != card.ts:
            return  # another process saw it first
        incidents.set_card(tx, incident.id, "")
        if incident.id in self._posted_anew:
            log.info("the live message of %s was deleted again, and stays away", incident.key)
            return
        self._posted_anew.add(incident.id)
        deliveries.owe(tx, Owed(incident.team, "card", incident.channel, "", self._clock.now(), incident.id))
