"""The job that makes a PDF of HTML. It runs in the worker process, because only this module imports WeasyPrint."""

import hashlib
import logging
from typing import Any

from bot.export.pdf import NO_LIBRARIES, NOT_INSTALLED, append_missing
from bot.export.sandbox import JobError

trouble = ""
"""What to install; empty if WeasyPrint and its libraries are there."""

try:
    import weasyprint
except ModuleNotFoundError:
    trouble = NOT_INSTALLED
except OSError:  # cffi raises it if it cannot load a library
    trouble = NO_LIBRARIES

MAX_TAGGED = 1_000_000
"""Bytes of HTML up to which headings, lists and tables are tagged for screen readers: that takes half as long again."""


def run(html: bytes) -> bytes:
    """The page as PDF, followed by the letters that no font has (`append_missing`). The same page gives the same bytes.

    Only `data:` addresses are loaded: no file of this machine, nothing from the network. Raises JobError.
    """
    if trouble:
        raise JobError(trouble)
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    page = weasyprint.HTML(
        string=html.decode(), url_fetcher=weasyprint.urls.URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    )
    letters: set[int] = set()

    def collect_missing(document: Any, _: Any) -> None:
        # Only once all pages are drawn does each font know for which letters it has no glyph.
        letters.update(letter for font in document.fonts.values() for letter in getattr(font, "missing", ()))

    pdf: bytes = page.write_pdf(
        finisher=collect_missing,
        pdf_variant="pdf/ua-1" if len(html) <= MAX_TAGGED else None,
        pdf_identifier=hashlib.sha256(html).digest()[:16],
    )
    return append_missing(pdf, letters)
