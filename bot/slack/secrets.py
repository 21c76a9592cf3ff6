"""How the warning about a credential looks in Slack."""

from collections.abc import Iterable

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


def redacted(number: int, others: tuple[int, ...], sections: tuple[str, ...]) -> Message:
    """It is out of the record. `others` are the entries that held it as well, `sections` the titles of those that do."""
    return blocks.whisper(words.secrets.redacted(number=number, others=others, sections=sections))


def forgotten() -> Message:
    """What a repeated delivery is answered whose first answer quoted a credential."""
    return blocks.whisper(words.secrets.forgotten())
