"""Letting go of what was told of alerts once it can no longer matter, a few rows at a time.

A thing that was told is kept to recognise a repeat of it, and to know where its alert stands. So it goes once it was
not told for long, unless it is the last word on an alert whose end is still to come, from a source that tells each
thing once. With the last of them its group goes, unless that is part of an incident, and with that its storm. An end
that waits for its start goes as well.
"""

from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, delete, exists, false, func, or_, select, update

from bot.incident.alerts import REPEATED, Alert, Stand
from storage import alerts
from storage.statements import Statement, Transaction
from storage.tables import AlertEndRow, AlertEventRow, AlertRow, AlertStormRow, table_of

AT_ONCE = 200
"""So many things are looked at in one sweep, so that whoever records waits for these at most."""

OFTEN = timedelta(days=1)
"""A repeat is written down once in this time at most."""

_alert, _event, _storm = table_of(AlertRow), table_of(AlertEventRow), table_of(AlertStormRow)
_end = table_of(AlertEndRow)
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
_DROP = Statement(delete(_event).where(_event.c.id == bindparam("row_id")))
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
        _alert.c.stand == Stand.MERGED,
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


def has_let_go(tx: Transaction) -> bool:
    """Whether anything was let go yet: until then nothing can be a repeat of what is not known."""
    row = tx.row(_FIRST)
    return row is not None and row[0] is not None and row[0] > 1


def told_again(tx: Transaction, team: str, alert: Alert, now: datetime) -> None:
    """Write down that a thing which is known was told once more."""
    tx.run(_AGAIN, in_team=team, of_key=alert.event, lately=now - OFTEN, now=now)


def prune(tx: Transaction, before: datetime, now: datetime, most: int = AT_ONCE) -> int:
    """Let go of what was told last before a moment and cannot matter any more; how many things are gone.

    At most `most` are looked at. What still matters is heard anew, so that it is not looked at again for as long.
    """
    gone, groups = 0, dict[int, None]()
    for row_id, alert_id, is_over in tx.rows(_OLD, before=before, most=most):
        if is_over:
            gone += tx.run(_DROP, row_id=row_id)
            groups[alert_id] = None
        else:
            tx.run(_KEEP, row_id=row_id, now=now)
    for alert_id in groups:
        group = alerts.by_id(tx, alert_id, locking=True)  # whoever hears more of it at this moment comes first
        tx.run(_DROP_GROUP, row_id=alert_id)
        if group is not None:
            tx.run(_DROP_MERGED, team=group.team, source=group.source, group_key=group.group_key, before=before)
    if groups:
        tx.run(_DROP_STORMS, before=before)
    for (row_id,) in tx.rows(_OLD_ENDS, before=before, most=most):
        gone += tx.run(_DROP_END, row_id=row_id)
    return gone
