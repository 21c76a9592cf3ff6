"""What people wrote stands in a picture as letters, and never as anything else."""

from dataclasses import replace
from pathlib import Path

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import Document
from bot.domain.incident import MILESTONE_TEXTS
from bot.domain.text import strip_code_marks, to_one_line
from bot.export.charts import ChartImage, draw_timeline, draw_whys, svg
from bot.export.templates import load_shipped_templates
from tests.export.test_escape import TEXTS
from tests.export.test_hostile import HOSTILE, everywhere
from tests.support.export.cases import FULL, NOW
from tests.support.export.svg_geometry import SVG, parse_picture

STYLE = Path(__file__).resolve().parents[3] / "templates" / "postmortem" / "page.css"


def pictures(document: Document) -> list[ChartImage]:
    found = [draw_timeline(document), draw_whys(document)]
    return [picture for picture in found if picture]


def check(picture: ChartImage, text: str) -> None:
    """The text is there in letters, or in what is shown to the mouse, as far as either holds it."""
    drawn = (element for group in parse_picture(picture.svg).iter(f"{SVG}g") for element in group.iter())
    shown = "".join(element.text or "" for element in drawn)
    beginning = "".join(to_one_line(strip_code_marks(text)).split())[:60]
    assert beginning in "".join(shown.split())


def check_in_page(picture: ChartImage) -> None:
    """An HTML5 reader finds in the page what an XML reader finds in the file."""
    page = f"<!doctype html><html><head><title>x</title></head><body>{picture.inline}</body></html>"
    body = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page).find("body")
    (found,) = body
    expected = parse_picture(picture.inline)
    assert [(one.tag, one.text) for one in found.iter()] == [(one.tag, one.text) for one in expected.iter()]


def raw(document: Document, text: str) -> Document:
    """The document as if its texts had never passed the compiler's gate."""
    lines = tuple(line._replace(text=text) for line in document.timeline)
    return replace(document, title=text, timeline=lines, whys=tuple(replace(step, text=text) for step in document.whys))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_nothing_but_letters(text: str) -> None:
    document = postmortem_rules.compile_document(everywhere(text), NOW)
    for picture in (*pictures(document), *pictures(raw(document, text))):
        check(picture, text)
        check_in_page(picture)


@settings(deadline=None, max_examples=50)
@given(TEXTS | st.text())
def test_any_text_is_nothing_but_letters(text: str) -> None:
    for picture in pictures(raw(postmortem_rules.compile_document(everywhere("x"), NOW), text)):
        check(picture, text)


def test_both_pictures_of_a_document_can_stand_in_one_page_in_both_forms() -> None:
    found = pictures(postmortem_rules.compile_document(FULL, NOW))
    ids = [
        element.get("id")
        for picture in found
        for form in (picture.svg, picture.inline)
        for element in parse_picture(form).iter()
        if element.get("id")
    ]
    assert len(ids) == len(set(ids)) == 8


def test_the_colours_are_those_of_the_page() -> None:
    light, dark = STYLE.read_text("utf-8").split("@media screen and (prefers-color-scheme: dark)")[:2]
    for name, tone in svg.TONES.items():
        assert f"--{name}: {tone.light};" in light
        assert f"--{name}: {tone.dark};" in dark


def test_milestones_are_called_as_in_the_document() -> None:
    words = load_shipped_templates().get_template("postmortem/words.j2").module
    assert getattr(words, "milestones") == {milestone.value: name for milestone, name in MILESTONE_TEXTS.items()}  # noqa: B009
