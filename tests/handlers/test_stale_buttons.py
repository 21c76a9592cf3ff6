"""Old buttons: whatever has become of their thing since, the answer says what is now, and nothing else is done.

Which button is pressed old where stands in `test_stale_every`.
"""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.rehearsal.screen import ShownMessage
from tests.support.history_scans import looked_back, say, talk, until
from tests.support.interactions import as_pressed, having, last, on_stage, open_incident, press, type_command
from tests.support.play import NOON, Play


def remember_message(play: Play, user: str, action: str, channel: str = "") -> ShownMessage:
    """The message that shows a button now: it may be old when that is pressed."""
    return having(play, user, action, channel)


async def press_old(play: Play, user: str, seen: ShownMessage, action: str) -> str:
    """Press a button of a message as it was once shown; everything that this led to, as the person reads it."""
    room = play.slack.workspace.channels[seen.channel]
    room.messages[seen.ts].blocks, room.messages[seen.ts].text = seen.blocks, seen.text
    before = {message.ts for message in play.slack.messages(seen.channel, user=user)} - {seen.ts}
    answer = await play.slack.click(user, seen, *as_pressed(seen, action))
    assert answer.ok, answer
    await play.settle()
    new = [one.plain for one in play.slack.messages(seen.channel, user=user) if one.ts not in before]
    dm = [last(play, user, play.slack.dm(user)).plain] if play.slack.messages(play.slack.dm(user), user=user) else []
    return "\n".join([*new, *dm, *(view.plain for view in play.slack.views(user))])


@dataclass(frozen=True)
class Old:
    """A button, how it comes to be shown, what becomes of its thing then, and what is said of it."""

    action: str
    shown: tuple[str, ...]
    since: tuple[str, ...]
    says: str


ENTRY, STRUCK = ("/timeline 13:10 failed over",), ("/timeline delete 2",)
EDITED = ("/timeline edit 2 13:05 failed over to b",)
CHANGED = "Bo Demo changed #2 after that was shown"
TAKEN_BACK = "removed #2"
WHY = ("/incident resolved", "/why because the pool ran out")
DEEP = tuple(f"/why because {number}" for number in range(4))
OVER = ("/incident resolved", "/postmortem waive a drill")
ACTION = ("/action add a load test @Ana Demo due friday",)
DONE, DROPPED = ("/action done 1",), ("/action drop 1 not needed",)

TYPED = (
    Old("timeline_utc", ENTRY, STRUCK, TAKEN_BACK),
    Old("timeline_utc", ENTRY, EDITED, CHANGED),
    Old("timeline_undo", ENTRY, STRUCK, TAKEN_BACK),
    Old("timeline_undo", ENTRY, EDITED, CHANGED),
    Old("timeline_edit", ENTRY, STRUCK, TAKEN_BACK),
    Old("timeline_edit", ENTRY, EDITED, CHANGED),
    Old("timeline_again", (*ENTRY, *ENTRY), STRUCK, "#2 was removed after that was shown, so nothing was added."),
    Old("timeline_again", (*ENTRY, *ENTRY), EDITED, "#2 was changed after that was shown, so nothing was added."),
    Old("timeline_restore", (*ENTRY, *STRUCK), ("/timeline edit 2 failed over to b",), "is already in the timeline"),
    Old("timeline_form_open", (), OVER, "INC-1 is closed: its postmortem is waived"),
    Old("incident_milestone", (), OVER, "INC-1 is closed: its postmortem is waived"),
    Old("incident_mitigated", (), OVER, "INC-1 is closed: its postmortem is waived"),
    Old("incident_mitigated", (), ("/incident mitigated",), "INC-1 is already mitigated."),
    Old("incident_mitigated", (), ("/incident resolved",), "INC-1 is already resolved."),
    Old("incident_resolved", (), ("/incident resolved",), "INC-1 is already resolved."),
    Old("incident_resolved", (), OVER, "INC-1 is closed"),
    Old("lookback_24", (), OVER, "INC-1 is closed"),
    Old("why_root", WHY, ("/why delete 1",), "Bo Demo removed why 1 already."),
    Old("why_root", WHY, ("/why edit 1 because of the deploy",), "Bo Demo changed why 1 in the meantime"),
    Old("why_root", WHY, ("/why root 1",), "It now reads, as a root cause: because the pool ran out"),
    Old("why_no_root", (*WHY, "/why root"), ("/why delete 1",), "Bo Demo removed why 1 already."),
    Old("why_action", (*WHY, "/why root"), ("/why delete 1",), "Bo Demo removed why 1. Restore it first."),
    Old("why_answer", (*WHY,), ("/why delete 1",), "Bo Demo removed why 1. Restore it first."),
    Old("why_answer", (*WHY,), ("/why because of a leak",), "*Bo Demo* answered that why already: _a leak_ (why 2)."),
    Old("why_answer", (*WHY,), ("/why root",), "Why 1 is marked as a root cause."),
    Old("why_delete", (*WHY, "/why edit 1"), ("/why delete 1",), "Bo Demo removed why 1 already."),
    Old("why_delete", (*WHY, "/why edit 1"), ("/why edit 1 because of b",), "Bo Demo changed why 1"),
    Old("why_edit", (*WHY, "/why edit 1"), ("/why delete 1",), "Bo Demo removed why 1"),
    Old("why_edit", (*WHY, "/why edit 1"), ("/why edit 1 because of b",), "Bo Demo changed why 1 in the meantime"),
    Old("why_restore", (*WHY, "/why delete 1"), ("/why edit 1 because of b",), "Why 1 isn't removed."),
    Old("action_done", ACTION, DONE, "Action 1 is already done."),
    Old("action_done", ACTION, DROPPED, "Action 1 is already dropped."),
    Old("action_date", ACTION, DONE, "Action 1 is already done."),
    Old("action_hand_over", (*ACTION, "/action 1"), DONE, "Action 1 is already done."),
    Old("action_drop", (*ACTION, "/action 1"), DONE, "Action 1 is already done."),
    Old("action_reopen", (*ACTION, *DONE), ("/action reopen 1",), "Action 1 is already open."),
    Old("action_day_0", (*ACTION, "/action 1 next friday"), DONE, "Action 1 is already done."),
    Old("finding_action", ("/action add a load test",), DONE, "Action 1 is already done."),
    Old("postmortem_reopen", OVER, ("/postmortem reopen",), "is already open"),
)


