"""Document to bytes. `FORMATS` is the table of formats; an `Exporter`, built once, writes them."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2.sandbox import SandboxedEnvironment

from bot.domain.document import Document
from bot.domain.sections import BY_SLUG
from bot.export import templates
from bot.export.canvas import CanvasWriter
from bot.export.confluence import AttachedChart, ConfluenceWriter
from bot.export.csv_format import write_csv
from bot.export.docx_format import WordWriter, explain_missing_word_package
from bot.export.drafts import DraftRegions
from bot.export.html import HtmlWriter
from bot.export.json import write_json
from bot.export.markdown import MarkdownWriter
from bot.export.pdf import PdfWriter, explain_missing_packages
from bot.export.templates import NO_OVERRIDE, TemplateOverride, load_shipped_templates
from bot.timeouts import Timeouts

__all__ = ["FORMATS", "CanvasSheet", "ExportedFile", "Exporter", "Format", "file_name"]

WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_LONGEST_SLUG = 60
_Render = Callable[[Document], bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """A format of the document.

    `suffix` has no dot. `writer` is built of the shipped templates and an override; called with a document, it returns
    bytes. `is_read` says that people read the format, so a team's templates shape it. `trouble` returns why the format
    cannot be written on this machine, or "".
    """

    name: str
    suffix: str
    media_type: str
    writer: Callable[[SandboxedEnvironment, TemplateOverride], _Render]
    trouble: Callable[[], str] = str
    is_read: bool = True


def _without_templates(render: _Render) -> Callable[[SandboxedEnvironment, TemplateOverride], _Render]:
    return lambda _templates, _override: render


FORMATS = {
    one.name: one
    for one in (
        Format("markdown", "md", "text/markdown; charset=utf-8", MarkdownWriter),
        Format("html", "html", "text/html; charset=utf-8", HtmlWriter),
        Format("pdf", "pdf", "application/pdf", PdfWriter, explain_missing_packages),
        Format("docx", "docx", WORD_TYPE, WordWriter, explain_missing_word_package),
        Format("confluence", "confluence.xml", "application/xml", ConfluenceWriter),
        Format("canvas", "canvas.md", "text/markdown; charset=utf-8", CanvasWriter),
        Format("json", "json", "application/json", _without_templates(write_json), is_read=False),
        Format("csv", "csv", "text/csv; charset=utf-8", _without_templates(write_csv), is_read=False),
    )
}


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A document in one format.

    `trouble` says why a team's templates could not be used and the shipped ones were. `undrawn` are the letters that a
    PDF shows as boxes, because no font of this machine has them.
    """

    content: bytes
    trouble: str = ""
    undrawn: str = ""


@dataclass(frozen=True, slots=True)
class CanvasSheet:
    """A document as a Slack canvas: its Markdown, region ids by the text of their headings, and the draft behind it."""

    markdown: str
    headings: dict[str, str]
    draft: DraftRegions


class Exporter:
    """Writes documents. Building the first one compiles the templates, so build it early; threads may share it.

    `folder` holds a team's own templates, read again for each document (`bot.export.templates`). With a folder
    every call blocks for half a second or more: call it in a thread.
    """

    def __init__(self, folder: Path | None = None, timeouts: Timeouts = Timeouts()) -> None:
        self._folder = folder
        self._timeouts = timeouts
        self._templates = load_shipped_templates()
        self._renders = {name: one.writer(self._templates, NO_OVERRIDE) for name, one in FORMATS.items()}
        self._troubles = {name: one.trouble() for name, one in FORMATS.items()}

    def render(self, document: Document, form: str) -> bytes:
        """The document in a format of `FORMATS`. Raises KeyError for any other name, JobError if a PDF fails."""
        return self.write(document, form).content

    def write(self, document: Document, form: str) -> ExportedFile:
        """Like `render`, with what went wrong on the way."""
        folder = self._folder if FORMATS[form].is_read else None
        override = templates.render_or_fall_back(folder, document, templates.EXPORT_LIMITS)
        render = self._renders[form] if override is NO_OVERRIDE else FORMATS[form].writer(self._templates, override)
        if isinstance(render, PdfWriter):
            content, undrawn = render.draw(document, self._timeouts.pdf)
            return ExportedFile(content, override.trouble, undrawn)
        return ExportedFile(render(document), override.trouble)

    def write_article(self, document: Document) -> str:
        """The document as HTML for a page of the library (see `HtmlWriter.write_article`)."""
        override = templates.render_or_fall_back(self._folder, document, templates.EXPORT_LIMITS)
        return HtmlWriter(self._templates, override).write_article(document)

    def write_canvas(self, document: Document) -> CanvasSheet:
        """The document as a canvas. Raises BrokenTemplateError."""
        override = templates.render(self._folder, document, templates.CANVAS_LIMITS)
        writer = CanvasWriter(self._templates, override)
        draft = MarkdownWriter(self._templates, override).compile_draft(document)
        return CanvasSheet(writer(document).decode(), writer.index_headings(document), draft)

    def explain_trouble(self, form: str) -> str:
        """Why a format of `FORMATS` cannot be written here, as a sentence that says what to do, or ""."""
        return self._troubles[form]

    def write_confluence_page(
        self, document: Document, accounts: Mapping[str, str] | None = None, *, with_charts: bool = True
    ) -> tuple[str, tuple[AttachedChart, ...]]:
        """The body of a Confluence page, and the charts that must be attached to it.

        `accounts` maps people's ids to their accounts at Atlassian: they are mentioned. `with_charts` is for callers
        that can attach files.
        """
        override = templates.render_or_fall_back(self._folder, document, templates.EXPORT_LIMITS)
        writer = ConfluenceWriter(self._templates, override)
        if with_charts:
            return writer.write_with_charts(document, accounts or {})
        return writer.write_body(document, accounts=accounts or {}), ()

    def compile_draft(self, document: Document) -> DraftRegions:
        """The Markdown in regions: as the record has it, and with people's edits.

        Raises BrokenTemplateError, and does not fall back: the shipped templates do not know a team's own regions.
        """
        override = templates.render(self._folder, document, templates.EXPORT_LIMITS)
        return MarkdownWriter(self._templates, override).compile_draft(document)

    def compile_preview(self, document: Document) -> DraftRegions:
        """`compile_draft` for a person who waits: by the shipped templates unless a team's own region was edited."""
        has_own_edit = any(text.section not in BY_SLUG for text in document.kept)
        folder = self._folder if has_own_edit else None
        override = templates.render_or_fall_back(folder, document, templates.ANSWER_LIMITS)
        return MarkdownWriter(self._templates, override).compile_draft(document)


def file_name(document: Document, form: str) -> str:
    """`INC-7-checkout-returns-503s.md`: ASCII letters, digits and hyphens, and the suffix of the format."""
    letters = unicodedata.normalize("NFKD", document.title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:_LONGEST_SLUG].rstrip("-")
    return "-".join(filter(None, (document.key, slug))) + f".{FORMATS[form].suffix}"
