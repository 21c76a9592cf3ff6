"""Leased queues: what their rows ask for, where they stand, and the statements that every queue shares.

The values of the enums are what the database holds, so they never change; the names are what the code calls them.
The loop that works on a queue is `bot/queue.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Table, TextClause, bindparam, func, select, update

from storage.database.statements import Row, Statement, Transaction


class DeliveryKind(StrEnum):
    """What a delivery to Slack carries."""

    MESSAGE = "message"
    """`body` is the message, as JSON."""
    LIVE_MESSAGE = "card"
    """The incident's live message, posted once."""
    WHYS_THREAD = "whys"
    """The message in whose thread the whys are asked."""
    EXPORT = "file"
    """`body` is the order of the export, as JSON."""
    REMINDER = "reminder"
    """`body` names, as JSON, the person whose place the channel takes because they cannot see it; mostly empty."""
    HANDOVER = "handed"
    """To the new owner of a postmortem; `body` is the user who handed it over."""
    REPLACED_REMINDER = "retired"
    """A reminder that was sent shrinks to one line; `body` says which and to what, as JSON."""
    ALERT = "alert"
    """To the channel of alerts; `body` names the group or the storm, as JSON."""


class DeliveryState(StrEnum):
    """Where a delivery stands. The first three are still to be done."""

    PENDING = "pending"
    SENDING = "sending"
    """Leased until `due_at`."""
    UNSURE = "unsure"
    """Slack may have taken it: it is looked up before it is sent again."""
    SENT = "sent"
    DEAD = "dead"
    """Given up."""
    CANCELLED = "cancelled"
    """No longer wanted when its turn came."""


class SyncState(StrEnum):
    """Where a thing of ours stands in another system. The first two are still to be done."""

    PENDING = "owed"
    """The other system is behind; a call is due at `due_at`."""
    CALLING = "calling"
    """Leased until `due_at`."""
    IN_SYNC = "kept"
    REJECTED = "refused"
    """Refused for the reason in `error`, until the thing changes or a person tries again."""
    ABANDONED = "let go"
    """Nothing is wanted there any more."""


class ScanState(StrEnum):
    """Where a scan of a channel's history stands."""

    RUNNING = "going"
    DONE = "done"
    FAILED = "failed"


class QueueStatements:
    """The statements of a queue whose table has the columns id, state, due_at, attempts and lease_owner.

    `waiting` holds for the rows that are still to be done, `scope` narrows them further. Such a row is due once its
    `due_at` has come. It is new, or to be tried again, or was left behind by a process whose lease ran out: the
    `due_at` of a leased row is the end of its lease. `claimed` is what a claim changes besides, `settled` all that a
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
        # Two processes that look at the same moment take different rows instead of waiting for each other. SQLite
        # leaves the clause out: its one writer locks everything.
        self._due_locked = Statement(due.with_for_update(skip_locked=True))
        self._next = Statement(select(func.min(table.c.due_at)).where(waiting, *scope))
        claim = {
            "state": leased,
            "due_at": bindparam("lease_until", type_=table.c.due_at.type),
            "lease_owner": bindparam("owner"),
            "attempts": table.c.attempts + 1,
        }
        self._claim = Statement(
            update(table).where(table.c.id == bindparam("row_id")).values(claim | dict(claimed or {}))
        )
        # Only the process whose lease the row still carries may settle it: another one may have taken it over.
        self._settle = Statement(
            update(table)
            .where(table.c.id == bindparam("row_id"), table.c.lease_owner == bindparam("owner"))
            .values(dict(settled))
        )

    def due(self, tx: Transaction, now: datetime, most: int, *, locking: bool, **scope: Any) -> list[Row]:
        """List what is due, the longest due first. Locking is for a transaction that claims; a reader leaves it out."""
        return tx.rows(self._due_locked if locking else self._due, now=now, most=most, **scope)

    def next_due(self, tx: Transaction, **scope: Any) -> datetime | None:
        """Find when the next row is due; None if none is waiting."""
        row = tx.row(self._next, **scope)
        return row[0] if row else None

    def claim(self, tx: Transaction, row_id: int, owner: str, lease_until: datetime, **values: Any) -> None:
        """Lease a due row to `owner`; it counts as an attempt."""
        tx.run(self._claim, row_id=row_id, owner=owner, lease_until=lease_until, **values)

    def settle(self, tx: Transaction, row_id: int, owner: str, **values: Any) -> bool:
        """Write an attempt's outcome; False, with nothing written, if the lease was lost meanwhile."""
        return tx.run(self._settle, row_id=row_id, owner=owner, **values) == 1
