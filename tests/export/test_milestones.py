"""A milestone without words is shown once, and of two that mark the same the document says which counts."""

import json
import re

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.incident import MILESTONE_TEXTS, text_beyond_milestone
from bot.domain.records import Entry, EntryKind, Milestone, Status
from bot.export import Exporter
from bot.slack.views import timeline as timeline_views
from tests.support.export import export_text
from tests.support.export.cases import NOW, at, case, entry, incident, render

EXPORTER = Exporter()
FORMS = ("markdown", "html", "confluence", "canvas")


def bare_marks(*, text: str = "{}") -> tuple[Entry, ...]:
    return tuple(
        entry(number, at(14, number), text.format(MILESTONE_TEXTS[milestone]), milestone=milestone)
        for number, milestone in enumerate(Milestone, 1)
    )


@pytest.mark.parametrize("text", ["{}", "{}.", " {} "])
@pytest.mark.parametrize("name", FORMS)
def test_a_milestone_without_words_is_named_once_in_its_line(name: str, text: str) -> None:
    written = render(case(entries=bare_marks(text=text)), name)
    for number, milestone in enumerate(Milestone, 1):
        label = MILESTONE_TEXTS[milestone]
        line = next(
            one
            for one in re.split(r"<li|<tr>|\n- ", written[written.rindex("All times are UTC") :])
            if f"(#{number})" in one or f"<td>#{number}</td>" in one or f"#{number}</a>" in one
        )
        assert line.count(label) == 1, line
        assert "·" not in line


def test_a_milestone_with_words_is_shown_with_both() -> None:
    line = entry(1, at(14, 5), "Mitigated by a failover", milestone=Milestone.MITIGATED)
    assert "- **14:05** *Mitigated* · Mitigated by a failover — Ana Costa (#1)" in render(
        case(entries=(line,)), "markdown"
    )


@pytest.mark.parametrize(
    ("text", "more"), [("Mitigated", ""), ("mitigated!", ""), ("", ""), ("mitigated in EU", "mitigated in EU")]
)
def test_only_the_milestones_own_word_says_nothing_more(text: str, more: str) -> None:
    assert text_beyond_milestone(Milestone.MITIGATED, text) == more
    assert text_beyond_milestone(None, text) == text


def test_a_list_in_slack_names_it_once() -> None:
    about = case(entries=bare_marks(text="{}."))
    assert timeline_views.entry_line(about.entries[3], about, NOW).count("Mitigated") == 1


@pytest.mark.parametrize("name", FORMS)
def test_of_two_that_mark_the_same_the_document_says_which_counts(name: str) -> None:
    twice = (
        entry(1, at(14, 5), "Alert fired", milestone=Milestone.DETECTED),
        entry(2, at(14, 1), "A customer called", milestone=Milestone.DETECTED),
    )
    written = render(case(entries=twice), name)
    assert len(re.findall(r"; (?:<a [^>]*>)?#2(?:</a>)? counts as detected", written)) == 1
    assert "#1 counts" not in written


def test_a_program_that_reads_the_json_is_told_which_counts() -> None:
    about = case(
        about=incident(status=Status.OPEN, resolved_at=None, resolved_by=None),
        entries=(
            entry(1, at(14, 5), milestone=Milestone.DETECTED),
            entry(2, at(14, 1), milestone=Milestone.DETECTED),
            entry(3, at(14, 30), milestone=Milestone.RESOLVED, kind=EntryKind.STATUS),
            entry(4, at(14, 40), "Reopened", kind=EntryKind.STATUS),
        ),
    )
    counts = {line["number"]: line["counts"] for line in json.loads(render(about, "json"))["timeline"]}
    assert counts == {1: False, 2: True, 3: None, 4: None}


def test_the_page_shows_one_word_in_the_row_of_a_milestone() -> None:
    page = export_text.page(EXPORTER.render(postmortem_rules.compile_document(case(entries=bare_marks()), NOW), "html"))
    rows = [one for one in page.iter("li") if one.get("class") == "milestone"]
    assert [[part.tag for part in row] for row in rows] == [["b", "i", "small"]] * 5
