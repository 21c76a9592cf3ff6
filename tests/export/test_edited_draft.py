"""A draft that comes back tells what people did to it, whatever else happened to the file."""

import re
from dataclasses import replace

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import Document
from bot.domain.sections import SECTIONS
from bot.errors import Refused
from bot.export import Exporter, drafts
from bot.export.drafts import RegionOutcome, ReturnedRegion, split
from tests.support.export.cases import FULL, NOW, edited_region, section_text

EXPORTER = Exporter()
DOCUMENT = postmortem_rules.compile_document(replace(FULL, revision=12), NOW)
LEFT = EXPORTER.render(DOCUMENT, "markdown").decode()
LEADUP = "Version 4.12 went out with a new client library."


def came_back(text: str, document: Document = DOCUMENT) -> dict[str, ReturnedRegion]:
    return {one.id: one for one in drafts.compare(drafts.read(text), EXPORTER.compile_draft(document))}


def touched_regions(text: str, document: Document = DOCUMENT) -> dict[str, RegionOutcome]:
    return {
        slug: one.outcome
        for slug, one in came_back(text, document).items()
        if one.outcome is not RegionOutcome.UNTOUCHED
    }


def head_edited(text: str) -> bool:
    return drafts.is_head_edited(drafts.read(text), EXPORTER.compile_draft(DOCUMENT))


def test_a_draft_that_nobody_touched_says_so_and_what_it_was_compiled_from() -> None:
    paper = drafts.read(LEFT)
    assert (paper.number, paper.revision) == (7, 12)
    assert touched_regions(LEFT) == {}
    assert not head_edited(LEFT)


def test_line_ends_and_blank_space_of_another_editor_are_no_edit() -> None:
    saved = LEFT.replace("\n", "  \r\n").replace("\r\n  \r\n", "\r\n\r\n\r\n")
    assert touched_regions(saved) == {}
    assert not head_edited(saved)


def test_an_edit_carries_its_text_and_what_its_author_had_seen() -> None:
    document = postmortem_rules.compile_document(
        replace(FULL, edited_sections=(edited_region("fault", "A leak.", "f" * 12, 3),)), NOW
    )
    one = came_back(EXPORTER.render(document, "markdown").decode().replace(LEADUP, "It *grew*."), document)["leadup"]
    assert (one.outcome, one.text, one.title) == (RegionOutcome.EDITED, "It *grew*.", "Leadup")
    assert (re.fullmatch("[0-9a-f]{12}", one.facts) is not None, one.seen) == (True, 0)


def test_what_stands_for_a_blank_is_no_part_of_what_was_written_under_it() -> None:
    written_below = LEFT.replace("## Fault\n\n_Not recorded_", "## Fault\n\n_Not recorded_\n\nA leak.")
    assert came_back(written_below)["fault"].text == "A leak."
    assert touched_regions(LEFT.replace("## Fault\n\n_Not recorded_", "## Fault\n")) == {}


def test_an_emptied_region_is_told_apart() -> None:
    assert touched_regions(LEFT.replace(LEADUP, "")) == {"leadup": RegionOutcome.EMPTIED}


@pytest.mark.parametrize(
    "lost",
    [
        re.compile(r"<!-- afterword:leadup .*\n"),
        re.compile(r"<!-- afterword:summary .*\n"),
        re.compile(r"(?<=<!-- afterword:leadup) .{4}"),
    ],
)
def test_a_region_without_its_marker_is_found_by_its_heading(lost: re.Pattern[str]) -> None:
    edited = lost.sub("", LEFT.replace(LEADUP, "It grew."))
    assert edited.count("<!-- afterword:") >= len(SECTIONS) - 1
    found = came_back(edited)
    assert touched_regions(edited) == {"leadup": RegionOutcome.EDITED}
    assert [one.is_marker_lost for one in found.values()].count(True) == 1
    assert found["leadup"].text == "It grew."
    assert not head_edited(edited)


