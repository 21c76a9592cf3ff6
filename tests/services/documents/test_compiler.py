"""Files for deliveries, made by the real exporter from a real database."""

import asyncio
import sys
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.domain.masking import USUAL_RULES
from bot.domain.postmortem import ExportOrder
from bot.domain.records import Incident
from bot.export import FORMATS, sandbox
from bot.services.documents.compiler import PATIENCE, CompiledDocument, DocumentCompiler, Renderer
from bot.slack.sender import FileNotReady
from storage.database.store import Store
from tests.support.command_line import invoke
from tests.support.deadlines import LONG_SECONDS, until
from tests.support.export import pdf_text, word_text
from tests.support.play import Play, playing
from tests.support.timeouts import SHIPPED, change_patience

pytestmark = pytest.mark.process

PLACE = "INC-1-checkout-is-failing"


def renderer_of(play: Play, patience: float = PATIENCE) -> Renderer:
    return Renderer(play.bot.services.exporter, DocumentCompiler(play.bot.store, USUAL_RULES), patience)


def order(play: Play, form: str) -> ExportOrder:
    return ExportOrder(form, play.channel, play.ana)


async def resolve_incident(play: Play) -> None:
    for text in ("/incident open Checkout is failing", "/timeline 12:10 failed over", "/incident resolved"):
        await play.slack.command(play.ana, play.channel, text)
    await play.settle()


async def test_what_takes_long_goes_on_and_is_there_the_next_time(sqlite_url: str) -> None:
    async with playing(sqlite_url) as play:
        await resolve_incident(play)
        renderer = renderer_of(play, patience=0)
        incident, now = play.case().incident, play.clock.now()
        with pytest.raises(FileNotReady):
            await renderer.file(1, incident, order(play, "html"), now)
        (going,) = renderer._going.values()
        await asyncio.wait([going], timeout=LONG_SECONDS)
        made = await renderer.file(1, incident, order(play, "html"), now + timedelta(hours=1))
        assert (made.name, made.note) == (f"{PLACE}.html", "")
        assert b"2026-11-23T12:30:00Z" in made.content
        assert renderer._going == {}


async def test_a_pdf_that_fails_becomes_the_page_with_a_sentence(sqlite_url: str) -> None:
    async with playing(sqlite_url) as play:
        await resolve_incident(play)
        incident, now = play.case().incident, play.clock.now()
        with change_patience(pdf=0.01):
            made = await renderer_of(play).file(1, incident, order(play, "pdf"), now)
        assert made.name == f"{PLACE}.html"
        assert made.content.startswith(b"<!doctype html>")
        assert made.note.startswith("The PDF couldn't be made. It took longer than")
        assert made.note.endswith("This is the html version. It looks the same, and prints well.")


async def test_closing_ends_what_is_being_made(sqlite_url: str) -> None:
    pdf_text.require_weasyprint()
    async with playing(sqlite_url) as play:
        await resolve_incident(play)
        renderer = renderer_of(play, patience=0)
        with pytest.raises(FileNotReady):
            await renderer.file(1, play.case().incident, order(play, "pdf"), play.clock.now())
        await until(lambda: sandbox._running)
        await renderer.close()
        assert not sandbox._running


class HeldPapers(DocumentCompiler):
    """Reads nothing until `go_on`."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, USUAL_RULES)
        self.asked, self.go_on = threading.Event(), threading.Event()

    def compile_full(self, incident: Incident, order: ExportOrder, now: datetime) -> CompiledDocument:
        """As its parent does, later."""
        self.asked.set()
        self.go_on.wait(LONG_SECONDS)
        return super().compile_full(incident, order, now)


async def test_closing_waits_for_who_is_about_to_begin_and_ends_them_too(sqlite_url: str) -> None:
    pdf_text.require_weasyprint()
    async with playing(sqlite_url) as play:
        await resolve_incident(play)
        papers = HeldPapers(play.bot.store)
        renderer = Renderer(play.bot.services.exporter, papers, patience=0)
        for delivery in (1, 2, 3):  # the last waits for its turn
            with pytest.raises(FileNotReady):
                await renderer.file(delivery, play.case().incident, order(play, "pdf"), play.clock.now())
        await until(papers.asked.is_set)
        closing = asyncio.create_task(renderer.close())
        await asyncio.sleep(0.2)  # were it not to wait, it would be over
        assert not closing.done()
        papers.go_on.set()
        await closing
        assert not sandbox._running
        assert {type(going.exception()) for going in renderer._going.values()} == {FileNotReady}


async def test_the_pdf_goes_into_the_channel(sqlite_url: str) -> None:
    pdf_text.require_weasyprint()
    async with playing(sqlite_url) as play:
        await resolve_incident(play)
        await play.slack.command(play.ana, play.channel, "/postmortem export pdf")
        for _ in range(5):
            await play.settle()
            if play.slack.files:
                break
            await play.pass_time(minutes=1)
        (file,) = play.slack.files
        assert file.name == f"{PLACE}.pdf"
        assert "failedover" in pdf_text.letters(pdf_text.read(file.bytes))


async def test_where_no_pdf_can_be_made_it_is_said_at_once(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    async with playing(sqlite_url) as play:
        await resolve_incident(play)
        answer = await play.slack.command(play.ana, play.channel, "/postmortem export pdf")
        assert answer.ephemeral is not None
        assert answer.ephemeral.plain.startswith(
            "PDF isn't set up here. Use HTML (it prints well), or ask your admin: `/postmortem export html`"
        )
        assert "pip" not in answer.ephemeral.plain
        await play.settle()
        assert play.slack.files == []


async def test_every_form_is_written_from_the_command_line(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdf_text.require_weasyprint()
    async with playing(sqlite_url) as play:
        await resolve_incident(play)
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    for form in FORMATS:
        file = tmp_path / form
        result = invoke("export", "INC-1", "--format", form, "-o", str(file))
        assert result.exit_code == 0, result.output
        assert "failedover" in letters(form, file.read_bytes())


def letters(form: str, content: bytes) -> str:
    if form == "pdf":
        return pdf_text.letters(pdf_text.read(content))
    return word_text.letters(content) if form == "docx" else "".join(content.decode().split())


async def test_a_pdf_that_fails_on_the_command_line_is_a_sentence(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with playing(sqlite_url) as play:
        await resolve_incident(play)
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    result = CliRunner().invoke(main, ["export", "INC-1", "--format", "pdf"], obj=replace(SHIPPED, pdf=0.01))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The PDF couldn't be made. It took longer than")
