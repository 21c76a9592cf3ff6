"""Groups of alerts, storms that count many groups in one message, and the events of alerts.

An event is one report of an alert. The end of an alert whose start has not been reported waits in its own table.

An event is kept to recognise a repeat, and to know the state of its alert. It is pruned once it has not been reported
for long, unless it is the last word on an alert whose end is still to come, from a source that reports each thing once.
Its group goes with its last event, unless that is part of an incident, and a storm with its last group. A waiting end
is pruned as well.
"""

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)

from bot.domain.alerts.groups import RANKS, REPEATED, Alert, AlertGroup, AlertStatus, GroupState, Order, Storm
from storage.database.statements import Row, Statement, Transaction, columns_of, insert_into, table_of, update_by_id
from storage.tables.queues import AlertEndRow, AlertEventRow, AlertRow, AlertStormRow

_alert, _storm = table_of(AlertRow), table_of(AlertStormRow)
_COLUMNS = columns_of(_alert, AlertGroup)
_MUTABLE = tuple(
    field.name
    for field in fields(AlertGroup)
    if field.name not in ("id", "team", "source", "group_key", "heard_at", "channel", "ts")
)
_select = select(*_COLUMNS)
_count = select(func.count()).select_from(_alert)
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
_SAVE_PLACE = Statement(update_by_id(_alert, ("channel", "ts")))
_COUNT_SUGGESTED = Statement(_count.where(_of_team, _lately, _alert.c.stand == GroupState.SUGGESTED))
_COUNT_BY_RULE = Statement(_count.where(_of_incident, _lately, _alert.c.settled_by == "rule"))
_COUNT_FIRING = Statement(_count.where(_of_incident, _alert.c.ended_at.is_(None)))
_LAST_END = Statement(select(func.max(_alert.c.ended_at)).where(_of_incident))
_COUNT_ATTACHED = Statement(_count.where(_of_incident))
_SERVICES = Statement(
    select(_alert.c.service)
    .where(_of_incident, _alert.c.service != "")
    .group_by(_alert.c.service)
    .order_by(func.min(_alert.c.id))
)
_CALMED_AT = Statement(select(func.max(_alert.c.calmed_at)).where(_of_incident))
_SAVE_CALMED = Statement(update_by_id(_alert, ("calmed_at",)))
_of_storm = (_alert.c.storm_id == bindparam("storm_id"), _alert.c.stand == GroupState.ON_HOLD)
_OF_STORM = Statement(
    _select.where(*_of_storm).order_by(_alert.c.ended_at.is_not(None), _alert.c.id).limit(bindparam("most"))
)
_COUNT_OF_STORM = Statement(_count.where(*_of_storm))

_STORM_COLUMNS = columns_of(_storm, Storm)
_STORM = Statement(
    select(*_STORM_COLUMNS)
    .where(_storm.c.team == bindparam("team"), _storm.c.began_at > bindparam("since"))
    .order_by(_storm.c.began_at.desc())
    .limit(1)
)
_STORM_BY_ID = Statement(select(*_STORM_COLUMNS).where(_storm.c.id == bindparam("storm_id")))
_ADD_STORM = Statement(insert_into(_storm).returning(_storm.c.id))
_SAVE_STORM_PLACE = Statement(update_by_id(_storm, ("ts",)))


def _update_owed(table: type[AlertRow] | type[AlertStormRow], *, is_owed: bool) -> Statement:
    """Mark a message as outdated or as current. Touches a row only if that is a change."""
    row = table_of(table)
    new, before = (true(), false()) if is_owed else (false(), true())
    return Statement(update(row).where(row.c.id == bindparam("row_id"), row.c.is_owed == before).values(is_owed=new))


_MARK_OUTDATED, _MARK_STORM_OUTDATED = _update_owed(AlertRow, is_owed=True), _update_owed(AlertStormRow, is_owed=True)
_MARK_CURRENT, _MARK_STORM_CURRENT = _update_owed(AlertRow, is_owed=False), _update_owed(AlertStormRow, is_owed=False)


