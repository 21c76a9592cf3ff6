"""Alerts of monitoring: what is told of one, the group that it belongs to, and what becomes of a group."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.errors import AfterwordError
from bot.incident.records import Milestone

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
"""What is written where else a person's name stands, by the id that stands where else their user id does.

Slack's own ids are in capitals, so that none of these can ever be one of them.
"""

SUGGESTED_AT_MOST = 5
"""So many groups are suggested one by one within `STORM`; what comes beyond is counted in one message."""

TAKEN_AT_MOST = 20
"""So many groups join an incident by rule within `STORM`; what comes beyond is counted in that message too."""

STORM = timedelta(minutes=10)
STORM_MESSAGE = timedelta(hours=1)
"""A storm that goes on gets a new message after this time."""

QUIET = timedelta(hours=1)
"""A group that fires again sooner than this after its end goes on where it stood: it flaps."""

ENTRIES_AT_MOST = 50
"""So many entries one group may add to a timeline, its end not counted."""

FEW = 5
"""So many alerts that come to one status at once have an entry each; more have one together, which names as many."""

REMEMBERED = timedelta(days=30)
"""So long after it was told last a thing is recognised when it is told again.

Alertmanager tells what goes on firing every few hours, and PagerDuty and JSM give up after two days at most.
"""

CALM = timedelta(minutes=30)
"""An incident's channel hears at most once in this time that its alerts have ended."""


class AlertStatus(StrEnum):
    """Where an alert stands."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Stand(StrEnum):
    """What became of a group: `held` is counted in a storm's message, `attached` writes into an incident's timeline.

    Of a `merged` one nothing is left but its message: what came late showed that it is part of the group before it.
    """

    SUGGESTED = "suggested"
    HELD = "held"
    ATTACHED = "attached"
    IGNORED = "ignored"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing told of one alert: since `at` (aware UTC, as its source's clock says) it has this status.

    `source` is a key of PROGRAMS; alerts of one `group` belong together; `fingerprint` tells them apart in there;
    `event` is the same whenever this same thing is told again. `by` is who did it, where a person did.
    `start` is the same in all that is told of one alert whose sender says in each telling when it began; else empty.
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
        """Whether it tells of the beginning itself."""
        return self.status is AlertStatus.FIRING and self.at == self.starts_at

    @property
    def is_over(self) -> bool:
        """Whether it tells of an end."""
        return self.status is AlertStatus.RESOLVED


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """The alerts of one group from the first until all have ended: what one message suggests.

    `fired` counts the alerts, `firing` those that have not ended; `changed_at` is when, by the source's clock, it came
    to its status. `settled_by` is who decided (a user id, or `rule`); `ts` where its message stands in `channel`,
    empty where it has none. `entries` is how many it added to a timeline.
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
    stand: Stand
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
    """Groups beyond what is suggested one by one, counted in the one message at `ts`."""

    id: int
    team: str
    channel: str
    ts: str
    began_at: datetime


Conditions = tuple[tuple[str, frozenset[str]], ...]


@dataclass(frozen=True, slots=True)
class AlertRules:
    """What the operator decided: the channel where alerts go, whose workspace's they are (empty: the only one).

    `opens`: a group opens an incident by itself where each of these labels has one of its values; nothing does where
    there are none.
    """

    channel: str = ""
    team: str = ""
    opens: Conditions = ()

    def opens_by(self, alert: Alert) -> bool:
        """Whether an alert opens an incident by itself."""
        if alert.is_over or not self.opens:
            return False
        said = {(name.lower(), value.lower()) for name, value in alert.labels}
        return all(any((name, value) in said for value in values) for name, values in self.opens)


NO_ALERTS = AlertRules()
"""Where the operator decided nothing."""

_CONDITION = re.compile(r"\s*([^=;,\s]+)\s*=\s*([^=;]+?)\s*")


class NoCondition(AfterwordError):
    """A rule that cannot be read."""


def conditions(text: str) -> Conditions:
    """`severity=critical,page; env=prod` as conditions, all of which must hold; none for "none". Raises NoCondition."""
    if text.strip().lower() in ("", "none"):
        return ()
    found = []
    for part in text.split(";"):
        match = _CONDITION.fullmatch(part)
        values = frozenset(value.strip().lower() for value in match[2].split(",") if value.strip()) if match else ()
        if match is None or not values:
            raise NoCondition(f"“{part.strip()}” is no condition. Write it as severity=critical,page.")
        found.append((match[1].lower(), frozenset(values)))
    return tuple(found)


_SEVERITIES = (
    (1, ("critical", "page", "p1", "sev1", "1", "emergency", "disaster", "fatal")),
    (2, ("error", "high", "major", "p2", "sev2", "2")),
    (3, ("warning", "warn", "medium", "p3", "sev3", "3")),
    (4, ("info", "informational", "low", "minor", "p4", "p5", "sev4", "4")),
)


def proposed_severity(label: str) -> int | None:
    """The severity to propose for what monitoring calls it; a person decides, so that a guess may be wrong."""
    return next((severity for severity, words in _SEVERITIES if label.strip().lower() in words), None)


REPEATED = (ALERTMANAGER, GRAFANA)
"""Who tells again what goes on; the others tell each thing once, at its own time."""


def is_past(alert: Alert, now: datetime) -> bool:
    """Whether what is told is so old that, if it was told before, it may have been let go since.

    What goes on firing may have begun long ago.
    """
    return alert.source not in REPEATED and alert.at < now - REMEMBERED


_SAID = {
    AlertStatus.FIRING: "Alert fired",
    AlertStatus.ACKNOWLEDGED: "Alert acknowledged",
    AlertStatus.RESOLVED: "Alert resolved",
}
MARKED = {AlertStatus.FIRING: Milestone.DETECTED, AlertStatus.ACKNOWLEDGED: Milestone.ACKNOWLEDGED}
"""An alert that ended marks nothing: that monitoring is content does not say that the incident is over."""


def told_as(status: AlertStatus, titles: tuple[str, ...], *, by: str = "", more: str = "") -> str:
    """The words of an entry: `Alert fired: HighErrorRate (service checkout, critical)`; of several, how many."""
    who = f" by {by}" if by else ""
    if len(titles) == 1:
        return f"{_SAID[status]}{who}: {titles[0]}{f' ({more})' if more else ''}"
    verb = _SAID[status].removeprefix("Alert ")
    named = "; ".join(titles[:FEW])
    return f"{len(titles)} alerts {verb}{who}: {named}{f'; and {len(titles) - FEW} more' if len(titles) > FEW else ''}"
