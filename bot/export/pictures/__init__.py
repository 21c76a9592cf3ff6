"""Pictures of a document, as SVG: the timeline drawn to scale, and the tree of whys.

Each is written as a file of its own, for paper, and to stand inside a page, where it follows it into the dark.
`pictures_of` says which are shown.
"""

from bot.export.pictures.sheet import Picture
from bot.export.pictures.timeline import timeline_picture
from bot.export.pictures.whys import whys_picture
from bot.export.pictures.worth import pictures_of

__all__ = ["Picture", "pictures_of", "timeline_picture", "whys_picture"]
