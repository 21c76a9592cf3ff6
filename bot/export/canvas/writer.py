"""Document to a Slack canvas: Markdown within the limits of `canvases.create`.

Headings have three levels, tables at most 300 cells, HTML is not allowed. `![](@U…)` and `![](#C…)` are mentions
there: no text of people may become one, so a document never pings anybody. A canvas has no room for markers; its
regions are found again by their headings.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from jinja2.sandbox import SandboxedEnvironment
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from bot.domain.document import Document
from bot.export import escape
from bot.export.markdown import MarkdownWriter
from bot.export.markdown_reader import MarkdownReader, inline_content, visible_text
from bot.export.team_templates import NO_OVERRIDE, TemplateOverride

_DEEPEST_HEADING = 3
_MAX_CELLS = 300
_INDENT = 4
_MARKS = {"strong": "**", "em": "*", "s": "~~"}
_MARKUP = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|$)"
    r"|`"
    r"|(?<! )\*|\*(?! )"
    r"|(?<!\w)_+|_+(?!\w)"
    r"|(?<=\S)~+|~{2,}"
    r"|!(?=\[|$)|(?<=!)\[|\[(?=])|](?=[\[(:])|(?<=])\("  # mentions, links, pictures, definitions
    r"|<(?=[A-Za-z/!?@#]|[^\s<>]*@)"
    r"|&(?=#?[0-9A-Za-z]{1,40};)"
    r"|^:::"  # callouts
)
_BRACKET = re.compile(r"(?<!\\)[\[\]]")
_CLOSES_HEADING = re.compile(r"(?<!\\)#+\Z")
_IN_ADDRESS = str.maketrans({"(": "%28", ")": "%29"})


class CanvasMarkdown:
    """Renders blocks and lines."""

    def __init__(self, reader: MarkdownReader) -> None:
        self._reader = reader
        self._writers: dict[str, Callable[[SyntaxTreeNode], str]] = {
            "paragraph": lambda node: _render_paragraph(inline_content(node)),
            "heading": _render_heading,
            "blockquote": lambda node: _quote("\n\n".join(self._all(node))),
            "bullet_list": lambda node: "\n".join(self._items(node)),
            "ordered_list": lambda node: "\n".join(self._items(node)),
            "fence": _render_code,
            "code_block": _render_code,
            "hr": lambda _: "---",
            "table": _render_table,
        }

    def render_pieces(self, markdown: str) -> Iterator[str]:
        """What the blocks are made of, so that they may be cut anywhere between: joined they are the whole."""
        for node in self._reader.parse_blocks(markdown, render_line):
            if node.type.endswith("_list"):
                yield from (f"{item}\n" for item in self._items(node))
                yield "\n"
            else:
                yield f"{self._writers[node.type](node)}\n\n"

    def render_line(self, markdown: str) -> str:
        """One line, such as a heading without its number signs."""
        return self._reader.render_line(markdown, render_line)

    def _all(self, node: SyntaxTreeNode) -> list[str]:
        return [self._writers[child.type](child) for child in node.children]

    def _items(self, node: SyntaxTreeNode) -> Iterator[str]:
        start = int(node.attrs.get("start", 1))
        for number, item in enumerate(node.children, start):
            yield self._item(item, f"{number}." if node.type == "ordered_list" else "-")

    def _item(self, item: SyntaxTreeNode, sign: str) -> str:
        """An item; what belongs to it stands four spaces in, which is where canvases look for it."""
        text = ""
        for child, written in zip(item.children, self._all(item), strict=True):
            gap = "\n" if child.type.endswith("_list") else "\n\n"
            text += (gap if text else "") + written
        return _indent(f"{sign} {text}", " " * max(_INDENT, len(sign) + 1)).rstrip()


def render_line(tokens: Sequence[Token]) -> str:
    """The tokens of one line; in what comes back a line end is a break."""
    line = _LineBuilder()
    for token in tokens:
        line.add(token)
    return "".join(line.written)


class _LineBuilder:
    """A line in the making: the marks of emphasis must touch their text, and must not touch each other."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self._open: list[str] = []
        """What closes each that is open; empty where its mark was left out."""

    def add(self, token: Token) -> None:
        kind = token.type.rpartition("_")[0]
        if token.type == "link_open":
            self.written.append("[")
            self._open.append(f"]({str(token.attrs['href']).translate(_IN_ADDRESS)})")
        elif token.nesting > 0:
            self._begin(_MARKS[kind])
        elif token.nesting < 0:
            self._end(self._open.pop())
        else:
            self._leaf(token)

    def _begin(self, mark: str) -> None:
        is_touching = bool(self.written) and self.written[-1].endswith(mark[0])
        self._open.append("" if is_touching else mark)
        self._put("" if is_touching else mark)

    def _end(self, closing: str) -> None:
        if not closing:
            return
        last = self.written.pop()
        if closing.startswith("]"):
            self._put(last, _escape_brackets(escape_text(closing[2:-1])) if last == "[" else "", closing)
        elif last != closing:  # else nothing stands between the marks
            text = last.rstrip()
            self._put(text, closing, last[len(text) :])

    def _leaf(self, token: Token) -> None:
        match token.type:
            case "softbreak":
                self._text(" ")
            case "hardbreak":
                self._text("  \n")
            case "code_inline":
                self.written.append(escape.code(token.content) or " ")
            case _:
                self._text(self._shown(token.content))

    def _shown(self, content: str) -> str:
        if any(closing.startswith("]") for closing in self._open):
            return _escape_brackets(escape_text(content))
        return escape_and_link(content)

    def _text(self, text: str) -> None:
        if self.written and self._open and self.written[-1] == self._open[-1]:  # behind a mark that has just opened
            bare = text.lstrip()
            self._put(text[: len(text) - len(bare)], self.written.pop(), bare)
        else:
            self._put(text)

    def _put(self, *pieces: str) -> None:
        self.written += filter(None, pieces)


