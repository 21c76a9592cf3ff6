"""SVG charts of a document: the timeline to scale, and the tree of whys.

Each is written as a file, for paper, and for a page, where it follows dark mode.
"""

from bot.domain.document import Document
from bot.export.charts.svg import ChartImage, write_dark_rules
from bot.export.charts.timeline import draw_timeline
from bot.export.charts.whys import draw_whys

FEWEST_ENTRIES = 3
FEWEST_WHYS = 3
"""Fewer are read at a glance without a picture."""


def draw_charts(document: Document) -> dict[str, ChartImage]:
    """The charts that are worth their room, by the region that they are shown in. Those of a masked copy are masked.

    A chain of whys without a branch has none: its list is as clear. Neither has a region that people edited, because
    the chart would show what they removed.
    """
    drawn = {
        "timeline": draw_timeline(document) if len(document.timeline) >= FEWEST_ENTRIES else None,
        "whys": draw_whys(document) if _is_tree(document) else None,
    }
    return {region: picture for region, picture in drawn.items() if picture and not document.texts(region)}


def _is_tree(document: Document) -> bool:
    chains = sum(step.parent is None for step in document.whys)
    has_branch = chains > 1 or any(step.is_branch for step in document.whys)
    return len(document.whys) >= FEWEST_WHYS and has_branch


__all__ = ["ChartImage", "draw_charts", "draw_timeline", "draw_whys", "write_dark_rules"]
