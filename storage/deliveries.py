"""Messages owed to Slack: a row until it is sent, given up, or no longer wanted.

The keys of what Slack delivered, with the reply each got: a repeat gets the same reply and has no second effect.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from bot.domain.records import Incident
from storage.database.statements import Statement, Transaction, insert_into
from storage.queues import DeliveryKind, DeliveryState
from storage.tables import DELIVERY_WAITING, DeliveryRow, InboxRow, table_of

_delivery = table_of(DeliveryRow)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message owed.

    `kind` is `message` (a `body` as JSON), `card` (the incident's live message), `whys` (the message in whose thread
    its whys are asked), `file` (an export; `body` is its order, as JSON), `reminder` (a `body` says, as JSON, who was
    to hear it and cannot look into the channel), `handed` (to the new owner of a postmortem; `body` names who handed it
    over), `retired` (a reminder that stands is to be one line; `body` says which, as JSON), or `alert` (what the
    channel of alerts is told; `body` names the group or the storm).
    `state` is `pending`, `sending`, `unsure` (Slack may have taken it), `sent`, `dead` or `cancelled`.
    `recipient` is a channel or a user; `fallback` who gets it where the recipient cannot be reached.
    """

    id: int
    team: str
    send_key: str
    kind: DeliveryKind
    recipient: str
    fallback: str
    body: str
    incident_id: int | None
    reminder_id: int | None
    state: DeliveryState
    due_at: datetime
    attempts: int
    lease_owner: str
    first_tried_at: datetime | None
    sent_channel: str
    sent_ts: str
    error: str


_COLUMNS = tuple(_delivery.c[field.name] for field in fields(Delivery))
_ADD = Statement(insert_into(_delivery))
_due = (
    select(*_COLUMNS)
    .where(DELIVERY_WAITING, _delivery.c.due_at <= bindparam("now"))
    .order_by(_delivery.c.due_at, _delivery.c.id)
    .limit(bindparam("most"))
)
_DUE = Statement(_due)
_DUE_LOCKED = Statement(_due.with_for_update(skip_locked=True))
_CLAIM = Statement(
    update(_delivery)
    .where(_delivery.c.id == bindparam("row_id"))
    .values(
        state=DeliveryState.SENDING,
        due_at=bindparam("lease_until", type_=_delivery.c.due_at.type),
        lease_owner=bindparam("owner"),
        attempts=_delivery.c.attempts + 1,
        first_tried_at=func.coalesce(_delivery.c.first_tried_at, bindparam("tried", type_=_delivery.c.due_at.type)),
    )
)
_SETTLE = Statement(
    update(_delivery)
    .where(_delivery.c.id == bindparam("row_id"), _delivery.c.lease_owner == bindparam("owner"))
    .values(
        state=bindparam("new_state"),
        due_at=bindparam("new_due_at", type_=_delivery.c.due_at.type),
        sent_channel=bindparam("new_channel"),
        sent_ts=bindparam("new_ts"),
        error=bindparam("new_error"),
        recipient=bindparam("new_recipient"),
        fallback=bindparam("new_fallback"),
    )
)
_NEXT = Statement(select(func.min(_delivery.c.due_at)).where(DELIVERY_WAITING))
_OF_REMINDER = Statement(
    select(*_COLUMNS).where(_delivery.c.reminder_id == bindparam("reminder_id")).order_by(_delivery.c.id)
)
_WAITING = Statement(select(func.count()).select_from(_delivery).where(DELIVERY_WAITING))


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What became of an attempt; `due_at` is when to try again where it is not over."""

    state: DeliveryState
    due_at: datetime
    channel: str = ""
    ts: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Owed:
    """A message to be owed from `due_at` on."""

    team: str
    kind: DeliveryKind
    recipient: str
    body: str
    due_at: datetime
    incident_id: int | None = None
    reminder_id: int | None = None
    fallback: str = ""


def owe(tx: Transaction, owed: Owed) -> None:
    """Write a message down as owed, in the transaction of what it tells."""
    tx.owes = True
    tx.run(
        _ADD,
        **{field.name: getattr(owed, field.name) for field in fields(owed)},
        send_key=uuid.uuid4().hex,
        state=DeliveryState.PENDING,
        attempts=0,
        first_tried_at=None,
        created_at=owed.due_at,
        **dict.fromkeys(("lease_owner", "sent_channel", "sent_ts", "error"), ""),
    )


def tell(tx: Transaction, incident: Incident, said: Mapping[str, Any], now: datetime, to: str = "") -> None:
    """Owe a message, as Slack takes it, about an incident to its channel, or to another channel or person."""
    owe(tx, Owed(incident.team, DeliveryKind.MESSAGE, to or incident.channel, json.dumps(said), now, incident.id))


def due(tx: Transaction, now: datetime, most: int, *, locking: bool = True) -> tuple[Delivery, ...]:
    """What is due: new, to be tried again, or left behind by a process whose lease ended (`sending`).

    Locking is for a transaction that claims them; without it this is a look that a reader may take.
    """
    return tuple(Delivery(*row) for row in tx.rows(_DUE_LOCKED if locking else _DUE, now=now, most=most))


def claim(tx: Transaction, delivery: Delivery, owner: str, lease_until: datetime, now: datetime) -> None:
    """Take a due delivery for this process until the lease ends."""
    tx.run(_CLAIM, row_id=delivery.id, owner=owner, lease_until=lease_until, tried=now)


def settle(tx: Transaction, delivery: Delivery, owner: str, outcome: SendOutcome) -> bool:
    """Write an attempt's outcome, unless the lease was lost to another process meanwhile; whether it was written."""
    touched = tx.run(
        _SETTLE,
        row_id=delivery.id,
        owner=owner,
        new_state=outcome.state,
        new_due_at=outcome.due_at,
        new_channel=outcome.channel,
        new_ts=outcome.ts,
        new_error=outcome.error,
        new_recipient=delivery.recipient,
        new_fallback=delivery.fallback,
    )
    return touched == 1


def next_due(tx: Transaction) -> datetime | None:
    """When the next message is due, or None where none is owed."""
    row = tx.row(_NEXT)
    return row[0] if row else None


def waiting(tx: Transaction) -> int:
    """How many messages are owed."""
    row = tx.row(_WAITING)
    return int(row[0]) if row else 0


def of_reminder(tx: Transaction, reminder_id: int) -> tuple[Delivery, ...]:
    """The messages that a reminder became."""
    return tuple(Delivery(*row) for row in tx.rows(_OF_REMINDER, reminder_id=reminder_id))


_inbox = table_of(InboxRow)

_REPLY = Statement(select(_inbox.c.reply).where(_inbox.c.key == bindparam("key")))
_KEEP = Statement(insert_into(_inbox))
_PRUNE = Statement(delete(_inbox).where(_inbox.c.received_at < bindparam("before")))


def reply(tx: Transaction, key: str) -> str | None:
    """The reply that this delivery got before, or None where it is new."""
    row = tx.row(_REPLY, key=key)
    return row[0] if row else None


def keep(tx: Transaction, key: str, reply_text: str, now: datetime) -> None:
    """Remember the delivery and its reply, in the transaction of its effect."""
    tx.run(_KEEP, key=key, reply=reply_text, received_at=now)


def prune(tx: Transaction, before: datetime) -> int:
    """Forget deliveries that Slack can no longer repeat; how many."""
    return tx.run(_PRUNE, before=before)
