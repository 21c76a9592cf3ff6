"""What Slack tells is JSON of any shape: these read it so that nothing that stands in it can raise."""

from collections.abc import Iterable
from typing import Any

Told = dict[str, Any]

LONGEST_NUMBER = 10**18
"""Beyond it a number is no word that anybody wrote, and Python may refuse to spell it out."""


def string(value: object) -> str:
    """Words, or a number as words; empty for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(value) if -LONGEST_NUMBER < value < LONGEST_NUMBER else ""


def whole(value: object) -> int:
    """A number of bytes or of anything else that is counted; 0 for what is none."""
    said = string(value)
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 18 else 0


def object_in(value: object) -> Told:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def objects_in(value: object) -> list[Told]:
    """The JSON objects of a list; none for anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list | tuple) else []


def joined(parts: Iterable[str]) -> str:
    """Words that stand below each other, without those that say nothing."""
    return "\n".join(said for part in parts if (said := part.strip()))
