"""Groups of alerts in an incident's timeline: what was told of them, as entries with the source's own times."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.incident import alerts as rules
from bot.incident.alert_order import order
from bot.incident.alerts import AFTERWORD, PROGRAMS, Alert, AlertGroup, AlertStatus, Stand
from bot.incident.records import Incident, Milestone
from storage import alert_events
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
    return _written(tx, incident, group, _lines(alert_events.told(tx, group, HISTORY)), now)


def join(tx: Transaction, group: AlertGroup, incident: Incident, told: Sequence[Alert], now: datetime) -> AlertGroup:
    """What is new of an attached group, in the timeline unless the postmortem is finished; the caller saves the group.

    The incident was read with locking.
    """
    if incident.is_closed:
        return group
    return _written(tx, incident, group, _lines(told), now)


@dataclass(frozen=True, slots=True)
class _Line:
    """An entry to be: what one or several alerts did, from the first of them to the last."""

    status: AlertStatus
    titles: tuple[str, ...]
    first: datetime
    last: datetime
    by: str = ""
    more: str = ""
    link: str = ""


def _lines(told: Iterable[Alert]) -> list[_Line]:
    """A line for each thing told, at its own time; where too many came to one status, one for all of those.

    What a line says depends on that thing alone, so that it reads the same whatever was told before it.
    """
    found: list[_Line] = []
    for status in AlertStatus:
        these = sorted((alert for alert in told if alert.status is status), key=order)
        found.extend(_spanning(these) if len(these) > rules.FEW else map(_line, these))
    return sorted(found, key=lambda line: line.first)


def _line(alert: Alert) -> _Line:
    is_first = alert.status is AlertStatus.FIRING
    more = ", ".join(part for part in (alert.service, alert.severity) if part and is_first)
    by = "" if alert.is_start else alert.by
    return _Line(alert.status, (alert.title,), alert.at, alert.at, by, more, alert.link if is_first else "")


def _spanning(these: Sequence[Alert]) -> list[_Line]:
    titles = tuple({alert.fingerprint: alert.title for alert in these}.values())
    first = these[0]
    return [replace(_line(first), titles=titles, last=these[-1].at, by="")]


def _written(tx: Transaction, incident: Incident, group: AlertGroup, lines: list[_Line], now: datetime) -> AlertGroup:
    """Write lines into an incident's timeline; beyond a bound only ends, for what flaps tells nothing new."""
    for line in lines:
        if group.entries >= rules.ENTRIES_AT_MOST and not (group.ended_at and line.status is AlertStatus.RESOLVED):
            continue
        text = rules.told_as(line.status, line.titles, by=line.by, more=line.more)
        new = NewEntry(line.first, text + (f" {line.link}" if line.link else ""), group.source, AFTERWORD, now)
        if line.last > line.first:
            new = replace(new, ended_at=line.last)
        kept.append(tx, incident.id, replace(new, milestone=_marks(tx, incident, line, now)))
        group = replace(group, entries=group.entries + 1)
    return group


def _marks(tx: Transaction, incident: Incident, line: _Line, now: datetime) -> Milestone | None:
    """The milestone that a line marks: where no entry marks it yet, or only a later thing that monitoring told.

    An alert that fired after people had opened the incident did not detect it.
    """
    milestone = rules.MARKED.get(line.status)
    if milestone is None or (line.status is AlertStatus.FIRING and line.first > incident.opened_at):
        return None
    marking = kept.marking(tx, incident.id, milestone)
    if marking is None:
        return milestone
    is_ours = marking.author in PROGRAMS and marking.recorder == AFTERWORD and marking.version == 1
    if not is_ours or marking.happened_at <= line.first:
        return None
    kept.amend(tx, replace(marking, milestone=None), "edited", AFTERWORD, now)
    return milestone
