"""The timeline chart: milestones, phases, severity, entries and ranges above one axis in UTC."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from bot.domain.document import Document, Mark, TimelineLine
from bot.domain.incident import MILESTONE_TEXTS
from bot.domain.text import format_clock, format_duration, format_range, shorten, strip_code_marks
from bot.export.charts import scale as scale_chart
from bot.export.charts.layout import (
    LEFT,
    Chart,
    ChartLane,
    FlagLabel,
    assign_label_rows,
    assign_lanes,
    draw_axis,
    draw_cuts,
    draw_grid,
    make_chart,
    make_phases_lane,
    make_severity_lane,
    place_flags,
)
from bot.export.charts.scale import (
    end_of_entry,
    find_longest_silence,
    find_phases,
    find_severities,
    format_roughly,
    list_spans,
)
from bot.export.charts.svg import (
    LETTERS,
    MILESTONES,
    WIDTH,
    Caption,
    ChartImage,
    SvgCanvas,
    draw_in_both_widths,
    draw_path,
    format_number,
    make_anchor,
    text_width,
    wrap_text,
)

MAX_MARKS = 120
"""With more entries than this on the whole width, each column of the chart counts them."""
_COLUMN = 4.0
_NUMBER_ROWS = 2
_ENTRY_ROW = 14.0
_MARKS = 22.0
_TOWER = 34.0
_BAR_LANES = 5
# Of the text that shows when a pointer rests on a mark; the whole text is in the table below the chart.
_LONGEST_TITLE = 160
_BESIDE_MARKS = 14.0
_LEAST_QUIET = 4.0  # units: a narrower silence is no more than the space between two marks


def make_entries_lane(chart: Chart) -> ChartLane:
    """Every entry at its time, and the silences between them."""
    timeline = chart.document.timeline
    if len(timeline) > MAX_MARKS * chart.sheet.width / WIDTH:
        return _make_columns_lane(chart)
    labels = [(chart.scale.x(line.happened_at), text_width(str(line.number), LETTERS)) for line in timeline]
    rows = assign_label_rows(labels, _NUMBER_ROWS)
    used = max((row for row in rows if row is not None), default=0) + 1

    def draw(top: float) -> None:
        _draw_silences(chart, top + 3, _MARKS - 6)
        for line, (x, _), row in zip(timeline, labels, rows, strict=True):
            _draw_mark(chart, line, x, top + _MARKS / 2)
            if row is not None:
                _write_number(chart, line, x, top + _MARKS + (row + 1) * _ENTRY_ROW - 3, "middle")

    return ChartLane(scale_chart.ENTRIES, _MARKS + used * _ENTRY_ROW + 2, draw, _MARKS / 2)


def _draw_mark(chart: Chart, line: TimelineLine, x: float, y: float) -> None:
    tone = _entry_tone(line)
    fill, stroke = ("paper", tone) if line.approximate else (tone, "paper")
    if line.milestone:
        corners = draw_path([(x, y - 7), (x + 7, y), (x, y + 7), (x - 7, y)], closed=True)
        chart.sheet.draw("path", _entry_title(line), d=corners, fill=fill, stroke=stroke, stroke_width=1.5)
    else:
        chart.sheet.draw("circle", _entry_title(line), cx=x, cy=y, r=4, fill=fill, stroke=stroke, stroke_width=1.2)


def _entry_tone(line: TimelineLine) -> str:
    return MILESTONES[line.milestone] if line.milestone else "soft"


def _entry_title(line: TimelineLine) -> str:
    when = format_range(line.happened_at, line.ended_at, approximate=line.approximate)
    return shorten(f"#{line.number} {when} {strip_code_marks(line.text)}", _LONGEST_TITLE)


def _write_number(chart: Chart, line: TimelineLine, x: float, y: float, anchor: str) -> None:
    chart.sheet.write(str(line.number), x, y, fill="soft", text_anchor=anchor, font_size=LETTERS)


def _make_columns_lane(chart: Chart) -> ChartLane:
    # For timelines that are too dense for a mark for each entry.
    places = chart.scale.places(line.happened_at for line in chart.document.timeline)
    columns = Counter(int((place - LEFT) // _COLUMN) for place in places)
    most = max(columns.values())

    def draw(top: float) -> None:
        ground = top + _TOWER + 4
        _draw_silences(chart, ground - 16, 16)
        towers = (
            _draw_column(LEFT + column * _COLUMN, ground, max(count / most * _TOWER, 2))
            for column, count in sorted(columns.items())
        )
        chart.sheet.draw("path", d="".join(towers), fill="soft")

    each = format_roughly(timedelta(seconds=_COLUMN / chart.scale.per_second))
    chart.notes.append(scale_chart.NOTE_COLUMNS.format(length=each, most=most))
    return ChartLane(scale_chart.ENTRIES, _TOWER + 8, draw, _TOWER + 4)


def _draw_column(x: float, ground: float, height: float) -> str:
    tall, wide = format_number(height), format_number(_COLUMN - 0.8)
    return f"M{format_number(x)} {format_number(ground)}v-{tall}h{wide}v{tall}z"


def _draw_silences(chart: Chart, top: float, height: float) -> None:
    drawn = False
    for span in chart.quiet:
        left, right = chart.scale.x(span.start), chart.scale.x(span.end)
        if right - left < _LEAST_QUIET or chart.scale.is_cut(span):
            continue
        drawn = True
        label = format_roughly(span.length)
        title = scale_chart.QUIET.format(length=label, when=format_range(*span))
        chart.sheet.draw("rect", title, x=left, y=top, width=right - left, height=height, fill="quiet")
        if text_width(label, LETTERS) + _BESIDE_MARKS <= right - left:
            middle, y = (left + right) / 2, top + height / 2 + 3.5
            chart.sheet.write(label, middle, y, fill="soft", text_anchor="middle", font_size=LETTERS)
    if drawn:
        chart.notes.append(scale_chart.NOTE_QUIET)


def make_ranges_lane(chart: Chart) -> ChartLane | None:
    """The entries with a range, as bars in as many lanes as they need."""
    bars = [_Bar.of(chart, line) for line in chart.document.timeline if end_of_entry(line) > line.happened_at]
    if not bars:
        return None
    lanes = assign_lanes(((bar.room_left, bar.room_right) for bar in bars), _BAR_LANES)
    hidden = lanes.count(None)
    if hidden:
        chart.notes.append(scale_chart.NOTE_RANGES.format(count=hidden))

    def draw(top: float) -> None:
        for bar, lane in zip(bars, lanes, strict=True):
            if lane is not None:
                bar.draw(chart, top + lane * _ENTRY_ROW + 2)

    return ChartLane(scale_chart.RANGES, (max(lane for lane in lanes if lane is not None) + 1) * _ENTRY_ROW + 4, draw)


@dataclass(frozen=True, slots=True)
class _Bar:
    """An entry with a range. Its number takes `room` after the bar, or before it at the edge of the chart."""

    line: TimelineLine
    left: float
    right: float
    room: float
    edge: float

    @classmethod
    def of(cls, chart: Chart, line: TimelineLine) -> "_Bar":
        left, right = chart.scale.x(line.happened_at), chart.scale.x(end_of_entry(line))
        room = text_width(str(line.number), LETTERS) + 8
        return cls(line, left, max(right, left + 3), room, chart.sheet.width)

    @property
    def is_numbered_before(self) -> bool:
        return self.right + self.room > self.edge

    @property
    def room_left(self) -> float:
        return self.left - self.room if self.is_numbered_before else self.left

    @property
    def room_right(self) -> float:
        return self.right + (4 if self.is_numbered_before else self.room)

    def draw(self, chart: Chart, top: float) -> None:
        tone = _entry_tone(self.line)
        look: dict[str, str | float] = {"fill": tone, "stroke": tone}
        if self.line.approximate:
            look = {"fill": "paper", "stroke": tone, "stroke_dasharray": "3 2"}
        chart.sheet.draw(
            "rect", _entry_title(self.line), x=self.left, y=top, width=self.right - self.left, height=7, rx=2, **look
        )
        x, anchor = (self.left - 4, "end") if self.is_numbered_before else (self.right + 4, "start")
        _write_number(chart, self.line, x, top + 7, anchor)


_BOLD = 1.08  # how much wider bold letters are
_BESIDE = 5.0
_MILESTONE_ROW = 34.0
_MILESTONE_ROW_IF_NARROW = 18.0


@dataclass(frozen=True, slots=True)
class _Flag:
    """A milestone that was reached: its label, above the lanes, on a pole that leads to the mark of its entry."""

    tone: str
    name: str
    when: str
    is_approximate: bool
    label: FlagLabel

    def top(self, ground: float, row: float) -> float:
        return ground - (self.label.row + 1) * row


def _place_flags(chart: Chart) -> list[_Flag]:
    texts = [
        (MILESTONE_TEXTS[milestone], f"~{chart.when(at)}" if approximate else chart.when(at))
        for milestone, at, approximate in chart.poles
    ]
    return [
        _Flag(MILESTONES[milestone], name, when, approximate, label)
        for (milestone, _, approximate), (name, when), label in zip(
            chart.poles, texts, _place_labels(chart, texts), strict=True
        )
    ]


def _place_labels(chart: Chart, texts: Sequence[tuple[str, str]]) -> tuple[FlagLabel, ...]:
    poles = [chart.scale.x(at) for _, at, _ in chart.poles]
    if chart.is_narrow:  # each on a line of its own, the first at the top
        rows = reversed(range(len(poles)))
        return tuple(FlagLabel(pole, 0, is_left=False, row=row) for pole, row in zip(poles, rows, strict=True))
    widths = [max(text_width(name, LETTERS) * _BOLD, text_width(when, LETTERS)) + _BESIDE for name, when in texts]
    return place_flags(list(zip(poles, widths, strict=True)), chart.sheet.width)


def _flag_height(chart: Chart) -> float:
    return _MILESTONE_ROW_IF_NARROW if chart.is_narrow else _MILESTONE_ROW


def _draw_poles(chart: Chart, flags: Iterable[_Flag], ground: float, foot: float) -> None:
    row = _flag_height(chart)
    for flag in flags:
        dashed: dict[str, str | float] = {"stroke_dasharray": "4 3"} if flag.is_approximate else {}
        pole = [(flag.label.pole, flag.top(ground, row)), (flag.label.pole, foot)]
        chart.sheet.line(pole, flag.tone, stroke_width=1.4, **dashed)


def _draw_flags(chart: Chart, flags: Iterable[_Flag], ground: float) -> None:
    row = _flag_height(chart)
    for flag in flags:
        pole, y = flag.label.pole, flag.top(ground, row)
        if chart.is_narrow:
            _draw_line_of_flag(chart, flag, y)
            continue
        x, anchor = (pole - _BESIDE, "end") if flag.label.is_left else (pole + _BESIDE, "start")
        look: dict[str, str | float] = {"text_anchor": anchor, "font_size": LETTERS}
        chart.sheet.write(flag.name, x, y + 11, fill=flag.tone, font_weight="600", **look)
        chart.sheet.write(flag.when, x, y + 25, fill="ink", **look)


def _draw_line_of_flag(chart: Chart, flag: _Flag, y: float) -> None:
    """One line of its own: to the right of the pole, or as far right as it fits; poles behind it are covered."""
    when = text_width(flag.when, LETTERS)
    width = when + _BESIDE + text_width(flag.name, LETTERS) * _BOLD
    left = min(flag.label.pole + _BESIDE, chart.sheet.width - width)
    chart.sheet.clear(left - 2, y, width + 2, _MILESTONE_ROW_IF_NARROW - 1)
    chart.sheet.write(flag.when, left, y + 13, fill="ink", font_size=LETTERS)
    name = left + when + _BESIDE
    chart.sheet.write(flag.name, name, y + 13, fill=flag.tone, font_weight="600", font_size=LETTERS)


_HEAD = 28.0
_NOTE = 16.0


def draw_timeline(document: Document) -> ChartImage | None:
    """The timeline of a document, or None if it has no entry. Its size is bounded, whatever the timeline holds."""
    if not document.timeline:
        return None
    description = describe_timeline(document)
    return draw_in_both_widths(lambda sheet, suffix: _draw_sheet(document, description, sheet, suffix))


def _draw_sheet(document: Document, description: str, sheet: SvgCanvas, suffix: str) -> ChartImage:
    drawn = make_chart(document, sheet)
    entries = make_entries_lane(drawn)
    lanes = (make_phases_lane(drawn), make_severity_lane(drawn), entries, make_ranges_lane(drawn))
    flags = _place_flags(drawn)
    top = _write_head(drawn) + max((flag.label.row + 1 for flag in flags), default=0) * _flag_height(drawn)
    tops = list(accumulate((lane.height if lane else 0 for lane in lanes), initial=top))
    marks = tops[2] + entries.marks_at
    draw_grid(drawn, top, tops[-1])
    for order, (lane, lane_top) in enumerate(zip(lanes, tops, strict=False)):
        if order == 1:  # phases are behind the poles, all else is in front of them
            _draw_poles(drawn, flags, top, marks)
        if lane:
            drawn.sheet.write(lane.name, 0, lane_top + 15, fill="soft", font_size=LETTERS)
            lane.draw(lane_top)
    _draw_flags(drawn, flags, top)
    foot = draw_axis(drawn, tops[-1])
    draw_cuts(drawn, top, tops[-1], marks + 3.5)
    height = _write_notes(drawn, foot)
    caption = Caption(make_anchor(document.key, f"timeline{suffix}"), f"Timeline of {document.key}", description)
    return drawn.sheet.picture(caption, height)


def _write_head(chart: Chart) -> float:
    """Write the days and the number of entries. Returns where the head ends."""
    stretches = chart.scale.stretches
    first, last = stretches[0].start.date(), stretches[-1].end.date()
    days = first.isoformat() if first == last else f"{first.isoformat()} to {last.isoformat()}"
    entries = scale_chart.count_entries(len(chart.document.timeline))
    if chart.is_narrow:
        chart.sheet.write(f"{days}, UTC", 0, 14, fill="ink", font_weight="600", font_size=LETTERS)
        chart.sheet.write(entries, 0, 14 + _NOTE, fill="soft", font_size=LETTERS)
        return _HEAD + _NOTE
    chart.sheet.write(f"{days}, UTC", LEFT, 14, fill="ink", font_weight="600", font_size=LETTERS)
    chart.sheet.write(entries, chart.right, 14, fill="soft", text_anchor="end", font_size=LETTERS)
    return _HEAD


def _write_notes(chart: Chart, top: float) -> float:
    """Explain the marks, below the axis. Returns the height of the chart."""
    if any(line.approximate for line in chart.document.timeline):
        chart.notes.append(scale_chart.NOTE_APPROXIMATE)
    if chart.scale.cuts:
        chart.notes.append(scale_chart.NOTE_CUT)
    left = 0 if chart.is_narrow else LEFT
    lines = wrap_text(" ".join(chart.notes), chart.right - left, LETTERS, 10 if chart.is_narrow else 4)
    for row, line in enumerate(lines):
        chart.sheet.write(line, left, top + (row + 1) * _NOTE, fill="soft", font_size=LETTERS)
    return top + len(lines) * _NOTE + 8


_MOST_SEVERITIES = 5


def describe_timeline(document: Document) -> str:
    """What the chart of the timeline shows, in plain sentences, or "" if there is none."""
    if not document.timeline:
        return ""
    shown = list_spans(document)
    first, last = shown[0].start, max(each.end for each in shown)
    with_date = first.date() != last.date()
    reached = [_describe_milestone(mark, mark.at, with_date=with_date) for mark in document.marks if mark.at]
    lasted = [f"{phase.label.lower()} took {format_duration(phase.span.length)}" for phase in find_phases(document)]
    severe = [
        f"sev{each.level} from {_format_time(each.span.start, with_date=with_date)}"
        for each in find_severities(document, last)
    ]
    silence = find_longest_silence(shown)
    count = scale_chart.count_entries(len(document.timeline))
    return " ".join(
        [
            f"Timeline of {document.key}, {format_range(first, last)}, {count}.",
            *_make_sentence("", reached),
            *_make_sentence("Phases: ", lasted),
            *_make_sentence("Severity: ", severe[:_MOST_SEVERITIES]),
            *_make_sentence(
                "",
                [f"The longest silence lasted {format_duration(silence.length)}, {format_range(*silence)}"]
                if silence
                else [],
            ),
        ]
    )


def _describe_milestone(mark: Mark, at: datetime, *, with_date: bool) -> str:
    about = "about " if mark.line and mark.line.approximate else ""
    return f"{MILESTONE_TEXTS[mark.milestone].lower()} {about}{_format_time(at, with_date=with_date)}"


def _format_time(moment: datetime, *, with_date: bool) -> str:
    return f"{moment.date().isoformat()} {format_clock(moment)}" if with_date else format_clock(moment)


def _make_sentence(opening: str, items: list[str]) -> list[str]:
    sentence = opening + ", ".join(items)
    return [f"{sentence[0].upper()}{sentence[1:]}."] if items else []
