"""What `/why` understands, and how a chain of whys grows."""

import re
from dataclasses import dataclass

from bot.errors import Refused
from bot.incident.records import Why

USUAL_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """The next answer; `parent` is the why that it explains, None for the latest of the chain."""

    text: str
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class MarkRoot:
    """The latest why, or the numbered one, is a root cause."""

    number: int | None = None


@dataclass(frozen=True, slots=True)
class Show:
    """Show the chain and ask the next question."""


@dataclass(frozen=True, slots=True)
class Help:
    """Explain."""


Wish = Answer | MarkRoot | Show | Help

_BRANCH = re.compile(r"branch\s+#?(\d{1,4})\s+(.+)", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"root(?:\s+#?(\d{1,4}))?", re.IGNORECASE)


def wish(text: str) -> Wish:
    """What somebody wants who typed `/why TEXT`."""
    text = text.strip()
    if not text or text.lower() in ("show", "list"):
        return Show()
    if text.lower() in ("help", "?"):
        return Help()
    if root := _ROOT.fullmatch(text):
        return MarkRoot(int(root[1]) if root[1] else None)
    if branch := _BRANCH.fullmatch(text):
        return Answer(branch[2].strip(), int(branch[1]))
    return Answer(text)


def by_number(chain: tuple[Why, ...], number: int) -> Why:
    """The numbered why; raises Refused where there is none."""
    for why in chain:
        if why.number == number:
            return why
    known = ", ".join(str(why.number) for why in chain) or "none yet"
    sentence = f"There is no why {number}. There are: {known}."
    raise Refused(sentence)


def parent_of_next(chain: tuple[Why, ...], asked: int | None) -> int | None:
    """Which why the next answer explains: the one asked for, else the latest; None begins the chain."""
    if asked is not None:
        return by_number(chain, asked).number
    return chain[-1].number if chain else None


def depth(chain: tuple[Why, ...], number: int) -> int:
    """How many whys stand above and including this one in its branch."""
    parents = {why.number: why.parent for why in chain}
    steps, at = 0, number
    while at in parents and steps <= len(chain):
        steps += 1
        parent = parents[at]
        if parent is None:
            break
        at = parent
    return steps


def to_mark(chain: tuple[Why, ...], number: int | None) -> Why:
    """The why to mark as a root cause: the numbered one, else the latest; raises Refused where there is none."""
    if not chain:
        sentence = "There is no why yet. Answer the first one with `/why because …`."
        raise Refused(sentence)
    return by_number(chain, number) if number is not None else chain[-1]


def quoted(text: str) -> str:
    """An answer as the next question quotes it: without its `because` and its full stop, on one line."""
    flat = " ".join(text.split()).rstrip(".!")
    return re.sub(r"^because\s+", "", flat, flags=re.IGNORECASE)