def escape_text(text: str) -> str:
    """One line of plain text as it is, escaped only where a character would take effect."""
    return _MARKUP.sub(_escape_match, text)


def escape_and_link(text: str) -> str:
    """The same with its web addresses as links."""
    written, end = [], 0
    for found in escape.WEB_ADDRESS.finditer(text):
        label = _escape_brackets(escape_text(found[0]))
        written += [escape_text(text[end : found.start()]), f"[{label}]({found[0].translate(_IN_ADDRESS)})"]
        end = found.end()
    return "".join([*written, escape_text(text[end:])])


def _escape_match(found: re.Match[str]) -> str:
    # `<@U1>` is a mention for some readers even behind a backslash; a character reference is one for none.
    return "&lt;" if found[0] == "<" else "".join(f"\\{character}" for character in found[0])


def _escape_brackets(marked: str) -> str:
    return _BRACKET.sub(lambda found: f"\\{found[0]}", marked)


def _render_paragraph(lines: str) -> str:
    # Behind the sign of an item, two empty lines would end it, and what follows would be code.
    return "\n".join(escape.escape_line_start(line) for line in lines.lstrip(" \n").split("\n"))


def _render_heading(node: SyntaxTreeNode) -> str:
    level = int(node.tag[1])
    text = escape_heading(inline_content(node))
    if level <= _DEEPEST_HEADING or not text:
        return f"{'#' * min(level, _DEEPEST_HEADING)} {text}".rstrip()
    return _render_paragraph(text) if "*" in text else f"**{text}**"


def escape_heading(line: str) -> str:
    """A line that ends a heading, where closing `#` would vanish."""
    return _CLOSES_HEADING.sub(lambda found: "\\#" * len(found[0]), line.replace("  \n", " "))


