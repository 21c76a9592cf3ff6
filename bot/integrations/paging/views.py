"""How a page to people on call looks in Slack: asked for, confirmed, or not sent."""

from bot.domain.records import Incident
from bot.domain.text import shorten
from bot.slack.views import blocks
from bot.slack.views.blocks import Message
from bot.slack.views.templates import words

_LONGEST = 600


def paging(incident: Incident, number: int) -> Message:
    """A page was asked for, and is not confirmed."""
    return blocks.message(words.connections.paging(key=incident.key, number=number), response_type="in_channel")


def not_paged(incident: Incident, text: str) -> Message:
    """A page could not be sent before its incident was over."""
    return blocks.message(words.connections.not_paged(key=incident.key, text=shorten(text, _LONGEST)))


def paged(incident: Incident, system: str, text: str, number: int) -> Message:
    """The other system has confirmed it."""
    shown = shorten(text, _LONGEST)
    return blocks.message(words.connections.paged(key=incident.key, system=system, text=shown, number=number))
