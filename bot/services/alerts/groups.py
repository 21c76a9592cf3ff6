"""Alerts that come in: stored once each, sorted into groups, and passed on to an incident or to suggestions.

The result does not depend on the order in which they come: an end waits for its start, a late event is sorted in as if
all had come in order, and a rule judges the alert itself, not whether it has ended meanwhile.

A late event never undoes a person's decision: a group that is attached or ignored takes the events of its time, and is
neither split nor merged. Any other group may turn out to be two, or two groups to be one. A message that was posted
stays, and says so.

A webhook may hold a thousand alerts and a storm a thousand webhooks. They are written in small transactions, so that a
person who records waits for one of these at most.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from bot.domain.alerts import groups as alerts_rules
from bot.domain.alerts.groups import (
    AFTERWORD,
    PROGRAMS,
    QUIET,
    REPLAYED_AT_MOST,
    Alert,
    AlertGroup,
    AlertRules,
    AlertStatus,
    GroupState,
    apply_alert,
    belongs_to,
    missing_start,
    replay,
    sort_key,
)
from bot.domain.records import Place, Status
from bot.errors import NotRecorded
from bot.services.alerts.suggestions import attach, enqueue_message, enqueue_storm, join
from bot.services.context import Request, Services
from bot.services.incidents import Opening, open_in
from bot.slack.views import alerts as alerts_views
from storage import alerts as alerts_store
from storage import audit as audit_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction

DECIDED = (GroupState.ATTACHED, GroupState.IGNORED)


@dataclass(slots=True)
class ChangedGroup:
    """A group with what is new in it.

    `new` is added to its incident's timeline; `weighed` may open one by rule; `order` is that of its last event;
    `ended_at` is when it had ended before. `is_to_retell` if its entries must be written again from the start,
    `is_changed` if they were. `is_large` if it has too many events for that; None until it was checked.
    """

    group: AlertGroup
    order: alerts_rules.Order | None = None
    new: list[Alert] = field(default_factory=list)
    weighed: list[Alert] = field(default_factory=list)
    is_new: bool = False
    is_to_retell: bool = False
    is_changed: bool = False
    is_large: bool | None = None
    ended_at: datetime | None = None

    def add(self, alert: Alert) -> None:
        """Note something new."""
        self.new.append(alert)
        self.weighed.append(alert)

    def mark_settled(self, group: AlertGroup) -> None:
        """Nothing is new of it any more."""
        self.group, self.ended_at, self.new, self.weighed = group, group.ended_at, [], []
        self.is_new = self.is_to_retell = self.is_changed = False


class Sorting:
    """What came late of one group of a sender, in one transaction that holds that group's lock."""

    def __init__(self, tx: Transaction, chosen: AlertRules, team: str, now: datetime) -> None:
        self._tx = tx
        self._chosen = chosen
        self._team = team
        self._now = now

    def sort_in(
        self, late: Sequence[Alert], fresh: dict[int, ChangedGroup], is_open: Callable[[AlertGroup], bool]
    ) -> None:
        """Give each group what happened in its time, as Fresh by its row."""
        # Whatever order they arrived in, they are placed in the order of the source's clock (decision 29).
        late = sorted(late, key=alerts_rules.sort_key)
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

    def take_late(self, fresh: ChangedGroup, alert: Alert) -> None:
        """Add a late event to this group: its entries are written again, or only counted if there are too many."""
        # An end alone says nothing about what fires. Once its start comes, both are sorted in.
        if alert.is_over and not alerts_store.has_fired(self._tx, fresh.group, alert):
            alerts_store.add_waiting_end(self._tx, self._team, alert, self._now)
            return
        if fresh.is_large is None:
            fresh.is_large = is_large(self._tx, fresh.group)
        # Rewriting thousands of entries would hold up people who record, since this runs on the writer's thread.
        if fresh.is_large:
            known = alerts_store.find_last(self._tx, fresh.group, alert.fingerprint)
            newest = alerts_store.find_newest(self._tx, fresh.group)
            fresh.group = alerts_rules.count_alert(fresh.group, alert, known, newest[0] if newest else alert.at)
        else:
            fresh.is_to_retell = True
        alerts_store.add_event(self._tx, fresh.group, alert, self._now)
        fresh.add(alert)

    def _home(
        self, rows: Sequence[AlertGroup], alert: Alert, is_open: Callable[[AlertGroup], bool]
    ) -> AlertGroup | None:
        """The group that a late event belongs to by a decision of people or of a rule; None if only its time decides.

        An open incident gets what a rule would have added to it, had the event come in order.
        """
        visible = [row for row in rows if row.stand is not GroupState.MERGED]
        # An undecided group around that time may still be split or merged, so the events decide, not the neighbours.
        if any(row.stand not in DECIDED and _has_in_it(row, alert.at) for row in visible):
            return None
        near = [row for row in visible if row.stand in DECIDED and row.starts_at - QUIET <= alert.at]
        newest = visible[-1] if visible else None
        if newest is not None and newest.stand is GroupState.ATTACHED and is_open(newest):
            is_its = newest in near or self._chosen.opens_by(alert) or alerts_store.has_fired(self._tx, newest, alert)
            return newest if is_its else None
        return near[-1] if near and alerts_rules.belongs_to(near[-1], alert) else None

    def _rows(self, first: Alert, fresh: dict[int, ChangedGroup]) -> list[AlertGroup]:
        """The groups that a late event may change, as they are in this transaction."""
        for each in fresh.values():
            if each.group.group_key == first.group:
                # What is only in memory so far must be in the rows that are read next, or the split would work on old
                # state.
                alerts_store.save(self._tx, each.group)
        return alerts_store.list_since(self._tx, self._team, first, first.at - QUIET)

    def _regroup(self, rows: list[AlertGroup], late: Sequence[Alert], fresh: dict[int, ChangedGroup]) -> None:
        """Split and merge the undecided groups, so that each is one stretch again."""
        # A large group is never rewritten, so nothing can be split off from it or merged into it.
        rows = [row for row in rows if not is_large(self._tx, row)]
        of_row = {row.id: alerts_store.list_events(self._tx, row, alerts_rules.REPLAYED_AT_MOST) for row in rows}
        # If all but an end was pruned long ago, nothing can be written again.
        of_row = {row_id: alerts for row_id, alerts in of_row.items() if not all(alert.is_over for alert in alerts)}
        was_in = {alert.event: row_id for row_id, alerts in of_row.items() for alert in alerts}
        found, waiting = alerts_rules.split_groups([*late, *(alert for alerts in of_row.values() for alert in alerts)])
        for alert in waiting:
            # Regrouped, this end has no start before it any more: it leaves its group and waits, as if it had come
            # first.
            if alert.event in was_in:
                alerts_store.drop_event(self._tx, self._team, alert)
            alerts_store.add_waiting_end(self._tx, self._team, alert, self._now)
        known = [row for row in rows if row.id in of_row or row.stand is GroupState.MERGED]
        for alerts, owners in zip(found, _owners(known, found), strict=True):
            before = {alert.event for alert in of_row.get(owners[0].id, ())} if owners else set()
            if before != {alert.event for alert in alerts}:
                self._fill(alerts, owners, was_in, fresh)

    def _fill(
        self,
        alerts: Sequence[Alert],
        owners: Sequence[AlertGroup],
        was_in: dict[str, int],
        fresh: dict[int, ChangedGroup],
    ) -> None:
        """Make a stretch one group: the first that exists in it, or a new one."""
        if owners:
            each = _of(_revive(owners[0], owners[1:]), fresh)
        else:
            first = alerts[0]
            group = alerts_store.begin(self._tx, self._team, self._chosen.channel, first, first.at, self._now)
            each = fresh[group.id] = ChangedGroup(group, is_new=True)
        for alert in alerts:
            if alert.event not in was_in:
                alerts_store.add_event(self._tx, each.group, alert, self._now)
                each.add(alert)
            elif was_in[alert.event] != each.group.id:
                alerts_store.move_event(self._tx, alert, each.group)
        each.group, each.is_changed = alerts_rules.replay(each.group, alerts), True
        for other in owners[1:]:
            gone = fresh.pop(other.id, None)
            each.weighed += gone.weighed if gone else []
            # One that was merged before has had its message changed already.
            if other.stand is not GroupState.MERGED:
                self._merge(other)

    def _merge(self, group: AlertGroup) -> None:
        """Leave nothing of a group but its message."""
        # The row stays, without counts: a message in Slack names it, and its buttons must find out that it was
        # merged.
        left = replace(group, stand=GroupState.MERGED, storm_id=None, status=AlertStatus.RESOLVED, fired=0, firing=0)
        alerts_store.save(self._tx, replace(left, ended_at=None))
        if group.storm_id is not None:
            enqueue_storm(self._tx, self._team, group.channel, group.storm_id, self._now)
        if group.stand is GroupState.SUGGESTED:
            enqueue_message(self._tx, left, self._now)