def find(tx: Transaction, alert_id: int, *, locking: bool = False) -> AlertGroup | None:
    """A group by its row; `locking` if it is about to be saved."""
    return tx.one(AlertGroup, _BY_ID_LOCKED if locking else _BY_ID, alert_id=alert_id)


def find_latest(tx: Transaction, team: str, alert: Alert) -> AlertGroup | None:
    """The latest group that an alert names, locked: it is about to be saved."""
    return tx.one(AlertGroup, _LATEST, team=team, source=alert.source, group_key=alert.group)


def list_since(tx: Transaction, team: str, alert: Alert, moment: datetime) -> list[AlertGroup]:
    """The groups that an alert names that had not ended by a moment, oldest first, locked; merged ones too."""
    return list(tx.all(AlertGroup, _SINCE, team=team, source=alert.source, group_key=alert.group, since=moment))


def begin(tx: Transaction, team: str, channel: str, alert: Alert, starts_at: datetime, now: datetime) -> AlertGroup:
    """Add the group of a first alert. It counts nothing yet, and is held until the caller decides."""
    values = {name: getattr(alert, name) for name in ("source", "title", "severity", "service", "link")}
    values |= {"team": team, "group_key": alert.group, "starts_at": starts_at, "channel": channel, "heard_at": now}
    values |= {"status": AlertStatus.FIRING, "changed_at": starts_at, "stand": GroupState.ON_HOLD}
    values |= dict.fromkeys(("acknowledged_at", "ended_at", "incident_id", "storm_id"))
    values |= dict.fromkeys(("acknowledged_by", "settled_by", "ts"), "") | dict.fromkeys(
        ("fired", "firing", "entries"), 0
    )
    return AlertGroup(id=tx.insert(int, _ADD, **values, calmed_at=None, is_owed=False), **values)


def save(tx: Transaction, group: AlertGroup) -> None:
    """Save what may change. The group must have been read with `locking` in this transaction."""
    tx.run(_SAVE, row_id=group.id, **{f"new_{name}": getattr(group, name) for name in _MUTABLE})


def count_suggested(tx: Transaction, team: str, since: datetime) -> int:
    """How many groups that began after a moment are suggested one by one."""
    return tx.one(int, _COUNT_SUGGESTED, team=team, since=since) or 0


def count_attached_by_rule(tx: Transaction, incident_id: int, since: datetime) -> int:
    """How many groups that began after a moment joined an incident by rule."""
    return tx.one(int, _COUNT_BY_RULE, incident_id=incident_id, since=since) or 0


def count_firing(tx: Transaction, incident_id: int) -> int:
    """How many of an incident's groups have not ended."""
    return tx.one(int, _COUNT_FIRING, incident_id=incident_id) or 0


def read_last_end(tx: Transaction, incident_id: int) -> datetime | None:
    """When the last of an incident's groups that have ended did."""
    row = tx.row(_LAST_END, incident_id=incident_id)
    return row[0] if row else None


def count_attached(tx: Transaction, incident_id: int) -> int:
    """How many groups an incident has."""
    return tx.one(int, _COUNT_ATTACHED, incident_id=incident_id) or 0


def list_services(tx: Transaction, incident_id: int) -> tuple[str, ...]:
    """What the alerts of an incident call the services that they are about, the first group's in front."""
    return tx.all(str, _SERVICES, incident_id=incident_id)


def read_calmed_at(tx: Transaction, incident_id: int) -> datetime | None:
    """When the incident's channel was last notified that its alerts have ended."""
    row = tx.row(_CALMED_AT, incident_id=incident_id)
    return row[0] if row else None


def save_calmed(tx: Transaction, group: AlertGroup, now: datetime) -> None:
    """Save that the channel was notified of the end."""
    tx.run(_SAVE_CALMED, row_id=group.id, new_calmed_at=now)


def save_place(tx: Transaction, alert_id: int, channel: str, ts: str) -> None:
    """Save where a group's message is."""
    tx.run(_SAVE_PLACE, row_id=alert_id, new_channel=channel, new_ts=ts)


def mark_outdated(tx: Transaction, alert_id: int) -> bool:
    """Record that a group's message must be updated; False if an update is enqueued already."""
    return tx.count(_MARK_OUTDATED, row_id=alert_id) == 1


