"""A compiled document comes apart at its markers, and tells what people changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import postmortem as postmortem_rules
from bot.domain.sections import SECTIONS
from bot.export import Exporter
from bot.export.drafts import CompiledMarkdown, Region, split
from tests.support.export.cases import FULL, NOW

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r<#")).map(lambda text: text.strip("\n"))
REGIONS = st.builds(Region, st.sampled_from([section.slug for section in SECTIONS]), st.just("## A heading"), WORDS)


@pytest.fixture(scope="module")
def document() -> str:
    return Exporter().render(postmortem_rules.compile_document(FULL, NOW), "markdown").decode()


def test_the_regions_are_the_sections_in_order(document: str) -> None:
    assert [(region.id, region.title) for region in split(document).regions] == [
        (section.slug, section.title) for section in SECTIONS
    ]


def test_what_nobody_touched_is_as_its_marker_says(document: str) -> None:
    assert all(region.left_as == region.digest for region in split(document).regions)


def test_an_edit_shows_in_its_region_alone(document: str) -> None:
    edited = document.replace("The load test uses one customer", "The load test has one customer")
    touched = [region.id for region in split(edited).regions if region.left_as != region.digest]
    assert touched == ["whys", "root_cause"]


def test_line_ends_and_blank_space_are_no_edit(document: str) -> None:
    saved_elsewhere = document.replace("\n", "\r\n").replace("\r\n\r\n", "  \r\n\r\n\r\n")
    assert all(region.left_as == region.digest for region in split(saved_elsewhere).regions)


def test_a_document_without_markers_is_all_head() -> None:
    assert split("# Something\n\nelse") == CompiledMarkdown("# Something\n\nelse", ())


@given(st.lists(REGIONS, max_size=5))
def test_what_was_written_is_read_back(regions: list[Region]) -> None:
    found = split(CompiledMarkdown("---\n---\n\n", tuple(regions)).write())
    assert [(one.id, one.heading, one.digest) for one in found.regions] == [
        (one.id, one.heading, one.digest) for one in regions
    ]
    assert all(one.left_as == one.digest for one in found.regions)


def test_what_only_looks_like_a_marker_stays_where_it_stands(document: str) -> None:
    comment = "<!-- afterword:nothing of ours -->"
    compiled = split(document.replace("## Leadup\n\n", f"## Leadup\n\n{comment}\n"))
    assert len(compiled.regions) == len(SECTIONS)
    assert comment in compiled.regions[1].body
    assert split(f"{comment}\n# Else").head == f"{comment}\n# Else"
