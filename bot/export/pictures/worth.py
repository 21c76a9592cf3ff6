"""Which pictures a document is shown with, and in which of its regions."""

from bot.export.pictures.sheet import Picture
from bot.export.pictures.timeline import timeline_picture
from bot.export.pictures.whys import whys_picture
from bot.incident.document import Document

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
