"""Nudges: one private line to who leads an open incident, or opened it. The sweep makes them; no request does.

Each is a reminder of its own kind, so it is sent once, and not at all if its reason is gone by then.
"""

from datetime import datetime

from bot.domain import reminders as reminders_rules
from bot.domain.alerts.groups import PROGRAMS
from bot.domain.announcements.posts import CATCH_UP
from bot.domain.records import Incident
from bot.domain.reminders import ReminderKind, ReminderRules, ReminderState
from bot.services.announcements import posts as posts_service
from bot.services.announcements import promises as promises_service
from bot.slack.views import reminders as reminders_views
from bot.slack.views.blocks import Message
from storage import incidents as incidents_store
from storage import people as people_store
from storage import reminders as reminders_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.reminders import Reminder

MOST = 200
"""Open incidents of a workspace that are looked at; no team works on more at once."""


def schedule(tx: Transaction, rules_: ReminderRules, now: datetime) -> None:
    """Schedule what is due in the open incidents, and the weekly digest; look again at what was announced."""
    if rules_.nudges:
        _schedule_nudges(tx, now)
    slot = rules_.digest.slot(now) if rules_.digest is not None else None
    if rules_.digest is not None and slot is not None:
        for team in incidents_store.list_teams(tx):
            subject = (team, ReminderKind.WEEKLY, rules_.digest.channel, slot)
            reminders_store.schedule(tx, Reminder(0, *subject, None, now, ReminderState.PENDING, None, ""))
    posts_service.look_again(tx, now)


def _schedule_nudges(tx: Transaction, now: datetime) -> None:
    """Those about lead and severity once, and once for each silence."""
    for team in incidents_store.list_teams(tx):
        for incident in incidents_store.list_unresolved(tx, team, MOST):
            if reminders_rules.is_unclaimed(incident, now):
                _put(tx, incident, ReminderKind.UNCLAIMED, f"{incident.opened_at:%Y-%m-%d %H:%M}", now)
            latest = timeline_store.find_latest_recorded(tx, incident.id)
            if latest is not None and reminders_rules.is_silent(incident, latest[1], now):
                _put(tx, incident, ReminderKind.SILENT, f"#{latest[0]}", now)


def _put(tx: Transaction, incident: Incident, kind: ReminderKind, slot: str, now: datetime) -> None:
    # Of no incident: what is withdrawn with a postmortem's reminders is not this.
    subject = (incident.team, kind, str(incident.id))
    reminders_store.schedule(tx, Reminder(0, *subject, slot, None, now, ReminderState.PENDING, None, ""))


def explain_gone(tx: Transaction, reminder: Reminder, now: datetime) -> str:
    """Why a nudge must not be sent any more; empty if it must."""
    if reminder.kind is ReminderKind.WEEKLY:
        return "" if now - reminder.due_at < CATCH_UP else "its day is over"
    if reminder.kind is ReminderKind.PROMISED:
        return promises_service.explain_gone(tx, reminder, now)
    incident = incidents_store.find(tx, int(reminder.subject))
    if incident is None:
        return "the incident is gone"
    if reminder.kind is ReminderKind.UNCLAIMED:
        return "" if reminders_rules.is_unclaimed(incident, now) else "it has a lead and a severity, or is not open"
    latest = timeline_store.find_latest_recorded(tx, incident.id)
    is_same = latest is not None and f"#{latest[0]}" == reminder.slot
    is_due = is_same and latest is not None and reminders_rules.is_silent(incident, latest[1], now)
    return "" if is_due else "something was recorded since, or it is not open and severe"


def list_recipients(tx: Transaction, reminder: Reminder) -> tuple[str, ...]:
    """The lead, else the person who opened it; empty if a program did, or if they have left. A digest's channel."""
    if reminder.kind is ReminderKind.WEEKLY:
        return (reminder.subject,)
    if reminder.kind is ReminderKind.PROMISED:
        return promises_service.list_recipients(tx, reminder)
    incident = incidents_store.find(tx, int(reminder.subject))
    asked = filter(None, (incident.lead, incident.opened_by)) if incident is not None else ()
    return tuple(user for user in asked if user not in PROGRAMS and not people_store.has_left(tx, reminder.team, user))[
        :1
    ]


def compose(tx: Transaction, reminder: Reminder, reader: str, now: datetime) -> tuple[Message, Incident] | None:
    """The line for a reader, and its incident."""
    if reminder.kind is ReminderKind.PROMISED:
        return promises_service.compose(tx, reminder, reader, now)
    incident = incidents_store.find(tx, int(reminder.subject))
    if incident is None:
        return None
    if reminder.kind is ReminderKind.UNCLAIMED:
        return reminders_views.unclaimed_message(incident, reminders_rules.list_unset(incident), now), incident
    latest = timeline_store.find_latest_recorded(tx, incident.id)
    since = latest[1] if latest is not None else incident.opened_at
    return reminders_views.silence_message(incident, since, now), incident
