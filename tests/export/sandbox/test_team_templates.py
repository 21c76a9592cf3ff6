"""A team's own templates in every form: what they change, and that nothing in them can stop an export."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.samples import NOW, SAMPLES
from bot.export import FORMATS, Exporter, templates
from bot.export.drafts import split
from tests.support.export import export_text, pdf_text
from tests.support.timeouts import PATIENT

pytestmark = pytest.mark.process

DOCUMENT = postmortem_rules.compile_document(SAMPLES["everything known"], NOW)
OURS = Exporter(timeouts=PATIENT)
READ = [name for name, form in FORMATS.items() if form.is_read]
SECTIONS = """\
{% import "postmortem/facts.md.j2" as facts with context %}
<!-- afterword:timeline -->
## Chronologie

{{ facts.of(document.part("timeline")) | trim }}

<!-- afterword:weather -->
## Météo

Rain on {{ document.key }}, says {{ document.lead.name | inline if document.lead else "nobody" }}.

<!-- afterword:summary -->
## En bref

{{ document.part("summary").text | block }}
"""
SUMMARY = "<!-- afterword:summary -->\n## In short\n\n"
OWN_WAY = """\
<!-- afterword:timeline -->
## Times

{% for line in document.timeline %}
- {{ line.text | item }}
{% endfor %}
"""


def sections(where: Path, text: str = SECTIONS) -> Exporter:
    (where / "sections.md.j2").write_text(text, encoding="utf-8")
    return Exporter(where, PATIENT)


def in_form(exporter: Exporter, form: str) -> str:
    written = exporter.write(DOCUMENT, form)
    assert written.trouble == ""
    return written.content.decode()


def in_order(text: str, *parts: str) -> bool:
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


def test_sections_renamed_moved_and_added_keep_their_markers(tmp_path: Path) -> None:
    made = split(in_form(sections(tmp_path), "markdown"))
    assert [(region.id, region.title) for region in made.regions] == [
        ("timeline", "Chronologie"),
        ("weather", "Météo"),
        ("summary", "En bref"),
    ]
    assert all(region.left_as == region.digest for region in made.regions)
    assert made.regions[1].body == "Rain on INC-7, says Ana Example."
    assert made.regions[0].body == split(in_form(OURS, "markdown")).body("timeline")


def test_they_stand_on_the_page(tmp_path: Path) -> None:
    page = in_form(sections(tmp_path), "html")
    marks = ('<section id="timeline">\n<h2>Chronologie', 'id="weather">\n<h2>Météo', 'id="summary">\n<h2>En bref')
    assert in_order(page, *marks)
    assert "Rain on INC-7, says Ana Example." in export_text.visible_text(export_text.page(page.encode()))


def test_they_stand_in_confluence(tmp_path: Path) -> None:
    page = in_form(sections(tmp_path), "confluence")
    assert in_order(
        page, "afterword-timeline", "Chronologie", "afterword-weather", "Météo", "afterword-summary", "En bref"
    )
    assert "<th>What happened</th>" in page


def test_they_stand_in_a_canvas(tmp_path: Path) -> None:
    assert in_order(in_form(sections(tmp_path), "canvas"), "## Chronologie", "## Météo", "Rain on", "## En bref")


def test_they_stand_in_a_pdf(tmp_path: Path) -> None:
    pdf_text.require_weasyprint()
    written = sections(tmp_path).write(DOCUMENT, "pdf")
    assert in_order(pdf_text.letters(pdf_text.read(written.content)), "Chronologie", "Météo", "RainonINC-7", "Enbref")


def test_json_and_csv_are_the_record_and_no_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = sections(tmp_path, "{% if %}")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    for form in ("json", "csv"):
        assert exporter.write(DOCUMENT, form) == OURS.write(DOCUMENT, form)


def test_a_timeline_told_in_another_way_is_shown_in_that_way(tmp_path: Path) -> None:
    page = in_form(sections(tmp_path, OWN_WAY), "html")
    assert '<ol class="entries' in in_form(OURS, "html")
    assert '<ol class="entries' not in page
    assert page.count("<li") - page[: page.index("<main>")].count("<li") == len(DOCUMENT.timeline)
    assert "<th>What happened</th>" not in in_form(Exporter(tmp_path, PATIENT), "confluence")


def test_what_a_team_says_before_the_sections_is_said_in_every_form(tmp_path: Path) -> None:
    whole = "# {{ document.title | heading }}\n\nFor **all** of us.\n\n{% include 'postmortem/sections.md.j2' %}"
    (tmp_path / "document.md.j2").write_text(whole, encoding="utf-8")
    exporter = Exporter(tmp_path, PATIENT)
    for form in ("markdown", "canvas"):
        assert in_order(in_form(exporter, form), "For **all** of us.", "## Incident summary")
    assert in_order(in_form(exporter, "html"), "<h1", "<strong>all</strong>", "</header>")
    assert "<dt>Incident lead" not in in_form(exporter, "html")
    assert "For <strong>all</strong> of us." in in_form(exporter, "confluence")


def test_style_sheets_alone_start_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.css").write_text("h1 { color: {{ teal }} }", encoding="utf-8")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    exporter = Exporter(tmp_path, PATIENT)
    assert "<style>\nh1 { color: {{ teal }} }\n</style>" in in_form(exporter, "html")
    for form in ("markdown", "confluence", "canvas"):
        assert exporter.write(DOCUMENT, form) == OURS.write(DOCUMENT, form)


def test_a_style_sheet_for_paper_is_used_on_paper(tmp_path: Path) -> None:
    pdf_text.require_weasyprint()
    (tmp_path / "paper.css").write_text("@page { size: A5 }", encoding="utf-8")
    exporter = Exporter(tmp_path, PATIENT)
    widths = [float(pdf_text.read(one.render(DOCUMENT, "pdf")).pages[0].mediabox.width) for one in (OURS, exporter)]
    assert [round(width) for width in widths] == [595, 420]
    assert in_form(exporter, "html") == in_form(OURS, "html")


def test_an_edited_file_takes_effect_at_the_next_export(tmp_path: Path) -> None:
    exporter = sections(tmp_path, SUMMARY + "one")
    assert split(in_form(exporter, "markdown")).body("summary") == "one"
    sections(tmp_path, SUMMARY + "two")
    assert split(in_form(exporter, "markdown")).body("summary") == "two"


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "line 4: it takes longer"),
        ("{{ (7 ** (10 ** 9)) > 1 }}", "It took longer than 5 seconds."),
        ("{% set hog = 'x' * 900000000 %}", "line 4: it needs more memory than templates can have."),
        ("{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}", "wrote more than 20 million characters"),
        ("{% if %}", "sections.md.j2, line 4: Expected an expression"),
        ("{% include 'postmortem/costs.md.j2' %}", "There's no template postmortem/costs.md.j2."),
    ],
    ids=["endless", "endless within", "memory", "output", "syntax", "missing"],
)
def test_what_cannot_be_used_gives_way_to_ours_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, trouble: str
) -> None:
    monkeypatch.setattr(templates, "EXPORT_LIMITS", replace(templates.EXPORT_LIMITS, seconds=5.0))
    written = sections(tmp_path, SUMMARY + text).write(DOCUMENT, "markdown")
    assert trouble in written.trouble
    lines = written.content.decode().split("\n")
    assert f"template: {json.dumps(written.trouble)}" in lines
    without = [line for line in lines if not line.startswith(("template: ", "digest: "))]
    assert without == [line for line in in_form(OURS, "markdown").split("\n") if not line.startswith("digest: ")]


def test_every_other_form_is_ours_word_for_word_where_templates_are_broken(tmp_path: Path) -> None:
    exporter = sections(tmp_path, "{% if %}")
    for form in ("html", "confluence", "canvas"):
        written = exporter.write(DOCUMENT, form)
        assert written.trouble.startswith("sections.md.j2, line 1")
        assert written.content == OURS.render(DOCUMENT, form)


def test_a_folder_that_is_deleted_is_told_and_does_not_stop_an_export(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    exporter = sections(own)
    (own / "sections.md.j2").unlink()
    own.rmdir()
    written = exporter.write(DOCUMENT, "html")
    assert written.trouble.startswith(f"There's no folder {own}")
    assert written.content == OURS.render(DOCUMENT, "html")


def test_a_link_out_of_the_folder_gives_way_to_ours(tmp_path: Path) -> None:
    (tmp_path / "secret.j2").write_text(SUMMARY + "secret", encoding="utf-8")
    own = tmp_path / "own"
    own.mkdir()
    (own / "sections.md.j2").symlink_to(tmp_path / "secret.j2")
    written = Exporter(own, PATIENT).write(DOCUMENT, "canvas")
    assert written.trouble.startswith("sections.md.j2 is a link that leads out of the folder")
    assert written.content == OURS.render(DOCUMENT, "canvas")


def test_where_no_process_can_be_started_ours_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = sections(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    written = exporter.write(DOCUMENT, "html")
    assert written.trouble == "The process for templates couldn't be started: No such file or directory."
    assert written.content == OURS.render(DOCUMENT, "html")


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_sample_is_told_by_a_teams_templates_as_by_ours(tmp_path: Path, sample: str) -> None:
    (tmp_path / "words.j2").write_text("{# a team's #}" + (templates.shipped_text("words.j2") or ""), encoding="utf-8")
    document = postmortem_rules.compile_document(SAMPLES[sample], NOW)
    for form in ("markdown", "html", "confluence", "canvas"):
        assert Exporter(tmp_path, PATIENT).write(document, form) == OURS.write(document, form)


def test_a_trial_tells_what_is_used_what_is_broken_and_on_which_incident(tmp_path: Path) -> None:
    sections(tmp_path, SECTIONS.replace("document.lead.name | inline if document.lead else", "document.lead.name or"))
    (tmp_path / "page.css").write_text("p {}", encoding="utf-8")
    (tmp_path / "page.html.j2").write_text("", encoding="utf-8")
    trial = templates.try_folder(tmp_path)
    assert trial.used == ("sections.md.j2", "page.css")
    assert trial.broken == ("sections.md.j2, line 10: 'None' has no attribute 'name' (Tried on: nothing known.)",)
    assert trial.notes[0] == "page.html.j2 isn't used. That file is always ours, and writes what the others made."
    assert "The section Leadup isn't shown, because nothing has the marker leadup." in trial.notes
