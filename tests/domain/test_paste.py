"""What a paste is read as, line by line."""

import json
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from bot.domain.pasting.paste import MOST_LINES, read_lines
from bot.errors import Refused
from tests.support.published_timelines import INCIDENTS

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def describe(text: str, *, rolls: bool = False, zone: ZoneInfo = BERLIN) -> list[str]:
    """Each line as `time text`, or as `? problem`."""
    return [
        f"? {line.problem}" if line.problem else f"{line.reading.utc:%Y-%m-%d %H:%M} {line.text}"
        for line in read_lines(text, NOW, zone, rolls=rolls)
    ]


def test_each_line_is_read_at_its_own_time_in_its_own_zone() -> None:
    pasted = "12:05 failed over\n- 12:10 UTC back\n[07:20 New York] calm\n\n10 min ago quiet"
    assert describe(pasted) == [
        "2026-11-23 11:05 failed over",
        "2026-11-23 12:10 back",
        "2026-11-23 12:20 calm",
        "2026-11-23 12:20 quiet",
    ]


def test_lines_without_a_time_go_on_with_the_line_above() -> None:
    (first, second) = read_lines("12:05 failed over\nto replica 2\n  by hand\n12:10 back", NOW, BERLIN)
    assert (first.text, first.more) == ("failed over\nto replica 2\nby hand", 2)
    assert (second.text, second.more, second.number) == ("back", 0, 4)


def test_a_time_alone_takes_its_words_from_the_line_below() -> None:
    assert describe("12:05\nfailed over\n12:10") == [
        "2026-11-23 11:05 failed over",
        "? It has a time but no words. Add what happened.",
    ]


def test_a_heading_that_is_only_a_date_counts_for_the_times_below_it() -> None:
    pasted = "## 2018-02-20\n14:17 post goes live\n**Feb 21 2018**\n09:00 calm\n16:37 Denver done"
    assert describe(pasted) == ["2018-02-20 13:17 post goes live", "2018-02-21 08:00 calm", "2018-02-21 23:37 done"]


def test_a_line_with_its_date_counts_for_the_times_below_it() -> None:
    assert describe("Feb 20 2018 14:17 post goes live\n14:55 scaled\nyesterday 23:50 odd\n00:10 odder") == [
        "2018-02-20 13:17 post goes live",
        "2018-02-20 13:55 scaled",
        "2026-11-22 22:50 odd",
        "2026-11-21 23:10 odder",
    ]


def test_a_date_without_its_year_is_the_one_next_to_the_date_above() -> None:
    pasted = "Dec 30 2018 22:00 failing\nJan 2, 07:13 back\nJan 3\n08:00 calm\n4/15 09:00 over\n05/04 09:00 asked"
    assert [line[:16] for line in describe(pasted)] == [
        "2018-12-30 21:00",
        "2019-01-02 06:13",
        "2019-01-03 07:00",
        "2019-04-15 07:00",
        "? 05/04 09:00 co",
    ]


def test_midnight_is_passed_only_where_that_was_asked() -> None:
    pasted = "2018-02-20\n23:50 failing\n00:10 worse\n00:05 said late\n01:00 back"
    assert describe(pasted, zone=ZoneInfo("UTC"))[1] == "2018-02-20 00:10 worse"
    assert [line.is_earlier for line in read_lines(pasted, NOW, BERLIN)] == [False, True, True, False]
    assert describe(pasted, rolls=True, zone=ZoneInfo("UTC")) == [
        "2018-02-20 23:50 failing",
        "2018-02-21 00:10 worse",
        "2018-02-21 00:05 said late",
        "2018-02-21 01:00 back",
    ]


def test_what_must_be_asked_is_told_and_not_guessed() -> None:
    lines = describe("05/04 14:05 which day\n25:99 no time\n2026-03-29 02:30 no such time\n2026-10-25 02:30 twice")
    assert [line[0] for line in lines] == ["?"] * 4
    assert "5 April or 4 May" in lines[0]
    assert "02:30 does not exist that night in Berlin" in lines[2]
    assert "02:30 came twice that night in Berlin" in lines[3]


def test_words_before_the_first_time_belong_to_nothing() -> None:
    assert describe("Timeline of the outage\n12:05 failed over") == [
        "? It has no time, and there's no line before it to belong to.",
        "2026-11-23 11:05 failed over",
    ]
    assert describe("12:05 failed over\n2026-11-22\nwords")[1].startswith("? It has no time")


@pytest.mark.parametrize("text", ["", " \n\n", "only words\nand more", "2026-11-23"])
def test_a_paste_without_any_time_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(Refused, match=r"14:05 failed over|Paste some lines"):
        read_lines(text, NOW, BERLIN)


def test_too_many_lines_are_refused_and_the_sentence_says_how_many_fit() -> None:
    fitting = "\n".join(["12:05 x"] * MOST_LINES)
    assert len(read_lines(fitting, NOW, BERLIN)) == MOST_LINES
    with pytest.raises(Refused, match=r"2,000 lines .* Nothing was recorded, because at most 200 lines"):
        read_lines("\n".join(["12:05 x"] * 2_000), NOW, BERLIN)


WRONG_AT_THE_SOURCE = {"datahub-2017-10-10-hung-nodes"}
UNDATED = {"atlassian-kitt-k8s-1-9"}


@pytest.mark.skipif(not INCIDENTS.is_dir(), reason="the shared collection of published timelines is not here")
def test_published_timelines_are_read_right_as_they_stand_but_for_lines_out_of_order() -> None:
    count = 0
    for path in sorted(INCIDENTS.glob("*.json")):
        incident = json.loads(path.read_text(encoding="utf-8"))
        if incident["id"] in WRONG_AT_THE_SOURCE | UNDATED:
            continue
        entries = incident["entries"]
        zone = timezone(timedelta(hours=1)) if incident["tz"] == "UTC+1" else ZoneInfo(incident["tz"])
        begins = datetime.fromisoformat(entries[0]["time_utc"]).astimezone(zone)
        rows = [f"{begins:%Y-%m-%d}", *(f"{e['time_raw']} {' '.join(e['text'].split())}" for e in entries)]
        lines = read_lines("\n".join(rows), NOW, zone)
        wrong = [
            line.written
            for line, entry in zip(lines, entries, strict=True)
            if line.reading.utc != datetime.fromisoformat(entry["time_utc"]) and not line.is_earlier
        ]
        assert wrong == []
        count += len(lines)
    assert count > 250


def test_a_line_whose_time_does_not_stand_first_is_told_to_begin_with_it() -> None:
    first, _ = read_lines("ping was lost on ovh3 at 11:31\n12:00 failed over", NOW, BERLIN)
    assert first.problem == "Its time isn't first. Move the time to the start of the line."
