"""Keeping each incident's live message as its record is."""

import logging
from dataclasses import dataclass

from bot.clock import Clock
from bot.incident.records import Incident, Place
from bot.slack import incidents as shows
from bot.slack.blocks import Message
from bot.slack.cards import LiveMessages
from bot.slack.outbox import Outbox
from storage import cases, deliveries, incidents
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


class CardKeeper:
    """Updates live messages; one that somebody deleted is posted anew, the first time."""

    def __init__(self, store: Store, clock: Clock, messages: LiveMessages, outbox: Outbox) -> None:
        self._store = store
        self._clock = clock
        self._messages = messages
        self._outbox = outbox
        self._posted_anew: set[int] = set()

    async def refresh(self, place: Place, incident_id: int | None) -> float:
        """Bring the card of the incident named, else of the channel's, up to date.

        The answer is for how many seconds Slack wants to be left alone.
        """
        card = await self._store.read(lambda tx: self._look(tx, place, incident_id))
        if card is None:
            return 0.0
        done = await self._messages.update(card.incident.channel, card.ts, card.said)
        if done.is_gone:
            await self._store.write(lambda tx: self._post_anew(tx, card))
            self._outbox.kick()
        return done.wait

    def _look(self, tx: Transaction, place: Place, incident_id: int | None) -> _Card | None:
        incident = incidents.by_id(tx, incident_id) if incident_id else incidents.current(tx, place)
        ts = incidents.card(tx, incident.id) if incident else ""
        if incident is None or not ts:
            return None
        return _Card(incident, ts, shows.card(*cases.glance(tx, incident, shows.CARD_ENTRIES), self._clock.now()))

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
