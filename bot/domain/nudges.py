"""When a private line goes out about an open incident: no lead, no severity, or nothing recorded for a while."""

from datetime import datetime, timedelta

from bot.domain.records import Incident, Status

UNCLAIMED_AFTER = timedelta(minutes=15)
"""By then an incident has a lead and a severity."""

SILENT_AFTER = timedelta(minutes=30)
SILENCE_COUNTS_TO = 2
"""The least severe incident in which silence is worth a line: sev1 and sev2."""

TOO_LATE_AFTER = timedelta(hours=12)
"""After an outage of the bot, or in an incident that was left open, the moment to say it has passed."""


def list_unset(incident: Incident) -> tuple[str, ...]:
    """What an open incident lacks: `lead`, `severity`; nothing once it is mitigated or over."""
    if incident.status is not Status.OPEN:
        return ()
    return tuple(name for name in ("lead", "severity") if getattr(incident, name) is None)


def is_unclaimed(incident: Incident, now: datetime) -> bool:
    """Whether an incident has been open for long enough to have a lead and a severity, and lacks one."""
    return bool(list_unset(incident)) and UNCLAIMED_AFTER <= now - incident.opened_at < TOO_LATE_AFTER


def is_silent(incident: Incident, recorded_at: datetime, now: datetime) -> bool:
    """Whether nothing was recorded for too long, last at `recorded_at`, in an incident that is open and severe."""
    is_severe = incident.severity is not None and incident.severity <= SILENCE_COUNTS_TO
    is_due = SILENT_AFTER <= now - recorded_at < TOO_LATE_AFTER
    return incident.status is Status.OPEN and is_severe and is_due
