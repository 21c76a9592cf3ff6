"""What is asked about a time is answered by a button: also with a moment still to come, but for milestones."""

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.records import Entry, EntryKind, Milestone, Status
from bot.domain.times import Reading
from bot.rehearsal.screen import list_elements
from bot.slack.views import corrections as corrections_views
from bot.slack.views import incidents as incidents_views
from bot.slack.views.timeline import Clocks, time_question
from tests.handlers.test_capture import AGAIN, whispers
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command, window
from tests.support.play import NOON, Play

AHEAD = NOON + timedelta(hours=1, minutes=30)
YESTERDAY = AHEAD - timedelta(days=1)
BERLIN = Clocks(NOON, ZoneInfo("Europe/Berlin"), "Berlin")


def ambiguous_reading(*choices: datetime, text: str = "maintenance begins") -> Reading:
    return Reading(text, question=choices, written="15:00", assumed_zone=True, problem="15:00 is hasn't happened yet.")


def button_labels(message: dict[str, Any]) -> list[str]:
    """The words on the buttons of a message that was not sent."""
    return [button["text"]["text"] for button in message["blocks"][-1]["elements"]]


def only(play: Play, text: str) -> Entry:
    (found,) = [entry for entry in play.case().entries if entry.text == text]
    return found


async def again(play: Play, action: str, **changed: Any) -> None:
    """Press a button that carries something else than it did: what the grammar asks is not what is tried here."""
    shown = having(play, play.ana, action)
    message = play.slack.workspace.channels[play.channel].messages[shown.ts]
    (button,) = [one for _, one in list_elements(message.blocks) if one.get("action_id") == action]
    button["value"] = json.dumps(json.loads(button["value"]) | changed)
    await press(play, play.ana, action)


def test_a_question_offers_yesterday_and_what_is_still_to_come() -> None:
    question = time_question(ambiguous_reading(YESTERDAY, AHEAD), BERLIN)
    assert button_labels(question) == [
        "Yesterday 14:00 UTC (15:00 Berlin)",
        "Today 14:00 UTC (15:00 Berlin), still to come",
        "Just now",
    ]


def test_no_question_offers_what_is_more_than_two_days_ahead() -> None:
    assert button_labels(time_question(ambiguous_reading(YESTERDAY, NOON + timedelta(hours=49)), BERLIN)) == [
        "Yesterday 14:00 UTC (15:00 Berlin)",
        "Just now",
    ]


def test_the_question_about_a_milestone_offers_only_what_has_been() -> None:
    question = incidents_views.milestone_time_question(Milestone.MITIGATED, ambiguous_reading(YESTERDAY, AHEAD), BERLIN)
    assert question is not None
    assert button_labels(question) == ["Yesterday 14:00 UTC (15:00 Berlin)", "Just now"]
    assert incidents_views.milestone_time_question(Milestone.MITIGATED, ambiguous_reading(AHEAD), BERLIN) is None
    assert (
        incidents_views.milestone_time_question(
            Milestone.MITIGATED, ambiguous_reading(YESTERDAY, text="x" * 2_000), BERLIN
        )
        is None
    )


async def test_a_choice_still_to_come_is_recorded_and_said_to_be_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 05/04 15:00 maintenance begins")
        await again(play, "timeline_at_0", at=AHEAD.isoformat())
        assert only(play, "maintenance begins").happened_at == AHEAD
        assert "*#2 · 14:00 UTC (15:00 Berlin), still to come*  maintenance begins" in last(play, play.ana).plain
        assert "`14:00` _still to come:_ maintenance begins" in await type_command(play, play.bo, "/timeline show")
        await play.pass_time(hours=2)
        assert "still to come" not in await type_command(play, play.bo, "/timeline show")


