"""The reminders that stand in people's DMs: each is made one line once it is answered, or a newer one has come."""

import json
from collections.abc import Iterator
from datetime import datetime

from bot.incident.records import Incident
from bot.slack import reminders as says
from storage import deliveries, reminders
from storage.deliveries import Delivery, Owed
from storage.statements import Transaction


def retire(tx: Transaction, incident: Incident, why: str, now: datetime, *, channel: str = "", but: int = 0) -> int:
    """Owe one line in place of each postmortem reminder of the incident that stands in a DM; how many there were.

    `why` is mrkdwn. Only those in `channel` where one is given, and none of the reminder with the row `but`.
    """
    found = [
        one
        for one in _standing(tx, incident.id)
        if one.reminder_id != but and channel in ("", one.sent_channel, one.recipient)
    ]
    for one in found:
        body = json.dumps({"of": one.id, "ts": one.sent_ts, **says.retired(incident, why)})
        retired = Owed(one.team, "retired", one.sent_channel, body, now, incident.id, one.reminder_id)
        deliveries.owe(tx, retired)
    return len(found)


def _standing(tx: Transaction, incident_id: int) -> Iterator[Delivery]:
    for reminder in reminders.of_incident(tx, incident_id):
        owed = deliveries.of_reminder(tx, reminder.id)
        retired = {json.loads(one.body)["of"] for one in owed if one.kind == "retired"}
        yield from (one for one in owed if one.sent_ts and one.sent_channel.startswith("D") and one.id not in retired)
