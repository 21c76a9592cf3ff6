"""A gentle check of actions: whether their words tell when one is done, or only that something should get better."""

from collections.abc import Iterable

from bot.incident.blame import blaming

WORDS = (
    *("improve", "enhance", "better", "strengthen", "optimize", "optimise", "increase awareness", "raise awareness"),
    *("be careful", "be more careful", "pay attention", "pay more attention", "keep an eye on", "be aware"),
    *("look into", "think about", "consider", "investigate", "explore", "discuss", "try to", "revisit"),
    *("communicate", "remind", "as needed", "if possible", "where possible", "more robust", "best practices"),
)
"""What is looked for unless the operator names other words."""

MANY_WORDS = 12
"""Whoever writes so much says what is meant."""


def vague(text: str, words: Iterable[str]) -> str:
    """The first of these words in an action's text, as it stands there; empty where none does.

    So it is where the text has a figure, a name in code or a dozen words: then there is something to measure it by.
    """
    is_plain = not any(letter.isdigit() or letter in '`/"' for letter in text)
    return blaming(text, words) if is_plain and len(text.split()) < MANY_WORDS else ""
