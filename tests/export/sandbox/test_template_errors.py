"""What is wrong with a team's own templates is named."""

from pathlib import Path

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.samples import NOW, SAMPLES
from bot.domain.sections import SECTIONS
from bot.export import template_job
from bot.export.drafts import split
from bot.export.templates import BrokenTemplateError, read_folder

OURS = Path(__file__).parents[3] / "templates" / "postmortem"
DOCUMENT = postmortem_rules.compile_document(SAMPLES["everything known"], NOW)
SUMMARY = "<!-- afterword:summary -->\n## In short\n\n{{ document.title | inline }}\n"


def try_template(text: str, sample: str = "everything known") -> tuple[list[str], list[str]]:
    return template_job.try_sample({"sections.md.j2": text}, sample)


def test_a_template_takes_the_place_of_ours() -> None:
    own = "<!-- afterword:weather -->\n## Weather\n\nRain on {{ document.key }}.\n"
    made = split(template_job.render_markdown({"sections.md.j2": SUMMARY + own}, DOCUMENT))
    assert [(region.id, region.title) for region in made.regions] == [("summary", "In short"), ("weather", "Weather")]
    assert made.regions[1].body == "Rain on INC-7."
    assert made.head.startswith("---\nincident:")


def test_our_own_templates_pass_as_a_teams() -> None:
    ours = {file.name: file.read_text(encoding="utf-8") for file in OURS.glob("*.j2")}
    assert [template_job.try_sample(ours, sample) for sample in SAMPLES] == [([], [])] * 3


def test_a_section_that_is_left_out_is_told() -> None:
    broken, warnings = try_template(SUMMARY)
    assert broken == []
    assert len(warnings) == len(SECTIONS) - 1
    assert warnings[0] == "The section Leadup isn't shown, because nothing has the marker leadup."


def test_a_text_without_a_filter_is_told() -> None:
    _, (warning,) = try_template(SUMMARY.replace(" | inline", ""), "hard to show")
    assert warning.startswith("In In short text from the record is treated as markup")


def test_a_document_without_its_incident_is_told() -> None:
    whole = '{% include "postmortem/sections.md.j2" %}'
    _, (warning,) = template_job.try_sample({"document.md.j2": whole}, "nothing known")
    assert warning.startswith("The front matter has no line `incident: {{ document.key }}`")
    assert template_job.try_sample(
        {"document.md.j2": f"---\nincident: {{{{ document.key }}}}\n---\n{whole}"}, "nothing known"
    ) == (
        [],
        [],
    )


def test_every_file_that_is_no_template_is_named() -> None:
    broken, _ = template_job.try_sample({"sections.md.j2": "a\n{% if %}", "words.j2": "{% endif %}"}, "nothing known")
    assert [sentence.split(":")[0] for sentence in broken] == ["sections.md.j2, line 2", "words.j2, line 1"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\n{% if %}\n", "sections.md.j2, line 2: Expected an expression, got 'end of statement block'"),
        (SUMMARY + "{{ document.nothing }}", "sections.md.j2, line 5: "),
        (SUMMARY + "{{ nothing }}", "sections.md.j2, line 5: 'nothing' is undefined"),
        (SUMMARY + "{{ 1 / 0 }}", "sections.md.j2, line 5: division by zero"),
        (SUMMARY + "{{ document.title | shout }}", "sections.md.j2, line 5: No filter named 'shout'."),
        (SUMMARY + "{{ document.__class__.__mro__ }}", "sections.md.j2, line 5: not allowed: access to attribute"),
        (SUMMARY + "{% include 'postmortem/none.j2' %}", "There's no template postmortem/none.j2."),
        (SUMMARY + "{% include 'postmortem/sections.md.j2' %}", "sections.md.j2, line 5: maximum recursion depth"),
        (SUMMARY + "{% include '/etc/hostname' %}", "There's no template /etc/hostname."),
        (SUMMARY + "{% include 'postmortem/../../secret' %}", "There's no template postmortem/../../secret."),
        (SUMMARY + "{{ document.people.append(1) }}", "sections.md.j2, line 5: "),
        (SUMMARY + SUMMARY, "Two sections have the marker summary. Give each a different one."),
        ("## In short\n", "No section begins with a marker such as <!-- afterword:timeline -->"),
        (SUMMARY + "{{ 'x' * 30000000 }}", "The templates wrote more than 20 million characters for one incident."),
        (SUMMARY + "{% for i in range(999999999) %}{% endfor %}", "sections.md.j2, line 5: Range too big"),
    ],
)
def test_what_is_broken_is_named_by_file_line_and_cause(text: str, sentence: str) -> None:
    (problem,), _ = try_template(text)
    assert problem.startswith(sentence)
    with pytest.raises(BrokenTemplateError) as caught:
        template_job.render_markdown({"sections.md.j2": text}, DOCUMENT)
    assert str(caught.value) == problem


def test_a_file_beside_the_folder_cannot_be_reached(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "sections.md.j2").write_text(SUMMARY + "{% include 'postmortem/../secret' %}", encoding="utf-8")
    (problem,), _ = template_job.try_sample(read_folder(folder).templates, "nothing known")
    assert problem == "There's no template postmortem/../secret."
