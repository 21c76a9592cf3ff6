"""Pictures of a document, as SVG: the timeline drawn to scale, and the tree of whys.

Each is written twice: as a file of its own, and for standing inside a page, where it follows the page into the dark.
"""

from bot.export.pictures.sheet import Picture
from bot.export.pictures.timeline import timeline_picture
from bot.export.pictures.whys import whys_picture

__all__ = ["Picture", "timeline_picture", "whys_picture"]
