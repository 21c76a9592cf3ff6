"""The events of alerts: every report of one, and the ends that wait because their start has not been reported.

An event is kept to recognise a repeat, and to know the state of its alert. It is pruned once it has not been reported
for long, unless it is the last word on an alert whose end is still to come, from a source that reports each thing once.
Its group goes with its last event, unless that is part of an incident, and a storm with its last group. A waiting end
is pruned as well.
"""

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

from bot.domain.alerts import RANKS, REPEATED, Alert, AlertGroup, AlertStatus, GroupState, Order
from storage import alerts as alerts_store
from storage.database.statements import Row, Statement, Transaction, insert_into
from storage.tables import AlertEndRow, AlertEventRow, AlertRow, AlertStormRow, table_of

AT_ONCE = 200
"""Events that one sweep looks at: a person who records waits for these at most."""

OFTEN = timedelta(days=1)
"""A repeat is saved at most once in this time."""

_alert, _event, _end, _storm = (table_of(row) for row in (AlertRow, AlertEventRow, AlertEndRow, AlertStormRow))

_rank = case(*((_event.c.status == status, rank) for status, rank in RANKS.items()))
_backwards = (_event.c.at.desc(), _event.c.starts_at.desc(), _rank.desc(), _event.c.key.desc())
_of_group_row = _event.c.alert_id == bindparam("alert_id")
_of_alert = (_of_group_row, _event.c.fingerprint == bindparam("fingerprint"))
_by_key = (_event.c.team == bindparam("of_team"), _event.c.key == bindparam("of_key"))
_until = _event.c.at <= bindparam("until", type_=_event.c.at.type)

