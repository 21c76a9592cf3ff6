"""Nudges: one private line each."""

from collections.abc import Sequence
from datetime import datetime

from bot.domain.records import Incident
from bot.slack.views import blocks
from bot.slack.views.blocks import Message
from bot.slack.views.templates import words


def unclaimed_message(incident: Incident, unset: Sequence[str], now: datetime) -> Message:
    """An incident has no lead, no severity, or neither."""
    text = words.nudges.unclaimed(
        key=incident.key,
        title=incident.title,
        link=incident.channel_link,
        unset=unset,
        opened_at=incident.opened_at,
        now=now,
    )
    return blocks.message(text)


def silence_message(incident: Incident, since: datetime, now: datetime) -> Message:
    """Nothing was recorded in a severe incident for a while."""
    text = words.nudges.silence(
        key=incident.key,
        title=incident.title,
        link=incident.channel_link,
        severity=incident.severity_name,
        since=since,
        now=now,
    )
    return blocks.message(text)


def hidden_message() -> Message:
    """To a person who may not look into the incident's channel: nothing about it."""
    return blocks.message(words.nudges.hidden())
