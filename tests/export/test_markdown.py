import json

import pytest

from bot.domain import postmortem as postmortem_rules
from bot.domain.records import Case, Milestone
from bot.domain.sections import SECTIONS
from bot.export import Exporter
from tests.support.export import export_text
from tests.support.export.cases import FULL, NOTHING_KNOWN, NOW, at, case, entry, incident, render, section_text, why

EXPORTER = Exporter()
TITLES = [section.title for section in SECTIONS]


def front_matter(text: str) -> dict[str, str]:
    lines = text.split("\n---\n", 1)[0].removeprefix("---\n").split("\n")
    return dict(line.split(": ", 1) for line in lines)


def section(text: str, title: str) -> str:
    """The body of one section."""
    return text.split(f"\n## {title}\n", 1)[1].split("\n<!-- afterword:", 1)[0].strip()


def timeline(*lines: str, text: str) -> None:
    assert section(text, "Timeline").split("\n\n", 1)[1].split("\n") == list(lines)


@pytest.mark.parametrize("about", [FULL, NOTHING_KNOWN])
def test_the_sections_are_the_second_level_headings_in_order(about: Case) -> None:
    found = export_text.headings(render(about, "markdown"))
    assert [text for tag, text in found if tag == "h2"] == TITLES
    assert [text for tag, text in found if tag != "h2"] == [f"INC-7: {about.incident.title}"]


def test_every_section_that_is_blank_says_so() -> None:
    text = render(NOTHING_KNOWN, "markdown")
    assert [section(text, title) for title in TITLES] == ["_Not recorded_"] * 14


def test_a_section_with_facts_alone_is_not_called_blank() -> None:
    text = render(FULL, "markdown")
    assert section(text, "Detection").startswith("- **Detected:** 14:05 UTC — Ana Costa (#3)")
    assert section(text, "Root cause") == "- **Why 5:** The load test uses one customer"


def test_a_persons_words_stand_before_the_facts() -> None:
    about = case(entries=FULL.entries, sections=(section_text("detection", "An alert told us."),))
    assert section(render(about, "markdown"), "Detection").startswith("An alert told us.\n\n- **Detected:**")


def test_a_persons_root_cause_replaces_the_whys_marked_root() -> None:
    about = case(whys=FULL.whys, sections=(section_text("root_cause", "A pool."),))
    assert section(render(about, "markdown"), "Root cause") == "A pool."


def test_the_front_matter_holds_what_names_the_draft_and_nothing_that_the_table_says() -> None:
    fields = front_matter(render(FULL, "markdown"))
    assert list(fields) == ["incident", "generated_at", "revision", "digest"]
    assert fields["incident"] == "INC-7"
    assert fields["generated_at"] == "2026-11-29T12:00:00Z"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("checkout is down for EU", "Checkout is down for EU"),
        ("éclair is late", "Éclair is late"),
        ("iOS app crashes", "iOS app crashes"),
        ("api.example.com is slow", "api.example.com is slow"),
        ("ßtrange", "ßtrange"),
        ("503s", "503s"),
    ],
)
def test_a_title_begins_with_a_capital_and_the_record_keeps_what_was_typed(title: str, shown: str) -> None:
    about = case(about=incident(title=title))
    document = postmortem_rules.compile_document(about, NOW)
    assert export_text.headings(render(about, "markdown"))[0] == ("h1", f"INC-7: {shown}")
    assert f">{shown}</h1>" in EXPORTER.render(document, "html").decode()
    assert json.loads(EXPORTER.render(document, "json"))["incident"]["title"] == title


def test_a_line_of_one_day_shows_the_clock_time_alone() -> None:
    text = render(case(entries=(entry(4, at(14, 5)),)), "markdown")
    assert section(text, "Timeline").startswith("All times are UTC, on 2026-11-23.")
    timeline("- **14:05** failed over to replica — Ana Costa (#4)", text=text)


def test_lines_of_several_days_stand_under_their_days() -> None:
    text = render(
        case(entries=(entry(1, at(23, 50), ended_at=at(0, 10, day=24)), entry(2, at(0, 5, day=24)))), "markdown"
    )
    timeline(
        "**Monday 2026-11-23**",
        "",
        "- **23:50 – 2026-11-24 00:10** failed over to replica — Ana Costa (#1)",
        "",
        "**Tuesday 2026-11-24**",
        "",
        "- **00:05** failed over to replica — Ana Costa (#2)",
        text=text,
    )


def test_a_line_says_its_milestone_its_doubt_and_who_recorded_it() -> None:
    line = entry(3, at(14, 5), "Alert fired", approximate=True, milestone=Milestone.DETECTED, recorder="U2")
    timeline(
        "- **~14:05** *Detected* · Alert fired — Ana Costa, recorded by Ben Okafor (#3)",
        text=render(case(entries=(line,)), "markdown"),
    )


def test_a_text_of_several_lines_stays_in_its_item() -> None:
    text = render(case(entries=(entry(1, at(14, 5), "a\n- b\n\nc"), entry(2, at(14, 6), "d"))), "markdown")
    assert export_text.list_items(text)[-2:] == ["14:05 a\n- b\nc — Ana Costa (#1)", "14:06 d — Ana Costa (#2)"]


def test_whys_are_numbered_and_stand_under_what_they_explain() -> None:
    text = render(
        case(whys=(why(1, None, "a"), why(2, 1, "b"), why(3, 1, "c", root=True), why(4, None, "d"))), "markdown"
    )
    assert section(text, "Five whys").split("\n") == [
        "- **1.** a",
        "  - **2.** b",
        "  - **3.** c · **Root cause**",
        "",
        "Another chain:",
        "",
        "- **4.** d",
    ]


def test_branches_of_branches_stay_lists_however_deep() -> None:
    whys = [why(1, None)]
    for number in range(2, 60, 2):
        whys += [why(number, number - 1), why(number + 1, number - 1)]
    items = export_text.list_items(render(case(whys=tuple(whys)), "markdown"))
    assert len([item for item in items if "the pool was full" in item]) == len(whys)
