"""Which changes other systems are to hear of: read from what a transaction noted, so that no verb can forget it."""

from collections.abc import Iterable
from datetime import datetime

from bot.incident.records import Status
from storage import incidents, link_lists, links
from storage.links import Thing
from storage.statements import Transaction

CONFIRMED = "confirmed"
"""How a page stands that somebody was woken by, until its incident is over."""


def follow(tx: Transaction, systems: Iterable[str], now: datetime) -> None:
    """Put down what was noted as changed for each connected system that follows it, in the same transaction."""
    for system in systems:
        for incident_id, what in dict.fromkeys(tx.changed):
            if system == "jira" and what.startswith("action "):
                _want(tx, system, incident_id, what, now)
            if system == "jsm" and what == "incident":
                _bump(tx, system, incident_id, what, now)
            if system == "paging" and what == "incident":
                _let_sleep(tx, system, incident_id, now)


def _want(tx: Transaction, system: str, incident_id: int, what: str, now: datetime) -> None:
    incident = incidents.by_id(tx, incident_id)
    if incident is not None:
        links.want(tx, Thing(incident.team, system, f"{incident.key} {what}", incident_id), now)


def _bump(tx: Transaction, system: str, incident_id: int, what: str, now: datetime) -> None:
    incident = incidents.by_id(tx, incident_id)
    if incident is not None:
        links.bump(tx, Thing(incident.team, system, f"{incident.key} {what}", incident_id), now)


def _let_sleep(tx: Transaction, system: str, incident_id: int, now: datetime) -> None:
    """Whoever was paged for what is over now is to be paged no more."""
    incident = incidents.by_id(tx, incident_id)
    if incident is None or incident.status is not Status.RESOLVED:
        return
    for link in link_lists.of_incident(tx, incident_id):
        if link.system == system and link.status == CONFIRMED:
            links.bump(tx, Thing(link.team, link.system, link.subject, incident_id), now)
