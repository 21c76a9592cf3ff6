"""How the warning about a credential looks in Slack."""

import json
from collections.abc import Iterable

from bot.incident.records import Entry, Incident
from bot.incident.secrets import Span
from bot.slack import blocks
from bot.slack.blocks import Block, Message
from bot.slack.words import words


def warning(spans: Iterable[Span], value: str) -> list[Block]:
    """For the author alone, below the receipt: what it looks like, [Redact] and [It is harmless].

    `value` is what the buttons carry to find the entry again.
    """
    kinds = list(dict.fromkeys(span.kind for span in spans))
    return [
        blocks.section(words.secrets.warning(kinds=kinds)),
        blocks.actions(
            blocks.button("Redact", "secret_redact", value, style="danger"),
            blocks.button("It is harmless", "secret_harmless", value),
        ),
    ]


def warning_alone(spans: Iterable[Span], entry: Entry, incident: Incident) -> Message:
    """The warning as a message of its own, which names the entry."""
    value = json.dumps({"incident": incident.id, "entry": entry.number})
    said = words.secrets.warned_of(number=entry.number, key=incident.key, title=incident.title)
    return blocks.message(said, [blocks.section(said), *warning(spans, value)])


def redacted(number: int, others: tuple[int, ...], sections: tuple[str, ...]) -> Message:
    """It is out of the record; the entries `others` held it as well, and the sections of these titles still do."""
    return blocks.whisper(words.secrets.redacted(number=number, others=others, sections=sections))


def forgotten() -> Message:
    """What a repeated delivery is answered whose first answer quoted a credential."""
    return blocks.whisper(words.secrets.forgotten())
