"""Texts for threads. Slack has no slash commands there, so a command becomes a mention, or a hint to the channel."""

import json
import re
from collections.abc import Callable
from typing import Any

from bot.slack.views.blocks import Block
from bot.slack.views.templates import words

_COMMAND = re.compile(r"`/(timeline|why|incident|action|postmortem)(?: ([^`\n]*))?`")
_BEGINS_WITH_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}\b|…|\.\.\.")


def adapt_whys_text(text: str) -> str:
    """A text for the thread of the whys: `/why …` becomes `@afterword …`, which works there."""
    return _COMMAND.sub(lambda found: _mention(found[2]) if found[1] == "why" else found[0], text)


def adapt_text(text: str) -> tuple[str, bool]:
    """A text for any thread, and whether it names a command that works only in the channel."""
    is_named = False

    def there(found: re.Match[str]) -> str:
        nonlocal is_named
        command, rest = found[1], found[2] or ""
        if command == "timeline" and _BEGINS_WITH_TIME.match(rest):
            return _mention(rest)
        is_named = True
        return f"`{command} {rest}`" if rest else f"`{command}`"

    return _COMMAND.sub(there, text), is_named


def _mention(rest: str | None) -> str:
    return f"`@afterword {rest or 'show'}`"


def adapt_whys_message(message: dict[str, Any]) -> dict[str, Any]:
    """A message for the thread of the whys."""
    return message | {
        "text": adapt_whys_text(message["text"]),
        "blocks": _change_texts(message["blocks"], adapt_whys_text),
    }


def adapt_message(text: str, shown: list[Block]) -> tuple[str, list[Block]]:
    """A message for any thread. If it names a command, a line says where to type it."""
    named: list[bool] = []

    def there(part: str) -> str:
        told, is_named = adapt_text(part)
        named.append(is_named)
        return told

    told, blocks = there(text), _change_texts(shown, there)
    if any(named):
        note = words.general.commands_in_channel()
        told = f"{told}\n{note}"
        blocks = [*blocks[:48], {"type": "context", "elements": [{"type": "mrkdwn", "text": note}]}] if blocks else []
    return told, blocks


def _change_texts(shown: list[Block], change: Callable[[str], str]) -> list[Block]:
    """A copy of the blocks with their mrkdwn changed. Plain text stays, since it may quote people."""
    changed: list[Block] = json.loads(json.dumps(shown))
    for block in changed:
        parts = [block.get("text"), *(block.get("fields") or ()), *(block.get("elements") or ())]
        for part in parts:
            if isinstance(part, dict) and part.get("type") == "mrkdwn":
                part["text"] = change(part["text"])
    return changed
