"""The sweep: what is due becomes messages owed, unless its reason is gone; later steps replace earlier ones."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.incident import reminders as rules
from bot.incident.records import Person
from bot.incident.reminders import ReminderRules
from bot.slack.people import zone_of
from storage import actions, deliveries, inbox, incidents, people, reminders
from storage.deliveries import Owed
from storage.reminders import Reminder
from storage.statements import Transaction
from storage.store import Store

MOST_AT_ONCE = 200
INBOX_KEPT = timedelta(days=2)
"""Longer than Slack repeats a delivery."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one due reminder, and to whom it goes."""

    reminder: Reminder
    state: str
    why: str
    recipients: tuple[str, ...] = ()


async def sweep(store: Store, rules_: ReminderRules, now: datetime) -> tuple[Settled, ...]:
    """Turn everything due by `now` into messages owed, in one transaction; what became of each."""
    return await store.write(lambda tx: settle_due(tx, rules_, now))


def settle_due(tx: Transaction, rules_: ReminderRules, now: datetime) -> tuple[Settled, ...]:
    """The sweep's transaction; rolled back, it is the dry run of `afterword tick --dry-run`."""
    _schedule_digests(tx, rules_, now)
    inbox.prune(tx, now - INBOX_KEPT)
    settled: list[Settled] = []
    said: set[tuple[str, str, str]] = set()
    for reminder in reminders.due(tx, now, MOST_AT_ONCE):
        subject = (reminder.team, reminder.kind, reminder.subject)
        outcome = _judge(tx, reminder, now, later_said=subject in said)
        if outcome.state == "sent":
            said.add(subject)
            _owe(tx, outcome, now)
        reminders.settle(tx, reminder, outcome.state, outcome.why, now)
        settled.append(outcome)
    return tuple(settled)


def _schedule_digests(tx: Transaction, rules_: ReminderRules, now: datetime) -> None:
    """One digest a day for everybody who owes an overdue action, from their morning on."""
    for team, owner in actions.overdue_owners(tx, now):
        slot = rules.digest_slot(now, zone_of(_person(tx, team, owner)), rules_.overdue_hour)
        if slot is not None:
            reminders.schedule(tx, Reminder(0, team, rules.OVERDUE, owner, slot, None, now, "", None, ""))


def _person(tx: Transaction, team: str, user: str) -> Person | None:
    return people.one(tx, team, user)


def _judge(tx: Transaction, reminder: Reminder, now: datetime, *, later_said: bool) -> Settled:
    """Due reminders come latest first, so an earlier step of the same subject is replaced by the one just said."""
    gone = reason_gone(tx, reminder, now)
    if gone:
        return Settled(reminder, "cancelled", gone)
    if later_said:
        return Settled(reminder, "skipped", "a later reminder of the same went out instead")
    if reminder.kind == rules.OVERDUE:
        return Settled(reminder, "sent", "actions are overdue", (reminder.subject,))
    return _judge_postmortem(tx, reminder)


def _judge_postmortem(tx: Transaction, reminder: Reminder) -> Settled:
    incident = incidents.by_id(tx, int(reminder.subject))
    assert incident is not None  # noqa: S101 (reason_gone has seen it)
    owner = incident.postmortem_owner
    person = _person(tx, reminder.team, owner) if owner else None
    if owner and person is not None and person.is_deactivated:
        owner = incident.lead if incident.lead != owner else None
    recipients = (owner, incident.channel) if owner else (incident.channel,)
    return Settled(reminder, "sent", "the postmortem is open", recipients)


def _owe(tx: Transaction, settled: Settled, now: datetime) -> None:
    reminder = settled.reminder
    for recipient in settled.recipients:
        owed = Owed(reminder.team, "reminder", recipient, "", now, reminder.incident_id, reminder.id)
        deliveries.owe(tx, owed)


def reason_gone(tx: Transaction, reminder: Reminder, now: datetime) -> str:
    """Why a reminder must not go out (any more), or empty: asked by the sweep, and again when it is sent."""
    if reminder.kind == rules.OVERDUE:
        owed = actions.overdue_of(tx, reminder.team, reminder.subject, now)
        return "" if owed else "nothing is overdue any more"
    incident = incidents.by_id(tx, int(reminder.subject))
    return rules.postmortem_reason_gone(incident)


class _Undo(Exception):
    def __init__(self, settled: tuple[Settled, ...]) -> None:
        super().__init__()
        self.settled = settled


def rehearse(store: Store, rules_: ReminderRules, now: datetime) -> tuple[Settled, ...]:
    """What a sweep at `now` would do, undone again; for the command line."""

    def unit(tx: Transaction) -> None:
        raise _Undo(settle_due(tx, rules_, now))

    try:
        store.write_now(unit)
    except _Undo as undo:
        return undo.settled
    return ()


def told(settled: Settled) -> str:
    """One line: what would go out, to whom, and why (or why not)."""
    reminder = settled.reminder
    what = f"{reminder.kind} {rules.step_name(reminder.slot)} of {reminder.team}/{reminder.subject}"
    to = f" to {', '.join(settled.recipients)}" if settled.recipients else ""
    return f"{settled.state}: {what}, due {reminder.due_at:%Y-%m-%d %H:%M} UTC{to}: {settled.why}"
