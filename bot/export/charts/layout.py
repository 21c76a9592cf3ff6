"""The frame of the timeline chart: axis, phases, severity, and where labels find room.

Units are counted from the left, rows from 0.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.document import Document
from bot.domain.records import Milestone
from bot.domain.text import format_clock, format_range
from bot.export.charts import scale as scale_chart
from bot.export.charts.scale import (
    PAD,
    Phase,
    Scale,
    Tick,
    TimeSpan,
    find_phases,
    find_quiet_spans,
    find_severities,
    fit_scale,
    format_roughly,
    list_spans,
)
from bot.export.charts.svg import LETTERS, NARROW, SEVERITIES, SvgCanvas, draw_path, text_width

LEFT = 66.0
"""Units: the names of lanes are before it, the axis begins at it."""
_RIGHT_MARGIN = 26.0
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
"""Months as they are shown, whatever the machine's language."""
# A chart over most of a year would show a month twice, so its labels need the year.
_WITH_YEAR = timedelta(days=300)


@dataclass(frozen=True, slots=True)
class ChartLane:
    """A strip across the picture: its name, its height, and what draws it below a given y.

    `marks_at` is where it has its marks, in units below its top.
    """

    name: str
    height: float
    draw: Callable[[float], None]
    marks_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Chart:
    """A document while it is drawn. Lanes add what needs an explanation to `notes`."""

    document: Document
    quiet: tuple[TimeSpan, ...]
    scale: Scale
    sheet: SvgCanvas
    notes: list[str] = field(default_factory=list)

    @property
    def right(self) -> float:
        """Where the axis ends."""
        return self.sheet.width - _RIGHT_MARGIN

    @property
    def is_narrow(self) -> bool:
        """Whether it is laid out for a phone."""
        return self.sheet.width <= NARROW

    @property
    def spans_days(self) -> bool:
        """Whether a clock time alone would mislead."""
        stretches = self.scale.stretches
        return self.document.spans_days or stretches[0].start.date() != stretches[-1].end.date()

    def when(self, moment: datetime) -> str:
        """A moment in a label: `13:40`, `23 Nov 13:40`, or `2026-11-23` if the chart spans many months."""
        if self._is_long:
            return self.day(moment)
        return f"{self.day(moment)} {format_clock(moment)}" if self.spans_days else format_clock(moment)

    def day(self, moment: datetime) -> str:
        """A day in a label."""
        return moment.date().isoformat() if self._is_long else f"{moment.day} {MONTHS[moment.month - 1]}"

    @property
    def _is_long(self) -> bool:
        stretches = self.scale.stretches
        return stretches[-1].end - stretches[0].start > _WITH_YEAR

    @property
    def poles(self) -> tuple[tuple[Milestone, datetime, bool], ...]:
        """The milestones that were reached, by time, each with whether its time is approximate."""
        reached = [
            (mark.milestone, mark.at, bool(mark.line and mark.line.approximate))
            for mark in self.document.marks
            if mark.at
        ]
        return tuple(sorted(reached, key=lambda pole: pole[1]))


def make_chart(document: Document, sheet: SvgCanvas) -> Chart:
    """The chart of a document that has a timeline, on an empty sheet."""
    spans = list_spans(document)
    return Chart(document, find_quiet_spans(spans), fit_scale(spans, LEFT, sheet.width - _RIGHT_MARGIN), sheet)


GAP = 6.0
"""Units between two labels of a row."""


@dataclass(frozen=True, slots=True)
class FlagLabel:
    """A label on a pole at `pole`: to its right, or to its left. Row 0 is the lowest."""

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
        """Whether a pole at that place would run through the label, or touch it."""
        return self.left - GAP < pole < self.right + GAP

    def touches(self, other: "FlagLabel") -> bool:
        """Whether the two cannot be in one row."""
        return self.left < other.right + GAP and other.left < self.right + GAP


def place_flags(labels: Sequence[tuple[float, float]], edge: float) -> tuple[FlagLabel, ...]:
    """A flag for each (pole, width), with the poles in order. Labels and poles do not overlap.

    Labels are to the right of their poles. Those that would pass the edge, and those before them that would then cross
    a pole, are to the left.
    """
    flags = [FlagLabel(pole, width, is_left=False, row=0) for pole, width in labels]
    # From the right, because a label that turns left may force those before it to turn as well.
    for index in range(len(flags) - 1, -1, -1):
        flag = flags[index]
        if flag.right > edge or any(later.is_left and flag.covers(later.pole) for later in flags[index + 1 :]):
            flags[index] = replace(flag, is_left=True)
    # Lowest first: labels to the right beginning with the last, then those to the left beginning with the first. So
    # each label is placed above all that it would cover, and its own pole meets nothing on its way down.
    rightwards = [index for index in reversed(range(len(flags))) if not flags[index].is_left]
    leftwards = [index for index in range(len(flags)) if flags[index].is_left]
    placed: list[int] = []
    for index in (*rightwards, *leftwards):
        flag = flags[index]
        below = [flags[other].row for other in placed if flag.covers(flags[other].pole) or flag.touches(flags[other])]
        flags[index] = replace(flag, row=max(below, default=-1) + 1)
        placed.append(index)
    return tuple(flags)


