"""Document to Word (`.docx`), rendered from the Markdown in a process with limits (`bot.export.sandbox`).

It has real headings, lists and tables, so Word's navigation and a screen reader find their way in it. Charts are left
out, since Word shows no SVG that comes without a bitmap; the lists of the timeline and of the whys say the same.
"""

import json
from importlib.util import find_spec

from jinja2.sandbox import SandboxedEnvironment

from bot.domain.document import Document
from bot.domain.text import capitalize_title, strip_code_marks
from bot.export import escape
from bot.export.markdown import MarkdownWriter
from bot.export.sandbox import MEGABYTE, JobError, Limits, run_job
from bot.export.templates import NO_OVERRIDE, TemplateOverride
from bot.timeouts import Timeouts

NOT_INSTALLED = 'A Word file needs python-docx: `pip install "afterword[docx]"`.'

_SECONDS_PER_ENTRY = 0.01
_MEMORY = 1024 * MEGABYTE
_MEMORY_PER_ENTRY = MEGABYTE // 10


class WordWriter:
    """Writes documents as Word files. The same document gives the same bytes.

    Blocks for a second and more (ten thousand entries: some ten seconds). Raises JobError; its sentence says what to
    install if that is the reason.
    """

    def __init__(self, templates: SandboxedEnvironment, override: TemplateOverride = NO_OVERRIDE) -> None:
        self._markdown = MarkdownWriter(templates, override)

    def __call__(self, document: Document) -> bytes:
        """The Word file."""
        entries = len(document.timeline)
        limits = Limits(Timeouts().pdf + _SECONDS_PER_ENTRY * entries, _MEMORY + _MEMORY_PER_ENTRY * entries)
        order = {
            "title": f"{document.key}: {strip_code_marks(capitalize_title(document.title))}",
            "written": document.generated_at.isoformat(),
            "markdown": self._write_markdown(document),
        }
        try:
            return run_job("docx", json.dumps(order).encode(), limits)
        except JobError as error:
            raise type(error)(f"The Word file couldn't be made. {error}") from error

    def _write_markdown(self, document: Document) -> str:
        """The Markdown without front matter and markers, which only serve a draft that comes back."""
        shown = self._markdown.compile(document)
        title = f"# {document.key}: {escape.heading(capitalize_title(document.title))}"
        regions = (f"## {region.title}\n\n{region.body}" for region in shown.regions)
        return "\n\n".join([title, shown.preface, *regions])


def explain_missing_word_package() -> str:
    """Why no Word file can be made here, or ""."""
    return NOT_INSTALLED if find_spec("docx") is None else ""
