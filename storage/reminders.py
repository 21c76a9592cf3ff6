"""Reminders: rows that are due at a time, settled in the transaction that enqueues their messages."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.domain.reminders import ReminderKind, ReminderState
from storage.database.statements import Statement, Transaction, table_of
from storage.tables.queues import REMINDER_PENDING, ReminderRow

_reminder = table_of(ReminderRow)


@dataclass(frozen=True, slots=True)
class Reminder:
    """Something due to be said at a time; `note` says why it is in its state.

    `subject` is the incident's row for a postmortem and the owner's user id for overdue actions; `slot` is the step
    (`24h`) or the day (`2026-11-23`): one reminder for each.
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


_COLUMNS = tuple(_reminder.c[field.name] for field in fields(Reminder))
_SCHEDULED = ("team", "kind", "subject", "slot", "incident_id", "due_at")

_SCHEDULE = Statement(
    upsert(_reminder)
    .values(
        {name: bindparam(name, type_=_reminder.c[name].type) for name in _SCHEDULED}
        | {"state": ReminderState.PENDING, "note": ""}
    )
    .on_conflict_do_nothing()
)
_SKIP = Statement(
    upsert(_reminder)
    .values(
        {name: bindparam(name, type_=_reminder.c[name].type) for name in (*_SCHEDULED, "settled_at", "note")}
        | {"state": ReminderState.SKIPPED}
    )
    .on_conflict_do_nothing()
)
_due = (
    select(*_COLUMNS)
    .where(REMINDER_PENDING, _reminder.c.due_at <= bindparam("now"))
    .order_by(_reminder.c.due_at.desc(), _reminder.c.id.desc())
    .limit(bindparam("most"))
)
_DUE = Statement(_due)
_DUE_LOCKED = Statement(_due.with_for_update(skip_locked=True))
_SETTLE = Statement(
    update(_reminder)
    .where(_reminder.c.id == bindparam("row_id"), REMINDER_PENDING)
    .values(
        state=bindparam("new_state"),
        settled_at=bindparam("new_settled_at", type_=_reminder.c.settled_at.type),
        note=bindparam("new_note"),
    )
)
_CANCEL = Statement(
    update(_reminder)
    .where(_reminder.c.incident_id == bindparam("of_incident"), REMINDER_PENDING)
    .values(
        state=ReminderState.CANCELLED,
        settled_at=bindparam("new_settled_at", type_=_reminder.c.settled_at.type),
        note=bindparam("new_note"),
    )
)
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
    return tx.run(_SCHEDULE, **{name: getattr(reminder, name) for name in _SCHEDULED}) == 1


def add_skipped(tx: Transaction, reminder: Reminder, note: str, now: datetime) -> None:
    """Add a reminder as skipped already, so that it is never scheduled."""
    given = {name: getattr(reminder, name) for name in _SCHEDULED}
    tx.run(_SKIP, **given, settled_at=now, note=note)


def due(tx: Transaction, now: datetime, most: int, *, locking: bool = True) -> tuple[Reminder, ...]:
    """List what is due and not yet settled, the latest first; rows that another replica has locked are left to it.

    Locking is for a transaction that settles them; without it this is a look that a reader may take.
    """
    return tx.all(Reminder, _DUE_LOCKED if locking else _DUE, now=now, most=most)


def settle(tx: Transaction, reminder: Reminder, state: ReminderState, note: str, now: datetime) -> None:
    """Record what became of a reminder; SENT if its messages are enqueued in this same transaction."""
    tx.run(_SETTLE, row_id=reminder.id, new_state=state, new_settled_at=now, new_note=note)


def cancel(tx: Transaction, incident_id: int, note: str, now: datetime) -> int:
    """Cancel what is still to come for an incident; returns how many."""
    return tx.run(_CANCEL, of_incident=incident_id, new_settled_at=now, new_note=note)


def list_by_incident(tx: Transaction, incident_id: int) -> tuple[Reminder, ...]:
    """List every reminder that an incident ever had, by due time."""
    return tx.all(Reminder, _OF_INCIDENT, of_incident=incident_id)


def list_latest(tx: Transaction, team: str, kind: ReminderKind, subject: str, most: int) -> tuple[Reminder, ...]:
    """List the reminders of a kind and a subject with the highest slots: of digests, the latest days."""
    return tx.all(Reminder, _LATEST, team=team, kind=kind, subject=subject, most=most)


def find(tx: Transaction, reminder_id: int) -> Reminder | None:
    """Find a reminder by its row."""
    return tx.one(Reminder, _BY_ID, row_id=reminder_id)
