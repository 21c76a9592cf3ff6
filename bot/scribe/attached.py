"""Groups of alerts in an incident's timeline: what was told of them, as entries with the source's own times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.incident import alerts as rules
from bot.incident.alerts import AFTERWORD, Alert, AlertGroup, AlertStatus, Stand
from bot.incident.records import Incident, Milestone
from storage import alerts
from storage import timeline as kept
from storage.statements import Transaction
from storage.timeline import NewEntry

HISTORY = 500
"""So many things told of a group are looked at when it comes into a timeline."""


def attach(tx: Transaction, group: AlertGroup, incident: Incident, by: str, now: datetime) -> AlertGroup:
    """The group as part of an incident, with all that was told of it in the timeline; the caller saves it.

    `by` is who decided: a user id, or `rule`. The incident was read with locking.
    """
    tx.note(incident.id, f"alert {group.id}")
    group = replace(group, stand=Stand.ATTACHED, settled_by=by, incident_id=incident.id, storm_id=None)
    return _written(tx, incident, group, list(_history(tx, group)), now)


def join(tx: Transaction, group: AlertGroup, incident: Incident, told: Sequence[Alert], now: datetime) -> AlertGroup:
    """What is new of an attached group, in the timeline unless the postmortem is finished; the caller saves the group.

    The incident was read with locking.
    """
    if incident.is_closed:
        return group
    return _written(tx, incident, group, list(_lines(told)), now)


@dataclass(frozen=True, slots=True)
class _Line:
    """An entry to be: what one or several alerts did, from the first of them to the last."""

    status: AlertStatus
    titles: tuple[str, ...]
    first: datetime
    last: datetime
    by: str = ""


def _lines(told: Sequence[Alert]) -> Iterator[_Line]:
    """One line for each status that alerts came to."""
    for status in AlertStatus:
        these = [alert for alert in told if alert.status is status]
        if these:
            titles = tuple({alert.fingerprint: alert.title for alert in these}.values())
            times = sorted(alert.at for alert in these)
            yield _Line(status, titles, times[0], times[-1], these[0].by if len(these) == 1 else "")


def _history(tx: Transaction, group: AlertGroup) -> Iterator[_Line]:
    """What was told of a group before it came into a timeline: what fired, who took it up, what has ended since."""
    fired: dict[str, tuple[str, datetime]] = {}
    last: dict[str, tuple[AlertStatus, str, datetime]] = {}
    for status, at, title, _, fingerprint in alerts.told(tx, group, HISTORY):
        if status is AlertStatus.FIRING:
            fired.setdefault(fingerprint, (title, at))
        last[fingerprint] = (status, title, at)
    begun = list(fired.values()) or [(group.title, group.starts_at)]
    ended = [(title, at) for status, title, at in last.values() if status is AlertStatus.RESOLVED]
    yield _spanning(AlertStatus.FIRING, begun)
    if group.acknowledged_at is not None:
        taken_up = group.acknowledged_at
        yield _Line(AlertStatus.ACKNOWLEDGED, (group.title,), taken_up, taken_up, group.acknowledged_by)
    if ended:
        yield _spanning(AlertStatus.RESOLVED, ended)


def _spanning(status: AlertStatus, found: list[tuple[str, datetime]]) -> _Line:
    times = sorted(at for _, at in found)
    return _Line(status, tuple(title for title, _ in found), times[0], times[-1])


def _written(tx: Transaction, incident: Incident, group: AlertGroup, lines: list[_Line], now: datetime) -> AlertGroup:
    """Write lines into an incident's timeline; beyond a bound only ends, for what flaps tells nothing new."""
    for line in lines:
        if group.entries >= rules.ENTRIES_AT_MOST and not (group.ended_at and line.status is AlertStatus.RESOLVED):
            continue
        more = ", ".join(part for part in (group.service, group.severity) if part)
        is_first = line.status is AlertStatus.FIRING
        text = rules.told_as(line.status, line.titles, by=line.by, more=more if is_first else "")
        new = NewEntry(
            line.first, text + (f" {group.link}" if is_first and group.link else ""), group.source, AFTERWORD, now
        )
        if line.last > line.first:
            new = replace(new, ended_at=line.last)
        kept.append(tx, incident.id, replace(new, milestone=_marks(tx, incident, line)))
        group = replace(group, entries=group.entries + 1)
    return group


def _marks(tx: Transaction, incident: Incident, line: _Line) -> Milestone | None:
    """The milestone that a line marks, where no entry marks it yet.

    An alert that fired after people had opened the incident did not detect it.
    """
    milestone = rules.MARKED.get(line.status)
    if milestone is None or kept.marks(tx, incident.id, milestone):
        return None
    is_late = line.status is AlertStatus.FIRING and line.first > incident.opened_at
    return None if is_late else milestone
