"""When the database or Slack is in the way, no one is told "recorded", and no one loses what they typed."""

import sqlite3
import time
from contextlib import closing

import pytest

from storage import timeline as timeline_store
from tests.support.deadlines import SOON_SECONDS
from tests.support.interactions import as_pressed, having, last, on_stage, open_incident, press, type_command, window
from tests.support.play import Play
from tests.support.timeouts import hurry


def database(url: str) -> sqlite3.Connection:
    return sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)


def drop(url: str, table: str) -> None:
    """Break the database under the running bot."""
    with closing(database(url)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(f"DROP TABLE {table}")


def is_apology(text: str) -> bool:
    return "Something broke in Afterword" in text and "Traceback" not in text and "sqlite" not in text.lower()


@pytest.mark.usefixtures("short_locks")
async def test_a_locked_database_is_said_in_time_and_the_text_given_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        with closing(database(sqlite_url)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            with hurry():
                answer = await type_command(play, play.ana, "/timeline 12:05 failed over to replica")
            assert time.monotonic() - began < SOON_SECONDS
            assert "*NOT recorded.*" in answer
            assert "12:05 failed over to replica" in answer
            with hurry():
                assert "NOT recorded" in await type_command(play, play.ana, "/incident resolved")
            other.execute("ROLLBACK")
        assert len(play.case().entries) == 1
        assert "*#2 · " in await type_command(play, play.ana, "/timeline 12:05 failed over to replica")


@pytest.mark.usefixtures("short_locks")
async def test_a_form_that_could_not_be_saved_gives_its_text_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        view = await window(play, play.bo, "timeline_form_open")
        with closing(database(sqlite_url)) as other:
            other.execute("BEGIN IMMEDIATE")
            with hurry():
                await play.slack.submit(play.bo, view, {"line": "failed over to replica"})
                await play.bot.boundary.drain()
            other.execute("ROLLBACK")
        assert "*NOT recorded.*" in last(play, play.bo).plain
        assert "failed over to replica" in last(play, play.bo).plain
        assert len(play.case().entries) == 1


async def test_a_command_that_breaks_is_an_apology_with_the_text(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        drop(sqlite_url, "why")
        answer = await type_command(play, play.ana, "/timeline show since 2h")
        assert is_apology(answer)
        assert "show since 2h" in answer
        assert "failed over" in await type_command(
            play, play.ana, "/timeline failed over"
        )  # what needs no whys goes on


async def test_a_click_and_a_form_that_break_are_apologies(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await play.settle()
        drop(sqlite_url, "why")
        await press(play, play.bo, "why_answer")
        assert is_apology(last(play, play.bo).plain)
        assert play.slack.views(play.bo) == []
        await press(play, play.bo, "timeline_show")
        assert is_apology(last(play, play.bo).plain)


async def test_a_broken_record_is_never_called_recorded(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        row = play.case().incident.id
        drop(sqlite_url, "entry_version")
        answer = await type_command(play, play.ana, "/timeline failed over to replica")
        assert "NOT recorded" in answer or is_apology(answer)
        assert "failed over to replica" in answer
        assert play.bot.store.read_now(lambda tx: timeline_store.count_active(tx, row)) == 1


async def entry_window_refused(play: Play) -> str:
    receipt = having(play, play.bo, "timeline_edit")
    await play.slack.click(play.bo, receipt, *as_pressed(receipt, "timeline_edit"))
    await play.bot.boundary.drain()
    return last(play, play.bo).plain


async def test_a_window_that_slack_does_not_open_is_said(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["expired_trigger_id"]) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline failed over")
        play.slack.fail("views.open", "expired_trigger_id")
        assert "Slack didn't open the form in time. Press the button again." in await entry_window_refused(play)
        assert having(play, play.bo, "timeline_edit").plain.startswith("*#2 · ")  # the receipt is still there


@pytest.mark.parametrize("error", ["expired_url", "used_url"])
async def test_an_answer_whose_way_back_is_closed_goes_into_the_channel(sqlite_url: str, error: str) -> None:
    async with on_stage(sqlite_url, refused=[error]) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline failed over")
        play.slack.fail("response_url", error, status=404)
        assert "Removed #2: failed over" in (await press(play, play.bo, "timeline_undo")).plain
        assert last(play, play.bo).ephemeral_for == play.bo


async def test_without_the_bot_in_the_channel_that_answer_goes_to_a_dm(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["expired_url", "not_in_channel"]) as play:
        room = play.slack.channel("old-room", [play.ana, play.bo], with_bot=False)
        await open_incident(play, channel=room)
        await type_command(play, play.bo, "/timeline failed over", room)
        play.slack.fail("response_url", "expired_url", status=404)
        await press(play, play.bo, "timeline_undo", channel=room)
        assert "Removed #2: failed over" in last(play, play.bo, play.slack.dm(play.bo)).plain


async def test_somebody_whom_slack_does_not_tell_is_read_in_utc_and_told_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["internal_error"]) as play:
        await open_incident(play)
        dana = play.slack.user("Dana Demo", "Asia/Tokyo")
        play.slack.workspace.channels[play.channel].members.add(dana)
        play.slack.fail("users.info", "internal_error", times=1)
        answer = await type_command(play, dana, "/timeline 12:05 failed over")
        assert "12:05 UTC" in answer
        assert "I don't know your time zone, so I read the time as UTC" in answer


async def test_a_form_that_breaks_while_it_is_saved_gives_its_text_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action add a load test due tomorrow")
        await type_command(play, play.bo, "/action 1")
        view = await window(play, play.bo, "action_date")
        drop(sqlite_url, "action")
        await play.slack.submit(play.bo, view, {"due": "2026-12-24"})
        await play.bot.boundary.drain()
        assert is_apology(last(play, play.bo).plain)
        assert "2026-12-24" in last(play, play.bo).plain
