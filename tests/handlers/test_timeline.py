"""`/timeline` as people use it: typed, seen, corrected."""

from datetime import UTC, datetime

import pytest

from storage import case as case_store
from storage import incidents as incidents_store
from tests.support.interactions import (
    entry_texts,
    having,
    labels,
    last,
    on_stage,
    open_incident,
    press,
    type_command,
    window,
)


async def test_the_receipt_says_both_clocks_and_how_to_correct_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/timeline 12:05 failed over to replica")
        receipt = last(play, play.ana)
        assert "11:05 UTC (12:05 Berlin)" in answer
        assert "failed over to replica" in answer
        assert "*#2 · " in answer
        assert labels(receipt) == ["Edit", "History", "Undo", "That was UTC"]
        assert receipt.ephemeral_for == play.ana
        assert receipt.pings == set()
        entry = play.case().entries[0]
        assert (entry.happened_at, entry.text) == (datetime(2026, 11, 23, 11, 5, tzinfo=UTC), "failed over to replica")


async def test_that_was_utc_moves_the_entry_and_keeps_its_words(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 12:05-12:20 errors rising")
        after = await press(play, play.ana, "timeline_utc")
        assert "#2 · 12:05–12:20 UTC" in after.plain
        entry = play.case().entries[0]
        assert f"{entry.happened_at:%H:%M} {entry.ended_at:%H:%M} {entry.text}" == "12:05 12:20 errors rising"
        assert len(entry_texts(play)) == 2


async def test_undo_takes_the_entry_back_and_bring_back_puts_it_in_again(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline paged the on-call")
        gone = await press(play, play.bo, "timeline_undo")
        assert "Removed #2: paged the on-call" in gone.plain
        assert labels(gone) == ["Restore"]
        assert entry_texts(play) == ["Incident opened: Checkout is failing"]
        back = await press(play, play.bo, "timeline_restore")
        assert "Restored #2: paged the on-call" in back.plain
        assert entry_texts(play)[-1] == "paged the on-call"


async def test_anyone_may_edit_an_entry_in_its_window(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline 07:10 failed over")
        view = await window(play, play.bo, "timeline_edit")
        assert view.title == "Edit #2"
        answer = await play.slack.submit(play.bo, view, {"when": "07:12", "text": "failed over to replica 2"})
        await play.settle()
        assert answer.errors == {}
        assert play.slack.views(play.bo) == []
        entry = play.case().entries[0]
        assert (f"{entry.happened_at:%H:%M}", entry.text) == ("12:12", "failed over to replica 2")
        assert "#2 · 12:12 UTC (07:12 New York)" in last(play, play.bo).plain


async def test_a_time_that_cannot_be_read_is_said_in_the_window(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline 07:10 failed over")
        view = await window(play, play.bo, "timeline_edit")
        answer = await play.slack.submit(play.bo, view, {"when": "some time ago"})
        assert "I couldn't read “some time ago” as a time" in answer.errors["when"]
        assert len(play.slack.views(play.bo)) == 1
        answer = await play.slack.submit(play.bo, view, {"when": "2026-11-24 07:10"})
        assert "hasn't happened yet" in answer.errors["when"]


async def test_whoever_edits_what_changed_meanwhile_sees_both_wordings(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline failed over")
        view = await window(play, play.bo, "timeline_edit")
        await type_command(play, play.ana, "/timeline edit 2 failed over to replica 2")
        answer = await play.slack.submit(play.bo, view, {"text": "failed over by hand"})
        assert answer.ok
        (again,) = play.slack.views(play.bo)
        assert "Ana Demo changed #2 while you were editing" in again.plain
        assert "failed over to replica 2" in again.plain
        assert entry_texts(play)[-1] == "failed over to replica 2"
        await play.slack.submit(play.bo, again)
        assert entry_texts(play)[-1] == "failed over by hand"


async def test_saving_a_window_unchanged_keeps_the_seconds_and_the_long_tail(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await play.pass_time(seconds=17)
        await type_command(play, play.bo, "/timeline " + "x" * 4_000)
        before = play.case().entries[-1]
        view = await window(play, play.bo, "timeline_edit")
        await play.slack.submit(play.bo, view)
        await play.settle()
        after = play.case().entries[-1]
        assert (after.happened_at, after.text) == (before.happened_at, before.text)


async def test_the_list_the_field_below_it_and_one_entry_with_its_history(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "INC-1 Checkout is failing" in await type_command(play, play.ana, "/timeline")
        overview = last(play, play.ana)
        answer = await play.slack.enter(play.ana, overview, "timeline_entered", "12:01 first alert")
        await play.settle()
        assert answer.ok
        assert "11:01 UTC (12:01 Berlin)*  first alert" in last(play, play.ana).plain
        await type_command(play, play.ana, "/timeline edit #2 12:03")
        history = await type_command(play, play.ana, "/timeline show 2")
        assert "1. Added by Ana Demo" in history
        assert "2. Edited by Ana Demo" in history
        assert "first alert — Ana Demo #2" in await type_command(play, play.ana, "/timeline show")
        assert "no entry #9" in await type_command(play, play.ana, "/timeline show 9")
        recent = await type_command(play, play.ana, "/timeline show since 2h")
        assert "2 entries since 10:30 UTC" in recent
        assert "first alert" not in await type_command(play, play.ana, "/timeline show since 30m")


async def test_delete_undo_and_edit_by_number(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline first")
        await type_command(play, play.bo, "/timeline second")
        assert "Removed #2: first" in await type_command(play, play.ana, "/timeline delete 2")
        assert "#2 is already removed." in await type_command(play, play.ana, "/timeline delete 2")
        assert "Removed #3: second" in await type_command(play, play.bo, "/timeline undo")
        assert "You don't have an entry in INC-1 to remove." in await type_command(play, play.bo, "/timeline undo")
        assert labels(last(play, play.bo)) == []
        assert "#2 was removed." in await type_command(play, play.ana, "/timeline edit 2")
        answer = await type_command(play, play.ana, "/timeline edit 2 first of all")
        assert "Restored and changed. Before: 12:30 UTC  first" in answer
        assert entry_texts(play)[-1] == "first of all"


@pytest.mark.parametrize(
    "line", ["show stopped loading", "edit the runbook", "undo of the deploy", "help is on its way"]
)
async def test_what_fits_no_whole_form_is_an_entry(sqlite_url: str, line: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert line in await type_command(play, play.ana, f"/timeline {line}")
        assert entry_texts(play)[-1] == line


async def test_the_live_message_adds_and_shows_entries(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await window(play, play.chandra, "timeline_form_open")
        await play.slack.submit(play.chandra, view, {"line": "17:45 saw the first error"})
        await play.settle()
        assert "12:15 UTC (17:45 Kolkata)" in last(play, play.chandra).plain
        card = having(play, play.bo, "timeline_show")
        assert card.ephemeral_for == ""
        assert "saw the first error — Chandra Demo #2" in card.plain
        whole = await press(play, play.bo, "timeline_show")
        assert whole.ephemeral_for == play.bo
        assert "saw the first error" in whole.plain


async def test_help_explains(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        assert "/timeline 14:05 failed over to replica" in await type_command(play, play.ana, "/timeline help")


async def test_the_window_of_a_range_keeps_its_end_and_its_doubt(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline ~12:05-12:20 errors rising")
        view = await window(play, play.ana, "timeline_edit")
        assert "~2026-11-23 12:05 - 12:20" in view.plain
        await play.slack.submit(play.ana, view, {"text": "errors rising in Berlin"})
        entry = play.case().entries[0]
        assert entry.ended_at is not None
        assert (entry.approximate, f"{entry.ended_at:%H:%M}", entry.text) == (True, "11:20", "errors rising in Berlin")


async def test_what_stands_already_cannot_be_brought_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline failed over")
        await type_command(play, play.ana, "/timeline undo")
        gone = last(play, play.ana)
        await type_command(play, play.bo, "/timeline edit 2 failed over by hand")
        await play.slack.click(play.ana, gone, "timeline_restore")
        await play.settle()
        assert "#2 is already in the timeline." in last(play, play.ana).plain


async def test_a_long_while_is_named_with_its_day(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "since Fri 20 Nov, 12:30 UTC" in await type_command(play, play.ana, "/timeline show since 3d")


async def test_add_entry_on_an_older_live_message_writes_into_that_incident(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await play.settle()
        card = play.slack.messages(play.channel)[-1]
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/incident open Search is slow")
        await play.slack.click(play.bo, card, "timeline_form_open")
        await play.settle()
        await play.slack.submit(play.bo, play.slack.views(play.bo)[-1], {"line": "the pool was too small"})
        await play.settle()
        assert "the pool was too small" not in {entry.text for entry in play.case().entries}
        first = play.bot.store.read_now(lambda tx: incidents_store.find_by_number(tx, "T0REHEARSE", 1))
        assert first is not None
        case = play.bot.store.read_now(lambda tx: case_store.load(tx, first))
        assert "the pool was too small" in {entry.text for entry in case.entries}