def _quote(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


def _indent(text: str, margin: str) -> str:
    return "\n".join(f"{margin}{line}" if index and line else line for index, line in enumerate(text.split("\n")))


def _render_code(node: SyntaxTreeNode) -> str:
    language = re.match(r"[A-Za-z0-9+#-]{0,20}(?=\s|\Z)", node.info.strip())
    return escape.code_block(node.content.removesuffix("\n"), language[0] if language else "")


def _render_table(node: SyntaxTreeNode) -> str:
    rows = [[inline_content(cell) for cell in row.children] for part in node.children for row in part.children]
    if sum(map(len, rows)) > _MAX_CELLS:
        return "\n".join(f"- {_render_paragraph(' · '.join(filter(None, row)))}" for row in rows)
    written = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([written[0], "|" + " --- |" * len(rows[0]), *written[1:]])


MAX_BYTES = 1_000_000
"""Bytes; Slack takes 1 MiB."""


_ROOM_FOR_NOTE = 500
"""Bytes for the sentence that says what was left out."""


@dataclass(slots=True)
class _Chapter:
    """A region on the canvas: `pieces` are what it may be cut between, `left_out` how many no longer stand in it."""

    id: str
    heading: str
    pieces: list[str]
    size: int
    left_out: int = 0

    def shorten(self, excess: int) -> None:
        """Leave out pieces from the end until it is smaller by so many bytes, or empty."""
        while self.pieces and excess > 0:
            piece = self.pieces.pop()
            excess -= len(piece.encode())
            self.size -= len(piece.encode())
            self.left_out += bool(piece.strip())


class CanvasWriter:
    """Writes canvases; nobody is mentioned in one, whatever was recorded."""

    def __init__(self, templates: SandboxedEnvironment, override: TemplateOverride = NO_OVERRIDE) -> None:
        self._markdown = MarkdownWriter(templates, override)
        self._left_out = templates.get_template("postmortem/canvas.md.j2").module.left_out  # type: ignore[attr-defined]
        self._reader = MarkdownReader()
        self._canvas = CanvasMarkdown(self._reader)

    def __call__(self, document: Document) -> bytes:
        """The whole canvas, UTF-8; of a region that is too long its end is left out, and it says so."""
        compiled = self._markdown.compile(document)
        chapters = [self._chapter("", "", compiled.preface)]
        chapters += [self._chapter(region.id, region.heading, region.body) for region in compiled.regions]
        while (excess := sum(chapter.size for chapter in chapters) - MAX_BYTES) > 0:
            max(chapters, key=lambda chapter: chapter.size).shorten(excess + _ROOM_FOR_NOTE)
        return ("\n\n".join(filter(None, map(self._written, chapters))) + "\n").encode()

    def index_headings(self, document: Document) -> dict[str, str]:
        """The ids of the document's regions by what is read of their headings: for `split_bodies`."""
        return {
            self._reader.render_line(region.title, visible_text): region.id
            for region in self._markdown.compile(document).regions
        }

    def _chapter(self, id_: str, title: str, body: str) -> _Chapter:
        level = min(len(title) - len(title.lstrip("#")), _DEEPEST_HEADING)
        line = escape_heading(self._canvas.render_line(title.lstrip("#").strip()))
        pieces = list(self._canvas.render_pieces(body))
        return _Chapter(id_, f"{'#' * level} {line}" if level else line, pieces, sum(len(p.encode()) for p in pieces))

    def _written(self, chapter: _Chapter) -> str:
        left_out = ""
        if chapter.left_out:
            noun = "entries" if chapter.id == "timeline" else "parts"
            left_out = str(self._left_out(f"{chapter.left_out:,}", noun)).strip()
        text = "".join(chapter.pieces).strip("\n")
        return "\n\n".join(filter(None, [chapter.heading, text, left_out]))


def split_bodies(canvas: str, headings: Mapping[str, str]) -> dict[str, str]:
    """The bodies of the regions of a canvas, as Markdown, by their ids; `headings` as `CanvasWriter.headings` tells."""
    reader = MarkdownReader()
    lines = canvas.split("\n")
    begun = [(line, headings[text]) for line, text in reader.find_headings(canvas) if text in headings]
    ends = [line for line, _ in begun[1:]] + [len(lines)]
    return {id_: "\n".join(lines[line + 1 : end]).strip() for (line, id_), end in zip(begun, ends, strict=True)}
