"""What hangs on the resolution: the incident's standing, its reminders, and what a corrected entry does to both."""

from datetime import datetime

from bot.errors import Refused
from bot.incident import lifecycle
from bot.incident import reminders as steps
from bot.incident.records import Entry, EntryKind, Incident, Milestone, Place, Status
from bot.incident.reminders import ReminderRules, Step
from storage import incidents, reminders
from storage import timeline as kept
from storage.reminders import Reminder
from storage.statements import Transaction


def remind(
    tx: Transaction, rules: ReminderRules, incident: Incident, resolving: Entry, *, after: datetime | None = None
) -> None:
    """Schedule the postmortem's reminders, except those that this resolution has had already.

    With `after` only those that are due later than that moment.
    """
    had = {reminder.slot: reminder.state for reminder in reminders.of_incident(tx, incident.id)}
    for step in steps.postmortem_steps(incident, rules, resolving.number, had):
        if after is None or step.due_at > after:
            _schedule(tx, incident, step)


def resume(tx: Transaction, rules: ReminderRules, incident: Incident, now: datetime) -> Step | None:
    """Schedule again what was withdrawn when the postmortem was finished and still lies ahead; the next of it.

    What went out does not go out again, and what would have been due meanwhile is not made up for.
    """
    had = reminders.of_incident(tx, incident.id)
    if had:
        latest = max(had, key=lambda reminder: reminder.id)
        snoozed = steps.snoozed_again(latest.slot, {one.slot: (one.state, one.due_at) for one in had}, now)
        if snoozed is not None:
            _schedule(tx, incident, snoozed)
    resolving = [entry for entry in kept.standing(tx, incident.id) if entry.milestone is Milestone.RESOLVED]
    if resolving:
        remind(tx, rules, incident, max(resolving, key=lambda entry: entry.number), after=now)
    ahead = [one for one in reminders.of_incident(tx, incident.id) if one.state == "pending"]
    return min((Step(one.slot, one.due_at) for one in ahead), key=lambda step: step.due_at, default=None)


def _schedule(tx: Transaction, incident: Incident, step: Step) -> None:
    subject = (incident.team, steps.POSTMORTEM, str(incident.id))
    reminders.schedule(tx, Reminder(0, *subject, step.slot, incident.id, step.due_at, "pending", None, ""))


def as_corrected(tx: Transaction, rules: ReminderRules, incident: Incident, changed: Entry, now: datetime) -> Incident:
    """The incident after an entry was corrected, taken back or brought back; its reminders move or go with it.

    The incident was read with locking, the entry is saved. Raises Refused where the incident would be open again while
    another one is open in its channel.
    """
    if changed.milestone is None and changed.kind is not EntryKind.STATUS:
        return incident
    entries = kept.standing(tx, incident.id)
    told = lifecycle.as_told(incident, entries)
    if told == incident:
        return incident
    if incident.status is Status.RESOLVED and told.status is not Status.RESOLVED:
        _require_free(tx, incident)
    incidents.save(tx, told)
    if told.resolved_at != incident.resolved_at:
        _reschedule(tx, rules, told, entries, now)
    return told


def _reschedule(
    tx: Transaction, rules: ReminderRules, incident: Incident, entries: tuple[Entry, ...], now: datetime
) -> None:
    resolving = [entry for entry in entries if entry.milestone is Milestone.RESOLVED]
    reopened = incident.status is not Status.RESOLVED
    reminders.cancel(
        tx, incident.id, "the incident was reopened" if reopened else "the time of the resolution was corrected", now
    )
    if not reopened and not incident.postmortem_status.is_finished:
        remind(tx, rules, incident, max(resolving, key=lambda entry: entry.number))


def _require_free(tx: Transaction, incident: Incident) -> None:
    current = incidents.current(tx, Place(incident.team, incident.channel))
    if current is not None and current.id != incident.id and current.status is not Status.RESOLVED:
        sentence = f"{current.key} is open in its channel now, so that {incident.key} cannot be open there again."
        raise Refused(sentence)
