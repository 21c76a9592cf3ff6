"""Everything of one incident at once."""

from bot.incident.records import Case, Incident
from storage import actions, people, sections, timeline, whys
from storage.statements import Transaction


def load(tx: Transaction, incident: Incident) -> Case:
    """The whole record of an incident, as of this transaction."""
    return Case(
        incident=incident,
        entries=timeline.standing(tx, incident.id),
        whys=whys.chain(tx, incident.id),
        sections=sections.latest(tx, incident.id),
        actions=actions.of_incident(tx, incident.id),
        people=people.of_team(tx, incident.team),
    )
