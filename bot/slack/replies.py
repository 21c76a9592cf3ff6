"""How the bot answers in somebody's conversation with it, about the actions that they owe."""

from collections.abc import Sequence

from bot.incident import code
from bot.incident.secrets import masked
from bot.incident.text import shortened
from bot.slack import blocks
from bot.slack.actions import row
from bot.slack.blocks import Message
from bot.slack.words import words
from storage.actions import OwedAction

MOST_NAMED = 5
MOST_ASKED = 3
QUOTED = 80


def what_of_it(meant: Sequence[OwedAction], said: str, problem: str = "") -> Message:
    """Actions were named, and nothing that is understood was said of them: what can be, and the buttons.

    `problem` is why it is not understood, where that is known.
    """
    number, quoted = meant[0].action.number, shortened(said, QUOTED)
    asked = words.actions.what_of_it(items=_named(meant[:MOST_ASKED]), said=quoted, problem=problem, number=number)
    shown = [blocks.section(asked)]
    for one in meant[:MOST_ASKED]:
        if len(meant) > 1:
            shown.append(blocks.section(words.actions.named_one(item=_named([one])[0])))
        shown.append(row(one.action))
    return blocks.message(asked, shown)


def understood(owed: Sequence[OwedAction]) -> Message:
    """What could be said here, of the first actions that somebody owes."""
    number, *others = [one.action.number for one in owed] or [1]
    other = next((one for one in others if one != number), number + 1)
    return blocks.message(words.actions.replies(number=number, other=other))


def needs_reason(one: OwedAction) -> Message:
    """It will not be done, and nobody said why."""
    return blocks.message(words.actions.needs_reason(number=one.action.number))


def which(seen: Sequence[OwedAction], count: int) -> Message:
    """It does not say which of `count` actions is meant, of which `seen` may be named."""
    if not count:
        return blocks.message(words.actions.owes_nothing())
    number = seen[0].action.number if seen else 3
    return blocks.message(words.actions.which(items=_named(seen[:MOST_NAMED]), more=_more(seen, count), number=number))


def which_of(number: int, keys: Sequence[str]) -> Message:
    """Several incidents have an action of that number."""
    return blocks.message(words.actions.which_of(number=number, keys=keys))


def not_owed(number: int | None, seen: Sequence[OwedAction], count: int) -> Message:
    """An action that is not this person's, or not open any more; None where that was hardly meant: it is talk."""
    if number is None:
        return understood(seen)
    return blocks.message(
        words.actions.not_owed(number=number, items=_named(seen[:MOST_NAMED]), more=_more(seen, count))
    )


def _more(seen: Sequence[OwedAction], count: int) -> int:
    return count - min(len(seen), MOST_NAMED)


def _named(items: Sequence[OwedAction]) -> list[tuple[int, str, str]]:
    return [
        (item.action.number, item.incident.key, shortened(code.flat(masked(item.action.text)), QUOTED))
        for item in items
    ]
