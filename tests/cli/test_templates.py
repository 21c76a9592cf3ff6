"""`afterword template`, and exports with a team's own templates, as someone types it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.export.templates import STYLES, TEMPLATES
from tests.cli.test_drafts import Desk
from tests.export.sandbox.test_team_templates import SECTIONS
from tests.support.command_line import invoke

pytestmark = pytest.mark.process

WEATHER = SECTIONS.replace("says {{", "\nby {{")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "own"
    made.mkdir()
    monkeypatch.setenv("AFTERWORD_TEMPLATES", str(made))
    return made


@pytest.fixture
def desk(sqlite_url: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    (folder / "sections.md.j2").write_text(WEATHER, encoding="utf-8")
    made = Desk(sqlite_url, tmp_path)
    yield made
    made.store.close()


def test_copies_pass_and_are_what_to_start_from(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "own"
    copied = invoke("template", "copy", folder)
    assert copied.stdout.splitlines() == [
        *(f"ok    {name} was written." for name in (*TEMPLATES, *STYLES)),
        f"Delete the files that you don't change, and set AFTERWORD_TEMPLATES={folder}",
    ]
    checked = invoke("template", "check", folder)
    assert (checked.exit_code, checked.stdout.count("\n")) == (0, 1)
    assert checked.stdout.startswith(f"{folder} can be used: tried on 3 incidents")


def test_a_copy_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "words.j2").write_text("mine", encoding="utf-8")
    assert "note  words.j2 already exists and wasn't changed." in invoke("template", "copy", tmp_path).stdout
    assert (tmp_path / "words.j2").read_text(encoding="utf-8") == "mine"


def test_a_copy_to_where_nothing_can_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = invoke("template", "copy", tmp_path / "file" / "own")
    assert result.exit_code == 1
    assert "can't be written" in result.stderr


def test_a_check_has_a_line_for_each_file_and_finding(folder: Path) -> None:
    (folder / "sections.md.j2").write_text(SECTIONS, encoding="utf-8")
    result = invoke("template", "check")
    first, second, *_, last = result.stdout.splitlines()
    assert result.exit_code == 0
    assert first == "ok    sections.md.j2 replaces ours."
    assert second == "note  The section Leadup isn't shown, because nothing has the marker leadup."
    assert last.startswith(f"{folder} can be used")


def test_a_check_names_file_line_and_cause_of_everything_that_fails(folder: Path) -> None:
    (folder / "sections.md.j2").write_text("a\n{% if %}", encoding="utf-8")
    (folder / "words.j2").write_text("\x1b[31m{{ ", encoding="utf-8")
    result = invoke("template", "check", folder)
    assert result.exit_code == 1
    assert "FAIL  sections.md.j2, line 2: Expected an expression, got 'end of statement block'" in result.stdout
    assert "FAIL  words.j2, line 1: " in result.stdout
    assert "\x1b" not in result.stdout


def test_a_check_of_nothing_says_what_to_name() -> None:
    result = invoke("template", "check")
    assert result.exit_code == 2
    assert "afterword template check FOLDER, or set AFTERWORD_TEMPLATES" in result.stderr


def test_an_export_is_by_the_teams_templates(desk: Desk) -> None:
    result = invoke("export", "INC-1")
    assert "## Météo\n\nRain on INC-1, \nby nobody." in result.stdout
    assert result.stderr == ""


def test_a_broken_template_stops_no_export_and_is_told(desk: Desk, folder: Path) -> None:
    (folder / "sections.md.j2").write_text("{% if %}", encoding="utf-8")
    result = invoke("export", "INC-1")
    assert result.exit_code == 0
    assert "\n## Leadup\n\nA release.\n" in result.stdout
    warning = "Your templates couldn't be used, so this uses Afterword's own. sections.md.j2, line 1: Expected"
    assert result.stderr.startswith(warning)
    assert invoke("export", "INC-1", "--format", "json").stderr == ""


def test_an_edit_of_a_section_of_their_own_is_kept(desk: Desk) -> None:
    file = desk.draft(("by nobody.", "by *everybody*."))
    assert "Météo: imported." in desk.import_file(file)
    assert "## Météo\n\nRain on INC-1, \nby *everybody*.\n" in invoke("export", "INC-1").stdout
    assert "Météo: nothing new, the document already says this." in desk.import_file(file)


def test_a_draft_is_not_taken_while_its_templates_are_broken(desk: Desk, folder: Path) -> None:
    file = desk.draft(("by nobody.", "by *everybody*."))
    (folder / "sections.md.j2").write_text("{% if %}", encoding="utf-8")
    result = desk.give(file)
    assert result.exit_code == 1
    assert "The draft wasn't imported, because its templates can't be used." in result.stderr
    assert "sections.md.j2, line 1" in result.stderr
    assert desk.list_edits() == []


def test_a_check_reads_the_forms_and_names_their_mistakes(folder: Path) -> None:
    (folder / "short.toml").write_text('[summary]\n\n[costs]\ntitle = "Costs"\n', encoding="utf-8")
    result = invoke("template", "check")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        0,
        "ok    short.toml makes the Short form: Incident summary (required), Costs.",
    )
    (folder / "short.toml").write_text("[summary]\n\n[costs]\ntitel = 1\n", encoding="utf-8")
    result = invoke("template", "check")
    assert result.exit_code == 1
    assert "FAIL  short.toml, line 4: A section has no setting titel. Did you mean title?" in result.stdout


def test_a_policy_file_may_name_only_forms_that_there_are(folder: Path, tmp_path: Path) -> None:
    (folder / "short.toml").write_text("[summary]\n", encoding="utf-8")
    rules = tmp_path / "afterword.toml"
    rules.write_text('[sections]\nsev3 = "short"\nsev4 = "standard"\n', encoding="utf-8")
    assert invoke("policy", "check", rules).exit_code == 0
    rules.write_text('[sections]\nsev3 = "short"\n\n[sections.services]\nbilling = "shrot"\n', encoding="utf-8")
    result = invoke("policy", "check", rules)
    assert result.exit_code == 1
    assert "FAIL  afterword.toml, line 5: There's no form shrot. Did you mean short?" in result.stdout
