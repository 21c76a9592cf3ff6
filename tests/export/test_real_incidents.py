"""Published incidents, compiled: every entry once, at its minute, in both forms that people read."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case, Status
from bot.domain.text import clean, strip_code_marks
from bot.export import Exporter
from tests.support.export import export_text, pdf_text, storage_format
from tests.support.export.cases import NOW, case, entry, incident
from tests.support.published_timelines import INCIDENTS, moment_of
from tests.support.timeouts import PATIENT

FILES = sorted(INCIDENTS.glob("*.json"))
EXPORTER = Exporter(timeouts=PATIENT)
TOGETHER = 10


def read(path: Path) -> Case:
    data = json.loads(path.read_text(encoding="utf-8"))
    about = incident(title=data["title"], severity=None, status=Status.OPEN, resolved_at=None, lead=None)
    entries = tuple(
        entry(number, moment_of(line), line["text"], approximate=bool(line.get("approximate")))
        for number, line in enumerate(data["entries"], 1)
    )
    return case(about=about, entries=entries)


def expected_entries(about: Case) -> list[str]:
    """Minute and text of every entry, in order; the day and the zone are said above them."""
    ordered = sorted(about.entries, key=lambda one: (one.happened_at, one.number))
    return [
        export_text.squeeze(
            f"{'~' if one.approximate else ''}{one.happened_at:%H:%M} {strip_code_marks(clean(one.text))}"
            f" — Ana Costa (#{one.number})"
        )
        for one in ordered
    ]


@pytest.mark.skipif(not FILES, reason="the published incidents are not beside this checkout")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_entry_of_a_published_incident_is_there_once_at_its_minute(path: Path) -> None:
    about = read(path)
    document = postmortem_rules.compile_document(about, NOW)
    items = export_text.list_items(EXPORTER.render(document, "markdown").decode())
    assert [export_text.squeeze(item) for item in items if "(#" in item] == expected_entries(about)
    page = export_text.page(EXPORTER.render(document, "html"))
    lines = [export_text.squeeze("".join(item.itertext())) for item in page.iter("li") if item.get("id")]
    assert lines == expected_entries(about)
    text = export_text.visible_text(page)
    assert all(text.count(line) == 1 for line in expected_entries(about))


@pytest.mark.skipif(not FILES, reason="the published incidents are not beside this checkout")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_entry_is_on_the_canvas_and_on_the_page_of_confluence(path: Path) -> None:
    about = read(path)
    document = postmortem_rules.compile_document(about, NOW)
    canvas = export_text.read_text(EXPORTER.render(document, "canvas").decode())
    lines = [line.replace(" — Ana Costa (", " Ana Costa ").removesuffix(")") for line in expected_entries(about)]
    page = storage_format.page(EXPORTER.render(document, "confluence").decode())
    rows = [storage_format.visible(row) for row in page.iter("tr")]
    assert [row for row in rows if " Ana Costa #" in row] == lines
    assert all(export_text.squeeze(canvas).count(line) == 1 for line in expected_entries(about))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not FILES, reason="the published incidents are not beside this checkout")
@pytest.mark.parametrize("first", range(0, len(FILES), TOGETHER))
def test_every_entry_is_in_the_pdf(first: int) -> None:
    """Several incidents in one document, with new numbers: a small PDF costs little but the start of WeasyPrint."""
    pdf_text.require_weasyprint()
    entries = [one for path in FILES[first : first + TOGETHER] for one in read(path).entries]
    together = case(
        about=incident(severity=None, status=Status.OPEN, resolved_at=None, lead=None),
        entries=tuple(replace(one, number=number) for number, one in enumerate(entries, 1)),
    )
    letters = pdf_text.letters(pdf_text.read(EXPORTER.render(postmortem_rules.compile_document(together, NOW), "pdf")))
    assert [number for number in range(1, len(entries) + 1) if f"(#{number})" not in letters] == []
