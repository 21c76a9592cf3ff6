"""Scans of a channel's history: a row until it is done, so that a restart continues where it was."""

from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy import bindparam, select, update

from storage.database.statements import Statement, Transaction, insert_into, table_of
from storage.queues import ScanState
from storage.tables.queues import LOOKBACK_GOING, LookbackRow

_lookback = table_of(LookbackRow)


@dataclass(frozen=True, slots=True)
class HistoryScan:
    """One scan. `cursor` (how far it came) and `found` (what it proposes) are JSON; `seen` counts the messages.

    `note` is why it failed. While a process runs it, `due_at` is the end of the lease.
    """

    id: int
    team: str
    channel: str
    incident_id: int
    asked_by: str
    oldest: datetime
    cursor: str
    found: str
    seen: int
    state: ScanState
    note: str
    due_at: datetime


_LOOKBACK_COLUMNS = tuple(_lookback.c[field.name] for field in fields(HistoryScan))
_ADD = Statement(insert_into(_lookback).returning(_lookback.c.id))
_BY_ID = Statement(select(*_LOOKBACK_COLUMNS).where(_lookback.c.id == bindparam("row_id")))
_DUE = Statement(
    select(*_LOOKBACK_COLUMNS)
    .where(LOOKBACK_GOING, _lookback.c.due_at <= bindparam("now"))
    .order_by(_lookback.c.due_at, _lookback.c.id)
    .limit(bindparam("most"))
)
_IS_GOING = Statement(
    select(_lookback.c.id).where(LOOKBACK_GOING, _lookback.c.incident_id == bindparam("incident_id")).limit(1)
)
# Only the holder of the lease may change the row: another replica may have taken it over since.
_HELD = Statement(
    update(_lookback)
    .where(_lookback.c.id == bindparam("row_id"), LOOKBACK_GOING, _lookback.c.due_at == bindparam("held_until"))
    .values(
        {
            name: bindparam(f"new_{name}", type_=_lookback.c[name].type)
            for name in ("cursor", "found", "seen", "state", "note", "due_at")
        }
    )
)


@dataclass(frozen=True, slots=True)
class NewScan:
    """A scan to run: from now back to `oldest`, ordered by a person in a channel."""

    team: str
    channel: str
    incident_id: int
    asked_by: str
    oldest: datetime
    cursor: str


def add(tx: Transaction, new: NewScan, now: datetime) -> int:
    """Add a scan. Returns its row."""
    given = {field.name: getattr(new, field.name) for field in fields(new)}
    row = tx.row(_ADD, **given, found="[]", seen=0, state=ScanState.RUNNING, note="", due_at=now)
    assert row is not None  # noqa: S101 (RETURNING answers with the row or raises)
    return int(row[0])


def find(tx: Transaction, row_id: int) -> HistoryScan | None:
    """One scan by its row."""
    row = tx.row(_BY_ID, row_id=row_id)
    return HistoryScan(*row) if row else None


def list_due(tx: Transaction, now: datetime, most: int) -> tuple[HistoryScan, ...]:
    """The scans due by now: new, done waiting, or abandoned by a process whose lease ended."""
    return tuple(HistoryScan(*row) for row in tx.rows(_DUE, now=now, most=most))


def is_running(tx: Transaction, incident_id: int) -> bool:
    """Whether an incident has a running scan."""
    return tx.row(_IS_GOING, incident_id=incident_id) is not None


def save(tx: Transaction, held: HistoryScan, after: HistoryScan) -> HistoryScan | None:
    """Save a scan; None, with nothing written, if another process has changed the row since it was read as `held`."""
    values = {f"new_{name}": getattr(after, name) for name in ("cursor", "found", "seen", "state", "note", "due_at")}
    return after if tx.run(_HELD, row_id=held.id, held_until=held.due_at, **values) == 1 else None


def claim(tx: Transaction, lookback: HistoryScan, until: datetime) -> HistoryScan | None:
    """Lease a due scan; None if another process has it."""
    return save(tx, lookback, replace(lookback, due_at=until))