OPENING = {"timeline_edit", "why_edit"}
"""An old one opens a form that says who changed the text. Its answer takes the place of the message."""


def shows_still(play: Play, seen: ShownMessage, action: str) -> bool:
    """Whether the message shows the button as it did, with the same value: the version, or the state, of then."""
    now = [one for one in play.slack.messages(seen.channel, user=play.ana) if one.ts == seen.ts]
    return any(button in one.buttons for one in now for button in seen.buttons if action in button[1] + button[2])


@pytest.mark.parametrize("old", TYPED, ids=lambda old: f"{old.action}: {old.says[:40]}")
async def test_an_old_button_says_what_is_now_and_does_nothing(sqlite_url: str, old: Old) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for line in old.shown:
            await type_command(play, play.ana, line)
            await play.settle()
        seen = remember_message(play, play.ana, old.action)
        for line in old.since:
            await type_command(play, play.bo, line)
            await play.settle()
        before, is_shown = play.case(), shows_still(play, seen, old.action)
        assert old.says in await press_old(play, play.ana, seen, old.action)
        assert play.case() == before
        assert not is_shown or old.action in OPENING or not shows_still(play, seen, old.action)


async def test_a_struck_entry_stays_struck_whatever_is_pressed_and_its_receipt_brings_it_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 13:10 failed over")
        await play.settle()
        seen = remember_message(play, play.ana, "timeline_utc")
        await type_command(play, play.ana, "/timeline delete 2")
        for action in ("timeline_utc", "timeline_undo", "timeline_edit"):
            await press_old(play, play.ana, seen, action)
            assert len(play.case().entries) == 1
            assert play.slack.views(play.ana) == []
        await press(play, play.ana, "timeline_restore")
        assert "failed over" in [entry.text for entry in play.case().entries]


async def test_a_form_that_was_open_while_its_entry_was_taken_back_says_so_and_saving_it_is_a_choice(
    sqlite_url: str,
) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 13:10 failed over")
        await press(play, play.ana, "timeline_edit")
        await type_command(play, play.bo, "/timeline delete 2")
        view = play.slack.views(play.ana)[-1]
        await play.slack.submit(play.ana, view, {"text": "failed over to b"})
        view = play.slack.views(play.ana)[-1]
        assert "Bo Demo removed #2 while you were editing." in view.plain
        assert len(play.case().entries) == 1
        await play.slack.submit(play.ana, view)
        assert "failed over to b" in [entry.text for entry in play.case().entries]