def test_a_marker_damaged_beyond_finding_its_heading_is_told_and_nothing_is_taken() -> None:
    damaged = re.sub(r"afterword:fault .*", "afterword:FAULT -->", LEFT).replace("## Fault", "## What broke")
    assert touched_regions(damaged) == {"leadup": RegionOutcome.DAMAGED, "fault": RegionOutcome.ABSENT}


def test_a_region_taken_out_of_the_file_is_left_as_it_is() -> None:
    start, end = LEFT.index("<!-- afterword:fault"), LEFT.index("<!-- afterword:impact")
    assert touched_regions(LEFT[:start] + LEFT[end:]) == {"fault": RegionOutcome.ABSENT}


def test_a_region_that_occurs_twice_counts_once_where_only_one_was_edited() -> None:
    start, end = LEFT.index("<!-- afterword:leadup"), LEFT.index("<!-- afterword:fault")
    copy = LEFT[start:end]
    once = LEFT[:start] + copy.replace(LEADUP, "It grew.") + LEFT[start:]
    assert touched_regions(once) == {"leadup": RegionOutcome.EDITED}
    assert came_back(once)["leadup"].text == "It grew."
    twice = LEFT[:start] + copy.replace(LEADUP, "It grew.") + copy.replace(LEADUP, "It shrank.") + LEFT[end:]
    assert touched_regions(twice) == {"leadup": RegionOutcome.TWICE}


def test_a_region_that_the_document_does_not_have_is_named_unless_nobody_touched_it() -> None:
    ours = "<!-- afterword:customers 0123456789ab -->\n## Customers\n\nThey noticed.\n\n"
    at_the_end = f"{LEFT}\n{ours}"
    assert touched_regions(at_the_end) == {"customers": RegionOutcome.UNKNOWN}
    digest = split(ours).regions[0].digest
    assert touched_regions(at_the_end.replace("0123456789ab", digest)) == {}


def test_another_heading_is_told_and_one_of_the_text_stays_in_the_text() -> None:
    renamed = came_back(LEFT.replace("## Leadup", "## What led to it"))["leadup"]
    assert (renamed.outcome, renamed.heading) == (RegionOutcome.UNTOUCHED, "What led to it")
    taken_out = came_back(LEFT.replace("## Leadup\n\n" + LEADUP, "### Weeks before\n\nIt grew."))["leadup"]
    assert (taken_out.text, taken_out.heading) == ("### Weeks before\n\nIt grew.", "")


def test_an_edit_of_what_stands_before_the_sections_is_noticed() -> None:
    assert head_edited(LEFT.replace("| Severity | sev2 |", "| Severity | sev1 |"))
    assert head_edited(LEFT.replace("# INC-7: Checkout", "# INC-7: The checkout"))


def test_a_region_that_still_holds_both_texts_is_not_taken_for_one() -> None:
    case = replace(
        FULL,
        edited_sections=(edited_region("leadup", "By hand.", "f" * 12),),
        sections=FULL.sections | {"fault": section_text("fault", "A leak")},
    )
    document = postmortem_rules.compile_document(case, NOW)
    both = EXPORTER.render(document, "markdown").decode()
    assert touched_regions(both, document) == {}
    assert touched_regions(both.replace("By hand.", "By both hands."), document) == {"leadup": RegionOutcome.UNCHOSEN}
    start, end = both.index("**This section has more"), both.index("<!-- afterword:fault")
    chosen = came_back(f"{both[:start]}By both hands.\n\n{both[end:]}", document)["leadup"]
    assert (chosen.outcome, chosen.text, chosen.seen) == (RegionOutcome.EDITED, "By both hands.", 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "isn't one of Afterword's drafts"),
        ("# Notes\n\n## Leadup\n\nMine", "isn't one of Afterword's drafts"),
        (LEFT.replace("incident: INC-7", "incident: seven").replace("# INC-7", "# INC"), "doesn't say which incident"),
        (LEFT[LEFT.index("<!--") :], "one like `incident: INC-7`"),
    ],
)
def test_what_is_no_draft_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Refused, match=re.escape(sentence)):
        drafts.read(text)
