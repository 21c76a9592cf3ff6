"""Document to HTML: one self-contained page that prints well, rendered from the Markdown.

A citation of an entry, `(#4)`, is a link to it.
"""

import re
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Template
from jinja2.sandbox import SandboxedEnvironment
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

from bot.domain import text as text_rules
from bot.domain.document import Document
from bot.domain.text import PieceKind
from bot.export.charts import draw_charts
from bot.export.drafts import NOTHING, Region
from bot.export.escape import link_addresses, link_ticket
from bot.export.glance import compile_glance
from bot.export.markdown import MarkdownWriter, list_timeline_days
from bot.export.markdown_reader import MarkdownReader, visible_text
from bot.export.templates import NO_OVERRIDE, TemplateOverride

_CITATION = re.compile(r"(?<=\()#([1-9][0-9]{0,8})(?=\))")
_STYLE = re.compile(r"<style>[^<]*</style>")
_ALIGNMENT = re.compile(r' style="text-align:(left|center|right)"')
_ENTRY_LINK = re.compile(r'href="#entry-([0-9]+)"')


def entry_anchor(number: int) -> str:
    """The anchor of an entry's line on the page."""
    return f"entry-{number}"


def find_cited_entries(html: str) -> set[int]:
    """The entries that links of a page lead to."""
    return {int(number) for number in _ENTRY_LINK.findall(html)}


def link_citations(line: Sequence[Token], entries: Container[int]) -> Iterator[Token]:
    """The tokens of a line, with citations of these entries as links. Inside a link nothing changes."""
    depth = 0
    for token in line:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type == "text" and not depth and "(#" in token.content:
            yield from _split_at_citations(token.content, entries)
        else:
            yield token


def _split_at_citations(text: str, entries: Container[int]) -> Iterator[Token]:
    end = 0
    for citation in _CITATION.finditer(text):
        number = int(citation[1])
        if number in entries:
            yield Token("text", "", 0, content=text[end : citation.start()])
            yield Token("link_open", "a", 1, attrs={"href": f"#{entry_anchor(number)}"})
            yield Token("text", "", 0, content=citation[0])
            yield Token("link_close", "a", -1)
            end = citation.end()
    yield Token("text", "", 0, content=text[end:])


_WHY_NUMBER = re.compile(r"\*\*([1-9][0-9]{0,8})\.\*\*")
_CODE = {PieceKind.SPAN: Markup("<code>{}</code>"), PieceKind.BLOCK: Markup("<pre><code>{}</code></pre>")}
_VISIBLE_SPACE = re.compile(r"^[ \t]|[ \t](?=[ \t])", re.MULTILINE)
_OWN_DIRECTION = frozenset({"p", "li"})
_RENDERER, _OPTIONS = RendererHTML(), MarkdownIt("js-default").options


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section of the page. `id` is its anchor, `body` is safe HTML.

    `is_blank`: nothing is recorded in it. `has_rows`: the page lists the entries of the timeline below the body.
    `is_contested`: it shows several texts until a person chooses.
    """

    id: str
    title: str
    body: Markup
    is_blank: bool
    has_rows: bool
    is_contested: bool


@dataclass(frozen=True, slots=True)
class _Targets:
    """What the page links to: entries and whys, by number. `has_links`: each why also links to itself."""

    entries: frozenset[int]
    whys: frozenset[int]
    has_links: bool = False


_LISTED: dict[str, Callable[[Document], Collection[object]]] = {
    "timeline": lambda document: document.timeline,
    "actions": lambda document: document.actions,
}
"""The regions whose rows the page draws itself, from the record."""


def _find_linked_whys(document: Document) -> frozenset[int]:
    """The whys that actions link to, unless people rewrote the whys."""
    return frozenset(step.number for step in document.whys if step.actions and not document.texts("whys"))


def _find_all_whys(document: Document) -> frozenset[int]:
    """All whys, unless people rewrote them: then the numbers in the text are theirs."""
    return frozenset(step.number for step in document.whys) if not document.texts("whys") else frozenset()


def _without_styles(html: str) -> str:
    """A document without styles of its own, which the library's pages forbid: its sheet has what they say."""
    # Ours alone: people's texts are escaped, so none has such a tag or attribute.
    return _ALIGNMENT.sub(r' class="\1"', _STYLE.sub("", html))


