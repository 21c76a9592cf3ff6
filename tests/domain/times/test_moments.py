"""What a time means: the latest past moment, a full date as written, and what must be asked."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from bot.domain.times import Reading, format_moment, read

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)  # a Monday, 13:30 in Berlin


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def list_questions(found: Reading) -> list[str]:
    assert found.utc is None
    assert found.end_utc is None
    assert found.question is not None
    assert found.problem
    return [f"{moment:%Y-%m-%d %H:%M}" for moment in found.question]


def test_a_time_of_day_means_the_latest_past_moment() -> None:
    assert read("13:05 failed over", NOW, BERLIN).utc == utc("2026-11-23 12:05")
    assert read("15:05 failed over", NOW, BERLIN).utc == utc("2026-11-22 14:05")
    assert read("23:50 failed over", utc("2026-11-22 23:10"), BERLIN).utc == utc("2026-11-22 22:50")


def test_a_minute_ahead_of_now_is_a_difference_of_clocks_and_kept() -> None:
    assert read("13:31 failed over", NOW, BERLIN).utc == utc("2026-11-23 12:31")


@pytest.mark.parametrize(
    "text", ["13:32 x", "14:30 x", "2:05pm x", "12:45 UTC x", "15:05 next update", "by 16:00 we expect it"]
)
def test_a_time_up_to_an_hour_ahead_or_beside_a_word_of_the_future_is_asked(text: str) -> None:
    found = read(text, NOW, BERLIN)
    assert found.question is not None
    first, last = found.question
    assert last - first == timedelta(days=1)
    assert first < NOW < last
    assert "hasn't happened yet" in (found.problem or "")


def test_a_full_date_is_taken_as_written_however_old() -> None:
    assert read("2009-01-03 18:15 UTC genesis", NOW, BERLIN).utc == utc("2009-01-03 18:15")


def test_a_date_without_its_year_is_the_latest_past_one() -> None:
    assert read("Dec 24 10:00 x", NOW, BERLIN).utc == utc("2025-12-24 09:00")
    assert read("29 Feb 10:00 x", NOW, BERLIN).utc == utc("2024-02-29 09:00")


def test_a_date_a_day_ahead_is_asked_because_it_is_more_likely_a_slip_than_a_year_ago() -> None:
    assert list_questions(read("Nov 24 10:00 x", NOW, BERLIN)) == ["2025-11-24 09:00", "2026-11-23 09:00"]


@pytest.mark.parametrize(
    "text", ["today 14:05 x", "2026-11-23 14:05 x", "2026-11-24T14:05:00+01:00 x", "tomorrow 14:05 x"]
)
def test_a_time_in_the_future_is_asked_with_the_past_moment_that_is_likely_meant(text: str) -> None:
    found = read(text, NOW, BERLIN)
    assert [choice for choice in list_questions(found) if choice < f"{NOW:%Y-%m-%d %H:%M}"] == ["2026-11-22 13:05"]
    assert len(list_questions(found)) == 2
    assert "hasn't happened yet" in (found.problem or "")
    assert found.text == "x"


@pytest.mark.parametrize("text", ["25:99 x", "30 Feb 14:00 x", "13:30am x", "2026-13-45 14:00 x", "31/31 14:00 x"])
def test_a_time_that_cannot_be_is_asked_with_nothing_to_choose_from(text: str) -> None:
    found = read(text, NOW, BERLIN)
    assert list_questions(found) == []
    assert found.text == "x"


def test_a_time_that_the_clocks_skip_is_asked_with_its_two_neighbours() -> None:
    found = read("02:30 x", utc("2026-03-29 12:30"), BERLIN)
    assert list_questions(found) == ["2026-03-29 00:30", "2026-03-29 01:30"]
    assert found.problem == "02:30 does not exist that night in Berlin: the clocks go forward."


def test_a_time_that_comes_twice_is_asked_once_both_are_past() -> None:
    assert list_questions(read("02:30 x", utc("2026-10-25 12:30"), BERLIN)) == ["2026-10-25 00:30", "2026-10-25 01:30"]
    assert read("02:30 x", utc("2026-10-25 00:40"), BERLIN).utc == utc("2026-10-25 00:30")


def test_the_name_of_the_season_tells_the_two_apart() -> None:
    now = utc("2026-10-25 12:30")
    assert read("02:30 CEST x", now, BERLIN).utc == utc("2026-10-25 00:30")
    assert read("02:30 CET x", now, BERLIN).utc == utc("2026-10-25 01:30")


def test_day_and_month_that_can_change_places_are_asked() -> None:
    found = read("05/04 14:05 x", NOW, BERLIN)
    assert list_questions(found) == ["2026-04-05 12:05", "2026-05-04 12:05"]
    assert found.problem == "05/04 14:05 could be 5 April or 4 May."


def test_of_two_orders_the_one_still_to_come_is_no_honest_reading() -> None:
    assert read("12/11/2026 14:05 x", NOW, BERLIN).utc == utc("2026-11-12 13:05")
    assert read("12/11 14:05 UTC x", NOW, BERLIN).question == (utc("2025-12-11 14:05"), utc("2026-11-12 14:05"))


def test_a_weekday_that_is_not_that_date_is_asked() -> None:
    found = read("Tue 22 Nov 2026 10:05 x", NOW, BERLIN)
    assert list_questions(found) == ["2026-11-22 09:05"]
    assert found.problem == "22 November 2026 is a Sunday."


def test_yesterday_in_another_zone_is_asked_where_it_is_another_day() -> None:
    tokyo, morning = ZoneInfo("Asia/Tokyo"), utc("2026-11-23 23:00")
    assert list_questions(read("yesterday 10:00 UTC x", morning, tokyo)) == ["2026-11-22 10:00", "2026-11-23 10:00"]
    assert read("yesterday 23:50 UTC x", morning, tokyo).utc == utc("2026-11-22 23:50")


def test_a_range_rolls_over_midnight() -> None:
    found = read("23:50-00:10 x", NOW, BERLIN)
    assert (found.utc, found.end_utc) == (utc("2026-11-22 22:50"), utc("2026-11-22 23:10"))
    assert found.lasts == timedelta(minutes=20)


def test_a_range_that_ends_in_the_future_is_asked_and_keeps_its_length() -> None:
    found = read("13:10-13:45 x", NOW, BERLIN)
    assert list_questions(found) == ["2026-11-22 12:10", "2026-11-23 12:10"]
    assert found.lasts == timedelta(minutes=35)


def test_each_end_of_a_range_has_its_own_zone_where_it_has_one() -> None:
    found = read("9:05 UTC - 10:20 CET x", NOW, BERLIN)
    assert (found.utc, found.end_utc) == (utc("2026-11-23 09:05"), utc("2026-11-23 09:20"))


def test_a_far_time_behind_a_dash_is_no_range_but_asked() -> None:
    found = read("11:05 - 10:00 deploy rolled back", NOW, BERLIN)
    assert (list_questions(found), found.text) == (["2026-11-23 10:05"], "10:00 deploy rolled back")


def test_the_receipt_can_say_what_was_assumed() -> None:
    own = read("11:05:33 x", NOW, BERLIN)
    assert (own.zone, own.assumed_zone, own.precise, own.written) == ("Berlin", True, True, "11:05:33")
    named = read("~11:05 UTC x", NOW, BERLIN)
    assert (named.zone, named.assumed_zone, named.precise, named.approximate) == ("UTC", False, False, True)
    relative = read("-10m x", NOW, BERLIN)
    assert (relative.zone, relative.assumed_zone, relative.written) == (None, False, "-10m")


def test_an_author_may_have_a_fixed_offset() -> None:
    found = read("11:05 x", NOW, timezone(timedelta(hours=1)))
    assert (found.utc, found.zone) == (utc("2026-11-23 10:05"), "+01:00")


def test_what_happened_keeps_the_characters_that_the_time_may_be_written_with() -> None:
    found = read("１１：０５ \u2014 “fail\u2011over” took 5\u202fs", NOW, BERLIN)
    assert (found.utc, found.text) == (utc("2026-11-23 10:05"), "“fail\u2011over” took 5\u202fs")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("failed over | 11:05", "failed over"),
        ("a | b | 11:05 Berlin", "a | b"),
        ("| 11:05 | failed over |", "failed over"),
        ("ana [11:05] failed over", "ana failed over"),
        ("*11:05 down* again", "*down* again"),
        ("11:05 **down**", "**down**"),
        ("11:05 :fire: down", ":fire: down"),
        ("11:05 --force used", "--force used"),
        ("11:05 - ~300 users", "~300 users"),
        ("11:05\ntwo\nlines", "two\nlines"),
    ],
)
def test_only_the_time_and_its_separator_are_taken_out(text: str, rest: str) -> None:
    found = read(text, NOW, BERLIN)
    assert (found.utc, found.text) == (utc("2026-11-23 10:05"), rest)


def test_a_bar_with_more_than_a_time_behind_it_is_text() -> None:
    text = "failed over | 11:05 and again"
    found = read(text, NOW, BERLIN)
    assert (found.utc, found.question, found.text) == (None, None, text)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((utc("2026-11-23 14:05"), None, False, False), "14:05"),
        ((utc("2026-11-23 13:30"), utc("2026-11-23 13:45"), True, False), "~13:30\u201313:45"),
        ((utc("2026-11-23 16:05:57"), None, False, True), "16:05:57"),
    ],
)
def test_a_moment_is_shown_in_utc_without_its_date(
    arguments: tuple[datetime, datetime | None, bool, bool], words: str
) -> None:
    assert format_moment(*arguments) == words
    start, end, approximate, precise = arguments
    assert format_moment(start.astimezone(BERLIN), end, approximate, precise) == words
