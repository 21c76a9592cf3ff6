"""`/action`: written down with owner and day, finished, moved, dropped, from the channel and from a DM."""

from datetime import UTC, date, datetime

import pytest

from bot.domain.records import ActionKind, ActionStatus
from bot.rehearsal.delivery import AppDelivery
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command, window


async def test_an_action_names_its_owner_on_purpose_and_its_day(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/action add a load test for the pool @Bo Demo due friday")
        assert "*Action 1* of INC-1: add a load test for the pool" in answer
        assert "@Bo Demo · due Fri 27 Nov · I'll let them know" in answer
        assert "add a load test" not in last(play, play.chandra).plain
        await play.settle()
        message = last(play, play.bo, play.slack.dm(play.bo))
        assert "@Ana Demo gave you an action.\n*add a load test for the pool*\nDue Fri 27 Nov" in message.plain
        assert "action 1 of INC-1 in #checkout" in message.plain
        assert labels(message) == ["Done", "New date", "Hand over", "Won't do …"]
        (action,) = play.case().actions
        assert (action.text, action.owner, action.due_on) == (
            "add a load test for the pool",
            play.bo,
            date(2026, 11, 27),
        )
        assert action.overdue_at == datetime(2026, 11, 28, 5, tzinfo=UTC)  # the end of that day in New York


@pytest.mark.parametrize(
    ("typed", "text", "due"),
    [
        ("rotate the certificates @me due in 2 weeks", "rotate the certificates", date(2026, 12, 7)),
        ("rotate them by hand", "rotate them by hand", None),
        ("drop the old index", "drop the old index", None),
        ("list all pools in the runbook", "list all pools in the runbook", None),
        ("help the on-call by tomorrow", "help the on-call", date(2026, 11, 24)),
    ],
)
async def test_free_text_is_an_action(sqlite_url: str, typed: str, text: str, due: date | None) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, f"/action {typed}")
        (action,) = play.case().actions
        assert (action.text, action.due_on) == (text, due)
        assert action.owner == (play.ana if "@me" in typed else None)


