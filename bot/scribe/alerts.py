"""What monitoring tells, written down: once each, in groups, into a suggestion or into the incident that has the group.

A webhook may hold a thousand alerts and a storm a thousand webhooks: they are written in small transactions, so that
whoever records waits for one of these at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.errors import NotRecorded
from bot.incident import alerts as rules
from bot.incident.alerts import AFTERWORD, PROGRAMS, Alert, AlertGroup, AlertRules, AlertStatus, Stand
from bot.incident.records import Place, Status
from bot.scribe.attached import attach, join
from bot.scribe.desk import Asked, Desk
from bot.scribe.incidents import Opening, opened_in
from bot.scribe.suggestions import show, show_storm
from bot.slack import alerts as says
from storage import alerts, audit, deliveries, incidents, past_alerts
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
    # What fires comes first: an alert that ended is part of a group only where something in it fired.
    ordered = sorted(told, key=lambda alert: (alert.status is AlertStatus.RESOLVED, alert.at))
    taken = 0
    for at in range(0, len(ordered), AT_ONCE):
        part = ordered[at : at + AT_ONCE]
        hearing = await desk.store.write(lambda tx, part=part: _Hearing(tx, desk.alerts, team, now).of(part))  # type: ignore[misc]
        taken += hearing.taken
        for place, incident_id in hearing.touched:
            desk.cards.touch(place, incident_id)
        if hearing.owes:
            desk.outbox.kick()
    return Heard(taken, len(told) - taken)


@dataclass(frozen=True, slots=True)
class _Done:
    taken: int
    touched: frozenset[tuple[Place, int]]
    owes: bool


@dataclass(slots=True)
class _Fresh:
    """A group with what is new of it."""

    group: AlertGroup
    told: list[Alert] = field(default_factory=list)
    is_new: bool = False


class _Hearing:
    """One transaction's worth of alerts of one workspace."""

    def __init__(self, tx: Transaction, chosen: AlertRules, team: str, now: datetime) -> None:
        self._tx = tx
        self._chosen = chosen
        self._team = team
        self._now = now
        self._fresh: dict[str, _Fresh] = {}
        self._touched: set[tuple[Place, int]] = set()

    def of(self, told: Sequence[Alert]) -> _Done:
        """Write down what is new, then settle each group that something was new of."""
        self._tx.clear_notes()
        for alert in told:
            self._take(alert)
        for fresh in self._fresh.values():
            if fresh.told:
                self._settle(fresh)
        if self._tx.changed:
            audit.keep(self._tx, AFTERWORD, "alerts.hear", KEY, self._now)
        taken = sum(len(fresh.told) for fresh in self._fresh.values())
        return _Done(taken, frozenset(self._touched), self._tx.owes)

    def _take(self, alert: Alert) -> None:
        tx = self._tx
        if alerts.is_known(tx, self._team, alert):
            past_alerts.told_again(tx, self._team, alert, self._now)
            return
        if rules.is_past(alert, self._now) and past_alerts.has_let_go(tx):
            return
        fresh = self._fresh.get(alert.group) or self._found(alert)
        if fresh is None:
            return
        self._fresh[alert.group] = fresh
        known = alerts.known(tx, fresh.group, alert.fingerprint)
        alerts.keep(tx, fresh.group, alert, self._now)
        fresh.group = rules.after(fresh.group, alert, known)
        fresh.told.append(alert)

    def _found(self, alert: Alert) -> _Fresh | None:
        """The group that an alert belongs to, or a new one; None for the end of what was never heard to begin."""
        group = alerts.latest(self._tx, self._team, alert)
        if group is not None and rules.goes_on(group, alert, is_open=self._is_open(group)):
            return _Fresh(group)
        if alert.status is AlertStatus.RESOLVED:
            return None
        starts_at = alert.starts_at if group is None else max(alert.starts_at, alert.at)
        return _Fresh(
            alerts.begin(self._tx, self._team, self._chosen.channel, alert, starts_at, self._now), is_new=True
        )

    def _is_open(self, group: AlertGroup) -> bool:
        incident = incidents.by_id(self._tx, group.incident_id) if group.incident_id else None
        return incident is not None and incident.status is not Status.RESOLVED

    def _settle(self, fresh: _Fresh) -> None:
        """Where the group goes: into its incident's timeline, into one that a rule opens, or before people."""
        group, is_shown = fresh.group, False
        if group.stand is Stand.ATTACHED:
            group = self._joined(group, fresh.told)
        elif group.stand is not Stand.IGNORED and any(self._chosen.opens_by(alert) for alert in fresh.told):
            group, is_shown = self._by_rule(group)
        elif fresh.is_new:
            group = self._placed(group)
        alerts.save(self._tx, group)
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
        said = says.calm(incident, alerts.attached(tx, incident.id), group.ended_at)
        deliveries.tell(tx, incident, said, self._now)
