"""What each kind of reminder tells: all of it in its channel, and outside that no word to who cannot look into it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from bot.incident import reminders as steps
from bot.incident.records import Incident
from bot.scribe import chasing
from bot.scribe.readers import Telling
from bot.slack import blocks
from bot.slack import reminders as says
from bot.slack.reminders import OWN, Whose
from bot.slack.sayings import Saying
from storage import actions, cases, deliveries, incidents, people
from storage.actions import OwedAction
from storage.deliveries import Delivery, Owed
from storage.reminders import Reminder
from storage.statements import Transaction


def telling(tx: Transaction, reminder: Reminder, delivery: Delivery, now: datetime) -> Telling | None:
    """What a reminder tells as the record stands; None where there is nothing (more) to tell this recipient."""
    missed = partial(_tell_channels, delivery=delivery, now=now)
    if reminder.kind == steps.OVERDUE:
        return _digest(tx, reminder, delivery, now)
    if reminder.kind in steps.OF_ACTIONS:
        asked = chasing.compose(tx, reminder, now)
        return _of_one(asked[1], asked[0], says.asked_unseen, missed) if asked else None
    incident = incidents.by_id(tx, int(reminder.subject))
    if incident is None or incident.resolved_at is None or not _is_asked(incident, delivery.recipient):
        return None
    case, _ = cases.glance(tx, incident, 1)
    said = says.postmortem(case, now - incident.resolved_at, delivery.recipient, _unseen_by(delivery))
    return _of_one(incident, said, says.owed_unseen, missed)


def handed(tx: Transaction, incident: Incident, delivery: Delivery, now: datetime) -> Telling:
    """What the new owner of a postmortem reads."""

    def missed(tx: Transaction, channels: frozenset[str]) -> None:
        for channel in channels:
            deliveries.tell(tx, incident, says.handed_unseen(incident), now, to=channel)

    said = says.handed(cases.glance(tx, incident, 1)[0], delivery.body)
    return _of_one(incident, said, says.owed_unseen, missed)


def retired(body: dict[str, Any]) -> Telling:
    """The line that a reminder becomes, as `standing` owes it."""

    def said(seen: frozenset[str]) -> Saying:
        line = body if channels <= seen else says.retired_unseen()
        return replace(Saying.of(line), update_ts=body["ts"], only_there=True)

    channels = frozenset(filter(None, [body.get("about", "")]))
    return Telling(channels, said)


def _digest(tx: Transaction, reminder: Reminder, delivery: Delivery, now: datetime) -> Telling | None:
    """What somebody owes, to them; or to a lead or a channel their part of it, where they cannot be told."""
    owed, recipient = actions.overdue_of(tx, reminder.team, reminder.subject, now), delivery.recipient
    if recipient != reminder.subject:
        owed = tuple(item for item in owed if recipient in (item.incident.lead, item.incident.channel))
    if not owed:
        return None
    whose = _whose(tx, reminder, delivery)

    def said(seen: frozenset[str]) -> Saying:
        shown = [item for item in owed if item.incident.channel in seen]
        return Saying.of(says.overdue(shown, now, whose, len(owed) - len(shown)))

    return Telling(_channels(owed), said, partial(_tell_channels, delivery=delivery, now=now))


def _whose(tx: Transaction, reminder: Reminder, delivery: Delivery) -> Whose:
    subject = reminder.subject
    if delivery.recipient == subject:
        return OWN
    if subject.startswith("S"):
        return Whose(group=subject)
    if _unseen_by(delivery) == subject:
        return Whose(unseen=subject)
    owner = people.one(tx, reminder.team, subject)
    return Whose(gone=owner.name if owner else subject)


def _channels(owed: tuple[OwedAction, ...]) -> frozenset[str]:
    return frozenset(item.incident.channel for item in owed)


Unseen = Callable[[], blocks.Message]
Missed = Callable[[Transaction, frozenset[str]], None]


def _of_one(incident: Incident, said: blocks.Message, unseen: Unseen, missed: Missed) -> Telling:
    """All or nothing: it tells of one channel."""
    channels = frozenset({incident.channel})
    return Telling(channels, lambda seen: Saying.of(said if channels <= seen else unseen()), missed)


def _is_asked(incident: Incident, recipient: str) -> bool:
    """Whether somebody owes it still: a reminder may have waited for their morning, and been handed over meanwhile."""
    return recipient in (incident.channel, incident.postmortem_owner, incident.lead)


def _tell_channels(tx: Transaction, channels: frozenset[str], delivery: Delivery, now: datetime) -> None:
    """Owe the reminder to the channels that its recipient cannot look into, once: an attempt may be repeated."""
    assert delivery.reminder_id is not None  # noqa: S101 (it is a reminder's)
    owed = deliveries.of_reminder(tx, delivery.reminder_id)
    had = {one.recipient for one in owed if one.kind == "reminder"}
    body = json.dumps({"unseen": delivery.recipient})
    for channel in sorted(channels - had):
        deliveries.owe(
            tx, Owed(delivery.team, "reminder", channel, body, now, delivery.incident_id, delivery.reminder_id)
        )


def _unseen_by(delivery: Delivery) -> str:
    """Who was to hear it and cannot look into the channel that hears it in their place; empty for nobody."""
    return str(json.loads(delivery.body)["unseen"]) if delivery.body else ""
