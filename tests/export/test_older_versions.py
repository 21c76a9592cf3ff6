"""Drafts and copies of templates from the version before documents began at a glance: both still work."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.samples import NOW, SAMPLES
from bot.domain.sections import SECTIONS
from bot.export import Exporter, drafts
from bot.export.drafts import RegionOutcome, ReturnedRegion
from tests.support.export import export_text
from tests.support.export.cases import edited_region
from tests.support.timeouts import PATIENT

FOLDER = Path(__file__).resolve().parents[1] / "data" / "older_documents"
DRAFT = (FOLDER / "draft.md").read_text(encoding="utf-8")
CASE = SAMPLES["everything known"]
DOCUMENT = postmortem_rules.compile_document(CASE, NOW)
EXPORTER = Exporter()


def came_back(text: str) -> dict[str, ReturnedRegion]:
    return {one.id: one for one in drafts.compare(drafts.read(text), EXPORTER.compile_draft(DOCUMENT))}


def head_edited(text: str) -> bool:
    return drafts.is_head_edited(drafts.read(text), EXPORTER.compile_draft(DOCUMENT))


def without_digest(draft: str) -> str:
    return re.sub(r"\ndigest: .*", "", draft, count=1)


def test_an_older_draft_that_nobody_edited_changes_nothing() -> None:
    assert {one.outcome for one in came_back(DRAFT).values()} == {RegionOutcome.UNTOUCHED}
    assert list(came_back(DRAFT)) == [section.slug for section in SECTIONS]
    assert not head_edited(DRAFT)
    assert head_edited(DRAFT.replace("| Severity | sev2 |", "| Severity | sev1 |"))


@pytest.mark.parametrize(
    ("section", "old", "new"),
    [
        ("leadup", "Version 4.12 went out", "Version 4.13 went out"),
        ("response", "2 entries, 2026-11-23 13:52–14:41 UTC", "she came first"),
        ("detection", "- **Time to detect:** 7 min", "An alert said so."),
        ("timeline", "Deploy of checkout 4.12 finished", "Checkout 4.12 went out"),
        ("whys", "**4.** Nobody saw it fill — Ben Example", "**4.** No alarm said that it fills"),
        ("root_cause", "- **Why 4:** Nobody saw it fill — Ben Example", "- No alarm said that it fills"),
        ("actions", "- **#4** Move to another database", "- **#4** Move to a larger database"),
    ],
)
def test_an_edit_of_an_older_draft_is_taken_without_a_question(section: str, old: str, new: str) -> None:
    assert old in DRAFT
    found = came_back(DRAFT.replace(old, new))
    assert {id_ for id_, one in found.items() if one.outcome is not RegionOutcome.UNTOUCHED} == {section}
    edited = found[section]
    assert edited.outcome is RegionOutcome.EDITED
    text = edited_region(section, edited.text, edited.facts, edited.seen)
    after = postmortem_rules.compile_document(replace(CASE, edited_sections=(text,)), NOW)
    (edit,) = EXPORTER.compile_draft(after).edits
    assert not edit.is_contested
    assert new in EXPORTER.render(after, "markdown").decode()


def test_a_teams_copies_of_older_templates_write_what_they_wrote() -> None:
    team = Exporter(FOLDER / "templates", PATIENT)
    made = team.write(DOCUMENT, "markdown")
    assert made.trouble == ""
    assert without_digest(made.content.decode()) == without_digest(DRAFT)
    page = export_text.visible_text(export_text.page(team.write(DOCUMENT, "html").content))
    assert "Ana Example, incident lead: 4 entries" in page
    assert "At a glance" not in page
