"""The families of times that were once read wrong: each with its one reading, or asked."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.times import Reading, read

NOW = datetime(2026, 3, 5, 13, 30, tzinfo=UTC)  # a Thursday, 14:30 in Berlin


def berlin(text: str, now: datetime = NOW) -> Reading:
    return read(text, now, ZoneInfo("Europe/Berlin"))


def describe(found: Reading) -> str:
    moments = [found.utc, found.end_utc] if found.utc else list(found.question or ())
    mark = "?" if found.question is not None else ""
    return mark + " ".join(f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00") for moment in moments if moment)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tue Mar 5 14:05:33 2024 -0800", "2024-03-05 22:05:33"),
        ("Thu Mar 5 12:05:33 2026 UTC", "2026-03-05 12:05:33"),
        ("Thu Mar 5 12:05:33 UTC 2026", "2026-03-05 12:05:33"),
        ("Sun Sep 21 04:00:30 PM CET 2025", "?2025-09-21 14:00:30 2025-09-21 15:00:30"),
        ("[Sun Dec 04 17:05:48 2005]", "2005-12-04 16:05:48"),
        ("2:05 in the afternoon", "2026-03-05 13:05"),
        ("2:05 this afternoon", "2026-03-05 13:05"),
        ("9:45 yesterday evening", "2026-03-04 20:45"),
        ("9:45 on Tuesday evening", "2026-03-03 20:45"),
        ("11:30 at night", "2026-03-04 22:30"),
        ("11:30 last night", "2026-03-04 22:30"),
        ("2:30 last night", "2026-03-05 01:30"),
        ("12:00 midnight", "2026-03-04 23:00"),
        ("12 midnight", "2026-03-04 23:00"),
        ("12:00 noon", "2026-03-05 11:00"),
        ("12noon", "2026-03-05 11:00"),
        ("Jan 1, 12:00 noon", "2026-01-01 11:00"),
        ("2:05 p. m.", "2026-03-05 13:05"),
        ("22:15 two days ago", "2026-03-03 21:15"),
        ("1 week ago 14:05", "2026-02-26 13:05"),
        ("22:15 02.03.", "2026-03-02 21:15"),
        ("14:05 - Friday 3 Sep 2021", "2021-09-03 12:05"),
        ("14:05 UTC - 3 Sep 2021", "2021-09-03 14:05"),
        ("14:05 / 2021-09-03", "2021-09-03 12:05"),
        ("2:05 PM \u00b7 Sep 3, 2021", "2021-09-03 12:05"),
        ("11:05 UTC/12:05 CET", "2026-03-05 11:05"),
        ("06:34 EDT (10:34 UTC)", "2026-03-05 10:34"),
        ("13:05 (12:05 UTC)", "2026-03-05 12:05"),
        ("26/03/05 13:10:56", "?2005-03-26 12:10:56 2026-03-05 12:10:56"),
        ("between around 22:40 on 07/07/2020 and 19:10 on 08/07/2020 (UTC)", "2020-07-07 22:40 2020-07-08 19:10"),
        ("May 17,2019 8:21", "2019-05-17 06:21"),
        ("May 17,2019 at 8:21:00AM", "2019-05-17 06:21"),
        ("Nov 29 , 2025 14:05", "2025-11-29 13:05"),
        ("13NOV2017 10:05", "2017-11-13 09:05"),
        ("10 min. ago", "2026-03-05 13:20"),
        ("2 hrs. ago", "2026-03-05 11:30"),
        ("1600h UTC", "2026-03-04 16:00"),
        ("2023-02-17.16:21:17", "2023-02-17 15:21:17"),
        ("[10.30 20:45:21]", "2025-10-30 19:45:21"),
        ("epoch 1772712333", "2026-03-05 12:05:33"),
        ("1772712333123 ms", "2026-03-05 12:05:33"),
        ("<!date^1392734382^{date_short}|Feb 18, 2014>", "2014-02-18 14:39:42"),
    ],
)
def test_a_time_of_each_family_has_the_reading_that_people_mean(text: str, expected: str) -> None:
    found = berlin(f"{text} failed over")
    assert describe(found) == expected
    assert found.text.endswith("failed over")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("13:05 MEZ", "2026-03-05 12:05"),
        ("13:05 MESZ", "?2026-03-05 11:05 2026-03-05 12:05"),
        ("13:05 ART", "2026-03-04 16:05"),
        ("13:05 Zulu", "2026-03-05 13:05"),
        ("13:05 AKST", "2026-03-04 22:05"),
        ("13:05 AkST", "2026-03-04 22:05"),
        ("9:33 am Eastern", "2026-03-04 14:33"),
        ("13:05 UK time", "2026-03-05 13:05"),
        ("13:05 India time", "2026-03-05 07:35"),
        ("13:05 Alaska time", "2026-03-04 22:05"),
        ("13:05 SF time", "2026-03-04 21:05"),
        ("13:05 Brasilia time", "2026-03-04 16:05"),
        ("13:05 hora de Santiago", "2026-03-04 16:05"),
        ("13:05 Foo time", "?2026-03-05 12:05"),
        ("13:05 US time", "?2026-03-05 12:05"),
        ("13:05 server time", "?2026-03-05 12:05"),
        ("9:33 am Pacitific", "?2026-03-04 17:33 2026-03-05 08:33"),
        ("8:34am AK", "?2026-03-04 17:34 2026-03-05 07:34"),
        ("13:05 GET", "?2026-03-05 09:05 2026-03-05 12:05"),
    ],
)
def test_a_word_that_names_a_zone_is_read_or_asked(text: str, expected: str) -> None:
    assert describe(berlin(f"{text} failed over")) == expected


@pytest.mark.parametrize(
    "words", ["DNS down", "response time rose", "first time seen", "EU down", "est down", "cat died", "us-east-1 down"]
)
def test_other_words_behind_a_time_are_what_happened(words: str) -> None:
    found = berlin(f"13:05 {words}")
    assert (describe(found), found.text) == ("2026-03-05 12:05", words)


@pytest.mark.parametrize(
    "text",
    """20.11 upgrade broke the build | 22.11 rolled out | 23.05 is EOL | 12.03. Deploy gestartet | 1:30 h outage
    0:45 downtime | 1:15 duration of the outage | 1h30 later failover | 1h05 of downtime | 0:05 later it was back
    00:45:10 elapsed | 8:16   0  10,9T  0 disk | 14.11 minor | 1305 requests""".replace("\n", " | ").split(" | "),
)
def test_durations_versions_and_bare_dates_are_never_taken_nor_offered(text: str) -> None:
    found = berlin(text.strip())
    assert (found.utc, found.question, found.offer) == (None, None, None)


@pytest.mark.parametrize(
    "beside",
    [
        "14:10", "pm", "tonight", "at night", "Friday", "tomorrow", "Nov 3", "2026-03-02", "2 h ago", "later", "JST",
        "+09:00", "Foo time", "5 min", "last week", "the previous day", "+1 day", "gestern", "hier soir", "ayer",
        "wczoraj", "yest", "two Fridays ago", "a fortnight ago", "over the weekend", "in Tokyo", "P.S.T.",
        "JST/UTC", "or 13:10", "+20m", "\u6628\u65e5", "de la tarde",
    ],
)  # fmt: skip
@pytest.mark.parametrize("separator", [" ", " - ", " / ", ", ", " | ", " \u00b7 ", " (", ": "])
def test_evidence_beside_a_time_is_never_dropped(beside: str, separator: str) -> None:
    plain = berlin("11:05 failed over").utc
    found = berlin(f"11:05{separator}{beside}{')' if '(' in separator else ''} failed over")
    understood = found.utc != plain or not found.text.startswith(beside)
    assert found.question is not None or (understood and beside not in found.text)


def test_a_time_written_twice_that_does_not_agree_is_asked() -> None:
    found = berlin("11:05 UTC (11:05 CET) failed over")
    assert describe(found) == "?2026-03-05 10:05 2026-03-05 11:05"


def test_the_small_hours_of_yesterdays_night_are_asked() -> None:
    assert describe(berlin("2:45 yesterday night x")) == "?2026-03-04 01:45 2026-03-05 01:45"


def test_what_klog_and_json_loggers_write_is_read_and_their_line_kept() -> None:
    assert describe(berlin("I0305 13:05:33.123456       1 main.go:1] started")) == "2026-03-05 12:05:33"
    assert describe(berlin("E1231 13:05:33.123456       1 main.go:1] started")) == "2025-12-31 12:05:33"
    line = '{"level":"info","time":"2026-03-05T12:05:33Z","msg":"x"}'
    assert (describe(berlin(line)), berlin(line).text) == ("2026-03-05 12:05:33", line)
    assert describe(berlin('{"ts":1772712333.5,"msg":"x"}')) == "2026-03-05 12:05:33"


def test_a_number_that_may_be_an_epoch_is_asked_and_stays_in_the_text() -> None:
    found = berlin("1772712333 node-31 inconsistent")
    assert (describe(found), found.text) == ("?2026-03-05 12:05:33 2026-03-05 13:30", "1772712333 node-31 inconsistent")
