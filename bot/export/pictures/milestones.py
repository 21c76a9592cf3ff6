"""The milestones of the timeline's picture: labels on poles that go down to the axis."""

from bot.export.pictures.chart import Chart
from bot.export.pictures.lettering import width
from bot.export.pictures.palette import MILESTONES
from bot.export.pictures.placing import Flag, flags
from bot.export.pictures.sheet import WIDTH
from bot.incident.lifecycle import SAID

_SIZE = 12.0
_BOLD = 1.08  # how much wider bold letters are
_BESIDE = 5.0
_ROW = 34.0


def flags_height(chart: Chart) -> float:
    """Units that the labels take above the lanes."""
    return max((flag.row + 1 for flag in _placed(chart)), default=0) * _ROW


def draw_poles(chart: Chart, top: float, foot: float) -> None:
    """The poles, from the labels down to the marks of their entries."""
    ground = top + flags_height(chart)
    for (milestone, _, approximate), flag in zip(chart.poles, _placed(chart), strict=True):
        dashed: dict[str, str | float] = {"stroke_dasharray": "4 3"} if approximate else {}
        pole = [(flag.pole, _top_of(flag, ground)), (flag.pole, foot)]
        chart.sheet.line(pole, MILESTONES[milestone], stroke_width=1.4, **dashed)


def draw_flags(chart: Chart, top: float) -> None:
    """The labels: which milestone, and when."""
    ground = top + flags_height(chart)
    for (milestone, _, _), (name, when), flag in zip(chart.poles, _words(chart), _placed(chart), strict=True):
        y = _top_of(flag, ground)
        x, anchor = (flag.pole - _BESIDE, "end") if flag.is_left else (flag.pole + _BESIDE, "start")
        look: dict[str, str | float] = {"text_anchor": anchor, "font_size": _SIZE}
        chart.sheet.write(name, x, y + 11, fill=MILESTONES[milestone], font_weight="600", **look)
        chart.sheet.write(when, x, y + 25, fill="ink", **look)


def _top_of(flag: Flag, ground: float) -> float:
    return ground - (flag.row + 1) * _ROW


def _words(chart: Chart) -> list[tuple[str, str]]:
    return [
        (SAID[milestone], f"~{chart.when(at)}" if approximate else chart.when(at))
        for milestone, at, approximate in chart.poles
    ]


def _placed(chart: Chart) -> tuple[Flag, ...]:
    widths = [max(width(name, _SIZE) * _BOLD, width(when, _SIZE)) + _BESIDE for name, when in _words(chart)]
    return flags([(chart.scale.x(at), room) for (_, at, _), room in zip(chart.poles, widths, strict=True)], WIDTH)
