"""When something is due to be said, and whether there is still a reason to say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from bot.incident.records import Incident, Status

POSTMORTEM = "postmortem"
OVERDUE = "overdue"

_WENT_OUT = frozenset({"sent", "skipped"})
"""States of a reminder that was said, or that a later one was said in place of."""


@dataclass(frozen=True, slots=True)
class ReminderRules:
    """The operator's choices: how long after the resolution, and at which hour of the owner's day."""

    after_resolution: tuple[timedelta, ...] = (timedelta(hours=24), timedelta(hours=48))
    overdue_hour: int = 9


@dataclass(frozen=True, slots=True)
class Step:
    """One postmortem reminder that is to come."""

    slot: str
    due_at: datetime


def postmortem_steps(
    incident: Incident, rules: ReminderRules, resolving: int, had: Mapping[str, str]
) -> tuple[Step, ...]:
    """The reminders of a resolved incident: each at its number of hours after the resolution, absolute in UTC.

    `resolving` is the number of the entry that resolved it, which the slots name (`24h after #5.1`): an incident that
    is reopened and resolved again is reminded of again. `had` is the state of each reminder that the incident had, by
    slot: a step that went out for this resolution does not come again, one that was withdrawn gets a slot of its own.
    """
    if incident.resolved_at is None:
        return ()
    found = []
    for after in rules.after_resolution:
        step = f"{after.total_seconds() / 3600:g}h after #{resolving}"
        states = [state for slot, state in had.items() if slot.rpartition(".")[0] == step]
        if not _WENT_OUT.intersection(states):
            found.append(Step(f"{step}.{len(states) + 1}", incident.resolved_at + after))
    return tuple(found)


def step_name(slot: str) -> str:
    """`24h`: a slot as people call it."""
    return slot.split(" ", 1)[0]


def postmortem_reason_gone(incident: Incident | None) -> str:
    """Why a postmortem reminder must not go out, or empty where it must."""
    if incident is None:
        return "the incident is gone"
    if incident.status is not Status.RESOLVED:
        return "the incident was reopened"
    if incident.postmortem_status.is_finished:
        return f"the postmortem is {incident.postmortem_status}"
    return ""


def is_of_earlier_resolution(slot: str, latest: str) -> bool:
    """Whether a step counts from another resolution than the step that was scheduled last."""
    return _resolution(slot) != _resolution(latest)


def _resolution(slot: str) -> str:
    return slot.partition(" ")[2].rpartition(".")[0]


def digest_slot(now: datetime, zone: tzinfo, hour: int) -> str | None:
    """The day (where the owner lives) whose digest of overdue actions is due by now; None before that day's hour."""
    local = now.astimezone(zone)
    return local.date().isoformat() if local.time() >= time(hour) else None


def is_of_earlier_day(slot: str, now: datetime, zone: tzinfo) -> bool:
    """Whether a digest was meant for a day that is over where its owner lives."""
    return slot < now.astimezone(zone).date().isoformat()