async def test_more_than_two_days_ahead_is_refused_whatever_a_button_says(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 05/04 15:00 maintenance begins")
        await again(play, "timeline_at_0", at=(NOON + timedelta(hours=49)).isoformat())
        assert "more than two days ahead" in last(play, play.ana).plain
        assert len(play.case().entries) == 1


async def test_a_moment_still_to_come_that_nobody_was_asked_about_stays_refused(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline maintenance begins")
        view = await window(play, play.ana, "timeline_edit")
        answer = await play.slack.submit(play.ana, view, {"when": "2026-11-23 15:00"})
        assert "hasn't happened yet" in answer.errors["when"]


async def test_words_of_an_entry_still_to_come_can_be_changed(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 05/04 15:00 maintenance begins")
        await again(play, "timeline_at_0", at=AHEAD.isoformat())
        answer = await type_command(play, play.ana, "/timeline edit 2 the maintenance of db-1 begins")
        assert "still to come" in answer
        assert only(play, "the maintenance of db-1 begins").happened_at == AHEAD


async def test_what_was_said_to_the_bot_may_be_still_to_come_as_well(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        await play.slack.say(play.ana, play.channel, "@afterword 05/04 15:00 maintenance begins")
        await play.settle()
        assert whispers(play, play.ana)
        await again(play, "capture_at_0", at=AHEAD.isoformat())
        assert only(play, "maintenance begins").happened_at == AHEAD


async def test_an_edit_whose_time_has_two_readings_is_asked_with_buttons(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline failed over")
        answer = await type_command(play, play.ana, "/timeline edit 2 05/04 10:00 failed over by hand")
        assert "Not changed yet" in answer
        assert labels(last(play, play.ana)) == [
            "Sun 5 Apr, 08:00 UTC (10:00 Berlin)",
            "Mon 4 May, 08:00 UTC (10:00 Berlin)",
            "Keep 12:30 UTC",
        ]
        assert only(play, "failed over").version == 1
        after = await press(play, play.ana, "timeline_edit_at_1")
        assert "Changed. Before:" in after.plain
        assert f"{only(play, 'failed over by hand').happened_at:%m-%d %H:%M}" == "05-04 08:00"


async def test_an_edit_may_keep_its_time_and_take_the_words(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline failed over")
        await type_command(play, play.ana, "/timeline edit 2 25:99 failed over by hand")
        await press(play, play.ana, "timeline_edit_at_keep")
        assert only(play, "failed over by hand").happened_at == NOON


async def test_an_edit_that_was_asked_leaves_what_somebody_changed_meanwhile(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline failed over")
        await type_command(play, play.ana, "/timeline edit 2 05/04 10:00 failed over by hand")
        await type_command(play, play.bo, "/timeline edit 2 failed over to B")
        after = await press(play, play.ana, "timeline_edit_at_0")
        assert "Bo Demo changed #2 after that was shown, so nothing was done. It now reads" in after.plain
        assert only(play, "failed over to B").happened_at == NOON


async def test_an_edit_too_long_for_a_button_is_refused_with_its_readings_in_full(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline failed over")
        answer = await type_command(play, play.ana, "/timeline edit 2 05/04 10:00 " + "x" * 2_000)
        assert "#2 wasn't changed." in answer
        assert "`/timeline edit 2 2026-04-05 08:00 UTC` or `/timeline edit 2 2026-05-04 08:00 UTC`" in answer


async def test_a_milestone_whose_time_has_two_readings_is_asked_with_buttons(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/incident mitigated 05/04 10:00 traffic moved")
        assert "Not recorded yet" in answer
        asking = last(play, play.ana)
        assert labels(asking) == [
            "Sun 5 Apr, 08:00 UTC (10:00 Berlin)",
            "Mon 4 May, 08:00 UTC (10:00 Berlin)",
            "Just now",
        ]
        assert asking.ephemeral_for == play.ana
        assert play.case().incident.status is Status.OPEN
        await press(play, play.ana, "incident_at_1")
        found = only(play, "traffic moved")
        assert (f"{found.happened_at:%m-%d %H:%M}", found.milestone) == ("05-04 08:00", Milestone.MITIGATED)
        answered = [one for one in play.slack.messages(play.channel, user=play.ana) if one.ephemeral_for]
        assert any("INC-1 mitigated* on Mon 4 May, 08:00 UTC" in one.plain for one in answered)
        assert not any("incident_at_1" in [button[1] for button in one.buttons] for one in answered)


async def test_a_milestone_still_to_come_is_refused_whatever_a_button_says(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved 05/04 10:00")
        await again(play, "incident_at_0", at=AHEAD.isoformat())
        assert "hasn't happened yet" in last(play, play.ana).plain
        assert play.case().incident.status is Status.OPEN


async def test_a_milestone_may_be_as_of_now_after_all(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved 05/04 10:00 all is well")
        await press(play, play.ana, "incident_at_now")
        assert only(play, "all is well").happened_at == play.clock.now()
        assert play.case().incident.status is Status.RESOLVED


@pytest.mark.parametrize("action", ["timeline_edit", "incident_milestone"])
async def test_a_window_names_the_readings_in_full(sqlite_url: str, action: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline failed over")
        view = await window(play, play.ana, action)
        answer = await play.slack.submit(play.ana, view, {"when": "05/04 10:00"})
        assert "as in 2026-04-05 08:00 UTC or 2026-05-04 08:00 UTC" in answer.errors["when"]


async def test_the_receipt_of_another_day_says_it_in_words(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/timeline yesterday 15:00 failed over")
        assert "*#2 · yesterday, Sun 22 Nov, 14:00 UTC (15:00 Berlin)*  failed over" in answer
        answer = await type_command(play, play.ana, "/timeline edit 2 friday 15:00")
        assert "#2 · 3 days ago, Fri 20 Nov, 14:00 UTC (15:00 Berlin)*" in answer
        assert "3 days ago, Fri 20 Nov" in await type_command(play, play.ana, "/timeline edit 2")
        answer = await type_command(play, play.ana, "/timeline 2025-11-23 15:00 the pool was made")
        assert "*#3 · Sun 23 Nov 2025, 14:00 UTC (15:00 Berlin)*" in answer
        assert "*#4 · 12:00 UTC (13:00 Berlin)*" in await type_command(play, play.ana, "/timeline 13:00 failed back")


def test_the_question_of_an_edit_carries_the_words_once_and_the_version() -> None:
    entry = Entry(1, 1, 2, NOON, None, False, "failed over", "U1", "U1", NOON, EntryKind.NOTE, None, 3, struck=False)
    question = corrections_views.time_question(entry, ambiguous_reading(YESTERDAY, AHEAD), BERLIN)
    assert question is not None
    assert button_labels(question) == [
        "Yesterday 14:00 UTC (15:00 Berlin)",
        "Today 14:00 UTC (15:00 Berlin), still to come",
        "Keep 12:30 UTC",
    ]
    values = [json.loads(button["value"]) for button in question["blocks"][-1]["elements"]]
    assert {(value["version"], value["text"]) for value in values} == {(3, "maintenance begins")}
    assert corrections_views.time_question(entry, ambiguous_reading(text=""), BERLIN) is None
