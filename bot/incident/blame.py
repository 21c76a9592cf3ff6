"""A gentle check of the whys: whether an answer stops at a person, where the next why would begin."""

import re
from collections.abc import Iterable
from functools import lru_cache

WORDS = (
    *("human error", "user error", "operator error", "pilot error"),
    *("careless", "carelessly", "carelessness", "sloppy", "negligent", "negligence", "incompetent", "incompetence"),
    *("stupid", "lazy", "idiot", "clumsy", "inattentive"),
    *("my fault", "his fault", "her fault", "their fault", "your fault", "whose fault", "to blame", "is guilty"),
    *("should have known", "should have noticed", "should have checked", "should've known", "should have seen"),
    *("forgot", "forgotten by", "messed up", "screwed up", "was not paying attention", "wasn't paying attention"),
)
"""What is looked for unless the operator names other words."""


def chosen(setting: str, usual: tuple[str, ...] = WORDS) -> tuple[str, ...]:
    """The words that the operator's setting names: its own between commas, none for `none`, ours for `usual`."""
    if setting.strip().lower() == "usual":
        return usual
    return () if setting.strip().lower() == "none" else tuple(word for word in setting.split(",") if word.strip())


def blaming(text: str, words: Iterable[str]) -> str:
    """The first of these words or phrases in a text, as it stands there; empty where none does."""
    pattern = _pattern(tuple(words))
    match = pattern.search(" ".join(text.replace("\u2019", "'").split())) if pattern else None
    return match[0] if match else ""


@lru_cache(maxsize=8)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str] | None:
    phrases = sorted((re.escape(word.strip()) for word in words if word.strip()), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE) if phrases else None
