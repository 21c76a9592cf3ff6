"""Promises of the next update: reminders that ask the lead, alone, once one is late."""

from datetime import datetime

from bot.domain import reminders as reminders_rules
from bot.domain.alerts.groups import PROGRAMS
from bot.domain.records import Incident, Status
from bot.domain.reminders import ReminderKind, ReminderState
from bot.slack.views import announcements as announcements_views
from bot.slack.views.blocks import Message
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import reminders as reminders_store
from storage.announcements import updates as updates_store
from storage.announcements.updates import IncidentUpdate
from storage.database.statements import Transaction
from storage.deliveries import Delivery, NewDelivery
from storage.queues import DeliveryKind
from storage.reminders import Reminder

_LATEST = 4
"""Questions about late updates that are looked at; earlier ones were answered by later updates."""


def schedule(tx: Transaction, incident: Incident, update: IncidentUpdate) -> None:
    """Schedule the question for when the promise is late."""
    if update.next_at is None:
        return
    subject = (incident.team, ReminderKind.PROMISED, str(incident.id), _slot(update))
    # Of no incident: what is withdrawn with a postmortem's reminders is not this.
    reminders_store.schedule(tx, Reminder(0, *subject, None, update.next_at, ReminderState.PENDING, None, ""))


def _slot(update: IncidentUpdate) -> str:
    # With the time, since a promise that is extended is another one; with zeros, since slots are sorted as text.
    return f"{update.id:09d} {update.next_at:%Y-%m-%d %H:%M:%S}"


def explain_gone(tx: Transaction, reminder: Reminder, now: datetime) -> str:
    """Why no one is asked for an update any more; empty if someone is."""
    incident = incidents_store.find(tx, int(reminder.subject))
    if incident is None:
        return "the incident is gone"
    if incident.status is Status.RESOLVED:
        return "the incident is resolved"
    found = updates_store.find_update(tx, incident.id)
    if found is None or found[0].next_at is None or _slot(found[0]) != reminder.slot:
        return "there is a newer update, or nothing is promised any more"
    return "it is too late to ask" if now - found[0].next_at >= reminders_rules.TOO_LATE_AFTER else ""


def list_recipients(tx: Transaction, reminder: Reminder) -> tuple[str, ...]:
    """The lead; without one who wrote the update, or opened the incident."""
    incident = incidents_store.find(tx, int(reminder.subject))
    found = updates_store.find_update(tx, int(reminder.subject))
    if incident is None or found is None:
        return ()
    asked = filter(None, (incident.lead, found[0].author, incident.opened_by))
    return tuple(user for user in asked if user not in PROGRAMS and not people_store.has_left(tx, reminder.team, user))[
        :1
    ]


def compose(tx: Transaction, reminder: Reminder, reader: str, now: datetime) -> tuple[Message, Incident] | None:
    """The question to a reader, and its incident."""
    incident = incidents_store.find(tx, int(reminder.subject))
    found = updates_store.find_update(tx, int(reminder.subject))
    if incident is None or found is None or found[0].next_at is None:
        return None
    return announcements_views.late_message(incident, found[0].next_at, reader, now), incident


def list_questions(tx: Transaction, incident: Incident) -> tuple[Delivery, ...]:
    """The questions about late updates that people still see, as deliveries."""
    had = reminders_store.list_latest(tx, incident.team, ReminderKind.PROMISED, str(incident.id), _LATEST)
    owed = [one for reminder in had for one in deliveries_store.list_by_reminder(tx, reminder.id)]
    retired = {one.content.get("of") for one in owed if one.kind is DeliveryKind.REPLACED_REMINDER}
    return tuple(one for one in owed if one.kind is DeliveryKind.REMINDER and one.sent_ts and one.id not in retired)


def settle_questions(
    tx: Transaction, incident: Incident, how: str, update: IncidentUpdate | None, now: datetime
) -> None:
    """The questions collapse to one line: `how` is quiet, ended, answered or over."""
    for one in list_questions(tx, incident):
        line = announcements_views.answered_line(incident, how, update, now)
        body = {"of": one.id, "ts": one.sent_ts, "to": one.recipient, "about": incident.channel, **line}
        new = NewDelivery(one.team, DeliveryKind.REPLACED_REMINDER, one.sent_channel, body, now, None, one.reminder_id)
        deliveries_store.enqueue(tx, new)
