"""What a delivery says at the moment of its sending; nothing where its reason is gone meanwhile."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.incident import reminders as steps
from bot.incident.records import Incident, Status
from bot.scribe import reminding, suggestions
from bot.scribe.posting import Posting
from bot.scribe.readers import Readers
from bot.scribe.reminders import no_longer_wanted
from bot.scribe.standing import newer_digest, retire
from bot.slack import incidents as shows
from bot.slack import reminders as says
from bot.slack import whys as asks
from bot.slack.sayings import Saying
from bot.slack.words import words
from storage import cases, incidents, reminders, timeline
from storage.deliveries import Delivery
from storage.reminders import Reminder
from storage.statements import Transaction


class Composer:
    """Builds each kind of message from the record as it stands when it is sent."""

    def __init__(self, posting: Posting, readers: Readers) -> None:
        self._posting = posting
        self._readers = readers

    def compose(self, tx: Transaction, delivery: Delivery, now: datetime) -> Saying | None:
        """The message of a delivery, or None where it must not go out any more."""
        if delivery.kind == "reminder":
            return self._reminder(tx, delivery, now)
        if delivery.kind == "retired":
            return self._retired(delivery)
        if delivery.kind in _BY_BODY:
            return _BY_BODY[delivery.kind](tx, json.loads(delivery.body))
        incident = incidents.by_id(tx, delivery.incident_id) if delivery.incident_id else None
        if incident is None:
            return None
        return self._of_incident(tx, incident, delivery, now)

    def _of_incident(self, tx: Transaction, incident: Incident, delivery: Delivery, now: datetime) -> Saying | None:
        if delivery.kind == "whys":
            return self._whys(tx, incident, delivery)
        if delivery.kind == "file":
            return self._posting.compose(tx, incident, delivery, now)
        if delivery.kind == "handed":
            return self._handed(tx, incident, delivery, now)
        if delivery.recipient != incident.channel:
            return Saying.of(says.unreachable(incident.channel, delivery.error))
        # Owed when the incident was opened and again when the bot came into its channel: it is posted once.
        return None if incidents.card(tx, incident.id) else self._card(tx, incident, now)

    async def close(self) -> None:
        """Make no more files."""
        await self._posting.close()

    def _card(self, tx: Transaction, incident: Incident, now: datetime) -> Saying:
        return Saying.of(
            shows.card(*cases.glance(tx, incident, shows.CARD_ENTRIES), timeline.course(tx, incident), now)
        )

    @staticmethod
    def _whys(tx: Transaction, incident: Incident, delivery: Delivery) -> Saying | None:
        """The message whose thread holds the whys: once for an incident, in its channel, while it is over."""
        is_gone = incident.status is not Status.RESOLVED or delivery.recipient != incident.channel
        if is_gone or incidents.whys_thread(tx, incident.id):
            return None
        return Saying.of(asks.opening(cases.glance(tx, incident, 1)[0]))

    def _reminder(self, tx: Transaction, delivery: Delivery, now: datetime) -> Saying | None:
        reminder = reminders.by_id(tx, delivery.reminder_id) if delivery.reminder_id else None
        if reminder is None or no_longer_wanted(tx, reminder, now, delivery.recipient):
            return None
        telling = reminding.telling(tx, reminder, delivery, now)
        return self._readers.message(delivery, delivery.recipient, telling) if telling else None

    def _handed(self, tx: Transaction, incident: Incident, delivery: Delivery, now: datetime) -> Saying | None:
        """To the new owner of a postmortem, as long as they are that."""
        if incident.postmortem_owner != delivery.recipient:
            return None
        telling = reminding.handed(tx, incident, delivery, now)
        return self._readers.message(delivery, delivery.recipient, telling)

    def _retired(self, delivery: Delivery) -> Saying:
        """One line in the place of a reminder; where that was deleted, nothing is said."""
        body = json.loads(delivery.body)
        return self._readers.message(delivery, body.get("to", ""), reminding.retired(body))

    @staticmethod
    def sent(tx: Transaction, delivery: Delivery, channel: str, ts: str) -> None:
        """After a send: remember where live message and whys stand; a reminder takes an earlier one's place."""
        if delivery.kind == "alert":
            suggestions.sent(tx, json.loads(delivery.body), channel, ts)
        incident = incidents.by_id(tx, delivery.incident_id) if delivery.incident_id else None
        reminder = reminders.by_id(tx, delivery.reminder_id) if delivery.reminder_id else None
        if delivery.kind == "reminder" and reminder is not None:
            _take_place(tx, reminder, incident, channel, delivery.due_at)
        remember = {"card": incidents.set_card, "whys": incidents.set_whys_thread}.get(delivery.kind)
        if remember is not None and incident is not None and channel == incident.channel:
            remember(tx, incident.id, ts)


def _take_place(tx: Transaction, reminder: Reminder, incident: Incident | None, channel: str, now: datetime) -> None:
    """A reminder was sent: the one of its kind that stands above it in that conversation becomes one line."""
    if incident is not None:
        retire(tx, incident, words.reminders.newer(), now, channel=channel, but=reminder.id)
    elif reminder.kind == steps.OVERDUE:
        newer_digest(tx, reminder, channel, now)


def _alert(tx: Transaction, body: dict[str, Any]) -> Saying | None:
    """A suggestion, or its new wording: one that somebody deleted stays away."""
    composed = suggestions.compose(tx, body)
    if composed is None:
        return None
    said, ts = composed
    return replace(Saying.of(said), update_ts=ts, only_there=bool(ts))


_BY_BODY: dict[str, Callable[[Transaction, dict[str, Any]], Saying | None]] = {
    "message": lambda _, body: Saying.of(body),
    "alert": _alert,
}
"""The kinds of deliveries whose body says all there is to say, or names it."""
