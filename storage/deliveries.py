"""The outbox (the queue of messages to Slack) and the inbox (requests that Slack made, with their replies)."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select, update

from bot.domain.records import Incident
from storage.database.statements import Statement, Transaction, columns_of, insert_into, table_of, values_of
from storage.queues import DeliveryKind, DeliveryState, QueueStatements
from storage.tables.queues import (
    DELIVERY_EXPORT,
    DELIVERY_MESSAGE,
    DELIVERY_PROMPT,
    DELIVERY_WAITING,
    DeliveryRow,
    InboxRow,
)
from storage.tables.record import IncidentRow

_delivery, _incident = table_of(DeliveryRow), table_of(IncidentRow)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to Slack.

    `recipient` is a channel or a user; `fallback` gets the message if the recipient cannot be reached. `kind` says what
    `body` holds. `due_at` is the end of the lease while `state` is SENDING. `send_key` is sent with the message, in its
    metadata, so that it can be found in the channel's history.
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

    @property
    def content(self) -> dict[str, Any]:
        """The body of a kind whose body is JSON; empty if there is none."""
        return _decode(self.body)


_COLUMNS = columns_of(_delivery, Delivery)
_ADD = Statement(insert_into(_delivery))
_QUEUE = QueueStatements(
    _delivery,
    _COLUMNS,
    DELIVERY_WAITING,
    DeliveryState.SENDING,
    # Set by the first claim and never again: an attempt since then may have put the message into Slack's history.
    claimed={
        "first_tried_at": func.coalesce(_delivery.c.first_tried_at, bindparam("tried", type_=_delivery.c.due_at.type))
    },
    settled={
        name: bindparam(f"new_{name}", type_=_delivery.c[name].type)
        for name in ("state", "due_at", "sent_channel", "sent_ts", "error", "recipient", "fallback", "is_blocking")
    },
)
_OF_REMINDER = Statement(
    select(*_COLUMNS).where(_delivery.c.reminder_id == bindparam("reminder_id")).order_by(_delivery.c.id)
)
_BY_ID = Statement(select(*_COLUMNS).where(_delivery.c.id == bindparam("row_id")))
_LATEST_PROMPT = Statement(
    select(*_COLUMNS)
    .where(DELIVERY_PROMPT, _delivery.c.incident_id == bindparam("incident_id"))
    .order_by(_delivery.c.id.desc())
    .limit(1)
)
_PROMPTS = Statement(
    select(*_COLUMNS)
    .where(DELIVERY_PROMPT, _delivery.c.incident_id == bindparam("incident_id"))
    .order_by(_delivery.c.id)
)
_MESSAGES = Statement(
    select(*_COLUMNS)
    .where(DELIVERY_MESSAGE, _delivery.c.incident_id == bindparam("incident_id"))
    .order_by(_delivery.c.id)
)
_MESSAGES_IN = Statement(
    select(*_COLUMNS)
    .join_from(_delivery, _incident, _delivery.c.incident_id == _incident.c.id)
    .where(
        DELIVERY_MESSAGE,
        _incident.c.team == bindparam("team"),
        _incident.c.channel == bindparam("channel"),
        _delivery.c.body.contains(bindparam("part")),
    )
    .order_by(_delivery.c.id)
)
_LATEST_EXPORTS = Statement(
    select(*_COLUMNS)
    .where(DELIVERY_EXPORT, _delivery.c.incident_id == bindparam("incident_id"))
    .order_by(_delivery.c.id.desc())
)
_ABOUT = Statement(
    select(*_COLUMNS).where(_delivery.c.incident_id == bindparam("incident_id")).order_by(_delivery.c.id)
)
_LATER_LINE = Statement(
    select(_delivery.c.id)
    .where(
        _delivery.c.id > bindparam("row_id"),
        _delivery.c.kind == DeliveryKind.REPLACED_REMINDER,
        _delivery.c.recipient == bindparam("recipient"),
        _delivery.c.body.contains(bindparam("ts")),
    )
    .limit(1)
)
_SAVE_BODY = Statement(
    update(_delivery).where(_delivery.c.id == bindparam("row_id")).values(body=bindparam("new_body"))
)
_WAITING_THREAD = Statement(
    select(func.count())
    .select_from(_delivery)
    .where(
        DELIVERY_WAITING,
        _delivery.c.incident_id == bindparam("incident_id"),
        _delivery.c.kind == bindparam("kind"),
    )
)
_AHEAD = Statement(
    select(_delivery.c.id)
    .where(
        DELIVERY_WAITING,
        _delivery.c.recipient == bindparam("recipient"),
        _delivery.c.id < bindparam("before"),
        or_(
            _delivery.c.is_blocking,
            _delivery.c.state == DeliveryState.SENDING,
            _delivery.c.due_at <= bindparam("now"),  # another process is about to claim it
        ),
    )
    .order_by(_delivery.c.id)
    .limit(1)
)
_EXPORTS = Statement(
    select(func.count())
    .select_from(_delivery)
    .where(
        DELIVERY_EXPORT,
        _delivery.c.incident_id == bindparam("incident_id"),
        _delivery.c.state == DeliveryState.SENT,
    )
)
_WAITING = Statement(select(func.count()).select_from(_delivery).where(DELIVERY_WAITING))

LONGEST_RETRY = timedelta(hours=2)
"""No lease, and no wait after an attempt, is longer."""
LONGEST_WAIT = timedelta(days=8)
"""Nor is a night, a weekend and a snooze together."""
LONGEST_LEASE = timedelta(minutes=2)

_due_at = bindparam("new_due_at", type_=_delivery.c.due_at.type)
_RECALL = Statement(
    update(_delivery)
    .where(
        DELIVERY_WAITING,
        _delivery.c.due_at > bindparam("retry"),
        or_(_delivery.c.attempts > 0, _delivery.c.due_at > bindparam("longest")),
    )
    .values(due_at=_due_at)
)
_MAKE_DUE = Statement(
    update(_delivery)
    .where(
        DELIVERY_WAITING,
        _delivery.c.state != DeliveryState.SENDING,
        _delivery.c.due_at > bindparam("now"),
        _delivery.c.due_at <= bindparam("before"),
    )
    .values(due_at=_due_at)
)


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """The outcome of an attempt; `due_at` is when to try again, if at all.

    `is_blocking`: until then, later messages to the recipient wait as well.
    """

    state: DeliveryState
    due_at: datetime
    channel: str = ""
    ts: str = ""
    error: str = ""
    is_blocking: bool = False


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A message to send at `due_at` or later. A `body` that is no text is stored as JSON."""

    team: str
    kind: DeliveryKind
    recipient: str
    body: str | Mapping[str, Any]
    due_at: datetime
    incident_id: int | None = None
    reminder_id: int | None = None
    fallback: str = ""


