"""Alerts of monitoring, the groups they belong to, and the state of a group.

Events can arrive in any order, late or twice, with the same result (decision 29). An event in order is applied to the
group. A late one is sorted in by its time, and the group is replayed from its beginning.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.records import Milestone
from bot.errors import AfterwordError

ALERTMANAGER, GRAFANA, PAGERDUTY, JSM = "alertmanager", "grafana", "pagerduty", "jsm"
AFTERWORD = "afterword"
"""Who recorded what no person did."""

PROGRAMS = {
    ALERTMANAGER: "Alertmanager",
    GRAFANA: "Grafana",
    PAGERDUTY: "PagerDuty",
    JSM: "Jira Service Management",
    AFTERWORD: "Afterword",
}
"""The name of a program by the id that is stored in place of a person's user id. Slack's ids are in capitals, so the
two never collide."""

SUGGESTED_AT_MOST = 5
"""Groups that are suggested one by one within `STORM`; further ones are counted in one message."""

TAKEN_AT_MOST = 20
"""Groups that join an incident by rule within `STORM`; further ones are counted in that message too."""

STORM = timedelta(minutes=10)
STORM_MESSAGE = timedelta(hours=1)
"""A storm that continues gets a new message after this time."""

QUIET = timedelta(hours=1)
"""A group that fires again within this time after its end continues: it flaps."""

ENTRIES_AT_MOST = 50
"""Entries that one group may add to a timeline, not counting its end."""

FEW = 5
"""Up to this many alerts that change to one status at once get an entry each; more share one that names this many."""

REMEMBERED = timedelta(days=30)
"""For this long after its last event an alert's repeats are recognised (decision 42). Alertmanager repeats a firing
alert every few hours, and PagerDuty and JSM give up after two days at most."""

CALM = timedelta(minutes=30)
"""An incident's channel hears at most once in this time that its alerts have ended."""


