"""Forms from other teams' timelines, tools and habits, in addition to the table of docs/times.md."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.times import Reading, read

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)  # a Monday


def berlin(text: str) -> Reading:
    return read(text, NOW, ZoneInfo("Europe/Berlin"))


def describe(found: Reading) -> str:
    moments = [found.utc, found.end_utc] if found.utc else list(found.question or ())
    marks = ("?" if found.question is not None else "") + ("~" if found.approximate else "")
    return marks + " ".join(f"{moment:%d %H:%M:%S}".removesuffix(":00") for moment in moments if moment)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon Nov 23 11:05:33 UTC 2026", "23 11:05:33"),
        ("Mon Nov 23 11:05:33 2026", "23 10:05:33"),
        ("2026-11-23 11:05:33,123", "23 10:05:33"),
        ("2026-11-22 11:05:33 +0000 UTC", "22 11:05:33"),
        ("2026-11-22 11:05 +0000", "22 11:05"),
        ("2026-11-22 1405", "22 13:05"),
        ("20261122T140533Z", "22 14:05:33"),
        ("2026-11-22 (Sun) 14:05", "22 13:05"),
        ("[2026-11-22] 14:05", "22 13:05"),
        ("2026-11-22 24:00", "22 23:00"),
        ("Nov 22, 2026 - 14:05 UTC", "22 14:05"),
        ("[Nov 22, 14:05 UTC]", "22 14:05"),
        ("Monday morning 9:00", "23 08:00"),
        ("yesterday evening 8:00", "22 19:00"),
        ("last night 11:30", "22 22:30"),
        ("last night at 2:00", "23 01:00"),
        ("the day before yesterday 14:05", "21 13:05"),
        ("3 days ago 14:05", "20 13:05"),
        ("2:05 PM on Friday", "20 13:05"),
        ("10:05, Nov 22:", "22 09:05"),
        ("11:05 on 22/11", "22 10:05"),
        ("11:05 (Sun)", "22 10:05"),
        ("10:05 Nov 22", "?22 09:05 23 09:05"),
        ("11:05 Friday deploy", "?20 10:05 23 10:05"),
        ("at 9.15", "23 08:15"),
        ("9.15am", "23 08:15"),
        ("11.05-11.20", "23 10:05 23 10:20"),
        ("11:05 Uhr", "23 10:05"),
        ("11:05h", "23 10:05"),
        ("-5h30", "23 07:00"),
        ("1h30 ago", "23 11:00"),
        ("1 hour and 30 minutes ago", "23 11:00"),
        ("about an hour ago", "~23 11:30"),
        ("\u22122h", "23 10:30"),
        ("~noon UTC", "~23 12:00"),
        ("ca. 11:05", "~23 10:05"),
        ("\u224811:05", "~23 10:05"),
        ("11:05 or so", "~23 10:05"),
        ("~9:05 - ~9:20", "~23 08:05 23 08:20"),
        ("09:05-20", "23 08:05 23 08:20"),
        ("09:30-10", "23 08:30 23 09:00"),
        ("9:05\u21929:20", "23 08:05 23 08:20"),
        ("2:05-2:20pm", "22 13:05 22 13:20"),
        ("10:30-1:15pm", "23 09:30 23 12:15"),
        ("11:50pm-12:10", "22 22:50 22 23:10"),
        ("2pm-3pm", "22 13:00 22 14:00"),
        ("Nov 21 23:50 - Nov 22 00:10", "21 22:50 21 23:10"),
        ("2026-11-23T09:05Z/2026-11-23T09:20Z", "23 09:05 23 09:20"),
        ("Between 11:05 UTC and 12:10 UTC on 23 November 2026,", "23 11:05 23 12:10"),
        ("2026-11-22 09:20 - 2026-11-21 09:05", "?22 08:20"),
        ("9:05-25:99", "?"),
        ("noon to 13:15", "23 11:00 23 12:15"),
        ("**11:05 UTC**:", "23 11:05"),
        ("[11:05] UTC -", "23 11:05"),
        ("1. 11:05", "23 10:05"),
        ("\u2022 `11:05`", "23 10:05"),
        ("1/2/20 00:30 UTC", "?02 00:30 01 00:30"),
    ],
)
def test_a_time_in_many_forms_is_read_as_it_is_meant(text: str, expected: str) -> None:
    found = berlin(f"{text} failed over")
    assert describe(found) == expected
    assert found.text.endswith("failed over")


def test_a_word_of_the_sentence_is_not_taken_for_the_date() -> None:
    for words in ("3 may fail", "sun is up", "sat down", "1/2 of shards", "10.0.0.1 down", "Nov backup failed"):
        assert (describe(berlin(f"11:05 {words}")), berlin(f"11:05 {words}").text) == ("23 10:05", words)


def test_a_dash_before_a_number_is_no_range() -> None:
    for words in ("2 pods died", "10 pods died", "5 of 9 down", "9.15 ms"):
        assert (describe(berlin(f"11:05 - {words}")), berlin(f"11:05 - {words}").text) == ("23 10:05", words)
