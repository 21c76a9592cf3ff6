"""Milestones reached by a button, which may be older than what has become of the incident since."""

from datetime import datetime

from bot.errors import Refused
from bot.incident.records import Entry, EntryKind, Incident, Milestone, Status
from bot.scribe import incidents_reached
from bot.scribe.desk import Asked, Desk
from bot.slack.blocks import Message
from storage import alerts
from storage import timeline as kept
from storage.statements import Transaction


async def by_button(desk: Desk, asked: Asked, milestone: Milestone, as_of: datetime | None = None) -> Message | None:
    """A milestone was reached; `as_of` is the time that the button names, when all alerts had ended.

    Raises Refused where the incident has moved on since: it is that far already, was reopened, or an alert of it
    fires again.
    """
    line = f"{as_of:%Y-%m-%d %H:%M:%S} UTC" if as_of else ""

    def check(tx: Transaction, incident: Incident) -> None:
        _require_news(tx, incident, milestone, as_of)

    return await incidents_reached.reach(desk, asked, milestone, line, check)


def _require_news(tx: Transaction, incident: Incident, milestone: Milestone, as_of: datetime | None) -> None:
    """Raises Refused for a button that reaches a milestone where the incident has moved on since it was shown.

    `as_of` is when its alerts had all ended, of a button that was offered for that.
    """
    key, status = incident.key, incident.status
    if milestone is Milestone.MITIGATED and status is not Status.OPEN:
        raise Refused(f"{key} is {status} already. `/incident mitigated 14:05` records another time of it.")
    if as_of is None or status is Status.RESOLVED:
        return
    if count := alerts.firing(tx, incident.id):
        fire = "1 alert of it fires" if count == 1 else f"{count} alerts of it fire"
        raise Refused(f"{key} is not over, as far as monitoring tells: {fire} again since that was asked.")
    reopened = [entry for entry in kept.standing(tx, incident.id) if _reopens(entry) and entry.recorded_at > as_of]
    if reopened:
        raise Refused(f"{key} was reopened since that was asked (#{reopened[-1].number}).")


def _reopens(entry: Entry) -> bool:
    return entry.kind is EntryKind.STATUS and entry.milestone is None and entry.number > 1
