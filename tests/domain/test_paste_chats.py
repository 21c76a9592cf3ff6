"""Chats and documents as they are copied: authors, lines that continue the entry above, and flags."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.pasting.paste import read_lines

NOW = datetime(2026, 3, 5, 13, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def describe(text: str) -> list[str]:
    """Each line as `time text` on the author's clock, or as `? problem`."""
    return [
        f"? {line.problem}"
        if line.problem or not line.reading.utc
        else f"{line.reading.utc.astimezone(BERLIN):%d %H:%M} {line.text}"
        for line in read_lines(text, NOW, BERLIN)
    ]


@pytest.mark.parametrize(
    "copied",
    [
        "Ana  2:05 PM\nfailed over\nto replica 2\nBo Demo  2:10 PM\nlooking",
        "Ana\n  2:05 PM\nfailed over\nto replica 2\n\nBo Demo\n  2:10 PM\nlooking",
        "Ana  14:05\nfailed over\nto replica 2\nBo Demo  14:10\nlooking",
        "Ana [2:05 PM]\nfailed over\nto replica 2\n\nBo Demo [2:10 PM]\nlooking",
        "Ana — Today at 2:05 PM\nfailed over\nto replica 2\nBo Demo — Today at 2:10 PM\nlooking",
        "Ana\t14:05\nfailed over\nto replica 2\nBo Demo\t14:10\nlooking",
        "Ana, [05.03.2026 14:05]\nfailed over\nto replica 2\nBo Demo, [05.03.2026 14:10]\nlooking",
        "Ana\u00a0\u00a02:05\u202fPM\nfailed over\nto replica 2\nBo Demo\u00a0\u00a02:10\u202fPM\nlooking",
    ],
)
def test_who_wrote_and_when_begins_an_entry(copied: str) -> None:
    assert describe(copied) == ["05 14:05 Ana: failed over\nto replica 2", "05 14:10 Bo Demo: looking"]


def test_a_time_without_its_half_is_the_next_one_below_a_time_with_it() -> None:
    copied = (
        "Wednesday, March 4th\nAna  2:05 PM\nsomething is off\nlots of 500s\n2:07\nrolling back\nbo  2:10 PM\nlooking"
    )
    assert describe(copied) == [
        "04 14:05 Ana: something is off\nlots of 500s",
        "04 14:07 Ana: rolling back",
        "04 14:10 bo: looking",
    ]
    by_hand = "2026-03-04\n11:50 AM joins\n1:05 redeployed\n2:05 PM done\n2:10 lonely"
    assert describe(by_hand) == [
        "04 11:50 joins",
        "04 13:05 redeployed",
        "04 14:05 done",
        "? It could be before or after noon. Add “am” or “pm”.",
    ]
    assert describe("2026-03-04\n5:05 declared\n5:10 AM checked\n8:37 opened")[2] == "04 08:37 opened"


def test_the_mark_of_an_app_is_no_author() -> None:
    copied = "New Relic\nAPP  2:05 PM\nIncident opened\nAna\n2:06 PM\nlooking\nNew Relicアプリ  14:07\nclosed"
    assert describe(copied) == [
        "05 14:05 New Relic: Incident opened",
        "05 14:06 Ana: looking",
        "05 14:07 New Relic: closed",
    ]


def test_what_may_be_the_next_authors_name_is_flagged() -> None:
    lines = describe("Ana\n14:05\nfailed over\nbo\n14:10\nlooking")
    assert lines[0] == "05 14:05 Ana: failed over"
    assert lines[1].startswith("? It could be the name of the next line's author")
    assert describe("14:05\nfailed over\nto replica 2\n14:10\nback") == [
        "05 14:05 failed over\nto replica 2",
        "05 14:10 back",
    ]


