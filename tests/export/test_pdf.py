"""The PDF, made by a real process and read back by another library than the one that wrote it."""

import base64
import re
import socket
import subprocess
import sys
import threading
import zlib
from dataclasses import replace
from typing import cast

import pytest
from pypdf.generic import ArrayObject, DictionaryObject

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Attachment, AttachmentState, Case
from bot.domain.sections import SECTIONS
from bot.domain.text import clean
from bot.export import Exporter
from bot.export.sandbox import JobError, Limits, run_job
from tests.export.test_hostile import HOSTILE
from tests.support.export import pdf_text
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, at, case, entry, incident, section_text
from tests.support.timeouts import PATIENT

pytestmark = pytest.mark.process

EXPORTER = Exporter(timeouts=PATIENT)


@pytest.fixture(autouse=True)
def _weasyprint() -> None:
    pdf_text.require_weasyprint()


def pdf_of(about: Case) -> bytes:
    return EXPORTER.render(postmortem_rules.compile_document(about, NOW), "pdf")


@pytest.fixture(scope="module")
def full() -> bytes:
    pdf_text.require_weasyprint()
    return pdf_of(FULL)


def test_it_is_a_document_with_title_language_and_date(full: bytes) -> None:
    reader = pdf_text.read(full)
    assert reader.metadata is not None
    assert reader.metadata.title == "INC-7: Checkout returns 503s"
    assert reader.metadata.creation_date_raw == "D:20261129120000Z"
    root = cast("DictionaryObject", reader.trailer["/Root"].get_object())
    assert str(root["/Lang"]) == "en"
    assert str(root["/MarkInfo"].get_object()) == "{'/Marked': True}"
    assert [round(float(side) / 72 * 25.4) for side in reader.pages[0].mediabox[2:]] == [210, 297]


def test_its_bookmarks_are_the_title_and_the_sections(full: bytes) -> None:
    title, chapters = pdf_text.read(full).outline
    assert getattr(title, "title", "") == "Checkout returns 503s"
    assert isinstance(chapters, list)
    assert [getattr(chapter, "title", "") for chapter in chapters] == [section.title for section in SECTIONS]


def test_every_page_but_the_first_names_the_incident_and_each_its_number(full: bytes) -> None:
    texts = [page.extract_text() for page in pdf_text.read(full).pages]
    assert len(texts) > 1
    assert all(f"{number} / {len(texts)}" in text for number, text in enumerate(texts, 1))
    assert all("INC-7" in text and "Checkout returns 503s" in text for text in texts)


def test_every_entry_and_every_fact_is_in_it(full: bytes) -> None:
    text = pdf_text.letters(pdf_text.read(full))
    for line in (
        "14:05 Detected Alert checkout_5xx fired — Ana Costa, recorded by Ben Okafor (#3)",
        "4. Nobody",
    ):
        assert "".join(line.split()) in text
    assert "Chlo\u00e9Martin(#6)" in text


def test_links_are_alive(full: bytes) -> None:
    pdf, outside, inside = pdf_text.read(full), set(), set()
    for page in pdf.pages:
        for annotation in page.get("/Annots", ArrayObject()):
            link = annotation.get_object()
            outside.add(link.get("/A", {}).get("/URI"))
            inside.add(link.get("/Dest"))
    assert outside - {None} == {"https://tracker.example.com/browse/OPS-12"}
    assert {"entry-2", "entry-6"} <= inside - {None} <= set(pdf.named_destinations)


def test_the_same_document_gives_the_same_bytes(full: bytes) -> None:
    assert pdf_of(FULL) == full
    assert pdf_of(NOTHING_KNOWN) != full


