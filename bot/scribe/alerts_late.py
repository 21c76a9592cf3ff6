"""What came late of a group of alerts, sorted in: as if all had been told in order.

Nothing of what people decided is turned back: a group that is in an incident or that somebody ignores takes what
happened in its time, and is neither divided nor merged. Of the others, what came late may show that what was one group
was two, or that two were one. A message that was posted stays, and says so.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.incident import alert_order as rules
from bot.incident.alerts import QUIET, Alert, AlertGroup, AlertRules, AlertStatus, Stand
from bot.scribe.suggestions import show, show_storm
from storage import alert_events, alerts
from storage.statements import Transaction

DECIDED = (Stand.ATTACHED, Stand.IGNORED)


@dataclass(slots=True)
class Fresh:
    """A group with what is new of it.

    `told` is to be written into its incident's timeline; `weighed` may open one by rule; `order` is where the group
    ends; `ended_at` when it had before; `is_to_retell` where it is to be told anew from its beginning, `is_changed`
    where it was. `is_large`: there is too much of it for that; None while nobody looked.
    """

    group: AlertGroup
    order: rules.Order | None = None
    told: list[Alert] = field(default_factory=list)
    weighed: list[Alert] = field(default_factory=list)
    is_new: bool = False
    is_to_retell: bool = False
    is_changed: bool = False
    is_large: bool | None = None
    ended_at: datetime | None = None

    def add(self, alert: Alert) -> None:
        """Note something new."""
        self.told.append(alert)
        self.weighed.append(alert)

    def settled(self, group: AlertGroup) -> None:
        """Nothing is new of it any more."""
        self.group, self.ended_at, self.told, self.weighed = group, group.ended_at, [], []
        self.is_new = self.is_to_retell = self.is_changed = False


class Sorting:
    """What came late of one group of a sender, in one transaction that holds that group's lock."""

    def __init__(self, tx: Transaction, chosen: AlertRules, team: str, now: datetime) -> None:
        self._tx = tx
        self._chosen = chosen
        self._team = team
        self._now = now

    def sort_in(self, late: Sequence[Alert], fresh: dict[int, Fresh], is_open: Callable[[AlertGroup], bool]) -> None:
        """Give each group what happened in its time, as Fresh by its row."""
        late = sorted(late, key=rules.order)
        rows = self._rows(late[0], fresh)
        loose: list[Alert] = []
        for alert in late:
            home = self._home(rows, alert, is_open)
            if home is None:
                loose.append(alert)
            else:
                self.take_late(_of(home, fresh), alert)
        if loose:
            self._regroup([row for row in rows if row.stand not in DECIDED], loose, fresh)

    def take_late(self, fresh: Fresh, alert: Alert) -> None:
        """Give what came late to this very group: it is to be told anew, or counted where that would be too much."""
        if alert.is_over and not alert_events.has_fired(self._tx, fresh.group, alert):
            alert_events.wait(self._tx, self._team, alert, self._now)
            return
        if fresh.is_large is None:
            fresh.is_large = is_large(self._tx, fresh.group)
        if fresh.is_large:
            known = alert_events.last(self._tx, fresh.group, alert.fingerprint)
            newest = alert_events.newest(self._tx, fresh.group)
            fresh.group = rules.counted(fresh.group, alert, known, newest[0] if newest else alert.at)
        else:
            fresh.is_to_retell = True
        alert_events.keep(self._tx, fresh.group, alert, self._now)
        fresh.add(alert)

    def _home(
        self, rows: Sequence[AlertGroup], alert: Alert, is_open: Callable[[AlertGroup], bool]
    ) -> AlertGroup | None:
        """The group which what came late is part of because people or a rule decided so; None where its time decides.

        An open incident has what a rule would have put there, had it come in order.
        """
        standing = [row for row in rows if row.stand is not Stand.MERGED]
        if any(row.stand not in DECIDED and _has_in_it(row, alert.at) for row in standing):
            return None
        near = [row for row in standing if row.stand in DECIDED and row.starts_at - QUIET <= alert.at]
        newest = standing[-1] if standing else None
        if newest is not None and newest.stand is Stand.ATTACHED and is_open(newest):
            is_its = newest in near or self._chosen.opens_by(alert) or alert_events.has_fired(self._tx, newest, alert)
            return newest if is_its else None
        return near[-1] if near and rules.goes_on(near[-1], alert, is_open=False) else None

    def _rows(self, first: Alert, fresh: dict[int, Fresh]) -> list[AlertGroup]:
        """The groups that what came late may change, as they stand in this transaction."""
        for each in fresh.values():
            if each.group.group_key == first.group:
                alerts.save(self._tx, each.group)
        return alerts.since(self._tx, self._team, first, first.at - QUIET)

    def _regroup(self, rows: list[AlertGroup], late: Sequence[Alert], fresh: dict[int, Fresh]) -> None:
        """Divide and merge groups that nobody decided on, so that each is one stretch again."""
        rows = [row for row in rows if not is_large(self._tx, row)]
        of_row = {row.id: alert_events.told(self._tx, row, rules.RETOLD_AT_MOST) for row in rows}
        # Where all but an end was let go of long ago, nothing can be told anew.
        of_row = {row_id: told for row_id, told in of_row.items() if not all(alert.is_over for alert in told)}
        was_in = {alert.event: row_id for row_id, told in of_row.items() for alert in told}
        found, waiting = rules.stretches([*late, *(alert for told in of_row.values() for alert in told)])
        for alert in waiting:
            if alert.event in was_in:
                alert_events.drop(self._tx, self._team, alert)
            alert_events.wait(self._tx, self._team, alert, self._now)
        known = [row for row in rows if row.id in of_row or row.stand is Stand.MERGED]
        for told, owners in zip(found, _owners(known, found), strict=True):
            before = {alert.event for alert in of_row.get(owners[0].id, ())} if owners else set()
            if before != {alert.event for alert in told}:
                self._fill(told, owners, was_in, fresh)

    def _fill(
        self, told: Sequence[Alert], owners: Sequence[AlertGroup], was_in: dict[str, int], fresh: dict[int, Fresh]
    ) -> None:
        """Make a stretch one group: the first of those that stand in it, else a new one."""
        if owners:
            each = _of(_revived(owners[0], owners[1:]), fresh)
        else:
            first = told[0]
            group = alerts.begin(self._tx, self._team, self._chosen.channel, first, first.at, self._now)
            each = fresh[group.id] = Fresh(group, is_new=True)
        for alert in told:
            if alert.event not in was_in:
                alert_events.keep(self._tx, each.group, alert, self._now)
                each.add(alert)
            elif was_in[alert.event] != each.group.id:
                alert_events.move(self._tx, alert, each.group)
        each.group, each.is_changed = rules.retold(each.group, told), True
        for other in owners[1:]:
            gone = fresh.pop(other.id, None)
            each.weighed += gone.weighed if gone else []
            if other.stand is not Stand.MERGED:
                self._merge(other)

    def _merge(self, group: AlertGroup) -> None:
        """Leave nothing of a group but its message."""
        left = replace(group, stand=Stand.MERGED, storm_id=None, status=AlertStatus.RESOLVED, fired=0, firing=0)
        alerts.save(self._tx, replace(left, ended_at=None))
        if group.storm_id is not None:
            show_storm(self._tx, self._team, group.channel, group.storm_id, self._now)
        if group.stand is Stand.SUGGESTED:
            show(self._tx, left, self._now)


