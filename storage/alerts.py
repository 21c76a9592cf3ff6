"""Groups of alerts, and the storms that count many of them in one message."""

from dataclasses import fields
from datetime import datetime

from sqlalchemy import bindparam, false, func, or_, select, true, update
from sqlalchemy.sql import ClauseElement

from bot.domain.alerts import Alert, AlertGroup, AlertStatus, GroupState, Storm
from storage.database.statements import Row, Statement, Transaction, insert_into, update_by_id
from storage.tables import AlertRow, AlertStormRow, table_of

_alert, _storm = table_of(AlertRow), table_of(AlertStormRow)
_COLUMNS = tuple(_alert.c[field.name] for field in fields(AlertGroup))
_MUTABLE = tuple(
    field.name
    for field in fields(AlertGroup)
    if field.name not in ("id", "team", "source", "group_key", "heard_at", "channel", "ts")
)
_select = select(*_COLUMNS)
_of_team = _alert.c.team == bindparam("team")
_of_incident = _alert.c.incident_id == bindparam("incident_id")
_of_group = (_of_team, _alert.c.source == bindparam("source"), _alert.c.group_key == bindparam("group_key"))
_lately = _alert.c.heard_at > bindparam("since")

_BY_ID = Statement(_select.where(_alert.c.id == bindparam("alert_id")))
_BY_ID_LOCKED = Statement(_select.where(_alert.c.id == bindparam("alert_id")).with_for_update())
_LATEST = Statement(
    _select.where(*_of_group, _alert.c.stand != GroupState.MERGED)
    .order_by(_alert.c.starts_at.desc())
    .limit(1)
    .with_for_update()
)
_SINCE = Statement(
    _select.where(
        *_of_group,
        or_(_alert.c.ended_at.is_(None), _alert.c.ended_at >= bindparam("since", type_=_alert.c.ended_at.type)),
    )
    .order_by(_alert.c.starts_at)
    .with_for_update()
)
_ADD = Statement(insert_into(_alert).returning(_alert.c.id))
_SAVE = Statement(update_by_id(_alert, _MUTABLE))
_PLACE = Statement(update_by_id(_alert, ("channel", "ts")))
_SHOW = Statement(
    select(func.count()).select_from(_alert).where(_of_team, _lately, _alert.c.stand == GroupState.SUGGESTED)
)
_RULED = Statement(select(func.count()).select_from(_alert).where(_of_incident, _lately, _alert.c.settled_by == "rule"))
_FIRING = Statement(select(func.count()).select_from(_alert).where(_of_incident, _alert.c.ended_at.is_(None)))
_ENDED = Statement(select(func.max(_alert.c.ended_at)).where(_of_incident))
_OF_INCIDENT = Statement(select(func.count()).select_from(_alert).where(_of_incident))
_CALMED = Statement(select(func.max(_alert.c.calmed_at)).where(_of_incident))
_CALM = Statement(update_by_id(_alert, ("calmed_at",)))
_HELD = (_alert.c.storm_id == bindparam("storm_id"), _alert.c.stand == GroupState.HELD)
_OF_STORM = Statement(
    _select.where(*_HELD).order_by(_alert.c.ended_at.is_not(None), _alert.c.id).limit(bindparam("most"))
)
_COUNT_OF_STORM = Statement(select(func.count()).select_from(_alert).where(*_HELD))

_STORM_COLUMNS = tuple(_storm.c[field.name] for field in fields(Storm))
_STORM = Statement(
    select(*_STORM_COLUMNS)
    .where(_storm.c.team == bindparam("team"), _storm.c.began_at > bindparam("since"))
    .order_by(_storm.c.began_at.desc())
    .limit(1)
)
_STORM_BY_ID = Statement(select(*_STORM_COLUMNS).where(_storm.c.id == bindparam("storm_id")))
_ADD_STORM = Statement(insert_into(_storm).returning(_storm.c.id))
_PLACE_STORM = Statement(update_by_id(_storm, ("ts",)))


def _owing(table: type[AlertRow] | type[AlertStormRow], *, is_owed: bool) -> Statement:
    """Marks a message as outdated or as current; touches a row only if that is a change."""
    row = table_of(table)
    news, before = (true(), false()) if is_owed else (false(), true())
    core: ClauseElement = (
        update(row).where(row.c.id == bindparam("row_id"), row.c.is_owed == before).values(is_owed=news)
    )
    return Statement(core)


_OWE, _OWE_STORM = _owing(AlertRow, is_owed=True), _owing(AlertStormRow, is_owed=True)
_OWED, _OWED_STORM = _owing(AlertRow, is_owed=False), _owing(AlertStormRow, is_owed=False)


def find(tx: Transaction, alert_id: int, *, locking: bool = False) -> AlertGroup | None:
    """A group by its row; `locking` if it is about to be saved."""
    row = tx.row(_BY_ID_LOCKED if locking else _BY_ID, alert_id=alert_id)
    return AlertGroup(*row) if row else None


def find_latest(tx: Transaction, team: str, alert: Alert) -> AlertGroup | None:
    """The latest group that an alert names, locked: it is about to be saved."""
    row = tx.row(_LATEST, team=team, source=alert.source, group_key=alert.group)
    return AlertGroup(*row) if row else None


def list_since(tx: Transaction, team: str, alert: Alert, moment: datetime) -> list[AlertGroup]:
    """The groups that an alert names that had not ended by a moment, oldest first, locked; merged ones too."""
    rows = tx.rows(_SINCE, team=team, source=alert.source, group_key=alert.group, since=moment)
    return [AlertGroup(*row) for row in rows]


