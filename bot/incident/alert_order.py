"""Alerts in any order: what is told of a group makes the same of it, whatever comes first, late or twice.

What comes in order is told on. What comes late is sorted in by the time at which it happened, and the group is told
anew from its beginning, so that there is one rule for both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.incident.alerts import QUIET, Alert, AlertGroup, AlertStatus

Order = tuple[datetime, datetime, int, str]

RANKS = {AlertStatus.FIRING: 0, AlertStatus.ACKNOWLEDGED: 1, AlertStatus.RESOLVED: 2}
"""What comes first of the same alert at the same moment."""


RETOLD_AT_MOST = 500
"""A group of more things told is not told anew: what comes late of it is counted, so that it costs the same."""


def order(alert: Alert) -> Order:
    """What sorts things told by when they happened.

    At the same moment what began earlier comes first: the end of one firing, then the start of the next.
    """
    return alert.at, alert.starts_at, RANKS[alert.status], alert.event


def start_of(alert: Alert) -> Alert | None:
    """The beginning that is told along with what became of an alert; None where that is not told, or all that is."""
    if not alert.start or alert.is_over or alert.is_start:
        return None
    return replace(alert, status=AlertStatus.FIRING, at=alert.starts_at, event=alert.start, by="")


def goes_on(group: AlertGroup, alert: Alert, *, is_open: bool) -> bool:
    """Whether what is told belongs to the group as it stands; `is_open`: its incident is not resolved."""
    return group.ended_at is None or is_open or alert.at <= group.ended_at + QUIET


def after(group: AlertGroup, alert: Alert, known: AlertStatus | None) -> AlertGroup:
    """The group after the newest thing told of it; `known` is what was told of the same alert before, if anything."""
    was_over = known is AlertStatus.RESOLVED
    if known is None and alert.is_over:
        return group
    begins, ends = not alert.is_over and (known is None or was_over), alert.is_over and not was_over
    group = replace(
        group,
        fired=group.fired + (known is None),
        firing=group.firing + begins - ends,
        severity=alert.severity or group.severity,
    )
    if not group.firing:
        return replace(group, status=AlertStatus.RESOLVED, changed_at=alert.at, ended_at=alert.at)
    return group if alert.is_over else _standing(group, alert)


def _standing(group: AlertGroup, alert: Alert) -> AlertGroup:
    """The group after one of its alerts fired or was acknowledged; one that fires anew is nobody's yet."""
    if group.ended_at is not None:
        group = replace(group, ended_at=None, acknowledged_at=None, acknowledged_by="")
    if alert.status is AlertStatus.ACKNOWLEDGED and group.acknowledged_at is None:
        group = replace(group, acknowledged_at=alert.at, acknowledged_by=alert.by)
    return group if group.status is alert.status else replace(group, status=alert.status, changed_at=alert.at)


def retold(group: AlertGroup, told: Iterable[Alert]) -> AlertGroup:
    """The group as all that was told of it makes it, told in whatever order; who decided what stays as it is."""
    in_order = sorted(told, key=order)
    if not in_order:
        return group
    first = in_order[0]
    group = replace(
        group,
        starts_at=min(group.starts_at, first.at),
        title=first.title,
        service=first.service or group.service,
        link=first.link or group.link,
        status=AlertStatus.FIRING,
        changed_at=first.at,
        fired=0,
        firing=0,
    )
    group = replace(group, acknowledged_at=None, acknowledged_by="", ended_at=None)
    known: dict[str, AlertStatus] = {}
    for alert in in_order:
        group = after(group, alert, known.get(alert.fingerprint))
        known[alert.fingerprint] = alert.status
    return group


def counted(group: AlertGroup, alert: Alert, known: tuple[Order, AlertStatus] | None, newest: datetime) -> AlertGroup:
    """A group too large to be told anew, after something that came late.

    `known` is what was told last of the alert, `newest` when the newest thing told of the group happened. What fires
    and when all had ended is right in any order; who took it up, and its words, stay as they were.
    """
    if known is not None and known[0] > order(alert):
        return group
    late = replace(after(group, alert, known[1] if known else None), severity=group.severity)
    if late.ended_at is not None:
        return replace(late, ended_at=max(late.ended_at, newest), changed_at=max(late.ended_at, newest))
    return late if group.ended_at is not None else replace(group, fired=late.fired, firing=late.firing)


@dataclass(slots=True)
class _Stretch:
    """What was told from the first alert that fires until `QUIET` after all have ended."""

    told: list[Alert] = field(default_factory=list)
    last: dict[str, AlertStatus] = field(default_factory=dict)
    firing: int = 0

    def takes(self, alert: Alert) -> bool:
        return self.firing > 0 or alert.at <= self.told[-1].at + QUIET

    def add(self, alert: Alert) -> None:
        was_firing = self.last.get(alert.fingerprint, AlertStatus.RESOLVED) is not AlertStatus.RESOLVED
        self.firing += (not alert.is_over) - was_firing
        self.last[alert.fingerprint] = alert.status
        self.told.append(alert)


def stretches(told: Iterable[Alert]) -> tuple[list[Sequence[Alert]], list[Alert]]:
    """What was told of one group of its sender: the stretches that are a group each, and the ends of nothing known."""
    found: list[_Stretch] = []
    waiting: list[Alert] = []
    for alert in sorted(told, key=order):
        goes = bool(found) and found[-1].takes(alert)
        if alert.is_over and not (goes and alert.fingerprint in found[-1].last):
            waiting.append(alert)
            continue
        if not goes:
            found.append(_Stretch())
        found[-1].add(alert)
    return [stretch.told for stretch in found], waiting
