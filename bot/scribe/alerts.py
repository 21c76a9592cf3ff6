"""What monitoring tells, written down: once each, in groups, into a suggestion or into the incident that has the group.

In whatever order it comes, the same is made of it: an end waits for its start, what came late is sorted in
(bot/scribe/alerts_late.py), and a rule weighs what an alert is, not whether it has ended meanwhile.

A webhook may hold a thousand alerts and a storm a thousand webhooks: they are written in small transactions, so that
whoever records waits for one of these at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.errors import NotRecorded
from bot.incident import alerts as rules
from bot.incident.alert_order import RETOLD_AT_MOST, after, goes_on, order, retold, start_of
from bot.incident.alerts import AFTERWORD, PROGRAMS, Alert, AlertGroup, AlertRules, Stand
from bot.incident.records import Place, Status
from bot.scribe.alerts_late import Fresh, Sorting, is_large
from bot.scribe.attached import attach, join
from bot.scribe.desk import Asked, Desk
from bot.scribe.incidents import Opening, opened_in
from bot.scribe.suggestions import show, show_storm
from bot.slack import alerts as says
from storage import alert_events, alerts, audit, deliveries, incidents, past_alerts
from storage.statements import Transaction

AT_ONCE = 50
"""Alerts in one transaction."""

PAUSE = timedelta(seconds=2)
"""What changes within this time is one new wording of a message that stands."""

KEY = "alerts"


@dataclass(frozen=True, slots=True)
class Heard:
    """How many things were new, and how many were told before or mean nothing here."""

    taken: int = 0
    repeated: int = 0


async def team_of(desk: Desk) -> str:
    """Whose workspace alerts belong to; raises NotRecorded while nobody can tell."""
    team = desk.alerts.team or desk.people.home
    if team:
        return team
    known = await desk.store.read(incidents.teams)
    if len(known) != 1:
        raise NotRecorded("It is not known yet which workspace alerts belong to; AFTERWORD_ALERTS_TEAM may name it.")
    return known[0]


async def hear(desk: Desk, told: Sequence[Alert], now: datetime) -> Heard:
    """Write down what a webhook told; a repeat of it changes nothing.

    Raises NotRecorded where the database does not take it in time: the sender is to tell all of it again.
    """
    if not told:
        return Heard()
    team = await team_of(desk)
    for program in {AFTERWORD, *(alert.source for alert in told)}:
        await desk.people.learn(team, {"id": program, "real_name": PROGRAMS[program], "is_bot": True})
    ordered = sorted(told, key=order)
    taken = 0
    for at in range(0, len(ordered), AT_ONCE):
        part = ordered[at : at + AT_ONCE]
        hearing = await desk.store.write(lambda tx, part=part: write_down(tx, desk.alerts, team, part, now))  # type: ignore[misc]
        taken += hearing.taken
        for place, incident_id in hearing.touched:
            desk.cards.touch(place, incident_id)
        if hearing.owes:
            desk.outbox.kick()
    return Heard(taken, len(told) - taken)


@dataclass(frozen=True, slots=True)
class Done:
    """What a transaction's worth of alerts came to: how many were new, and the incidents that they changed."""

    taken: int
    touched: frozenset[tuple[Place, int]]
    owes: bool


def write_down(tx: Transaction, chosen: AlertRules, team: str, told: Sequence[Alert], now: datetime) -> Done:
    """Write a few alerts of one workspace down, in one transaction."""
    return _Hearing(tx, chosen, team, now).of(sorted(told, key=order))


