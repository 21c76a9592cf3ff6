"""Document to a page of Confluence, in its storage format (Cloud and Data Center).

Each region begins with an anchor named `afterword-ID` in its heading, so that it is found again on a page that people
edited; `bot.export.confluence_reading` does.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from jinja2 import Template
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from bot.export.edition import OURS, Edition
from bot.export.markdown import MarkdownWriter
from bot.export.pictures import pictures_of
from bot.export.reader import Reader
from bot.export.regions import Region
from bot.export.rows import Row, timeline_rows
from bot.export.storage_xhtml import StorageXhtml, running_text
from bot.incident.document import Document

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LONGEST_TABLE = 150
_FOLDED = 250
_BLANK = "_Not recorded_"


@dataclass(frozen=True, slots=True)
class Attached:
    """A picture that hangs on the page as the attachment `name` (a file name, no path), shown first in its region.

    `content` is the file, in SVG; `alternative` is for those who do not see it.
    """

    region: str
    name: str
    alternative: str
    content: bytes = b""

    def __post_init__(self) -> None:
        if not _FILE_NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not the plain name of a file")


@dataclass(frozen=True, slots=True)
class Section:
    """A region on the page: `tag` is that of its heading, `title` and `body` are storage format."""

    id: str
    tag: str
    title: Markup
    body: Markup


@dataclass(frozen=True, slots=True)
class Fold:
    """A part of a long timeline, folded away behind its first and last time."""

    rows: tuple[Row, ...]

    @property
    def first(self) -> str:
        return self.rows[0][0]

    @property
    def last(self) -> str:
        return self.rows[-1][0]


class ConfluenceWriter:
    """Writes the body of a page; its title is not in it, as Confluence keeps that apart."""

    def __init__(self, templates: SandboxedEnvironment, edition: Edition = OURS) -> None:
        self._markdown = MarkdownWriter(templates, edition)
        self._page: Template = templates.get_template("postmortem/page.xml.j2")
        self._storage = StorageXhtml(Reader())

    def __call__(self, document: Document) -> bytes:
        """The body without pictures: nothing hangs on a page that does not exist yet."""
        return self.page(document).encode()

    def with_pictures(self, document: Document) -> tuple[str, tuple[Attached, ...]]:
        """The body for who can attach files, and those that it shows: attach them, or readers see broken pictures."""
        attached = tuple(
            Attached(region, f"{region}.svg", picture.alternative, picture.svg.encode())
            for region, picture in pictures_of(document).items()
        )
        return self.page(document, attached), attached

    def page(self, document: Document, attached: Sequence[Attached] = ()) -> str:
        """The body, with the pictures that are, or will be, attached to the page."""
        draft, is_apart = self._markdown.with_timeline_apart(document)
        compiled = draft.shown
        written = self._page.render(
            document=document,
            head=self._storage.blocks(compiled.preface),
            sections=[self._section(region, document, is_apart=is_apart) for region in compiled.regions],
            folds=tuple(_folds(document)) if is_apart and document.timeline else (),
            attached=attached,
        )
        return written.strip() + "\n"

    def _section(self, region: Region, document: Document, *, is_apart: bool) -> Section:
        level = len(region.heading) - len(region.heading.lstrip("#"))
        is_drawn = is_apart and region.id == "timeline" and document.timeline
        body = "" if is_drawn and region.body.strip() == _BLANK else region.body
        tag = f"h{level}" if level else "p"
        return Section(region.id, tag, self._storage.line(region.title), self._storage.blocks(body))


def _folds(document: Document) -> Iterator[Fold]:
    """The rows of the timeline: one table, or several where it is long."""
    rows = timeline_rows(document, running_text, escape)
    size = _FOLDED if len(document.timeline) > _LONGEST_TABLE else _LONGEST_TABLE
    while fold := tuple(islice(rows, size)):
        yield Fold(fold)