async def test_a_question_about_a_time_is_answered_once_and_not_into_a_later_incident(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/timeline 3/4 12:00 failed over")
        seen = remember_message(play, play.ana, "timeline_at_0")
        for action in ("timeline_at_1", "timeline_at_0", "timeline_at_now"):
            await press_old(play, play.ana, seen, action)
        assert len(play.case().entries) == 2
        await type_command(play, play.ana, "/timeline 3/4 11:00 failed back")
        seen = remember_message(play, play.ana, "timeline_at_0")
        await type_command(play, play.ana, "/incident resolved")
        play.clock.advance(timedelta(minutes=1))
        await open_incident(play, "Search is slow")
        message = await press_old(play, play.ana, seen, "timeline_at_0")
        assert "INC-2 was opened after that question. If it belongs to INC-2, send it again." in message
        assert len(play.case().entries) == 1


async def test_what_was_said_to_the_bot_and_taken_back_stays_so_when_its_question_is_answered(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await play.slack.say(play.ana, play.channel, "@afterword 3/4 12:00 failed over")
        await play.settle()
        seen = remember_message(play, play.ana, "capture_at_0")
        await press_old(play, play.ana, seen, "capture_at_0")
        await type_command(play, play.ana, "/timeline undo")
        message = await press_old(play, play.ana, seen, "capture_at_1")
        assert "You removed #2. Restore it first." in message
        assert len(play.case().entries) == 1


async def test_an_old_move_of_a_why_says_how_it_stands(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for line in WHY:
            await type_command(play, play.ana, line)
        await play.settle()
        await type_command(play, play.bo, "/why because of the deploy")
        await play.settle()
        seen = remember_message(play, play.bo, "why_move")
        await type_command(play, play.ana, "/why delete 2")
        assert "Ana Demo removed why 2" in await press_old(play, play.bo, seen, "why_move")
        await type_command(play, play.ana, "/why edit 2 because of the rollout")
        assert "Ana Demo changed why 2" in await press_old(play, play.bo, seen, "why_move")


async def test_an_action_that_is_somebody_else_s_now_is_said_to_be_theirs(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action add a load test @Bo Demo due tomorrow")
        await play.pass_time(days=2, hours=2)
        room = play.slack.dm(play.bo)
        seen = remember_message(play, play.bo, "action_done", room)
        await type_command(play, play.ana, "/action 1 @Chandra Demo")
        assert "Action 1 of INC-1 is Chandra Demo's now." in await press_old(play, play.bo, seen, "action_done")


REMINDED = ("postmortem_hand_over", "postmortem_waive", "postmortem_snooze")


@pytest.mark.parametrize("action", REMINDED)
async def test_an_old_reminder_says_that_nothing_is_asked_any_more(sqlite_url: str, action: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident lead @Bo Demo")
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(hours=24)
        room = play.slack.dm(play.bo)
        seen = remember_message(play, play.bo, action, room)
        await type_command(play, play.ana, "/postmortem waive a drill")
        message = await press_old(play, play.bo, seen, action)
        assert "The postmortem of INC-1 is already waived. Reopen it: `/postmortem reopen INC-1`" in message
        await type_command(play, play.ana, "/incident reopen")
        assert "INC-1 is open again. Its postmortem starts when it's resolved." in await press_old(
            play, play.bo, seen, action
        )


async def test_after_publication_the_look_back_says_the_true_reason_in_the_dm(sqlite_url: str) -> None:
    async with talk(sqlite_url) as play:
        say(play, play.bo, "04:20 failed over")
        until(play, NOON)
        await looked_back(play)
        room = play.slack.dm(play.ana)
        seen = remember_message(play, play.ana, "lookback_choose_0", room)
        for line in OVER:
            await type_command(play, play.ana, line)
        message = await press_old(play, play.ana, seen, "lookback_choose_0")
        assert "INC-1 is closed: its postmortem is waived. To add to it, reopen it first" in message
        assert "reopen it first: `/postmortem reopen INC-1`" in message
        assert "button" not in message
        assert "this channel" not in message


async def test_what_is_harmless_is_not_masked_again_by_undo_and_back(sqlite_url: str) -> None:
    key = "AKIA" + "IOSFODNN7" + "EXAMPLE"
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/timeline 13:10 used aws key {key}")
        for action in ("secret_harmless", "timeline_undo", "timeline_restore", "timeline_undo"):
            message = await press(play, play.ana, action)
            assert key in message.plain
            assert not message.plain.count("•")
        assert key not in "".join(one.plain for one in play.slack.messages(play.channel, user=play.bo))
