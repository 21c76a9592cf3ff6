"""What health and metrics ask of the database: a real write, and how much of each queue is still to be done."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, literal_column, select

from storage.database.statements import Statement, Transaction, table_of, upsert_into
from storage.tables.queues import (
    DELIVERY_WAITING,
    LINK_OWED,
    LOOKBACK_GOING,
    DeliveryRow,
    LinkRow,
    LookbackRow,
    ProbeRow,
)
from storage.tables.record import ATTACHMENT_WANTED, AttachmentRow

_probe, _delivery, _link = table_of(ProbeRow), table_of(DeliveryRow), table_of(LinkRow)

_THE_ONE = 1
FILLER = "." * 48_000
"""As much as an entry writes with all its indexes, so that a disk with room for less is found out."""

_WRITE = Statement(upsert_into(_probe, ["id"], ["probed_at", "filler"]))
_SYNC_ROWS = Statement(select(_link.c.system, func.count()).where(LINK_OWED).group_by(_link.c.system))
_COUNTS = {
    "slack": Statement(select(func.count()).select_from(_delivery).where(DELIVERY_WAITING)),
    "files": Statement(select(func.count()).select_from(table_of(AttachmentRow)).where(ATTACHMENT_WANTED)),
    "history": Statement(select(func.count()).select_from(table_of(LookbackRow)).where(LOOKBACK_GOING)),
}
# By `created_at`, which is when it was to be sent: an attempt moves `due_at`.
_OLDEST = Statement(
    select(_delivery.c.created_at, _delivery.c.error)
    .where(DELIVERY_WAITING, _delivery.c.created_at < bindparam("before"))
    .order_by(_delivery.c.created_at)
    .limit(literal_column("1"))
)
_OVERDUE = Statement(
    select(func.count()).select_from(_delivery).where(DELIVERY_WAITING, _delivery.c.created_at < bindparam("before"))
)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages to Slack that were to be sent before some moment: how many, since when, and what stopped the oldest."""

    count: int
    since: datetime
    error: str


def write_probe(tx: Transaction, now: datetime) -> None:
    """Write as much as an entry does, into one row that all replicas share."""
    tx.run(_WRITE, id=_THE_ONE, probed_at=now, filler=FILLER)


def count_queues(tx: Transaction) -> dict[str, int]:
    """How many rows are still to be done: of messages, files and history scans, and of each system that has any."""
    counts = {name: tx.one(int, statement) or 0 for name, statement in _COUNTS.items()}
    return counts | dict(tx.rows(_SYNC_ROWS))


def find_backlog(tx: Transaction, before: datetime) -> Backlog | None:
    """What was to be sent before this moment and is not; None if there is nothing."""
    oldest = tx.row(_OLDEST, before=before)
    if oldest is None:
        return None
    return Backlog(tx.one(int, _OVERDUE, before=before) or 0, oldest[0], oldest[1])