def mark_current(tx: Transaction, alert_id: int) -> None:
    """Record that the update is being sent: the next change needs another one."""
    tx.run(_MARK_CURRENT, row_id=alert_id)


def find_storm_since(tx: Transaction, team: str, since: datetime) -> Storm | None:
    """The storm that began last, if after a moment."""
    return tx.one(Storm, _STORM, team=team, since=since)


def begin_storm(tx: Transaction, team: str, channel: str, now: datetime) -> Storm:
    """A new storm, with no message yet."""
    row = tx.insert(int, _ADD_STORM, team=team, channel=channel, ts="", began_at=now, is_owed=False)
    return Storm(row, team, channel, "", now)


def find_storm(tx: Transaction, storm_id: int) -> Storm | None:
    """A storm by its row."""
    return tx.one(Storm, _STORM_BY_ID, storm_id=storm_id)


def list_of_storm(tx: Transaction, storm_id: int, most: int) -> tuple[AlertGroup, ...]:
    """Groups that a storm holds, those that still fire first."""
    return tx.all(AlertGroup, _OF_STORM, storm_id=storm_id, most=most)


def count_of_storm(tx: Transaction, storm_id: int) -> int:
    """How many groups a storm holds."""
    return tx.one(int, _COUNT_OF_STORM, storm_id=storm_id) or 0


def save_storm_place(tx: Transaction, storm_id: int, ts: str) -> None:
    """Save where a storm's message is."""
    tx.run(_SAVE_STORM_PLACE, row_id=storm_id, new_ts=ts)


def mark_storm_outdated(tx: Transaction, storm_id: int) -> bool:
    """Record that a storm's message must be updated; False if an update is enqueued already."""
    return tx.count(_MARK_STORM_OUTDATED, row_id=storm_id) == 1


def mark_storm_current(tx: Transaction, storm_id: int) -> None:
    """Record that the update of a storm's message is being sent."""
    tx.run(_MARK_STORM_CURRENT, row_id=storm_id)


AT_ONCE = 200
"""Events that one sweep looks at: it runs in the writer, and people's units wait for it."""

OFTEN = timedelta(days=1)
"""A repeat is saved at most once in this time: Alertmanager repeats each alert every few hours, and each is a write."""

_event, _end = table_of(AlertEventRow), table_of(AlertEndRow)

_rank = case(*((_event.c.status == status, rank) for status, rank in RANKS.items()))
_order = (_event.c.at, _event.c.starts_at, _rank, _event.c.key)
_backwards = tuple(column.desc() for column in _order)
_of_group_row = _event.c.alert_id == bindparam("alert_id")
_of_alert = (_of_group_row, _event.c.fingerprint == bindparam("fingerprint"))
_by_key = (_event.c.team == bindparam("of_team"), _event.c.key == bindparam("of_key"))
_any_event = select(_event.c.id).limit(1)
_until = _event.c.at <= bindparam("until", type_=_event.c.at.type)

# The lock's key is a number, so the group's name is hashed. Two names of one hash only wait for each other.
_LOCK = Statement(
    select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=Text), literal_column("0"))))
)
_EVENT_BY_KEY = Statement(_any_event.where(*_by_key))
_END_BY_KEY = Statement(
    select(_end.c.id).where(_end.c.team == bindparam("of_team"), _end.c.key == bindparam("of_key")).limit(1)
)
_ADD_EVENT = Statement(insert_into(_event))
_NEWEST = Statement(select(*_order).where(_of_group_row).order_by(*_backwards).limit(1))
_LAST_OF = Statement(select(*_order, _event.c.status).where(*_of_alert).order_by(*_backwards).limit(1))
_NTH_EVENT = Statement(
    select(_event.c.id).where(_of_group_row).order_by(_event.c.at).limit(1).offset(bindparam("many"))
)
_ACTIVE_BEFORE = Statement(
    select(_event.c.id).where(*_of_alert, _until, _event.c.status != AlertStatus.RESOLVED).limit(1)
)
_FIRING_BEFORE = Statement(
    _any_event.join(_alert, _alert.c.id == _event.c.alert_id).where(
        *_of_group, _event.c.fingerprint == bindparam("fingerprint"), _until, _event.c.status == AlertStatus.FIRING
    )
)
_EVENT_COLUMNS = ("fingerprint", "key", "title", "status", "starts_at", "at", "severity", "service", "link", "told_by")
_EVENTS = Statement(
    select(*(_event.c[name] for name in _EVENT_COLUMNS))
    .where(_of_group_row)
    .order_by(_event.c.at, _event.c.id)
    .limit(bindparam("most"))
)
_FACTS = ("title", "severity", "service", "link")
_CONFIRM = Statement(
    update(_event)
    .where(_event.c.team == bindparam("of_team"), _event.c.key == bindparam("of_start"), _event.c.is_implied == true())
    .values({name: bindparam(f"new_{name}", type_=_event.c[name].type) for name in ("key", "heard_at", *_FACTS)})
    .values(is_implied=false())
    .returning(_event.c.alert_id)
)
_MOVE_EVENT = Statement(update(_event).where(*_by_key).values(alert_id=bindparam("new_alert_id")))
_DELETE_EVENTS = Statement(delete(_event).where(*_by_key))

