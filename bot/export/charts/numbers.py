"""Charts of figures: bars whose parts add up, and lengths of time as dots with their median and middle half.

A bar's part has its count in it where there is room, and a row of dots its n: no figure is told by colour alone. Many
dots would cover each other, so they become a line from the shortest to the longest.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain.numbers import Spread
from bot.domain.text import format_duration
from bot.export.charts.svg import (
    LETTERS,
    NARROW,
    Caption,
    ChartImage,
    SvgCanvas,
    draw_in_both_widths,
    text_width,
    wrap_text,
)

MOST_ROWS = 12
"""Of a chart; the table behind it has all."""
MOST_DOTS = 40
_NAMES = 150.0  # units, for the names of rows
_COUNTS = 62.0  # and for what stands at their ends
_BAR, _ROW, _GAP = 20.0, 30.0, 8.0
_NAME_LINE = 17.0  # on a phone a row's name has a line of its own
_LEGEND = 20.0
_ON_QUIET = frozenset({"quiet", "pale-red", "pale-blue", "pale-green"})


@dataclass(frozen=True, slots=True)
class BarPart:
    """A part of a bar: what it counts, in which tone."""

    name: str
    tone: str
    count: int


@dataclass(frozen=True, slots=True)
class BarRow:
    """A bar with its name."""

    name: str
    parts: tuple[BarPart, ...]

    @property
    def count(self) -> int:
        """All parts together."""
        return sum(part.count for part in self.parts)


@dataclass(frozen=True, slots=True)
class DotRow:
    """Some lengths of time with their name; `heading` begins a block of rows."""

    name: str
    spread: Spread
    heading: str = ""


def draw_bars(caption: Caption, rows: Sequence[BarRow]) -> ChartImage | None:
    """Bars that begin at one line, as long as what they count; None if there is nothing to count."""
    shown = rows[:MOST_ROWS]
    if not any(row.count for row in shown):
        return None
    return draw_in_both_widths(lambda sheet, suffix: _draw_bars(sheet, _caption_for(caption, suffix), shown))


def draw_dots(caption: Caption, rows: Sequence[DotRow], what: str) -> ChartImage | None:
    """Rows of lengths of time on one axis, on which each step is some times the one before; None without any.

    `what` is what a dot stands for, as in "one incident".
    """
    if not any(row.spread.count for row in rows):
        return None
    return draw_in_both_widths(lambda sheet, suffix: _draw_dots(sheet, _caption_for(caption, suffix), rows, what))


def _caption_for(caption: Caption, suffix: str) -> Caption:
    return Caption(f"{caption.name}{suffix}", caption.title, caption.alternative)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the rows of a sheet are."""

    sheet: SvgCanvas

    @property
    def is_narrow(self) -> bool:
        return self.sheet.width <= NARROW

    @property
    def left(self) -> float:
        return 0 if self.is_narrow else _NAMES

    @property
    def right(self) -> float:
        return self.sheet.width - _COUNTS

    @property
    def row(self) -> float:
        return _ROW + (_NAME_LINE if self.is_narrow else 0)

    def write_name(self, name: str, top: float) -> float:
        """Write the name of a row; where its bar begins."""
        room = self.sheet.width if self.is_narrow else _NAMES - _GAP
        (line,) = wrap_text(name, room, LETTERS, 1) or ("",)
        baseline = top + 12 if self.is_narrow else top + _BAR / 2 + 4
        self.sheet.write(line, 0, baseline, fill="ink", font_size=LETTERS)
        return top + (_NAME_LINE if self.is_narrow else 0)

    def write_end(self, text: str, top: float) -> None:
        """Write what stands at the end of a row."""
        y = top + _BAR / 2 + 4
        self.sheet.write(text, self.sheet.width, y, fill="soft", font_size=LETTERS, text_anchor="end")


def _draw_bars(sheet: SvgCanvas, caption: Caption, rows: Sequence[BarRow]) -> ChartImage:
    frame = _Frame(sheet)
    top = _draw_legend(sheet, _list_legend(rows))
    unit = (frame.right - frame.left) / max(row.count for row in rows)
    for row in rows:
        bar = frame.write_name(row.name, top)
        _draw_bar(sheet, row, frame.left, bar, unit)
        frame.write_end(f"{row.count:,}", bar)
        top += frame.row
    return sheet.picture(caption, top + _GAP)


def _list_legend(rows: Iterable[BarRow]) -> dict[str, str]:
    return {part.name: part.tone for row in rows for part in row.parts}


def _draw_legend(sheet: SvgCanvas, names: dict[str, str]) -> float:
    """Write what the tones mean, in as many lines as it takes; where they end."""
    x, y = 0.0, 4.0
    for name, tone in names.items():
        width = 18 + text_width(name, LETTERS) + 2 * _GAP
        if x and x + width > sheet.width:
            x, y = 0.0, y + _LEGEND
        sheet.draw("rect", x=x, y=y, width=12, height=12, rx=2, fill=tone, stroke="soft", stroke_width=0.6)
        sheet.write(name, x + 18, y + 10.5, fill="ink", font_size=LETTERS)
        x += width
    return y + _LEGEND + _GAP


