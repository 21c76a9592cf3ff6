"""Document to bytes, in every form that Afterword can write by itself.

`FORMATS` is the one table of forms; an `Exporter`, built once, writes them.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from jinja2.sandbox import SandboxedEnvironment

from bot.export.canvas import CanvasWriter
from bot.export.confluence import Attached, ConfluenceWriter
from bot.export.csv_form import CsvWriter
from bot.export.environment import template_set
from bot.export.html import HtmlWriter
from bot.export.json_form import JsonWriter
from bot.export.kept import Draft
from bot.export.markdown import MarkdownWriter
from bot.export.pdf import PdfWriter, not_installed
from bot.incident.document import Document

__all__ = ["FORMATS", "Exporter", "Format", "file_name"]

_LONGEST_SLUG = 60
_Render = Callable[[Document], bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """A form of the document: `suffix` has no dot; `writer` makes, from the compiled templates, what renders it.

    `trouble` is a sentence where the form cannot be written here, else empty.
    """

    name: str
    suffix: str
    media_type: str
    writer: Callable[[SandboxedEnvironment], _Render]
    trouble: Callable[[], str] = str


FORMATS = {
    form.name: form
    for form in (
        Format("markdown", "md", "text/markdown; charset=utf-8", MarkdownWriter),
        Format("html", "html", "text/html; charset=utf-8", HtmlWriter),
        Format("pdf", "pdf", "application/pdf", PdfWriter, not_installed),
        Format("confluence", "confluence.xml", "application/xml", ConfluenceWriter),
        Format("canvas", "canvas.md", "text/markdown; charset=utf-8", CanvasWriter),
        Format("json", "json", "application/json", JsonWriter),
        Format("csv", "csv", "text/csv; charset=utf-8", CsvWriter),
    )
}


class Exporter:
    """Writes documents. Building it compiles the templates, so build one and keep it; threads may share it."""

    def __init__(self) -> None:
        templates = template_set()
        self._markdown = MarkdownWriter(templates)
        self._confluence = ConfluenceWriter(templates)
        self._renders = {name: form.writer(templates) for name, form in FORMATS.items()}
        self._canvas = CanvasWriter(templates)
        self._troubles = {name: form.trouble() for name, form in FORMATS.items()}

    def render(self, document: Document, form: str) -> bytes:
        """The document in a form of `FORMATS`. Raises KeyError for any other name, FailedApart where a PDF fails."""
        return self._renders[form](document)

    def canvas_headings(self, document: Document) -> dict[str, str]:
        """The ids of the document's regions by what is read of their headings on a canvas."""
        return self._canvas.headings(document)

    def trouble(self, form: str) -> str:
        """Why a form of `FORMATS` cannot be written here, as a sentence that says what to do; empty where it can."""
        return self._troubles[form]

    def confluence_page(self, document: Document) -> tuple[str, tuple[Attached, ...]]:
        """The body of a page with pictures, for who can attach files, and the files that it shows."""
        return self._confluence.with_pictures(document)

    def draft(self, document: Document) -> Draft:
        """The Markdown of the document in its regions, what people wrote beside what the record itself says."""
        return self._markdown.draft(document)


def file_name(document: Document, form: str) -> str:
    """`INC-7-checkout-returns-503s.md`: what the file is called, of ASCII letters, digits and hyphens only."""
    letters = unicodedata.normalize("NFKD", document.title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:_LONGEST_SLUG].rstrip("-")
    return "-".join(filter(None, (document.key, slug))) + f".{FORMATS[form].suffix}"
