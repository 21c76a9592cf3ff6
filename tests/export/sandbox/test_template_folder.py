"""The folder of a team's own templates, as it is found: whole, changed, broken, gone."""

import os
from pathlib import Path

import pytest

from bot import bounds
from bot.export import templates
from bot.export.templates import read_folder

TEXT = "<!-- afterword:summary -->\n## In short\n"


def put(folder: Path, name: str, text: str = TEXT) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def trouble(folder: Path) -> str:
    (problem,) = read_folder(folder).troubles
    return problem


def test_what_is_ours_word_for_word_is_not_a_teams(tmp_path: Path) -> None:
    for name in (*templates.TEMPLATES, *templates.STYLES):
        put(tmp_path, name, templates.shipped_text(name) or "")
    assert read_folder(tmp_path) == templates.TemplateFolder({}, {}, ())
    put(tmp_path, "words.j2", "{# ours no more #}")
    assert read_folder(tmp_path).templates == {"words.j2": "{# ours no more #}"}


def test_an_edited_file_is_seen_at_once(tmp_path: Path) -> None:
    put(tmp_path, "sections.md.j2")
    before = read_folder(tmp_path).templates
    put(tmp_path, "sections.md.j2", TEXT.replace("short", "brief"))
    assert read_folder(tmp_path).templates != before


def test_other_files_and_hidden_ones_are_left_alone(tmp_path: Path) -> None:
    put(tmp_path, "README.md")
    put(tmp_path, ".git/sections.md.j2")
    (tmp_path / "huge.bin").write_bytes(bytes(2_000_000))
    put(tmp_path, "parts/costs.md.j2")
    found = read_folder(tmp_path)
    assert (list(found.templates), found.additional, found.troubles) == (
        ["parts/costs.md.j2"],
        ("parts/costs.md.j2",),
        (),
    )


def test_a_volume_that_keeps_its_versions_hidden_is_read(tmp_path: Path) -> None:
    put(tmp_path, "..2026/sections.md.j2")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "sections.md.j2").symlink_to("..data/sections.md.j2")
    assert read_folder(tmp_path) == templates.TemplateFolder({"sections.md.j2": TEXT}, {}, ())


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = put(tmp_path, "outside.j2", "secret")
    own = tmp_path / "own"
    own.mkdir()
    (own / "sections.md.j2").symlink_to(outside)
    assert trouble(own) == "sections.md.j2 is a link that leads out of the folder. Put the file itself there."
    assert read_folder(own).templates == {}


def test_a_linked_folder_is_not_entered(tmp_path: Path) -> None:
    put(tmp_path, "outside/sections.md.j2", "secret")
    own = tmp_path / "own"
    own.mkdir()
    (own / "parts").symlink_to(tmp_path / "outside")
    assert read_folder(own) == templates.TemplateFolder({}, {}, ())


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    put(tmp_path, "version-1/sections.md.j2")
    (tmp_path / "now").symlink_to("version-1")
    assert read_folder(tmp_path / "now").templates == {"sections.md.j2": TEXT}


def test_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    (tmp_path / "words.j2").symlink_to("gone.j2")
    (tmp_path / "page.css").symlink_to("page.css")
    assert read_folder(tmp_path).troubles == (
        "page.css can't be read as UTF-8 text.",
        "words.j2 can't be read as UTF-8 text.",
    )


@pytest.mark.parametrize("content", [b"\xff\xfe", bytes(1_000_001)], ids=["not UTF-8", "too large"])
def test_what_is_no_text_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "words.j2").write_bytes(content)
    assert trouble(tmp_path).startswith("words.j2 ")


def test_a_pipe_is_no_template_and_holds_up_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "words.j2")
    assert trouble(tmp_path) == "words.j2 isn't a file of at most 1 MB."


def test_a_style_sheet_may_not_end_the_style(tmp_path: Path) -> None:
    put(tmp_path, "page.css", "p { color: red }\n</ STYLE><script>")
    assert trouble(tmp_path) == "page.css, line 2: a style sheet can't contain </ STYLE."


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    expected = f"There's no folder {tmp_path / 'gone'}. Set AFTERWORD_TEMPLATES to a folder."
    assert trouble(tmp_path / "gone") == expected


def test_a_folder_of_everything_is_not_walked_to_its_end(tmp_path: Path) -> None:
    for number in range(bounds.TEMPLATES + 1):
        (tmp_path / f"{number}.txt").touch()
    assert trouble(tmp_path).endswith("Name a folder that has only your templates.")
