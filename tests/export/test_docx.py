"""A Word file, opened by the library that Word files are read with, and checked part by part."""

import io
import json
import zipfile
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case
from bot.domain.text import clean, strip_code_marks
from bot.export import Exporter
from bot.export.sandbox import JobError, Limits, run_job
from tests.export.test_corpus import STRINGS
from tests.export.test_escape import TEXTS
from tests.export.test_hostile import HOSTILE, HOSTILE_CODE, everywhere
from tests.support.export import word_text
from tests.support.export.cases import FULL, NOW, action, at, case, entry, incident, section_text
from tests.support.timeouts import PATIENT

EXPORTER = Exporter(timeouts=PATIENT)
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def write(about: Case) -> bytes:
    return EXPORTER.render(postmortem_rules.compile_document(about, NOW), "docx")


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


def body(content: bytes) -> etree._Element:
    return etree.fromstring(parts(content)["word/document.xml"])


def collect(texts: list[str]) -> Case:
    """An incident in which each text is an entry, an action and a paragraph."""
    return case(
        entries=tuple(entry(number, at(0, 0), text) for number, text in enumerate(texts, 1)),
        actions=tuple(action(number, text=text) for number, text in enumerate(texts, 1)),
        sections=(section_text("fault", "\n\n".join(texts)),),
    )


def test_sections_are_headings_lists_are_lists_and_actions_are_a_table() -> None:
    outline = list(word_text.outline(write(FULL)))
    assert outline[0] == "[Title] INC-7: Checkout returns 503s"
    headings = [line for line in outline if line.startswith("[Heading 1]")]
    assert len(headings) == 14
    assert any(line.startswith("[List Bullet] ") and "Alert checkout_5xx fired" in line for line in outline)
    assert "[row] # | Action | Owner | Due | Status | Kind | Cause | Ticket" in outline


def test_the_first_row_of_a_table_is_repeated_on_each_page() -> None:
    tables = list(body(write(FULL)).iter(f"{WORD}tbl"))
    assert len(tables) == 2
    for table in tables:
        first, *rest = table.findall(f"{WORD}tr")
        assert first.find(f"{WORD}trPr/{WORD}tblHeader") is not None
        assert [row for row in rest if row.find(f"{WORD}trPr/{WORD}tblHeader") is not None] == []


def test_emphasis_code_and_links_are_those_of_the_markdown() -> None:
    text = "**bold** *slanted* ~~gone~~ `kubectl get po` see https://a.example/x and [docs](https://b.example)"
    document = word_text.read(run_markdown(text))
    paragraph = document.paragraphs[0]
    looks = {run.text: (run.bold, run.italic, run.font.strike, run.font.name) for run in paragraph.runs}
    assert looks["bold"][0] is looks["slanted"][1] is looks["gone"][2] is True
    assert looks["kubectl get po"][3] == "Consolas"
    assert [(link.text, link.address) for link in paragraph.hyperlinks] == [("docs", "https://b.example")]


def run_markdown(markdown: str) -> bytes:
    order = {"title": "x", "written": NOW.isoformat(), "markdown": markdown}
    return run_job("docx", json.dumps(order).encode(), Limits(seconds=PATIENT.pdf))


def test_numbered_lists_begin_at_their_own_number() -> None:
    outline = list(word_text.outline(run_markdown("1. one\n2. two\n\nthen\n\n4. four\n   - inner\n5. five")))
    assert outline == [
        "[Normal] 1.\tone", "[Normal] 2.\ttwo", "[Normal] then",
        "[Normal] 4.\tfour", "[List Bullet 2] inner", "[Normal] 5.\tfive",
    ]  # fmt: skip


def test_what_is_written_from_right_to_left_runs_that_way() -> None:
    about = case(sections=(section_text("summary", "النظام توقف عن العمل"), section_text("fault", "The النظام")))
    marked = [p for p in body(write(about)).iter(f"{WORD}p") if p.find(f"{WORD}pPr/{WORD}bidi") is not None]
    texts = ["".join(map(str, p.itertext())) for p in marked]
    assert "النظام توقف عن العمل" in texts
    assert "The النظام" not in texts


def test_the_same_document_gives_the_same_bytes() -> None:
    assert write(FULL) == write(FULL)


def test_the_file_says_what_it_is_and_not_who_made_it() -> None:
    properties = word_text.read(write(FULL)).core_properties
    assert (properties.title, properties.author) == ("INC-7: Checkout returns 503s", "Afterword")
    assert properties.last_modified_by == ""


@pytest.mark.parametrize("text", [*HOSTILE, *HOSTILE_CODE], ids=range(len(HOSTILE) + len(HOSTILE_CODE)))
def test_a_hostile_text_leaves_every_part_well_formed(text: str) -> None:
    content = write(everywhere(text))
    for name, part in parts(content).items():
        if name.endswith((".xml", ".rels")):
            etree.fromstring(part)
    addresses = [part.target_ref for part in word_text.read(content).part.rels.values() if part.is_external]
    assert [address for address in addresses if not address.startswith(("http://", "https://"))] == []


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(TEXTS)
def test_any_text_is_read_letter_by_letter(text: str) -> None:
    read = word_text.letters(write(collect([text, "Z"])))
    assert "".join(strip_code_marks(clean(text)).split()) in read


@pytest.mark.slow
def test_every_naughty_string_reads_literally() -> None:
    texts = [text for text in STRINGS if strip_code_marks(clean(text)) == clean(text)]
    read = word_text.letters(write(collect(texts)))
    squeezed = ["".join(clean(text).split()) for text in texts]
    assert [text for number, text in enumerate(squeezed, 1) if f"00:00{text}—AnaCosta(#{number})" not in read] == []


def test_a_file_that_cannot_be_made_says_so() -> None:
    with pytest.raises(JobError, match=r"longer than 0\.01 seconds"):
        run_job("docx", b"{}", Limits(seconds=0.01))


def test_a_title_of_any_length_is_a_title() -> None:
    document = postmortem_rules.compile_document(case(about=incident(title="x" * 300)), NOW)
    read = word_text.read(EXPORTER.render(replace(document, generated_at=NOW), "docx"))
    assert len(read.core_properties.title) == 255
    assert read.paragraphs[0].text == f"INC-7: {'X' + 'x' * 299}"
