"""How a chain of whys grows, the hint when an answer blames a person, and the order in which whys are shown."""

import re
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

from bot.domain import text as text_rules
from bot.domain.records import Why
from bot.errors import Refused

USUAL_DEPTH = 5

THE_INCIDENT = 0
"""In the place of a why's number: what the first question asks about."""

_MOST_LISTED = 6
"""More whys are named by the first and the last."""

AT_ONCE = timedelta(seconds=30)
"""An answer this soon after another person's may have been written before its author saw the next question."""


@dataclass(frozen=True, slots=True)
class MoveWhy:
    """Make the numbered why explain the why `other`, or, with `beside`, the why that `other` explains."""

    number: int
    other: int
    beside: bool


BECAUSE = "because"
_BECAUSE = re.compile(
    r"(?<!\s)\s*+(?:because|b/c|cuz|weil|porque|parce que)\b"
    r"(?:\s++of\b(?! course))?(?:[\s:,;\u2026.\u2013\u2014]|-\s)*+",
    re.IGNORECASE,
)
_FIRST_WORD = re.compile(r"\s*([A-Za-z]+)(?=[\s:,]|$)")
_NUMBERS = r"#\d{1,5}(?:\s*+(?:,|;|&|and)\s*+#\d{1,5})*+"
_CITATION = re.compile(
    rf"(?<![\s,;:])[\s,;:]*+(?:\(\s*+(?:see\s++)?{_NUMBERS}\s*+\)|\bsee\s++{_NUMBERS})", re.IGNORECASE
)
_CITED = re.compile(r"(?<![\w#&/])#(\d{1,5})\b")


def _list_slips(word: str) -> frozenset[str]:
    """What a word becomes if one letter is dropped, doubled by another, mistyped, or swapped with its neighbour."""
    splits = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    letters = string.ascii_lowercase
    return frozenset(
        [head + tail[1:] for head, tail in splits if tail]
        + [head + tail[1] + tail[0] + tail[2:] for head, tail in splits if len(tail) > 1]
        + [head + letter + tail[1:] for head, tail in splits if tail for letter in letters]
        + [head + letter + tail for head, tail in splits for letter in letters]
    ) - {word}


# Made once at import: a few hundred words, so that a reply costs one look-up.
_MISSPELT = _list_slips(BECAUSE)


def spell_because(text: str) -> str:
    """An answer as it is recorded: a misspelt "because" at its beginning is spelt right."""
    first = _FIRST_WORD.match(text)
    if first is None or first[1].lower() not in _MISSPELT:
        return text
    return (BECAUSE.capitalize() if first[1][0].isupper() else BECAUSE) + text[first.end() :]


def is_plain_answer(text: str) -> bool:
    """Whether a message in the whys' thread that mentions no one is an answer: it begins with "because"."""
    begin = _BECAUSE.match(spell_because(text))
    return begin is not None and has_reason(text)


def has_reason(text: str) -> bool:
    """Whether an answer says more than "because"."""
    return bool(re.search(r"\w", _BECAUSE.sub("", spell_because(text), count=1)))


def find_why(chain: tuple[Why, ...], number: int) -> Why:
    """The numbered why; raises Refused if there is none."""
    for why in chain:
        if why.number == number:
            return why
    raise Refused(_describe_missing(chain, number))


def _describe_missing(chain: tuple[Why, ...], number: int) -> str:
    """The sentence for a number that no why has."""
    if not chain:
        return "There's no why yet. Answer the first one: `/why because …`"
    *others, last = (str(why.number) for why in chain)
    if len(others) >= _MOST_LISTED:
        known = f"whys {others[0]} to {last}"
    else:
        known = f"whys {', '.join(others)} and {last}" if others else f"why {last}"
    yet = " yet" if number > int(last) else ""
    return f"There's no why {number}{yet} (only {known}). `/why` shows the tree."


def find_last_by(chain: tuple[Why, ...], author: str) -> Why:
    """The active why that a person answered last; raises Refused if there is none."""
    mine = [why for why in chain if why.author == author and not why.struck]
    if not mine:
        raise Refused("You haven't answered a why here. `/why` shows them all.")
    return mine[-1]


