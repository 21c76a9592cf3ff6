"""A clock elsewhere in a line is offered on its receipt; nothing else is."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.times import read

NOW = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)  # a Wednesday, 23:30 in Berlin
BERLIN = ZoneInfo("Europe/Berlin")


def list_offers(text: str) -> list[str]:
    found = read(text, NOW, BERLIN)
    assert (found.utc, found.question, found.text) == (None, None, text)
    return [f"{moment:%d %H:%M}" for moment in found.offer or ()]


@pytest.mark.parametrize(
    ("text", "moments"),
    [
        ("ping was lost on ovh3 at 19:31", ["25 18:31"]),
        ("Back up again at 12:19pm.", ["25 11:19"]),
        ("it ended on 21/11 at 13:43", ["21 12:43"]),
        ("resolved by 9:31am PST", ["25 17:31"]),
        ("OK at 2026-11-20 20:51:19 +0000", ["20 20:51"]),
        ("Our systems are back. Oct 21, 12:10-20:47 UTC", ["21 12:10"]),
        ("the node was replaced yesterday evening at 9:45", ["24 20:45"]),
        ("failed at 10:05 and again at 10:20", ["25 09:05", "25 09:20"]),
        ("St\u00f6rung seit gestern 22:15", ["24 21:15"]),
        ("Le courant a \u00e9t\u00e9 r\u00e9tabli \u00e0 14h10", ["25 13:10"]),
    ],
)
def test_a_clock_elsewhere_is_offered_with_its_date_and_zone(text: str, moments: list[str]) -> None:
    assert list_offers(text) == moments


@pytest.mark.parametrize(
    "text",
    """released on Nov 23 | it took 1:30 h | took 10 minutes | 14 nodes | upgrade to 22.04 | down for 0:45 | on 3/4
    10.0.0.1:8080 refused | aspect 16:9 | see https://example.org/14:05 | 35 days 15:39:43 to go | ratio 4:1
    mac 08:00:27:ab:cd:ef | version 1.14.05 | within 5 min | in the evening | last Friday""".replace("\n", " | ").split(
        " | "
    ),
)
def test_what_is_no_clock_makes_no_offer(text: str) -> None:
    assert list_offers(text.strip()) == []


def test_at_most_three_clocks_are_offered() -> None:
    assert len(list_offers("down at 10:05, 10:10, 10:15, 10:20 and 10:25")) == 3