class AlertStatus(StrEnum):
    """The status of an alert."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class GroupState(StrEnum):
    """The state of a group: one `ON_HOLD` counts in a storm's message, one `ATTACHED` adds entries to an incident.

    Only the message of a `MERGED` group is left: a late event showed that it is part of the group before it.
    """

    SUGGESTED = "suggested"
    ON_HOLD = "held"
    ATTACHED = "attached"
    IGNORED = "ignored"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Alert:
    """One event of one alert: since `at` (aware UTC, by its source's clock) it has this status.

    `source` is a key of PROGRAMS; `group` is the sender's group, and `fingerprint` the alert in it. `event` is the same
    for each repeat of this event. `by` is the person who did it, if a person did. `start` is the same in all events of
    one alert if their sender reports in each when it began; else empty.
    """

    source: str
    group: str
    fingerprint: str
    event: str
    title: str
    status: AlertStatus
    starts_at: datetime
    at: datetime
    severity: str = ""
    service: str = ""
    link: str = ""
    by: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    start: str = ""

    @property
    def is_start(self) -> bool:
        """Whether it reports the start itself."""
        return self.status is AlertStatus.FIRING and self.at == self.starts_at

    @property
    def is_over(self) -> bool:
        """Whether it reports an end."""
        return self.status is AlertStatus.RESOLVED


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """The alerts of one group from the first until all have ended: the subject of one suggestion.

    `fired` counts the alerts, `firing` those that have not ended; `changed_at` is the time of its status, by the
    source's clock. `settled_by` is who decided (a user id, or `rule`); `ts` is its message in `channel`, empty if there
    is none. `entries` counts what it added to a timeline.
    """

    id: int
    team: str
    source: str
    group_key: str
    starts_at: datetime
    title: str
    severity: str
    service: str
    link: str
    status: AlertStatus
    changed_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    ended_at: datetime | None
    fired: int
    firing: int
    stand: GroupState
    settled_by: str
    incident_id: int | None
    storm_id: int | None
    entries: int
    channel: str
    ts: str
    heard_at: datetime

    @property
    def source_name(self) -> str:
        """What the source is called."""
        return PROGRAMS.get(self.source, self.source)


@dataclass(frozen=True, slots=True)
class Storm:
    """Groups beyond the limit on suggestions, counted in the one message at `ts`."""

    id: int
    team: str
    channel: str
    ts: str
    began_at: datetime


Conditions = tuple[tuple[str, frozenset[str]], ...]


@dataclass(frozen=True, slots=True)
class AlertRules:
    """The operator's settings: the channel for alerts, and its workspace (empty: the only one).

    `opens`: a group opens an incident automatically if each of these labels has one of its values; with none, nothing
    does.
    """

    channel: str = ""
    team: str = ""
    opens: Conditions = ()

    def opens_by(self, alert: Alert) -> bool:
        """Whether an alert opens an incident automatically."""
        if alert.is_over or not self.opens:
            return False
        labels = {(name.lower(), value.lower()) for name, value in alert.labels}
        return all(any((name, value) in labels for value in values) for name, values in self.opens)


NO_ALERTS = AlertRules()
"""The rules if the operator has set none."""

_CONDITION = re.compile(r"\s*+([^=;,\s]++)\s*+=([^=;]++)")


class ConditionError(AfterwordError):
    """A rule that cannot be read."""


def parse_conditions(text: str) -> Conditions:
    """`severity=critical,page; env=prod` as conditions that must all hold; none for "none". Raises ConditionError."""
    if text.strip().lower() in ("", "none"):
        return ()
    found = []
    for part in text.split(";"):
        match = _CONDITION.fullmatch(part)
        values = frozenset(value.strip().lower() for value in match[2].split(",") if value.strip()) if match else ()
        if match is None or not values:
            raise ConditionError(f"“{part.strip()}” isn't a condition. Write it as severity=critical,page.")
        found.append((match[1].lower(), frozenset(values)))
    return tuple(found)


_SEVERITIES = (
    (1, ("critical", "page", "p1", "sev1", "1", "emergency", "disaster", "fatal")),
    (2, ("error", "high", "major", "p2", "sev2", "2")),
    (3, ("warning", "warn", "medium", "p3", "sev3", "3")),
    (4, ("info", "informational", "low", "minor", "p4", "p5", "sev4", "4")),
)


def propose_severity(label: str) -> int | None:
    """The severity to propose for a monitoring label; None if it is unknown. A person decides, so it may be wrong."""
    return next((severity for severity, words in _SEVERITIES if label.strip().lower() in words), None)


REPEATED = (ALERTMANAGER, GRAFANA)
"""Sources that repeat an alert while it fires; the others report each change once, at its own time."""


def is_past(alert: Alert, now: datetime) -> bool:
    """Whether an event is so old that its first report may have been deleted since (decision 42).

    An alert that is still firing may have begun long ago.
    """
    return alert.source not in REPEATED and alert.at < now - REMEMBERED


_VERBS = {
    AlertStatus.FIRING: "Alert fired",
    AlertStatus.ACKNOWLEDGED: "Alert acknowledged",
    AlertStatus.RESOLVED: "Alert resolved",
}
MARKED = {AlertStatus.FIRING: Milestone.DETECTED, AlertStatus.ACKNOWLEDGED: Milestone.ACKNOWLEDGED}
"""The end of an alert marks nothing: quiet monitoring does not prove that the incident is over."""


def describe(status: AlertStatus, titles: tuple[str, ...], *, by: str = "", more: str = "") -> str:
    """The words of an entry: `Alert fired: HighErrorRate (service checkout, critical)`; of several, how many."""
    who = f" by {by}" if by else ""
    if len(titles) == 1:
        return f"{_VERBS[status]}{who}: {titles[0]}{f' ({more})' if more else ''}"
    verb = _VERBS[status].removeprefix("Alert ")
    named = "; ".join(titles[:FEW])
    return f"{len(titles)} alerts {verb}{who}: {named}{f'; and {len(titles) - FEW} more' if len(titles) > FEW else ''}"


Order = tuple[datetime, datetime, int, str]

RANKS = {AlertStatus.FIRING: 0, AlertStatus.ACKNOWLEDGED: 1, AlertStatus.RESOLVED: 2}
"""The order of the events of one alert at the same moment."""


REPLAYED_AT_MOST = 500
"""A group with more events is not replayed: a late event is only counted, so that the cost stays bounded."""


def sort_key(alert: Alert) -> Order:
    """The order of events by when they happened.

    At the same moment, what began earlier comes first: the end of one firing, then the start of the next.
    """
    return alert.at, alert.starts_at, RANKS[alert.status], alert.event


def missing_start(alert: Alert) -> Alert | None:
    """The start that an event reports along with its status; None if it reports no start, or is one."""
    if not alert.start or alert.is_over or alert.is_start:
        return None
    return replace(alert, status=AlertStatus.FIRING, at=alert.starts_at, event=alert.start, by="")


def belongs_to(group: AlertGroup, alert: Alert) -> bool:
    """Whether an event belongs to the group as it is now, by time alone: an open incident may get it all the same."""
    return group.ended_at is None or alert.at <= group.ended_at + QUIET


def apply_alert(group: AlertGroup, alert: Alert, known: AlertStatus | None) -> AlertGroup:
    """The group after its newest event; `known` is the previous event of the same alert, if any."""
    was_over = known is AlertStatus.RESOLVED
    # An end whose start never came says nothing about what fires.
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
    return group if alert.is_over else _reactivate(group, alert)


def _reactivate(group: AlertGroup, alert: Alert) -> AlertGroup:
    """The group after one of its alerts fired or was acknowledged; on a new firing no one has acknowledged it yet."""
    # It flaps: what was acknowledged was the firing before.
    if group.ended_at is not None:
        group = replace(group, ended_at=None, acknowledged_at=None, acknowledged_by="")
    if alert.status is AlertStatus.ACKNOWLEDGED and group.acknowledged_at is None:
        group = replace(group, acknowledged_at=alert.at, acknowledged_by=alert.by)
    return group if group.status is alert.status else replace(group, status=alert.status, changed_at=alert.at)


def replay(group: AlertGroup, events: Iterable[Alert]) -> AlertGroup:
    """The group computed from all its events in any order; who decided about it stays."""
    in_order = sorted(events, key=sort_key)
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
        group = apply_alert(group, alert, known.get(alert.fingerprint))
        known[alert.fingerprint] = alert.status
    return group


def count_alert(
    group: AlertGroup, alert: Alert, known: tuple[Order, AlertStatus] | None, newest: datetime
) -> AlertGroup:
    """A group too large to be replayed, after a late event.

    `known` is the alert's latest event, `newest` the time of the group's newest event. What is firing and when all had
    ended is correct in any order; who acknowledged it, and its words, stay.
    """
    # A newer event of this alert is known, so this one changes nothing that counts.
    if known is not None and known[0] > sort_key(alert):
        return group
    late = replace(apply_alert(group, alert, known[1] if known else None), severity=group.severity)
    if late.ended_at is not None:
        return replace(late, ended_at=max(late.ended_at, newest), changed_at=max(late.ended_at, newest))
    return late if group.ended_at is not None else replace(group, fired=late.fired, firing=late.firing)


@dataclass(slots=True)
class _Stretch:
    """Events from the first alert that fires until `QUIET` after all have ended."""

    events: list[Alert] = field(default_factory=list)
    last: dict[str, AlertStatus] = field(default_factory=dict)
    firing: int = 0

    def takes(self, alert: Alert) -> bool:
        return self.firing > 0 or alert.at <= self.events[-1].at + QUIET

    def add(self, alert: Alert) -> None:
        was_firing = self.last.get(alert.fingerprint, AlertStatus.RESOLVED) is not AlertStatus.RESOLVED
        self.firing += (not alert.is_over) - was_firing
        self.last[alert.fingerprint] = alert.status
        self.events.append(alert)


def split_groups(events: Iterable[Alert]) -> tuple[list[Sequence[Alert]], list[Alert]]:
    """Split the events of one group of the sender into groups of ours, and ends without a known start."""
    found: list[_Stretch] = []
    waiting: list[Alert] = []
    for alert in sorted(events, key=sort_key):
        belongs = bool(found) and found[-1].takes(alert)
        if alert.is_over and not (belongs and alert.fingerprint in found[-1].last):
            waiting.append(alert)
            continue
        if not belongs:
            found.append(_Stretch())
        found[-1].add(alert)
    return [stretch.events for stretch in found], waiting