def begin(tx: Transaction, team: str, channel: str, alert: Alert, starts_at: datetime, now: datetime) -> AlertGroup:
    """Add the group of a first alert. It counts nothing yet, and is held until the caller decides."""
    given = {name: getattr(alert, name) for name in ("source", "title", "severity", "service", "link")}
    given |= {"team": team, "group_key": alert.group, "starts_at": starts_at, "channel": channel, "heard_at": now}
    given |= {"status": AlertStatus.FIRING, "changed_at": starts_at, "stand": GroupState.HELD}
    given |= dict.fromkeys(("acknowledged_at", "ended_at", "incident_id", "storm_id"))
    given |= dict.fromkeys(("acknowledged_by", "settled_by", "ts"), "") | dict.fromkeys(
        ("fired", "firing", "entries"), 0
    )
    row = tx.row(_ADD, **given, calmed_at=None, is_owed=False)
    assert row is not None  # noqa: S101 (RETURNING answers with the row or raises)
    return AlertGroup(id=row[0], **given)


def save(tx: Transaction, group: AlertGroup) -> None:
    """Write back what may change; the group was read with locking in this transaction."""
    tx.run(_SAVE, row_id=group.id, **{f"new_{name}": getattr(group, name) for name in _MUTABLE})


def count_suggested(tx: Transaction, team: str, since: datetime) -> int:
    """How many groups that began after a moment are suggested one by one."""
    return _count(tx.row(_SHOW, team=team, since=since))


def count_attached_by_rule(tx: Transaction, incident_id: int, since: datetime) -> int:
    """How many groups that began after a moment joined an incident by rule."""
    return _count(tx.row(_RULED, incident_id=incident_id, since=since))


def count_firing(tx: Transaction, incident_id: int) -> int:
    """How many of an incident's groups have not ended."""
    return _count(tx.row(_FIRING, incident_id=incident_id))


def read_last_end(tx: Transaction, incident_id: int) -> datetime | None:
    """When the last of an incident's groups that have ended did."""
    row = tx.row(_ENDED, incident_id=incident_id)
    return row[0] if row else None


def count_attached(tx: Transaction, incident_id: int) -> int:
    """How many groups an incident has."""
    return _count(tx.row(_OF_INCIDENT, incident_id=incident_id))


def read_calmed_at(tx: Transaction, incident_id: int) -> datetime | None:
    """When the incident's channel was last notified that its alerts have ended."""
    row = tx.row(_CALMED, incident_id=incident_id)
    return row[0] if row else None


def save_calmed(tx: Transaction, group: AlertGroup, now: datetime) -> None:
    """Save that the channel was notified of the end."""
    tx.run(_CALM, row_id=group.id, new_calmed_at=now)


def save_place(tx: Transaction, alert_id: int, channel: str, ts: str) -> None:
    """Save where a group's message is."""
    tx.run(_PLACE, row_id=alert_id, new_channel=channel, new_ts=ts)


def mark_outdated(tx: Transaction, alert_id: int) -> bool:
    """Note that a group's message must be updated; false if that is enqueued already."""
    return tx.run(_OWE, row_id=alert_id) == 1


def mark_current(tx: Transaction, alert_id: int) -> None:
    """Note that the update is being sent: the next change needs another."""
    tx.run(_OWED, row_id=alert_id)


def find_storm_since(tx: Transaction, team: str, since: datetime) -> Storm | None:
    """The storm that began last, if after a moment."""
    row = tx.row(_STORM, team=team, since=since)
    return Storm(*row) if row else None


def begin_storm(tx: Transaction, team: str, channel: str, now: datetime) -> Storm:
    """A new storm, with no message yet."""
    row = tx.row(_ADD_STORM, team=team, channel=channel, ts="", began_at=now, is_owed=False)
    assert row is not None  # noqa: S101 (RETURNING answers with the row or raises)
    return Storm(row[0], team, channel, "", now)


def find_storm(tx: Transaction, storm_id: int) -> Storm | None:
    """A storm by its row."""
    row = tx.row(_STORM_BY_ID, storm_id=storm_id)
    return Storm(*row) if row else None


def list_of_storm(tx: Transaction, storm_id: int, most: int) -> tuple[AlertGroup, ...]:
    """Groups that a storm holds, those that still fire first."""
    return tuple(AlertGroup(*row) for row in tx.rows(_OF_STORM, storm_id=storm_id, most=most))


def count_of_storm(tx: Transaction, storm_id: int) -> int:
    """How many groups a storm holds."""
    return _count(tx.row(_COUNT_OF_STORM, storm_id=storm_id))


def save_storm_place(tx: Transaction, storm_id: int, ts: str) -> None:
    """Save where a storm's message is."""
    tx.run(_PLACE_STORM, row_id=storm_id, new_ts=ts)


def mark_storm_outdated(tx: Transaction, storm_id: int) -> bool:
    """Note that a storm's message must be updated; false if that is enqueued already."""
    return tx.run(_OWE_STORM, row_id=storm_id) == 1


def mark_storm_current(tx: Transaction, storm_id: int) -> None:
    """Note that the update of a storm's message is being sent."""
    tx.run(_OWED_STORM, row_id=storm_id)


def _count(row: Row | None) -> int:
    return int(row[0]) if row else 0
