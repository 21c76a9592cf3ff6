"""Reminders: rows that are due at a time, settled in the transaction that enqueues their messages."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.domain.reminders import ReminderKind, ReminderState
from storage.database.statements import Statement, Transaction, columns_of, table_of
from storage.tables.queues import REMINDER_PENDING, ReminderRow

_reminder = table_of(ReminderRow)


@dataclass(frozen=True, slots=True)
class Reminder:
    """Something due to be said at a time; `note` says why it is in its state.

    `subject` is the incident's row for a postmortem, and the owner's user id for overdue actions. `slot` is the step
    (`24h`) or the day (`2026-11-23`). There is one reminder for each team, kind, subject and slot.
    """

    id: int
    team: str
    kind: ReminderKind
    subject: str
    slot: str
    incident_id: int | None
    due_at: datetime
    state: ReminderState
    settled_at: datetime | None
    note: str


_COLUMNS = columns_of(_reminder, Reminder)
_ADDED = ("team", "kind", "subject", "slot", "incident_id", "due_at", "state", "settled_at", "note")

# The sweep schedules the same reminders each time; the unique constraint, not a look, keeps two replicas apart.
_ADD = Statement(
    upsert(_reminder)
    .values({name: bindparam(name, type_=_reminder.c[name].type) for name in _ADDED})
    .on_conflict_do_nothing()
)
# The latest first: it is the one that is sent, and the earlier steps of its subject are then skipped.
_due = (
    select(*_COLUMNS)
    .where(REMINDER_PENDING, _reminder.c.due_at <= bindparam("now"))
    .order_by(_reminder.c.due_at.desc(), _reminder.c.id.desc())
    .limit(bindparam("most"))
)
_DUE = Statement(_due)
_DUE_LOCKED = Statement(_due.with_for_update(skip_locked=True))
_settling = (
    update(_reminder)
    .where(REMINDER_PENDING)
    .values(
        state=bindparam("new_state"),
        settled_at=bindparam("new_settled_at", type_=_reminder.c.settled_at.type),
        note=bindparam("new_note"),
    )
)
_SETTLE = Statement(_settling.where(_reminder.c.id == bindparam("row_id")))
_SETTLE_ALL = Statement(_settling.where(_reminder.c.incident_id == bindparam("of_incident")))
_OF_INCIDENT = Statement(
    select(*_COLUMNS)
    .where(_reminder.c.incident_id == bindparam("of_incident"))
    .order_by(_reminder.c.due_at, _reminder.c.id)
)
_LATEST = Statement(
    select(*_COLUMNS)
    .where(
        _reminder.c.team == bindparam("team"),
        _reminder.c.kind == bindparam("kind"),
        _reminder.c.subject == bindparam("subject"),
    )
    .order_by(_reminder.c.slot.desc())
    .limit(bindparam("most"))
)
_BY_ID = Statement(select(*_COLUMNS).where(_reminder.c.id == bindparam("row_id")))


def schedule(tx: Transaction, reminder: Reminder) -> bool:
    """Add a reminder unless this (team, kind, subject, slot) already has one; returns whether it was new."""
    return _add(tx, reminder, ReminderState.PENDING, None, "")


def add_skipped(tx: Transaction, reminder: Reminder, note: str, now: datetime) -> None:
    """Add a reminder as skipped already, so that it is never scheduled."""
    _add(tx, reminder, ReminderState.SKIPPED, now, note)


def _add(tx: Transaction, reminder: Reminder, state: ReminderState, settled_at: datetime | None, note: str) -> bool:
    added = replace(reminder, state=state, settled_at=settled_at, note=note)
    return tx.count(_ADD, **{name: getattr(added, name) for name in _ADDED}) == 1


def due(tx: Transaction, now: datetime, most: int, *, locking: bool = True) -> tuple[Reminder, ...]:
    """List what is due and not yet settled, the latest first.

    `locking` is for a transaction that settles them; it leaves out the rows that another replica is settling. A look
    cannot lock.
    """
    return tx.all(Reminder, _DUE_LOCKED if locking else _DUE, now=now, most=most)


def settle(tx: Transaction, reminder: Reminder, state: ReminderState, note: str, now: datetime) -> None:
    """Record what became of a reminder. SENT needs its messages to be enqueued in the same transaction."""
    tx.run(_SETTLE, row_id=reminder.id, new_state=state, new_settled_at=now, new_note=note)


def cancel(tx: Transaction, incident_id: int, note: str, now: datetime) -> int:
    """Cancel the pending reminders of an incident; returns how many."""
    return tx.count(
        _SETTLE_ALL, of_incident=incident_id, new_state=ReminderState.CANCELLED, new_settled_at=now, new_note=note
    )


def list_by_incident(tx: Transaction, incident_id: int) -> tuple[Reminder, ...]:
    """List every reminder that an incident ever had, by due time."""
    return tx.all(Reminder, _OF_INCIDENT, of_incident=incident_id)


def list_latest(tx: Transaction, team: str, kind: ReminderKind, subject: str, most: int) -> tuple[Reminder, ...]:
    """List the reminders of a kind and a subject with the highest slots: of digests, the latest days."""
    return tx.all(Reminder, _LATEST, team=team, kind=kind, subject=subject, most=most)


def find(tx: Transaction, reminder_id: int) -> Reminder | None:
    """Find a reminder by its row."""
    return tx.one(Reminder, _BY_ID, row_id=reminder_id)
