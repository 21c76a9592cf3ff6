"""A due date that can be several days is asked, wherever it is typed; the answer takes effect once."""

from datetime import date

import pytest

from bot.domain.records import ActionStatus
from tests.handlers.test_action_reminders import owing, said_back
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play

NEXT_FRIDAY = ["Fri 27 Nov", "Fri 4 Dec"]


def dates(play: Play) -> list[date | None]:
    return [action.due_on for action in play.case().actions]


async def test_which_friday_is_meant_is_asked_before_an_action_is_written_down(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        answer = await type_command(
            play, play.ana, "/action prevent: add a load <test> @Bo Demo due next friday https://demo.example/1"
        )
        assert answer.startswith(
            "Which day do you mean? “next friday” could be either of two days. Nothing is recorded yet."
        )
        asked = last(play, play.ana)
        assert "add a load <test>" in asked.plain
        assert labels(asked) == [*NEXT_FRIDAY, "No due date"]
        assert play.case().actions == ()
        assert (await play.slack.click(play.ana, asked, "action_day_1")).ok
        await play.settle()
        (action,) = play.case().actions
        assert (action.text, action.owner, action.due_on) == ("add a load <test>", play.bo, date(2026, 12, 4))
        assert (str(action.kind), action.link) == ("prevent", "https://demo.example/1")
        assert "add a load <test>" in last(play, play.bo, play.slack.dm(play.bo)).plain
        (answered,) = [one for one in play.slack.messages(play.channel, user=play.ana) if one.ts == asked.ts]
        assert answered.plain.startswith(":pushpin: *Action 1* of INC-1: add a load <test>\n@Bo Demo · due Fri 4 Dec")


async def test_the_question_answered_twice_writes_one_action_down(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action add a load test due nov 22")
        asked = last(play, play.ana)
        assert "22 November has passed this year. Is it 22 November 2027?" in asked.plain
        for button in ("action_day_0", "action_day_1"):
            assert (await play.slack.click(play.ana, asked, button)).ok
        await play.settle()
        assert dates(play) == [date(2027, 11, 22)]


async def test_without_a_due_date_it_is_written_down_as_well(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action add a load test by 05/04")
        await press(play, play.ana, "action_day_2")
        assert [(action.text, action.due_on) for action in play.case().actions] == [("add a load test", None)]


async def test_what_the_buttons_cannot_hold_is_given_back(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, f"/action {'load ' * 500}due next friday")
        assert "Send it again with the full date, as in `due 2026-12-24`." in answer
        assert "load load" in last(play, play.ana).plain
        assert play.case().actions == ()


@pytest.mark.parametrize("typed", ["due dec 32", "due feb 30", "(due 31 nov)", "by 29 feb 2027", "due thu 27 nov"])
async def test_a_day_that_there_is_not_is_refused_and_the_words_come_back(sqlite_url: str, typed: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/action add a load test {typed}")
        assert f"add a load test {typed}" in last(play, play.ana).plain
        assert "Try `due friday`, `due in 2 weeks` or `due 2026-12-24`." in last(play, play.ana).plain
        assert play.case().actions == ()


async def test_a_new_date_is_asked_of_several_actions_at_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for line in ("add a load test", "write the runbook"):
            await type_command(play, play.ana, f"/action {line}")
        await type_command(play, play.ana, "/action 1 and 2 next friday")
        assert labels(last(play, play.ana)) == NEXT_FRIDAY
        await press(play, play.ana, "action_day_0")
        assert dates(play) == [date(2026, 11, 27)] * 2
        assert "There's no 30 February" in await type_command(play, play.ana, "/action 2 feb 30")
        assert "A due date is a whole day, so “9am” isn't kept." in await type_command(
            play, play.ana, "/action 2 monday 9am"
        )
        assert dates(play) == [date(2026, 11, 27), date(2026, 11, 30)]
        assert len(play.case().actions) == 2


async def test_a_reply_in_the_dm_is_asked_and_answered_there(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await owing(play)
        answer = await said_back(play, play.bo, "1 next friday")
        assert "Which day do you mean?" in answer.plain
        assert "*1* of INC-1: add a load test" in answer.plain
        assert labels(answer) == NEXT_FRIDAY
        await press(play, play.bo, "action_day_1", channel=room)
        assert dates(play) == [date(2026, 12, 4)]
        asked = await said_back(play, play.bo, "1 30 feb")
        assert "There's no 30 February: it has 29 days. Try `1 friday`" in asked.plain
        assert asked.plain.count("Try") == 1
        assert "I read no day" not in last(play, play.bo, room).plain


async def test_an_old_question_about_a_finished_action_says_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await owing(play)
        await said_back(play, play.bo, "1 next friday")
        await said_back(play, play.bo, "done 1")
        await press(play, play.bo, "action_day_1", channel=room)
        assert "Action 1 is already done." in last(play, play.bo, room).plain


UNPICKED = [
    "1 @bruno",
    "#1 to @bruno",
    "give 1 to @bruno",
    "hand 1 over to @bruno",
    "assign 1 @bruno",
    "1 @bruno friday",
]
UNPICKED += [
    f"{word} 1 @bruno" for word in ("done", "close", "finish", "drop", "move", "reopen", "undo", "show", "edit")
]


@pytest.mark.parametrize("typed", [*UNPICKED, "1 and 2 @bruno", "INC-1 1 @bruno", "7 @bruno", "drop 7 @bruno"])
async def test_a_name_that_was_not_picked_is_no_new_action_and_changes_none(sqlite_url: str, typed: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        for line in ("add a load test", "write the runbook"):
            await type_command(play, play.ana, f"/action {line}")
        before = play.case().actions
        answer = await type_command(play, play.ana, f"/action {typed}")
        assert "I don't know who @bruno is. Type @ and pick the name from Slack's list." in answer
        assert play.case().actions == before


async def test_a_name_that_was_not_picked_is_asked_for_in_the_dm_too(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owing(play)
        for typed in ("1 @bruno", "give 1 to @bruno", "drop 1 @bruno"):
            answer = await said_back(play, play.bo, typed)
            assert "I don't know who @bruno is. Type @ and pick the name" in answer.plain
        assert play.case().actions[0].owner == play.bo
        assert play.case().actions[0].status is ActionStatus.OPEN


async def test_an_action_is_handed_to_oneself_and_never_to_two_people(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action add a load test @Bo Demo")
        assert "@Ana Demo now owns action 1 of INC-1" in await type_command(play, play.ana, "/action 1 @me")
        answer = await type_command(play, play.ana, "/action 1 @Bo Demo @Chandra Demo")
        assert "An action has one owner. Try `/action 1 @name`" in answer
        answer = await type_command(play, play.ana, "/action reopen 1 @Bo Demo")
        assert "To hand action 1 over, type only `/action 1 @name`" in answer
        assert [action.owner for action in play.case().actions] == [play.ana]
        assert having(play, play.ana, "action_done").plain
