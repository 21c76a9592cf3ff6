"""When something is due to be said, and whether there is still a reason to say it."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from bot.incident.records import Entry, Incident, Status

POSTMORTEM = "postmortem"
OVERDUE = "overdue"


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


def postmortem_steps(incident: Incident, rules: ReminderRules, resolving: Entry) -> tuple[Step, ...]:
    """The reminders of a resolved incident: each at its number of hours after the resolution, absolute in UTC.

    The slot names the entry that resolved it, and which wording of it (`24h after #5.1`): an incident that is reopened
    and resolved again is reminded of again, and so is one whose resolution got another time.
    """
    if incident.resolved_at is None:
        return ()
    return tuple(
        Step(
            f"{after.total_seconds() / 3600:g}h after #{resolving.number}.{resolving.version}",
            incident.resolved_at + after,
        )
        for after in rules.after_resolution
    )


def is_same_step(slot: str, other: str) -> bool:
    """Whether two slots are one step of one resolution, whichever wording of it they were counted from."""
    return slot.rpartition(".")[0] == other.rpartition(".")[0]


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


def digest_slot(now: datetime, zone: tzinfo, hour: int) -> str | None:
    """The day (where the owner lives) whose digest of overdue actions is due by now; None before that day's hour."""
    local = now.astimezone(zone)
    return local.date().isoformat() if local.time() >= time(hour) else None
