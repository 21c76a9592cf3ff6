"""Paging: people on call are woken through their own system, and nobody is told "paged" before it has confirmed."""

import json
from dataclasses import dataclass
from datetime import datetime

from bot.errors import Refused
from bot.incident.plain import one_line
from bot.incident.records import EntryKind, Incident
from bot.incident.secrets import masked
from bot.incident.text import admit
from bot.publish.paging import Alert, Paging, Responder
from bot.scribe.desk import Asked, Desk, once, require_incident
from bot.scribe.errands import Kept
from bot.slack import connections as says
from bot.slack.blocks import Message
from storage import deliveries, incidents, links, timeline
from storage.deliveries import Owed
from storage.links import Link, Thing
from storage.statements import Transaction
from storage.store import Store
from storage.timeline import NewEntry

SYSTEM = "paging"
_PRIORITIES = {1: "P1", 2: "P2", 3: "P3", 4: "P4"}


async def page(desk: Desk, asked: Asked, words: str) -> Message | None:
    """`/incident page WORDS`: have those on call paged; it is in the timeline that it was asked for, and when."""
    if SYSTEM not in desk.systems:
        sentence = (
            "Nobody was paged: paging is not connected. Page as you usually do, and write it down with `/timeline`. "
            "Whoever runs Afterword can connect it: AFTERWORD_JSM_KEY."
        )
        raise Refused(sentence)
    words = " ".join(admit(words, "That page").split())

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        text = f"Asked to page: {words or incident.title}"
        number = _note(tx, incident, asked.user, text, asked.now)
        thing = Thing(asked.team, SYSTEM, f"{incident.key} page of #{number}", incident.id)
        memo = json.dumps({"words": words or incident.title, "by": asked.user})
        links.want(tx, thing, asked.now, memo)
        return says.paging(incident, number)

    return await once(desk, asked, unit)


def _note(tx: Transaction, incident: Incident, user: str, text: str, now: datetime) -> int:
    number = incidents.take_number(tx, incident.id, "last_entry")
    return timeline.add(tx, incident.id, number, NewEntry(now, text, user, user, now, kind=EntryKind.NOTE)).number


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A page as it was asked for."""

    alert: Alert
    by: str


class Pages:
    """Raises each page once; while its alert is open, a repeat joins it and wakes nobody again."""

    is_urgent = True

    def __init__(self, client: Paging, team: str) -> None:
        self._client = client
        self._responders = (Responder("team", team),) if team else ()

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> _Wanted | None:
        """The page behind a link; None once it was raised."""
        incident = incidents.by_id(tx, link.incident_id)
        if incident is None or link.external_id:
            return None
        asked = json.loads(link.memo)
        alert = Alert(
            alias=f"afterword-{link.team}-{link.id}".lower(),
            message=f"{incident.key}: {one_line(masked(asked['words']))}",
            description=f"{one_line(masked(incident.title))}\nSlack: https://slack.com/app_redirect?team={link.team}&channel={incident.channel}",
            priority=_PRIORITIES.get(incident.severity or 0, "P3"),
            responders=self._responders,
            tags=("afterword", incident.key),
            details={"incident": incident.key},
        )
        return _Wanted(alert, asked["by"])

    async def perform(self, link: Link, prepared: _Wanted) -> Kept:
        """Raise it, and wait until it is confirmed."""
        paged = await self._client.page(prepared.alert)
        return Kept(paged.alert_id, "", "confirmed", link.memo)

    def keep(self, tx: Transaction, link: Link, kept: Kept, now: datetime) -> None:
        """It is confirmed: now people are told, and the timeline says when."""
        incident = incidents.by_id(tx, link.incident_id)
        if incident is None:
            return
        asked = json.loads(link.memo)
        number = _note(tx, incident, asked["by"], f"Paged, and confirmed by {self._client.name}", now)
        said = says.paged(incident, self._client.name, asked["words"], number)
        deliveries.owe(tx, Owed(link.team, "message", incident.channel, json.dumps(said), now, incident.id))

    async def look(self, store: Store, now: datetime) -> list[int]:
        """What becomes of a page over there comes in as an alert, through /hooks/jsm."""
        return []
