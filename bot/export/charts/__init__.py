"""SVG charts of a document: the timeline to scale, and the tree of whys.

Each is written as a file, for paper, and for a page, where it follows dark mode.
"""

from bot.domain.document import Document
from bot.export.charts.svg import ChartImage
from bot.export.charts.timeline import draw_timeline
from bot.export.charts.whys import draw_whys

FEWEST_ENTRIES = 3
FEWEST_WHYS = 3
"""Fewer are read at a glance without a picture."""


def draw_charts(document: Document) -> dict[str, ChartImage]:
    """The charts that are worth their room, by the region that they are shown in. Those of a masked copy are masked.

    A region that people edited has none, because the chart would show what they removed.
    """
    drawn = {
        "timeline": draw_timeline(document) if len(document.timeline) >= FEWEST_ENTRIES else None,
        "whys": draw_whys(document) if len(document.whys) >= FEWEST_WHYS else None,
    }
    return {region: picture for region, picture in drawn.items() if picture and not document.texts(region)}


__all__ = ["ChartImage", "draw_charts", "draw_timeline", "draw_whys"]
