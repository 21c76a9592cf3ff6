"""Document to a page of Confluence, in its storage format (Cloud and Data Center).

Each region begins with an anchor named `afterword-ID` in its heading, so that it is found again on a page that people
edited; `bot.export.confluence_reading` does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from jinja2 import Template
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from bot.export.edition import OURS, Edition
from bot.export.kept import NOTHING
from bot.export.markdown import MarkdownWriter
from bot.export.pictures import pictures_of
from bot.export.reader import Reader
from bot.export.regions import Region
from bot.export.rows import Row, timeline_rows
from bot.export.storage_xhtml import StorageXhtml, running_text
from bot.incident.document import ActionItem, Document

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DRAWN = ("timeline", "actions")
"""The regions that are tables on a page."""
_COLOURS = {"open": "Blue", "overdue": "Red", "done": "Green", "dropped": "Grey"}
_NOBODY: Mapping[str, str] = {}
_LONGEST_TABLE = 150
_FOLDED = 250
_WIDTH = 760
"""Pixels: as wide as a page of Cloud's is. A picture without a width is seen there only while the page is edited."""
_ISSUE = re.compile(r"https?://\S+/browse/([A-Z][A-Z0-9_]*-[0-9]+)")


@dataclass(frozen=True, slots=True)
class Attached:
    """A picture that hangs on the page as the attachment `name` (a file name, no path), shown first in its region.

    `content` is the file, in SVG; `alternative` is for those who do not see it.
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


@dataclass(frozen=True, slots=True)
class Deed:
    """A corrective action as a row: `text` and `link` are storage format, `status` is a word and its colour."""

    action: ActionItem
    text: Markup
    link: Markup
    status: tuple[str, str]


class ConfluenceWriter:
    """Writes the body of a page; its title is not in it, as Confluence keeps that apart.

    It is one that Cloud's editor takes: what that does not take opens the whole page in the legacy editor.
    """

    def __init__(self, templates: SandboxedEnvironment, edition: Edition = OURS) -> None:
        self._markdown = MarkdownWriter(templates, edition)
        self._page: Template = templates.get_template("postmortem/page.xml.j2")
        self._storage = StorageXhtml(Reader())

    def __call__(self, document: Document) -> bytes:
        """The body without pictures: nothing hangs on a page that does not exist yet."""
        return self.page(document).encode()

    def with_pictures(
        self, document: Document, accounts: Mapping[str, str] = _NOBODY
    ) -> tuple[str, tuple[Attached, ...]]:
        """The body for who can attach files, and those that it shows: attach them, or readers see broken pictures."""
        attached = tuple(
            Attached(region, f"{region}.svg", picture.alternative, picture.svg.encode())
            for region, picture in pictures_of(document).items()
        )
        return self.page(document, attached, accounts), attached

    def page(self, document: Document, attached: Sequence[Attached] = (), accounts: Mapping[str, str] = _NOBODY) -> str:
        """The body, with the pictures that are, or will be, attached to the page.

        Whoever has an account at Atlassian by `accounts` (by their ids) is mentioned in the head, not just named.
        """
        draft, apart = self._markdown.with_rows_apart(document, _DRAWN)
        compiled = draft.shown
        rows = {"timeline": document.timeline, "actions": document.actions}
        drawn = {id_ for id_ in apart if rows[id_]}
        preface = self._markdown.own_preface(document) if compiled.regions else compiled.preface
        written = self._page.render(
            document=document,
            head=self._storage.blocks(preface),
            sections=[self._section(region, is_drawn=region.id in drawn) for region in compiled.regions],
            folds=tuple(_folds(document)) if "timeline" in drawn else (),
            deeds=[_deed(action) for action in document.actions] if "actions" in drawn else (),
            attached=attached,
            accounts=accounts,
            running=running_text,
        )
        return written.strip() + "\n"

    def _section(self, region: Region, *, is_drawn: bool) -> Section:
        level = len(region.heading) - len(region.heading.lstrip("#"))
        body = "" if is_drawn and region.body.strip() == NOTHING else region.body
        tag = f"h{level}" if level else "p"
        return Section(region.id, tag, self._storage.line(region.title), self._storage.blocks(body))


def _deed(action: ActionItem) -> Deed:
    issue = _ISSUE.fullmatch(action.link)
    named = Markup('<a href="{}">{}</a>').format(action.link, issue[1]) if issue else running_text(action.link)
    status = "overdue" if action.is_overdue else action.status.value
    return Deed(action, running_text(action.text), named, (status, _COLOURS[status]))


def _folds(document: Document) -> Iterator[Fold]:
    """The rows of the timeline: one table, or several where it is long."""
    rows = timeline_rows(document, running_text, escape)
    size = _FOLDED if len(document.timeline) > _LONGEST_TABLE else _LONGEST_TABLE
    while fold := tuple(islice(rows, size)):
        yield Fold(fold)
