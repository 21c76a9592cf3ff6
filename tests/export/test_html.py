from dataclasses import replace

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case
from bot.domain.sections import SECTIONS
from bot.export import Exporter
from bot.export.html import HtmlWriter
from bot.export.templates import load_shipped_templates
from tests.support.export import export_text
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, at, case, edited_region, entry, section_text

EXPORTER = Exporter()


def html(about: Case) -> bytes:
    return EXPORTER.render(postmortem_rules.compile_document(about, NOW), "html")


@pytest.mark.parametrize("about", [FULL, NOTHING_KNOWN])
def test_the_page_is_strictly_valid_and_has_the_sections_in_order(about: Case) -> None:
    page = export_text.page(html(about))
    assert [found.get("id") for found in page.iter("section")] == [section.slug for section in SECTIONS]
    assert ["".join(found.itertext()) for found in page.iter("h2")] == [section.title for section in SECTIONS]


@pytest.mark.parametrize("about", [FULL, NOTHING_KNOWN])
def test_the_page_needs_nothing_from_outside_and_runs_nothing(about: Case) -> None:
    page = export_text.page(html(about))
    assert not {element.tag for element in page.iter()} & {"script", "link", "img", "iframe", "object", "form"}
    assert b"url(" not in html(about)
    assert b"@import" not in html(about)


def test_the_contents_lead_to_every_section() -> None:
    page = export_text.page(html(NOTHING_KNOWN))
    assert list(export_text.links(page)) == [f"#{section.slug}" for section in SECTIONS]


def test_every_entry_is_shown_with_its_minute_and_its_own_anchor() -> None:
    page = export_text.page(html(FULL))
    lines = {
        item.get("id"): export_text.squeeze("".join(item.itertext())) for item in page.iter("li") if item.get("id")
    }
    assert list(lines) == [f"entry-{number}" for number in range(1, 8)]
    assert lines["entry-3"] == "14:05 Detected Alert checkout_5xx fired — Ana Costa, recorded by Ben Okafor (#3)"
    assert lines["entry-5"].startswith("14:20–14:32 Restarted the pool: active: 200 no change")


def test_addresses_become_links_wherever_people_write_them() -> None:
    about = case(
        entries=(entry(1, at(14, 5), "see https://a.example/?x=1&y=2."),),
        sections=(section_text("fault", "graph: https://b.example/g_1"),),
    )
    found = [link for link in export_text.links(export_text.page(html(about))) if not link.startswith("#")]
    assert found == ["https://b.example/g_1", "https://a.example/?x=1&y=2"]


def test_a_persons_words_on_the_timeline_stand_before_the_entries() -> None:
    text = export_text.visible_text(
        export_text.page(html(case(entries=FULL.entries, sections=(section_text("timeline", "By hand."),))))
    )
    assert text.index("By hand.") < text.index("All times are UTC") < text.index("13:52 Deploy")


def test_a_timeline_with_entries_is_not_called_blank() -> None:
    page = export_text.page(html(FULL))
    blank = [found.get("id") for found in page.iter("section") if found.get("class") == "blank"]
    assert blank == ["fault", "backlog_check", "recurrence", "lessons"]


def test_on_paper_the_page_has_no_contents_to_click_and_keeps_the_spaces_of_a_text() -> None:
    page = HtmlWriter(load_shipped_templates()).write_page(postmortem_rules.compile_document(FULL, NOW), on_paper=True)
    found = export_text.page(page.encode())
    assert list(found.iter("nav")) == []
    assert "Restarted the pool:\n\u00a0 active: 200\n\nno change" in page
    assert "@page" in page
    assert "var(--" not in page


@pytest.mark.parametrize(
    "markdown",
    [
        "a &#x202e;b",
        "### a &#x202E;b",
        "| a &#x202e;b |\n|---|\n| c |",
        "[a b](https://a.example 't &rlm;t')",
        "``` py&#x202e;thon\na b\n```",
    ],
)
def test_a_character_reference_in_an_edited_draft_cannot_reorder_what_is_read(markdown: str) -> None:
    page = html(replace(FULL, edited_sections=(edited_region("fault", markdown, ""),))).decode()
    assert not set(page) & set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert "a b" in export_text.visible_text(export_text.page(page.encode()))


@pytest.mark.parametrize(
    "nested", [">" * 150 + " the cause", "- " * 150 + "the cause", "*a " * 500 + "the cause" + "*" * 500]
)
def test_what_people_nested_deeper_than_anybody_can_see_is_still_there(nested: str) -> None:
    page = html(replace(FULL, edited_sections=(edited_region("fault", nested, ""),)))
    assert "the cause" in export_text.visible_text(export_text.page(page))


def test_a_citation_leads_to_its_entry_and_what_is_none_leads_nowhere() -> None:
    about = case(
        entries=(entry(1, at(14, 5), "it broke (#1)"),),
        sections=(section_text("fault", "a leak (#1), not (#2), nor #1; [see](https://a.example/#1) <(#1)>"),),
    )
    page = export_text.page(html(about))
    (fault,) = (found for found in page.iter("section") if found.get("id") == "fault")
    assert [link for link in export_text.links(fault) if link.startswith("#")] == ["#entry-1", "#entry-1"]
    assert "a leak (#1), not (#2), nor #1; [see]" in "".join(fault.itertext())
    (line,) = (found for found in page.iter("li") if found.get("id") == "entry-1")
    assert list(export_text.links(line)) == ["#entry-1"]


def test_on_paper_only_what_is_cited_has_a_name() -> None:
    page = HtmlWriter(load_shipped_templates()).write_page(postmortem_rules.compile_document(FULL, NOW), on_paper=True)
    named = {item.get("id") for item in export_text.page(page.encode()).iter("li")} - {None}
    assert {f"#{name}" for name in named} == {
        link for link in export_text.links(export_text.page(page.encode())) if link[0] == "#"
    }
    assert 1 < len(named) < len(FULL.entries)
