"""A team's forms as files: read with their mistakes by line, in force until a newer one can be read."""

import re
from pathlib import Path

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.outline import define_outline, give_outline
from bot.export import FORMATS, Exporter
from bot.export.drafts import RegionOutcome, compare, read
from bot.export.outlines import OutlineShelf, describe_outline, read_outlines
from tests.support.export.cases import FULL, NOW, case, incident, section_text

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")
SHORT = define_outline("short", {"summary": {}, "costs": {"title": "Costs & *more*"}, "actions": {}})[0]


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_the_example_of_the_docs_is_a_form(tmp_path: Path) -> None:
    example, rules = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    write(tmp_path, "short.toml", example)
    found = read_outlines(tmp_path)
    assert found.troubles == ()
    assert describe_outline(found.outlines["short"]) == (
        "short.toml makes the Short form: What happened (required), Cause (required), What it cost us (required), "
        "What will change (required)."
    )
    assert 'sev3 = "short"' in rules


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (
            "short.toml",
            "[summary]\n\n[costs]\nquestoin = 'x'\n",
            "short.toml, line 4: A section has no setting questoin.",
        ),
        ("short.toml", "[summary]\n[costs\n", "short.toml, line 2: this isn't TOML"),
        ("short.toml", "[a]\n" * 2, "short.toml, line 2: this isn't TOML"),
        ("standard.toml", "[summary]\n", "standard.toml can't be the name of a form"),
        ("Kurz.toml", "[summary]\n", "Kurz.toml can't be the name of a form"),
        ("short.toml", "title = 3\n[summary]\n", "short.toml, line 1: Write title as text between quotes"),
        ("short.toml", "[Big]\n", "short.toml, line 1: A section's name has small letters"),
    ],
)
def test_a_mistake_is_named_by_file_and_line(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    write(tmp_path, name, text)
    (trouble,) = read_outlines(tmp_path).troubles
    assert trouble.startswith(sentence)


def test_what_is_no_text_is_a_trouble_and_what_is_no_folder_is_none(tmp_path: Path) -> None:
    (tmp_path / "short.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "dir.toml").mkdir()
    assert len(read_outlines(tmp_path).troubles) == 2
    assert read_outlines(tmp_path / "none").troubles == ()
    assert read_outlines(None).outlines == {}


def test_a_broken_file_leaves_the_form_before_in_force(tmp_path: Path) -> None:
    write(tmp_path, "short.toml", "[summary]\n")
    shelf = OutlineShelf(tmp_path)
    assert not shelf.reload()
    write(tmp_path, "short.toml", "[summary\n")
    assert shelf.reload()
    assert [one.slug for one in shelf.current["short"].sections] == ["summary"]
    assert "line 1" in shelf.troubles[0]
    (tmp_path / "short.toml").unlink()
    assert shelf.reload()
    assert (shelf.current, shelf.troubles) == ({}, ())


@pytest.mark.parametrize("form", [name for name in FORMATS if name not in ("pdf", "docx")])
def test_every_format_is_written_by_the_form(form: str) -> None:
    about = FULL.incident
    document = postmortem_rules.compile_document(
        case(
            about=give_outline(about, SHORT),
            entries=FULL.entries,
            whys=FULL.whys,
            actions=FULL.actions,
            sections=(section_text("costs", "Six hours."), section_text("detection", "A customer called.")),
        ),
        NOW,
    )
    text = Exporter().render(document, form).decode()
    if form != "csv":
        assert "Six hours." in text
        assert "A customer called." in text
    if form == "html":
        ids = set(re.findall(r'\bid="([^"]+)"', text))
        assert {link for link in re.findall(r'href="#([^"]+)"', text) if link not in ids} == set()


def test_an_edit_of_an_own_section_comes_back_in_a_draft() -> None:
    about = case(about=give_outline(incident(), SHORT), sections=(section_text("costs", "Six hours."),))
    document = postmortem_rules.compile_document(about, NOW)
    exporter = Exporter()
    draft = exporter.render(document, "markdown").decode()
    assert "\n## Costs & \\*more\\*\n" in draft
    edited = read(draft.replace("Six hours.", "Seven hours."))
    (changed,) = [one for one in compare(edited, exporter.compile_draft(document)) if one.text]
    assert (changed.id, changed.outcome, changed.text) == ("costs", RegionOutcome.EDITED, "Seven hours.")
    # Without its marker it is found by its heading.
    lost = read(re.sub(r"<!-- afterword:costs.*-->\n", "", draft).replace("Six hours.", "Seven hours."))
    assert [one.id for one in compare(lost, exporter.compile_draft(document)) if one.text == "Seven hours."] == [
        "costs"
    ]


@pytest.mark.process
def test_a_template_that_does_not_know_a_section_loses_no_text(tmp_path: Path) -> None:
    write(tmp_path, "sections.md.j2", '<!-- afterword:summary -->\n## En bref\n\n{{ document.part("leadup").text }}x\n')
    about = case(about=give_outline(incident(), SHORT), sections=(section_text("costs", "Six hours."),))
    text = Exporter(tmp_path).render(postmortem_rules.compile_document(about, NOW), "markdown").decode()
    assert "## En bref" in text
    assert "\n## Costs & \\*more\\*\n\nSix hours.\n" in text
