"""Document to PDF: the page laid out on A4 by WeasyPrint, in a process of its own.

Laying out takes the processor for seconds and never lets go of the interpreter, so it never happens in the bot.
"""

from importlib.util import find_spec

from jinja2.sandbox import SandboxedEnvironment

from bot.domain.document import Document
from bot.export.html import HtmlWriter
from bot.export.pdf_fonts import NOT_INSTALLED, parted
from bot.export.sandbox import Bounds, FailedApart, run_apart
from bot.export.sandbox.team_templates import SHIPPED_EDITION, Edition

_SECONDS = 60.0
_SECONDS_AN_ENTRY = 0.03
_MEMORY = 2 * 1024**3
_MEMORY_AN_ENTRY = 256 * 1024
_LARGEST = 256 * 1024**2
"""Bytes: it holds the pictures that were kept."""


class PdfWriter:
    """Writes documents as PDF with bookmarks, live links and the kept pictures; the same document gives the same bytes.

    It blocks for two seconds and more (ten thousand entries: about a minute), and raises FailedApart, whose sentence
    says what to install where that is the reason.
    """

    def __init__(self, templates: SandboxedEnvironment, edition: Edition = SHIPPED_EDITION) -> None:
        self._html = HtmlWriter(templates, edition)

    def __call__(self, document: Document) -> bytes:
        """The PDF."""
        return self.drawn(document)[0]

    def drawn(self, document: Document) -> tuple[bytes, str]:
        """The PDF, and the letters that no font of this machine has: a box stands in it in their place."""
        entries = len(document.timeline)
        bounds = Bounds(_SECONDS + _SECONDS_AN_ENTRY * entries, _MEMORY + _MEMORY_AN_ENTRY * entries, _LARGEST)
        try:
            return parted(run_apart("bot.export.pdf_worker", self._html.page(document, on_paper=True).encode(), bounds))
        except FailedApart as error:
            raise type(error)(f"The PDF could not be made. {error}") from error


def not_installed() -> str:
    """Why there can be no PDF here, as far as it shows without starting WeasyPrint; empty where nothing does."""
    return NOT_INSTALLED if find_spec("weasyprint") is None else ""