def assign_label_rows(labels: Iterable[tuple[float, float]], rows: int) -> tuple[int | None, ...]:
    """The row for each label (middle, width), in their order, or None if there is no room."""
    lefts = ((middle - width / 2, width) for middle, width in labels)
    return assign_lanes(((left, left + width + GAP / 2) for left, width in lefts), rows)


def spread_labels(labels: Sequence[tuple[float, float]], left: float, right: float) -> tuple[float, ...]:
    """The left ends of labels (middle, width) in one row, as near their middles as possible without touching.

    All of them together must fit between the edges.
    """
    starts: list[float] = []
    end = left - GAP
    for middle, length in labels:
        starts.append(max(middle - length / 2, end + GAP))
        end = starts[-1] + length
    # Back from the right edge: the first pass may have pushed the last labels over it.
    limit = right
    for index in range(len(starts) - 1, -1, -1):
        starts[index] = min(starts[index], limit - labels[index][1])
        limit = starts[index] - GAP
    return tuple(starts)


def spread_in_rows(labels: Sequence[tuple[float, float]], left: float, right: float) -> tuple[tuple[int, float], ...]:
    """The row and the left end of each label (middle, width), in as few rows as hold them in their order."""
    rows: list[list[tuple[float, float]]] = [[]]
    for label in labels:
        if rows[-1] and sum(width + GAP for _, width in (*rows[-1], label)) > right - left:
            rows.append([])
        rows[-1].append(label)
    return tuple((number, start) for number, row in enumerate(rows) for start in spread_labels(row, left, right))


def assign_lanes(spans: Iterable[tuple[float, float]], most: int) -> tuple[int | None, ...]:
    """The lane for each span (left, right), ordered by left ends, or None if all lanes are taken there."""
    ends = [float("-inf")] * most
    lanes: list[int | None] = []
    for left, right in spans:
        lane = next((lane for lane, end in enumerate(ends) if left >= end), None)
        if lane is not None:
            ends[lane] = right
        lanes.append(lane)
    return tuple(lanes)


def subtract_breaks(
    left: float, right: float, breaks: Iterable[tuple[float, float]]
) -> tuple[tuple[float, float], ...]:
    """The pieces of a stretch between the breaks, in order."""
    pieces: list[tuple[float, float]] = []
    for start, end in sorted(breaks):
        if start > left:
            pieces.append((left, min(start, right)))
        left = max(left, end)
    return tuple(piece for piece in (*pieces, (left, right)) if piece[0] < piece[1])


_BAND = 22.0
_STRIP = 15.0
_MARGIN = 7.0
_LETTERS_BELOW = 18.0


@dataclass(frozen=True, slots=True)
class _Band:
    """A phase on the axis. Its label begins at `words_at`, or is below the band if that is None."""

    phase: Phase
    label: str
    left: float
    right: float
    words_at: float | None

    @property
    def room(self) -> tuple[float, float]:
        """The middle of the band, and the width of its words."""
        return (self.left + self.right) / 2, text_width(self.label, LETTERS)


def make_phases_lane(chart: Chart) -> ChartLane | None:
    """A band for each phase, labelled with its length: in the band, or next to or below it if that is too narrow."""
    bands = _place_bands(chart)
    if not bands:
        return None
    below = [band for band in bands if band.words_at is None]
    places = spread_in_rows([band.room for band in below], LEFT, chart.sheet.width)
    rows = max((row + 1 for row, _ in places), default=0)

    def draw(top: float) -> None:
        for band in bands:
            _draw_band(chart, band, top)
        for band, (row, start) in zip(below, places, strict=True):
            middle, room = band.room
            y = top + _BAND + row * _ROW
            chart.sheet.line([(middle, top + _BAND), (middle, y + 3), (start + room / 2, y + 7)], band.phase.tone)
            chart.sheet.clear(start - 2, y + 7, room + 2, 14)
            chart.sheet.write(band.label, start, y + _LETTERS_BELOW, fill="ink", font_size=LETTERS)

    below_height = _LETTERS_BELOW + (rows - 1) * _ROW if rows else 0
    return ChartLane(scale_chart.PHASES, _BAND + below_height + 7, draw)


def _draw_band(chart: Chart, band: _Band, top: float) -> None:
    long = max(band.right - band.left, 1.5)
    chart.sheet.draw("rect", x=band.left, y=top, width=long, height=_BAND, fill=band.phase.ground)
    chart.sheet.draw("rect", x=band.left, y=top, width=min(long, 2.5), height=_BAND, fill=band.phase.tone)
    if band.words_at is not None:
        chart.sheet.write(band.label, band.words_at, top + 15.5, fill="ink", font_size=LETTERS)


