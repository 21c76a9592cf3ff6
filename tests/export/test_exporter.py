import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.export import FORMATS, Exporter, file_name
from tests.support.deadlines import working_at_most
from tests.support.export.cases import FULL, NOW, at, case, entry, incident
from tests.support.timeouts import PATIENT

EXPORTER = Exporter(timeouts=PATIENT)
TEXTS = [form for form in FORMATS if form not in ("pdf", "docx")]  # read back in test_pdf.py and test_docx.py
DOCUMENT = postmortem_rules.compile_document(FULL, NOW)


@pytest.mark.parametrize("form", TEXTS)
def test_every_form_of_the_table_can_be_written(form: str) -> None:
    assert b"Alert checkout_5xx fired" in EXPORTER.render(DOCUMENT, form)
    assert EXPORTER.explain_trouble(form) == ""


def test_each_form_has_its_own_name_and_its_own_kind_of_file() -> None:
    assert [form.name for form in FORMATS.values()] == list(FORMATS)
    assert len({file_name(DOCUMENT, form) for form in FORMATS}) == len(FORMATS)


def test_a_form_that_cannot_be_written_here_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.setitem(sys.modules, "docx", None)
    assert Exporter().explain_trouble("pdf") == 'A PDF needs WeasyPrint: `pip install "afterword[pdf]"`.'
    assert Exporter().explain_trouble("docx") == 'A Word file needs python-docx: `pip install "afterword[docx]"`.'


def test_an_unknown_form_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        EXPORTER.render(DOCUMENT, "odt")


def test_threads_may_share_one_exporter() -> None:
    jobs = [form for form in TEXTS for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda form: EXPORTER.render(DOCUMENT, form), jobs))
    assert results == [EXPORTER.render(DOCUMENT, form) for form in jobs]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Checkout returns 503s", "INC-7-checkout-returns-503s.md"),
        ("Größe: naïve / café!", "INC-7-groe-naive-cafe.md"),
        ("../../etc/passwd\n", "INC-7-etc-passwd.md"),
        ("漢字", "INC-7.md"),
        ("a" * 59 + " bc", "INC-7-" + "a" * 59 + ".md"),
        ("a" * 100, "INC-7-" + "a" * 60 + ".md"),
    ],
)
def test_a_file_is_named_for_its_incident_in_plain_letters(title: str, name: str) -> None:
    document = postmortem_rules.compile_document(case(about=incident(title=title)), NOW)
    assert file_name(document, "markdown") == name


@pytest.mark.slow
def test_ten_thousand_entries_are_each_in_every_form() -> None:
    entries = tuple(entry(number, at(0, 0), f"step {number}, done") for number in range(1, 10_001))
    document = postmortem_rules.compile_document(case(entries=entries), NOW)
    for form in TEXTS:
        with working_at_most(20):
            written = EXPORTER.render(document, form)
        assert written.count(b", done") == 10_000
        assert b"step 10000, done" in written
