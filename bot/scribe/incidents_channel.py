"""What becomes of an incident with its channel: that is renamed, or the bot comes into it."""

import json
from dataclasses import replace

from bot.incident.records import Place
from bot.scribe.desk import Asked, Desk, once
from bot.slack import incidents as says
from storage import deliveries, incidents
from storage.deliveries import Owed
from storage.statements import Transaction


async def renamed(desk: Desk, place: Place, name: str) -> None:
    """A channel has another name: its incident's exports say the new one."""

    def unit(tx: Transaction) -> None:
        incident = incidents.current(tx, place, locking=True)
        if incident is not None:
            incidents.save(tx, replace(incident, channel_name=name))

    await desk.store.write(unit)


async def welcomed(desk: Desk, asked: Asked) -> None:
    """The bot came into a channel, once for each invitation.

    Its incident's live message, which could not be posted before, can be now; where no incident is on, a card says how
    to record.
    """

    def unit(tx: Transaction) -> None:
        incident = incidents.current(tx, asked.place)
        if incident is not None and not incident.postmortem_status.is_finished:
            deliveries.owe(tx, Owed(asked.team, "card", asked.place.channel, "", asked.now, incident.id))
        else:
            card = json.dumps(says.welcome(desk.reaction))
            deliveries.owe(tx, Owed(asked.team, "message", asked.place.channel, card, asked.now))

    await once(desk, asked, unit)
