"""A team's own templates in the files that go into a channel."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.export import templates
from bot.services.documents import drafts as drafts_service
from bot.services.documents.drafts import EditedDraftFile
from tests.export.sandbox.test_team_templates import SECTIONS, in_order
from tests.services.documents.test_compiler import resolve_incident
from tests.support.play import TEAM, Play, playing

pytestmark = pytest.mark.process


@pytest.fixture
async def play(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Play]:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "sections.md.j2").write_text(SECTIONS, encoding="utf-8")
    async with playing(sqlite_url, environ={"AFTERWORD_TEMPLATES": str(folder)}) as play:
        await resolve_incident(play)
        yield play


async def export_file(play: Play, form: str) -> tuple[str, str]:
    """The content of the file that comes, and its comment."""
    before = len(play.slack.files)
    await play.slack.command(play.ana, play.channel, f"/postmortem export {form}")
    await play.settle()
    assert len(play.slack.files) == before + 1
    file = play.slack.files[-1]
    return file.bytes.decode(), file.initial_comment


async def test_what_goes_into_the_channel_is_by_the_teams_templates(play: Play) -> None:
    for form in ("markdown", "html", "confluence"):
        content, comment = await export_file(play, form)
        assert in_order(content, "Chronologie", "failed over", "Rain on INC-1")
        assert ":warning:" not in comment


async def test_broken_templates_are_told_in_the_comment_until_they_are_mended(play: Play, tmp_path: Path) -> None:
    file = tmp_path / "own" / "sections.md.j2"
    file.write_text("{% if <!channel> %}", encoding="utf-8")
    content, comment = await export_file(play, "markdown")
    assert in_order(content, "## Incident summary", "## Timeline", "failed over")
    assert "Your team's templates couldn't be used, so this uses Afterword's own. sections.md.j2, line 1: " in comment
    assert "<!channel>" not in comment
    file.write_text(SECTIONS, encoding="utf-8")
    content, comment = await export_file(play, "markdown")
    assert "## Chronologie" in content
    assert "could not be used" not in comment


async def test_a_folder_that_is_deleted_while_the_bot_runs_stops_no_export(play: Play, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "own")
    content, comment = await export_file(play, "html")
    assert in_order(content, "Timeline", "failed over")
    assert "There's no folder" in comment


async def test_an_edited_section_of_their_own_is_shown_in_slack(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = templates.ANSWER_LIMITS
    monkeypatch.setattr(templates, "ANSWER_LIMITS", replace(usual, seconds=10.0))  # however busy the machine is
    content, _ = await export_file(play, "markdown")
    edited = EditedDraftFile(content.replace("Rain on", "Hail on"), "Ana Demo")
    drafts_service.import_draft(play.bot.store, play.bot.services.exporter, edited, TEAM, play.clock.now())
    shown = await play.slack.command(play.ana, play.channel, "/postmortem")
    assert shown.ephemeral is not None
    assert "*Météo* has Ana Demo's text from the draft" in shown.ephemeral.plain
    monkeypatch.setattr(templates, "ANSWER_LIMITS", usual)
    (tmp_path / "own" / "sections.md.j2").write_text(
        "{% for i in range(9999) %}" * 2 + "{% endfor %}" * 2, encoding="utf-8"
    )
    shown = await play.slack.command(play.ana, play.channel, "/postmortem")
    assert shown.ephemeral is not None
    assert "*Weather* has Ana Demo's text from the draft" in shown.ephemeral.plain
    content, _ = await export_file(play, "markdown")
    assert in_order(content, "## Weather", "Hail on INC-1")


async def test_a_canvas_has_their_sections_and_is_left_alone_while_they_are_broken(play: Play, tmp_path: Path) -> None:
    await play.slack.command(play.ana, play.channel, "/postmortem export canvas")
    await play.settle()
    (canvas,) = play.slack.workspace.canvases.values()
    assert in_order(canvas.markdown, "## Chronologie", "failed over", "## Météo", "Rain on INC-1", "## En bref")
    before = canvas.markdown
    (tmp_path / "own" / "sections.md.j2").write_text("{% if %}", encoding="utf-8")
    content, comment = await export_file(play, "canvas")
    assert canvas.markdown == before
    assert in_order(content, "## Incident summary", "## Timeline", "failed over")
    assert "No canvas: your team's templates can't be used right now" in comment
    assert "sections.md.j2, line 1: Expected" in comment
