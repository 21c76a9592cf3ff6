"""The rule of leftovers: evidence of another time next to the one that was read is understood, or it is a question."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations, product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.times import read

NOW = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)  # a Wednesday, 23:30 in Berlin
BERLIN = ZoneInfo("Europe/Berlin")
SEPARATORS = [" ", ", ", " - ", " · ", " / ", " | ", ": ", "; ", " \u2013 ", " @ ", "  "]

DAYS = {
    "": None,
    "2026-11-20": date(2026, 11, 20),
    "20 Nov 2026": date(2026, 11, 20),
    "Nov 20, 2026": date(2026, 11, 20),
    "Nov 20": date(2026, 11, 20),
    "20.11.2026": date(2026, 11, 20),
    "20.11.": date(2026, 11, 20),
    "20/11/2026": date(2026, 11, 20),
    "Friday": date(2026, 11, 20),
    "Fri 20 Nov 2026": date(2026, 11, 20),
    "on Friday": date(2026, 11, 20),
    "yesterday": date(2026, 11, 24),
    "5 days ago": date(2026, 11, 20),
}
ZONES = {"": BERLIN, "CET": BERLIN, "UTC": UTC, "JST": ZoneInfo("Asia/Tokyo"), "+09:00": ZoneInfo("Asia/Tokyo"),
         "New York time": ZoneInfo("America/New_York"), "Eastern": ZoneInfo("America/New_York")}  # fmt: skip
PARTS = {"": 0, "in the morning": 0, "in the afternoon": 12, "this evening": 12, "at night": 12, "pm": 12}


def truth(hour: int, minute: int, day: date | None, zone: str) -> datetime | None:
    """The moment that is meant; None where only the day is left open and several can be."""
    local = datetime.combine(day or date(2026, 11, 25), time(hour, minute), ZONES[zone])
    moment = local.astimezone(UTC)
    return moment if day or moment <= NOW else moment - timedelta(days=1)


@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_clock_with_a_date_and_a_zone_is_read_the_same_or_asked_in_every_order(separator: str) -> None:
    wrong = []
    for day, zone in product(DAYS, ZONES):
        meant = truth(10, 15, DAYS[day], zone)
        for order in permutations([piece for piece in ("10:15", day, zone) if piece]):
            line = f"{separator.join(order)} failed over"
            found = read(line, NOW, BERLIN)
            if found.question is None and found.utc != meant:
                wrong.append((line, found.utc, found.offer))
    assert wrong == []


@given(
    st.times(time(1), time(11, 59)).map(lambda moment: moment.replace(second=0, microsecond=0)),
    st.sampled_from([part for part in PARTS if part]),
    st.sampled_from(list(DAYS)),
    st.sampled_from(list(ZONES)),
    st.randoms(use_true_random=False),
    st.lists(st.sampled_from(SEPARATORS), min_size=3, max_size=3),
)
def test_a_part_of_the_day_anywhere_among_them_changes_the_half_or_is_asked(
    clock: time, part: str, day: str, zone: str, random: object, separators: list[str]
) -> None:
    hour, minute = clock.hour, clock.minute
    pieces = [piece for piece in (f"{hour}:{minute:02}", part, day, zone) if piece]
    random.shuffle(pieces)  # type: ignore[attr-defined]
    line = pieces[0] + "".join(f"{mark}{piece}" for mark, piece in zip(separators, pieces[1:], strict=False))
    found = read(f"{line} failed over", NOW, BERLIN)
    if found.question is not None:
        return
    small = part == "at night" and hour < 6
    halved = hour if small else hour + PARTS[part]
    assert found.utc is not None, (line, found.offer)
    assert f"{found.utc.astimezone(ZONES[zone]):%H:%M}" == f"{halved:02}:{minute:02}", line
    if day:
        assert found.utc.astimezone(ZONES[zone]).date() == DAYS[day], line


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("14:05 UTC PST failed", "PST"),
        ("14:05 UTC CEST failed", "CEST"),
        ("14:05 am Freitag ausgefallen", "am Freitag"),
        ("14:05 w pi\u0105tek awaria", "w pi\u0105tek"),
        ("14:05 1:30 outage", "1:30"),
        ("22:50 - 00:10 outage", "00:10"),
    ],
)
def test_a_second_zone_a_day_in_another_language_or_a_length_is_asked_about(line: str, left: str) -> None:
    reading = read(line, NOW, BERLIN)
    assert reading.utc is None
    assert reading.question
    assert left in (reading.problem or "")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("2026-11-20 14:05:33 +0000 WARN disk full", "WARN disk full"),
        ("2026-11-20T14:05:33+00:00 ERR disk full", "ERR disk full"),
        ("20/Nov/2026:14:05:33 +0000 GET / 500", "GET / 500"),
        ("2026-11-20T14:05:33+00:00 GET /health 500", "GET /health 500"),
        ("2026-11-20 14:05:33 UTC GET /health 500", "GET /health 500"),
        ("2026-11-20 14:05:33 +0000 (UTC) disk full", "disk full"),
        ("2026-11-20 14:05:33 +0000 UTC disk full", "disk full"),
    ],
)
def test_behind_an_offset_only_the_name_of_its_zone_is_taken(line: str, text: str) -> None:
    reading = read(line, NOW, BERLIN)
    assert reading.utc == datetime(2026, 11, 20, 14, 5, 33, tzinfo=UTC)
    assert reading.text == text


@pytest.mark.parametrize("line", ["22:50-00:10 outage", "22:50 to 00:10 outage", "from 22:50 to 00:10 downtime"])
def test_the_end_of_a_range_is_no_length_of_time(line: str) -> None:
    reading = read(line, NOW + timedelta(hours=3), BERLIN)
    assert reading.end_utc == datetime(2026, 11, 25, 23, 10, tzinfo=UTC)


def test_the_middle_european_names_are_zones_in_english_too() -> None:
    july = datetime(2026, 7, 6, 22, 30, tzinfo=UTC)
    assert read("14:05 MEST failed", july, UTC).utc == datetime(2026, 7, 6, 12, 5, tzinfo=UTC)
    assert read("14:05 MET failed", NOW, UTC).utc == datetime(2026, 11, 25, 13, 5, tzinfo=UTC)


def test_a_little_word_before_a_time_is_no_evidence_and_gets_an_offer() -> None:
    reading = read("the 14:05 backup failed", NOW, BERLIN)
    assert (reading.utc, reading.question) == (None, None)
    assert reading.offer == (datetime(2026, 11, 25, 13, 5, tzinfo=UTC),)


@pytest.mark.parametrize("about", ["shortly after", "shortly before", "just after", "just before", "right around"])
def test_words_that_place_a_line_near_a_time_make_it_approximate(about: str) -> None:
    reading = read(f"{about} 14:05 it failed", NOW, BERLIN)
    assert (reading.utc, reading.text) == (datetime(2026, 11, 25, 13, 5, tzinfo=UTC), "it failed")
    assert reading.approximate


ORDINALS = [
    "14:05 29th failed",
    "14:05, 29th - failed",
    "14:05 (29th) failed",
    "14:05 on 29th failed",
    "14:05 UTC 29th failed",
    "14:05-14:20 29th failed",
    "14:05 am 29. ausgefallen",
    "14:05 le 29 panne",
    "14:05 el 29 cayó",
    "14:05 de 29e storing",
    "14:05 29日 障害",
    "14:05 Sunday 29th failed",
]


@pytest.mark.parametrize("line", ORDINALS)
def test_a_day_of_the_month_behind_a_clock_is_asked(line: str) -> None:
    found = read(line, datetime(2026, 11, 30, 15, 30, tzinfo=UTC), BERLIN)
    assert found.utc is None
    assert found.question
    assert date(2026, 11, 29) in {choice.date() for choice in found.question}


@pytest.mark.parametrize(
    "line",
    ["29th 14:05 failed", "29th, 14:05 failed", "Sunday 29th 14:05 failed", "am 29. 14:05 ausgefallen",
     "14:05 am 29.11. ausgefallen", "le 29 14:05 panne",
     "el 29 14:05 cayó", "dia 29 14:05 falhou", "29日 14:05 障害", "2026-W48-7 14:05 failed"],
)  # fmt: skip
def test_a_day_of_the_month_before_a_clock_is_its_day(line: str) -> None:
    found = read(line, datetime(2026, 11, 30, 15, 30, tzinfo=UTC), BERLIN)
    assert found.utc == datetime(2026, 11, 29, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["1st deploy", "2nd try", "3rd attempt failed", "5th replica down", "99th percentile up", "3rd party outage",
     "(2nd attempt) failed",
     "12th node added", "1er essai", "40th failed"],
)  # fmt: skip
def test_an_ordinal_that_counts_is_text(text: str) -> None:
    found = read(f"14:05 {text}", NOW, BERLIN)
    assert (found.utc, found.text) == (datetime(2026, 11, 25, 13, 5, tzinfo=UTC), text)


def test_a_weekday_that_does_not_fit_its_day_of_the_month_is_asked() -> None:
    assert read("Monday 29th 14:05 failed", datetime(2026, 11, 30, 15, 30, tzinfo=UTC), BERLIN).question


@pytest.mark.parametrize("line", ["14:05/15:05 failed", "12:30/13:00", "14:05 Nov 2025 failed"])
def test_a_second_clock_or_a_month_with_its_year_is_asked(line: str) -> None:
    assert read(line, NOW, BERLIN).question