class _Hearing:
    """One transaction's worth of alerts of one workspace."""

    def __init__(self, tx: Transaction, chosen: AlertRules, team: str, now: datetime) -> None:
        self._tx = tx
        self._chosen = chosen
        self._team = team
        self._now = now
        self._taken = 0
        self._heard: set[str] = set()
        self._sorting = Sorting(tx, chosen, team, now)
        self._newest: dict[str, Fresh | None] = {}
        self._fresh: dict[int, Fresh] = {}
        self._late: dict[str, list[Alert]] = {}
        self._touched: set[tuple[Place, int]] = set()

    def of(self, told: Sequence[Alert]) -> Done:
        """Write down what is new, then settle each group that something was new of."""
        self._tx.clear_notes()
        for alert in told:
            self._take(alert)
        for late in self._late.values():
            self._sorting.sort_in(late, self._fresh, self._is_open)
        for fresh in list(self._fresh.values()):
            if fresh.is_to_retell:
                told_of_it = alert_events.told(self._tx, fresh.group, RETOLD_AT_MOST * 10)
                fresh.group, fresh.is_changed = retold(fresh.group, told_of_it), True
            if fresh.weighed or fresh.is_changed:
                self._settle(fresh)
        if self._tx.changed:
            audit.keep(self._tx, AFTERWORD, "alerts.hear", KEY, self._now)
        return Done(self._taken, frozenset(self._touched), self._tx.owes)

    def _take(self, alert: Alert) -> None:
        tx, team = self._tx, self._team
        if alert.group not in self._newest:
            alert_events.lock(tx, team, alert)
        if alert.event in self._heard:
            return
        if alert_events.is_known(tx, team, alert):
            past_alerts.told_again(tx, team, alert, self._now)
        elif (row := alert_events.confirm(tx, team, alert, self._now)) is not None:
            self._confirmed(row, alert)
        elif not self._is_forgotten(alert):
            self._taken += 1
            self._take_in(alert)

    def _take_in(self, alert: Alert) -> None:
        """Something new, with the start that it implies if that is news as well, and the ends that waited for it."""
        start = start_of(alert)
        if start and (self._is_forgotten(start) or alert_events.has_begun(self._tx, self._team, alert)):
            start = None
        waiting = alert_events.awaited(self._tx, self._team, start or alert, AT_ONCE)
        for each in sorted([*([start] if start else []), alert, *waiting], key=order):
            self._put(each)

    def _is_forgotten(self, alert: Alert) -> bool:
        return rules.is_past(alert, self._now) and past_alerts.has_let_go(self._tx)

    def _confirmed(self, row: int, alert: Alert) -> None:
        """The start of what was told of before: only what it says may be new."""
        self._taken += 1
        group = alerts.by_id(self._tx, row, locking=True)
        if group is not None:
            fresh = self._of(group)
            fresh.weighed.append(alert)
            fresh.is_to_retell = True

    def _put(self, alert: Alert) -> None:
        """Give what is told to the group that it belongs to; an end that ends nothing known waits."""
        self._heard.add(alert.event)
        fresh = self._newest_of(alert)
        if alert.group in self._late or (fresh is not None and fresh.order and order(alert) < fresh.order):
            self._take_late(fresh, alert)
            return
        if fresh is not None and not self._goes_on(fresh, alert):
            fresh = None
        known = alert_events.known(self._tx, fresh.group, alert.fingerprint) if fresh is not None else None
        if alert.is_over and known is None:
            alert_events.wait(self._tx, self._team, alert, self._now)
            return
        if fresh is None:
            fresh = self._begun(alert)
        alert_events.keep(self._tx, fresh.group, alert, self._now)
        fresh.group = after(fresh.group, alert, known)
        fresh.order = order(alert)
        fresh.add(alert)

    def _take_late(self, fresh: Fresh | None, alert: Alert) -> None:
        if fresh is not None and fresh.is_large is None:
            fresh.is_large = is_large(self._tx, fresh.group)
        if fresh is not None and fresh.is_large:
            self._sorting.take_late(fresh, alert)
        else:
            self._late.setdefault(alert.group, []).append(alert)

    def _goes_on(self, fresh: Fresh, alert: Alert) -> bool:
        """Whether what is told belongs to the newest group, once it is known what becomes of what was told before."""
        if goes_on(fresh.group, alert, is_open=False):
            return True
        if fresh.weighed:
            self._settle(fresh)
        return self._is_open(fresh.group)

    def _newest_of(self, alert: Alert) -> Fresh | None:
        """The newest group of ours which the sender's group has become."""
        if alert.group not in self._newest:
            group = alerts.latest(self._tx, self._team, alert)
            self._newest[alert.group] = self._of(group) if group else None
        return self._newest[alert.group]

    def _of(self, group: AlertGroup) -> Fresh:
        """What is new of a group that stands."""
        if group.id not in self._fresh:
            last = alert_events.newest(self._tx, group)
            self._fresh[group.id] = Fresh(group, last, ended_at=group.ended_at)
        return self._fresh[group.id]

    def _begun(self, alert: Alert) -> Fresh:
        group = alerts.begin(self._tx, self._team, self._chosen.channel, alert, alert.at, self._now)
        fresh = self._newest[alert.group] = self._fresh[group.id] = Fresh(group, is_new=True)
        return fresh

    def _is_open(self, group: AlertGroup) -> bool:
        incident = incidents.by_id(self._tx, group.incident_id) if group.incident_id else None
        return incident is not None and incident.status is not Status.RESOLVED

    def _settle(self, fresh: Fresh) -> None:
        """Where the group goes: into its incident's timeline, into one that a rule opens, or before people."""
        group, is_shown = fresh.group, False
        if group.stand is Stand.ATTACHED:
            group = self._joined(group, fresh.told)
        elif group.stand is not Stand.IGNORED and any(self._chosen.opens_by(alert) for alert in fresh.weighed):
            group, is_shown = self._by_rule(group)
        elif fresh.is_new:
            group = self._placed(group)
        alerts.save(self._tx, group)
        is_news = group.ended_at != fresh.ended_at or group.stand is not fresh.group.stand
        fresh.settled(group)
        if is_news:
            self._calm(group)
        if is_shown or group.ts or group.stand in (Stand.SUGGESTED, Stand.HELD):
            show(self._tx, group, self._now + PAUSE if group.ts else self._now)

    def _placed(self, group: AlertGroup) -> AlertGroup:
        """A new group: suggested by itself, unless so many were lately."""
        if alerts.suggested_since(self._tx, self._team, self._now - rules.STORM) >= rules.SUGGESTED_AT_MOST:
            return self._held(group)
        return replace(group, stand=Stand.SUGGESTED)

    def _joined(self, group: AlertGroup, told: Sequence[Alert]) -> AlertGroup:
        incident = incidents.by_id(self._tx, group.incident_id or 0, locking=True)
        if incident is None:
            return group
        self._touched.add((Place(incident.team, incident.channel), incident.id))
        return join(self._tx, group, incident, told, self._now)

    def _by_rule(self, group: AlertGroup) -> tuple[AlertGroup, bool]:
        """The group in the incident that is open in the channel of alerts, else in one opened now (then True)."""
        tx, now, place = self._tx, self._now, Place(self._team, self._chosen.channel)
        incident = incidents.current(tx, place, locking=True)
        has_opened = incident is None or incident.status is Status.RESOLVED
        if incident is None or has_opened:
            incident = opened_in(tx, Asked(place, AFTERWORD, now, KEY), Opening(group.title))
        elif alerts.ruled_since(tx, incident.id, now - rules.STORM) >= rules.TAKEN_AT_MOST:
            return self._held(group), False
        self._touched.add((place, incident.id))
        if group.storm_id is not None:
            show_storm(tx, self._team, group.channel, group.storm_id, now + PAUSE)
        return attach(tx, group, incident, "rule", now), has_opened

    def _held(self, group: AlertGroup) -> AlertGroup:
        tx, now = self._tx, self._now
        if group.storm_id or group.ts:
            return group
        storm = alerts.storm_since(tx, self._team, now - rules.STORM_MESSAGE)
        if storm is None:
            storm = alerts.begin_storm(tx, self._team, self._chosen.channel, now)
        return replace(group, stand=Stand.HELD, storm_id=storm.id)

    def _calm(self, group: AlertGroup) -> None:
        """Where the last alert of an open incident has ended, ask its channel whether it is over."""
        tx = self._tx
        if group.stand is not Stand.ATTACHED or group.ended_at is None or group.incident_id is None:
            return
        incident = incidents.by_id(tx, group.incident_id)
        if incident is None or incident.status is Status.RESOLVED or alerts.firing(tx, incident.id):
            return
        said_at = alerts.calmed_at(tx, incident.id)
        if said_at is not None and self._now < said_at + rules.CALM:
            return
        alerts.calm(tx, group, self._now)
        ended_at = alerts.ended_at(tx, incident.id) or group.ended_at
        said = says.calm(incident, alerts.attached(tx, incident.id), ended_at)
        deliveries.tell(tx, incident, said, self._now)
