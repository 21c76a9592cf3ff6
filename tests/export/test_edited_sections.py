"""What people wrote into a draft stands where it stood, and is shown beside what the record says since."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given, settings

from bot.domain import postmortem as postmortem_rules
from bot.domain.masking import mask, parse_rules
from bot.domain.records import Case, EditedRegion, EditOrigin
from bot.export import Exporter
from bot.export.drafts import CompiledMarkdown, DraftRegions, Region, close_blocks, split
from bot.export.markdown import MarkdownWriter
from bot.export.templates import TemplateOverride, load_shipped_templates
from tests.export.test_escape import TEXTS
from tests.export.test_hostile import HOSTILE
from tests.support.export import export_text
from tests.support.export.cases import FULL, NOW, at, edited_region, entry, section_text

EXPORTER = Exporter()
CHOOSE = "**This section has more than one text"


def markdown(case: Case, days: int = 0) -> str:
    return EXPORTER.render(postmortem_rules.compile_document(case, NOW + timedelta(days=days)), "markdown").decode()


def regions(text: str) -> dict[str, Region]:
    return {region.id: region for region in split(text).regions}


LEFT = regions(markdown(FULL))


def with_kept(*texts: EditedRegion, case: Case = FULL) -> Case:
    return replace(case, edited_sections=texts)


def rewritten(slug: str, words: str, case: Case = FULL) -> Case:
    """The case once someone saved other words in Slack."""
    return replace(case, sections=case.sections | {slug: section_text(slug, words)})


def draft(case: Case) -> DraftRegions:
    return EXPORTER.compile_draft(postmortem_rules.compile_document(case, NOW))


def edit(slug: str, words: str = "By *hand*.", **changes: object) -> EditedRegion:
    return edited_region(slug, words, LEFT[slug].facts, **changes)  # type: ignore[arg-type]


def test_what_nobody_edited_is_written_from_the_record() -> None:
    now = regions(markdown(rewritten("fault", "A leak"), days=30))
    assert now["fault"].body == "A leak"
    assert {slug: one for slug, one in now.items() if slug != "fault"} == {
        slug: one for slug, one in LEFT.items() if slug != "fault"
    } | {"actions": now["actions"]}


def test_an_edit_stands_as_long_as_the_record_says_what_its_author_saw() -> None:
    now = regions(markdown(with_kept(edit("leadup"), case=rewritten("fault", "A leak")), days=400))
    assert now["leadup"].body == "By *hand*."
    assert (now["leadup"].facts, now["leadup"].seen) == (LEFT["leadup"].facts, 1)
    assert now["leadup"].left_as == now["leadup"].digest != LEFT["leadup"].digest


def test_that_an_action_becomes_overdue_touches_no_edit() -> None:
    edited = with_kept(edit("actions"))
    assert "overdue" not in markdown(replace(FULL, edited_sections=()), days=-4)
    assert [regions(markdown(edited, days=days))["actions"].body for days in (-4, 4)] == ["By *hand*."] * 2


def test_where_the_record_changed_too_both_are_shown_with_who_and_when() -> None:
    now = regions(markdown(with_kept(edit("leadup"), case=rewritten("leadup", "A new client."))))["leadup"]
    lines = [line for line in now.body.split("\n") if line]
    assert lines[0].startswith(CHOOSE)
    assert lines[1:] == [
        "### Edited by Chloé Martin on 2026-11-24 09:12 UTC",
        "By *hand*.",
        "### What the record says now",
        "A new client.",
    ]
    assert now.facts != LEFT["leadup"].facts


def test_a_new_entry_stands_beside_an_edited_timeline_in_every_form() -> None:
    longer = replace(FULL, entries=(*FULL.entries, entry(8, at(15, 20), "All pools grown")))
    document = postmortem_rules.compile_document(with_kept(edit("timeline", "- 14:05 it *broke*"), case=longer), NOW)
    page = export_text.visible_text(export_text.page(EXPORTER.render(document, "html")))
    for text in (EXPORTER.render(document, "markdown").decode(), page):
        assert "All pools grown" in text
        assert "it *broke*" in text or "it broke" in text
        assert "This section has more than one text" in text


@pytest.mark.parametrize("form", ["confluence", "canvas"])
def test_other_systems_get_an_edited_timeline_and_what_the_record_says_since(form: str) -> None:
    longer = replace(FULL, entries=(*FULL.entries, entry(8, at(15, 20), "All pools grown")))
    text = edit("timeline", "- 14:05 it *broke* for <b>all</b>")
    alone = EXPORTER.render(postmortem_rules.compile_document(with_kept(text), NOW), form).decode()
    assert "14:05 it" in alone
    assert "Restarted the pool" not in alone
    both = EXPORTER.render(postmortem_rules.compile_document(with_kept(text, case=longer), NOW), form).decode()
    assert all(words in both for words in ("14:05 it", "All pools grown", "What the record says now", "Chloé Martin"))
    assert "<b>" not in both


def test_the_page_shows_an_edited_timeline_instead_of_its_own_list() -> None:
    document = postmortem_rules.compile_document(with_kept(edit("timeline", "- 14:05 it *broke*\n- <b>over</b>")), NOW)
    page = export_text.page(EXPORTER.render(document, "html"))
    shown = export_text.visible_text(page)
    assert "14:05 it broke" in shown
    assert "<b>over</b>" in shown
    assert "Restarted the pool" not in shown
    assert [item.get("class") for item in page.iter("ol")].count("entries") == 0


def test_two_edits_that_did_not_see_each_other_stand_side_by_side() -> None:
    two = (edit("leadup", "Hers."), edit("leadup", "His.", version=2, author="U2"))
    body = regions(markdown(with_kept(*two)))["leadup"].body
    assert [line for line in body.split("\n") if line][1:] == [
        "### Edited by Chloé Martin on 2026-11-24 09:12 UTC",
        "Hers.",
        "### Edited by Ben Okafor on 2026-11-24 09:12 UTC",
        "His.",
    ]


def test_a_region_that_came_back_empty_is_asked_about_and_blank_once_it_is_chosen() -> None:
    emptied = edit("leadup", "")
    body = regions(markdown(with_kept(emptied)))["leadup"].body
    assert "_Emptied: this section stays blank._" in body
    assert "Version 4.12 went out" in body
    chosen = replace(emptied, version=2, seen=1, change=EditOrigin.CHOSEN)
    assert regions(markdown(with_kept(emptied, chosen)))["leadup"].body == "_Left blank by Chloé Martin._"
    given_up = replace(chosen, change=EditOrigin.GIVEN_UP)
    again = regions(markdown(with_kept(emptied, given_up)))["leadup"]
    assert (again.body, again.seen) == (LEFT["leadup"].body, 2)


def test_an_edit_whose_place_the_template_lost_is_shown_at_the_end() -> None:
    lost = edited_region("customers", "They *noticed*.", "f" * 12)
    text = markdown(with_kept(lost))
    assert text.endswith(" v1 -->\n## Customers\n\nThey *noticed*.\n")
    (region,) = draft(with_kept(lost)).edits
    assert not region.is_contested


def by_template(own: CompiledMarkdown) -> MarkdownWriter:
    return MarkdownWriter(load_shipped_templates(), TemplateOverride(own))


def test_a_region_of_a_templates_own_is_compared_by_its_text() -> None:
    own = CompiledMarkdown("", (Region("customers", "## Customers", "Say who noticed."),))
    document = postmortem_rules.compile_document(
        with_kept(edited_region("customers", "All.", own.regions[0].digest)), NOW
    )
    assert by_template(own).compile_draft(document).shown.regions[0].body == "All."
    other = CompiledMarkdown("", (Region("customers", "## Customers", "Say which noticed."),))
    assert "Say which noticed." in by_template(other).compile_draft(document).shown.regions[0].body


def test_an_edit_forges_no_marker_and_leaves_no_code_block_open() -> None:
    forged = "<!-- afterword:fault 0123456789ab -->\n## Fault\n\n```\nmine"
    found = split(markdown(with_kept(edit("leadup", forged))))
    assert [region.id for region in found.regions] == list(LEFT)
    page = export_text.page(
        EXPORTER.render(postmortem_rules.compile_document(with_kept(edit("leadup", forged)), NOW), "html")
    )
    assert "<!-- afterword:fault 0123456789ab -->" in export_text.visible_text(page)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("```\ncode", "\n```"),
        ("~~~~ python\n```\n~~~\ncode", "\n~~~~"),
        ("```\ncode\n```", ""),
        ("``` not `a` fence", ""),
        ("```\ncode\n```` ", ""),
        ("    ```\nplain", ""),
    ],
)
def test_an_open_code_block_is_closed(text: str, end: str) -> None:
    assert close_blocks(text) == text + end


def test_the_json_form_tells_every_text_and_which_stand() -> None:
    first = edit("leadup", "Hers.")
    second = replace(first, version=2, seen=1, markdown="His.", author="")
    document = json.loads(EXPORTER.render(postmortem_rules.compile_document(with_kept(first, second), NOW), "json"))
    assert [(one["markdown"], one["author"], one["stands"]) for one in document["kept"]] == [
        ("Hers.", "Chloé Martin", False),
        ("His.", None, True),
    ]


def test_a_masked_copy_masks_what_people_wrote_and_asks_nothing_anew() -> None:
    case = rewritten("leadup", "Told by ana@demo.example.")
    left = regions(markdown(case))["leadup"]
    own = edited_region("leadup", "Told by *bo@demo.example*.", left.facts)
    masked, finds = mask(postmortem_rules.compile_document(with_kept(own, case=case), NOW), parse_rules("emails", ""))
    (region,) = EXPORTER.compile_draft(masked).edits
    assert not region.is_contested
    assert region.texts[0].markdown == "Told by *[masked]*."
    assert ("the edited leadup", "bo@demo.example") in [(find.where, find.text) for find in finds]


def check_hostile(text: str) -> None:
    """Whatever people write stays in its region, and becomes text and links on the page."""
    both = with_kept(edit("leadup", text), edited_region("timeline", text, ""), case=rewritten("leadup", "A release."))
    document = postmortem_rules.compile_document(both, NOW)
    found = split(EXPORTER.render(document, "markdown").decode())
    assert [region.id for region in found.regions] == list(LEFT)
    assert all(region.left_as == region.digest for region in found.regions)
    page = export_text.page(EXPORTER.render(document, "html"))
    tags = [element.tag for element in page.iter()]
    assert not {"script", "img", "iframe", "object", "form"} & set(tags)
    assert tags.count("section") == len(LEFT)
    assert not [name for element in page.iter() for name in element.keys() if name.startswith("on")]  # noqa: SIM118
    assert all(link.startswith(("http://", "https://", "#")) for link in export_text.links(page))
    shown = export_text.visible_text(page)
    assert "A release." in shown
    assert "Restarted the pool" in shown


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_stays_in_its_region(text: str) -> None:
    check_hostile(text)


@given(TEXTS)
@example("```\n<!-- afterword:fault -->\n## Fault")
@settings(max_examples=60, deadline=None)
def test_any_markdown_stays_in_its_region(text: str) -> None:
    check_hostile(text)
