"""Slack's names of emoji as the signs that they stand for, in the browser and in a terminal."""

import re

from rich.emoji import Emoji

NAMED = re.compile(r":[a-z0-9_+-]+:")

_SLACKS_OWN = {
    ":memo:": "📝",
    ":warning:": "⚠️",
    ":large_green_circle:": "🟢",
    ":large_yellow_circle:": "🟡",
}
"""Those that others call otherwise, or draw narrower."""


def sign(name: str) -> str:
    """The sign of `:memo:`; the name itself where nobody knows it."""
    return _SLACKS_OWN.get(name) or Emoji.replace(name)


def with_signs(text: str) -> str:
    """A text with the sign in the place of each name."""
    return NAMED.sub(lambda match: sign(match[0]), text)
