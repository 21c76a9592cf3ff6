"""The timeline of a document as CSV, for spreadsheets."""

import csv
import io

from bot.domain.document import Document, TimelineLine
from bot.domain.text import format_iso

_COLUMNS = (
    "number", "happened_at", "ended_at", "approximate", "text",
    "milestone", "kind", "author", "recorder", "recorded_at",
)  # fmt: skip
# A spreadsheet runs a cell that begins with one of these as a formula; behind an apostrophe it is shown as text (OWASP,
# "CSV Injection"). The last four are full-width forms.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_csv(document: Document) -> bytes:
    """A header row and a row for each entry (RFC 4180, every cell quoted, UTF-8, times ISO 8601 in UTC)."""
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
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text