def enqueue(tx: Transaction, new: NewDelivery) -> None:
    """Enqueue a message, in the transaction of what it reports: both are recorded, or neither is."""
    tx.has_enqueued = True
    tx.run(
        _ADD,
        **values_of(new) | {"body": _encode(new.body)},
        # Made with the row and not with the attempt, so that every attempt carries the same key (decision 4).
        send_key=uuid.uuid4().hex,
        state=DeliveryState.PENDING,
        attempts=0,
        first_tried_at=None,
        is_blocking=False,
        created_at=new.due_at,
        **dict.fromkeys(("lease_owner", "sent_channel", "sent_ts", "error"), ""),
    )


def enqueue_message(tx: Transaction, incident: Incident, view: Mapping[str, Any], now: datetime, to: str = "") -> None:
    """Enqueue a finished message about an incident: to its channel, or to another channel or person."""
    recipient = to or incident.channel
    enqueue(tx, NewDelivery(incident.team, DeliveryKind.MESSAGE, recipient, view, now, incident.id))


def due(tx: Transaction, now: datetime, most: int, *, locking: bool = True) -> tuple[Delivery, ...]:
    """List what is due. `locking` is for a transaction that claims; a look cannot lock."""
    return _QUEUE.due(tx, Delivery, now, most, locking=locking)