_ADD_END = Statement(insert_into(_end))
_WAITING_ENDS = Statement(
    select(_end.c.id, *(_end.c[name] for name in _EVENT_COLUMNS if name != "status"))
    .where(
        _end.c.team == bindparam("team"),
        _end.c.source == bindparam("source"),
        _end.c.group_key == bindparam("group_key"),
        _end.c.fingerprint == bindparam("fingerprint"),
        _end.c.at >= bindparam("since", type_=_end.c.at.type),
    )
    .order_by(_end.c.at, _end.c.id)
    .limit(bindparam("most"))
)
_DELETE_END = Statement(delete(_end).where(_end.c.id == bindparam("row_id")))

# The last word on an alert that goes on is kept, however old, or its end would have no start.
_newer = _event.alias("newer")
_before = bindparam("before", type_=_event.c.heard_at.type)

_SAVE_REPEAT = Statement(
    update(_event)
    .where(
        _event.c.team == bindparam("in_team"),
        _event.c.key == bindparam("of_key"),
        _event.c.heard_at < bindparam("lately", type_=_event.c.heard_at.type),
    )
    .values(heard_at=bindparam("now", type_=_event.c.heard_at.type))
)
_is_superseded = exists().where(
    _newer.c.alert_id == _event.c.alert_id,
    _newer.c.fingerprint == _event.c.fingerprint,
    or_(_newer.c.at > _event.c.at, and_(_newer.c.at == _event.c.at, _newer.c.id > _event.c.id)),
)
# Without an end the comparison is NULL, and NULL would spoil the whole condition below.
_is_over = func.coalesce(_alert.c.ended_at < _before, false())
_is_repeated = or_(*(_alert.c.source == source for source in REPEATED))
# SQLite gives the number of the last row again once that is deleted, and buttons in Slack name groups and storms by it
# (docs/decisions/0042-alert-history-is-kept-for-30-days.md).
_is_newest = _alert.c.id == select(func.max(_alert.alias().c.id)).scalar_subquery()
_OLD = Statement(
    select(_event.c.id, _event.c.alert_id, and_(or_(_is_over, _is_repeated, _is_superseded), ~_is_newest))
    .join_from(_event, _alert, _event.c.alert_id == _alert.c.id)
    .where(_event.c.heard_at < _before)
    .order_by(_event.c.heard_at, _event.c.id)
    .limit(bindparam("most"))
)
_OLD_ENDS = Statement(
    select(_end.c.id)
    .where(_end.c.heard_at < bindparam("before", type_=_end.c.heard_at.type))
    .order_by(_end.c.heard_at)
    .limit(bindparam("most"))
)
# Row ids count from one and the oldest go first, so a smallest id above one means that something was pruned.
_FIRST = Statement(select(func.min(_event.c.id)))
_DELETE_EVENT = Statement(delete(_event).where(_event.c.id == bindparam("row_id")))
_POSTPONE = Statement(update_by_id(_event, ("heard_at",)))
_DELETE_GROUP = Statement(
    delete(_alert).where(
        _alert.c.id == bindparam("row_id"),
        _alert.c.incident_id.is_(None),
        ~exists().where(_event.c.alert_id == bindparam("row_id")),
    )
)
_DELETE_MERGED = Statement(
    delete(_alert).where(
        *_of_group,
        _alert.c.stand == GroupState.MERGED,
        _alert.c.heard_at < bindparam("before", type_=_alert.c.heard_at.type),
        ~_is_newest,
    )
)
_DELETE_STORMS = Statement(
    delete(_storm).where(
        _storm.c.began_at < bindparam("before", type_=_storm.c.began_at.type),
        _storm.c.id < select(func.max(_storm.alias().c.id)).scalar_subquery(),
        ~exists().where(_alert.c.storm_id == _storm.c.id),
    )
)


