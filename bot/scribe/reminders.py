"""The sweep: what is due becomes messages owed, unless its reason is gone; later steps replace earlier ones."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.incident import reminders as rules
from bot.incident.alerts import REMEMBERED
from bot.incident.reminders import ReminderRules
from bot.scribe import chasing
from bot.scribe.chasing import has_left
from bot.slack.people import zone_of
from storage import actions, deliveries, inbox, incidents, past_alerts, people, reminders
from storage.deliveries import Owed
from storage.reminders import Reminder
from storage.statements import Transaction
from storage.store import Store

MOST_AT_ONCE = 200
PEOPLE = ("U", "W")
INBOX_KEPT = timedelta(days=2)
"""Longer than Slack repeats a delivery."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one due reminder, and to whom it goes."""

    reminder: Reminder
    state: str
    why: str
    recipients: tuple[str, ...] = ()
    fallback: str = ""
    """Who gets it where the first recipient turns out to be out of reach."""


async def sweep(store: Store, rules_: ReminderRules, now: datetime) -> tuple[Settled, ...]:
    """Turn everything due by `now` into messages owed, in one transaction; what became of each."""
    return await store.write(lambda tx: settle_due(tx, rules_, now))


def settle_due(tx: Transaction, rules_: ReminderRules, now: datetime) -> tuple[Settled, ...]:
    """The sweep's transaction; rolled back, it is the dry run of `afterword tick --dry-run`."""
    _schedule_digests(tx, rules_, now)
    chasing.schedule(tx, now)
    inbox.prune(tx, now - INBOX_KEPT)
    past_alerts.prune(tx, now - REMEMBERED, now)
    settled: list[Settled] = []
    for reminder in reminders.due(tx, now, MOST_AT_ONCE):
        outcome = _judge(tx, reminder, now)
        if outcome.state == "sent":
            _owe(tx, outcome, rules_, now)
        reminders.settle(tx, reminder, outcome.state, outcome.why, now)
        settled.append(outcome)
    return tuple(settled)


def _schedule_digests(tx: Transaction, rules_: ReminderRules, now: datetime) -> None:
    """One digest a day for everybody who owes an overdue action, from their morning on."""
    for team, owner in actions.overdue_owners(tx, now):
        slot = rules.digest_slot(now, zone_of(people.one(tx, team, owner)), rules_)
        if slot is not None:
            reminders.schedule(tx, Reminder(0, team, rules.OVERDUE, owner, slot, None, now, "", None, ""))


def _judge(tx: Transaction, reminder: Reminder, now: datetime) -> Settled:
    if gone := _reason_gone(tx, reminder, now):
        return Settled(reminder, "cancelled", gone)
    if reminder.kind == rules.OVERDUE:
        if replaced := _replaced(tx, reminder, now):
            return Settled(reminder, "skipped", replaced)
        return _judge_digest(tx, reminder, now)
    if reminder.kind in rules.OF_ACTIONS:
        return Settled(reminder, "sent", "an action is asked about", chasing.recipients(tx, reminder))
    return _judge_postmortem(tx, reminder, now)


def _judge_digest(tx: Transaction, reminder: Reminder, now: datetime) -> Settled:
    """To the owner; where they have left, each incident's part to its lead, else to its channel.

    What a user group owes is said in the incidents' channels, where its members can be reached.
    """
    if not reminder.subject.startswith(PEOPLE):
        owed = actions.overdue_of(tx, reminder.team, reminder.subject, now)
        channels = dict.fromkeys(item.incident.channel for item in owed)
        return Settled(reminder, "sent", "actions of a user group are overdue", tuple(channels))
    if not has_left(tx, reminder.team, reminder.subject):
        return Settled(reminder, "sent", "actions are overdue", (reminder.subject,))
    found = [item.incident for item in actions.overdue_of(tx, reminder.team, reminder.subject, now)]
    leads = [(incident, incident.lead or reminder.subject) for incident in found]
    heirs = [incident.channel if has_left(tx, reminder.team, lead) else lead for incident, lead in leads]
    return Settled(reminder, "sent", "the owner of overdue actions has left", tuple(dict.fromkeys(heirs)))


