"""The axis below the timeline's picture: its ticks with times and dates, and where it is cut."""

from bot.export.pictures import words
from bot.export.pictures.chart import LEFT, RIGHT, Chart
from bot.export.pictures.lettering import width
from bot.export.pictures.placing import thinned
from bot.export.pictures.scale import CUT_SIZE, PAD, Tick, rough
from bot.export.pictures.sheet import path
from bot.export.times import clock, stamp

_SIZE = 11.0
_TOOTH = 5.0
_ROW = 14.0


def draw_grid(chart: Chart, top: float, foot: float) -> None:
    """A faint line at every tick, up through the lanes."""
    for tick in chart.scale.ticks():
        chart.sheet.line([(tick.x, top), (tick.x, foot)], "line", stroke_width=0.8)


def draw_axis(chart: Chart, top: float) -> float:
    """The axis and what is written below it; where that ends."""
    chart.sheet.line([(LEFT, top), (RIGHT, top)], "soft", stroke_width=1.2)
    ticks = chart.scale.ticks()
    for tick in ticks:
        chart.sheet.line([(tick.x, top), (tick.x, top + 4)], "soft")
    row = top + _ROW + 2
    if not chart.scale.shows_days_only:
        _write_labels(chart, [(tick, clock(tick.at)) for tick in ticks], row)
        row += _ROW
    if chart.spans_days:
        _write_labels(chart, [(tick, chart.day(tick.at)) for tick in ticks if tick.opens_day], row)
        row += _ROW
    return row - _ROW + 6


def _write_labels(chart: Chart, labels: list[tuple[Tick, str]], y: float) -> None:
    rows = thinned([(tick.x, width(label, _SIZE)) for tick, label in labels], 1)
    for (tick, label), row in zip(labels, rows, strict=True):
        if row is not None:
            chart.sheet.write(label, tick.x, y, fill="soft", text_anchor="middle", font_size=_SIZE)


def draw_cuts(chart: Chart, top: float, foot: float, label_at: float) -> None:
    """Where the axis is cut, all lanes are torn apart; the length of what is left out stands between."""
    teeth = [
        (top - 3 + tooth * _TOOTH, _TOOTH / 2 * (-1) ** tooth) for tooth in range(int((foot + 6 - top) / _TOOTH) + 2)
    ]
    for cut in chart.scale.cuts:
        left, right = cut.left + PAD, cut.right - PAD
        label = rough(cut.end - cut.start)
        edges = [[(x + depth, y) for y, depth in teeth] for x in (left, right)]
        title = words.CUT.format(length=label, when=stamp(cut.start, cut.end))
        chart.sheet.draw("path", title, d=path([*edges[0], *reversed(edges[1])], closed=True), fill="paper")
        for edge in edges:
            chart.sheet.line(edge, "soft", stroke_width=0.9)
        middle = (left + right) / 2
        chart.sheet.write(label, middle, label_at, fill="soft", text_anchor="middle", font_size=CUT_SIZE)
