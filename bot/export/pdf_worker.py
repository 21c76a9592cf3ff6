"""HTML to PDF, in a process of its own: WeasyPrint is imported here and nowhere else (see `bot.export.sandbox`)."""

import hashlib
import logging
from typing import Any

from bot.export.pdf_fonts import NO_LIBRARIES, NOT_INSTALLED, marked
from bot.export.sandbox import FailedApart, answer

missing = ""
"""What to install; empty where WeasyPrint and its libraries are there."""

try:
    import weasyprint
except ModuleNotFoundError:
    missing = NOT_INSTALLED
except OSError:  # as cffi says that it cannot load a library
    missing = NO_LIBRARIES

LONGEST_TAGGED = 1_000_000
"""Bytes of HTML: marking what is a heading, a list, a table for screen readers takes half as long again."""


def make(html: bytes) -> bytes:
    """A page of our own as PDF: the same bytes for the same page. Nothing is loaded from anywhere.

    Behind it stands which letters no font of this machine has (see `undrawn`).
    """
    if missing:
        raise FailedApart(missing)
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    page = weasyprint.HTML(
        string=html.decode(), url_fetcher=weasyprint.urls.URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    )
    letters: set[int] = set()

    def look(document: Any, _: Any) -> None:
        """Once all pages are drawn, each font knows for which letters it had to stand in without having them."""
        letters.update(letter for font in document.fonts.values() for letter in getattr(font, "missing", ()))

    made: bytes = page.write_pdf(
        finisher=look,
        pdf_variant="pdf/ua-1" if len(html) <= LONGEST_TAGGED else None,
        pdf_identifier=hashlib.sha256(html).digest()[:16],
    )
    return marked(made, letters)


if __name__ == "__main__":
    answer(make)
