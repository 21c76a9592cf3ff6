"""The timeline of a document as CSV, for spreadsheets."""

import csv
import io

from jinja2.sandbox import SandboxedEnvironment

from bot.domain.document import Document, TimelineLine
from bot.domain.text import format_iso
from bot.export.templates import NO_OVERRIDE, TemplateOverride

_COLUMNS = (
    "number", "happened_at", "ended_at", "approximate", "text",
    "milestone", "kind", "author", "recorder", "recorded_at",
)  # fmt: skip
# A spreadsheet runs a cell that begins so; behind an apostrophe it shows it as text (OWASP, "CSV Injection").
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class CsvWriter:
    """Writes the timeline, one row an entry (RFC 4180, every cell quoted, UTF-8, times ISO 8601 in UTC)."""

    def __init__(self, templates: SandboxedEnvironment, override: TemplateOverride = NO_OVERRIDE) -> None:
        """CSV has no words of its own: the templates are not used."""

    def __call__(self, document: Document) -> bytes:
        """The header row and a row for each entry."""
        written = io.StringIO(newline="")
        rows = csv.writer(written, quoting=csv.QUOTE_ALL)
        rows.writerow(_COLUMNS)
        rows.writerows(_make_row(line) for line in document.timeline)
        return written.getvalue().encode()


def _make_row(line: TimelineLine) -> tuple[str, ...]:
    return (
        str(line.number),
        format_iso(line.happened_at),
        format_iso(line.ended_at) if line.ended_at else "",
        "yes" if line.approximate else "no",
        _defuse(line.text),
        line.milestone.value if line.milestone else "",
        line.kind.value,
        _defuse(line.author.name),
        _defuse(line.recorder.name),
        format_iso(line.recorded_at),
    )


def _defuse(text: str) -> str:
    return f"'{text}" if text.startswith(_RUNS) else text
