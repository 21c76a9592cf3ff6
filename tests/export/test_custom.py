"""A team's own templates win over ours, and what is wrong with them is named."""

from pathlib import Path

import pytest

from bot.export import custom
from bot.export.custom import BrokenTemplate
from bot.incident import postmortem
from bot.incident.samples import NOW, SAMPLES
from bot.incident.sections import SECTIONS

OURS = Path(__file__).parents[2] / "templates" / "postmortem"
DOCUMENT = postmortem.compile(SAMPLES["everything known"], NOW)
SUMMARY = "<!-- afterword:summary -->\n## In short\n\n{{ document.title | inline }}\n"


def sections(folder: Path, text: str) -> Path:
    (folder / "sections.md.j2").write_text(text, encoding="utf-8")
    return folder


def broken(folder: Path) -> str:
    with pytest.raises(BrokenTemplate) as caught:
        custom.check(folder)
    return str(caught.value)


def test_a_file_of_the_folder_takes_the_place_of_ours(tmp_path: Path) -> None:
    own = "<!-- afterword:weather -->\n## Weather\n\nRain on {{ document.key }}.\n"
    made = custom.compiled(custom.own_set(sections(tmp_path, SUMMARY + own)), DOCUMENT)
    assert [(region.id, region.title) for region in made.regions] == [("summary", "In short"), ("weather", "Weather")]
    assert made.regions[1].body == "Rain on INC-7."
    assert made.head.startswith("---\ntitle:")


def test_our_own_templates_pass_as_a_folder(tmp_path: Path) -> None:
    for ours in OURS.iterdir():
        (tmp_path / ours.name).write_bytes(ours.read_bytes())
    assert custom.check(tmp_path) == ()


def test_an_empty_folder_changes_nothing(tmp_path: Path) -> None:
    assert custom.check(tmp_path) == ()


def test_a_section_that_is_left_out_is_told(tmp_path: Path) -> None:
    told = custom.check(sections(tmp_path, SUMMARY))
    assert len(told) == len(SECTIONS) - 1
    assert told[0] == "The section Leadup is not shown: nothing has the marker leadup."


def test_a_text_without_a_filter_is_told(tmp_path: Path) -> None:
    (told,) = [
        one for one in custom.check(sections(tmp_path, SUMMARY.replace(" | inline", ""))) if "takes effect" in one
    ]
    assert told.startswith("In In short a text of the record takes effect as markup")


def test_a_file_that_replaces_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "sektions.md.j2").write_text("", encoding="utf-8")
    (told,) = custom.check(tmp_path)
    assert told.startswith("sektions.md.j2 takes the place of no template of ours")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\n{% if %}\n", "sections.md.j2, line 2: Expected an expression, got 'end of statement block'"),
        (SUMMARY + "{{ document.nothing }}", "sections.md.j2, line 5: "),
        (SUMMARY + "{{ nothing }}", "sections.md.j2, line 5: 'nothing' is undefined"),
        (SUMMARY + "{{ 1 / 0 }}", "sections.md.j2, line 5: division by zero"),
        (SUMMARY + "{{ document.title | shout }}", "sections.md.j2, line 5: No filter named 'shout'."),
        (SUMMARY + "{{ document.__class__.__mro__ }}", "sections.md.j2, line 5: not allowed: access to attribute"),
        (SUMMARY + "{% include 'postmortem/none.j2' %}", "There is no template postmortem/none.j2."),
        (SUMMARY + "{% include '/etc/hostname' %}", "There is no template /etc/hostname."),
        (SUMMARY + "{% include 'postmortem/../../secret' %}", "There is no template postmortem/../../secret."),
        (SUMMARY + SUMMARY, "Two sections have the marker summary: give each its own."),
        ("## In short\n", "No section begins with a marker such as <!-- afterword:timeline -->"),
        (SUMMARY + "{{ 'x' * 30000000 }}", "The templates make more than 20 million characters of one incident."),
        (SUMMARY + "{% for i in range(999999999) %}{% endfor %}", "sections.md.j2, line 5: Range too big"),
    ],
)
def test_what_is_broken_is_named_by_file_line_and_cause(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path.parent / "secret").write_text("secret", encoding="utf-8")
    assert broken(sections(tmp_path, text)).startswith(sentence)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "words.j2").write_bytes(b"\xff\xfe")
    assert "words.j2" in broken(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert broken(tmp_path / "gone").startswith(f"There is no folder {tmp_path / 'gone'}")


def test_a_template_cannot_change_the_document(tmp_path: Path) -> None:
    text = SUMMARY + "{% set ns = namespace() %}{{ document.people.append(1) }}"
    assert "sections.md.j2, line 5" in broken(sections(tmp_path, text))
