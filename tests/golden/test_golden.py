"""The documents read as those that are kept here; where they are meant to change: `python -m tests.golden`."""

import pytest

from bot.domain.document import Document
from tests.golden import DOCUMENTS, FOLDER, PAPER, WORD, forms, paper, word
from tests.support.export import pdf_text

SAMPLES = pytest.mark.parametrize(("sample", "document"), DOCUMENTS.items(), ids=list(DOCUMENTS))


@SAMPLES
def test_every_form_is_written_as_it_is_kept(sample: str, document: Document) -> None:
    written = dict(forms(document))
    golden = {path.name: path.read_bytes() for path in (FOLDER / sample).iterdir() if path.name not in (PAPER, WORD)}
    assert set(written) == set(golden)
    for name, content in written.items():
        assert content.decode().splitlines() == golden[name].decode().splitlines(), name
        assert content == golden[name], name


@pytest.mark.slow
@SAMPLES
def test_the_pdf_reads_page_by_page_as_it_is_kept(sample: str, document: Document) -> None:
    pdf_text.require_weasyprint()
    golden = (FOLDER / sample / PAPER).read_text(encoding="utf-8").splitlines()
    written = paper(document).splitlines()
    if written[0] != golden[0]:
        pytest.skip(f"the pages are laid out with other fonts here ({written[0]}), which break lines elsewhere")
    assert written == golden


@SAMPLES
def test_the_word_file_reads_as_it_is_kept(sample: str, document: Document) -> None:
    assert word(document) == (FOLDER / sample / WORD).read_text(encoding="utf-8")


def test_nothing_else_is_kept() -> None:
    assert {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(DOCUMENTS)
