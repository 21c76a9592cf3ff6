"""What an incident loses once it is long over: its files and messages, or all of it, if the operator says so."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Table, bindparam, delete, false, func, insert, literal, or_, select, update
from sqlalchemy.sql import ColumnElement

from bot.domain.records import AttachmentState, Incident, PostmortemStatus, Status
from storage.database.statements import Statement, Transaction, insert_into, table_of
from storage.queues import DeliveryState
from storage.tables import metadata
from storage.tables.queues import AlertEventRow, AlertRow, DeliveryRow, LookbackRow
from storage.tables.record import (
    AttachmentRow,
    EntryRow,
    ErasureRow,
    HistoryExemptionRow,
    IncidentRow,
)

_incident, _entry, _attachment = table_of(IncidentRow), table_of(EntryRow), table_of(AttachmentRow)
_delivery, _lookback = table_of(DeliveryRow), table_of(LookbackRow)
_alert, _alert_event = table_of(AlertRow), table_of(AlertEventRow)
_exemption = table_of(HistoryExemptionRow)

_is_over = (
    _incident.c.status == Status.RESOLVED,
    or_(*(_incident.c.postmortem_status == state for state in (PostmortemStatus.PUBLISHED, PostmortemStatus.WAIVED))),
    func.coalesce(_incident.c.published_at, _incident.c.resolved_at)
    < bindparam("before", type_=_incident.c.resolved_at.type),
)
_over = select(_incident.c.id).where(*_is_over)
# Compared one by one: an IN over bound values is only written when it is run, and statements are compiled before.
_is_finished = or_(
    *(_delivery.c.state == state for state in (DeliveryState.SENT, DeliveryState.DEAD, DeliveryState.CANCELLED))
)
_WITH_FILES = Statement(
    select(_entry.c.incident_id)
    .distinct()
    .join_from(_attachment, _entry, _attachment.c.entry_id == _entry.c.id)
    .where(_attachment.c.state == AttachmentState.STORED, _entry.c.incident_id.in_(_over))
    .limit(bindparam("most"))
)
_WITH_MESSAGES = Statement(
    select(_delivery.c.incident_id)
    .distinct()
    .where(_is_finished, _delivery.c.incident_id.in_(_over))
    .limit(bindparam("most"))
)
_EXPIRED = Statement(select(_incident.c.id).where(*_is_over).order_by(_incident.c.id).limit(bindparam("most")))
_of: ColumnElement[int] = bindparam("incident_id", type_=Integer)
_DROP_FILES = Statement(
    update(_attachment)
    .where(
        _attachment.c.state == AttachmentState.STORED,
        _attachment.c.entry_id.in_(select(_entry.c.id).where(_entry.c.incident_id == _of)),
    )
    .values(
        state=AttachmentState.REFUSED,
        note=bindparam("new_note"),
        content=bindparam("new_content", type_=_attachment.c.content.type),
    )
)
_DROP_MESSAGES = Statement(delete(_delivery).where(_delivery.c.incident_id == _of, _is_finished))
_DROP_SCANS = Statement(delete(_lookback).where(_lookback.c.incident_id == _of))
_DROP_REPORTS = Statement(
    delete(_alert_event).where(_alert_event.c.alert_id.in_(select(_alert.c.id).where(_alert.c.incident_id == _of)))
)
_EXEMPT = Statement(insert(_exemption).values(reason=literal("erase")))
_END_EXEMPTION = Statement(delete(_exemption))
_ADD_ERASURE = Statement(insert_into(table_of(ErasureRow)))


def list_with_leftovers(tx: Transaction, before: datetime, most: int) -> tuple[int, ...]:
    """Incidents that were over before a moment and still have files or finished messages."""
    found = (*tx.rows(_WITH_FILES, before=before, most=most), *tx.rows(_WITH_MESSAGES, before=before, most=most))
    return tuple(sorted({row[0] for row in found}))[:most]


def list_expired(tx: Transaction, before: datetime, most: int) -> tuple[int, ...]:
    """Incidents that were over before a moment: resolved, with a postmortem that is published or not needed."""
    return tx.all(int, _EXPIRED, before=before, most=most)


def drop_leftovers(tx: Transaction, incident_id: int, note: str) -> dict[str, int]:
    """Delete an incident's files, finished messages, history scans and reports of alerts. Returns how many of each."""
    counts = {
        "files": tx.count(_DROP_FILES, incident_id=incident_id, new_note=note, new_content=b""),
        "messages": tx.count(_DROP_MESSAGES, incident_id=incident_id),
        "history scans": tx.count(_DROP_SCANS, incident_id=incident_id),
        "alert reports": tx.count(_DROP_REPORTS, incident_id=incident_id),
    }
    return {name: count for name, count in counts.items() if count}


def erase(tx: Transaction, incident: Incident, reason: str, now: datetime) -> int:
    """Delete an incident with everything that belongs to it, its history included. Returns how many rows are gone.

    Its number is not given out again, and an erasure says that it was here.
    """
    tx.run(_EXEMPT)
    rows = sum(tx.count(statement, incident_id=incident.id) for statement in _ERASE)
    tx.run(_END_EXEMPTION)
    values = {"incident_id": incident.id, "team": incident.team, "number": incident.number}
    tx.run(_ADD_ERASURE, **values, reason=reason, erased_at=now, rows=rows)
    return rows


def _belongs(table: Table) -> ColumnElement[bool] | None:
    """Whether a row belongs to the incident, by whichever way its references lead there; None if none does."""
    if table is _incident:
        return _incident.c.id == bindparam("incident_id")
    ways: list[ColumnElement[bool]] = []
    for key in table.foreign_keys:
        target = key.column.table
        if target is _incident:
            ways.append(key.parent == bindparam("incident_id"))
        elif target is not table and (above := _belongs(target)) is not None:
            ways.append(key.parent.in_(select(target.c.id).where(above)))
    return or_(false(), *ways) if ways else None


def _erasing(tables: Iterable[Table]) -> Iterable[Statement]:
    for table in tables:
        belongs: Any = _belongs(table)
        if belongs is not None:
            yield Statement(delete(table).where(belongs))


# Those that refer to others first.
_ERASE = tuple(_erasing(reversed(metadata.sorted_tables)))
