"""The lanes of the timeline's picture that are filled from side to side: phases and severity."""

from dataclasses import dataclass

from bot.export.pictures import words
from bot.export.pictures.chart import LEFT, Chart, Lane
from bot.export.pictures.lettering import width
from bot.export.pictures.palette import SEVERITIES
from bot.export.pictures.phases import Phase, phases, severities
from bot.export.pictures.placing import pieces, side_by_side
from bot.export.pictures.scale import PAD, rough
from bot.export.pictures.sheet import WIDTH

_SIZE = 12.0
_SMALL = 10.5
_BAND = 22.0
_STRIP = 15.0
_MARGIN = 7.0
_LETTERS_BELOW = 18.0


@dataclass(frozen=True, slots=True)
class _Band:
    """A phase on the axis; its words begin at `words_at`, or stand below the band where that is None."""

    phase: Phase
    label: str
    left: float
    right: float
    words_at: float | None

    @property
    def room(self) -> tuple[float, float]:
        """The middle of the band, and the width of its words."""
        return (self.left + self.right) / 2, width(self.label, _SIZE)


def phases_lane(chart: Chart) -> Lane | None:
    """A band for each phase, with its length; beside or below it, where the band is too narrow for the words."""
    bands = _bands(chart)
    if not bands:
        return None
    below = [band for band in bands if band.words_at is None]
    starts = side_by_side([band.room for band in below], LEFT, WIDTH)

    def draw(top: float) -> None:
        for band in bands:
            _draw_band(chart, band, top)
        for band, start in zip(below, starts, strict=True):
            middle, room = band.room
            y = top + _BAND
            chart.sheet.line([(middle, y), (middle, y + 3), (start + room / 2, y + 7)], band.phase.tone)
            chart.sheet.clear(start - 2, y + 7, room + 2, 14)
            chart.sheet.write(band.label, start, y + _LETTERS_BELOW, fill="ink", font_size=_SIZE)

    return Lane(words.PHASES, _BAND + (_LETTERS_BELOW if below else 0) + 7, draw)


def _draw_band(chart: Chart, band: _Band, top: float) -> None:
    long = max(band.right - band.left, 1.5)
    chart.sheet.draw("rect", x=band.left, y=top, width=long, height=_BAND, fill=band.phase.ground)
    chart.sheet.draw("rect", x=band.left, y=top, width=min(long, 2.5), height=_BAND, fill=band.phase.tone)
    if band.words_at is not None:
        chart.sheet.write(band.label, band.words_at, top + 15.5, fill="ink", font_size=_SIZE)


def _bands(chart: Chart) -> list[_Band]:
    told = tuple(phases(chart.document))
    ends = [(chart.scale.x(phase.span.start), chart.scale.x(phase.span.end)) for phase in told]
    taken = [*_cuts(chart), *((x, x) for x in (chart.scale.x(at) for _, at, _ in chart.poles))]
    found = []
    for phase, (left, right) in zip(told, ends, strict=True):
        label = f"{phase.label} {rough(phase.span.length)}"
        room = width(label, _SIZE) + 2 * _MARGIN
        start = _first_room(pieces(left, right, taken), room)
        others = [*taken, *(end for end in ends if end != (left, right))]
        if start is None:
            start = _room_beside((left, right), others, room)
        if start is not None:
            taken.append((start, start + room))
        found.append(_Band(phase, label, left, right, None if start is None else start + _MARGIN))
    return found


_Pieces = tuple[tuple[float, float], ...]


def _first_room(free: _Pieces, room: float) -> float | None:
    return next((start for start, end in free if end - start >= room), None)


def _room_beside(band: tuple[float, float], taken: list[tuple[float, float]], room: float) -> float | None:
    """Where words can stand that touch a band from outside: those before it end at it, those behind it begin there."""
    left, right = band
    before = [piece for piece in pieces(LEFT, left, taken) if piece[1] == left and left - piece[0] >= room]
    if before:
        return left - room
    return _first_room(tuple(piece for piece in pieces(right, WIDTH, taken) if piece[0] == right), room)


def _cuts(chart: Chart) -> list[tuple[float, float]]:
    """Where the axis is cut, what is drawn is torn away."""
    return [(cut.left + PAD / 2, cut.right - PAD / 2) for cut in chart.scale.cuts]


def severity_lane(chart: Chart) -> Lane | None:
    """How severe the incident was taken to be, over time."""
    told = severities(chart.document, chart.scale.stretches[-1].end)
    if not told:
        return None

    def draw(top: float) -> None:
        for severe in told:
            left, right = chart.scale.x(severe.span.start), chart.scale.x(severe.span.end)
            label, tone = f"sev{severe.level}", SEVERITIES[severe.level]
            chart.sheet.draw("rect", label, x=left, y=top + 2, width=right - left, height=_STRIP, fill=tone)
            start = _first_room(pieces(left, right, _cuts(chart)), width(label, _SMALL) + 2 * _MARGIN)
            if start is not None:
                chart.sheet.write(label, start + _MARGIN, top + 13.3, fill="paper", font_weight="600", font_size=_SMALL)

    return Lane(words.SEVERITY, _STRIP + 9, draw)
