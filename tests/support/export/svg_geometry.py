"""Reading pictures back: well-formed, harmless, and where their letters stand."""

from dataclasses import dataclass
from itertools import combinations

from lxml import etree

from bot.export.charts import ChartImage
from bot.export.charts.svg import text_width

SVG = "{http://www.w3.org/2000/svg}"
_ALLOWED = {"svg", "title", "desc", "style", "g", "rect", "path", "circle", "text"}
_HARMLESS = {
    *("id", "class", "viewBox", "width", "height", "role", "aria-labelledby", "aria-describedby", "font-family"),
    *("x", "y", "cx", "cy", "r", "rx", "d", "fill", "stroke", "stroke-width", "stroke-dasharray"),
    *("text-anchor", "font-size", "font-weight"),
}
_FLAT = 0.75  # of the font's size: letters above their base line


@dataclass(frozen=True, slots=True)
class Letters:
    """A line of text and the room it takes by the estimate that the pictures are laid out with."""

    text: str
    left: float
    right: float
    top: float
    foot: float

    def covers(self, other: "Letters") -> bool:
        """Whether the two overlap by more than a rounding."""
        return (
            min(self.right, other.right) - max(self.left, other.left) > 0.2
            and min(self.foot, other.foot) - max(self.top, other.top) > 0.2
        )


def parse_picture(svg: str) -> etree._Element:
    """The root of a picture, which must hold nothing but shapes, letters and what describes it."""
    root = etree.fromstring(svg.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    for element in root.iter():
        assert isinstance(element.tag, str), "no comments, no instructions"
        assert element.tag.removeprefix(SVG) in _ALLOWED
        assert set(map(str, element.attrib)) <= _HARMLESS
        assert "url(" not in "".join(map(str, element.attrib.values()))
    return root


def letters(svg: str) -> list[Letters]:
    """Every line of text with its place."""
    return [_letters(element) for element in parse_picture(svg).iter(f"{SVG}text")]


def _letters(element: etree._Element) -> Letters:
    size, x, y = (float(str(element.get(name))) for name in ("font-size", "x", "y"))
    text = element.text or ""
    room = text_width(text, size)
    left = x - room * {"middle": 0.5, "end": 1.0}.get(str(element.get("text-anchor")), 0.0)
    return Letters(text, left, left + room, y - size * _FLAT, y)


def check(picture: ChartImage) -> list[Letters]:
    """The letters of a picture that keeps every rule: all forms harmless, all letters in the frame, large and apart."""
    parse_picture(picture.paper)
    for form in (picture.svg, picture.inline, picture.narrow):
        _check_form(form)
    return letters(picture.svg)


def _check_form(svg: str) -> None:
    _, _, wide, high = map(float, str(parse_picture(svg).get("viewBox")).split())
    found = letters(svg)
    for line in found:
        assert line.left >= -0.2, line
        assert line.right <= wide + 0.2, line
        assert line.top >= 0, line
        assert line.foot <= high, line
    assert [(one, other) for one, other in combinations(found, 2) if one.covers(other)] == []


def find_smallest_type(svg: str, pixels: float) -> float:
    """The size of its smallest letters, in pixels, if it is drawn so wide."""
    root = parse_picture(svg)
    wide = float(str(root.get("viewBox")).split()[2])
    return min(float(str(text.get("font-size"))) for text in root.iter(f"{SVG}text")) * pixels / wide
