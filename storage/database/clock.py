"""The database's clock, and the last sweep: what time it was when what was due was last settled."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select

from bot.clock import TimeReading, count_seconds
from storage.database.statements import Statement, Transaction, UtcDateTime, table_of, upsert_into
from storage.tables.queues import SweepRow

_sweep = table_of(SweepRow)

_THE_ONE = 1
READINGS = 3
"""The best of so many counts: what delayed the answer to one seldom delays them all."""
NOTED_EVERY = timedelta(minutes=10)
"""Or the sweep would be a commit even when nothing is due."""

# Not now(), which is when the transaction began.
_TIME = Statement(select(func.clock_timestamp(type_=UtcDateTime())))
_SWEPT_AT = Statement(select(_sweep.c.swept_at).where(_sweep.c.id == bindparam("row_id")))
_NOTE = Statement(upsert_into(_sweep, ["id"], ["swept_at"]))


def read_time(tx: Transaction) -> TimeReading | None:
    """What the clock of the database's server shows; None on SQLite, which has only the machine's."""
    if tx.database == "sqlite":
        return None
    return min((_read(tx) for _ in range(READINGS)), key=lambda reading: reading.error)


def _read(tx: Transaction) -> TimeReading:
    began = count_seconds()
    row = tx.row(_TIME)
    ended = count_seconds()
    assert row is not None  # noqa: S101 (a SELECT of one value)
    return TimeReading.between(began, row[0], ended)


def find_swept_at(tx: Transaction) -> datetime | None:
    """When what was due was last settled, within `NOTED_EVERY`; None if it never was."""
    return tx.one(_moment, _SWEPT_AT, row_id=_THE_ONE)


def _moment(value: Any) -> datetime:
    found: datetime = value
    return found


def note_swept(tx: Transaction, now: datetime) -> None:
    """Note that what was due by `now` is settled."""
    before = find_swept_at(tx)
    if before is None or abs(now - before) >= NOTED_EVERY:
        tx.run(_NOTE, id=_THE_ONE, swept_at=now)
