"""Leased queues: the kinds and states of their rows, and the statements that every queue shares.

The values of the enums are stored, so they never change; their names are what the code calls them. The loop that works
on a queue is `bot/queue.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Table, TextClause, bindparam, func, select, update

from storage.database.statements import Statement, T, Transaction


class DeliveryKind(StrEnum):
    """What a delivery to Slack carries."""

    MESSAGE = "message"
    """`body` is the message, as JSON."""
    LIVE_MESSAGE = "card"
    """The incident's live message, posted once."""
    WHYS_THREAD = "whys"
    """The message in whose thread the whys are asked."""
    WHY_PROMPT = "prompt"
    """A message in that thread that asks the open why; `body` says what it followed, as JSON."""
    WHY_PROMPT_UPDATE = "prompted"
    """Brings such a message up to date; `body` names its row. Once a newer one asks, it has no buttons."""
    EXPORT = "file"
    """`body` says what to export, as JSON."""
    REMINDER = "reminder"
    """`body` is usually empty. If the channel is reminded because the owner cannot see it, it names them, as JSON."""
    HANDOVER = "handed"
    """To the new owner of a postmortem; `body` is the user who handed it over."""
    REPLACED_REMINDER = "retired"
    """A reminder that was sent is cut to one line; `body` says which one and to what, as JSON."""
    OWNER_NOTICE = "notice"
    """To the owner of an action: what a program changed in it; `body` is the message, as JSON."""
    REVIEW = "review"
    """To a reviewer, the owner or the channel: what becomes of a review; `body` says what, as JSON."""
    ALERT = "alert"
    """To the alerts channel; `body` names the group or the storm, as JSON."""
    ANNOUNCEMENT = "announcement"
    """The post of an incident in the announce channel or to a follower; `body` names its row, as JSON."""


class DeliveryState(StrEnum):
    """The state of a delivery. The first three are still to be done.

    A claim makes a row SENDING. The attempt ends in SENT or DEAD, in CANCELLED if the message is no longer wanted, in
    PENDING if Slack certainly has nothing of it, and otherwise in UNSURE. A row whose lease ran out counts as unsure.
    """

    PENDING = "pending"
    SENDING = "sending"
    """Leased until `due_at`."""
    UNSURE = "unsure"
    """Slack may have it, so it is looked up before it is sent again (docs/decisions/0004-the-row-is-the-queue.md)."""
    SENT = "sent"
    DEAD = "dead"
    """Given up."""
    CANCELLED = "cancelled"
    """No longer wanted when it was due."""


class SyncState(StrEnum):
    """The state of a sync row. The first two are still to be done."""

    PENDING = "owed"
    """The other system is behind; a call is due at `due_at`."""
    CALLING = "calling"
    """Leased until `due_at`."""
    IN_SYNC = "kept"
    REJECTED = "refused"
    """Refused for the reason in `error`, until the thing changes or a person tries again."""
    ABANDONED = "let go"
    """Not synced any more."""


class ScanState(StrEnum):
    """The state of a history scan."""

    RUNNING = "going"
    DONE = "done"
    FAILED = "failed"


class QueueStatements:
    """The statements of a queue whose table has the columns id, state, due_at and lease_owner.

    A column `attempts` counts the claims, if there is one. `leased` is the state of a claimed row; a queue whose rows
    have no such state names the one that they are in anyway.

    `waiting` selects the rows that are still to be done, `scope` narrows them further. Such a row is due at its
    `due_at`, which for a leased row is the end of the lease: one query finds what is new, what is to be tried again,
    and what a process left behind that died. `claimed` is what a claim changes in addition, `settled` all that a
    settlement changes.
    """

    def __init__(  # noqa: PLR0913 (what a queue is, each by its name)
        self,
        table: Table,
        columns: Sequence[ColumnElement[Any]],
        waiting: TextClause,
        leased: StrEnum,
        *,
        settled: Mapping[str, Any],
        claimed: Mapping[str, Any] | None = None,
        scope: Sequence[ColumnElement[bool]] = (),
    ) -> None:
        due = (
            select(*columns)
            .where(waiting, table.c.due_at <= bindparam("now"), *scope)
            .order_by(table.c.due_at, table.c.id)
            .limit(bindparam("most"))
        )
        self._due = Statement(due)
        # SKIP LOCKED: two processes that look at the same time take different rows instead of waiting for each other.
        # SQLite's SQL leaves the clause out: one writer locks everything.
        self._due_locked = Statement(due.with_for_update(skip_locked=True))
        self._next = Statement(select(func.min(table.c.due_at)).where(waiting, *scope))
        claim: dict[str, Any] = {
            "state": leased,
            "due_at": bindparam("lease_until", type_=table.c.due_at.type),
            "lease_owner": bindparam("owner"),
        }
        if "attempts" in table.c:
            claim["attempts"] = table.c.attempts + 1
        self._claim = Statement(
            update(table).where(table.c.id == bindparam("row_id")).values(claim | dict(claimed or {}))
        )
        # By owner: once the lease has run out another process may have claimed the row, and its attempt counts.
        self._settle = Statement(
            update(table)
            .where(table.c.id == bindparam("row_id"), table.c.lease_owner == bindparam("owner"))
            .values(dict(settled))
        )

    def due(
        self, tx: Transaction, record: Callable[..., T], now: datetime, most: int, *, locking: bool, **scope: Any
    ) -> tuple[T, ...]:
        """List what is due, the longest due first. `locking` is for a transaction that claims; a look cannot lock."""
        return tx.all(record, self._due_locked if locking else self._due, now=now, most=most, **scope)

    def next_due(self, tx: Transaction, **scope: Any) -> datetime | None:
        """When the next row is due; None if none is waiting."""
        row = tx.row(self._next, **scope)
        return row[0] if row else None

    def claim(self, tx: Transaction, row_id: int, owner: str, lease_until: datetime, **values: Any) -> None:
        """Lease a due row to `owner`; it counts as an attempt."""
        tx.run(self._claim, row_id=row_id, owner=owner, lease_until=lease_until, **values)

    def settle(self, tx: Transaction, row_id: int, owner: str, **values: Any) -> bool:
        """Write an attempt's outcome; False, with nothing written, if the lease was lost meanwhile."""
        return tx.count(self._settle, row_id=row_id, owner=owner, **values) == 1
