"""The reminders that stand: each is made one line once it is answered, or a newer one has come."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.incident.records import Action, Incident
from bot.incident.reminders import OF_ACTIONS, OVERDUE
from bot.slack import reminders as says
from bot.slack.blocks import Message
from bot.slack.words import words
from storage import actions, deliveries, incidents, reminders
from storage.deliveries import Delivery, Owed
from storage.reminders import Reminder
from storage.statements import Transaction

LATEST = 8
"""Of somebody's digests, and of what was asked of an action, so many are looked at: the others were replaced before."""


def retire(tx: Transaction, incident: Incident, why: str, now: datetime, *, channel: str = "", but: int = 0) -> int:
    """Owe one line in place of each postmortem reminder of the incident that stands in a DM; how many there were.

    `why` is mrkdwn. Only those in `channel` where one is given, and none of the reminder with the row `but`.
    """
    standing = _standing(tx, reminders.of_incident(tx, incident.id), but)
    found = [one for one in standing if one.sent_channel.startswith("D") and _is_in(one, channel)]
    for one in found:
        _replace(tx, one, says.retired(incident, why), now, incident.channel)
    return len(found)


def newer_digest(tx: Transaction, digest: Reminder, channel: str, now: datetime) -> None:
    """A digest was sent to a channel: those before it that stand there become one line each."""
    for one in _digests(tx, digest.team, digest.subject, digest.id):
        if _is_in(one, channel):
            _replace(tx, one, says.digest_retired(words.reminders.newer_digest()), now)


def settle_digests(tx: Transaction, team: str, owner: str | None, now: datetime) -> None:
    """Where nothing of somebody's is overdue any more, their digest says so wherever it stands."""
    if owner is None or actions.overdue_of(tx, team, owner, now):
        return
    for one in _digests(tx, team, owner):
        _replace(tx, one, says.digest_retired(words.reminders.nothing_overdue()), now)


def settle_asked(tx: Transaction, team: str, action: Action, why: str, now: datetime) -> None:
    """What was asked of one action (of its lead, or whether it held) is answered: each of it becomes a line.

    `why` is mrkdwn.
    """
    said = says.asked_retired(action, why)
    incident = incidents.by_id(tx, action.incident_id)
    assert incident is not None  # noqa: S101 (a foreign key holds it)
    for kind in OF_ACTIONS:
        for one in _standing(tx, reminders.latest(tx, team, kind, str(action.id), LATEST)):
            _replace(tx, one, said, now, incident.channel)


def _digests(tx: Transaction, team: str, owner: str, but: int = 0) -> list[Delivery]:
    return list(_standing(tx, reminders.latest(tx, team, OVERDUE, owner, LATEST), but))


def _is_in(one: Delivery, channel: str) -> bool:
    return channel in ("", one.sent_channel, one.recipient)


def _replace(tx: Transaction, one: Delivery, said: Message, now: datetime, about: str = "") -> None:
    """`about` is the channel of which the line tells; empty where it tells of none."""
    body = json.dumps({"of": one.id, "ts": one.sent_ts, "to": one.recipient, "about": about, **said})
    deliveries.owe(tx, Owed(one.team, "retired", one.sent_channel, body, now, one.incident_id, one.reminder_id))


def _standing(tx: Transaction, had: Iterable[Reminder], but: int = 0) -> Iterator[Delivery]:
    for reminder in had:
        if reminder.id == but:
            continue
        owed = deliveries.of_reminder(tx, reminder.id)
        retired = {json.loads(one.body)["of"] for one in owed if one.kind == "retired"}
        yield from (one for one in owed if one.kind != "retired" and one.sent_ts and one.id not in retired)