def _place_bands(chart: Chart) -> list[_Band]:
    phases = tuple(find_phases(chart.document))
    ends = [(chart.scale.x(phase.span.start), chart.scale.x(phase.span.end)) for phase in phases]
    taken = [*_find_cuts(chart), *((x, x) for x in (chart.scale.x(at) for _, at, _ in chart.poles))]
    bands = []
    for phase, (left, right) in zip(phases, ends, strict=True):
        label = f"{phase.label} {format_roughly(phase.span.length)}"
        room = text_width(label, LETTERS) + 2 * _MARGIN
        start = _find_first_room(subtract_breaks(left, right, taken), room)
        others = [*taken, *(end for end in ends if end != (left, right))]
        if start is None:
            start = _find_room_next_to((left, right), others, room, chart.sheet.width)
        if start is not None:
            taken.append((start, start + room))
        bands.append(_Band(phase, label, left, right, None if start is None else start + _MARGIN))
    return bands


_Pieces = tuple[tuple[float, float], ...]


def _find_first_room(free: _Pieces, room: float) -> float | None:
    return next((start for start, end in free if end - start >= room), None)


def _find_room_next_to(
    band: tuple[float, float], taken: list[tuple[float, float]], room: float, edge: float
) -> float | None:
    """The beginning of words that touch a band from outside: directly before it, else directly after it."""
    left, right = band
    before = [piece for piece in subtract_breaks(LEFT, left, taken) if piece[1] == left and left - piece[0] >= room]
    if before:
        return left - room
    return _find_first_room(tuple(piece for piece in subtract_breaks(right, edge, taken) if piece[0] == right), room)


def _find_cuts(chart: Chart) -> list[tuple[float, float]]:
    # Nothing can be read where the axis is cut.
    return [(cut.left + PAD / 2, cut.right - PAD / 2) for cut in chart.scale.cuts]


def make_severity_lane(chart: Chart) -> ChartLane | None:
    """The severity over time."""
    severities = find_severities(chart.document, chart.scale.stretches[-1].end)
    if not severities:
        return None

    def draw(top: float) -> None:
        for severe in severities:
            left, right = chart.scale.x(severe.span.start), chart.scale.x(severe.span.end)
            label, tone = f"sev{severe.level}", SEVERITIES[severe.level]
            chart.sheet.draw("rect", label, x=left, y=top + 2, width=right - left, height=_STRIP, fill=tone)
            start = _find_first_room(
                subtract_breaks(left, right, _find_cuts(chart)), text_width(label, LETTERS) + 2 * _MARGIN
            )
            if start is not None:
                chart.sheet.write(
                    label, start + _MARGIN, top + 13.3, fill="paper", font_weight="600", font_size=LETTERS
                )

    return ChartLane(scale_chart.SEVERITY, _STRIP + 9, draw)


_TOOTH = 5.0
_ROW = 14.0


def draw_grid(chart: Chart, top: float, foot: float) -> None:
    """Draw a faint line at every tick, up through the lanes."""
    for tick in chart.scale.ticks():
        chart.sheet.line([(tick.x, top), (tick.x, foot)], "line", stroke_width=0.8)


def draw_axis(chart: Chart, top: float) -> float:
    """Draw the axis and its labels. Returns where they end."""
    chart.sheet.line([(LEFT, top), (chart.right, top)], "soft", stroke_width=1.2)
    ticks = chart.scale.ticks()
    for tick in ticks:
        chart.sheet.line([(tick.x, top), (tick.x, top + 4)], "soft")
    row = top + _ROW + 2
    if not chart.scale.shows_days_only:
        _write_labels(chart, [(tick, format_clock(tick.at)) for tick in ticks], row)
        row += _ROW
    if chart.spans_days:
        _write_labels(chart, [(tick, chart.day(tick.at)) for tick in ticks if tick.opens_day], row)
        row += _ROW
    return row - _ROW + 6


def _write_labels(chart: Chart, labels: list[tuple[Tick, str]], y: float) -> None:
    rows = assign_label_rows([(tick.x, text_width(label, LETTERS)) for tick, label in labels], 1)
    for (tick, label), row in zip(labels, rows, strict=True):
        if row is not None:
            chart.sheet.write(label, tick.x, y, fill="soft", text_anchor="middle", font_size=LETTERS)


def draw_cuts(chart: Chart, top: float, foot: float, label_at: float) -> None:
    """Draw the cuts of the axis as torn edges through all lanes, each with the length that is left out."""
    teeth = [
        (top - 3 + tooth * _TOOTH, _TOOTH / 2 * (-1) ** tooth) for tooth in range(int((foot + 6 - top) / _TOOTH) + 2)
    ]
    for cut in chart.scale.cuts:
        left, right = cut.left + PAD, cut.right - PAD
        label = format_roughly(cut.end - cut.start)
        edges = [[(x + depth, y) for y, depth in teeth] for x in (left, right)]
        title = scale_chart.CUT.format(length=label, when=format_range(cut.start, cut.end))
        chart.sheet.draw("path", title, d=draw_path([*edges[0], *reversed(edges[1])], closed=True), fill="paper")
        for edge in edges:
            chart.sheet.line(edge, "soft", stroke_width=0.9)
        middle = (left + right) / 2
        chart.sheet.write(label, middle, label_at, fill="soft", text_anchor="middle", font_size=LETTERS)
