"""Updates of incidents for people outside, each with the promise of the next one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, false, select

from bot.domain.records import Entry
from storage.database.statements import (
    Statement,
    Transaction,
    columns_of,
    insert_into,
    table_of,
    update_by_id,
    values_of,
)
from storage.tables.queues import UpdateRow
from storage.tables.record import EntryRow

_update, _entry = table_of(UpdateRow), table_of(EntryRow)


@dataclass(frozen=True, slots=True)
class IncidentUpdate:
    """An update for people outside, and until when the next one is promised; None if none is.

    `pace` is for how many seconds it was promised. `quiet_at` is when someone said last that there is nothing new.
    """

    id: int
    incident_id: int
    entry_id: int
    author: str
    said_at: datetime
    next_at: datetime | None
    pace: int
    quiet_at: datetime | None


_UPDATE = columns_of(_update, IncidentUpdate)
_ADD_UPDATE = Statement(insert_into(_update))
_LATEST = Statement(
    select(*_UPDATE)
    .join_from(_update, _entry, _update.c.entry_id == _entry.c.id)
    .where(_update.c.incident_id == bindparam("incident_id"), _entry.c.struck == false())
    .order_by(_update.c.id.desc())
    .limit(1)
)
_ENTRY = Statement(select(*columns_of(_entry, Entry)).where(_entry.c.id == bindparam("entry_id")))
_IS_UPDATE = Statement(select(_update.c.id).where(_update.c.entry_id == bindparam("entry_id")))
_SAVE_UPDATE = Statement(update_by_id(_update, ("next_at", "quiet_at")))


def add_update(tx: Transaction, new: IncidentUpdate) -> None:
    """Add an update; its `id` is given by the database."""
    tx.note(new.incident_id, "update")
    tx.run(_ADD_UPDATE, **{name: value for name, value in values_of(new).items() if name != "id"})


def find_update(tx: Transaction, incident_id: int) -> tuple[IncidentUpdate, Entry] | None:
    """The latest update of an incident whose entry still stands, with that entry."""
    latest = tx.one(IncidentUpdate, _LATEST, incident_id=incident_id)
    entry = tx.one(Entry, _ENTRY, entry_id=latest.entry_id) if latest is not None else None
    return (latest, entry) if latest is not None and entry is not None else None


def is_update(tx: Transaction, entry_id: int) -> bool:
    """Whether an entry is an update."""
    return tx.row(_IS_UPDATE, entry_id=entry_id) is not None


def save_update(tx: Transaction, changed: IncidentUpdate) -> None:
    """Save the promise of an update."""
    tx.note(changed.incident_id, "update")
    tx.run(_SAVE_UPDATE, row_id=changed.id, new_next_at=changed.next_at, new_quiet_at=changed.quiet_at)