def list_without_action(chain: Iterable[Why], actions: Iterable[int]) -> tuple[Why, ...]:
    """The active root causes that none of the actions (by number) is for."""
    known = frozenset(actions)
    return tuple(why for why in chain if why.is_root and not why.struck and not known.intersection(why.actions))


def list_active(every: Iterable[Why]) -> tuple[Why, ...]:
    """The active whys, by number; children of a struck one explain its nearest active ancestor."""
    all_of = {why.number: why for why in every}
    return tuple(
        replace(why, parent=_active_parent(why, all_of)) for _, why in sorted(all_of.items()) if not why.struck
    )


def _active_parent(why: Why, every: dict[int, Why]) -> int | None:
    """A why explains an earlier one, so the search must end."""
    below, parent = why.number, why.parent
    # Numbers fall on the way up, so an import that holds a circle cannot make this endless.
    while parent is not None and parent < below and parent in every:
        if not every[parent].struck:
            return parent
        below, parent = parent, every[parent].parent
    return None


def find_open_end(chain: tuple[Why, ...]) -> Why | None:
    """The latest why without an answer below it that is no root cause.

    None if the chain is empty, or if every branch has ended in a root cause.
    """
    explained = {why.parent for why in chain}
    return next((why for why in reversed(chain) if why.number not in explained and not why.is_root), None)


def is_ended(chain: tuple[Why, ...]) -> bool:
    """Whether every branch of the chain ends in a root cause, so that there is no next question."""
    return bool(chain) and find_open_end(chain) is None


def parent_of_next(chain: tuple[Why, ...], number: int | None) -> int | None:
    """The why that the next answer explains: the one asked for, else the latest open one; None begins a chain.

    A second answer to the first question (`THE_INCIDENT`) begins a second chain: two causes of the incident. An answer
    after every branch has ended continues below the latest.
    """
    if number == THE_INCIDENT:
        return None
    if number is not None:
        return find_why(chain, number).number
    end = find_open_end(chain) or (chain[-1] if chain else None)
    return end.number if end else None


@dataclass(frozen=True, slots=True)
class Doubt:
    """An answer next to or below another that came with it, and may be meant the other way (decision 26)."""

    other: Why
    is_beside: bool


def find_doubt(chain: tuple[Why, ...], why: Why, seen: int | None) -> Doubt | None:
    """Whether an answer, the latest of the chain, may be meant for another question than the one it was taken for.

    `seen` is the latest why there was when its author opened the form: what came to the same question since then,
    they have not read. Without a form the open question counts, which may be seconds old.
    """
    if seen is not None:
        others = [one for one in chain if one.parent == why.parent and seen < one.number < why.number]
        # Not the author's own: who answers twice knows what they said before.
        theirs = [one for one in others if one.author != why.author]
        return Doubt(theirs[-1], is_beside=True) if theirs else None
    above = next((one for one in chain if one.number == why.parent), None)
    if above is None or above.author == why.author or why.recorded_at - above.recorded_at >= AT_ONCE:
        return None
    return Doubt(above, is_beside=False)


def parent_after_move(chain: tuple[Why, ...], why: Why, move: MoveWhy) -> int | None:
    """The number of the why that this one explains after the move; None for the incident itself.

    Raises Refused if it would explain a later one or itself, or explains that one already.
    """
    other = find_why(chain, move.other)
    parent = other.parent if move.beside else other.number
    how = "beside" if move.beside else "beneath"
    if other.number == why.number:
        raise Refused(f"Why {why.number} can't explain itself. Name two whys: `/why move 3 beneath 2`")
    if parent is not None and parent >= why.number:
        raise Refused(
            f"Why {why.number} can only explain an earlier why. Move the later one: "
            f"`/why move {other.number} {how} {why.number}`"
        )
    if parent == why.parent:
        raise Refused(f"Why {why.number} is already {how} why {other.number}. `/why` shows the tree.")
    return parent


def list_cited(text: str) -> tuple[int, ...]:
    """The numbers of the entries that an answer cites as `#4`, in their order."""
    return tuple(dict.fromkeys(int(match[1]) for match in _CITED.finditer(text)))