def is_next(tx: Transaction, delivery: Delivery, now: datetime) -> bool:
    """Whether a due delivery may be sent now: it would overtake no earlier one to its recipient.

    One that a process is sending counts until its lease ends, also if that process died: Slack may get it yet.
    """
    return tx.row(_AHEAD, recipient=delivery.recipient, before=delivery.id, now=now) is None


def claim(tx: Transaction, delivery: Delivery, owner: str, lease_until: datetime, now: datetime) -> None:
    """Lease a due delivery to `owner`."""
    _QUEUE.claim(tx, delivery.id, owner, lease_until, tried=now)


def settle(tx: Transaction, delivery: Delivery, owner: str, outcome: SendOutcome) -> bool:
    """Write an attempt's outcome; False, with nothing written, if the lease was lost meanwhile."""
    return _QUEUE.settle(
        tx,
        delivery.id,
        owner,
        new_state=outcome.state,
        new_due_at=outcome.due_at,
        new_sent_channel=outcome.channel,
        new_sent_ts=outcome.ts,
        new_error=outcome.error,
        new_is_blocking=outcome.is_blocking,
        # An attempt may have turned to the fallback, and the next one must not try the first recipient again.
        new_recipient=delivery.recipient,
        new_fallback=delivery.fallback,
    )


def next_due(tx: Transaction) -> datetime | None:
    """When the next message is due; None if none is waiting."""
    return _QUEUE.next_due(tx)


def recall(tx: Transaction, now: datetime) -> int:
    """Make due soon what a clock that was far ahead has put off for days or years; returns how many."""
    # Soon, and not now: a process that has leased one of them may be sending it.
    due_at = now + LONGEST_LEASE
    return tx.count(_RECALL, retry=now + LONGEST_RETRY, longest=now + LONGEST_WAIT, new_due_at=due_at)


def make_due(tx: Transaction, before: datetime, now: datetime) -> int:
    """The clock was set back to `now`: what was due `before` that stays due. Returns how many."""
    return tx.count(_MAKE_DUE, before=before, now=now, new_due_at=now)


def count_waiting(tx: Transaction) -> int:
    """Count the messages that are still to be sent."""
    return tx.one(int, _WAITING) or 0


def count_exports(tx: Transaction, incident_id: int) -> int:
    """Count the files that were made of an incident and sent."""
    return tx.one(int, _EXPORTS, incident_id=incident_id) or 0


def list_by_reminder(tx: Transaction, reminder_id: int) -> tuple[Delivery, ...]:
    """List the messages that a reminder became."""
    return tx.all(Delivery, _OF_REMINDER, reminder_id=reminder_id)


def find(tx: Transaction, delivery_id: int) -> Delivery | None:
    """Find a message by its row."""
    return tx.one(Delivery, _BY_ID, row_id=delivery_id)


def find_latest_prompt(tx: Transaction, incident_id: int) -> Delivery | None:
    """Find the prompt enqueued last for the thread of an incident's whys."""
    return tx.one(Delivery, _LATEST_PROMPT, incident_id=incident_id)


def list_prompts(tx: Transaction, incident_id: int) -> tuple[Delivery, ...]:
    """List the prompts of an incident, oldest first."""
    return tx.all(Delivery, _PROMPTS, incident_id=incident_id)


def list_messages(tx: Transaction, incident_id: int) -> tuple[Delivery, ...]:
    """List the messages about an incident that are stored as they are sent, oldest first."""
    return tx.all(Delivery, _MESSAGES, incident_id=incident_id)