def test_a_kept_picture_is_shown_and_any_other_file_is_named() -> None:
    picture = Attachment(
        1, 1, "graph.png", "image/png", 3, "https://files.slack.com/a", AttachmentState.STORED, "", png()
    )
    log = replace(picture, id=2, name="app.log", media_type="text/plain", content=b"lines")
    reader = pdf_text.read(pdf_of(replace(case(entries=(entry(1, at(14, 5)),)), attachments=(picture, log))))
    assert {image.name for page in reader.pages for image in page.images} == {reader.pages[0].images[0].name}
    text = pdf_text.letters(reader)
    assert "graph.png,3B" in text
    assert "app.log,3B" in text
    assert "base64" not in str([page.get("/Annots") for page in reader.pages])


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = (8).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    rows = zlib.compress((b"\0" + b"\x20\x60\xa0" * 8) * 8)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_nothing_is_loaded_from_the_network_or_from_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("files") / "secret.css"
    secret.write_text("p::after { content: 'leaked' }")
    called: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(600)
        host = f"http://127.0.0.1:{server.getsockname()[1]}"
        listening = threading.Thread(target=lambda: called.append(_accept_bytes(server)))
        listening.start()
        inside = base64.b64encode(png()).decode()
        page = f"""<html><head><link rel=stylesheet href="{host}/a.css"><link rel=stylesheet href="{secret.as_uri()}">
            <style>@import url({host}/b); p {{ background: url({host}/c) }} @font-face {{ src: url({host}/d) }}</style>
            </head><body><p>text</p><img src="{host}/e"><img src="{secret.as_uri()}"><object data="{host}/f"></object>
            <img src="data:image/png;base64,{inside}"><svg><image href="{host}/g.png" /></svg></body></html>"""
        reader = pdf_text.read(run_job("pdf", page.encode()))
        socket.create_connection(server.getsockname()).close()  # ends the listening: the first caller is this one
        listening.join()
    assert "leaked" not in reader.pages[0].extract_text()
    assert len(reader.pages[0].images) == 1
    assert called == [b""]


def _accept_bytes(server: socket.socket) -> bytes:
    connection, _ = server.accept()
    with connection:
        return connection.recv(1000)


@pytest.mark.slow
def test_hostile_text_is_only_ever_text() -> None:
    texts = dict(zip([section.slug for section in SECTIONS if section.slug != "root_cause"], HOSTILE, strict=True))
    sections = tuple(section_text(slug, text) for slug, text in texts.items())
    reader = pdf_text.read(
        pdf_of(case(entries=tuple(entry(n, at(0, n), text) for n, text in enumerate(HOSTILE)), sections=sections))
    )
    assert sum(len(page.images) for page in reader.pages) == 0
    shown = re.sub(r"\W|_", "", re.sub(r"INC-7Checkoutreturns503s|\d+/\d+", "", pdf_text.letters(reader)))
    lines = {
        re.sub(r"\W|_", "", line) for text in HOSTILE for line in clean(text).splitlines()
    }  # a page may end between
    assert {line for line in lines if shown.count(line) < 2} == set()


def test_a_title_without_end_keeps_to_its_place() -> None:
    reader = pdf_text.read(
        pdf_of(case(about=incident(title="endless " * 500), sections=(section_text("fault", "x\n" * 200),)))
    )
    assert 5 < len(reader.pages) < 15


def test_a_layout_that_takes_too_long_or_too_much_is_a_sentence() -> None:
    many = b"<p>a</p>" * 20_000
    with pytest.raises(JobError, match=r"It took longer than 1\.5 seconds"):
        run_job("pdf", many, Limits(seconds=1.5))


def test_the_bot_itself_never_loads_weasyprint() -> None:
    ask = "import sys, bot.cli; print(sorted(name for name in sys.modules if name.startswith(('weasyprint', 'cffi'))))"
    output = subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True, text=True)
    assert output.stdout.strip() == "[]"


@pytest.mark.slow
def test_a_thousand_entries_are_all_in_it() -> None:
    entries = tuple(entry(number, at(0, 0), f"step {number}, done") for number in range(1, 1_001))
    text = pdf_text.letters(pdf_text.read(pdf_of(case(entries=entries))))
    assert all(f"step{number},done" in text for number in range(1, 1_001))
