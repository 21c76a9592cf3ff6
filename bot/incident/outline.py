"""The one order in which whys are shown, in Slack and in every form of the document, and how deep each stands."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.incident.records import Why


@dataclass(frozen=True, slots=True)
class Placed:
    """A why where every form shows it: `depth` counts the whys above it.

    It `is_branch` where another why, which stands before it, explains the same why already.
    """

    why: Why
    depth: int
    is_branch: bool


def outline(chain: Iterable[Why]) -> Iterator[Placed]:
    """The whys in the one order in which they are shown: each is followed by all that explains it, by number.

    `chain` is as `standing` leaves it. No recursion: chains may be long.
    """
    below: dict[int | None, list[Why]] = {}
    for why in sorted(chain, key=lambda why: why.number):
        below.setdefault(why.parent, []).append(why)
    waiting = [Placed(why, 0, is_branch=False) for why in reversed(below.get(None, []))]
    while waiting:
        placed = waiting.pop()
        yield placed
        explains = below.get(placed.why.number, [])
        found = [Placed(why, placed.depth + 1, is_branch=index > 0) for index, why in enumerate(explains)]
        waiting.extend(reversed(found))
