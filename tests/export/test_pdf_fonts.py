"""A PDF that lacks letters says which: no font of this machine has them, and every other form does."""

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as some

from bot.cli import main
from bot.domain import postmortem as postmortem_rules
from bot.export import Exporter
from bot.export.pdf import ScriptLetters, append_missing, describe_scripts, group_by_script, split_missing
from bot.export.sandbox import run_job
from storage import incidents as incidents_store
from storage.database.store import open_store
from tests.support import interactions
from tests.support.export import pdf_text
from tests.support.export.cases import NOW, at, case, entry, incident
from tests.support.interactions import last, on_stage, open_incident
from tests.support.play import NOON, TEAM
from tests.support.timeouts import PATIENT

pytestmark = pytest.mark.process

RUNES = "\U00012000\U00012001"
"""Cuneiform: hardly a machine has a font for it."""


def missing_here(letters: str) -> str:
    """Those of the letters for which this machine has no font."""
    pdf_text.require_weasyprint()
    return split_missing(run_job("pdf", f"<html lang=en><title>x</title><p>{letters}</p></html>".encode()))[1]


def test_what_this_machine_cannot_draw_is_told_beside_the_pdf_and_is_in_every_other_form() -> None:
    if missing_here(RUNES) != RUNES:
        pytest.skip("this machine has a font for cuneiform")
    document = postmortem_rules.compile_document(
        case(entries=(entry(1, at(0, 1), f"{RUNES} ok"),), about=incident(title=RUNES)), NOW
    )
    made = Exporter(timeouts=PATIENT).write(document, "pdf")
    assert made.undrawn == RUNES
    assert len(pdf_text.read(made.content).pages) > 0
    assert b"afterword-undrawn" not in made.content
    for form in ("markdown", "html", "confluence", "canvas", "csv"):
        written = Exporter(timeouts=PATIENT).write(document, form)
        assert (RUNES in written.content.decode(), written.undrawn) == (True, "")


def test_a_pdf_with_a_font_for_everything_says_nothing() -> None:
    pdf_text.require_weasyprint()
    document = postmortem_rules.compile_document(case(entries=(entry(1, at(0, 1), "plain words"),)), NOW)
    assert Exporter(timeouts=PATIENT).write(document, "pdf").undrawn == ""


@given(some.binary(max_size=200), some.sets(some.integers(-5, 0x120000), max_size=20))
def test_what_is_put_behind_a_pdf_comes_off_again(pdf: bytes, letters: set[int]) -> None:
    content, found = split_missing(append_missing(b"%PDF" + pdf, letters))
    assert content == b"%PDF" + pdf
    assert set(map(ord, found)) <= letters


def test_scripts_are_named_as_people_call_them_and_what_is_never_seen_is_not_missed() -> None:
    assert describe_scripts("数据부กが✅") == (
        "Chinese or Japanese (数据), Korean (부), Thai (ก), Japanese (が), symbols (✅)"
    )
    assert group_by_script("부" * 12) == (ScriptLetters("Korean", "부" * 10, 2),)
    assert split_missing(append_missing(b"pdf", map(ord, "\u200d\ufe0f\u202e\x07")))[1] == ""


async def test_the_command_line_and_slack_say_so_and_the_export_succeeds(sqlite_url: str) -> None:
    if missing_here(RUNES) != RUNES:
        pytest.skip("this machine has a font for cuneiform")
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await interactions.type_command(play, play.ana, f"/timeline {RUNES} went down")
        await interactions.type_command(play, play.ana, "/postmortem export pdf")
        await play.settle()
        warning = "Some letters don't have a font on the server, so they show as boxes: Cuneiform"
        assert f"{warning} ({RUNES})" in last(play, play.bo).plain
        await interactions.type_command(play, play.ana, "/postmortem export html")
        await play.settle()
        assert "no font" not in last(play, play.bo).plain
    store = open_store(sqlite_url, timeouts=PATIENT)
    try:
        assert store.read_now(lambda tx: incidents_store.find_by_number(tx, TEAM, 1)) is not None
    finally:
        store.close()
    ran = CliRunner().invoke(
        main,
        ["export", "INC-1", "--format", "pdf", "--now", NOON.isoformat()],
        env={"DATABASE_URL": sqlite_url},
        obj=PATIENT,
    )
    assert ran.exit_code == 0
    assert f"This machine has no font for some letters, so they show as boxes: Cuneiform ({RUNES})." in ran.stderr
    assert ran.stdout_bytes.startswith(b"%PDF")


async def test_the_files_of_one_incident_are_told_apart_by_their_titles(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for form in ("markdown", "html", "json", "csv", "confluence"):
            await interactions.type_command(play, play.ana, f"/postmortem export {form}")
            await play.settle()
        assert [file.title for file in play.slack.files] == [
            "INC-1 Checkout is failing – postmortem draft (Markdown)",
            "INC-1 Checkout is failing – postmortem draft (HTML)",
            "INC-1 Checkout is failing – postmortem draft (JSON)",
            "INC-1 Checkout is failing – postmortem draft (CSV)",
            "INC-1 Checkout is failing – postmortem draft (Confluence)",
        ]