def is_large(tx: Transaction, group: AlertGroup) -> bool:
    """Whether a group has too many events to be written again from the start."""
    return alerts_store.has_more_than(tx, group, alerts_rules.REPLAYED_AT_MOST)


def _of(group: AlertGroup, fresh: dict[int, ChangedGroup]) -> ChangedGroup:
    """What is new of an existing group."""
    each = fresh.setdefault(group.id, ChangedGroup(group, ended_at=group.ended_at))
    # Of two readings of one row, the decision in the latest one counts; what this transaction counted stays.
    each.group = replace(each.group, stand=group.stand, storm_id=group.storm_id)
    return each


def _revive(group: AlertGroup, others: Sequence[AlertGroup]) -> AlertGroup:
    """The group as one that is shown, if it or one that is merged into it has a message already."""
    is_shown = group.stand is GroupState.MERGED or any(other.stand is GroupState.SUGGESTED for other in others)
    return replace(group, stand=GroupState.SUGGESTED, storm_id=None) if is_shown else group


def _has_in_it(group: AlertGroup, moment: datetime) -> bool:
    return group.starts_at <= moment and (group.ended_at is None or moment <= group.ended_at)


def _owners(rows: Sequence[AlertGroup], parts: Sequence[Sequence[Alert]]) -> list[list[AlertGroup]]:
    """For each stretch the groups that began in it, in their order."""
    starts = [alerts[0].at for alerts in parts]
    owners: list[list[AlertGroup]] = [[] for _ in parts]
    for row in rows:
        at = bisect_right(starts, row.starts_at) - 1
        if row.stand is not GroupState.MERGED or (at >= 0 and row.starts_at <= parts[at][-1].at):
            owners[max(at, 0)].append(row)
    return owners