def count_depth(chain: tuple[Why, ...], number: int) -> int:
    """The number of whys in its branch down to and including this one."""
    parents = {why.number: why.parent for why in chain}
    steps, at = 0, number
    # Bounded, should a chain ever hold a circle.
    while at in parents and steps <= len(chain):
        steps += 1
        parent = parents[at]
        if parent is None:
            break
        at = parent
    return steps


def find_answer(chain: tuple[Why, ...], parent: int | None) -> Why | None:
    """The latest active answer to the question after a why, or with None to the first; None if there is none."""
    return next((why for why in reversed(chain) if why.parent == (parent or None)), None)


def find_why_to_mark(chain: tuple[Why, ...], number: int | None) -> Why:
    """The why to mark as a root cause: the numbered one, else the latest open one; raises Refused without any."""
    if not chain:
        raise Refused(_describe_missing(chain, 1))
    return find_why(chain, number) if number is not None else find_open_end(chain) or chain[-1]


def find_branch_point(chain: tuple[Why, ...]) -> int:
    """Where another cause may be added once every branch has ended: the why that the last one explains.

    Its own number if it explains the incident itself: the question what caused it is still open.
    """
    last = [why for why in chain if why.is_root][-1]
    return last.parent or last.number


def quote_answer(text: str) -> str:
    """An answer as the next question quotes it, on one line: no `because` (of), no full stop, and no "see #4"."""
    flat = text_rules.flatten(text)
    return _CITATION.sub("", _BECAUSE.sub("", flat, count=1)).strip().rstrip(".!") or flat


BLAME_WORDS = (
    *("human error", "user error", "operator error", "pilot error"),
    *("careless", "carelessly", "carelessness", "sloppy", "negligent", "negligence", "incompetent", "incompetence"),
    *("stupid", "lazy", "idiot", "clumsy", "inattentive"),
    *("my fault", "his fault", "her fault", "their fault", "your fault", "whose fault", "to blame", "is guilty"),
    *("should have known", "should have noticed", "should have checked", "should've known", "should have seen"),
    *("forgot", "forgotten by", "messed up", "screwed up", "was not paying attention", "wasn't paying attention"),
)
"""The words to look for, unless the operator sets others."""


def parse_blame_words(setting: str, usual: tuple[str, ...] = BLAME_WORDS) -> tuple[str, ...]:
    """The words that the operator's setting names: its own between commas, none for `none`, ours for `usual`."""
    if setting.strip().lower() == "usual":
        return usual
    return () if setting.strip().lower() == "none" else tuple(word for word in setting.split(",") if word.strip())


def find_blame_word(text: str, words: Iterable[str]) -> str:
    """The first of these words or phrases in a text, as written; empty if there is none."""
    pattern = _pattern(tuple(words))
    match = pattern.search(" ".join(text.replace("\u2019", "'").split())) if pattern else None
    return match[0] if match else ""


@lru_cache(maxsize=8)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str] | None:
    # The longest first, because an alternation takes the first that fits: "user error" before "user".
    phrases = sorted((re.escape(word.strip()) for word in words if word.strip()), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE) if phrases else None


@dataclass(frozen=True, slots=True)
class OutlinedWhy:
    """A why at its place in every format: `depth` counts the whys above it.

    `is_branch`: an earlier why explains the same why already.
    """

    why: Why
    depth: int
    is_branch: bool


def outline_whys(chain: Iterable[Why]) -> Iterator[OutlinedWhy]:
    """The whys in the one order in which they are shown: each is followed by all that explains it, by number.

    `chain` is as `list_active` leaves it. No recursion: chains may be long.
    """
    below: dict[int | None, list[Why]] = {}
    for why in sorted(chain, key=lambda why: why.number):
        below.setdefault(why.parent, []).append(why)
    waiting = [OutlinedWhy(why, 0, is_branch=False) for why in reversed(below.get(None, []))]
    while waiting:
        placed = waiting.pop()
        yield placed
        explains = below.get(placed.why.number, [])
        found = [OutlinedWhy(why, placed.depth + 1, is_branch=index > 0) for index, why in enumerate(explains)]
        waiting.extend(reversed(found))