def _judge_postmortem(tx: Transaction, reminder: Reminder, now: datetime) -> Settled:
    """To the owner, else to the lead, else to the channel; the steps counted in hours to the channel in any case."""
    incident = incidents.by_id(tx, int(reminder.subject))
    assert incident is not None  # noqa: S101 (_reason_gone has seen it)
    asked = dict.fromkeys(user for user in (incident.postmortem_owner, incident.lead) if user)
    here = [user for user in asked if not has_left(tx, reminder.team, user)]
    is_public = rules.is_for_the_channel(reminder.slot) or not here
    recipients = (*here[:1], incident.channel) if is_public else tuple(here[:1])
    replaced = {
        one: _replaced(tx, reminder, now, in_channel=bool(here) and one == incident.channel) for one in recipients
    }
    wanted = tuple(one for one in recipients if not replaced[one])
    if not wanted:
        return Settled(reminder, "skipped", replaced[recipients[0]])
    return Settled(reminder, "sent", "the postmortem is open", wanted, fallback="".join(here[1:2]))


def _owe(tx: Transaction, settled: Settled, rules_: ReminderRules, now: datetime) -> None:
    """Owe the messages: a channel's now, a person's once neither their night nor a snooze is in the way."""
    reminder = settled.reminder
    for recipient in settled.recipients:
        is_person = recipient.startswith(PEOPLE)
        fallback = settled.fallback if is_person else ""
        at = _free_from(tx, reminder, recipient, rules_, now) if is_person else now
        deliveries.owe(
            tx, Owed(reminder.team, "reminder", recipient, "", at, reminder.incident_id, reminder.id, fallback)
        )


def _free_from(tx: Transaction, reminder: Reminder, user: str, rules_: ReminderRules, now: datetime) -> datetime:
    if reminder.kind == rules.POSTMORTEM:
        steps = reminders.of_incident(tx, int(reminder.subject))
        pending = {step.slot: step.due_at for step in steps if step.state == "pending" and step.id != reminder.id}
        now = max(now, rules.snoozed_until(pending) or now)
    return rules.rolled(now, zone_of(people.one(tx, reminder.team, user)), rules_)


def no_longer_wanted(tx: Transaction, reminder: Reminder, now: datetime, recipient: str) -> str:
    """Why a reminder must not go to somebody (any more), or empty: asked again when it is sent, be that days later."""
    in_channel = not recipient.startswith(PEOPLE)
    return _reason_gone(tx, reminder, now) or _replaced(tx, reminder, now, in_channel=in_channel)


def _reason_gone(tx: Transaction, reminder: Reminder, now: datetime) -> str:
    if reminder.kind == rules.OVERDUE:
        owed = actions.overdue_of(tx, reminder.team, reminder.subject, now)
        return "" if owed else "nothing is overdue any more"
    if reminder.kind in rules.OF_ACTIONS:
        return chasing.reason_gone(tx, reminder, now)
    incident = incidents.by_id(tx, int(reminder.subject))
    return rules.postmortem_reason_gone(incident)


def _replaced(tx: Transaction, reminder: Reminder, now: datetime, *, in_channel: bool = False) -> str:
    """Why another reminder goes out in place of this one, or empty: after an outage only the latest of a kind does.

    `in_channel`: what is said in the channel is not replaced by what is said to one person.
    """
    if reminder.kind == rules.OVERDUE:
        zone = zone_of(people.one(tx, reminder.team, reminder.subject))
        is_past = rules.is_of_earlier_day(reminder.slot, now, zone)
        return "the digest of a later day takes its place" if is_past else ""
    if reminder.kind in rules.OF_ACTIONS:
        return ""
    steps = reminders.of_incident(tx, int(reminder.subject))
    latest = max(steps, key=lambda step: step.id)
    if rules.is_of_earlier_resolution(reminder.slot, latest.slot):
        return "the incident was resolved anew"
    later = [step for step in steps if reminder.due_at < step.due_at <= now and step.state in ("pending", "sent")]
    if in_channel and rules.is_for_the_channel(reminder.slot):
        later = [step for step in later if rules.is_for_the_channel(step.slot)]
    return "a later reminder of the same went out instead" if later else ""


def owed_already(store: Store, now: datetime) -> tuple[str, ...]:
    """One line for each message that is owed since before and due by `now`; for the command line."""
    due = store.read_now(lambda tx: deliveries.due(tx, now, MOST_AT_ONCE, locking=False))
    return tuple(
        f"owed: {delivery.kind} {delivery.id} to {delivery.recipient}, due {delivery.due_at:%Y-%m-%d %H:%M} UTC: "
        f"{delivery.state}{f', {delivery.error}' if delivery.error else ''}"
        for delivery in due
    )


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
