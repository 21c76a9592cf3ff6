"""Reading exports back the way a reader of them would."""

import re
from collections.abc import Iterator
from itertools import pairwise
from xml.etree.ElementTree import Element

import html5lib
from markdown_it import MarkdownIt
from markdown_it.token import Token

SVG = "{http://www.w3.org/2000/svg}"
_READER = MarkdownIt("gfm-like", {"html": True, "linkify": False, "maxNesting": 100})
_MARKER = re.compile(r"<!-- afterword:[a-z_]+(?: [0-9a-f]{12}){1,2}(?: v[0-9]+)? -->\n")


def headings(markdown: str) -> list[tuple[str, str]]:
    """Level and text of every heading that a reader with raw HTML switched on finds."""
    tokens = _READER.parse(without_front_matter(markdown))
    return [
        (token.tag, _visible(following.children or []))
        for token, following in pairwise(tokens)
        if token.type == "heading_open"
    ]


def block_kinds(markdown: str) -> set[str]:
    """The kinds of everything in the document, inside lines too; the markers of the 14 sections do not count."""
    found = _READER.parse(without_front_matter(markdown))
    tokens = [token for token in found if not _MARKER.fullmatch(token.content)]
    assert len(found) == len(tokens) + 14
    return {token.type for token in tokens} | {child.type for token in tokens for child in token.children or []}


def list_items(markdown: str) -> list[str]:
    """The visible text of every list item, line by line."""
    items: list[list[str]] = []
    open_items: list[list[str]] = []
    for token in _READER.parse(without_front_matter(markdown)):
        if token.type == "list_item_open":
            items.append([])
            open_items.append(items[-1])
        elif token.type == "list_item_close":
            open_items.pop()
        elif token.type == "inline" and open_items:
            open_items[-1].append(_visible(token.children or []))
        elif token.type == "fence" and open_items:
            open_items[-1].append(token.content.removesuffix("\n"))
    return ["\n".join(item) for item in items]


def paragraphs_and_items(markdown: str) -> list[str]:
    """The visible text of every paragraph and every item of a list at the top, in their order."""
    found: list[list[str]] = []
    for token in _READER.parse(without_front_matter(markdown)):
        if token.level == 0 or (token.level == 1 and token.type == "list_item_open"):
            found.append([])
        if token.type == "inline":
            found[-1].append(_visible(token.children or []))
        elif token.type == "fence" and found:
            found[-1].append(token.content.removesuffix("\n"))
    return ["\n".join(one) for one in found]


def without_front_matter(markdown: str) -> str:
    """What follows the second `---`."""
    return markdown.split("\n---\n", 1)[1]


def _visible(children: list[Token]) -> str:
    return "".join("\n" if child.type.endswith("break") else child.content for child in children)


def kinds(markdown: str) -> set[str]:
    """The kinds of everything in it, inside lines too, without `_open` and `_close`."""
    tokens = _READER.parse(markdown)
    every = [*tokens, *(child for token in tokens for child in token.children or [])]
    return {token.type.removesuffix("_open").removesuffix("_close") for token in every}


def read_text(markdown: str) -> str:
    """What is read of it, line by line."""
    found = (one for one in _READER.parse(markdown) if one.type in ("inline", "fence"))
    return "\n".join(_visible(one.children or []) if one.type == "inline" else one.content for one in found)


def page(html: bytes) -> Element:
    """The page as a strict HTML5 parser sees it; it raises at the first error."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)  # type: ignore[no-any-return]


def visible_text(element: Element) -> str:
    """All the text of the body but that of pictures, with every run of white space as one space."""
    body = element.find("body")
    assert body is not None
    return squeeze("".join(_text_of(body)))


def pictures(element: Element) -> list[Element]:
    """The pictures that are drawn on the page."""
    return list(element.iter(f"{SVG}svg"))


def _text_of(element: Element) -> Iterator[str]:
    if element.tag != f"{SVG}svg":
        yield element.text or ""
        for child in element:
            yield from _text_of(child)
            yield child.tail or ""


def squeeze(text: str) -> str:
    """Every run of white space as one space."""
    return " ".join(text.split())


def links(element: Element) -> Iterator[str]:
    """Where the page points to."""
    return (str(found.get("href")) for found in element.iter("a"))


def letters(text: str) -> str:
    """Without blanks and marks of code: a mark that has no other on its own line may find one on a longer."""
    return "".join(text.replace("`", "").replace("'", "").split())