async def test_a_day_that_is_none_is_asked_for(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/action add a load test due someday soon")
        assert "I couldn't read “someday soon” as a date. Try `due friday`" in answer
        assert "add a load test due someday soon" in answer  # given back
        assert play.case().actions == ()


async def test_two_people_named_keep_both_names_and_the_first_owns_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action @Chandra Demo pairs with @Bo Demo on the pool")
        (action,) = play.case().actions
        assert (action.owner, action.text) == (play.chandra, "@Chandra Demo pairs with @Bo Demo on the pool")
        await play.settle()
        assert "gave you an action" in last(play, play.chandra, play.slack.dm(play.chandra)).plain
        assert play.slack.messages(play.slack.dm(play.bo)) == []


async def test_the_owner_hears_once_that_somebody_else_reopened_their_action(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        room = play.slack.dm(play.bo)
        await type_command(play, play.bo, "/action add a load test @Bo Demo due friday")
        await type_command(play, play.bo, "/action done 1")
        await type_command(play, play.bo, "/action reopen 1")
        await play.settle()
        assert play.slack.messages(room) == []  # they did it themselves
        await type_command(play, play.bo, "/action done 1")
        await type_command(play, play.ana, "/action reopen 1")
        await play.settle()
        (message,) = play.slack.messages(room)
        assert "@Ana Demo reopened your action.\n*add a load test*\nDue Fri 27 Nov · action 1 of INC-1" in message.plain
        assert labels(message) == ["Done", "New date", "Hand over", "Won't do …"]
        await type_command(play, play.ana, "/action drop 1 not needed")
        await play.settle()
        (message,) = play.slack.messages(room)
        assert labels(message) == []


async def test_done_drop_and_the_list(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        assert "no actions yet" in await type_command(play, play.ana, "/action")
        await type_command(play, play.ana, "/action add a load test @Bo Demo")
        await type_command(play, play.ana, "/action mute the alert")
        await type_command(play, play.ana, "/action rotate the keys due tomorrow")
        assert "Action 1 of INC-1 is done: add a load test" in await type_command(play, play.bo, "/action done #1")
        assert "Action 1 is already done." in await type_command(play, play.bo, "/action done 1")
        assert "Why won't it be done? Try `/action drop 2 covered" in await type_command(
            play, play.bo, "/action drop 2"
        )
        assert "Reason: the alert was right" in await type_command(play, play.bo, "/action drop 2 the alert was right")
        assert "INC-1 has no action 9." in await type_command(play, play.bo, "/action done 9")
        await play.pass_time(days=3)
        shown = await type_command(play, play.chandra, "/action list")
        assert "INC-1: 3 actions, 1 overdue" in shown
        assert "~add a load test~ done" in shown
        assert "~mute the alert~ dropped: the alert was right" in shown
        assert "*3.* rotate the keys\nno owner yet · due Tue 24 Nov (*overdue*)" in shown
        assert last(play, play.chandra).pings == set()
        assert "Record what will change" in await type_command(play, play.ana, "/action help")


async def test_anyone_in_the_channel_gives_a_new_date_and_the_message_stays(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action add a load test @Bo Demo due tomorrow")
        await type_command(play, play.chandra, "/action 1")
        view = await window(play, play.chandra, "action_date")
        answer = await play.slack.submit(play.chandra, view, {"due": "2026-11-20"})
        assert "is past" in answer.errors["due"]
        await play.slack.submit(play.chandra, view, {"due": "2026-12-24"})
        await play.settle()
        message = last(play, play.chandra).plain
        assert "Action 1 of INC-1 is now due Thu 24 Dec: add a load test" in message
        assert "Due date moved by Chandra Demo (was 24 Nov)." in message
        assert play.case().actions[0].due_on == date(2026, 12, 24)


async def test_the_digest_in_the_dm_finishes_and_moves_actions(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action add a load test @Bo Demo due tomorrow")
        await type_command(play, play.ana, "/action rotate the keys @Bo Demo due tomorrow")
        await play.pass_time(days=3, hours=2)
        room = play.slack.dm(play.bo)
        digest = last(play, play.bo, room)
        assert "You have 2 overdue actions" in digest.plain
        await play.slack.click(play.bo, digest, "action_done")
        await play.settle()
        assert "Action 1 of INC-1 is done" in last(play, play.bo, room).plain
        rest = having(play, play.bo, "action_done", room)
        # The digest still stands, for what is left.
        assert (rest.ts, "1 overdue action\n" in rest.plain, "load test" in rest.plain) == (digest.ts, True, False)
        await play.slack.click(play.bo, rest, "action_date")
        await play.settle()
        (view,) = play.slack.views(play.bo)
        assert "rotate the keys" in view.plain
        await play.slack.submit(play.bo, view, {"due": "2026-12-24"})
        await play.settle()
        assert "Action 2 of INC-1 is now due Thu 24 Dec" in last(play, play.bo, room).plain
        assert "nothing is overdue anymore" in next(m.plain for m in play.slack.messages(room) if m.ts == digest.ts)
        done, moved = play.case().actions
        assert (done.status, moved.status, moved.due_on) == (ActionStatus.DONE, ActionStatus.OPEN, date(2026, 12, 24))
        await play.pass_time(days=1)
        assert "overdue" not in last(play, play.bo, room).plain


async def test_an_action_from_a_why_needs_words(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/why because the pool ran out")
        await type_command(play, play.ana, "/why root")
        await play.settle()
        await press(play, play.ana, "why_action")
        (view,) = play.slack.views(play.ana)
        answer = await play.slack.submit(play.ana, view, {"text": " "})
        assert answer.errors == {"text": "What needs doing? Write it in a few words."}


async def test_whoever_neither_owns_an_action_nor_is_in_its_channel_cannot_finish_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/action add a load test @Bo Demo due tomorrow")
        await play.pass_time(days=3, hours=2)
        room = play.slack.dm(play.bo)
        answer = await play.slack.click(play.bo, last(play, play.bo, room), "action_date")
        assert answer.delivery is not None
        stolen = answer.delivery.payload | {"user": {"id": play.chandra}, "trigger_id": "another", "response_url": ""}
        stolen["actions"] = [{**stolen["actions"][0], "action_id": "action_done"}]
        await play.slack.deliver(AppDelivery("interactive", stolen))
        await play.settle()
        assert play.case().actions[0].status is ActionStatus.OPEN
        told_to = last(play, play.chandra, play.slack.dm(play.chandra))
        assert (
            "Action 1 of INC-1 is Bo Demo's now. Only its owner and the lead can change it from outside"
            in told_to.plain
        )


async def test_the_form_of_an_action_asks_for_all_that_an_action_has(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/why because the pool ran out")
        await type_command(play, play.ana, "/why root")
        await play.settle()
        await press(play, play.ana, "why_action", channel=play.channel)
        (view,) = play.slack.views(play.ana)
        values = {"text": "raise the pool", "owner": play.bo, "due": "2026-11-27", "kind": "detect", "link": "OPS 12"}
        answer = await play.slack.submit(play.ana, view, values)
        assert list(answer.errors) == ["link"]
        past = values | {"link": "https://demo.example/1", "due": "2026-11-20"}
        assert (await play.slack.submit(play.ana, view, past)).errors == {
            "due": "Fri 20 Nov is past. Pick today or a later day, such as Mon 30 Nov."
        }
        assert (await play.slack.submit(play.ana, view, values | {"link": "https://demo.example/1"})).ok
        (action,) = play.case().actions
        assert (action.kind, action.link, action.owner) == (ActionKind.DETECT, "https://demo.example/1", play.bo)


async def test_an_action_that_would_be_overdue_at_once_is_asked_for_another_day(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/action add a load test @Bo Demo due 2026-11-20")
        assert "Fri 20 Nov is past. Pick today or a later day, such as Mon 30 Nov." in answer
        assert "add a load test" in answer
        assert play.case().actions == ()
