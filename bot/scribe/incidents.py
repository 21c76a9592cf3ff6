"""The incident's verbs: open, severity, lead, milestones, reopen. Each change is an entry of its own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.errors import Refused
from bot.incident import lifecycle
from bot.incident.alerts import PROGRAMS
from bot.incident.records import EntryKind, Incident, Status
from bot.incident.secrets import masked
from bot.incident.spots import Noun, Subject
from bot.incident.text import admit
from bot.scribe import secrets
from bot.scribe.desk import Asked, Desk, once, require_able, require_incident
from bot.scribe.standing import retire
from bot.slack import incidents as says
from bot.slack.blocks import Message
from bot.slack.words import words
from storage import cases, deliveries, incidents, reminders
from storage import timeline as kept
from storage.deliveries import Owed
from storage.statements import Transaction
from storage.timeline import NewEntry

Check = Callable[[Transaction, Incident], None]
"""Raises Refused where the incident is not any more what it was when a button was shown."""

LISTED = 25
LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True)
class Opening:
    """An incident to be opened: the title as typed, what was said of its severity, what its channel is called."""

    title: str
    severity: int | None = None
    channel_name: str = ""


async def open_new(desk: Desk, asked: Asked, opening: Opening) -> Message | None:
    """Open an incident in the channel; raises Refused where one is open there."""
    return await once(desk, asked, lambda tx: says.opened(opened_in(tx, asked, opening)))


def opened_in(tx: Transaction, asked: Asked, opening: Opening) -> Incident:
    """The incident, opened in the request's channel as part of what else it asks for; raises Refused as above."""
    title = _one_line(opening.title) or "Untitled incident"
    standing = incidents.current(tx, asked.place, locking=True)
    if standing is not None and standing.status is not Status.RESOLVED:
        sentence = (
            f"{standing.key} {masked(standing.title)} is open here already. A channel holds one open incident at a "
            "time: `/incident resolved` closes it."
        )
        raise Refused(sentence)
    incident = incidents.open_new(tx, asked.place, title, asked.user, asked.now)
    _note(tx, asked, incident, f"Incident opened: {title}", EntryKind.STATUS)
    if opening.severity or opening.channel_name:
        incident = replace(incident, severity=opening.severity, channel_name=opening.channel_name)
        incidents.save(tx, incident)
    if opening.severity:
        _note(tx, asked, incident, f"Severity set to sev{opening.severity}", EntryKind.SEVERITY)
    who = "" if asked.user in PROGRAMS else asked.user
    deliveries.owe(tx, Owed(asked.team, "card", asked.place.channel, "", asked.now, incident.id, fallback=who))
    if who:
        secrets.warn(tx, incident, Subject(Noun.TITLE), title, asked)
    return incident


def _one_line(title: str) -> str:
    """A title as typed, on one line; raises Refused where it is too long."""
    line = " ".join(admit(title, "That title").split())
    if len(line) > LONGEST_TITLE:
        sentence = f"A title is at most {LONGEST_TITLE} characters. Put the rest into the timeline."
        raise Refused(sentence)
    return line


async def rename(desk: Desk, asked: Asked, title: str) -> Message | None:
    """Call the incident otherwise: what is wrong is often known only later."""
    title = _one_line(title)

    def unit(tx: Transaction) -> Message:
        before = require_incident(tx, asked, locking=True)
        if before.title == title:
            sentence = f"{before.key} is called that already."
            raise Refused(sentence)
        incident = replace(before, title=title)
        incidents.save(tx, incident)
        told = f"Renamed from {before.title} to {title}"
        number = _note(tx, asked, incident, told, EntryKind.NOTE)
        secrets.warn(tx, incident, Subject(Noun.ENTRY, str(number)), title, asked)
        return says.said_to_all(
            words.incidents.renamed(key=incident.key, title=title, before=before.title, by=asked.user)
        )

    return await once(desk, asked, unit)


def _note(
    tx: Transaction, asked: Asked, incident: Incident, text: str, kind: EntryKind, at: datetime | None = None
) -> int:
    """Write a change of the record into the timeline; its number."""
    new = NewEntry(at or asked.now, text, asked.user, asked.user, asked.now, kind=kind)
    return kept.append(tx, incident.id, new).number


async def set_severity(desk: Desk, asked: Asked, severity: int) -> Message | None:
    """Say how bad it is."""

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        before = incident.severity
        if before == severity:
            sentence = f"{incident.key} is sev{severity} already."
            raise Refused(sentence)
        incidents.save(tx, replace(incident, severity=severity))
        entry = f"Severity changed from sev{before} to sev{severity}" if before else f"Severity set to sev{severity}"
        _note(tx, asked, incident, entry, EntryKind.SEVERITY)
        return says.said_to_all(
            words.incidents.severity_said(key=incident.key, severity=severity, before=before, by=asked.user)
        )

    return await once(desk, asked, unit)


async def set_lead(desk: Desk, asked: Asked, lead: str, called: str) -> Message | None:
    """Say who leads; `lead` is a user id, `called` the name as typed, for where Slack does not tell another."""
    await require_able(desk, asked, lead, "lead")
    name = desk.people.name(asked.team, lead) or called

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked, locking=True)
        if incident.lead == lead:
            sentence = f"{name} leads {incident.key} already."
            raise Refused(sentence)
        before = desk.people.name(asked.team, incident.lead) or incident.lead if incident.lead else ""
        incidents.save(tx, replace(incident, lead=lead))
        text = f"{name} takes over the lead from {before}" if before else f"{name} leads"
        _note(tx, asked, incident, text, EntryKind.LEAD)
        return says.said_to_all(words.incidents.lead_said(key=incident.key, lead=lead, by=asked.user))

    return await once(desk, asked, unit)


async def reopen(desk: Desk, asked: Asked, line: str) -> Message | None:
    """It was not over: the incident is open again, and its reminders are withdrawn."""
    text = admit(line, "That entry")

    def unit(tx: Transaction) -> Message:
        incident = lifecycle.reopen(require_incident(tx, asked, locking=True))
        incidents.save(tx, incident)
        reminders.cancel(tx, incident.id, "the incident was reopened", asked.now)
        retire(tx, incident, words.reminders.reopened(), asked.now)
        number = _note(tx, asked, incident, f"Reopened: {text}" if text else "Reopened", EntryKind.STATUS)
        secrets.warn(tx, incident, Subject(Noun.ENTRY, str(number)), text, asked)
        return says.said_to_all(words.incidents.reopened(key=incident.key, by=asked.user, text=text))

    return await once(desk, asked, unit)


async def overview(desk: Desk, asked: Asked) -> Message:
    """How the channel's incident stands."""

    def look(tx: Transaction) -> Message:
        incident = require_incident(tx, asked)
        case, total = cases.glance(tx, incident, says.CARD_ENTRIES)
        return says.overview(case, total, kept.course(tx, incident), asked.now)

    return await desk.store.read(look)


async def list_all(desk: Desk, asked: Asked) -> Message:
    """The workspace's incidents in those channels that the reader may look into."""
    found = await desk.store.read(lambda tx: incidents.listed(tx, asked.team, LISTED * 4))
    channels = (incident.channel for incident in found)
    visible = await desk.may_see(asked.team, asked.user, channels, asked.place.channel)
    shown = [incident for incident in found if incident.channel in visible][:LISTED]
    return says.listing(await desk.store.read(lambda tx: [(incident, kept.course(tx, incident)) for incident in shown]))
