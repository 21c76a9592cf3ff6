"""The head of a document: the incident at a glance, made of the record alone, and each fact once."""

import re
from dataclasses import replace

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import ActionStatus, Case, EntryKind, Milestone
from bot.export import Exporter
from bot.export.glance import Glance, compile_glance
from tests.support.export import export_text, storage_format
from tests.support.export.cases import (
    FULL,
    NOTHING_KNOWN,
    NOW,
    action,
    at,
    case,
    edited_region,
    entry,
    incident,
    render,
    section_text,
    why,
)

EXPORTER = Exporter()


def glance(about: Case) -> Glance:
    return compile_glance(postmortem_rules.compile_document(about, NOW))


def head(about: Case) -> str:
    return render(about, "markdown").partition("<!-- afterword:summary")[0]


def section(about: Case, title: str) -> str:
    return render(about, "markdown").split(f"\n## {title}\n", 1)[1].split("\n<!-- afterword:", 1)[0].strip()


def test_the_head_says_what_why_and_what_is_left_before_the_first_section() -> None:
    lines = [line for line in head(FULL).split("\n") if line.startswith("- ")]
    assert lines == [
        "- **What happened:** Checkout failed for 43 minutes. The EU could not pay.",
        "- **Impact:** It lasted 43 min. Who was affected isn't recorded.",
        "- **Cause:** The load test uses one customer",
        "- **Fix:** Failed over to the replica (#6)",
        "- **Open actions:** 2, 1 overdue: Pool connections per process; Load test with many customers",
    ]


def test_what_is_not_recorded_is_said_and_nothing_is_made_up() -> None:
    found = glance(NOTHING_KNOWN)
    assert (found.impact, found.lasted, found.causes, found.fix, found.actions) == ("", None, (), "", ())
    assert head(NOTHING_KNOWN).count("_Not recorded_") == 4 + 9


@pytest.mark.parametrize("name", ["markdown", "html", "confluence", "canvas"])
def test_every_format_that_people_read_begins_with_it(name: str) -> None:
    text = render(FULL, name)
    assert text.index("At a glance") < text.index("Open actions:") < text.rindex("Incident summary")


def test_the_beginning_of_what_people_wrote_stands_for_the_whole() -> None:
    texts = (section_text("impact", "EU only.\nTwo shops.\n\nMore."), section_text("root_cause", "A `pool`."))
    about = case(sections=(*texts, section_text("recovery", "```\nrestart\n```\n\nand wait")), whys=FULL.whys)
    found = glance(about)
    assert (found.impact, found.causes, found.fix) == ("EU only. Two shops.", ("A `pool`.",), "`restart`")


def test_a_long_text_is_shortened() -> None:
    found = glance(case(sections=(section_text("summary", "long " * 200),)))
    assert found.what is not None
    assert len(found.what) <= 300
    assert found.what.endswith("…")


def test_an_edited_section_gives_its_own_words_and_one_with_two_texts_none() -> None:
    about = replace(FULL, edited_sections=(edited_region("impact", "### Who\n\n*All* of the\nEU.\n\nMore.", ""),))
    assert glance(about).impact == "All of the EU."
    twice = replace(
        FULL,
        edited_sections=(edited_region("impact", "One.", ""), replace(edited_region("impact", "Two.", ""), version=2)),
    )
    assert glance(twice).impact is None
    assert "**Impact:**" not in head(twice)


@pytest.mark.parametrize("region", ["timeline", "whys", "actions"])
def test_what_people_took_out_of_a_section_is_not_told_at_a_glance(region: str) -> None:
    found = glance(replace(FULL, edited_sections=(edited_region(region, "By hand.", ""),)))
    assert {"timeline": found.fix, "whys": found.causes, "actions": found.actions}[region] in ("", (), None)


def test_a_milestone_without_words_is_no_fix() -> None:
    about = case(
        entries=(
            entry(1, at(14, 1), "Mitigated", milestone=Milestone.MITIGATED),
            entry(2, at(14, 2), "Rolled back", milestone=Milestone.RESOLVED),
        )
    )
    assert (glance(about).fix, glance(about).fixed_by) == ("Rolled back", 2)


def test_closed_actions_are_counted_and_open_ones_come_by_their_date() -> None:
    closed = (action(1, status=ActionStatus.DONE), action(2, status=ActionStatus.DROPPED, reason="too large"))
    assert "- **Open actions:** none of 2\n" in head(case(actions=closed))
    many = tuple(action(number, text=f"do {number}") for number in range(1, 6))
    later = replace(many[0], due_on=None)
    assert "5, 5 overdue: do 2; do 3; do 4; and 2 more" in head(case(actions=(later, *many[1:])))


