"""The gate that every typed text passes before it is kept, so that it reads back the same; and texts made to fit."""

import difflib
import re
from collections.abc import Iterable

from bot.errors import Refused
from bot.incident import code

LONGEST = 40_000
"""Characters: Slack itself cuts a message there."""

_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


def admit(text: str, what: str = "That text", most: int = LONGEST) -> str:
    """The text as it can be kept: stripped, NUL dropped, lone surrogates replaced.

    Raises Refused where it is longer than `most` characters: nothing is ever cut silently.
    """
    text = _UNKEEPABLE.sub(lambda match: "" if match[0] == "\x00" else "\ufffd", text).strip()
    if len(text) > most:
        sentence = f"{what} has {len(text):,} characters; at most {most:,} can be kept. Split it into several."
        raise Refused(sentence)
    return text


def require(text: str, sentence: str) -> str:
    """The text; raises Refused with the sentence where the gate has left nothing of it."""
    if not text:
        raise Refused(sentence)
    return text


def shortened(text: str, most: int) -> str:
    """The text for a place that holds only so much: cut at `most` characters with an ellipsis that says so.

    Code in which it is cut is closed behind the ellipsis, so that what follows is none.
    """
    if len(text) <= most:
        return text
    marks = code.closing(text, most - 1)
    cut = text[: max(0, most - 1 - len(marks))].rstrip()
    return f"{cut}…{marks}"[:most]


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """The known word that somebody probably meant, at least so much like it (up to 1), or empty."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=likeness)
    return close[0] if close else ""
