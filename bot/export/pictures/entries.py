"""The lanes of the entries: a mark for each, or how many there were where they are too many, and bars for ranges."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from bot.export.pictures import words
from bot.export.pictures.chart import LEFT, Chart, Lane
from bot.export.pictures.lettering import width
from bot.export.pictures.palette import MILESTONES
from bot.export.pictures.phases import until
from bot.export.pictures.placing import lanes, thinned
from bot.export.pictures.scale import rough
from bot.export.pictures.sheet import WIDTH, number, path
from bot.export.times import stamp
from bot.incident.code import bare
from bot.incident.lines import Line
from bot.incident.text import shortened

MOST_MARKS = 120
"""With more entries than this, each column of the picture tells how many there were."""
_COLUMN = 4.0
_SMALL = 10.0
_NUMBER_ROWS = 2
_ROW = 12.0
_MARKS = 22.0
_TOWER = 34.0
_BAR_LANES = 5
_LONGEST_TITLE = 160
_BESIDE_MARKS = 14.0
_LEAST_QUIET = 4.0  # units: a narrower silence is no more than the space between two marks


def entries_lane(chart: Chart) -> Lane:
    """Every entry at its time, and the silences between them."""
    timeline = chart.document.timeline
    if len(timeline) > MOST_MARKS:
        return _towers(chart)
    labels = [(chart.scale.x(line.happened_at), width(str(line.number), _SMALL)) for line in timeline]
    rows = thinned(labels, _NUMBER_ROWS)
    used = max((row for row in rows if row is not None), default=0) + 1

    def draw(top: float) -> None:
        _silences(chart, top + 3, _MARKS - 6)
        for line, (x, _), row in zip(timeline, labels, rows, strict=True):
            _mark(chart, line, x, top + _MARKS / 2)
            if row is not None:
                _number(chart, line, x, top + _MARKS + (row + 1) * _ROW - 3, "middle")

    return Lane(words.ENTRIES, _MARKS + used * _ROW + 2, draw, _MARKS / 2)


def _mark(chart: Chart, line: Line, x: float, y: float) -> None:
    tone = _tone(line)
    fill, stroke = ("paper", tone) if line.approximate else (tone, "paper")
    if line.milestone:
        corners = path([(x, y - 7), (x + 7, y), (x, y + 7), (x - 7, y)], closed=True)
        chart.sheet.draw("path", _title(line), d=corners, fill=fill, stroke=stroke, stroke_width=1.5)
    else:
        chart.sheet.draw("circle", _title(line), cx=x, cy=y, r=4, fill=fill, stroke=stroke, stroke_width=1.2)


def _tone(line: Line) -> str:
    return MILESTONES[line.milestone] if line.milestone else "soft"


def _title(line: Line) -> str:
    when = stamp(line.happened_at, line.ended_at, approximate=line.approximate)
    return shortened(f"#{line.number} {when} {bare(line.text)}", _LONGEST_TITLE)


def _number(chart: Chart, line: Line, x: float, y: float, anchor: str) -> None:
    chart.sheet.write(str(line.number), x, y, fill="soft", text_anchor=anchor, font_size=_SMALL)


def _towers(chart: Chart) -> Lane:
    """How many entries each column holds, for timelines that are too dense for a mark each."""
    columns = Counter(int((chart.scale.x(line.happened_at) - LEFT) // _COLUMN) for line in chart.document.timeline)
    most = max(columns.values())

    def draw(top: float) -> None:
        ground = top + _TOWER + 4
        _silences(chart, ground - 16, 16)
        towers = (
            _tower(LEFT + column * _COLUMN, ground, max(count / most * _TOWER, 2))
            for column, count in sorted(columns.items())
        )
        chart.sheet.draw("path", d="".join(towers), fill="soft")

    each = rough(timedelta(seconds=_COLUMN / chart.scale.per_second))
    chart.notes.append(words.NOTE_COLUMNS.format(length=each, most=most))
    return Lane(words.ENTRIES, _TOWER + 8, draw, _TOWER + 4)


def _tower(x: float, ground: float, height: float) -> str:
    return f"M{number(x)} {number(ground)}v-{number(height)}h{number(_COLUMN - 0.8)}v{number(height)}z"


def _silences(chart: Chart, top: float, height: float) -> None:
    drawn = False
    for span in chart.quiet:
        left, right = chart.scale.x(span.start), chart.scale.x(span.end)
        if right - left < _LEAST_QUIET or chart.scale.is_cut(span):
            continue
        drawn = True
        label = rough(span.length)
        title = words.QUIET.format(length=label, when=stamp(*span))
        chart.sheet.draw("rect", title, x=left, y=top, width=right - left, height=height, fill="quiet")
        if width(label, _SMALL) + _BESIDE_MARKS <= right - left:
            middle, y = (left + right) / 2, top + height / 2 + 3.5
            chart.sheet.write(label, middle, y, fill="soft", text_anchor="middle", font_size=_SMALL)
    if drawn:
        chart.notes.append(words.NOTE_QUIET)


def ranges_lane(chart: Chart) -> Lane | None:
    """The entries that lasted, as bars in as many lanes as keep them apart."""
    bars = [_Bar.of(chart, line) for line in chart.document.timeline if until(line) > line.happened_at]
    if not bars:
        return None
    found = lanes(((bar.room_left, bar.room_right) for bar in bars), _BAR_LANES)
    hidden = found.count(None)
    if hidden:
        chart.notes.append(words.NOTE_RANGES.format(count=hidden))

    def draw(top: float) -> None:
        for bar, lane in zip(bars, found, strict=True):
            if lane is not None:
                bar.draw(chart, top + lane * _ROW + 2)

    return Lane(words.RANGES, (max(lane for lane in found if lane is not None) + 1) * _ROW + 4, draw)


@dataclass(frozen=True, slots=True)
class _Bar:
    """An entry that lasted; its number takes `room` behind the bar, or before it at the edge of the picture."""

    line: Line
    left: float
    right: float
    room: float

    @classmethod
    def of(cls, chart: Chart, line: Line) -> "_Bar":
        left, right = chart.scale.x(line.happened_at), chart.scale.x(until(line))
        return cls(line, left, max(right, left + 3), width(str(line.number), _SMALL) + 8)

    @property
    def is_numbered_before(self) -> bool:
        return self.right + self.room > WIDTH

    @property
    def room_left(self) -> float:
        return self.left - self.room if self.is_numbered_before else self.left

    @property
    def room_right(self) -> float:
        return self.right + (4 if self.is_numbered_before else self.room)

    def draw(self, chart: Chart, top: float) -> None:
        tone = _tone(self.line)
        look: dict[str, str | float] = {"fill": tone, "stroke": tone}
        if self.line.approximate:
            look = {"fill": "paper", "stroke": tone, "stroke_dasharray": "3 2"}
        chart.sheet.draw(
            "rect", _title(self.line), x=self.left, y=top, width=self.right - self.left, height=7, rx=2, **look
        )
        x, anchor = (self.left - 4, "end") if self.is_numbered_before else (self.right + 4, "start")
        _number(chart, self.line, x, top + 7, anchor)
