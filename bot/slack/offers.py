"""How a time that stands elsewhere in a line is offered: a note that says so, and a button for each moment."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from bot.incident.offers import Offer
from bot.incident.records import Entry
from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.days import labelled
from bot.slack.words import words


class Stands(StrEnum):
    """At which time an entry stands whose words name another one."""

    NOW = "now"
    SAID = "said"
    KEPT = "kept"


def note(found: Sequence[Offer], stands: Stands) -> list[Block]:
    """Says at which time the entry stands, and what the buttons do; nothing where nothing is offered."""
    return [blocks.context(words.timeline.offer(count=len(found), stands=str(stands)))] if found else []


def buttons(entry: Entry, found: Sequence[Offer], now: datetime, **more: object) -> list[Block]:
    """One for each moment, to move the entry to it; `more` is what they carry besides."""
    return [
        blocks.button(
            f"It was {labelled(offer.at, now)}",
            f"timeline_was_{index}",
            blocks.about_entry(
                entry,
                at=offer.at.isoformat(),
                approximate=offer.approximate,
                lasts=int(offer.lasts.total_seconds()) if offer.lasts else 0,
                **more,
            ),
        )
        for index, offer in enumerate(found)
    ]


def below(said: Message, entry: Entry, found: Sequence[Offer], now: datetime) -> Message:
    """The message that tells of the entry, with the offer below what it says of it."""
    if not found:
        return said
    first, *rest = said["blocks"]
    offered = [*note(found, Stands.NOW), blocks.actions(*buttons(entry, found, now))]
    return {**said, "blocks": [first, *offered, *rest]}
