"""The timeline as a picture: milestones, phases, severity and entries above one axis in UTC, drawn to scale."""

from itertools import accumulate

from bot.export.pictures import words
from bot.export.pictures.alternatives import timeline_alternative
from bot.export.pictures.axis import draw_axis, draw_cuts, draw_grid
from bot.export.pictures.bands import phases_lane, severity_lane
from bot.export.pictures.chart import LEFT, RIGHT, Chart, chart
from bot.export.pictures.entries import entries_lane, ranges_lane
from bot.export.pictures.lettering import wrapped
from bot.export.pictures.milestones import draw_flags, draw_poles, flags_height
from bot.export.pictures.sheet import Caption, Picture, anchor_of
from bot.incident.document import Document

_HEAD = 28.0
_SIZE = 12.0
_SMALL = 10.5
_NOTE = 15.0


def timeline_picture(document: Document) -> Picture | None:
    """The timeline of a document, or None where it has no entry.

    Deterministic; bounded in size whatever the timeline holds.
    """
    if not document.timeline:
        return None
    drawn = chart(document)
    entries = entries_lane(drawn)
    lanes = (phases_lane(drawn), severity_lane(drawn), entries, ranges_lane(drawn))
    top = _HEAD + flags_height(drawn)
    tops = list(accumulate((lane.height if lane else 0 for lane in lanes), initial=top))
    marks = tops[2] + entries.marks_at
    _write_head(drawn)
    draw_grid(drawn, top, tops[-1])
    for order, (lane, lane_top) in enumerate(zip(lanes, tops, strict=False)):
        if order == 1:  # the phases stand behind the poles, all else before them
            draw_poles(drawn, _HEAD, marks)
        if lane:
            drawn.sheet.write(lane.name, 0, lane_top + 15, fill="soft", font_size=_SMALL)
            lane.draw(lane_top)
    draw_flags(drawn, _HEAD)
    foot = draw_axis(drawn, tops[-1])
    draw_cuts(drawn, top, tops[-1], marks + 3.5)
    height = _write_notes(drawn, foot)
    caption = Caption(
        anchor_of(document.key, "timeline"), f"Timeline of {document.key}", timeline_alternative(document)
    )
    return drawn.sheet.picture(caption, height)


def _write_head(chart: Chart) -> None:
    stretches = chart.scale.stretches
    first, last = stretches[0].start.date(), stretches[-1].end.date()
    days = first.isoformat() if first == last else f"{first.isoformat()} to {last.isoformat()}"
    entries = words.entries(len(chart.document.timeline))
    chart.sheet.write(f"{days}, UTC", LEFT, 14, fill="ink", font_weight="600", font_size=_SIZE)
    chart.sheet.write(entries, RIGHT, 14, fill="soft", text_anchor="end", font_size=_SIZE)


def _write_notes(chart: Chart, top: float) -> float:
    """What the marks mean, below the axis; the height of the whole picture."""
    if any(line.approximate for line in chart.document.timeline):
        chart.notes.append(words.NOTE_APPROXIMATE)
    if chart.scale.cuts:
        chart.notes.append(words.NOTE_CUT)
    lines = wrapped(" ".join(chart.notes), RIGHT - LEFT, _SMALL, 4)
    for row, line in enumerate(lines):
        chart.sheet.write(line, LEFT, top + (row + 1) * _NOTE, fill="soft", font_size=_SMALL)
    return top + len(lines) * _NOTE + 8
