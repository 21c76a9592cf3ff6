"""Which changes other systems are to hear of: read from what a transaction noted, so that no verb can forget it."""

from collections.abc import Iterable
from datetime import datetime

from storage import incidents, links
from storage.links import Thing
from storage.statements import Transaction


def follow(tx: Transaction, systems: Iterable[str], now: datetime) -> None:
    """Put down what was noted as changed for each connected system that follows it, in the same transaction."""
    for system in systems:
        for incident_id, what in dict.fromkeys(tx.changed):
            if system == "jira" and what.startswith("action "):
                _want(tx, system, incident_id, what, now)
            if system == "jsm" and what == "incident":
                _bump(tx, system, incident_id, what, now)


def _want(tx: Transaction, system: str, incident_id: int, what: str, now: datetime) -> None:
    incident = incidents.by_id(tx, incident_id)
    if incident is not None:
        links.want(tx, Thing(incident.team, system, f"{incident.key} {what}", incident_id), now)


def _bump(tx: Transaction, system: str, incident_id: int, what: str, now: datetime) -> None:
    incident = incidents.by_id(tx, incident_id)
    if incident is not None:
        links.bump(tx, Thing(incident.team, system, f"{incident.key} {what}", incident_id), now)
