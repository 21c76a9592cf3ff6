"""Where a text cites an entry, `(#4)`, as a link to it on the same page."""

import re
from collections.abc import Container, Iterator, Sequence

from markdown_it.token import Token

_CITATION = re.compile(r"(?<=\()#([1-9][0-9]{0,8})(?=\))")
_LEADS_TO = re.compile(r'href="#entry-([0-9]+)"')


def anchor(number: int) -> str:
    """What the line of an entry is called on the page."""
    return f"entry-{number}"


def led_to(html: str) -> set[int]:
    """The entries that links of a page lead to."""
    return {int(number) for number in _LEADS_TO.findall(html)}


def linked(line: Sequence[Token], entries: Container[int]) -> Iterator[Token]:
    """The tokens of a line, in which what cites one of these entries is a link; a link stays the link that it is."""
    depth = 0
    for token in line:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type == "text" and not depth and "(#" in token.content:
            yield from _apart(token.content, entries)
        else:
            yield token


def _apart(text: str, entries: Container[int]) -> Iterator[Token]:
    end = 0
    for found in _CITATION.finditer(text):
        number = int(found[1])
        if number in entries:
            yield Token("text", "", 0, content=text[end : found.start()])
            yield Token("link_open", "a", 1, attrs={"href": f"#{anchor(number)}"})
            yield Token("text", "", 0, content=found[0])
            yield Token("link_close", "a", -1)
            end = found.end()
    yield Token("text", "", 0, content=text[end:])
