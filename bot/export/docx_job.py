"""The job that makes a Word file of Markdown. It runs in the worker process, because only this module imports docx."""

import io
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from markdown_it.token import Token

from bot.export.docx_format import NOT_INSTALLED
from bot.export.markdown_reader import MarkdownReader
from bot.export.sandbox import JobError

trouble = ""
"""What to install; empty if python-docx is there."""

try:
    import docx
    from docx.document import Document
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.oxml.table import CT_Row
    from docx.oxml.text.hyperlink import CT_Hyperlink
    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.shared import Pt, RGBColor
    from docx.table import _Cell
    from docx.text.paragraph import Paragraph
    from docx.text.run import Run
except ModuleNotFoundError:
    trouble = NOT_INSTALLED

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The first day that a ZIP file knows; without a fixed one no two files would be the same."""
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INDENT_POINTS = 18
_DEEPEST_INDENT = 12
"""Lists within lists that are indented further; a page has no room for more."""
_BULLETS = ("List Bullet", "List Bullet 2", "List Bullet 3")
"""Styles of the first lists within lists; deeper ones have the last, further in."""
_LINK_COLOR = "0563C1"
_RIGHT_TO_LEFT = ("R", "AL")
_BEHIND_DIRECTION = tuple(
    f"w:{name}" for name in ("adjustRightInd", "snapToGrid", "spacing", "ind", "contextualSpacing", "jc", "rPr")
)
"""Properties of a paragraph that come behind its direction (ECMA-376, `CT_PPrBase`), of those that are written here."""


def run(order: bytes) -> bytes:
    """The Word file of an order: JSON with `title`, `written` (when, ISO 8601) and `markdown`. Raises JobError."""
    if trouble:
        raise JobError(trouble)
    wanted = json.loads(order)
    document = docx.Document()
    properties = document.core_properties
    properties.title, properties.author, properties.comments = _legal(wanted["title"])[:255], "Afterword", ""
    properties.created = properties.modified = datetime.fromisoformat(wanted["written"])
    document.styles["Normal"].font.name, document.styles["Normal"].font.size = "Calibri", Pt(11)
    _Page(document).write(MarkdownReader().parse(wanted["markdown"]))
    content = io.BytesIO()
    document.save(content)
    return _without_dates(content)


def _without_dates(content: io.BytesIO) -> bytes:
    fixed = io.BytesIO()
    with ZipFile(content) as source, ZipFile(fixed, "w", ZIP_DEFLATED) as target:
        for part in source.infolist():
            target.writestr(ZipInfo(part.filename, _FIRST_DAY), source.read(part), ZIP_DEFLATED)
    return fixed.getvalue()


class _Page:
    """Writes blocks in order. `_lists` are the lists that are open, each with the number of its next item or None."""

    def __init__(self, document: "Document") -> None:
        self._document = document
        self._plain = document.styles["Normal"]
        self._bullets = [document.styles[name] for name in _BULLETS]
        self._code = document.styles["No Spacing"]
        self._lists: list[int | None] = []
        self._quotes = 0
        self._begins_item = False

    def write(self, tokens: Sequence[Token]) -> None:
        """Write the tokens of a whole document."""
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.type == "table_open":
                end = next(index for index in range(at, len(tokens)) if tokens[index].type == "table_close")
                self._write_table(tokens[at:end])
                at = end
            elif token.type == "heading_open":
                level = min(int(token.tag[1:]), 9)
                paragraph = self._document.add_paragraph(style="Title" if level == 1 else f"Heading {level - 1}")
                _write_line(paragraph, tokens[at + 1].children or ())
                at += 2
            else:
                self._write_block(token)
            at += 1

    def _write_block(self, token: Token) -> None:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            self._lists.append(int(token.attrGet("start") or 1) if token.tag == "ol" else None)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
        elif token.type == "list_item_open":
            self._begins_item = True
        elif token.type in ("blockquote_open", "blockquote_close"):
            self._quotes += token.nesting
        elif token.type == "inline":
            _write_line(self._add_paragraph(), token.children or ())
        elif token.type in ("fence", "code_block"):
            self._write_code(token.content)

    def _add_paragraph(self) -> "Paragraph":
        is_item, self._begins_item = self._begins_item, False
        depth = min(len(self._lists) + self._quotes, _DEEPEST_INDENT)
        number = self._lists[-1] if is_item else None
        is_bullet = is_item and number is None
        style = self._bullets[min(len(self._lists), len(_BULLETS)) - 1] if is_bullet else self._plain
        paragraph = self._document.add_paragraph(style=style)
        form = paragraph.paragraph_format
        form.space_after = Pt(2 if self._lists else 8)
        if depth and not (is_bullet and depth <= len(_BULLETS)):
            form.left_indent = Pt(_INDENT_POINTS * depth)
        if number is not None:
            # As text: numbers that Word counts go on from one list to the next.
            form.first_line_indent = Pt(-_INDENT_POINTS)
            paragraph.add_run(f"{number}.\t")
            self._lists[-1] = number + 1
        return paragraph

    def _write_code(self, text: str) -> None:
        paragraph = self._add_paragraph()
        paragraph.style = self._code
        _write_code_run(paragraph, text.removesuffix("\n"))

    def _write_table(self, tokens: Sequence[Token]) -> None:
        rows = list(_split_rows(tokens))
        # The grid is built row by row: `table.cell` walks the whole table each time.
        table = self._document.add_table(rows=0, cols=max(map(len, rows)), style="Table Grid")
        for number, row in enumerate(rows):
            added = table.add_row()
            if number == 0:
                _repeat_as_header(added._tr)  # noqa: SLF001 (python-docx has no call for it)
            for cell, line in zip(added.cells, row, strict=False):
                _write_cell(cell, line, is_header=number == 0)
        self._document.add_paragraph(style=self._plain)


def _split_rows(tokens: Sequence[Token]) -> Iterator[list[Sequence[Token]]]:
    """The rows of a table, the header first: for each cell the tokens of its line."""
    row: list[Sequence[Token]] = []
    for token in tokens:
        if token.type == "tr_open":
            row = []
        elif token.type == "inline":
            row.append(token.children or ())
        elif token.type == "tr_close":
            yield row


def _repeat_as_header(row: "CT_Row") -> None:
    """Make a row the header: it is repeated on every page, and read out with each cell."""
    row.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _write_cell(cell: "_Cell", line: Sequence[Token], *, is_header: bool) -> None:
    paragraph = cell.paragraphs[0]
    _write_line(paragraph, line)
    if is_header:
        for run_ in paragraph.runs:
            run_.bold = True


class _Line:
    """Writes the tokens of a line into a paragraph: `marks` are the kinds of emphasis that are open."""

    def __init__(self, paragraph: "Paragraph") -> None:
        self._paragraph = paragraph
        self._marks = dict.fromkeys(("strong", "em", "s"), 0)
        self._link: CT_Hyperlink | None = None

    def write(self, token: Token) -> None:
        """Write what one token shows, or note what it begins or ends."""
        if token.type == "link_open":
            self._link = _add_link(self._paragraph, str(token.attrGet("href") or ""))
        elif token.type == "link_close":
            self._link = None
        elif token.tag in self._marks and token.nesting:
            self._marks[token.tag] += token.nesting
        elif token.type in ("softbreak", "hardbreak"):
            self._paragraph.add_run().add_break()
        elif token.type == "code_inline":
            self._place(_write_code_run(self._paragraph, token.content))
        elif token.content:
            self._place(self._paragraph.add_run(_legal(token.content)))

    def _place(self, added: "Run") -> None:
        """Give a run its emphasis, and move it into the link that is open."""
        added.bold, added.italic = self._marks["strong"] > 0 or None, self._marks["em"] > 0 or None
        added.font.strike = self._marks["s"] > 0 or None
        if self._link is not None:
            added.font.color.rgb, added.font.underline = RGBColor.from_string(_LINK_COLOR), True
            self._link.append(added._r)  # noqa: SLF001 (python-docx has no call for it)


def _write_line(paragraph: "Paragraph", tokens: Sequence[Token]) -> None:
    """The text of a line, with its emphasis, code and links."""
    line = _Line(paragraph)
    for token in tokens:
        line.write(token)
    if _is_right_to_left(tokens):
        # python-docx has no call for it. The format fixes the order of a paragraph's properties.
        properties = paragraph._p.get_or_add_pPr()  # noqa: SLF001
        properties.insert_element_before(cast("BaseOxmlElement", OxmlElement("w:bidi")), *_BEHIND_DIRECTION)


def _write_code_run(paragraph: "Paragraph", text: str) -> "Run":
    added = paragraph.add_run(_legal(text))
    added.font.name, added.font.size = "Consolas", Pt(10)
    return added


def _add_link(paragraph: "Paragraph", address: str) -> "CT_Hyperlink":
    """An empty link at the end of the paragraph: python-docx reads links, and writes none."""
    link = cast("CT_Hyperlink", OxmlElement("w:hyperlink"))
    link.set(qn("r:id"), paragraph.part.relate_to(_legal(address), RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    paragraph._p.append(link)  # noqa: SLF001 (see above)
    return link


def _is_right_to_left(line: Sequence[Token]) -> bool:
    """Whether the first letter with a direction is of a script that is written from right to left."""
    letters = (unicodedata.bidirectional(letter) for token in line for letter in token.content)
    return next((kind for kind in letters if kind in ("L", *_RIGHT_TO_LEFT)), "L") in _RIGHT_TO_LEFT


def _legal(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold; a box with a question mark stands for each."""
    return _NOT_IN_XML.sub("\ufffd", text)
