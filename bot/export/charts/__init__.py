"""Pictures of a document, as SVG: the timeline drawn to scale, and the tree of whys.

Each is written as a file of its own, for paper, and to stand inside a page, where it follows it into the dark.
`pictures_of` says which are shown.

Which pictures a document is shown with, and in which of its regions.
"""

from bot.domain.document import Document
from bot.export.charts.svg import Picture
from bot.export.charts.timeline import timeline_picture
from bot.export.charts.whys import whys_picture

FEWEST_ENTRIES = 3
FEWEST_WHYS = 3
"""With fewer there is nothing to see that is not read at a glance."""


def pictures_of(document: Document) -> dict[str, Picture]:
    """The pictures that are worth their room, by the region that each stands first in; of a masked copy, masked.

    A region that people wrote anew has none: it would show what they took out.
    """
    drawn = {
        "timeline": timeline_picture(document) if len(document.timeline) >= FEWEST_ENTRIES else None,
        "whys": whys_picture(document) if len(document.whys) >= FEWEST_WHYS else None,
    }
    return {region: picture for region, picture in drawn.items() if picture and not document.texts(region)}


__all__ = ["Picture", "pictures_of", "timeline_picture", "whys_picture"]