def _draw_bar(sheet: SvgCanvas, row: BarRow, left: float, top: float, unit: float) -> None:
    x = left
    for part in row.parts:
        width = part.count * unit
        if not part.count:
            continue
        title = f"{row.name}: {part.count} {part.name.lower()}"
        sheet.draw("rect", title, x=x, y=top, width=width, height=_BAR, fill=part.tone, stroke="paper", stroke_width=1)
        if text_width(f"{part.count:,}", LETTERS) + 6 <= width:
            ink = "ink" if part.tone in _ON_QUIET else "paper"
            where = {"x": x + width / 2, "y": top + _BAR / 2 + 4}
            sheet.write(f"{part.count:,}", **where, fill=ink, font_size=LETTERS, text_anchor="middle")
        x += width


_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0
_TICKS = (
    *((count * _MINUTE, f"{count} min") for count in (1, 5, 15)),
    *((count * _HOUR, f"{count} h") for count in (1, 4, 12)),
    *(
        (_DAY, "1 day"),
        (3 * _DAY, "3 days"),
        (7 * _DAY, "1 week"),
        (30 * _DAY, "1 month"),
        (182 * _DAY, "6 months"),
        (730 * _DAY, "2 years"),
    ),
    (3_650 * _DAY, "10 years"),
)


@dataclass(frozen=True, slots=True)
class _LogAxis:
    """An axis between two ticks, on which equal steps multiply."""

    low: float
    high: float
    left: float
    right: float

    def x(self, length: timedelta) -> float:
        """The place of a length; what is shorter or longer than the axis is at its end."""
        seconds = min(max(length.total_seconds(), self.low), self.high)
        share = math.log(seconds / self.low) / math.log(self.high / self.low)
        return self.left + share * (self.right - self.left)

    def list_ticks(self) -> list[tuple[float, str]]:
        """The places of the ticks, with labels only where they do not touch."""
        free, ticks = -math.inf, []
        for seconds, name in _TICKS:
            if self.low <= seconds <= self.high:
                x, half = self.x(timedelta(seconds=seconds)), text_width(name, LETTERS) / 2
                is_free = x - half >= free
                ticks.append((x, name if is_free else ""))
                free = x + half + _GAP if is_free else free
        return ticks


def _fit_axis(rows: Iterable[DotRow], left: float, right: float) -> _LogAxis:
    lengths = [value.total_seconds() for row in rows for value in row.spread.values]
    ticks = [seconds for seconds, _ in _TICKS]
    low = max((tick for tick in ticks if tick <= min(lengths)), default=ticks[0])
    high = min((tick for tick in ticks if tick >= max(lengths)), default=ticks[-1])
    if low >= high:  # all of them at one tick
        place = ticks.index(low)
        low, high = ticks[max(place - 1, 0)], ticks[min(place + 1, len(ticks) - 1)]
    return _LogAxis(low, high, left, right)


def _draw_dots(sheet: SvgCanvas, caption: Caption, rows: Sequence[DotRow], what: str) -> ChartImage:
    frame = _Frame(sheet)
    # Half a label's room at both ends, and no name beside the first dot.
    axis = _fit_axis(rows, frame.left + 24, frame.right - 24)
    ticks = axis.list_ticks()
    top = _draw_key(sheet, what)
    for row in rows:
        if row.heading:
            sheet.write(row.heading, 0, top + 14, fill="ink", font_size=LETTERS, font_weight="600")
            top += 24
        line = frame.write_name(row.name, top)
        for x, _ in ticks:  # beside each row alone, so that none runs through letters or over dots
            sheet.line([(x, line - 4), (x, line + _BAR + 4)], "line", stroke_width=0.8)
        _draw_spread(sheet, row, axis, line)
        frame.write_end(f"n={row.spread.count}" if row.spread.count else "none", line)
        top += frame.row
    for x, name in ticks:
        if name:
            sheet.write(name, x, top + 12, fill="soft", font_size=LETTERS, text_anchor="middle")
    return sheet.picture(caption, top + 22)


def _draw_key(sheet: SvgCanvas, what: str) -> float:
    """Say what a dot, the band and the line are; where that ends."""
    sheet.draw("circle", cx=6, cy=10, r=4, fill="soft", opacity=0.75)
    sheet.write(what, 18, 14, fill="ink", font_size=LETTERS)
    x, y = (0.0, 10.0 + _LEGEND) if sheet.width <= NARROW else (190.0, 10.0)
    sheet.draw("rect", x=x, y=y - 8, width=22, height=16, fill="pale-blue")
    sheet.line([(x + 11, y - 8), (x + 11, y + 8)], "accent", stroke_width=3)
    sheet.write("median, and the middle half of 5 or more", x + 30, y + 4, fill="ink", font_size=LETTERS)
    return y + _LEGEND


def _draw_spread(sheet: SvgCanvas, row: DotRow, axis: _LogAxis, top: float) -> None:
    spread, middle = row.spread, top + _BAR / 2
    if spread.quartiles and spread.median is not None:
        low, high = (axis.x(value) for value in spread.quartiles)
        sheet.draw("rect", x=low, y=top, width=max(high - low, 2), height=_BAR, fill="pale-blue")
    if spread.count > MOST_DOTS:
        ends = [(axis.x(spread.values[0]), middle), (axis.x(spread.values[-1]), middle)]
        sheet.line(ends, "soft", stroke_width=2)
    else:
        for value in spread.values:
            title = f"{row.name}: {format_duration(value)}"
            sheet.draw("circle", title, cx=axis.x(value), cy=middle, r=4, fill="soft", opacity=0.75)
    if spread.quartiles and spread.median is not None:
        x = axis.x(spread.median)
        sheet.line([(x, top), (x, top + _BAR)], "accent", stroke_width=3)
