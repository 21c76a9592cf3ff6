"""Keeping the Home tabs as the record is, for those who look at theirs."""

import asyncio
import hashlib
import json
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from weakref import WeakValueDictionary

from bot.errors import NotRecorded
from bot.incident.records import Incident
from bot.scribe import home
from bot.scribe.desk import Desk
from bot.slack.blocks import Block
from bot.slack.tabs import LATER_SECONDS, Change, Drawn, Publisher, Whose
from storage import incidents, tabs
from storage.statements import Transaction

log = logging.getLogger(__name__)

LOOKED_AT = timedelta(days=7)
"""A tab that nobody opened for so long is drawn at its next opening, not before."""

MOST = 200
"""Of those who are only shown the incident among the others, so many are told, who looked last: three minutes at
Slack's pace. The rest see it when they open their tab, which draws it anyway."""


@dataclass(frozen=True, slots=True)
class _Affected:
    """Whose tabs an incident may show in: those who owe something of it, and the others who looked lately."""

    incident: Incident
    owing: tuple[Whose, ...]
    others: tuple[Whose, ...]


class TabKeeper:
    """Finds out whose tab a change shows in, and publishes those that look different now."""

    def __init__(self, desk: Desk, publisher: Publisher) -> None:
        self._desk = desk
        self._publisher = publisher
        self._drawing: WeakValueDictionary[Whose, asyncio.Lock] = WeakValueDictionary()

    async def everybody(self) -> tuple[Whose, ...]:
        """Those who opened their tab within a week."""
        since = self._since()

        def look(tx: Transaction) -> tuple[Whose, ...]:
            return tuple(whose for team in incidents.teams(tx) for whose in tabs.lately(tx, team, since, MOST))

        return await self._desk.store.read(look)

    async def whose(self, changes: frozenset[Change]) -> tuple[Whose, ...]:
        """Those who owe something of what changed, or did; and where an incident itself changed, those who may see it.

        Of an action, a why or a section nothing shows in the list of incidents.
        """
        found: dict[Whose, None] = {}
        for incident_id in sorted({incident_id for incident_id, _ in changes}):
            look = partial(_affected, incident_id=incident_id, since=self._since())
            affected = await self._desk.store.read(look)
            if affected is None:
                continue
            found |= dict.fromkeys(affected.owing)
            if (incident_id, "incident") in changes:
                found |= dict.fromkeys(await self._who_may_see(affected))
        return tuple(found)

    async def _who_may_see(self, affected: _Affected) -> list[Whose]:
        channel = affected.incident.channel
        return [whose for whose in affected.others if channel in await self._desk.may_see(*whose, [channel], "")]

    async def draw(self, team: str, person: str, *, anyway: bool = False) -> Drawn:
        """Publish somebody's tab where it looks different now, or `anyway`, for they look at it.

        Where Slack does not say what they may see, nothing is shown of it to those who look now; for the others the
        tab stays as it is until Slack tells.
        """
        async with self._drawing.setdefault((team, person), asyncio.Lock()):
            tab = await self._desk.store.read(lambda tx: tabs.one(tx, team, person))
            if not anyway and (tab is None or tab.opened_at < self._since()):
                return Drawn()
            drawing = await home.draw(self._desk, team, person, tab)
            later = Drawn(wait=0.0 if drawing.is_sure else LATER_SECONDS)
            shown = _hash(drawing.view)
            if not anyway and (later.wait or (tab is not None and shown == tab.shown)):
                return later
            drawn = await self._publisher.publish(person, drawing.view)
            if not drawn.is_published:
                return drawn
            await self._keep(team, person, shown, drawing.owes)
            return replace(drawn, wait=later.wait)

    async def _keep(self, team: str, person: str, shown: str, owes: frozenset[int]) -> None:
        try:
            await self._desk.store.write(lambda tx: tabs.keep(tx, team, person, shown, owes))
        except NotRecorded:
            log.warning("what a Home tab shows could not be written down; it is published once more then")

    def _since(self) -> datetime:
        return self._desk.clock.now() - LOOKED_AT


def _affected(tx: Transaction, incident_id: int, since: datetime) -> _Affected | None:
    incident = incidents.by_id(tx, incident_id)
    if incident is None:
        return None
    owing = tabs.owing(tx, incident.team, since, incident_id)
    return _Affected(incident, owing, tabs.lately(tx, incident.team, since, MOST))


def _hash(view: Block) -> str:
    return hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()