def list_messages_in(tx: Transaction, team: str, channel: str, part: str) -> tuple[Delivery, ...]:
    """List those about all incidents of a channel whose body contains a part, such as an action id."""
    return tx.all(Delivery, _MESSAGES_IN, team=team, channel=channel, part=part)


def list_exports(tx: Transaction, incident_id: int) -> tuple[Delivery, ...]:
    """List the exports of an incident that were ordered, newest first."""
    return tx.all(Delivery, _LATEST_EXPORTS, incident_id=incident_id)


def list_by_incident(tx: Transaction, incident_id: int) -> tuple[Delivery, ...]:
    """List what was or is to be sent about an incident, of every kind, oldest first."""
    return tx.all(Delivery, _ABOUT, incident_id=incident_id)


def is_line_replaced(tx: Transaction, line: Delivery, ts: str) -> bool:
    """Whether the message at `ts`, which a line took the place of, was or will be changed again since."""
    return tx.row(_LATER_LINE, row_id=line.id, recipient=line.recipient, ts=json.dumps(ts)) is not None


def save_body(tx: Transaction, message: Delivery, body: Mapping[str, Any]) -> None:
    """Save what a message shows now, or will show if it is still to be sent."""
    tx.run(_SAVE_BODY, row_id=message.id, new_body=_encode(body))


def is_whys_thread_waiting(tx: Transaction, incident_id: int) -> bool:
    """Whether the message in whose thread the whys are asked is still to be sent."""
    return bool(tx.one(int, _WAITING_THREAD, incident_id=incident_id, kind=DeliveryKind.WHYS_THREAD))


_inbox = table_of(InboxRow)

_REPLY = Statement(select(_inbox.c.reply).where(_inbox.c.key == bindparam("key")))
_ADD_REPLY = Statement(insert_into(_inbox))
_PRUNE = Statement(delete(_inbox).where(_inbox.c.received_at < bindparam("before")))


@dataclass(frozen=True, slots=True)
class InboxReply:
    """What a request got as its reply, as the very text that was sent."""

    encoded: str

    @property
    def content(self) -> dict[str, Any]:
        """The message; empty if there was none."""
        return _decode(self.encoded)


@dataclass(frozen=True, slots=True)
class RecordedMark:
    """Which entry a pending one became: the ids of its incident, and its number there."""

    incident: int
    entry: int


def find_reply(tx: Transaction, key: str) -> InboxReply | None:
    """Find the reply that this request got before; None if it is new."""
    return tx.one(InboxReply, _REPLY, key=key)


def store_reply(tx: Transaction, key: str, reply_text: str, now: datetime) -> None:
    """Store a request's key and reply.

    In the transaction of its effect: a request that Slack repeats then gets the same reply and has no second effect. If
    two replicas get it at the same time, the second one's insert fails, and its unit runs again and finds the reply.
    """
    tx.run(_ADD_REPLY, key=key, reply=reply_text, received_at=now)


def find_mark(tx: Transaction, key: str) -> RecordedMark | None:
    """Find what the pending entry with this key became; None if it was not recorded."""
    stored = find_reply(tx, key)
    return RecordedMark(**stored.content) if stored else None


def store_mark(tx: Transaction, key: str, mark: RecordedMark, now: datetime) -> None:
    """Store what a pending entry became, so that it is recorded once however often its button is pressed."""
    store_reply(tx, key, _encode(asdict(mark)), now)


def prune_replies(tx: Transaction, before: datetime) -> int:
    """Delete requests that Slack can no longer repeat; returns how many."""
    return tx.count(_PRUNE, before=before)


def _encode(content: str | Mapping[str, Any]) -> str:
    return content if isinstance(content, str) else json.dumps(content)


def _decode(text: str) -> dict[str, Any]:
    found: dict[str, Any] | None = json.loads(text) if text else None
    return found or {}
