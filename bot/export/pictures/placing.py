"""Labels find their places, so that none covers another. Pure geometry: units from the left, rows counted from 0."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

GAP = 6.0
"""Units that stay free between two labels of a row."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A label that hangs on a pole at `pole`: to its right, or to its left. Row 0 is the lowest."""

    pole: float
    width: float
    is_left: bool
    row: int

    @property
    def left(self) -> float:
        """Where the label begins."""
        return self.pole - self.width if self.is_left else self.pole

    @property
    def right(self) -> float:
        """Where the label ends."""
        return self.pole if self.is_left else self.pole + self.width

    def covers(self, pole: float) -> bool:
        """Whether a pole that goes up at that place would run through the label, or touch it."""
        return self.left - GAP < pole < self.right + GAP

    def touches(self, other: "Flag") -> bool:
        """Whether the two cannot stand in one row."""
        return self.left < other.right + GAP and other.left < self.right + GAP


def flags(labels: Sequence[tuple[float, float]], edge: float) -> tuple[Flag, ...]:
    """A flag for each (pole, width), the poles in order; no label covers another, and no pole runs through a label.

    Labels stand to the right of their poles; those that would pass the edge, and those before them that would run into
    their poles, stand to the left.
    """
    made = [Flag(pole, width, is_left=False, row=0) for pole, width in labels]
    for index in range(len(made) - 1, -1, -1):
        flag = made[index]
        if flag.right > edge or any(later.is_left and flag.covers(later.pole) for later in made[index + 1 :]):
            made[index] = replace(flag, is_left=True)
    # Lowest first: those to the right from the last on, then those to the left from the first on. So whatever is
    # placed later goes over what its label would cover, and its own pole meets nothing on its way down.
    rightwards = [index for index in reversed(range(len(made))) if not made[index].is_left]
    leftwards = [index for index in range(len(made)) if made[index].is_left]
    placed: list[int] = []
    for index in (*rightwards, *leftwards):
        flag = made[index]
        below = [made[other].row for other in placed if flag.covers(made[other].pole) or flag.touches(made[other])]
        made[index] = replace(flag, row=max(below, default=-1) + 1)
        placed.append(index)
    return tuple(made)


def thinned(labels: Iterable[tuple[float, float]], rows: int) -> tuple[int | None, ...]:
    """The row for each label (middle, width), given in their order; None for those that find no room."""
    ends = [float("-inf")] * rows
    found: list[int | None] = []
    for middle, width in labels:
        left = middle - width / 2
        row = next((row for row, end in enumerate(ends) if left >= end), None)
        if row is not None:
            ends[row] = left + width + GAP / 2
        found.append(row)
    return tuple(found)


def side_by_side(labels: Sequence[tuple[float, float]], left: float, right: float) -> tuple[float, ...]:
    """The left ends of labels (middle, width) in one row: as near their middles as they can be without touching.

    They must have room in all between the edges.
    """
    starts: list[float] = []
    end = left - GAP
    for middle, width in labels:
        starts.append(max(middle - width / 2, end + GAP))
        end = starts[-1] + width
    limit = right
    for index in range(len(starts) - 1, -1, -1):
        starts[index] = min(starts[index], limit - labels[index][1])
        limit = starts[index] - GAP
    return tuple(starts)


def lanes(spans: Iterable[tuple[float, float]], most: int) -> tuple[int | None, ...]:
    """The lane for each span (left, right), ordered by their left ends; None for those beyond the last lane."""
    ends = [float("-inf")] * most
    found: list[int | None] = []
    for left, right in spans:
        lane = next((lane for lane, end in enumerate(ends) if left >= end), None)
        if lane is not None:
            ends[lane] = right
        found.append(lane)
    return tuple(found)


def pieces(left: float, right: float, breaks: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """What the breaks leave of a stretch, in order."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(breaks):
        if start > left:
            found.append((left, min(start, right)))
        left = max(left, end)
    return tuple(piece for piece in (*found, (left, right)) if piece[0] < piece[1])