def test_a_day_and_the_zone_are_said_once_in_the_head_and_each_length_of_time_once_in_the_document() -> None:
    markdown = render(FULL, "markdown")
    assert head(FULL).replace("generated_at: 2026-11-29", "").count("2026-11-23") == 1
    assert head(FULL).count("UTC") == 1
    for length in ("after 7 min", "4 min after it was detected", "after 43 min", "1 h 12 min"):
        assert markdown.count(length) == 1
    assert "| When | 2026-11-23 to 2026-11-24, times in UTC |" in head(
        case(entries=(entry(1, at(0, 5, day=24), milestone=Milestone.MITIGATED),))
    )


def test_the_response_says_who_did_what_and_counts_nobodys_entries() -> None:
    about = case(entries=(*FULL.entries, entry(8, at(15, 11), "Thanks", author="U3", recorder="U9")))
    text = section(about, "Response")
    assert re.findall(r"\*\*(.*?):\*\* (\w+)", text)[1:] == [
        ("Incident lead", "Ana"), ("Responder", "Chloé"), ("Scribe", "Ben"), ("Scribe", "U9"),
    ]  # fmt: skip
    assert "active 13:58–15:10 UTC" in text
    assert "entries" not in text


def test_nobody_is_named_behind_a_why_its_evidence_or_a_root_cause() -> None:
    about = case(entries=(entry(1, at(14, 5), "pool at 100 %"),), whys=(why(1, None, "full (#1)", root=True),))
    for name in ("markdown", "canvas", "html", "confluence"):
        text = render(about, name)
        whys = text[text.rindex("Five whys") : text.rindex("Backlog check")]
        assert "Ben Okafor" not in whys
        assert "Ana Costa" not in whys


def test_root_causes_are_listed_by_number() -> None:
    whys = (why(1, None, "a"), why(2, 1, "b", root=True), why(3, 1, "c"), why(4, 3, "d", root=True))
    later = (why(1, None, "a"), why(2, 1, "b"), why(3, 1, "c", root=True), why(4, 2, "d", root=True))
    assert section(case(whys=whys), "Root cause") == "- **Why 2:** b\n- **Why 4:** d"
    assert section(case(whys=later), "Root cause") == "- **Why 3:** c\n- **Why 4:** d"


def test_a_cause_is_a_sentence_of_its_own_at_a_glance() -> None:
    whys = (why(1, None, "because of a full pool, see #2", root=True), why(2, None, "because `cron` failed", root=True))
    assert glance(case(whys=whys)).causes == ("A full pool", "`cron` failed")


def test_an_action_names_its_cause_and_the_page_links_to_it() -> None:
    about = case(whys=(replace(why(1, None, "a", root=True), actions=(1,)),), actions=(action(1), action(2)))
    assert "| – | Why 1 | – |" in section(about, "Corrective actions").replace("| prevent |", "| – |")
    page = export_text.page(render(about, "html").encode())
    assert "#why-1" in list(export_text.links(page))
    assert [item.get("id") for item in page.iter("li") if str(item.get("id")).startswith("why-")] == ["why-1"]
    rows = [storage_format.visible(row) for row in storage_format.page(render(about, "confluence")).iter("tr")]
    assert [("Why 1" in row) for row in rows if row.startswith("#")] == [True, False]


def test_bookkeeping_is_lighter_and_a_milestone_is_not_bookkeeping() -> None:
    about = case(
        about=incident(),
        entries=(
            entry(1, at(14, 0), "Severity set to sev2", kind=EntryKind.SEVERITY),
            entry(2, at(14, 1), "Renamed from a to b"),
            entry(3, at(14, 2), "Mitigated", kind=EntryKind.STATUS, milestone=Milestone.MITIGATED),
            entry(4, at(14, 3), "Failed over"),
        ),
    )
    lines = section(about, "Timeline").split("\n")[2:]
    assert [line.partition(" — ")[0] for line in lines] == [
        "- 14:00 Severity set to sev2",
        "- 14:01 Renamed from a to b",
        "- **14:02** *Mitigated*",
        "- **14:03** Failed over",
    ]
    page = export_text.page(render(about, "html").encode())
    assert [one.get("class") for one in page.iter("li") if one.get("id")] == ["minor", "minor", "milestone", None]
    assert len(re.findall("<td><em>(?:Severity|Renamed)", render(about, "confluence"))) == 2


def test_a_blank_section_is_one_line_on_the_page() -> None:
    page = export_text.page(render(NOTHING_KNOWN, "html").encode())
    blank = [one for one in page.iter("section") if one.get("class") == "blank"]
    assert len(blank) == 14
    assert {"".join(one.itertext()).split("\n")[2] for one in blank} == {"Not recorded"}
