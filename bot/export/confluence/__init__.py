"""Document to a Confluence page, in storage format (XHTML with macros; "Confluence Storage Format", Atlassian).

Each region begins with an anchor `afterword-ID` in its heading, by which `bot.export.confluence.reader` finds it again.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from jinja2 import Template
from jinja2.sandbox import SandboxedEnvironment
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup, escape

from bot.domain.document import ActionItem, Document
from bot.domain.text import Piece, PieceKind, remove_controls, split_pieces
from bot.export.charts import draw_charts
from bot.export.drafts import NOTHING, Region
from bot.export.escape import link_addresses, link_ticket
from bot.export.glance import compile_glance
from bot.export.markdown import DayRow, MarkdownWriter, TimelineDay, list_timeline_days
from bot.export.markdown_reader import MarkdownReader, inline_content
from bot.export.templates import NO_OVERRIDE, TemplateOverride

_CODE = Markup(
    '<ac:structured-macro ac:name="code">{language}<ac:plain-text-body><![CDATA[{text}]]></ac:plain-text-body>'
    "</ac:structured-macro>"
)
_LANGUAGE = Markup('<ac:parameter ac:name="language">{}</ac:parameter>')
_TASK = Markup(
    "<ac:task><ac:task-id>{}</ac:task-id><ac:task-status>{}</ac:task-status><ac:task-body>{}</ac:task-body></ac:task>"
)
# The code macro of Confluence's older versions refused to show a page that names a language it does not know.
_LANGUAGES = {
    "bash": "bash", "sh": "bash", "shell": "bash", "console": "bash", "css": "css", "diff": "diff", "java": "java",
    "javascript": "js", "js": "js", "json": "js", "perl": "perl", "php": "php", "powershell": "powershell",
    "python": "py", "py": "py", "ruby": "ruby", "rb": "ruby", "scala": "scala", "sql": "sql", "xml": "xml",
    "html": "xml", "yaml": "yml", "yml": "yml",
}  # fmt: skip
_TASK_ITEM = re.compile(r"\[([ xX])\] (?=\S)")
_WRAPPED = {"strong": "strong", "em": "em", "s": "del"}
_ALIGNED = re.compile(r"text-align:(left|center|right)")


class StorageXhtml:
    """Renders blocks and lines. The result is well-formed inside an element that declares `ac:` and `ri:`.

    Cloud's editor accepts no heading, table, rule or quote inside a quote or a list item. If a page has one, all of it
    opens in the legacy editor. So inside of those they are written as paragraphs.
    """

    def __init__(self, reader: MarkdownReader) -> None:
        self._reader = reader
        self._writers: dict[str, Callable[[SyntaxTreeNode], Markup]] = {
            "paragraph": _render_paragraph,
            "heading": lambda node: _wrap(node.tag, inline_content(node)),
            "blockquote": lambda node: _wrap("blockquote", self._inside(node)),
            "bullet_list": self._bullet_list,
            "ordered_list": self._ordered_list,
            "list_item": lambda node: _wrap("li", self._inside(node)),
            "fence": _render_code,
            "code_block": _render_code,
            "hr": lambda _: Markup("<hr />"),
            "table": lambda node: _wrap("table", _wrap("tbody", self._all(node))),
            "thead": self._all,
            "tbody": self._all,
            "tr": lambda node: _wrap("tr", self._all(node)),
            "th": _render_cell,
            "td": _render_cell,
            "inline": lambda node: Markup(node.content),  # noqa: S704 (made by `_render_line`)
        }
        self._writers_inside: dict[str, Callable[[SyntaxTreeNode], Markup]] = {
            **self._writers,
            "heading": lambda node: _wrap("p", _wrap("strong", inline_content(node))),
            "blockquote": self._inside,
            "hr": lambda _: Markup("<p>———</p>"),
            "table": lambda node: Markup().join(
                _render_row_as_line(row) for part in node.children for row in part.children
            ),
        }

    def render_blocks(self, markdown: str) -> Markup:
        """Whole paragraphs, lists, tables."""
        return Markup().join(
            self._writers[node.type](node) for node in self._reader.parse_blocks(markdown, _render_line)
        )

    def render_line(self, markdown: str) -> Markup:
        """One line, such as a heading without its number signs."""
        return Markup(self._reader.render_line(markdown, _render_line))  # noqa: S704 (made by `_render_line`)

    def _all(self, node: SyntaxTreeNode) -> Markup:
        return Markup().join(self._writers[child.type](child) for child in node.children)

    def _inside(self, node: SyntaxTreeNode) -> Markup:
        return Markup().join(self._writers_inside[child.type](child) for child in node.children)

    def _bullet_list(self, node: SyntaxTreeNode) -> Markup:
        # Confluence has tasks only at the top of a page, with nothing but a line in each.
        found = [_TASK_ITEM.match(_find_only_line(item)) for item in node.children] if node.level == 0 else [None]
        if not all(found):
            return _wrap("ul", self._all(node))
        tasks = (
            _TASK.format(
                index,
                "incomplete" if mark[1] == " " else "complete",
                Markup(_find_only_line(item)[mark.end() :]),  # noqa: S704 (made by `_render_line`)
            )
            for index, (mark, item) in enumerate(zip(found, node.children, strict=True), 1)
            if mark
        )
        return _wrap("ac:task-list", Markup().join(tasks))

    def _ordered_list(self, node: SyntaxTreeNode) -> Markup:
        start = node.attrs.get("start", 1)
        opening = Markup("<ol>") if start == 1 else Markup('<ol start="{}">').format(start)
        return Markup("{}{}</ol>").format(opening, self._all(node))


def _render_paragraph(node: SyntaxTreeNode) -> Markup:
    text = inline_content(node)
    return Markup(text) if node.hidden else _wrap("p", text)  # noqa: S704 (made by `_render_line`)


def _render_row_as_line(row: SyntaxTreeNode) -> Markup:
    """A row of a table as a paragraph, where no table is allowed."""
    return _wrap("p", " | ".join(inline_content(cell) for cell in row.children))


def render_text(text: str) -> Markup:
    """Plain text as the content of a cell, with line breaks, leading spaces, web addresses and code."""
    found = split_pieces(remove_controls(text))
    behind = [None, *(piece.kind for piece in found)]
    return Markup().join(
        _render_piece(piece, is_behind_span=before is PieceKind.SPAN)
        for before, piece in zip(behind, found, strict=False)
    )


def _render_piece(piece: Piece, *, is_behind_span: bool) -> Markup:
    if piece.kind is PieceKind.SPAN:
        return Markup(_wrap("code", escape(piece.text)))  # noqa: S704 (escaped)
    if piece.kind is PieceKind.BLOCK:
        return _render_code_macro(piece.text, piece.language)
    first, *others = piece.text.split("\n")
    lines = [link_addresses(first) if is_behind_span else _render_text_line(first), *map(_render_text_line, others)]
    return Markup("<br />").join(lines)


def _render_text_line(line: str) -> Markup:
    body = line.lstrip(" \t")
    margin = "\u00a0" * len(line[: len(line) - len(body)].expandtabs(4))
    return escape(margin) + link_addresses(body)


def _render_line(tokens: Sequence[Token]) -> str:
    return "".join(_render_inline(token) for token in tokens)


def _render_inline(token: Token) -> str:
    name = token.type.rpartition("_")[0]
    match token.type:
        case "softbreak":
            return "\n"
        case "hardbreak":
            return "<br />"
        case "code_inline":
            return _wrap("code", escape(token.content))
        case "link_open":
            return Markup('<a href="{}">').format(token.attrs["href"])
        case "link_close":
            return "</a>"
        case _ if name in _WRAPPED:
            return f"<{_WRAPPED[name]}>" if token.nesting > 0 else f"</{_WRAPPED[name]}>"
    return escape(token.content)


def _find_only_line(item: SyntaxTreeNode) -> str:
    """The line of a list item that holds nothing else, or ""."""
    only = item.children[0] if len(item.children) == 1 else None
    return inline_content(only) if only is not None and only.type == "paragraph" else ""


def _render_cell(node: SyntaxTreeNode) -> Markup:
    aligned = _ALIGNED.search(str(node.attrs.get("style", "")))
    style = Markup(' style="text-align: {};"').format(aligned[1]) if aligned and aligned[1] != "left" else ""
    return Markup("<{0}{1}>{2}</{0}>").format(node.tag, style, Markup(inline_content(node)))  # noqa: S704 (made by `_render_line`)


def _render_code(node: SyntaxTreeNode) -> Markup:
    return _render_code_macro(node.content.removesuffix("\n"), (node.info.split() or [""])[0].lower())


def _render_code_macro(text: str, language: str) -> Markup:
    named = _LANGUAGES.get(language)
    text = text.replace("]]>", "]]]]><![CDATA[>")
    return _CODE.format(language=_LANGUAGE.format(named) if named else "", text=Markup(remove_controls(text)))  # noqa: S704 (CDATA)


def _wrap(tag: str, content: str) -> Markup:
    return Markup("<{0}>{1}</{0}>").format(Markup(tag), Markup(content))  # noqa: S704 (the content was made here)


_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DRAWN = ("timeline", "actions")
"""The regions that the page draws as tables."""
_COLOURS = {"open": "Blue", "overdue": "Red", "done": "Green", "dropped": "Grey"}
_NOBODY: Mapping[str, str] = {}
_LONGEST_TABLE = 150
_ROWS_PER_FOLD = 250
_WIDTH = 760
"""Pixels: as wide as a page in Cloud. A picture without a width shows there only while the page is edited."""


@dataclass(frozen=True, slots=True)
class AttachedChart:
    """A chart attached to the page under the file name `name`, shown first in its region.

    `content` is the SVG file, `alternative` its alternative text.
    """

    region: str
    name: str
    alternative: str
    content: bytes = b""
    width: int = _WIDTH

    def __post_init__(self) -> None:
        if not _FILE_NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not the plain name of a file")


@dataclass(frozen=True, slots=True)
class PageSection:
    """A region on the page: `tag` is that of its heading; `title` and `body` are storage format."""

    id: str
    tag: str
    title: Markup
    body: Markup


@dataclass(frozen=True, slots=True)
class Fold:
    """A part of a long timeline, folded away under its first and last time: rows, each with its day."""

    rows: tuple[tuple[TimelineDay, DayRow], ...]
    spans_days: bool

    @property
    def first(self) -> str:
        return self._name(*self.rows[0])

    @property
    def last(self) -> str:
        return self._name(*self.rows[-1])

    def _name(self, day: TimelineDay, row: DayRow) -> str:
        return f"{day.date.isoformat()} {row[0]}" if self.spans_days else row[0]


@dataclass(frozen=True, slots=True)
class ActionTableRow:
    """A corrective action as a row: `text` and `link` are storage format, `status` is a word and its colour."""

    action: ActionItem
    text: Markup
    link: Markup
    status: tuple[str, str]


class ConfluenceWriter:
    """Writes the body of a page, without its title, which Confluence stores separately.

    It holds only what Cloud's editor accepts; else the whole page would open in the legacy editor (decision 25).
    """

    def __init__(self, templates: SandboxedEnvironment, override: TemplateOverride = NO_OVERRIDE) -> None:
        self._markdown = MarkdownWriter(templates, override)
        self._page: Template = templates.get_template("postmortem/page.xml.j2")
        self._storage = StorageXhtml(MarkdownReader())

    def __call__(self, document: Document) -> bytes:
        """The body without charts: a page that does not exist yet has no attachments."""
        return self.write_body(document).encode()

    def write_with_charts(
        self, document: Document, accounts: Mapping[str, str] = _NOBODY
    ) -> tuple[str, tuple[AttachedChart, ...]]:
        """The body, and the charts that it shows: attach them, or readers see broken pictures."""
        attached = tuple(
            AttachedChart(region, f"{region}.svg", picture.alternative, picture.svg.encode())
            for region, picture in draw_charts(document).items()
        )
        return self.write_body(document, attached, accounts), attached

    def write_body(
        self, document: Document, attached: Sequence[AttachedChart] = (), accounts: Mapping[str, str] = _NOBODY
    ) -> str:
        """The body, with the charts that are, or will be, attached to the page.

        `accounts` maps people's ids to Atlassian accounts: those people are mentioned in the head, not just named.
        """
        draft, apart = self._markdown.draft_without_rows(document, _DRAWN)
        compiled = draft.shown
        rows = {"timeline": document.timeline, "actions": document.actions}
        drawn = {id_ for id_ in apart if rows[id_]}
        preface = self._markdown.find_own_preface(document) if compiled.regions else compiled.preface
        written = self._page.render(
            document=document,
            head=self._storage.render_blocks(preface),
            glance=compile_glance(document),
            at_a_glance=self._storage.render_blocks(self._markdown.write_glance(document)),
            sections=[self._section(region, is_drawn=region.id in drawn) for region in compiled.regions],
            folds=tuple(_fold_timeline(document)) if "timeline" in drawn else (),
            action_rows=[_make_action_row(action) for action in document.actions] if "actions" in drawn else (),
            attached=attached,
            accounts=accounts,
            running=render_text,
        )
        return written.strip() + "\n"

    def _section(self, region: Region, *, is_drawn: bool) -> PageSection:
        level = len(region.heading) - len(region.heading.lstrip("#"))
        body = "" if is_drawn and region.body.strip() == NOTHING else region.body
        tag = f"h{level}" if level else "p"
        return PageSection(region.id, tag, self._storage.render_line(region.title), self._storage.render_blocks(body))


def _make_action_row(action: ActionItem) -> ActionTableRow:
    named = link_ticket(action.link) or render_text(action.link)
    status = "overdue" if action.is_overdue else action.status.value
    return ActionTableRow(action, render_text(action.text), named, (status, _COLOURS[status]))


def _fold_timeline(document: Document) -> Iterator[Fold]:
    # A short timeline is one table, a long one several that are folded away (decision 18).
    rows = ((day, row) for day in list_timeline_days(document, render_text, escape) for row in day.rows)
    size = _ROWS_PER_FOLD if len(document.timeline) > _LONGEST_TABLE else _LONGEST_TABLE
    while fold := tuple(islice(rows, size)):
        yield Fold(fold, document.spans_days)
