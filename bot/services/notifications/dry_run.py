"""What a sweep would do and why, without doing it: for `afterword tick`."""

from datetime import datetime

from bot.domain import reminders as reminders_rules
from bot.domain.records import Incident
from bot.domain.reminders import ReminderRules, ReminderState
from bot.services.notifications.reminders import MOST_AT_ONCE, SettledReminder, settle_due
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import reminders as reminders_store
from storage.database.statements import Transaction
from storage.database.store import Store

EXPLAINED = 200
"""Incidents whose policy is explained, those resolved last."""


def list_enqueued(store: Store, now: datetime) -> tuple[str, ...]:
    """One line for each delivery due by `now` that was enqueued before; for the command line."""
    due = store.read_now(lambda tx: deliveries_store.due(tx, now, MOST_AT_ONCE, locking=False))
    return tuple(
        f"owed: {delivery.kind} {delivery.id} to {delivery.recipient}, due {delivery.due_at:%Y-%m-%d %H:%M} UTC: "
        f"{delivery.state}{f', {delivery.error}' if delivery.error else ''}"
        for delivery in due
    )


class _Undo(Exception):
    def __init__(self, settled: tuple[SettledReminder, ...]) -> None:
        super().__init__()
        self.settled = settled


def rehearse(store: Store, rules_: ReminderRules, now: datetime) -> tuple[SettledReminder, ...]:
    """What a sweep at `now` would do, undone again; for the command line."""

    def unit(tx: Transaction) -> None:
        # An error rolls back the unit, and carries the result out of it.
        raise _Undo(settle_due(tx, rules_, now))

    try:
        store.write_now(unit)
    except _Undo as undo:
        return undo.settled
    return ()


def describe(settled: SettledReminder) -> str:
    """One line: what would go out, to whom, and why (or why not)."""
    reminder = settled.reminder
    what = f"{reminder.kind} {reminders_rules.step_name(reminder.slot)} of {reminder.team}/{reminder.subject}"
    to = f" to {', '.join(settled.recipients)}" if settled.recipients else ""
    return f"{settled.state}: {what}, due {reminder.due_at:%Y-%m-%d %H:%M} UTC{to}: {settled.why}"


def explain_policies(store: Store, rules: ReminderRules) -> tuple[str, ...]:
    """One line for each resolved incident whose postmortem is not finished: what its policy asks, and what is next."""
    return store.read_now(lambda tx: tuple(_explain(tx, one, rules) for one in _list_kept(tx)))


def _list_kept(tx: Transaction) -> tuple[Incident, ...]:
    return incidents_store.list_with_policy(tx, EXPLAINED)


def _explain(tx: Transaction, incident: Incident, rules: ReminderRules) -> str:
    assert incident.policy is not None  # noqa: S101 (it was asked for)
    ahead = [one for one in reminders_store.list_by_incident(tx, incident.id) if one.state is ReminderState.PENDING]
    due = min((one.due_at for one in ahead), default=None)
    coming = f"; next on {due:%Y-%m-%d %H:%M} UTC" if due else ""
    what = reminders_rules.describe_policy(incident.policy, rules)
    return f"policy: {incident.key} {incident.policy.severity}: {what}{coming}"