@pytest.mark.parametrize("line", ["Duration  1:30", "ETA - 16:00", "Total downtime  0:45", "Next update: 16:00"])
def test_what_only_looks_like_an_author_is_flagged(line: str) -> None:
    (first, flagged, *_) = describe(f"14:05 failed over\n{line}\n14:10 back")
    assert first == "05 14:05 failed over"
    assert flagged.startswith("?")


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("### 12:15", "05 12:15 the words\nof it\n\n- and a list"),
        ("**12:15**", "05 12:15 the words\nof it\n\n- and a list"),
        ("12:15", "05 12:15 the words\nof it\n\n- and a list"),
        ("### Update 05.03.2026 12:15 Uhr:", "05 12:15 Update\nthe words\nof it\n\n- and a list"),
        ("Update 05.03.2026 12:15 Uhr:", "05 12:15 Update\nthe words\nof it\n\n- and a list"),
        ("## March 5, 12:15 pm - second wave", "05 12:15 second wave\nthe words\nof it\n\n- and a list"),
        ("Date: Thu, Mar 5, 2026 at 12:15 PM", "05 12:15 the words\nof it\n\n- and a list"),
    ],
)
def test_a_heading_that_is_a_time_begins_an_entry_with_what_is_below(heading: str, expected: str) -> None:
    pasted = f"{heading}\n\nthe words\nof it\n\n- and a list\n\n## Lessons"
    assert describe(pasted) == [
        expected.replace("\n\n", "\n"),
        "? It's a heading without a day or a time, so it isn't recorded.",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "22:XX more reports",
        "- **23:XX** more reports",
        "| 14:?? | scaled |",
        "| 12:26-12:?? | fix deployed |",
        "--:-- surge",
        "HH:mm what happened",
        "14:1x x",
        "T+5m fires",
        "T-0 | begins",
        "+00:10 later",
        "TBD: something",
        "0:45 downtime",
    ],
)
def test_a_time_that_is_not_whole_is_flagged(line: str) -> None:
    first, flagged, last = describe(f"12:05 failed over\n{line}\n12:10 back")
    assert (first, last) == ("05 12:05 failed over", "05 12:10 back")
    assert flagged.startswith("? I can't read its time.")


def test_a_date_before_a_time_that_is_not_whole_counts_for_those_below() -> None:
    assert describe("- Mar 3 **22:XX** more reports of it\n- **23:10** fixed")[1] == "03 23:10 fixed"


@pytest.mark.parametrize(
    "line",
    [
        "## Impact",
        "**Impact**",
        "Resolved at 12:20.",
        "restart done 12:20",
        "Update 8:30 Uhr gestört",
        "- a sibling without a time",
        "\nRoot cause\n",
        "\nA paragraph that stands apart from the list and belongs to what comes after it.",
        "commit 9b3a733a99f0ae5de143c6616bfcd4c945151420",
    ],
)
def test_what_does_not_belong_to_the_entry_above_is_flagged(line: str) -> None:
    first, flagged, last = describe(f"- 12:05 failed over\n{line}\n- 12:10 back")
    assert (first, last) == ("05 12:05 failed over", "05 12:10 back")
    assert flagged.startswith("?")


@pytest.mark.parametrize(
    "line",
    ["  and to replica 2", "  - a point of it", "who had seen it first at 12:01 and told nobody", "to [replica 2](x)"],
)
def test_plain_prose_goes_on_with_the_entry_above(line: str) -> None:
    first, last = describe(f"- 12:05 failed over\n{line}\n- 12:10 back")
    assert first == f"05 12:05 failed over\n{line.strip()}"
    assert last == "05 12:10 back"


def test_a_line_that_goes_on_and_names_another_time_is_counted() -> None:
    first, _ = read_lines("- 12:05 failed over\n  as the pager had asked at 11:58\n- 12:10 back", NOW, BERLIN)
    assert first.also_names == (2,)


def test_a_line_with_its_time_elsewhere_keeps_it_as_an_offer() -> None:
    first, _ = read_lines("Resolved at 12:20.\n12:10 back", NOW, BERLIN)
    assert first.reading.offer == (datetime(2026, 3, 5, 11, 20, tzinfo=UTC),)


def test_rows_are_read_also_where_they_were_copied_with_tabs() -> None:
    for row in ("| Thu | Mar 5 | {} | {} |", "Thu\tMar 5\t{}\t{}", "Thu | Mar 5 | {} | {}"):
        pasted = "\n".join(row.format(time, word) for time, word in (("12:05", "down"), ("12:10", "up")))
        assert describe(pasted) == ["05 12:05 down", "05 12:10 up"]
    numbered = "| # | Time | What |\n|---|---|---|\n| 1 | 12:05 | down |\n| 2 | 12:10 | up |\n| | | again |"
    assert describe(numbered) == ["05 12:05 down", "05 12:10 up\n| | | again |"]


def test_code_below_an_entry_belongs_to_it() -> None:
    pasted = "### 12:05\nIt says:\n```\n# kubectl get pods\nheading: none\n```\n### 12:10\nback"
    assert describe(pasted) == ["05 12:05 It says:\n# kubectl get pods\nheading: none", "05 12:10 back"]


def test_times_that_go_back_by_half_a_day_below_a_date_may_be_of_the_day_after() -> None:
    pasted = "2026-03-03\n23:50 failing\n23:40 said late\n00:10 worse"
    assert [line.may_be_next_day for line in read_lines(pasted, NOW, BERLIN)] == [False, False, True]
    assert [line.may_be_next_day for line in read_lines(pasted, NOW, BERLIN, rolls=True)] == [False, False, False]
