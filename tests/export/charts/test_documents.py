"""The pictures where people meet them: on the page, on paper, and attached to a page of Confluence."""

from dataclasses import replace

import pytest
from lxml import etree

from bot.domain import postmortem as postmortem_rules
from bot.domain.masking import mask, parse_rules
from bot.domain.records import Case
from bot.export import Exporter
from bot.export.charts import draw_charts
from bot.export.html import HtmlWriter
from bot.export.templates import load_shipped_templates
from tests.support.export import export_text, pdf_text, storage_format
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, edited_region
from tests.support.export.svg_geometry import parse_picture
from tests.support.timeouts import PATIENT

pytestmark = pytest.mark.process

EXPORTER = Exporter(timeouts=PATIENT)
PAGES = HtmlWriter(load_shipped_templates())


def html(about: Case, *, on_paper: bool = False) -> str:
    return PAGES.write_page(postmortem_rules.compile_document(about, NOW), on_paper=on_paper)


def titles(page: str) -> dict[str, str]:
    """What the picture that stands first in each region is called."""
    found = {}
    for section in export_text.page(page.encode()).iter("section"):
        if section[1].tag == "figure":
            picture, *for_a_phone = export_text.pictures(section)
            assert [str(one[0].text) for one in for_a_phone] in ([str(picture[0].text)], [])
            found[str(section.get("id"))] = str(picture[0].text)
    return found


def test_the_timeline_and_the_whys_begin_with_their_pictures() -> None:
    page = html(FULL)
    assert titles(page) == {"timeline": "Timeline of INC-7", "whys": "Whys of INC-7"}
    assert len(export_text.pictures(export_text.page(page.encode()))) == 4
    paper = titles(html(FULL, on_paper=True))
    assert paper == {"timeline": draw_charts(postmortem_rules.compile_document(FULL, NOW))["timeline"].alternative}


@pytest.mark.parametrize(("count", "shown"), [(2, 0), (3, 1), (4, 2)])
def test_what_is_read_at_a_glance_has_no_picture(count: int, shown: int) -> None:
    few = replace(FULL, entries=FULL.entries[:count], whys=FULL.whys[:count])
    assert len(titles(html(few))) == shown
    assert titles(html(NOTHING_KNOWN)) == {}


def test_a_region_that_people_wrote_anew_has_no_picture_of_what_they_took_out() -> None:
    assert titles(html(replace(FULL, edited_sections=(edited_region("timeline", "Nothing to see.", ""),)))) == {
        "whys": "Whys of INC-7"
    }


def test_a_masked_copy_has_pictures_of_what_is_masked() -> None:
    address = "10.1.2.3"
    whys = tuple(replace(step, text=f"{address} was full") for step in FULL.whys)
    document = postmortem_rules.compile_document(replace(FULL, whys=whys), NOW)
    masked, _ = mask(document, parse_rules("addresses", ""))
    assert address in draw_charts(document)["whys"].inline
    assert "[masked] was full" in draw_charts(masked)["whys"].inline
    for form in ("html", "confluence"):
        assert address in EXPORTER.render(document, form).decode()
        assert address not in EXPORTER.render(masked, form).decode()
    body, attached = EXPORTER.write_confluence_page(masked)
    assert address not in body + "".join(file.alternative + file.content.decode() for file in attached)


def test_the_policy_of_the_page_lets_nothing_but_styles_and_kept_pictures_in() -> None:
    page = export_text.page(html(FULL).encode())
    (policy,) = [str(meta.get("content")) for meta in page.iter("meta") if meta.get("http-equiv")]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    inside = [element for picture in export_text.pictures(page) for element in picture.iter()]
    assert len(inside) > 20
    assert {name for element in inside for name in element.keys() if "href" in name or name == "style"} == set()  # noqa: SIM118


def test_a_page_of_confluence_shows_what_is_attached_to_it() -> None:
    body, attached = EXPORTER.write_confluence_page(postmortem_rules.compile_document(FULL, NOW))
    page = storage_format.page(body)
    shown = {
        str(image[0].get(f"{{{storage_format.RI}}}filename")): str(image.get(f"{{{storage_format.AC}}}alt"))
        for image in page.iter(f"{{{storage_format.AC}}}image")
    }
    assert shown == {file.name: file.alternative for file in attached}
    assert list(shown) == ["timeline.svg", "whys.svg"]
    assert shown["timeline.svg"].startswith("Timeline of INC-7, 2026-11-23 13:52")
    assert all(parse_picture(file.content.decode()).get("width") == "800" for file in attached)


def test_a_page_that_nothing_hangs_on_refers_to_no_picture() -> None:
    storage = EXPORTER.render(postmortem_rules.compile_document(FULL, NOW), "confluence").decode()
    assert "ac:image" not in storage_format.tags(storage_format.page(storage))


@pytest.mark.parametrize("form", ["markdown", "canvas"])
def test_forms_that_cannot_show_a_picture_do_not_describe_one(form: str) -> None:
    document = postmortem_rules.compile_document(FULL, NOW)
    written = EXPORTER.render(document, form).decode()
    assert [one.alternative for one in draw_charts(document).values() if one.alternative in written] == []


def test_on_paper_the_pictures_are_drawn_and_what_they_show_is_told_to_who_listens() -> None:
    pdf_text.require_weasyprint()
    document = postmortem_rules.compile_document(FULL, NOW)
    reader = pdf_text.read(EXPORTER.render(document, "pdf"))
    assert pdf_text.figures(reader) == [draw_charts(document)["timeline"].alternative]
    text = pdf_text.letters(reader)
    assert "Respond36min" in text
    assert "5·Rootcause" not in text, "the list of whys says it in words"
    assert "prefers-color-scheme" not in text


def test_the_pictures_on_the_page_are_well_formed_by_themselves() -> None:
    for picture in draw_charts(postmortem_rules.compile_document(FULL, NOW)).values():
        assert picture.inline in html(FULL)
        assert picture.narrow in html(FULL)
        assert etree.fromstring(picture.inline).get("class") == "afterword-picture"