AT_ONCE = 50
"""Alerts in one transaction."""

PAUSE = timedelta(seconds=2)
"""What changes within this time is one update of a message."""

KEY = "alerts"


@dataclass(frozen=True, slots=True)
class AlertCount:
    """How many events were new, and how many were repeats or of no use here."""

    new_count: int = 0
    known_count: int = 0


async def require_team(services: Services) -> str:
    """The workspace that alerts belong to. Raises NotRecorded while it is unknown."""
    team = services.policy.alerts.team or services.slack.directory.home
    if team:
        return team
    # A webhook names no workspace. The only one is meant; with several, guessing could show alerts to strangers.
    known = await services.store.read(incidents_store.list_teams)
    if len(known) != 1:
        raise NotRecorded("I don't know yet which workspace alerts belong to. Set AFTERWORD_ALERTS_TEAM.")
    return known[0]


async def receive(services: Services, alerts: Sequence[Alert], now: datetime) -> AlertCount:
    """Store the alerts of a webhook; a repeat changes nothing.

    Raises NotRecorded if the database does not take them in time: the sender must then send all of them again.
    """
    if not alerts:
        return AlertCount()
    team = await require_team(services)
    for program in {AFTERWORD, *(alert.source for alert in alerts)}:
        await services.slack.directory.learn(team, {"id": program, "real_name": PROGRAMS[program], "is_bot": True})
    # Sorted before they are cut into transactions, so that a start is not committed after its end.
    ordered = sorted(alerts, key=sort_key)
    taken = 0
    # One transaction each: a person who records meanwhile waits for one part, not for the whole webhook. If a later
    # part fails, the sender repeats all, and the first parts are known repeats.
    for at in range(0, len(ordered), AT_ONCE):
        part = ordered[at : at + AT_ONCE]
        hearing = await services.store.write(
            partial(record, chosen=services.policy.alerts, team=team, alerts=part, now=now)
        )
        taken += hearing.new_count
        for place, incident_id in hearing.touched:
            services.slack.live_messages.mark_stale(place, incident_id)
        if hearing.has_enqueued:
            services.slack.outbox.notify()
    return AlertCount(taken, len(alerts) - taken)