def lock(tx: Transaction, team: str, alert: Alert) -> None:
    """Lock a sender's group until the transaction ends."""
    # An advisory lock, because the group may have no row yet that could be locked: two replicas would both add it.
    # SQLite needs none; it has one writer.
    if tx.database == "postgresql":
        tx.rows(_LOCK, name=f"alerts {team} {alert.source} {alert.group}")


def is_known(tx: Transaction, team: str, alert: Alert) -> bool:
    """Whether this event was reported before."""
    # Two tables, because an end without a start waits in one of its own.
    if tx.row(_EVENT_BY_KEY, of_team=team, of_key=alert.event) is not None:
        return True
    return alert.is_over and tx.row(_END_BY_KEY, of_team=team, of_key=alert.event) is not None


def add_event(tx: Transaction, group: AlertGroup, alert: Alert, now: datetime) -> None:
    """Add an event, in the transaction of its effect. A start that is only implied uses `start` as its key."""
    is_implied = alert.event == alert.start
    values = _event_values(alert) | {"status": alert.status}
    tx.run(_ADD_EVENT, team=group.team, alert_id=group.id, heard_at=now, is_implied=is_implied, **values)


def _event_values(alert: Alert) -> dict[str, Any]:
    """The columns of an event and of a waiting end."""
    named = ("fingerprint", "at", "starts_at", "title", "severity", "service", "link")
    return {name: getattr(alert, name) for name in named} | {"key": alert.event, "told_by": alert.by}


def confirm_start(tx: Transaction, team: str, alert: Alert, now: datetime) -> int | None:
    """Replace an implied start by the reported one. Returns the row of its group, or None if there is none."""
    if not alert.start or not alert.is_start:
        return None
    facts = {f"new_{name}": getattr(alert, name) for name in _FACTS}
    # Found by the key of the implied start, which every event of that alert carries; then it gets its own key, so
    # that a repeat of the report is known.
    row = tx.row(_CONFIRM, of_team=team, of_start=alert.start, new_key=alert.event, new_heard_at=now, **facts)
    return int(row[0]) if row else None


def find_newest(tx: Transaction, group: AlertGroup) -> Order | None:
    """The order of a group's last event, by the source's clock."""
    row = tx.row(_NEWEST, alert_id=group.id)
    return (row[0], row[1], row[2], row[3]) if row else None


def read_status(tx: Transaction, group: AlertGroup, fingerprint: str) -> AlertStatus | None:
    """The status of one alert of a group by its last event, or None."""
    last = find_last(tx, group, fingerprint)
    return last[1] if last else None


def find_last(tx: Transaction, group: AlertGroup, fingerprint: str) -> tuple[Order, AlertStatus] | None:
    """The last event of one alert of a group, by the source's clock."""
    row = tx.row(_LAST_OF, alert_id=group.id, fingerprint=fingerprint)
    return ((row[0], row[1], row[2], row[3]), AlertStatus(row[4])) if row else None


def has_more_than(tx: Transaction, group: AlertGroup, many: int) -> bool:
    """Whether a group has more than so many events."""
    return tx.row(_NTH_EVENT, alert_id=group.id, many=many) is not None


def has_fired(tx: Transaction, group: AlertGroup, alert: Alert) -> bool:
    """Whether the alert was reported as active in this group before the event."""
    return tx.row(_ACTIVE_BEFORE, alert_id=group.id, fingerprint=alert.fingerprint, until=alert.at) is not None


