"""What is asked about single actions: of the lead once it is a week overdue, of its owner a month after it was done."""

from datetime import datetime

from bot.incident import reminders as rules
from bot.incident.records import Action, ActionStatus, Incident
from bot.incident.reminders import ReminderRules
from bot.slack import actions as says
from bot.slack.blocks import Message
from bot.slack.people import zone_of
from storage import actions, incidents, people, reminders
from storage.reminders import Reminder
from storage.statements import Transaction


def schedule(tx: Transaction, now: datetime) -> None:
    """Put down that the lead is to hear of each action that is a week overdue, once for each of its due days."""
    for action_id, due_on, team in actions.long_overdue(tx, now - rules.ESCALATED_AFTER):
        _put(tx, team, rules.ESCALATED, action_id, due_on.isoformat(), now)


def ask_later(tx: Transaction, rules_: ReminderRules, team: str, action: Action, now: datetime) -> None:
    """An action is done: put down that its owner is asked whether it held."""
    zone = zone_of(people.one(tx, team, action.owner) if action.owner else None)
    _put(tx, team, rules.HELD, action.id, now.date().isoformat(), rules.held_at(now, zone, rules_))


def take_over(tx: Transaction, rules_: ReminderRules, incident: Incident, now: datetime) -> None:
    """An incident came from elsewhere: what is to be asked of its actions later still is, what was due is not."""
    for action in actions.of_incident(tx, incident.id):
        if action.status is ActionStatus.DONE and action.closed_at is not None and not action.held:
            zone = zone_of(people.one(tx, incident.team, action.owner) if action.owner else None)
            if rules.held_at(action.closed_at, zone, rules_) > now:
                ask_later(tx, rules_, incident.team, action, action.closed_at)
        is_open = action.status is ActionStatus.OPEN
        if is_open and action.overdue_at is not None and action.overdue_at <= now - rules.ESCALATED_AFTER:
            subject = (incident.team, rules.ESCALATED, str(action.id), str(action.due_on))
            told = Reminder(0, *subject, None, action.overdue_at + rules.ESCALATED_AFTER, "skipped", now, "")
            reminders.skip(tx, told, "it was due before the incident was imported", now)


def _put(tx: Transaction, team: str, kind: str, action_id: int, slot: str, at: datetime) -> None:
    # Of no incident: what is withdrawn with a postmortem's reminders is not this.
    reminders.schedule(tx, Reminder(0, team, kind, str(action_id), slot, None, at, "pending", None, ""))


def _subject(tx: Transaction, reminder: Reminder) -> tuple[Action, Incident] | None:
    action = actions.by_id(tx, int(reminder.subject))
    incident = incidents.by_id(tx, action.incident_id) if action else None
    return (action, incident) if action is not None and incident is not None else None


def reason_gone(tx: Transaction, reminder: Reminder, now: datetime) -> str:
    """Why nothing is to be said of the action any more; empty where it is."""
    found = _subject(tx, reminder)
    if found is None:
        return "the action is gone"
    action, incident = found
    if reminder.kind == rules.HELD:
        is_asked = action.status is ActionStatus.DONE and not action.held
        return "" if is_asked else f"the action is {action.held or action.status}"
    if action.status is not ActionStatus.OPEN:
        return f"the action is {action.status}"
    if action.overdue_at is None or action.overdue_at > now or str(action.due_on) != reminder.slot:
        return "the action has another date"
    return "the lead owns it" if incident.lead is not None and incident.lead == action.owner else ""


def recipients(tx: Transaction, reminder: Reminder) -> tuple[str, ...]:
    """Who is to hear it: of a done action its owner, else the lead, else the channel."""
    found = _subject(tx, reminder)
    assert found is not None  # noqa: S101 (reason_gone has seen it)
    action, incident = found
    asked = (action.owner, incident.lead) if reminder.kind == rules.HELD else (incident.lead,)
    here = [user for user in asked if user and not user.startswith("S") and not has_left(tx, reminder.team, user)]
    return (*here, incident.channel)[:1]


def has_left(tx: Transaction, team: str, user: str) -> bool:
    """Whether somebody's account is deactivated, as far as is known."""
    person = people.one(tx, team, user)
    return person is not None and person.is_deactivated


def compose(tx: Transaction, reminder: Reminder, now: datetime) -> tuple[Message, Incident] | None:
    """What is said of the action, and the incident that it came from."""
    found = _subject(tx, reminder)
    if found is None:
        return None
    action, incident = found
    if reminder.kind == rules.HELD:
        return says.did_it_hold(action, incident), incident
    owner = people.one(tx, reminder.team, action.owner) if action.owner else None
    days = (now - action.overdue_at).days if action.overdue_at else 0
    return says.escalated(action, incident, owner.name if owner else action.owner or "", days), incident
