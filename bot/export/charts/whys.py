"""The chart of the whys: a tree from the incident down to its root causes, or an outline if that is too wide.

Boxes of a row are in the order of the boxes above them, so no lines cross.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, zip_longest

from bot.domain.document import Document, WhyStep
from bot.domain.text import shorten, strip_code_marks, to_one_line
from bot.export.charts import scale as scale_chart
from bot.export.charts.svg import (
    LETTERS,
    NARROW,
    Caption,
    ChartImage,
    SvgCanvas,
    draw_in_both_widths,
    make_anchor,
    text_width,
    wrap_text,
)


@dataclass(frozen=True, slots=True)
class BoxPlace:
    """The place of a box, counted from 0. `parent` is the index of the box above it, None for the first."""

    column: int
    row: int
    parent: int | None


def find_parents(whys: Sequence[WhyStep]) -> tuple[int | None, ...]:
    """The index of the box that each box explains. Box 0 is the incident, the whys follow in reading order.

    A why whose parent does not come before it explains the incident.
    """
    boxes: dict[int | None, int] = {None: 0}
    parents: list[int | None] = [None]
    for index, step in enumerate(whys, 1):
        parents.append(boxes.get(step.parent, 0))
        boxes[step.number] = index
    return tuple(parents)


def place_in_tree(above: Sequence[int | None]) -> tuple[BoxPlace, ...]:
    """The places of the boxes, as narrow as their order allows. `above` is from `find_parents`."""
    shifts = _find_shifts(above)
    places: list[BoxPlace] = []
    for shift, parent in zip(shifts, above, strict=True):
        over = places[parent] if parent is not None else None
        places.append(BoxPlace(over.column + shift if over else 0, over.row + 1 if over else 0, parent))
    return tuple(places)


def _find_shifts(above: Sequence[int | None]) -> list[int]:
    """How many columns each box is to the right of its parent."""
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


def place_in_outline(whys: Sequence[WhyStep], above: Sequence[int | None]) -> tuple[BoxPlace, ...]:
    """One box a line, in reading order; columns are indentation."""
    depths = [0, *(step.depth + 1 for step in whys)]
    return tuple(BoxPlace(depth, row, parent) for row, (depth, parent) in enumerate(zip(depths, above, strict=True)))


MAX_BOXES = 80
"""Only the text shows more whys than these."""
_MOST_COLUMNS = 6
_MOST_COLUMNS_IF_NARROW = 2
_WIDEST = 520.0
_BESIDE = 14.0
_BELOW = 24.0
_PAD = 9.0
_LINE = 15.0
_BOLD = 1.08  # how much wider bold letters are
_INDENT = 22.0
_STEM = 11.0
_MOST_INDENT = 0.4  # of the width, for the deepest box: beyond it each step is narrower
_ROOMY = 24  # with at most so many boxes an outline has two lines for each
_LONGEST_TITLE = 2_000


@dataclass(frozen=True, slots=True)
class _BoxText:
    """The text of a box. `head` is small, before or above it. Box 0 is the incident."""

    head: str
    text: str
    ground: str
    is_root: bool = False

    @property
    def tone(self) -> str:
        return "accent" if self.is_root else "soft"


@dataclass(frozen=True, slots=True)
class _Box:
    """A box on the sheet. Lines to the boxes below begin at `stem`."""

    left: float
    top: float
    width: float
    height: float
    stem: float

    @property
    def foot(self) -> float:
        return self.top + self.height


def draw_whys(document: Document) -> ChartImage | None:
    """The tree of whys of a document, or None if it has none.

    If it needs more than six columns, it is an outline with a line for each why.
    """
    if not document.whys:
        return None
    return draw_in_both_widths(lambda sheet, suffix: _draw_sheet(document, sheet, suffix))


def _draw_sheet(document: Document, sheet: SvgCanvas, suffix: str) -> ChartImage:
    shown = document.whys[:MAX_BOXES]
    texts = [_BoxText(document.key, strip_code_marks(document.title), "quiet"), *map(_make_box_text, shown)]
    above = find_parents(shown)
    places = place_in_tree(above)
    most = _MOST_COLUMNS_IF_NARROW if sheet.width <= NARROW else _MOST_COLUMNS
    if max(place.column for place in places) < most:
        height = _draw_tree(sheet, texts, places)
    else:
        height = _draw_outline(sheet, texts, place_in_outline(shown, above))
    left_out = len(document.whys) - len(shown)
    if left_out:
        height += 20
        sheet.write(scale_chart.NOTE_WHYS.format(count=left_out), 0, height - 4, fill="soft", font_size=LETTERS)
    caption = Caption(make_anchor(document.key, f"whys{suffix}"), f"Whys of {document.key}", describe_whys(document))
    return sheet.picture(caption, height)


def _make_box_text(step: WhyStep) -> _BoxText:
    if step.is_root:
        return _BoxText(
            scale_chart.ROOT.format(number=step.number),
            to_one_line(strip_code_marks(step.text)),
            "pale-blue",
            is_root=True,
        )
    return _BoxText(str(step.number), to_one_line(strip_code_marks(step.text)), "panel")


def _draw_tree(sheet: SvgCanvas, texts: Sequence[_BoxText], places: Sequence[BoxPlace]) -> float:
    """Draw the boxes in columns and rows, with their lines. Returns the height."""
    columns, rows = max(place.column for place in places) + 1, max(place.row for place in places) + 1
    room = min(_WIDEST, (sheet.width - (columns - 1) * _BESIDE) / columns)
    whole = columns * (room + _BESIDE) - _BESIDE
    most = 3 if rows > 8 else 5
    widths = [whole if place.parent is None else room for place in places]
    lines = [wrap_text(box.text, wide - 2 * _PAD, LETTERS, most) for box, wide in zip(texts, widths, strict=True)]
    highest = [0] * rows
    for place, text in zip(places, lines, strict=True):
        highest[place.row] = max(highest[place.row], len(text))
    tops = list(accumulate((_box_height(count) + _BELOW for count in highest), initial=2.0))
    margin = (sheet.width - whole) / 2
    boxes = []
    for place, wide, text in zip(places, widths, lines, strict=True):
        left = margin + place.column * (room + _BESIDE)
        boxes.append(_Box(left, tops[place.row], wide, _box_height(len(text)), left + room / 2))
    for box, place in zip(boxes, places, strict=True):
        if place.parent is not None:
            over = boxes[place.parent]
            bend = box.top - _BELOW / 2
            sheet.line([(over.stem, over.foot), (over.stem, bend), (box.stem, bend), (box.stem, box.top)], "soft")
    for one, box, text in zip(texts, boxes, lines, strict=True):
        _draw_frame(sheet, one, box, text)
        _write_head(sheet, one, box.left + _PAD, box.top + 15)
        for row, line in enumerate(text, 1):
            _write_line(sheet, line, box.left + _PAD, box.top + 15 + row * _LINE)
    return tops[-1] - _BELOW + 2


def _box_height(lines: int) -> float:
    return 22 + lines * _LINE


def _draw_outline(sheet: SvgCanvas, texts: Sequence[_BoxText], places: Sequence[BoxPlace]) -> float:
    """Draw the boxes below each other, indented. Returns the height."""
    is_narrow = sheet.width <= NARROW  # then the number is above the text, not before it
    most = (2 if len(texts) <= _ROOMY else 1) * (2 if is_narrow else 1)
    step = min(_INDENT, _MOST_INDENT * sheet.width / max(1, *(place.column for place in places)))
    boxes: list[_Box] = []
    top = 2.0
    for one, place in zip(texts, places, strict=True):
        left = place.column * step
        indent = left + _PAD + (0 if is_narrow else text_width(one.head, LETTERS) * _BOLD + 10)
        text = wrap_text(one.text, sheet.width - indent - _PAD, LETTERS, most)
        lines = len(text) + 1 if is_narrow else max(len(text), 1)
        box = _Box(left, top, sheet.width - left, 4 + lines * _LINE, left + min(_STEM, step / 2))
        boxes.append(box)
        if place.parent is not None:
            _draw_branch(sheet, boxes[place.parent], box)
        _draw_frame(sheet, one, box, text)
        _write_head(sheet, one, left + _PAD, top + 13.5)
        for row, line in enumerate(text, int(is_narrow)):
            _write_line(sheet, line, indent, top + 13.5 + row * _LINE)
        top = box.foot + 3
    return top - 1


def _draw_branch(sheet: SvgCanvas, over: _Box, box: _Box) -> None:
    middle = (box.top + box.foot) / 2
    sheet.line([(over.stem, over.foot), (over.stem, middle), (box.left, middle)], "soft")


def _draw_frame(sheet: SvgCanvas, one: _BoxText, box: _Box, lines: Sequence[str]) -> None:
    title = "" if " ".join(lines) == one.text else shorten(one.text, _LONGEST_TITLE)
    stroke, thick = ("accent", 2.0) if one.is_root else ("line", 1.0)
    sheet.draw(
        "rect",
        title,
        x=box.left + 1,
        y=box.top,
        width=box.width - 2,
        height=box.height,
        rx=5,
        fill=one.ground,
        stroke=stroke,
        stroke_width=thick,
    )


def _write_head(sheet: SvgCanvas, one: _BoxText, x: float, y: float) -> None:
    sheet.write(one.head, x, y, fill=one.tone, font_weight="600", font_size=LETTERS)


def _write_line(sheet: SvgCanvas, line: str, x: float, y: float) -> None:
    sheet.write(line, x, y, fill="ink", font_size=LETTERS)


_LONGEST_WHY = 160
_MOST_ROOTS = 5


def describe_whys(document: Document) -> str:
    """What the chart of the whys shows, in plain sentences, or "" if there is none."""
    if not document.whys:
        return ""
    count, branches = len(document.whys), sum(step.is_branch for step in document.whys)
    tree = f"The whys of {document.key} as a tree: {count:,} {'answer' if count == 1 else 'answers'}"
    if branches:
        tree += f", {branches:,} {'branch' if branches == 1 else 'branches'}"
    named = document.roots[:_MOST_ROOTS]
    more = len(document.roots) - len(named)
    return " ".join(
        [
            f"{tree}.",
            f"It begins with why {_quote(document.whys[0])}.",
            *(f"Root cause: why {_quote(step)}." for step in named),
            *([f"{more:,} more root causes."] if more else []),
        ]
    )


def _quote(step: WhyStep) -> str:
    return f"{step.number}, “{shorten(to_one_line(strip_code_marks(step.text)), _LONGEST_WHY)}”"
