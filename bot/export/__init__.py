"""Document to bytes, in every form that Afterword can write by itself.

`FORMATS` is the one table of forms; an `Exporter`, built once, writes them.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2.sandbox import SandboxedEnvironment

from bot.domain.document import Document
from bot.domain.sections import BY_SLUG
from bot.export import team_templates
from bot.export.canvas.writer import CanvasWriter
from bot.export.confluence.writer import Attached, ConfluenceWriter
from bot.export.csv_format import CsvWriter
from bot.export.html import HtmlWriter
from bot.export.json.writer import JsonWriter
from bot.export.markdown import MarkdownWriter
from bot.export.pdf import PdfWriter, explain_missing_packages
from bot.export.regions import DraftRegions
from bot.export.team_templates import NO_OVERRIDE, TemplateOverride
from bot.export.template_env import template_set
from bot.timeouts import Timeouts

__all__ = ["FORMATS", "CanvasSheet", "ExportedFile", "Exporter", "Format", "file_name"]

_LONGEST_SLUG = 60
_Render = Callable[[Document], bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """A form of the document: `suffix` has no dot; `writer` makes, of our templates and an edition, what renders it.

    `is_read` by people, so that a team's templates tell it; `trouble` is a sentence where the form cannot be written
    here, else empty.
    """

    name: str
    suffix: str
    media_type: str
    writer: Callable[[SandboxedEnvironment, TemplateOverride], _Render]
    trouble: Callable[[], str] = str
    is_read: bool = True


FORMATS = {
    form.name: form
    for form in (
        Format("markdown", "md", "text/markdown; charset=utf-8", MarkdownWriter),
        Format("html", "html", "text/html; charset=utf-8", HtmlWriter),
        Format("pdf", "pdf", "application/pdf", PdfWriter, explain_missing_packages),
        Format("confluence", "confluence.xml", "application/xml", ConfluenceWriter),
        Format("canvas", "canvas.md", "text/markdown; charset=utf-8", CanvasWriter),
        Format("json", "json", "application/json", JsonWriter, is_read=False),
        Format("csv", "csv", "text/csv; charset=utf-8", CsvWriter, is_read=False),
    )
}


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A document in one form; `trouble` says why a team's templates could not be used, and ours were.

    `undrawn` are the letters of it that no font of this machine has, where they are drawn here.
    """

    content: bytes
    trouble: str = ""
    undrawn: str = ""


@dataclass(frozen=True, slots=True)
class CanvasSheet:
    """A canvas of a document as Markdown, the ids of its regions by the words of their headings, and its draft."""

    markdown: str
    headings: dict[str, str]
    draft: DraftRegions


class Exporter:
    """Writes documents. Building the first compiles our templates, so build it early; threads may share it.

    `folder` holds a team's own templates, which are looked at for each document (see `teams`).
    """

    def __init__(self, folder: Path | None = None, timeouts: Timeouts = Timeouts()) -> None:
        self._folder = folder
        self._timeouts = timeouts
        self._templates = template_set()
        self._renders = {name: form.writer(self._templates, NO_OVERRIDE) for name, form in FORMATS.items()}
        self._troubles = {name: form.trouble() for name, form in FORMATS.items()}

    def render(self, document: Document, form: str) -> bytes:
        """The document in a form of `FORMATS`. Raises KeyError for any other name, FailedApart where a PDF fails."""
        return self.write(document, form).content

    def write(self, document: Document, form: str) -> ExportedFile:
        """The same, telling too whether a team's templates could be used. With some it takes half a second and more."""
        edition = NO_OVERRIDE
        if self._folder is not None and FORMATS[form].is_read:
            edition = team_templates.render_or_fall_back(self._folder, document, team_templates.EXPORT_LIMITS)
        render = self._renders[form] if edition is NO_OVERRIDE else FORMATS[form].writer(self._templates, edition)
        if isinstance(render, PdfWriter):
            content, undrawn = render.draw(document, self._timeouts.pdf)
            return ExportedFile(content, edition.trouble, undrawn)
        return ExportedFile(render(document), edition.trouble)

    def sheet(self, document: Document) -> CanvasSheet:
        """What a canvas of the document is to say. Raises BrokenTemplate where a team's templates cannot be used."""
        edition = (
            NO_OVERRIDE
            if self._folder is None
            else team_templates.render(self._folder, document, team_templates.CANVAS_LIMITS)
        )
        writer = CanvasWriter(self._templates, edition)
        draft = MarkdownWriter(self._templates, edition).draft(document)
        return CanvasSheet(writer(document).decode(), writer.headings(document), draft)

    def trouble(self, form: str) -> str:
        """Why a form of `FORMATS` cannot be written here, as a sentence that says what to do; empty where it can."""
        return self._troubles[form]

    def confluence_page(
        self, document: Document, accounts: Mapping[str, str] | None = None, *, with_pictures: bool = True
    ) -> tuple[str, tuple[Attached, ...]]:
        """The body of a page with pictures, for who can attach files, and the files that it shows.

        `accounts` are the accounts at Atlassian of people, by their ids: they are mentioned.
        """
        edition = (
            NO_OVERRIDE
            if self._folder is None
            else team_templates.render_or_fall_back(self._folder, document, team_templates.EXPORT_LIMITS)
        )
        writer = ConfluenceWriter(self._templates, edition)
        if with_pictures:
            return writer.with_pictures(document, accounts or {})
        return writer.page(document, accounts=accounts or {}), ()

    def draft(self, document: Document) -> DraftRegions:
        """The Markdown of the document in its regions, what people wrote beside what the record itself says.

        Raises BrokenTemplate where a team's templates cannot be used: by ours its own regions would be unknown.
        """
        edition = (
            NO_OVERRIDE
            if self._folder is None
            else team_templates.render(self._folder, document, team_templates.EXPORT_LIMITS)
        )
        return MarkdownWriter(self._templates, edition).draft(document)

    def glance(self, document: Document) -> DraftRegions:
        """The same where somebody waits: in our words, but where people wrote into a section that only a team has."""
        edition = NO_OVERRIDE
        if self._folder is not None and any(text.section not in BY_SLUG for text in document.kept):
            edition = team_templates.render_or_fall_back(self._folder, document, team_templates.ANSWER_LIMITS)
        return MarkdownWriter(self._templates, edition).draft(document)


def file_name(document: Document, form: str) -> str:
    """`INC-7-checkout-returns-503s.md`: what the file is called, of ASCII letters, digits and hyphens only."""
    letters = unicodedata.normalize("NFKD", document.title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:_LONGEST_SLUG].rstrip("-")
    return "-".join(filter(None, (document.key, slug))) + f".{FORMATS[form].suffix}"
