"""People who recorded before Slack said who they are: then their mark goes, or the lead is told why it stays."""

from datetime import datetime
from functools import partial

from bot.domain.alerts.groups import PROGRAMS
from bot.domain.records import Incident, Person, Place
from bot.services.context import Services
from bot.slack.mrkdwn import mrkdwn
from bot.slack.views import blocks
from bot.slack.views.templates import words
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage.database.statements import Transaction
from storage.people import Newcomer

MOST = 50
"""Newcomers that one sweep asks Slack about; they are settled in one transaction each."""


async def settle_newcomers(services: Services, now: datetime) -> int:
    """Ask Slack again about everyone whose mark still stands. Returns how many were settled."""
    waiting = await services.store.read(lambda tx: people_store.list_unidentified(tx, MOST))
    settled = 0
    for newcomer in waiting:
        person = await services.slack.directory.look_up(newcomer.team, newcomer.person)
        if not services.slack.directory.is_known(newcomer.team, newcomer.person):
            continue
        incident = await services.store.write(
            partial(_settle, services=services, newcomer=newcomer, person=person, now=now)
        )
        if incident is not None:
            settled += 1
            services.slack.live_messages.mark_stale(Place(incident.team, incident.channel), incident.id)
    if settled:
        services.slack.outbox.notify()
    return settled


def _settle(tx: Transaction, services: Services, newcomer: Newcomer, person: Person, now: datetime) -> Incident | None:
    """The incident, if this settled it: another replica may have."""
    if not services.is_excluded(person):
        is_first = people_store.remove_newcomer(tx, newcomer)
    else:
        is_first = people_store.settle_outsider(tx, newcomer)
    incident = incidents_store.find(tx, newcomer.incident_id) if is_first else None
    if incident is not None and services.is_excluded(person):
        _tell_lead(tx, incident, newcomer, person, now)
    return incident


def _tell_lead(tx: Transaction, incident: Incident, newcomer: Newcomer, person: Person, now: datetime) -> None:
    """To the lead, or else who opened it; to the channel if that is the newcomer or a program."""
    entries, whys = people_store.list_recorded_by(tx, newcomer)
    asked = incident.lead or incident.opened_by
    recipient = "" if asked in (newcomer.person, *PROGRAMS) else asked
    name = f"Someone ({person.id})" if person.name == person.id else mrkdwn(person.name)
    text = words.general.turned_out(name=name, key=incident.key, entries=entries, whys=whys)
    deliveries_store.enqueue_message(tx, incident, blocks.message(text), now, to=recipient)
