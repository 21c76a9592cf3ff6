"""SVG elements, colours and text widths.

Colours are attributes, for readers without style sheets (PDF), and classes for dark mode. There are no scripts and no
references to anything outside. Text widths are estimates on the wide side, since no font can be asked.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

from bot.domain.records import Milestone
from bot.domain.text import to_one_line


class Tone(NamedTuple):
    """One colour on a light and on a dark page."""

    light: str
    dark: str


TONES = {
    "paper": Tone("#ffffff", "#14171c"),
    "panel": Tone("#f5f6f8", "#1d2127"),
    "ink": Tone("#1c2128", "#e4e7eb"),
    "soft": Tone("#5b6470", "#9aa4b0"),
    "line": Tone("#dde1e6", "#323842"),
    "accent": Tone("#1f5fa8", "#7db4f5"),
    "red": Tone("#b3261e", "#ff8a80"),
    "orange": Tone("#a84300", "#ffab70"),
    "amber": Tone("#7a5b00", "#e8c95a"),
    "blue": Tone("#1f5fa8", "#7db4f5"),
    "green": Tone("#1a6b3c", "#79d69d"),
}
"""By the names that the style sheet uses."""

TINTS = {
    "quiet": Tone("#eceff2", "#262b33"),
    "pale-red": Tone("#f9e3e1", "#4a2725"),
    "pale-blue": Tone("#dfeaf7", "#1f3653"),
    "pale-green": Tone("#dcefe3", "#1c3d2b"),
}
"""Backgrounds on which ink and soft are readable."""

SEVERITIES = {1: "red", 2: "orange", 3: "amber", 4: "blue"}
MILESTONES = {
    Milestone.IMPACT_STARTED: "red",
    Milestone.DETECTED: "accent",
    Milestone.ACKNOWLEDGED: "accent",
    Milestone.MITIGATED: "green",
    Milestone.RESOLVED: "green",
}


def find_tone(name: str) -> Tone:
    """A colour or a ground by its name."""
    return TONES.get(name) or TINTS[name]


WIDTH = 800.0
"""Units: the same for all charts, so that their letters have the same size. Meant for 670 to 900 pixels."""
NARROW = 360.0
"""Units of the same chart for a phone, where letters of the wide one would be too small. From 340 pixels on."""
LETTERS = 12.0
"""The smallest size of letters, in units: 10 pixels wherever a chart is shown."""
_FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
_PAINTS = ("fill", "stroke")


@dataclass(frozen=True, slots=True)
class ChartImage:
    """A chart in every form. `name` is its file name without suffix: ASCII letters, digits and hyphens.

    `svg` is a file: well-formed XML on white ground, with a size. `inline` is for an HTML page: as wide as there is
    room, transparent, and dark if the reader prefers that; `narrow` is the same, laid out for a phone. `paper` is for a
    page that becomes a PDF, in which only the title of an SVG is read out. `alternative` is plain text of a few
    sentences, not escaped.
    """

    name: str
    svg: str
    inline: str
    narrow: str
    paper: str
    alternative: str


@dataclass(frozen=True, slots=True)
class Caption:
    """The names of a chart: `name` as in `ChartImage`; `title` is read out first, `alternative` after it."""

    name: str
    title: str
    alternative: str


class SvgCanvas:
    """Collects what is drawn, from back to front. All letters are in front of all shapes.

    Attributes have their SVG names, with `_` for `-`, but `fill` and `stroke` name tones of the palette.
    """

    def __init__(self, width: float = WIDTH) -> None:
        self.width = width
        self._shapes = Element("g")
        # A group of their own, so that no shape that is drawn later covers a label.
        self._letters = Element("g")
        self._paints: set[tuple[str, str]] = set()

    def draw(self, tag: str, title: str = "", **attributes: str | float) -> None:
        """Draw a shape. `title` shows under a resting mouse."""
        shape = SubElement(self._shapes, tag)
        self._set(shape, attributes)
        if title:
            SubElement(shape, "title").text = to_one_line(title)

    def line(self, points: Iterable[tuple[float, float]], stroke: str, **attributes: str | float) -> None:
        """Draw a line from point to point."""
        shape = SubElement(self._shapes, "path")
        self._set(shape, {"d": draw_path(points), "fill": "none", "stroke": stroke, **attributes})

    def write(self, text: str, x: float, y: float, **attributes: str | float) -> None:
        """Write a line of literal text with its base line at `y`."""
        letters = SubElement(self._letters, "text")
        self._set(letters, {"x": x, "y": y, **attributes})
        letters.text = to_one_line(text)

    def clear(self, x: float, y: float, width: float, height: float) -> None:
        """Cover shapes that would run through letters."""
        ground = SubElement(self._letters, "rect")
        self._set(ground, {"x": x, "y": y, "width": width, "height": height, "fill": "paper"})

    def _set(self, element: Element, attributes: dict[str, str | float]) -> None:
        classes = []
        for name, value in attributes.items():
            if name in _PAINTS and isinstance(value, str) and value != "none":
                self._paints.add((name, value))
                classes.append(f"{name}-{value}")
                element.set(name, find_tone(value).light)
            else:
                element.set(name.replace("_", "-"), value if isinstance(value, str) else format_number(value))
        if classes:
            element.set("class", " ".join(classes))

    def picture(self, caption: Caption, height: float) -> ChartImage:
        """The drawing in every form, in this width alone: `narrow` is empty."""
        alone = self._root(caption, height, f"{caption.name}-file")
        alone.set("width", format_number(self.width))
        alone.set("height", format_number(height))
        SubElement(alone, "rect", {"width": "100%", "height": "100%", "fill": find_tone("paper").light})
        alone.extend((self._shapes, self._letters))
        inside = self._root(caption, height, caption.name)
        inside.set("width", "100%")
        SubElement(inside, "style").text = self._by_night()
        inside.extend((self._shapes, self._letters))
        printed = self._root(Caption(caption.name, caption.alternative, ""), height, caption.name)
        printed.set("width", "100%")
        printed.extend((self._shapes, self._letters))
        return ChartImage(
            caption.name,
            f'<?xml version="1.0" encoding="UTF-8"?>\n{_serialize(alone)}\n',
            _serialize(inside),
            "",
            _serialize(printed),
            to_one_line(caption.alternative),
        )

    def _root(self, caption: Caption, height: float, anchor: str) -> Element:
        root = Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "class": "afterword-picture",
                "viewBox": f"0 0 {format_number(self.width)} {format_number(height)}",
                "role": "img",
                "aria-labelledby": f"{anchor}-title",
                "aria-describedby": f"{anchor}-desc",
                "font-family": _FONTS,
            },
        )
        SubElement(root, "title", {"id": f"{anchor}-title"}).text = to_one_line(caption.title)
        SubElement(root, "desc", {"id": f"{anchor}-desc"}).text = to_one_line(caption.alternative)
        return root

    def _by_night(self) -> str:
        # Not for print: paper is white.
        rules = (
            f".afterword-picture .{paint}-{name}{{{paint}:{find_tone(name).dark}}}"
            for paint, name in sorted(self._paints)
        )
        return f"@media screen and (prefers-color-scheme: dark){{{''.join(rules)}}}"


def write_dark_rules() -> str:
    """The colours of all charts on a dark page, for a style sheet: where a chart may not have a style of its own."""
    names = (*TONES, *TINTS)
    return "\n".join(
        f"  .afterword-picture .{paint}-{name} {{ {paint}: {find_tone(name).dark}; }}"
        for name in names
        for paint in _PAINTS
    )


_STYLE = re.compile(r"<style>[^<]*</style>")


def drop_style(svg: str) -> str:
    """A chart without its own style, for a page that allows none: the page's sheet has `write_dark_rules`."""
    return _STYLE.sub("", svg)


