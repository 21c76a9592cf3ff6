"""What the help texts of a channel name as examples."""

from bot.errors import Refused
from bot.incident.examples import Examples, of_case
from bot.scribe.desk import Asked, Desk, require_incident
from storage import cases
from storage.statements import Transaction


async def examples(desk: Desk, asked: Asked) -> Examples:
    """Numbers of the channel's incident; where it has none, those that will be given first."""

    def look(tx: Transaction) -> Examples:
        try:
            incident = require_incident(tx, asked)
        except Refused:
            return Examples()
        return of_case(cases.glance(tx, incident, 1)[0])

    return await desk.store.read(look)
