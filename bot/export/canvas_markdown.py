"""Markdown as Slack's canvases read it: blocks, list items and lines."""

import re
from collections.abc import Callable, Iterator, Sequence

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from bot.domain.text import remove_controls
from bot.export import escape
from bot.export.markdown_reader import MarkdownReader, inline_content

# Limits of Slack's canvases: three levels of headings, 300 cells in a table (docs of `canvases.create`).
DEEPEST_HEADING = 3
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
_MAY_BE_MARKUP = re.compile(r"[\\`*_~!\[\]<&]|^:::")
"""Found in each text that has markup, ten times as fast as `_MARKUP`."""
_BRACKET = re.compile(r"(?<!\\)[\[\]]")
_CLOSES_HEADING = re.compile(r"(?:(?<![\\#])|(?<=\\#))#++\Z")
_IN_ADDRESS = str.maketrans({"(": "%28", ")": "%29"})


class CanvasMarkdown:
    """Renders blocks and lines of Markdown as Slack's canvases read it."""

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

    def render_pieces(self, markdown: str) -> list[str]:
        """The blocks and list items, with their line ends. Joined they are the whole; it may be cut between any two."""
        return self._render_rows(remove_controls(markdown)) or list(self._render_blocks(markdown))

    def _render_rows(self, markdown: str) -> list[str]:
        """The same for lists of many lines that our templates wrote, without parsing each; empty for anything else.

        To parse ten thousand rows takes ten times as long as to write them.
        """
        if _REACHES_FAR.search(markdown):
            return []
        pieces: list[str] = []
        for is_list, lines in _split_at_lists(markdown):
            if not is_list:
                pieces += self._render_blocks("\n".join(lines))
                continue
            for item in _split_items(lines):
                written = _render_row(item[0]) if len(item) == 1 else ""
                read = [f"{written}\n"] if written else self._render_item("\n".join(item))
                if len(read) != 1:
                    return []
                pieces += read
            pieces.append("\n")
        return pieces

    def _render_item(self, markdown: str) -> list[str]:
        (node, *more) = self._reader.parse_blocks(markdown, render_line)
        if more or node.type != "bullet_list":
            return []
        return [f"{item}\n" for item in self._items(node)]

    def _render_blocks(self, markdown: str) -> Iterator[str]:
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
        # Canvases expect what belongs to an item four spaces in.
        text = ""
        for child, written in zip(item.children, self._all(item), strict=True):
            gap = "\n" if child.type.endswith("_list") else "\n\n"
            text += (gap if text else "") + written
        return _indent(f"{sign} {text}", " " * max(_INDENT, len(sign) + 1)).rstrip()


def render_line(tokens: Sequence[Token]) -> str:
    """The tokens of one line. A line end in the result is a line break."""
    line = _LineBuilder()
    for token in tokens:
        line.add(token)
    return "".join(line.written)


class _LineBuilder:
    """Builds a line: marks of emphasis must touch their text, and must not touch each other."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self._open: list[str] = []
        """The closing mark of each open one; "" if the mark was left out."""

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
        elif last != closing:  # else nothing is between the marks
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
                self._text(self._escape(token.content))

    def _escape(self, content: str) -> str:
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
    """One line of plain text, escaped only where a character would take effect."""
    return _MARKUP.sub(_escape_match, text) if _MAY_BE_MARKUP.search(text) else text


def escape_and_link(text: str) -> str:
    """The same with its web addresses as links."""
    if "://" not in text:  # nearly all
        return escape_text(text)
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
    # Two empty lines behind the sign of an item would end it, and what follows would be code.
    return "\n".join(escape.escape_line_start(line) for line in lines.lstrip(" \n").split("\n"))


def _render_heading(node: SyntaxTreeNode) -> str:
    level = int(node.tag[1])
    text = escape_heading(inline_content(node))
    if level <= DEEPEST_HEADING or not text:
        return f"{'#' * min(level, DEEPEST_HEADING)} {text}".rstrip()
    return _render_paragraph(text) if "*" in text else f"**{text}**"


def escape_heading(line: str) -> str:
    """The text of a heading, at whose end a bare `#` would vanish."""
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
    # A list instead: Slack would refuse the whole canvas for one large table.
    if sum(map(len, rows)) > _MAX_CELLS:
        return "\n".join(f"- {_render_paragraph(' · '.join(filter(None, row)))}" for row in rows)
    written = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([written[0], "|" + " --- |" * len(rows[0]), *written[1:]])


_REACHES_FAR = re.compile(r"^ {0,3}(?:```|~~~)|]:", re.MULTILINE)
"""What means something to other lines: a fence, and a definition of a link."""

_ITEM = re.compile(r"- \S")
_ROW = re.compile(r"- (?P<bold>\*\*[0-9:–~ ]*[0-9]\*\*)?(?P<rest>(?(bold) |[0-9]{2}:[0-9]{2} )\S(?:.*\S)?)")
# Markdown that means the same on any line: escaped characters, and those that take no effect where they stand.
_PIECE = re.compile(
    r"(?P<text>(?:[^\\`*_~<&\]]++|\\[!-/:-@\[-`{-~]|(?<=[^\W_])_+(?=[^\W_])|(?<= )\*(?= )|(?<!~)~(?!~)|<(?=[ =0-9])"
    r"|&(?!#?[0-9A-Za-z]+;)|](?![\[(:]))++)"
    rf"|<(?P<address>{escape.SIMPLE_URL})>|`(?P<code>[^`\s](?:[^`]*[^`\s])?)`(?!`)"
)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def _split_at_lists(markdown: str) -> list[tuple[bool, list[str]]]:
    """The lines of the lists, and those between them; nothing if only the parser knows where a list begins or ends."""
    found: list[tuple[bool, list[str]]] = [(False, [])]
    before = ""
    for line in markdown.split("\n"):
        is_list, lines = found[-1]
        begins = bool(_ITEM.match(line))
        goes_on = is_list and (not line or line.startswith("  "))
        if not begins and not goes_on and line.lstrip().startswith("-"):
            return []
        if goes_on or begins == is_list:
            lines.append(line)
        elif before or line.startswith("\t"):
            return []
        else:
            found.append((begins, [line]))
        before = line
    return found


def _split_items(lines: list[str]) -> list[list[str]]:
    items: list[list[str]] = []
    for line in lines:
        if _ITEM.match(line):
            items.append([line])
        elif line or items[-1][-1]:
            items[-1].append(line)
    return [item if item[-1] else item[:-1] for item in items]


def _render_row(line: str) -> str:
    """A row of the timeline as `_item` writes it; "" if only the parser knows how it reads."""
    row = _ROW.fullmatch(line)
    if row is None or not line.isprintable():
        return ""
    written: list[str] = []
    end = 0
    # Not finditer, which would go on looking at every later place after the first that fits nothing.
    while end < len(row["rest"]):
        piece = _PIECE.match(row["rest"], end)
        if piece is None:
            return ""
        end = piece.end()
        written.append(_render_part(piece))
    return f"- {row['bold'] or ''}{''.join(written)}"


def _render_part(piece: re.Match[str]) -> str:
    if address := piece["address"]:
        return f"[{_escape_brackets(escape_text(address))}]({address.translate(_IN_ADDRESS)})"
    if code := piece["code"]:
        return escape.code(code)
    text = piece["text"]
    return escape_and_link(_ESCAPE.sub(r"\1", text) if "\\" in text else text)