def draw_in_both_widths(draw: Callable[[SvgCanvas, str], ChartImage]) -> ChartImage:
    """The chart in its width, with its narrow form. `draw` is given a sheet, and what to add to the chart's name."""
    return replace(draw(SvgCanvas(), ""), narrow=draw(SvgCanvas(NARROW), "-narrow").inline)


def format_number(value: float) -> str:
    """A length with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def draw_path(points: Iterable[tuple[float, float]], *, closed: bool = False) -> str:
    """The `d` of a path along straight lines."""
    return "M" + "L".join(f"{format_number(x)} {format_number(y)}" for x, y in points) + ("Z" if closed else "")


def make_anchor(key: str, what: str) -> str:
    """`inc-7-timeline`: a name that is unique among the charts of all documents."""
    return f"{re.sub(r'[^a-z0-9]+', '-', key.lower()).strip('-') or 'incident'}-{what}"


def _serialize(root: Element) -> str:
    return tostring(root, encoding="unicode")


ELLIPSIS = "…"
_NARROW = frozenset("iljtfrI.,:;'|!()[]{} `\"-/\\")
_BROAD = frozenset("mwMW@%&—…")
_COMBINING = ("Mn", "Me", "Cf")
_READ_PER_LINE = 400  # characters looked at: a text may be a whole log, and a line holds a hundred at most


def text_width(text: str, size: float) -> float:
    """How wide a line of text is at a font size, in any of the usual sans serif fonts."""
    return sum(map(_width_share, text)) * size


def _width_share(character: str) -> float:
    # As a share of the font size, on the wide side.
    if character.isascii():
        if character in _NARROW:
            return 0.42
        return 1.0 if character in _BROAD else 0.72 if character.isupper() else 0.63
    if unicodedata.category(character) in _COMBINING:
        return 0
    return 1.26 if unicodedata.east_asian_width(character) in "WF" else 1.0 if character in _BROAD else 0.75


def _fit_beginning(text: str, room: float, size: float) -> str:
    # At least one character, so that the caller always gets further.
    taken = 0.0
    for index, character in enumerate(text):
        taken += _width_share(character) * size
        if taken > room and index:
            return text[:index]
    return text


def wrap_text(text: str, room: float, size: float, most: int) -> tuple[str, ...]:
    """The text in at most `most` lines, broken between words if possible. If it is cut, it ends in an ellipsis.

    Line ends in the text count as spaces.
    """
    lines: list[str] = []
    for word in _split_long_words(text[: most * _READ_PER_LINE].split(), room, size):
        if lines and text_width(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        elif len(lines) == most:
            return (*lines[:-1], _add_ellipsis(lines[-1], room, size))
        else:
            lines.append(word)
    return tuple(lines)


def _add_ellipsis(line: str, room: float, size: float) -> str:
    return _fit_beginning(line, room - text_width(ELLIPSIS, size), size).rstrip() + ELLIPSIS


def _split_long_words(words: list[str], room: float, size: float) -> Iterator[str]:
    for word in words:
        rest = word
        while text_width(rest, size) > room:
            piece = _fit_beginning(rest, room, size)
            if piece == rest:
                break
            yield piece
            rest = rest[len(piece) :]
        yield rest