@dataclass(frozen=True, slots=True)
class AlertResult:
    """What a transaction's worth of alerts came to: how many were new, and the incidents that they changed."""

    new_count: int
    touched: frozenset[tuple[Place, int]]
    has_enqueued: bool


def record(tx: Transaction, chosen: AlertRules, team: str, alerts: Sequence[Alert], now: datetime) -> AlertResult:
    """Write a few alerts of one workspace down, in one transaction."""
    return _Intake(tx, chosen, team, now).of(sorted(alerts, key=sort_key))


class _Intake:
    """One transaction's worth of alerts of one workspace."""

    def __init__(self, tx: Transaction, chosen: AlertRules, team: str, now: datetime) -> None:
        self._tx = tx
        self._chosen = chosen
        self._team = team
        self._now = now
        self._taken = 0
        self._heard: set[str] = set()
        self._sorting = Sorting(tx, chosen, team, now)
        self._newest: dict[str, ChangedGroup | None] = {}
        self._fresh: dict[int, ChangedGroup] = {}
        self._late: dict[str, list[Alert]] = {}
        self._touched: set[tuple[Place, int]] = set()

    def of(self, alerts: Sequence[Alert]) -> AlertResult:
        """Write down what is new, then settle each group that something was new of."""
        self._tx.clear_notes()
        for alert in alerts:
            self._take(alert)
        # Late ones come last, so that each group of the sender is regrouped once for all of them.
        for late in self._late.values():
            self._sorting.sort_in(late, self._fresh, self._is_open)
        for fresh in list(self._fresh.values()):
            if fresh.is_to_retell:
                # More than the limit, because this webhook's own events may have taken the group past it.
                events = alerts_store.list_events(self._tx, fresh.group, REPLAYED_AT_MOST * 10)
                fresh.group, fresh.is_changed = replay(fresh.group, events), True
            if fresh.weighed or fresh.is_changed:
                self._settle(fresh)
        if self._tx.changed:
            audit_store.add_lines(self._tx, AFTERWORD, "alerts.hear", KEY, self._now)
        return AlertResult(self._taken, frozenset(self._touched), self._tx.has_enqueued)

    def _take(self, alert: Alert) -> None:
        tx, team = self._tx, self._team
        if alert.group not in self._newest:
            alerts_store.lock(tx, team, alert)
        if alert.event in self._heard:
            return
        # Its time is renewed, so that an alert which is still repeated is not pruned (decision 42).
        if alerts_store.is_known(tx, team, alert):
            alerts_store.save_repeated_event(tx, team, alert, self._now)
        elif (row := alerts_store.confirm_start(tx, team, alert, self._now)) is not None:
            self._take_confirmation(row, alert)
        elif not self._is_forgotten(alert):
            self._taken += 1
            self._take_in(alert)

    def _take_in(self, alert: Alert) -> None:
        """Something new, with the start that it implies if that is news as well, and the ends that waited for it."""
        start = missing_start(alert)
        # A start that we may have had and pruned is not made up again, nor one that was reported.
        if start and (self._is_forgotten(start) or alerts_store.has_begun(self._tx, self._team, alert)):
            start = None
        waiting = alerts_store.take_waiting_ends(self._tx, self._team, start or alert, AT_ONCE)
        for each in sorted([*([start] if start else []), alert, *waiting], key=sort_key):
            self._put(each)

    def _is_forgotten(self, alert: Alert) -> bool:
        # Until something was pruned, even an old event cannot be a repeat of one that we forgot.
        return alerts_rules.is_past(alert, self._now) and alerts_store.has_pruned(self._tx)

    def _take_confirmation(self, row: int, alert: Alert) -> None:
        """The start of an alert that was implied before: only its details may be new."""
        self._taken += 1
        group = alerts_store.find(self._tx, row, locking=True)
        if group is not None:
            fresh = self._of(group)
            fresh.weighed.append(alert)
            fresh.is_to_retell = True

    def _put(self, alert: Alert) -> None:
        """Add an event to its group. An end without a known start waits."""
        self._heard.add(alert.event)
        fresh = self._newest_of(alert)
        if alert.group in self._late or (fresh is not None and fresh.order and sort_key(alert) < fresh.order):
            self._take_late(fresh, alert)
            return
        if fresh is not None and not self._goes_on(fresh, alert):
            fresh = None
        known = alerts_store.read_status(self._tx, fresh.group, alert.fingerprint) if fresh is not None else None
        if alert.is_over and known is None:
            alerts_store.add_waiting_end(self._tx, self._team, alert, self._now)
            return
        if fresh is None:
            fresh = self._begin(alert)
        alerts_store.add_event(self._tx, fresh.group, alert, self._now)
        fresh.group = apply_alert(fresh.group, alert, known)
        fresh.order = sort_key(alert)
        fresh.add(alert)

    def _take_late(self, fresh: ChangedGroup | None, alert: Alert) -> None:
        # If a rule opens an incident for what came before, the late ones must find it open, as in transactions of their
        # own: an open incident keeps the group together, however much later the next alert fires.
        if fresh is not None and any(self._chosen.opens_by(each) for each in fresh.weighed):
            self._settle(fresh)
        if fresh is not None and fresh.is_large is None:
            fresh.is_large = is_large(self._tx, fresh.group)
        if fresh is not None and fresh.is_large:
            self._sorting.take_late(fresh, alert)
        else:
            self._late.setdefault(alert.group, []).append(alert)

    def _goes_on(self, fresh: ChangedGroup, alert: Alert) -> bool:
        """Whether an alert belongs to the newest group. What came before is settled first if that may decide it."""
        if belongs_to(fresh.group, alert):
            return True
        if fresh.weighed:
            self._settle(fresh)
        return self._is_open(fresh.group)

    def _newest_of(self, alert: Alert) -> ChangedGroup | None:
        """The newest group of ours which the sender's group has become."""
        if alert.group not in self._newest:
            group = alerts_store.find_latest(self._tx, self._team, alert)
            self._newest[alert.group] = self._of(group) if group else None
        return self._newest[alert.group]

    def _of(self, group: AlertGroup) -> ChangedGroup:
        """What is new of an existing group."""
        if group.id not in self._fresh:
            last = alerts_store.find_newest(self._tx, group)
            self._fresh[group.id] = ChangedGroup(group, last, ended_at=group.ended_at)
        return self._fresh[group.id]

    def _begin(self, alert: Alert) -> ChangedGroup:
        group = alerts_store.begin(self._tx, self._team, self._chosen.channel, alert, alert.at, self._now)
        fresh = self._newest[alert.group] = self._fresh[group.id] = ChangedGroup(group, is_new=True)
        return fresh

    def _is_open(self, group: AlertGroup) -> bool:
        incident = incidents_store.find(self._tx, group.incident_id) if group.incident_id else None
        return incident is not None and incident.status is not Status.RESOLVED

    def _settle(self, fresh: ChangedGroup) -> None:
        """Decide where the group goes: its incident's timeline, one that a rule opens, or a suggestion."""
        group, is_shown = fresh.group, False
        if group.stand is GroupState.ATTACHED:
            group = self._join(group, fresh.new)
        elif group.stand is not GroupState.IGNORED and any(self._chosen.opens_by(alert) for alert in fresh.weighed):
            group, is_shown = self._by_rule(group)
        elif fresh.is_new:
            group = self._place(group)
        alerts_store.save(self._tx, group)
        # Compared before the group is marked as settled, which forgets how it was.
        is_news = group.ended_at != fresh.ended_at or group.stand is not fresh.group.stand
        fresh.mark_settled(group)
        if is_news:
            self._calm(group)
        if is_shown or group.ts or group.stand in (GroupState.SUGGESTED, GroupState.ON_HOLD):
            # An update waits for what changes with it; a first message does not, since someone may be waiting for it.
            enqueue_message(self._tx, group, self._now + PAUSE if group.ts else self._now)

    def _place(self, group: AlertGroup) -> AlertGroup:
        """A new group: suggested by itself, unless many were recently."""
        if (
            alerts_store.count_suggested(self._tx, self._team, self._now - alerts_rules.STORM)
            >= alerts_rules.SUGGESTED_AT_MOST
        ):
            return self._hold(group)
        return replace(group, stand=GroupState.SUGGESTED)

    def _join(self, group: AlertGroup, alerts: Sequence[Alert]) -> AlertGroup:
        # Locked before entries are added: on PostgreSQL another replica may be resolving it right now.
        incident = incidents_store.find(self._tx, group.incident_id or 0, locking=True)
        if incident is None:
            return group
        self._touched.add((Place(incident.team, incident.channel), incident.id))
        return join(self._tx, group, incident, alerts, self._now)

    def _by_rule(self, group: AlertGroup) -> tuple[AlertGroup, bool]:
        """The group in the incident that is open in the channel of alerts, else in one opened now (then True)."""
        tx, now, place = self._tx, self._now, Place(self._team, self._chosen.channel)
        incident = incidents_store.find_current(tx, place, locking=True)
        has_opened = incident is None or incident.status is Status.RESOLVED
        if incident is None or has_opened:
            incident = open_in(tx, None, Request(place, AFTERWORD, now, KEY), Opening(group.title))
        elif (
            alerts_store.count_attached_by_rule(tx, incident.id, now - alerts_rules.STORM) >= alerts_rules.TAKEN_AT_MOST
        ):
            return self._hold(group), False
        self._touched.add((place, incident.id))
        if group.storm_id is not None:
            enqueue_storm(tx, self._team, group.channel, group.storm_id, now + PAUSE)
        return attach(tx, group, incident, "rule", now), has_opened

    def _hold(self, group: AlertGroup) -> AlertGroup:
        tx, now = self._tx, self._now
        # It has a message, or is counted in one: a storm is for groups that no one has seen.
        if group.storm_id or group.ts:
            return group
        storm = alerts_store.find_storm_since(tx, self._team, now - alerts_rules.STORM_MESSAGE)
        if storm is None:
            storm = alerts_store.begin_storm(tx, self._team, self._chosen.channel, now)
        return replace(group, stand=GroupState.ON_HOLD, storm_id=storm.id)

    def _calm(self, group: AlertGroup) -> None:
        """If the last alert of an open incident has ended, ask its channel whether the incident is over."""
        tx = self._tx
        if group.stand is not GroupState.ATTACHED or group.ended_at is None or group.incident_id is None:
            return
        incident = incidents_store.find(tx, group.incident_id)
        if incident is None or incident.status is Status.RESOLVED or alerts_store.count_firing(tx, incident.id):
            return
        # A flapping alert ends again and again; asking each time would be noise.
        said_at = alerts_store.read_calmed_at(tx, incident.id)
        if said_at is not None and self._now < said_at + alerts_rules.CALM:
            return
        alerts_store.save_calmed(tx, group, self._now)
        ended_at = alerts_store.read_last_end(tx, incident.id) or group.ended_at
        message = alerts_views.all_ended_message(
            incident, alerts_store.count_attached(tx, incident.id), ended_at, self._now
        )
        deliveries_store.enqueue_message(tx, incident, message, self._now)