def is_large(tx: Transaction, group: AlertGroup) -> bool:
    """Whether so much was told of a group that it is not told anew."""
    return alert_events.has_more_than(tx, group, rules.RETOLD_AT_MOST)


def _of(group: AlertGroup, fresh: dict[int, Fresh]) -> Fresh:
    """What is new of a group that stands."""
    each = fresh.setdefault(group.id, Fresh(group, ended_at=group.ended_at))
    each.group = replace(each.group, stand=group.stand, storm_id=group.storm_id)
    return each


def _revived(group: AlertGroup, others: Sequence[AlertGroup]) -> AlertGroup:
    """The group as one that is shown: itself, or because a message of those that it takes in stands already."""
    is_shown = group.stand is Stand.MERGED or any(other.stand is Stand.SUGGESTED for other in others)
    return replace(group, stand=Stand.SUGGESTED, storm_id=None) if is_shown else group


def _has_in_it(group: AlertGroup, moment: datetime) -> bool:
    return group.starts_at <= moment and (group.ended_at is None or moment <= group.ended_at)


def _owners(rows: Sequence[AlertGroup], found: Sequence[Sequence[Alert]]) -> list[list[AlertGroup]]:
    """For each stretch the groups that began in it, in their order."""
    starts = [told[0].at for told in found]
    owners: list[list[AlertGroup]] = [[] for _ in found]
    for row in rows:
        at = bisect_right(starts, row.starts_at) - 1
        if row.stand is not Stand.MERGED or (at >= 0 and row.starts_at <= found[at][-1].at):
            owners[max(at, 0)].append(row)
    return owners
