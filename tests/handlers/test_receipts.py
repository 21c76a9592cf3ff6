"""Receipts of entries: two rows, the day in words, both ends of a range, and a menu for what is done less often."""

import json
from datetime import UTC, datetime

import pytest

from bot.rehearsal.screen import ShownMessage
from tests.support.interactions import (
    as_pressed,
    entry_texts,
    having,
    labels,
    last,
    on_stage,
    open_incident,
    press,
    type_command,
)

AFTERNOON = datetime(2026, 12, 2, 15, 5, tzinfo=UTC)
"""16:05 in Berlin, 10:05 in New York, 20:35 in Kolkata."""


def rows(message: ShownMessage) -> list[str]:
    """The kinds of its blocks."""
    return [block["type"] for block in message.blocks]


async def test_a_receipt_takes_two_rows_with_the_rest_in_a_menu(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=AFTERNOON) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 15:05 failed over to replica")
        receipt = last(play, play.ana)
        assert rows(receipt) == ["section", "actions"]
        assert receipt.blocks[0]["text"]["text"] == "*#2 · 14:05 UTC (15:05 Berlin)*  failed over to replica"
        assert receipt.blocks[0]["accessory"]["type"] == "overflow"
        assert labels(receipt) == ["Edit", "History", "Undo", "That was UTC"]
        assert receipt.text == "*#2 · 14:05 UTC (15:05 Berlin)*  failed over to replica"


@pytest.mark.parametrize(
    ("who", "line", "when"),
    [
        ("ana", "15:40-15:55", "14:40–14:55 UTC (15:40–15:55 Berlin)"),
        ("ana", "yesterday 23:50", "yesterday, Tue 1 Dec, 22:50 UTC (23:50 Berlin)"),
        ("ana", "yesterday 00:20", "2 days ago, Mon 30 Nov, 23:20 UTC (yesterday 00:20 Berlin)"),
        ("ana", "Nov 23 14:05", "Mon 23 Nov, 13:05 UTC (14:05 Berlin)"),
        ("ana", "2025-11-23 14:05", "Sun 23 Nov 2025, 13:05 UTC (14:05 Berlin)"),
        ("ana", "2026-12-01 23:50 to 2026-12-02 00:10", "yesterday, Tue 1 Dec, 22:50–23:10 UTC ("),
        ("chandra", "02:00", "yesterday, Tue 1 Dec, 20:30 UTC (today 02:00 Kolkata)"),
        ("bo", "yesterday 23:00", "04:00 UTC (yesterday 23:00 New York)"),
    ],
)
async def test_another_day_is_said_in_words_on_both_clocks(sqlite_url: str, who: str, line: str, when: str) -> None:
    async with on_stage(sqlite_url, now=AFTERNOON) as play:
        await open_incident(play)
        assert f"*#2 · {when}" in await type_command(play, getattr(play, who), f"/timeline {line} failed over")


async def test_a_time_that_comes_again_within_hours_is_said_to_be_yesterdays(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=AFTERNOON) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/timeline 18:20 cache flushed")
        assert "*#2 · yesterday, Tue 1 Dec, 17:20 UTC (18:20 Berlin)*" in answer
        assert "18:20 hasn't happened yet today, so this is *yesterday*." in answer
        assert "*#2 · 15:05 UTC (16:05 Berlin)*" in await type_command(play, play.ana, "/timeline edit 2 16:05")
        for typed in ("yesterday 18:20", "23:50", "15:20", "2026-12-01 18:20"):
            assert "hasn't happened" not in await type_command(play, play.ana, f"/timeline {typed} cache flushed"), (
                typed
            )


async def test_fifteen_minutes_ahead_is_asked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=AFTERNOON) as play:
        await open_incident(play)
        assert "16:20 hasn't happened yet (it's 16:05 in Berlin)." in await type_command(
            play, play.ana, "/timeline 16:20 flushed"
        )
        assert labels(last(play, play.ana)) == [
            "Yesterday 15:20 UTC (16:20 Berlin)",
            "Today 15:20 UTC (16:20 Berlin), still to come",
            "Just now",
        ]


async def test_the_menu_shows_the_history_with_the_ways_to_go_on(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=AFTERNOON) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 15:05 failed over")
        history = await press(play, play.ana, "timeline_history")
        assert history.plain.startswith("*History of #2*\n1. Added by Ana Demo, 15:05 UTC: `14:05 UTC (15:05 Berlin)`")
        assert labels(history) == ["Edit", "Undo"]
        await press(play, play.ana, "timeline_undo")
        removed = last(play, play.ana)
        assert (rows(removed), labels(removed)) == (["section"], ["Restore"])
        assert "Ana Demo, 15:05 UTC" in await type_command(play, play.bo, "/timeline show 2")
        assert labels(last(play, play.bo)) == ["Restore"]


def without_version(message: ShownMessage) -> ShownMessage:
    """The message with buttons as they were before they carried the version that they showed."""
    for element in message.blocks[-1]["elements"]:
        value = json.loads(element["value"])
        element["value"] = json.dumps({key: value[key] for key in value if key != "version"})
    return message


@pytest.mark.parametrize("action", ["timeline_utc", "timeline_undo", "timeline_edit"])
async def test_a_receipt_of_a_removed_entry_changes_nothing_however_old(sqlite_url: str, action: str) -> None:
    async with on_stage(sqlite_url, now=AFTERNOON) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 15:05 failed over")
        seen = without_version(having(play, play.ana, action))
        await type_command(play, play.bo, "/timeline delete 2")
        play.slack.workspace.channels[seen.channel].messages[seen.ts].blocks = seen.blocks
        await play.slack.click(play.ana, seen, *as_pressed(seen, action))
        await play.settle()
        assert "removed" in last(play, play.ana).plain
        assert play.slack.views(play.ana) == []
        assert entry_texts(play) == ["Incident opened: Checkout is failing"]