def has_begun(tx: Transaction, team: str, alert: Alert) -> bool:
    """Whether the alert was reported as firing in any group before the event."""
    return tx.row(_FIRING_BEFORE, **_alert_key(team, alert), until=alert.at) is not None


def _alert_key(team: str, alert: Alert) -> dict[str, str]:
    return {"team": team, "source": alert.source, "group_key": alert.group, "fingerprint": alert.fingerprint}


def list_events(tx: Transaction, group: AlertGroup, most: int) -> list[Alert]:
    """The first events of a group, by the source's clock."""
    return [_alert_of(group, row) for row in tx.rows(_EVENTS, alert_id=group.id, most=most)]


def _alert_of(group: AlertGroup, row: Row) -> Alert:
    fingerprint, key, title, status, starts_at, at, severity, service, link, by = row
    return Alert(
        group.source, group.group_key, fingerprint, key, title, status, starts_at, at, severity, service, link, by
    )


def move_event(tx: Transaction, alert: Alert, to: AlertGroup) -> None:
    """Move an event to another group."""
    tx.run(_MOVE_EVENT, of_team=to.team, of_key=alert.event, new_alert_id=to.id)


def drop_event(tx: Transaction, team: str, alert: Alert) -> None:
    """Delete an event."""
    tx.run(_DELETE_EVENTS, of_team=team, of_key=alert.event)


def add_waiting_end(tx: Transaction, team: str, alert: Alert, now: datetime) -> None:
    """Add an end that waits for its start to be reported."""
    tx.run(_ADD_END, team=team, source=alert.source, group_key=alert.group, heard_at=now, **_event_values(alert))


def take_waiting_ends(tx: Transaction, team: str, start: Alert, most: int) -> list[Alert]:
    """The first ends that wait for a start, by the source's clock. They stop waiting."""
    ends = []
    for row in tx.rows(_WAITING_ENDS, **_alert_key(team, start), since=start.at, most=most):
        row_id, fingerprint, key, title, *rest = row
        tx.run(_DELETE_END, row_id=row_id)
        ends.append(Alert(start.source, start.group, fingerprint, key, title, AlertStatus.RESOLVED, *rest))
    return ends


def has_pruned(tx: Transaction) -> bool:
    """Whether any event was ever pruned. Until then an unknown event cannot be a repeat."""
    row = tx.row(_FIRST)
    return row is not None and row[0] is not None and row[0] > 1


def save_repeated_event(tx: Transaction, team: str, alert: Alert, now: datetime) -> None:
    """Save that a known event was reported again."""
    tx.run(_SAVE_REPEAT, in_team=team, of_key=alert.event, lately=now - OFTEN, now=now)


def prune_events(tx: Transaction, before: datetime, now: datetime, most: int = AT_ONCE) -> int:
    """Delete events last reported before a moment that cannot matter any more. Returns how many rows are gone.

    It looks at no more than `most` of each kind. An event that still matters counts as reported at `now`: the next
    sweeps then look at others first.
    """
    gone, groups = 0, dict[int, None]()
    for row_id, alert_id, is_over in tx.rows(_OLD, before=before, most=most):
        if is_over:
            gone += tx.count(_DELETE_EVENT, row_id=row_id)
            groups[alert_id] = None
        else:
            # Else the same 200 rows that must stay would be looked at by every sweep, and no other.
            tx.run(_POSTPONE, row_id=row_id, new_heard_at=now)
    for alert_id in groups:
        # Locked, so that a receiver that is adding an event goes first, and the group is then not empty.
        group = find(tx, alert_id, locking=True)
        tx.run(_DELETE_GROUP, row_id=alert_id)
        if group is not None:
            tx.run(_DELETE_MERGED, team=group.team, source=group.source, group_key=group.group_key, before=before)
    if groups:
        tx.run(_DELETE_STORMS, before=before)
    # Ends whose start never came.
    for (row_id,) in tx.rows(_OLD_ENDS, before=before, most=most):
        gone += tx.count(_DELETE_END, row_id=row_id)
    return gone
