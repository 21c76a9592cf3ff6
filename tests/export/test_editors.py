"""Drafts as programs save them that people edit in: what a program did unasked is no edit, what a person did is one."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import Document
from bot.domain.records import Case
from bot.domain.sections import SECTIONS
from bot.errors import Refused
from bot.export import Exporter, drafts
from bot.export.drafts import RegionOutcome, ReturnedRegion
from tests.support.export.cases import FULL, NOW, at, entry, section_text

EXPORTER = Exporter()
HARD = 'It\'s "fine" now...\n- no\n1. really_not 5*3 <b> | a `x`'
CASE: Case = replace(FULL, sections=FULL.sections | {"lessons": section_text("lessons", HARD)})
DOCUMENT = postmortem_rules.compile_document(CASE, NOW)
LEFT = EXPORTER.render(DOCUMENT, "markdown").decode()
LEADUP = "Version 4.12 went out with a new client library."
OURS = {RegionOutcome.UNTOUCHED, RegionOutcome.SAME}


def tidy(text: str) -> str:
    """A formatter: a blank line below each marker, other signs for emphasis, tables filled up."""
    text = re.sub(r"^(<!-- .* -->)\n", r"\1\n\n", text, flags=re.MULTILINE)
    text = re.sub(r"(?<= )\*(\w[\w ]*)\*(?= )", r"_\1_", text)
    text = re.sub(r"^\|([^|\n]*)\|([^|\n]*)\|$", _fill_row, text, flags=re.MULTILINE)
    return re.sub(r"(?<=\n)(- .*\n)(?=- )", r"\1\n", text)


def _fill_row(row: re.Match[str]) -> str:
    first, second = row[1].strip(), row[2].strip()
    if set(first) <= set(":-"):
        return f"| :{'-' * 19} | :{'-' * 39} |"
    return f"| {first:<20} | {second:<40} |"


def other_signs(text: str) -> str:
    """An editor that has its own signs for lists, emphasis and blanks."""
    text = re.sub(r"^( *)- ", r"\1* ", text, flags=re.MULTILINE)
    return text.replace("_Not recorded_", "*Not recorded*").replace("**", "__")


def wrap_lines(text: str) -> str:
    """An editor that breaks long lines of lists and paragraphs."""
    return re.sub(r"^((?:- |Version).{30}\S*) (?=[A-Za-z])", _broken, text, flags=re.MULTILINE)


def _broken(line: re.Match[str]) -> str:
    return f"{line[1]}\n{'  ' if line[1].startswith('- ') else ''}"


def typeset(text: str) -> str:
    """An editor that turns quotation marks and joins dots."""
    head, marker, rest = text.partition("<!--")
    return head + marker + re.sub(r'"(\w+)"', r"“\1”", rest).replace("'", "’").replace("...", "…")


def drop_markers(text: str) -> str:
    """A program that drops what it does not show: the markers."""
    return re.sub(r"^<!-- afterword:.*\n", "", text, flags=re.MULTILINE)


def spelled_out(text: str) -> str:
    """A program that shows the markers as text, and drops the front matter."""
    text = re.sub(r"^<!-- (afterword:.*) -->$", r"\\<\\!-- \1 \\--\\>\n", text, flags=re.MULTILINE)
    return text[text.index("# INC-7") :]


PROGRAMS: tuple[Callable[[str], str], ...] = (tidy, other_signs, wrap_lines, typeset, drop_markers, spelled_out)


def came_back(text: str, document: Document = DOCUMENT) -> dict[str, ReturnedRegion]:
    return {one.id: one for one in drafts.compare(drafts.read(text), EXPORTER.compile_draft(document))}


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_program_does_unasked_is_no_edit(program: Callable[[str], str]) -> None:
    saved = program(LEFT)
    assert saved != LEFT
    found = came_back(saved)
    assert {slug: one.outcome for slug, one in found.items() if one.outcome not in OURS} == {}
    assert len(found) == len(SECTIONS)
    assert not drafts.is_head_edited(drafts.read(saved), EXPORTER.compile_draft(DOCUMENT))


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_person_wrote_comes_back_through_every_program(program: Callable[[str], str]) -> None:
    edited = LEFT.replace(LEADUP, "It *grew*, see #4.").replace("## Fault\n\n_Not recorded_", "## Fault\n\nA leak.")
    found = came_back(program(edited))
    assert {slug: one.outcome for slug, one in found.items() if one.outcome not in OURS} == {
        "leadup": RegionOutcome.EDITED,
        "fault": RegionOutcome.EDITED,
    }
    assert (found["leadup"].text.replace("_", "*"), found["fault"].text) == ("It *grew*, see #4.", "A leak.")


@pytest.mark.parametrize("program", [tidy, other_signs, typeset])
def test_a_record_that_went_on_meanwhile_is_not_taken_for_a_program_s_work(program: Callable[[str], str]) -> None:
    later = replace(CASE, entries=(*CASE.entries, entry(99, at(15, 30), "It's over")))
    found = came_back(program(LEFT), postmortem_rules.compile_document(later, NOW))
    assert found["leadup"].outcome in OURS
    assert found["timeline"].outcome in (
        RegionOutcome.UNTOUCHED,
        RegionOutcome.EDITED,
    )  # asked about: nothing tells how it read then


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (LEADUP, "Version 4.12 went out with a *new* client library."),
        (LEADUP, "Version 4.13 went out with a new client library."),
        (LEADUP, f"- {LEADUP}"),
        (LEADUP, LEADUP.replace(".", ",")),
        ("(#4)", "(#5)"),
        ("\n| 2 | Load", "\n\nAnd:\n\n| 2 | Load"),
    ],
)
def test_the_smallest_edit_of_a_person_is_one(before: str, after: str) -> None:
    assert before in LEFT
    assert [one.outcome for one in came_back(tidy(LEFT.replace(before, after, 1))).values()].count(
        RegionOutcome.EDITED
    ) == 1


def test_sections_in_another_order_are_the_same_sections() -> None:
    head, *pieces = re.split(r"(?=^<!-- afterword:)", LEFT, flags=re.MULTILINE)
    turned = "\n".join([head, *reversed(pieces)])
    assert {one.outcome for one in came_back(turned).values()} == {RegionOutcome.UNTOUCHED}
    assert {one.outcome for one in came_back(drop_markers(turned)).values()} <= OURS


def test_a_section_pasted_twice_and_edited_alike_is_edited_once() -> None:
    start, end = LEFT.index("<!-- afterword:leadup"), LEFT.index("<!-- afterword:fault")
    copy = LEFT[start:end].replace(LEADUP, "It grew.")
    found = came_back(LEFT[:start] + copy + copy.replace("It grew.", "It grew.  ") + LEFT[end:])
    assert (found["leadup"].outcome, found["leadup"].text) == (RegionOutcome.EDITED, "It grew.")


def test_without_markers_and_headings_there_is_no_draft() -> None:
    bare = re.sub(r"^## ", "", drop_markers(LEFT), flags=re.MULTILINE)
    with pytest.raises(Refused, match="headings are lost"):
        came_back(bare)
