"""What looks like a time and is none stays text, letter for letter."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.times import read

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)

TEXTS = """3 | 3 nodes | 2 of 3 nodes | 503s | may fail | March release rolled back | sat down | sun is up | 1.5 GB
10.0.0.1 down | 15.26 ms latency | 15.26 average load | 5 am I right | 1/2 of shards | 3/4 14 nodes | 12-15 pods
3 min outage | a 5 min outage | half an hour of downtime | 10 minutes of downtime | 5:30 min downtime | 99% errors
4:1 ratio | 12:30 ratio | 1:1 with Ana | 12:1 | 50:50 split | 60:40 traffic split | 16:9 screen | v1.14.05
3.14 released | 99.95 availability | 2026-11-23-backup restored | 2026-11-23 backup restored | 08:00:27:ab:cd mac
10:20::1 unreachable | 14:05% | #14:05 | 14:05x | 123:45 | 1:2:3 | node-3 14:05 | i-1405Z | 1405Z-node failed
1405 pods | 2019 Berlin outage | 24/7 support | Monday deploy broke | monday 5 nodes | yesterday we deployed
today's deploy failed | this is bad | last deploy failed | at least 5 pods | by 5 nodes | from 10 to 20 pods
between 5 and 10 nodes | on 3 nodes | about 500 errors | since the deploy | an hour of downtime | now at 14 nodes
-5 pods | -10% traffic | -10mb freed | +10m | - failed over | * item | midnight cron failed | 2h outage | 14h failover
5 pm2 processes died | 2 PMs joined | 500 at 14:05 | 1st replica | may 5 nodes fail | 5 May nodes fail | 1e5 | 0x10
11:05Zebra | Sat Nov backup | :fire: db down | https://example.org/14:05 | 5 s | 404 errors at 14:05 UTC
half the fleet | 10 ms | 30m rows deleted | | [a] b | (maybe) | ~ | ~5 pods | "quoted"
just nowhere | nowhere | agony aunt | a b | an apple | -m | -h2 | 3d printer | 5 | 1 | 14 | 1405 | 2026 | 2026-11-23"""


@pytest.mark.parametrize("text", [text.strip() for line in TEXTS.splitlines() for text in line.split(" | ")])
def test_what_is_no_time_stays_text(text: str) -> None:
    found = read(text, NOW, ZoneInfo("Europe/Berlin"))
    assert (found.utc, found.question, found.text) == (None, None, text)


def test_a_year_is_never_taken_for_a_time() -> None:
    for text in ("2026-03-04 (UTC)", "2026-03-04 UTC failed", "2026/03/04 UTC", "2026.03.04 UTC x", "2019-12-31 Z"):
        assert read(text, NOW, ZoneInfo("Europe/Berlin")).utc is None, text


def test_a_version_is_never_taken_for_a_time() -> None:
    for text in ("22.04 image rolled out", "23.11 upgrades", "12.10", "24.05", "10.11 replica lag", "16.10 to 16.11"):
        assert read(text, NOW, ZoneInfo("Europe/Berlin")).utc is None, text


@pytest.mark.parametrize("text", ["11:05 London DC lost power", "11:05 Sofia restarted it", "11:05 Phoenix rolled out"])
def test_a_city_that_may_be_what_happened_is_asked_and_stays_in_the_text(text: str) -> None:
    found = read(text, NOW, ZoneInfo("Europe/Berlin"))
    assert found.question is not None
    assert len(found.question) == 2
    assert found.text == text.removeprefix("11:05 ")


def test_a_city_of_the_author_is_not_asked_but_stays_in_the_text() -> None:
    found = read("11:05 Berlin DC lost power", NOW, ZoneInfo("Europe/Berlin"))
    assert (found.utc, found.text) == (datetime(2026, 11, 23, 10, 5, tzinfo=UTC), "Berlin DC lost power")


@pytest.mark.parametrize("word", ["canary deploy failed", "ist down", "est mort", "Prod/API failing"])
def test_words_that_only_look_like_zones_are_what_happened(word: str) -> None:
    found = read(f"11:05 {word}", NOW, ZoneInfo("Europe/Berlin"))
    assert (found.utc, found.text) == (datetime(2026, 11, 23, 10, 5, tzinfo=UTC), word)


def test_a_zone_that_is_spelt_wrong_is_asked() -> None:
    found = read("11:05 Europe/Berln x", NOW, ZoneInfo("Europe/Berlin"))
    assert found.question == (datetime(2026, 11, 23, 10, 5, tzinfo=UTC),)
    assert found.problem == "Europe/Berln isn't a time zone that I know."


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("\u201c11:05 failed over\u201d", "\u201cfailed over\u201d"),
        ("\u201e11:05 failed over\u201d", "\u201efailed over\u201d"),
        ('"11:05 failed over"', '"failed over"'),
        ("\u201c11:05\u201d failed over", "failed over"),
        ("\u201811:05 failed over\u2019", "\u2018failed over\u2019"),
    ],
)
def test_quotation_marks_stay_as_they_were_typed(line: str, text: str) -> None:
    found = read(line, NOW, ZoneInfo("Europe/Berlin"))
    assert (found.utc, found.text) == (datetime(2026, 11, 23, 10, 5, tzinfo=UTC), text)
