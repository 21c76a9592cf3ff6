"""`/action` with a number: several at once, a new date, another owner, shown; and what was closed is opened again."""

from datetime import date

from bot.domain.records import ActionStatus
from tests.handlers.test_action_reminders import owing, said_back
from tests.support.interactions import action_statuses, labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play


async def with_three(play: Play) -> None:
    await open_incident(play)
    for line in ("cap the retries", "rotate the keys @Bo Demo due friday", "mute the alert"):
        await type_command(play, play.ana, f"/action {line}")


async def test_several_are_finished_at_once_and_one_that_cannot_be_hinders_no_other(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await with_three(play)
        await type_command(play, play.ana, "/action done 1")
        answer = await type_command(play, play.ana, "/action done 1 and #2")
        assert "Action 1 is already done." in answer
        assert "Action 2 of INC-1 is done: rotate the keys" in answer
        assert "has no action 9" in await type_command(play, play.ana, "/action done 3, 9")
        assert action_statuses(play) == ["done", "done", "open"]


async def test_a_date_and_an_owner_are_given_by_number(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_three(play)
        assert "Action 1 of INC-1 is now due Fri 27 Nov" in await type_command(play, play.chandra, "/action 1 friday")
        assert "Action 3 of INC-1 is now due Mon 7 Dec" in await type_command(
            play, play.bo, "/action move 3 to 2 weeks"
        )
        assert "@Chandra Demo now owns action 1 of INC-1" in await type_command(
            play, play.ana, "/action 1 @Chandra Demo"
        )
        assert "@Bo Demo now owns action 3" in await type_command(play, play.ana, "/action give 3 to @Bo Demo")
        owners = [(action.owner, action.due_on) for action in play.case().actions]
        friday = date(2026, 11, 27)
        assert owners == [(play.chandra, friday), (play.bo, friday), (play.bo, date(2026, 12, 7))]


async def test_a_number_alone_shows_it_and_a_bare_word_asks_which(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_three(play)
        await type_command(play, play.ana, "/action done 3")
        answer = await type_command(play, play.chandra, "/action 2 and 3")
        assert "*2.* rotate the keys\nBo Demo · due Fri 27 Nov" in answer
        assert "*3.* ~mute the alert~ done" in answer
        shown = last(play, play.chandra)
        assert labels(shown) == ["Done", "New date", "Hand over", "Won't do …", "Owner, date, link", "Edit"]
        for line in ("done it", "move it to friday"):
            assert "Which action? Try `/action done 1`" in await type_command(play, play.chandra, f"/action {line}")
        assert "INC-1 has no action 7." in await type_command(play, play.chandra, "/action 2 and 7")
        assert "This channel is about INC-1." in await type_command(play, play.chandra, "/action done INC-4 2")
        assert "Why won't it be done?" in await type_command(play, play.chandra, "/action 2 won't do")
        assert len(play.case().actions) == 3


async def test_a_misspelt_weekday_is_asked_about_and_no_new_action(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_three(play)
        answer = await type_command(play, play.ana, "/action 2 fryday")
        assert answer.startswith("I couldn't read “fryday” as a date for action 2. Try `/action 2 friday`")
        assert "/action 2 fryday" in answer or "2 fryday" in answer
        assert len(play.case().actions) == 3


async def test_what_only_begins_like_it_is_a_new_action(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        lines = ("3 more replicas", "2 friday deploys get a freeze", "done with paging: write it down", "move the pool")
        for line in (*lines, "give each team a dashboard", "close 3 open ports"):
            await type_command(play, play.ana, f"/action {line}")
        assert [action.text for action in play.case().actions][: len(lines)] == list(lines)
        assert len(play.case().actions) == 6


async def test_what_was_finished_by_mistake_is_opened_again_where_it_was_said(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await owing(play)
        assert labels(await said_back(play, play.bo, "done 1")) == ["Reopen action"]
        answer = await press(play, play.bo, "action_reopen", channel=room)
        assert "Action 1 of INC-1 is open again: add a load test" in answer.plain
        assert "is open again" not in last(play, play.ana).plain
        (action,) = play.case().actions
        assert (action.status, action.closed_at) == (ActionStatus.OPEN, None)
        await play.pass_time(days=1)
        assert "You have 1 overdue action" in last(play, play.bo, room).plain
        await play.pass_time(days=32)
        assert not any("Did it hold?" in message.plain for message in play.slack.messages(room))


async def test_a_dropped_one_is_opened_again_without_its_reason(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await with_three(play)
        await type_command(play, play.ana, "/action drop 2 not needed")
        assert "Action 2 of INC-1 is open again: rotate the keys" in await type_command(
            play, play.ana, "/action reopen 2"
        )
        assert "Action 2 is already open." in await type_command(play, play.ana, "/action reopen 2")
        assert "has no action 9" in await type_command(play, play.ana, "/action reopen 9")
        assert (play.case().actions[1].reason, action_statuses(play)) == ("", ["open"] * 3)