def _name_whys(tokens: Sequence[Token], whys: Container[int], *, with_links: bool = False) -> None:
    """Give the items of these whys an anchor: each begins with its number in bold. `with_links` to themselves."""
    for index, token in enumerate(tokens):
        if token.type != "list_item_open":
            continue
        line = next((one for one in tokens[index : index + 3] if one.type == "inline"), None)
        number = _WHY_NUMBER.match(line.content) if line else None
        if line is None or number is None or int(number[1]) not in whys:
            continue
        token.attrSet("id", f"why-{number[1]}")
        if with_links and line.children:
            end = next(place for place, child in enumerate(line.children) if child.type == "strong_close")
            target = Token("link_open", "a", 1, attrs={"href": f"#why-{number[1]}"})
            line.children[:] = [
                target,
                *line.children[: end + 1],
                Token("link_close", "a", -1),
                *line.children[end + 1 :],
            ]


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A chart as safe HTML: for a page, for a phone, and for paper."""

    inline: Markup
    narrow: Markup
    paper: Markup


class HtmlWriter:
    """Writes documents as pages. People's text becomes text and links to http and https, and nothing else."""

    def __init__(self, templates: SandboxedEnvironment, override: TemplateOverride = NO_OVERRIDE) -> None:
        self._markdown = MarkdownWriter(templates, override)
        self._styles = {
            name: override.styles.get(name) or _read_style(templates, name) for name in ("page.css", "paper.css")
        }
        self._page: Template = templates.get_template("postmortem/page.html.j2")
        self._article: Template = templates.get_template("postmortem/article.html.j2")
        self._reader = MarkdownReader()

    def __call__(self, document: Document) -> bytes:
        """The whole page, UTF-8."""
        return self.write_page(document).encode()

    def write_page(self, document: Document, *, on_paper: bool = False) -> str:
        """The page. `on_paper` is for a reader that lays it out on sheets and can neither click nor save."""
        style = Markup(self._styles["paper.css" if on_paper else "page.css"])  # noqa: S704 (it closes no element)
        return self._page.render(self._values(document, on_paper=on_paper), style=style)

    def write_article(self, document: Document) -> str:
        """The same without the page around it, for a page of the library, whose style sheet has all colours.

        Every section, entry and why has an anchor and a link to it: `#impact`, `#entry-4`, `#why-2`.
        """
        return _without_styles(self._article.render(self._values(document, on_paper=False, in_library=True)))

    def _values(self, document: Document, *, on_paper: bool, in_library: bool = False) -> dict[str, Any]:
        draft, without_rows = self._markdown.draft_without_rows(document, tuple(_LISTED))
        contested = {one.own.id for one in draft.edits if one.is_contested}
        listed = frozenset(id_ for id_ in without_rows if _LISTED[id_](document))
        entries = frozenset(line.number for line in document.timeline) if "timeline" in listed else frozenset()
        whys = _find_linked_whys(document) if "actions" in listed else frozenset()
        anchored = _find_all_whys(document) if in_library else whys
        kinds = (listed, contested, _Targets(entries, anchored, has_links=in_library))
        chapters = [self._chapter(region, *kinds) for region in draft.shown.regions]
        at_a_glance = self._blocks(self._markdown.write_glance(document), entries)
        # Safe: a picture is a tree of elements, written by what escapes its texts.
        pictures = {
            id_: PagePicture(Markup(picture.inline), Markup(picture.narrow), Markup(picture.paper))  # noqa: S704
            for id_, picture in draw_charts(document).items()
            if not (on_paper and id_ == "whys")  # the list next to it says the same on half a page
        }
        text = _render_on_paper if on_paper else _render_on_screen
        # WeasyPrint pays for each anchor, so on paper only cited entries have one.
        cited = find_cited_entries("".join([at_a_glance, *(chapter.body for chapter in chapters)])) if on_paper else ()
        return {
            "document": document,
            "head": self._head(document),
            "glance": compile_glance(document),
            "at_a_glance": at_a_glance,
            "chapters": chapters,
            "anchors": cited if on_paper else entries,
            "days": list_timeline_days(document, text, escape),
            "has_ranges": any(line.ended_at for line in document.timeline),
            "linked_whys": whys,
            "running": text,
            "ticket": link_ticket,
            "coded": _render_line,
            "bare": text_rules.strip_code_marks,
            "pictures": pictures,
            "on_paper": on_paper,
            "in_library": in_library,
        }

    def _head(self, document: Document) -> Markup:
        """A team's own words before the first section; if there are none, the page shows its own facts."""
        return self._blocks(self._markdown.find_own_preface(document))

    def _blocks(
        self, markdown: str, entries: Container[int] = (), whys: Container[int] = (), *, has_links: bool = False
    ) -> Markup:
        body = self._reader.parse(markdown)
        _name_whys(body, whys, with_links=has_links)
        for token in body:
            token.children = list(link_citations(token.children, entries)) if token.children else token.children
            token.info = ""  # nothing is highlighted by it, and the renderer would decode what it holds
            if token.nesting == 1 and token.tag in _OWN_DIRECTION:
                token.attrSet("dir", "auto")
        # Safe: the reader knows no raw HTML, and the renderer escapes all text.
        return Markup(_RENDERER.render(body, _OPTIONS, {}))  # noqa: S704

    def _chapter(
        self, region: Region, listed: Collection[str], contested: Collection[str], targets: "_Targets"
    ) -> Chapter:
        whys = targets.whys if region.id == "whys" else ()
        is_blank, has_rows = region.body.strip() == NOTHING, region.id in listed
        return Chapter(
            region.id,
            self._reader.render_line(region.title, visible_text),
            Markup()
            if is_blank and has_rows
            else self._blocks(region.body, targets.entries, whys, has_links=targets.has_links),
            is_blank=is_blank and not has_rows,
            has_rows=has_rows,
            is_contested=region.id in contested,
        )


