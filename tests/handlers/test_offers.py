"""A clock elsewhere in a line: recorded as of now, said so, and offered as a button that moves the entry."""

import json
from datetime import datetime, timedelta

import pytest

from bot.domain.records import Entry, Milestone
from bot.rehearsal.screen import ShownMessage
from bot.slack.views.blocks import BUTTON_VALUE
from tests.handlers.test_capture import AGAIN, react, whispers
from tests.support.history_scans import chosen, looked_back, say, talk, until
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command, window
from tests.support.play import NOON, Play

EVENING = datetime.fromisoformat("2026-11-23T19:02:00+00:00")
LINE = "ping was lost on ovh3 at 19:31"
MOVED = "It was 18:31 UTC"
NOTE = "Recorded as just now, because the line doesn't start with a time."


def entry(play: Play, text: str = LINE) -> Entry:
    return next(one for one in play.case().entries if one.text == text)


def at(one: Entry) -> str:
    return f"{one.happened_at:%Y-%m-%d %H:%M}"


def offer_values(message: ShownMessage) -> list[str]:
    """What the buttons of offers carry."""
    return [value for _, action, value in message.buttons if action.startswith("timeline_was_")]


async def test_the_receipt_says_that_it_is_as_of_now_and_offers_the_time_that_is_named(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=EVENING) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, f"/timeline {LINE}")
        assert NOTE in answer
        assert at(entry(play)) == "2026-11-23 19:02"
        assert labels(last(play, play.ana)) == ["Edit", "History", "Undo", MOVED]


async def test_pressing_it_moves_the_entry_keeps_its_words_and_its_history(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=EVENING) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/timeline {LINE}")
        after = await press(play, play.ana, "timeline_was_0")
        assert "#2 · 18:31 UTC (19:31 Berlin)*  ping was lost on ovh3 at 19:31" in after.plain
        assert (at(entry(play)), len(play.case().entries)) == ("2026-11-23 18:31", 2)
        history = await type_command(play, play.ana, "/timeline show 2")
        assert "1. Added by Ana Demo" in history
        assert "2. Edited by Ana Demo" in history


async def test_the_day_is_named_where_it_is_not_today(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=EVENING - timedelta(hours=12)) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/timeline {LINE}")
        assert "It was yesterday 18:31 UTC" in labels(last(play, play.ana))


@pytest.mark.parametrize("line", ["ping was lost on ovh3", "rolled 2 of 3 nodes back to 1.19", "took 15 minutes"])
async def test_a_line_without_a_clock_offers_nothing(sqlite_url: str, line: str) -> None:
    async with on_stage(sqlite_url, now=EVENING) as play:
        await open_incident(play)
        assert "Recorded as just now" not in await type_command(play, play.ana, f"/timeline {line}")
        assert labels(last(play, play.ana)) == ["Edit", "History", "Undo"]


async def test_pressed_twice_or_after_another_change_it_says_what_stands_now(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=EVENING) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/timeline {LINE}")
        receipt = last(play, play.ana)
        await type_command(play, play.bo, "/timeline edit 2 13:50 ping was lost")
        await play.slack.click(play.ana, receipt, "timeline_was_0")
        await play.settle()
        stale = last(play, play.ana)
        assert "Bo Demo changed #2 after that was shown, so nothing was done. It now reads: *18:50 UTC" in stale.plain
        assert labels(stale) == ["Edit", "History", "Undo", MOVED]
        assert at(entry(play, "ping was lost")) == "2026-11-23 18:50"
        await press(play, play.ana, "timeline_was_0")
        assert at(entry(play, "ping was lost")) == "2026-11-23 18:31"


async def test_pressed_on_an_entry_that_was_taken_back_it_leaves_it_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=EVENING) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/timeline {LINE}")
        receipt = last(play, play.ana)
        await type_command(play, play.bo, "/timeline delete 2")
        await play.slack.click(play.ana, receipt, "timeline_was_0")
        await play.settle()
        assert "Bo Demo removed #2, so nothing was done." in last(play, play.ana).plain
        assert labels(last(play, play.ana)) == ["Restore"]
        assert LINE not in [one.text for one in play.case().entries]


async def test_what_a_button_carries_does_not_grow_with_the_words(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=EVENING) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/timeline {LINE}, and then " + "ü" * 3_000)
        (value,) = offer_values(last(play, play.ana))
        assert len(value) < 300 < BUTTON_VALUE
        assert set(json.loads(value)) >= {"incident", "entry", "version", "at"}


async def test_the_same_typed_again_is_offered_it_too(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=EVENING) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/timeline {LINE}")
        await type_command(play, play.ana, f"/timeline {LINE}")
        again = await press(play, play.ana, "timeline_again")
        assert MOVED in labels(again)


async def test_new_words_of_an_entry_keep_its_time_and_offer_the_one_that_they_name(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=EVENING) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 19:45-19:55 ping was lost")
        answer = await type_command(play, play.ana, f"/timeline edit 2 {LINE}")
        assert "Its time hasn't changed." in answer
        await press(play, play.ana, "timeline_was_0")
        found = entry(play)
        assert found.ended_at is not None
        assert (at(found), f"{found.ended_at:%H:%M}") == ("2026-11-23 18:31", "18:41")  # it lasted ten minutes


