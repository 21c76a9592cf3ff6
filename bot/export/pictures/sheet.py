"""What pictures are drawn on: SVG elements, built as a tree and escaped by its writer, in both forms that we need.

Colours stand in attributes, for readers without style sheets (PDF); a page that can turn dark gets a style beside them.
No scripts, no references to anything outside, no ids but the two that name and describe the picture.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from bot.export.pictures.palette import tone
from bot.incident.plain import one_line

WIDTH = 800.0
"""Units: all pictures have the same, so that their letters come out alike; meant for 640 to 900 pixels."""
_FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
_PAINTS = ("fill", "stroke")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a document: `name` is its file name without suffix, of ASCII letters, digits and hyphens.

    `svg` is a file of its own: well-formed XML on white ground, with a size. `inline` stands inside an HTML page: as
    wide as there is room, on the ground of the page, dark where the reader wants it. `paper` is the same for a page
    that becomes a PDF, where nothing but its title is read out. `alternative` says in a few plain sentences what the
    picture shows, for those who do not see it; it is escaped for nothing.
    """

    name: str
    svg: str
    inline: str
    paper: str
    alternative: str


@dataclass(frozen=True, slots=True)
class Caption:
    """What a picture is called: `name` as in `Picture`, `title` is read out first, `alternative` after it."""

    name: str
    title: str
    alternative: str


class Sheet:
    """Collects what is drawn, from back to front; all letters stand before all shapes.

    Attributes have their SVG names, with `_` for `-`, but `fill` and `stroke` name tones of the palette.
    """

    def __init__(self) -> None:
        self._shapes = Element("g")
        self._letters = Element("g")
        self._paints: set[tuple[str, str]] = set()

    def draw(self, tag: str, title: str = "", **attributes: str | float) -> None:
        """Draw a shape; `title` is shown where a mouse rests on it."""
        shape = SubElement(self._shapes, tag)
        self._set(shape, attributes)
        if title:
            SubElement(shape, "title").text = one_line(title)

    def line(self, points: Iterable[tuple[float, float]], stroke: str, **attributes: str | float) -> None:
        """Draw a line from point to point."""
        shape = SubElement(self._shapes, "path")
        self._set(shape, {"d": path(points), "fill": "none", "stroke": stroke, **attributes})

    def write(self, text: str, x: float, y: float, **attributes: str | float) -> None:
        """Write a line of text, literally; y is its base line."""
        letters = SubElement(self._letters, "text")
        self._set(letters, {"x": x, "y": y, **attributes})
        letters.text = one_line(text)

    def clear(self, x: float, y: float, width: float, height: float) -> None:
        """Make room for letters where shapes would run through them."""
        ground = SubElement(self._letters, "rect")
        self._set(ground, {"x": x, "y": y, "width": width, "height": height, "fill": "paper"})

    def _set(self, element: Element, attributes: dict[str, str | float]) -> None:
        classes = []
        for name, value in attributes.items():
            if name in _PAINTS and isinstance(value, str) and value != "none":
                self._paints.add((name, value))
                classes.append(f"{name}-{value}")
                element.set(name, tone(value).light)
            else:
                element.set(name.replace("_", "-"), value if isinstance(value, str) else number(value))
        if classes:
            element.set("class", " ".join(classes))

    def picture(self, caption: Caption, height: float) -> Picture:
        """All that was drawn, in every form."""
        alone = self._root(caption, height, f"{caption.name}-file")
        alone.set("width", number(WIDTH))
        alone.set("height", number(height))
        SubElement(alone, "rect", {"width": "100%", "height": "100%", "fill": tone("paper").light})
        alone.extend((self._shapes, self._letters))
        inside = self._root(caption, height, caption.name)
        inside.set("width", "100%")
        SubElement(inside, "style").text = self._by_night()
        inside.extend((self._shapes, self._letters))
        printed = self._root(Caption(caption.name, caption.alternative, ""), height, caption.name)
        printed.set("width", "100%")
        printed.extend((self._shapes, self._letters))
        return Picture(
            caption.name,
            f'<?xml version="1.0" encoding="UTF-8"?>\n{_written(alone)}\n',
            _written(inside),
            _written(printed),
            one_line(caption.alternative),
        )

    def _root(self, caption: Caption, height: float, anchor: str) -> Element:
        root = Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "class": "afterword-picture",
                "viewBox": f"0 0 {number(WIDTH)} {number(height)}",
                "role": "img",
                "aria-labelledby": f"{anchor}-title",
                "aria-describedby": f"{anchor}-desc",
                "font-family": _FONTS,
            },
        )
        SubElement(root, "title", {"id": f"{anchor}-title"}).text = one_line(caption.title)
        SubElement(root, "desc", {"id": f"{anchor}-desc"}).text = one_line(caption.alternative)
        return root

    def _by_night(self) -> str:
        # Not for print: paper is white.
        rules = (
            f".afterword-picture .{paint}-{name}{{{paint}:{tone(name).dark}}}" for paint, name in sorted(self._paints)
        )
        return f"@media screen and (prefers-color-scheme: dark){{{''.join(rules)}}}"


def number(value: float) -> str:
    """A length as it is written: at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def path(points: Iterable[tuple[float, float]], *, closed: bool = False) -> str:
    """The `d` of a path along straight lines."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) + ("Z" if closed else "")


def anchor_of(key: str, what: str) -> str:
    """`inc-7-timeline`: a name for the picture that no other document's has."""
    return f"{re.sub(r'[^a-z0-9]+', '-', key.lower()).strip('-') or 'incident'}-{what}"


def _written(root: Element) -> str:
    return tostring(root, encoding="unicode")