def _read_style(templates: SandboxedEnvironment, name: str) -> str:
    if templates.loader is None:
        raise ValueError("templates without a loader have no style sheets")
    return templates.loader.get_source(templates, f"postmortem/{name}")[0]


def _render_on_paper(text: str) -> Markup:
    # With `white-space: pre-wrap`, as on the screen, WeasyPrint begins some texts on a second line. So on paper the
    # spaces that HTML would drop are no-break spaces.
    return _render_code(text, lambda words: link_addresses(_VISIBLE_SPACE.sub("\u00a0", words)))


def _render_on_screen(text: str) -> Markup:
    if "`" not in text and "://" not in text:  # nearly all
        return escape(text)
    return _render_code(text, link_addresses)


def _render_code(text: str, words: Callable[[str], Markup]) -> Markup:
    if "`" not in text:
        return words(text)
    if only := text_rules.split_at_only_span(text):
        before, code, after = only
        return Markup(f"{words(before)}<code>{escape(code)}</code>{words(after)}")  # noqa: S704 (all of it is escaped)
    return Markup().join(
        words(piece.text) if piece.kind is PieceKind.WORDS else _CODE[piece.kind].format(piece.text)
        for piece in text_rules.split_pieces(text)
    )


def _render_line(text: str) -> Markup:
    """A text on one line, such as a title, with its code marked."""
    return _render_code(text_rules.flatten(text), escape)
