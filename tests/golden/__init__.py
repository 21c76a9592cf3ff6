"""Three incidents as they are written out, in every form: the files beside this one are what people get.

Where a change of words, templates or escapers is meant, `python -m tests.golden` writes them again; look through the
difference before it is committed. A PDF is kept as its text, page by page, under the fonts that it was laid out with; a
Word file as its text, each paragraph with its style.
"""

from collections.abc import Iterator
from pathlib import Path

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import Document
from bot.domain.samples import NOW, SAMPLES
from bot.export import FORMATS, Exporter
from bot.export.charts import draw_charts
from tests.support.export import pdf_text, word_text
from tests.support.timeouts import PATIENT

FOLDER = Path(__file__).parent
EXPORTER = Exporter(timeouts=PATIENT)
DOCUMENTS = {name.replace(" ", "-"): postmortem_rules.compile_document(case, NOW) for name, case in SAMPLES.items()}
PAPER = "document.pdf.txt"
WORD = "document.docx.txt"


def forms(document: Document) -> Iterator[tuple[str, bytes]]:
    """Every file of a document but its PDF and its Word file: name and content."""
    for name, form in FORMATS.items():
        if name not in ("pdf", "docx"):
            yield f"document.{form.suffix}", EXPORTER.render(document, name)
    for region, picture in draw_charts(document).items():
        yield f"{region}.svg", picture.svg.encode()


def paper(document: Document) -> str:
    """The PDF as text: the fonts it was laid out with in the first line, then page by page."""
    reader = pdf_text.read(EXPORTER.render(document, "pdf"))
    pages = (f"--- page {number} ---\n{page.extract_text()}" for number, page in enumerate(reader.pages, 1))
    text = "\n".join([f"Fonts: {', '.join(pdf_text.fonts(reader))}", *pages])
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def word(document: Document) -> str:
    """The Word file as text."""
    return "".join(f"{line.rstrip()}\n" for line in word_text.outline(EXPORTER.render(document, "docx")))