_LOCK = Statement(
    select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=Text), literal_column("0"))))
)
_KNOWN = Statement(select(_event.c.id).where(*_by_key).limit(1))
_KNOWN_END = Statement(
    select(_end.c.id).where(_end.c.team == bindparam("of_team"), _end.c.key == bindparam("of_key")).limit(1)
)
_ADD_EVENT = Statement(insert_into(_event))
_NEWEST = Statement(
    select(_event.c.at, _event.c.starts_at, _rank, _event.c.key).where(_of_group_row).order_by(*_backwards).limit(1)
)
_LAST_OF = Statement(
    select(_event.c.at, _event.c.starts_at, _rank, _event.c.key, _event.c.status)
    .where(*_of_alert)
    .order_by(*_backwards)
    .limit(1)
)
_MANY = Statement(select(_event.c.id).where(_of_group_row).order_by(_event.c.at).limit(1).offset(bindparam("many")))
_FIRED = Statement(select(_event.c.id).where(*_of_alert, _until, _event.c.status != AlertStatus.RESOLVED).limit(1))
_BEGUN = Statement(
    select(_event.c.id)
    .join_from(_alert, _event, _event.c.alert_id == _alert.c.id)
    .where(
        _alert.c.team == bindparam("team"),
        _alert.c.source == bindparam("source"),
        _alert.c.group_key == bindparam("group_key"),
        _event.c.fingerprint == bindparam("fingerprint"),
        _until,
        _event.c.status == AlertStatus.FIRING,
    )
    .limit(1)
)
_TOLD_COLUMNS = ("fingerprint", "key", "title", "status", "starts_at", "at", "severity", "service", "link", "told_by")
_TOLD = Statement(
    select(*(_event.c[name] for name in _TOLD_COLUMNS))
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
_MOVE = Statement(update(_event).where(*_by_key).values(alert_id=bindparam("new_alert_id")))
_DROP_EVENTS = Statement(delete(_event).where(*_by_key))

_WAIT = Statement(insert_into(_end))
_AWAITED = Statement(
    select(_end.c.id, *(_end.c[name] for name in _TOLD_COLUMNS if name != "status"))
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
_COME = Statement(delete(_end).where(_end.c.id == bindparam("row_id")))

_newer = _event.alias("newer")
_before = bindparam("before", type_=_event.c.heard_at.type)

_AGAIN = Statement(
    update(_event)
    .where(
        _event.c.team == bindparam("in_team"),
        _event.c.key == bindparam("of_key"),
        _event.c.heard_at < bindparam("lately", type_=_event.c.heard_at.type),
    )
    .values(heard_at=bindparam("now", type_=_event.c.heard_at.type))
)
_is_overtaken = exists().where(
    _newer.c.alert_id == _event.c.alert_id,
    _newer.c.fingerprint == _event.c.fingerprint,
    or_(_newer.c.at > _event.c.at, and_(_newer.c.at == _event.c.at, _newer.c.id > _event.c.id)),
)
_is_over = func.coalesce(_alert.c.ended_at < _before, false())
_goes_unsaid = or_(*(_alert.c.source == source for source in REPEATED))
# A row's number may be given again once it was the highest, and buttons in Slack name groups and storms by it.
_is_newest = _alert.c.id == select(func.max(_alert.alias().c.id)).scalar_subquery()
_OLD = Statement(
    select(_event.c.id, _event.c.alert_id, and_(or_(_is_over, _goes_unsaid, _is_overtaken), ~_is_newest))
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
_DROP_END = Statement(delete(_end).where(_end.c.id == bindparam("row_id")))
_FIRST = Statement(select(func.min(_event.c.id)))
_DROP_EVENT = Statement(delete(_event).where(_event.c.id == bindparam("row_id")))
_KEEP = Statement(
    update(_event)
    .where(_event.c.id == bindparam("row_id"))
    .values(heard_at=bindparam("now", type_=_event.c.heard_at.type))
)
_DROP_GROUP = Statement(
    delete(_alert).where(
        _alert.c.id == bindparam("row_id"),
        _alert.c.incident_id.is_(None),
        ~exists().where(_event.c.alert_id == bindparam("row_id")),
    )
)
_DROP_MERGED = Statement(
    delete(_alert).where(
        _alert.c.team == bindparam("team"),
        _alert.c.source == bindparam("source"),
        _alert.c.group_key == bindparam("group_key"),
        _alert.c.stand == GroupState.MERGED,
        _alert.c.heard_at < bindparam("before", type_=_alert.c.heard_at.type),
        ~_is_newest,
    )
)
_DROP_STORMS = Statement(
    delete(_storm).where(
        _storm.c.began_at < bindparam("before", type_=_storm.c.began_at.type),
        _storm.c.id < select(func.max(_storm.alias().c.id)).scalar_subquery(),
        ~exists().where(_alert.c.storm_id == _storm.c.id),
    )
)


def lock(tx: Transaction, team: str, alert: Alert) -> None:
    """Lock a sender's group, which may have no row yet: two replicas would both add it. SQLite has one writer."""
    if tx.database == "postgresql":
        tx.rows(_LOCK, name=f"alerts {team} {alert.source} {alert.group}")


def is_known(tx: Transaction, team: str, alert: Alert) -> bool:
    """Whether this event was reported before."""
    if tx.row(_KNOWN, of_team=team, of_key=alert.event) is not None:
        return True
    return alert.is_over and tx.row(_KNOWN_END, of_team=team, of_key=alert.event) is not None


def add(tx: Transaction, group: AlertGroup, alert: Alert, now: datetime) -> None:
    """Add an event, in the transaction of its effect. A start that is only implied has no key of its own."""
    is_implied = alert.event == alert.start
    said = _said(alert) | {"status": alert.status}
    tx.run(_ADD_EVENT, team=group.team, alert_id=group.id, heard_at=now, is_implied=is_implied, **said)


def _said(alert: Alert) -> dict[str, Any]:
    """The columns of an event and of a waiting end."""
    named = ("fingerprint", "at", "starts_at", "title", "severity", "service", "link")
    return {name: getattr(alert, name) for name in named} | {"key": alert.event, "told_by": alert.by}


def confirm(tx: Transaction, team: str, alert: Alert, now: datetime) -> int | None:
    """Replace an implied start by the reported one. Returns the row of its group, or None if there is none."""
    if not alert.start or not alert.is_start:
        return None
    facts = {f"new_{name}": getattr(alert, name) for name in _FACTS}
    row = tx.row(_CONFIRM, of_team=team, of_start=alert.start, new_key=alert.event, new_heard_at=now, **facts)
    return int(row[0]) if row else None


def find_newest(tx: Transaction, group: AlertGroup) -> Order | None:
    """The order of a group's last event, by the source's clock."""
    row = tx.row(_NEWEST, alert_id=group.id)
    return (row[0], row[1], row[2], row[3]) if row else None


def read_status(tx: Transaction, group: AlertGroup, fingerprint: str) -> AlertStatus | None:
    """The status of one alert of a group by its last event, or None."""
    found = find_last(tx, group, fingerprint)
    return found[1] if found else None


def find_last(tx: Transaction, group: AlertGroup, fingerprint: str) -> tuple[Order, AlertStatus] | None:
    """The last event of one alert of a group, by the source's clock."""
    row = tx.row(_LAST_OF, alert_id=group.id, fingerprint=fingerprint)
    return ((row[0], row[1], row[2], row[3]), AlertStatus(row[4])) if row else None


def has_more_than(tx: Transaction, group: AlertGroup, many: int) -> bool:
    """Whether a group has more than so many events."""
    return tx.row(_MANY, alert_id=group.id, many=many) is not None


def has_fired(tx: Transaction, group: AlertGroup, alert: Alert) -> bool:
    """Whether the alert was reported as active in this group before the event."""
    row = tx.row(_FIRED, alert_id=group.id, fingerprint=alert.fingerprint, until=alert.at)
    return row is not None


def has_begun(tx: Transaction, team: str, alert: Alert) -> bool:
    """Whether the alert was reported as firing in any group before the event."""
    return tx.row(_BEGUN, **_place(team, alert), until=alert.at) is not None


def _place(team: str, alert: Alert) -> dict[str, str]:
    return {"team": team, "source": alert.source, "group_key": alert.group, "fingerprint": alert.fingerprint}


def list_events(tx: Transaction, group: AlertGroup, most: int) -> list[Alert]:
    """The first events of a group, by the source's clock."""
    return [_alert_of(group, row) for row in tx.rows(_TOLD, alert_id=group.id, most=most)]


def _alert_of(group: AlertGroup, row: Row) -> Alert:
    fingerprint, key, title, status, starts_at, at, severity, service, link, by = row
    return Alert(
        group.source, group.group_key, fingerprint, key, title, status, starts_at, at, severity, service, link, by
    )


def move(tx: Transaction, alert: Alert, to: AlertGroup) -> None:
    """Move an event to another group."""
    tx.run(_MOVE, of_team=to.team, of_key=alert.event, new_alert_id=to.id)


def drop(tx: Transaction, team: str, alert: Alert) -> None:
    """Delete an event."""
    tx.run(_DROP_EVENTS, of_team=team, of_key=alert.event)


def add_waiting_end(tx: Transaction, team: str, alert: Alert, now: datetime) -> None:
    """Add an end that waits for its start to be reported."""
    tx.run(_WAIT, team=team, source=alert.source, group_key=alert.group, heard_at=now, **_said(alert))


def take_waiting_ends(tx: Transaction, team: str, start: Alert, most: int) -> list[Alert]:
    """The first ends that wait for a start, by the source's clock. They are deleted from the waiting ones."""
    found = []
    for row_id, fingerprint, key, title, *said in tx.rows(_AWAITED, **_place(team, start), since=start.at, most=most):
        tx.run(_COME, row_id=row_id)
        found.append(Alert(start.source, start.group, fingerprint, key, title, AlertStatus.RESOLVED, *said))
    return found


def has_pruned(tx: Transaction) -> bool:
    """Whether any event was pruned yet: until then an unknown event cannot be a repeat."""
    row = tx.row(_FIRST)
    return row is not None and row[0] is not None and row[0] > 1


def save_repeat(tx: Transaction, team: str, alert: Alert, now: datetime) -> None:
    """Save that a known event was reported again."""
    tx.run(_AGAIN, in_team=team, of_key=alert.event, lately=now - OFTEN, now=now)


def prune(tx: Transaction, before: datetime, now: datetime, most: int = AT_ONCE) -> int:
    """Delete events last reported before a moment that cannot matter any more. Returns how many rows are gone.

    Looks at `most` at most. An event that still matters counts as reported at `now`, so it is skipped as long again.
    """
    gone, groups = 0, dict[int, None]()
    for row_id, alert_id, is_over in tx.rows(_OLD, before=before, most=most):
        if is_over:
            gone += tx.run(_DROP_EVENT, row_id=row_id)
            groups[alert_id] = None
        else:
            tx.run(_KEEP, row_id=row_id, now=now)
    for alert_id in groups:
        group = alerts_store.find(tx, alert_id, locking=True)  # a receiver that adds an event right now goes first
        tx.run(_DROP_GROUP, row_id=alert_id)
        if group is not None:
            tx.run(_DROP_MERGED, team=group.team, source=group.source, group_key=group.group_key, before=before)
    if groups:
        tx.run(_DROP_STORMS, before=before)
    for (row_id,) in tx.rows(_OLD_ENDS, before=before, most=most):
        gone += tx.run(_DROP_END, row_id=row_id)
    return gone