async def test_a_milestone_offers_it_below_what_everybody_reads(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=EVENING) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/incident resolved the pool was swapped at 19:31")
        assert "INC-1 resolved* at 19:02 UTC" in answer
        assert NOTE in answer
        message = having(play, play.ana, "timeline_was_0")
        assert MOVED in labels(message)
        await press(play, play.ana, "timeline_was_0")
        assert f"{play.case().incident.resolved_at:%H:%M}" == "18:31"


async def test_the_window_of_milestones_offers_what_its_words_name(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=EVENING) as play:
        await open_incident(play)
        view = await window(play, play.ana, "incident_milestone")
        await play.slack.submit(play.ana, view, {"milestone": "mitigated", "text": "the pool was swapped at 19:31"})
        await play.settle()
        await press(play, play.ana, "timeline_was_0")
        (found,) = [one for one in play.case().entries if one.milestone is Milestone.MITIGATED]
        assert at(found) == "2026-11-23 18:31"


async def test_a_time_before_the_words_in_the_window_of_milestones_is_offered_not_taken(sqlite_url: str) -> None:
    """Its own field is for the time, and says that empty means now."""
    async with on_stage(sqlite_url, now=EVENING) as play:
        await open_incident(play)
        view = await window(play, play.ana, "incident_milestone")
        await play.slack.submit(play.ana, view, {"milestone": "mitigated", "text": "19:31 the pool was swapped"})
        await play.settle()
        (found,) = [one for one in play.case().entries if one.milestone is Milestone.MITIGATED]
        assert (at(found), found.text) == ("2026-11-23 19:02", "19:31 the pool was swapped")
        assert MOVED in labels(having(play, play.ana, "timeline_was_0"))


async def test_what_is_said_to_the_bot_gets_a_receipt_that_offers_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN, now=EVENING) as play:
        await open_incident(play)
        await play.slack.say(play.ana, play.channel, f"@afterword {LINE}")
        await play.settle()
        (receipt,) = whispers(play, play.ana)
        assert "Recorded at the time it was said." in receipt.plain
        assert labels(receipt) == ["Edit", "History", "Undo", MOVED]
        assert at(entry(play)) == "2026-11-23 19:02"


@pytest.mark.parametrize("text", [LINE, "19:31 ping was lost on ovh3"])
async def test_a_message_is_recorded_when_it_was_said_and_offers_its_authors_time(sqlite_url: str, text: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN, now=EVENING) as play:
        await open_incident(play)
        ts = await play.slack.say(play.ana, play.channel, text)
        await react(play, play.bo, ts)
        (receipt,) = whispers(play, play.bo)
        assert labels(receipt) == ["Edit", "History", "Undo", MOVED]  # 19:31 in Berlin, whoever puts the reaction on
        assert (at(entry(play, text)), len(whispers(play, play.ana))) == ("2026-11-23 19:02", 0)


async def test_the_shortcut_answers_with_the_same_offer(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN, now=EVENING) as play:
        await open_incident(play)
        ts = await play.slack.say(play.ana, play.channel, "19:31 ping was lost on ovh3")
        await play.slack.shortcut(play.bo, play.channel, ts, "timeline_add_message")
        await play.settle()
        after = await press(play, play.bo, "timeline_was_0")
        assert "#2 · 18:31 UTC (13:31 New York)" in after.plain


async def test_a_message_without_a_time_is_recorded_by_reaction_in_silence(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN, now=EVENING) as play:
        await open_incident(play)
        await react(play, play.bo, await play.slack.say(play.ana, play.channel, "ping was lost on ovh3"))
        assert whispers(play, play.bo) == []


@pytest.mark.parametrize("text", ["ping was lost on ovh3 at 10:05", "05/04 10:00 ping was lost"])
async def test_what_a_look_back_recorded_offers_the_times_that_it_names(sqlite_url: str, text: str) -> None:
    async with talk(sqlite_url, refused=AGAIN) as play:
        marked = say(play, play.ana, text)
        marked.reactions["memo"] = [play.bo]
        until(play, NOON)
        await looked_back(play)
        view = await chosen(play)
        assert "mentions a time" in view.plain
        await play.slack.submit(play.ana, view)
        await play.settle()
        receipt = last(play, play.ana, play.slack.dm(play.ana))
        assert "#2 is recorded at the time it was said, and mentions another" in receipt.plain
        before = play.case().entries[0].happened_at
        after = await press(play, play.ana, "timeline_was_0", channel=play.slack.dm(play.ana))
        assert "Changed. Before:" in after.plain
        assert play.case().entries[0].happened_at < before


async def test_words_that_an_incident_is_opened_with_are_offered_it_as_well(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, now=EVENING) as play:
        await type_command(play, play.ana, f"/timeline {LINE}")
        view = await window(play, play.ana, "incident_form_open")
        assert "If it was 18:31 UTC, you can change it on its receipt" in view.plain
        await play.slack.submit(play.ana, view, {"title": "Checkout is failing"})
        await play.settle()
        assert MOVED in labels(having(play, play.ana, "timeline_was_0"))


async def test_a_message_that_an_incident_is_opened_with_is_offered_its_time(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN, now=EVENING) as play:
        ts = await play.slack.say(play.ana, play.channel, "19:31 ping was lost on ovh3")
        await play.slack.shortcut(play.bo, play.channel, ts, "timeline_add_message")
        await play.settle()
        view = await window(play, play.bo, "incident_form_open")
        await play.slack.submit(play.bo, view, {"title": "Checkout is failing"})
        await play.settle()
        await press(play, play.bo, "timeline_was_0")
        assert at(entry(play, "19:31 ping was lost on ovh3")) == "2026-11-23 18:31"
