"""Lines of a paste that name a day or a zone for those below them, and lines that only seem to."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.pasting.paste import PastedLine, read_lines, read_sheet

NOW = datetime(2026, 3, 5, 13, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def describe(lines: tuple[PastedLine, ...]) -> list[str]:
    """Each line as `time text`, or as `? problem`."""
    return [f"? {line.problem}" if line.problem else f"{line.reading.utc:%Y-%m-%d %H:%M} {line.text}" for line in lines]


def below(heading: str, *, language: str = "en", line: str = "10:05 db down") -> str:
    """What a line is read as below a heading, below a line of another day."""
    return describe(read_lines(f"2026-03-02\n08:00 first\n{heading}\n{line}", NOW, BERLIN, language=language))[-1]


IN_UTC = [
    "2026-03-04 (UTC)",
    "March 4, 2026 (all times UTC)",
    "2026-03-04, all times UTC",
    "04 March 2026 UTC",
    "#### 04 March 2026 (All times UTC)",
    "| 2026-03-04 (UTC) | | |",
]
IN_BERLIN = [
    "### 2026-03-04 Wednesday",
    "2026-03-04 (Wednesday)",
    "Date: 2026-03-04",
    "**Date**: 2026-03-04",
    "Timeline (2026-03-04)",
    "## Timeline of Wednesday, 4 March",
    "Outage on 2026-03-04",
    "Day 1 - March 4",
    "Day 3 (2026-03-04)",
    "March 4 - outage",
    "### 2026-03-04: the day of the outage",
    "| 2026-03-04 | | |",
    "2026-03-04\t\t",
    "20260304",
    "4. März 2026",
    "Mittwoch, 04.03.2026",
    "4 mars 2026",
    "mercredi 4 mars 2026",
    "4 de marzo de 2026",
    "4 de março de 2026",
    "4 maart 2026",
    "4 marzo 2026",
    "2026年3月4日",
    "2026年3月4日(水)",
    "Mar 4",
    "4 Mar:",
    "- 2026-03-04",
    "Wednesday",
    "yesterday",
    "--- Wednesday, March 4th ---",
    "== 2026-03-04 ==",
    "h3. 2026-03-04",
    "2026-03-04\n----------",
    "2026-03-04 outage",
    "op 4 maart 2026",
    "📅 2026-03-04",
    "Tag 2 (04.03.2026)",
    "04MAR2026",
]


@pytest.mark.parametrize("heading", IN_BERLIN)
def test_a_heading_with_a_date_sets_the_day_of_the_times_below(heading: str) -> None:
    assert below(heading) == "2026-03-04 09:05 db down"
    assert describe(read_lines(f"{heading}\n10:05 db down", NOW, BERLIN))[-1] == "2026-03-04 09:05 db down"


@pytest.mark.parametrize("heading", IN_UTC)
def test_a_heading_with_a_zone_sets_that_too(heading: str) -> None:
    assert below(heading) == "2026-03-04 10:05 db down"


@pytest.mark.parametrize(
    ("heading", "language"),
    [("4. März", "de-DE"), ("4 mars", "fr-FR"), ("Mi, 4.3.", "de"), ("gestern", "de"), ("4 de março", "pt-BR")],
)
def test_words_of_the_authors_language_are_known_without_a_year(heading: str, language: str) -> None:
    assert below(heading, language=language) == "2026-03-04 09:05 db down"


@pytest.mark.parametrize("heading", ["3/4/26", "03/04/2026", "04-03-2026", "**03/04/2026**", "Date: 4/3/2026"])
def test_what_is_below_a_date_with_two_readings_is_asked(heading: str) -> None:
    lines = read_lines(
        f"2026-03-02\n08:00 first\n{heading}\n10:05 db down\n2026-03-03 11:00 dated\n12:00 of that day", NOW, BERLIN
    )
    assert "could be" in lines[1].problem
    assert "Write it as 2026-0" in lines[1].problem
    assert lines[2].problem == "It isn't clear which day line 3 belongs to."
    assert datetime(2026, 3, 4, 9, 5, tzinfo=UTC) in (lines[2].reading.question or ())
    assert describe(lines[3:]) == ["2026-03-03 10:00 dated", "2026-03-03 11:00 of that day"]


def test_other_dates_of_the_text_tell_whether_the_day_or_the_month_comes_first() -> None:
    pasted = "#### {}\n- 15:46 switched\n#### 03-10-2021\n- 19:16 down"
    assert describe(read_lines(pasted.format("29-09-2021"), NOW, BERLIN))[-1] == "2021-10-03 17:16 down"
    assert describe(read_lines(pasted.format("09-29-2021"), NOW, BERLIN))[-1] == "2021-03-10 18:16 down"
    assert describe(read_lines(pasted.format("29/09/2021"), NOW, BERLIN))[-1].startswith(
        "? It isn't clear which day line 3"
    )


@pytest.mark.parametrize(
    "heading",
    [
        "4-6 March 2026",
        "### March 4-6",
        "2026-03-04 – 2026-03-06",
        "## 3/2/26-3/4/26",
        "March 2026",
        "Day 2",
        "Sunday, 2026-03-04",
        "2026-03-04 Sunday",
        "4 марта 2026",
        "30 February 2026",
        "XX/03/2026",
        "2026-03-??",
        "Nothing happened on March 4",
        "2026-03-04 we looked at the backup",
        "Week of March 2",
        "Between 2026-03-03 and 2026-03-04",
        "Weekend",
        "Heute",
        "昨日",
        "Q1 2026",
    ],
)
def test_what_seems_to_name_a_day_is_flagged_and_so_are_the_times_below(heading: str) -> None:
    first, flagged, second = read_lines(f"2026-03-02\n08:00 first\n{heading}\n10:05 db down", NOW, BERLIN)
    assert first.text == "first"
    assert flagged.problem
    assert second.problem == "It isn't clear which day line 3 belongs to."


@pytest.mark.parametrize(
    "line", ["the backup of 2026-03-01 was used for it, as the newest was broken", "(see 2026-03-01)"]
)
def test_a_date_in_the_middle_of_prose_changes_nothing(line: str) -> None:
    pasted = f"2026-03-02\n08:00 first\n{line}\n10:05 db down"
    assert describe(read_lines(pasted, NOW, BERLIN)) == [f"2026-03-02 07:00 first\n{line}", "2026-03-02 09:05 db down"]


def test_a_line_that_says_when_the_paper_was_written_sets_no_day() -> None:
    pasted = "2026-03-02\n08:00 first\nLast updated: 2026-03-04\n10:05 db down"
    assert describe(read_lines(pasted, NOW, BERLIN)) == [
        "2026-03-02 07:00 first",
        "? It has a date but no time. Add the time after the date.",
        "2026-03-02 09:05 db down",
    ]


def test_a_day_that_is_only_mentioned_before_the_first_time_is_asked_about() -> None:
    pasted = "On {} the site was affected by an outage of our provider for some hours.\n\n*06:00*: detected"
    line = describe(read_lines(pasted.format("Wednesday, 2026-03-04"), NOW, BERLIN))[-1]
    assert line == "? No line says of which day it is, and 2026-03-04 is named above. Write the day above."
    assert describe(read_lines(pasted.format("2026-03-05"), NOW, BERLIN))[-1] == "2026-03-05 05:00 detected"


def test_a_heading_without_its_year_is_the_latest_past_day_or_the_one_next_to_the_day_above() -> None:
    assert describe(read_lines("Dec 30\n10:05 x", NOW, BERLIN)) == ["2025-12-30 09:05 x"]
    assert describe(read_lines("2018-12-30\n10:05 x\nJan 2\n10:05 y", NOW, BERLIN))[-1] == "2019-01-02 09:05 y"
    assert describe(read_lines("Mar 6\n10:05 x", NOW, BERLIN))[0].startswith(
        "? Mar 6 could be 6 March 2025 or 6 March 2026."
    )


def test_a_weekday_is_the_one_next_to_the_day_above() -> None:
    pasted = "2026-01-05\n10:05 x\n### Tuesday\n10:05 y\n### Thursday\n10:05 z"
    assert [line[:10] for line in describe(read_lines(pasted, NOW, BERLIN))] == [
        "2026-01-05",
        "2026-01-06",
        "2026-01-08",
    ]
    assert describe(read_lines("2026-01-05\n10:05 x\n### Friday\n10:05 y", NOW, BERLIN))[1].startswith(
        "? Friday could be"
    )


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("All times are in UTC.", "10:05"),
        ("_All times in EET_", "08:05"),
        ("N118 All times in UTC+1", "09:05"),
        ("All events are documented in [UTC](https://example.com/Coordinated_Universal_Time) time.", "10:05"),
        ("Timestamps are given in UTC unless stated.", "10:05"),
        ("## Timeline (UTC)", "10:05"),
        ("## Timeline (times PT)", "18:05"),
        ("Timezone: America/New_York", "15:05"),
        ("| Time (UTC) | Event |", "10:05"),
        ("Time (UTC)\tEvent", "10:05"),
        ("Alle Zeiten in MEZ", "09:05"),
        ("Alle Zeitangaben sind in UTC angegeben.", "10:05"),
        ("Toutes les heures sont en UTC.", "10:05"),
        ("Todas las horas son en UTC", "10:05"),
        ("Tutti gli orari sono in UTC", "10:05"),
        ("Alle tijden zijn in UTC", "10:05"),
        ("時刻はすべてJSTです", "01:05"),
        ("all times are in\nUTC.", "10:05"),
    ],
)
def test_a_note_sets_the_zone_of_times_without_one(note: str, expected: str) -> None:
    lines = read_lines(f"2026-03-04\n{note}\n10:05 db down\n10:05 CET also", NOW, BERLIN)
    assert describe(lines)[-2:] == [f"2026-03-04 {expected} db down", "2026-03-04 09:05 also"]


def test_a_note_on_all_times_counts_also_where_it_stands_at_the_end() -> None:
    assert describe(read_lines("2026-03-04\n10:05 db down\n\nAll times are in UTC.", NOW, BERLIN)) == [
        "2026-03-04 10:05 db down"
    ]


@pytest.mark.parametrize(
    "prose",
    [
        "the response times in Denver were slow",
        "the timestamps in UTC were off by an hour there",
        "moved to the UTC zone",
    ],
)
def test_prose_about_times_sets_no_zone(prose: str) -> None:
    assert describe(read_lines(f"2026-03-04\n09:00 first\n{prose}\n10:05 x", NOW, BERLIN))[-1] == "2026-03-04 09:05 x"


def test_a_zone_that_is_unknown_or_can_be_two_is_asked() -> None:
    for note in ("All times in XYZ", "All times in server time"):
        lines = describe(read_lines(f"{note}\n2026-03-04\n10:05 x\n10:06 UTC y", NOW, BERLIN))
        assert "a time zone that I know" in lines[1]
        assert lines[-1] == "2026-03-04 10:06 y"
    two = read_lines("2026-03-04 (all times IST)\n10:05 x", NOW, BERLIN)[0]
    assert len(two.reading.question or ()) == 4
    summer = read_lines("2025-07-04 (all times PST)\n10:05 x", NOW, BERLIN)[0]
    assert "could be one of two" in summer.problem
    own = read_lines("2025-07-04 (all times PST)\n10:05 x", NOW, ZoneInfo("America/Los_Angeles"))[0]
    assert own.reading.utc == datetime(2025, 7, 4, 17, 5, tzinfo=UTC)


def test_a_note_on_the_day_of_all_others_outlasts_a_dated_line() -> None:
    pasted = "Unless noted all events happened on 2026-03-03.\n2026-03-02 23:55 early\n01:38 fired"
    assert describe(read_lines(pasted, NOW, BERLIN)) == ["2026-03-02 22:55 early", "2026-03-03 00:38 fired"]


def test_what_was_heeded_is_told() -> None:
    heeded = read_sheet("## Timeline (UTC)\n2026-03-04\n10:05 x\n### 2026-03-05 Thursday\n10:05 y", NOW, BERLIN).heeded
    assert [(one.number, one.day, str(one.zone or "")) for one in heeded] == [
        (1, None, "UTC"),
        (2, date(2026, 3, 4), ""),
        (4, date(2026, 3, 5), ""),
    ]


@pytest.mark.parametrize(
    "marker", ["00:10 (+1 day)", "00:10 (next day)", "+1 day 00:10", "next day 00:10", "00:10 (+1)", "D+1 00:10"]
)
def test_the_next_day_is_understood_beside_a_time(marker: str) -> None:
    lines = read_lines(f"2026-03-02\n23:50 first\n{marker} worse\n00:20 more", NOW, BERLIN)
    assert describe(lines[1:]) == ["2026-03-02 23:10 worse", "2026-03-02 23:20 more"]


def test_the_next_day_counts_from_the_day_of_the_heading() -> None:
    pasted = "2026-03-02\n23:50 a\n00:10 (+1 day) b\n00:20 (+1 day) c\n09:00 (+2 days) d"
    assert [line[:16] for line in describe(read_lines(pasted, NOW, BERLIN))] == [
        "2026-03-02 22:50",
        "2026-03-02 23:10",
        "2026-03-02 23:20",
        "2026-03-04 08:00",
    ]
    for heading in ("Next day", "The next morning:", "## +1 day", "Day +1", "翌日"):
        assert describe(read_lines(f"2026-03-02\n23:50 a\n{heading}\n08:00 b", NOW, BERLIN))[-1] == "2026-03-03 07:00 b"
    assert describe(read_lines("2026-03-02\n23:50 a\n2 days later\n08:00 b", NOW, BERLIN))[-1] == "2026-03-04 07:00 b"


def test_a_next_day_after_no_day_is_asked() -> None:
    assert describe(read_lines("00:10 (+1 day) b", NOW, BERLIN))[0].startswith("? It says “next day”")
    assert describe(read_lines("Next day\n00:10 b", NOW, BERLIN))[1] == "? It isn't clear which day line 1 belongs to."
    assert describe(read_lines("23:50 a\n00:10 (+1 day) b", NOW, BERLIN)) == [
        "2026-03-04 22:50 a",
        "2026-03-04 23:10 b",
    ]


@pytest.mark.parametrize("above", ["yesterday 10:00 x", "2026-03-05", "2026-03-04 10:00 x"])
def test_figures_that_can_be_two_days_are_asked_below_a_date_too(above: str) -> None:
    assert read_lines(f"{above}\n3/4 12:00 odd", NOW, BERLIN)[-1].problem == "3/4 12:00 could be 3 April or 4 March."
