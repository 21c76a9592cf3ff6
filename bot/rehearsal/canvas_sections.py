"""The sections of a canvas as Slack counts them: each paragraph, heading, table, block of code and item of a list."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.rehearsal.records import ApiRefusal

_SECTION = re.compile(
    r"^(?P<code>```[\s\S]*?^```[ \t]*$)"
    r"|^(?P<h>\#{1,3})[ ].+$"
    r"|^[ ]*(?:[-*+]|[0-9]+[.)])[ ].*$(?:\n[ ]{2,}(?![ ]*[-*+][ ]).+$)*"  # an item, with the lines that it goes on in
    r"|^(?:\|.*\|[ \t]*$\n?)+"
    r"|^(?:(?!\#{1,3}[ ]|[ ]*[-*+][ ]|\||```).*\S.*$\n?)+",
    re.MULTILINE | re.VERBOSE,
)
_SIGNS = re.compile(r"^[ ]*(?:[-*+]|[0-9]+[.)]|\#{1,3}|>)[ ]+|\]\([^)\n]*\)|\\(?=[!-/:-@\[-`{-~])|[*_`~\[]|<(?=http)")
_HEADERS = frozenset({"h1", "h2", "h3"})


@dataclass(frozen=True, slots=True)
class Section:
    """Where a section stands in the canvas's Markdown, what it shows, and its heading's level as `h2`, else empty."""

    start: int
    end: int
    words: str
    header: str


def sections(markdown: str) -> Iterator[Section]:
    """All sections, in order."""
    for found in _SECTION.finditer(markdown):
        text = found[0].rstrip("\n")
        words = text if found["code"] else "\n".join(_SIGNS.sub("", line) for line in text.split("\n"))
        header = f"h{len(found['h'])}" if found["h"] else ""
        yield Section(found.start(), found.start() + len(text), words.strip(), header)


def looked_up(markdown: str, words: str, types: list[str]) -> list[int]:
    """The numbers of the sections that hold the words, and are of one of these types where any is named."""
    wanted = _HEADERS if "any_header" in types else frozenset(types)
    return [
        number
        for number, section in enumerate(sections(markdown))
        if words in section.words and (not wanted or section.header in wanted)
    ]


def changed(markdown: str, operation: str, number: int, content: str) -> str:
    """The Markdown after one change at a section. Raises ApiRefusal."""
    at = next((section for count, section in enumerate(sections(markdown)) if count == number), None)
    if at is None:
        raise ApiRefusal("canvas_editing_failed")
    before, text, after = markdown[: at.start], markdown[at.start : at.end], markdown[at.end :]
    match operation:
        case "replace":
            return f"{before}{content}{after}"
        case "insert_after":
            return f"{before}{text}{_gap(text, content)}{content}{after}"
        case "insert_before":
            return f"{before}{content}{_gap(content, text)}{text}{after}"
        case "delete" if not content:
            return f"{before.rstrip(chr(10))}\n\n{after.lstrip(chr(10))}".strip("\n")
        case _:
            raise ApiRefusal("canvas_editing_failed")


def _gap(first: str, second: str) -> str:
    return "\n" if all(re.match(r" *[-*+] ", text) for text in (first, second)) else "\n\n"
