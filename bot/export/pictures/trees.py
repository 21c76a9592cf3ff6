"""Where the boxes of a tree of whys stand. Pure geometry: columns and rows of a tree, or lines of an outline.

A tree grows downwards: what explains a box first stands right below it, what explains it further in the columns to the
right. No line crosses another: in every row the boxes stand in the order of those above them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from bot.incident.document import WhyStep


@dataclass(frozen=True, slots=True)
class Place:
    """Where a box stands, counted from 0; `parent` is the index of the box above it, None for the first."""

    column: int
    row: int
    parent: int | None


def parents(whys: Sequence[WhyStep]) -> tuple[int | None, ...]:
    """The index of the box that each box explains. Box 0 is the incident, the whys follow in reading order.

    A why whose parent does not stand before it explains the incident.
    """
    boxes: dict[int | None, int] = {None: 0}
    found: list[int | None] = [None]
    for index, step in enumerate(whys, 1):
        found.append(boxes.get(step.parent, 0))
        boxes[step.number] = index
    return tuple(found)


def tree(above: Sequence[int | None]) -> tuple[Place, ...]:
    """The places of the boxes, packed as narrow as their order allows; `above` as `parents` tells it."""
    shifts = _shifts(above)
    places: list[Place] = []
    for shift, parent in zip(shifts, above, strict=True):
        over = places[parent] if parent is not None else None
        places.append(Place(over.column + shift if over else 0, over.row + 1 if over else 0, parent))
    return tuple(places)


def _shifts(above: Sequence[int | None]) -> list[int]:
    """How many columns each box stands to the right of its parent."""
    children: list[list[int]] = [[] for _ in above]
    for index, parent in enumerate(above):
        if parent is not None:
            children[parent].append(index)
    shifts = [0] * len(above)
    edges: list[list[tuple[int, int]]] = [[] for _ in above]  # the first and last column of each row below, from a box
    for index in reversed(range(len(above))):
        taken: list[tuple[int, int]] = []
        for child in children[index]:
            below = edges[child]
            shifts[child] = max(
                (last + 1 - first for (_, last), (first, _) in zip(taken, below, strict=False)), default=0
            )
            moved = [(first + shifts[child], last + shifts[child]) for first, last in below]
            taken = [
                (left[0], right[1]) if left and right else left or right or (0, 0)
                for left, right in zip_longest(taken, moved)
            ]
        edges[index] = [(0, 0), *taken]
    return shifts


def outline(whys: Sequence[WhyStep], above: Sequence[int | None]) -> tuple[Place, ...]:
    """One box a line, in reading order; columns are indentation."""
    depths = [0, *(step.depth + 1 for step in whys)]
    return tuple(Place(depth, row, parent) for row, (depth, parent) in enumerate(zip(depths, above, strict=True)))
