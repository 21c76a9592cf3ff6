"""Actions that are not forgotten: answered from the DM, told to the lead after a week, asked about after a month."""

from datetime import UTC, date, datetime

from bot.domain.records import ActionKind, ActionStatus
from bot.rehearsal.delivery import AppDelivery
from bot.rehearsal.screen import ShownMessage
from tests.support.interactions import labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play


async def owing(play: Play, *lines: str) -> str:
    """Bo owes actions that are overdue since yesterday, and has been told; his conversation with the bot."""
    await open_incident(play)
    for line in lines or ("add a load test @Bo Demo due tomorrow",):
        await type_command(play, play.ana, f"/action {line}")
    await play.pass_time(days=2, hours=2)
    return play.slack.dm(play.bo)


async def said_back(play: Play, user: str, text: str) -> ShownMessage:
    """Write to the bot in one's conversation with it; the answer."""
    room = play.slack.dm(user)
    await play.slack.say(user, room, text)
    await play.settle()
    return last(play, user, room)


async def submit_values(play: Play, user: str, values: dict[str, str]) -> None:
    assert (await play.slack.submit(user, play.slack.views(user)[-1], values)).ok
    await play.settle()


async def test_kind_and_link_are_kept_and_shown_wherever_the_action_is(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await owing(play, "prevent: add a load test @Bo Demo due tomorrow https://demo.example/1?a=b&c=d")
        (action,) = play.case().actions
        assert (action.text, action.kind, action.link) == (
            "add a load test",
            ActionKind.PREVENT,
            "https://demo.example/1?a=b&c=d",
        )
        shown = "· prevent · demo.example/1"
        assert shown in await type_command(play, play.chandra, "/action list")
        assert "in #checkout · demo.example/1" in last(play, play.bo, room).plain
        await type_command(play, play.ana, "/postmortem export json")
        await play.settle()
        assert '"kind": "prevent"' in play.slack.files[-1].bytes.decode()


async def test_the_digest_offers_all_that_can_be_done(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await owing(play)
        assert labels(last(play, play.bo, room)) == ["Done", "New date", "Hand over", "Won't do …"]


async def test_an_action_handed_over_is_told_to_its_new_owner_alone_and_falls_due_where_they_live(
    sqlite_url: str,
) -> None:
    async with on_stage(sqlite_url) as play:
        room = await owing(play)
        await press(play, play.bo, "action_hand_over", channel=room)
        await submit_values(play, play.bo, {"owner": play.chandra})
        (action,) = play.case().actions
        assert (action.owner, action.overdue_at) == (play.chandra, datetime(2026, 11, 24, 18, 30, tzinfo=UTC))
        message = last(play, play.chandra, play.slack.dm(play.chandra))
        assert "@Bo Demo gave you an action.\n*add a load test*\nDue Tue 24 Nov" in message.plain
        assert not any("add a load test" in seen.plain for seen in play.slack.messages(play.channel)[1:])
        assert "@Chandra Demo now owns action 1 of INC-1" in last(play, play.bo, room).plain
        before = len(play.slack.messages(room))
        await play.pass_time(days=1)
        assert "You have 1 overdue action" in last(play, play.chandra, play.slack.dm(play.chandra)).plain
        assert len(play.slack.messages(room)) == before


async def test_what_will_not_be_done_has_its_reason(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await owing(play)
        await press(play, play.bo, "action_drop", channel=room)
        answer = await play.slack.submit(play.bo, play.slack.views(play.bo)[-1], {"reason": " "})
        assert answer.errors == {"reason": "Why won't it be done? Add a reason."}
        await submit_values(play, play.bo, {"reason": "the proxy does it"})
        (action,) = play.case().actions
        assert (action.status, action.reason) == (ActionStatus.DROPPED, "the proxy does it")
        assert "Reason: the proxy does it" in last(play, play.bo, room).plain


async def test_a_reply_finishes_moves_and_drops(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        lines = [f"{what} @Bo Demo due tomorrow" for what in ("add a load test", "rotate the keys", "mute the alert")]
        await owing(play, *lines)
        assert "Action 1 of INC-1 is done" in (await said_back(play, play.bo, "done 1")).plain
        assert not any("is done" in seen.plain for seen in play.slack.messages(play.channel)[1:])
        assert "Action 2 of INC-1 is now due Fri 27 Nov" in (await said_back(play, play.bo, "2 friday")).plain
        assert "Why won't it be done? Try `drop 3 because" in (await said_back(play, play.bo, "drop 3")).plain
        assert "Reason: it was right" in (await said_back(play, play.bo, "drop 3 because it was right")).plain
        found = [(action.status, action.due_on) for action in play.case().actions]
        assert found[:2] == [(ActionStatus.DONE, date(2026, 11, 24)), (ActionStatus.OPEN, date(2026, 11, 27))]
        assert found[2][0] is ActionStatus.DROPPED
        answer = await said_back(play, play.bo, "done 1")
        assert answer.plain == "You have no action 1. Yours: 2 of INC-1 (rotate the keys)."
        assert "You have no open actions." in (await said_back(play, play.ana, "done 2")).plain
        assert "You can answer with:" in (await said_back(play, play.bo, "what is this?")).plain


async def test_a_new_date_from_the_dm_is_answered_there_and_the_channel_is_quiet(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owing(play)
        answer = await said_back(play, play.bo, "1 friday")
        assert "Action 1 of INC-1 is now due Fri 27 Nov: add a load test" in answer.plain
        assert "Due date moved by Bo Demo (was 24 Nov)." in answer.plain
        assert not any("add a load test" in seen.plain for seen in play.slack.messages(play.channel)[1:])
        count = len(play.slack.messages(play.channel))
        assert "Action 1 is already due Fri 27 Nov." in (await said_back(play, play.bo, "1 friday")).plain
        assert len(play.slack.messages(play.channel)) == count


async def test_a_date_is_given_to_nothing_that_is_finished(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owing(play)
        await type_command(play, play.ana, "/action 1")
        await press(play, play.ana, "action_date")
        await said_back(play, play.bo, "done 1")
        answer = await play.slack.submit(play.ana, play.slack.views(play.ana)[-1], {"due": "2026-12-24"})
        assert answer.errors == {"due": "Action 1 is already done. To open it again: `/action reopen 1`"}


async def test_a_number_that_stands_for_two_actions_is_asked_about(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owing(play)
        other = play.slack.channel("search", [play.ana, play.bo])
        await open_incident(play, "Search is slow", other)
        await type_command(play, play.ana, "/action add an index @Bo Demo", other)
        await play.settle()
        answer = await said_back(play, play.bo, "done 1")
        assert "You have an action 1 in INC-1 and INC-2. Which one? Try `done INC-1 1`." in answer.plain
        await said_back(play, play.bo, "done INC-2 1")
        statuses = [play.case(channel).actions[0].status for channel in (play.channel, other)]
        assert statuses == [ActionStatus.OPEN, ActionStatus.DONE]


async def test_what_the_bot_says_itself_is_no_reply(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await owing(play)
        before = len(play.slack.messages(room))
        own = {
            "type": "message",
            "channel": room,
            "channel_type": "im",
            "text": "done 1",
            "ts": "1.0",
            "event_ts": "1.0",
        }
        await play.slack.event({**own, "user": play.slack.bot_user_id, "bot_id": "B0REHEARSE"})
        await play.settle()
        assert len(play.slack.messages(room)) == before
        assert play.case().actions[0].status is ActionStatus.OPEN


async def test_the_lead_hears_once_of_an_action_that_is_a_week_overdue(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await open_incident(play)
        await type_command(play, play.chandra, "/incident lead me")
        await type_command(play, play.ana, "/action add a load test @Bo Demo due tomorrow")
        room = play.slack.dm(play.chandra)
        heard = []
        for _ in range(12):
            await play.pass_time(days=1)
            heard.append(len(play.slack.messages(room)))
        assert heard == [0] * 8 + [1] * 4  # the day ends at 05:00 UTC, in New York
        message = last(play, play.chandra, room)
        assert "Action 1 of INC-1 in #checkout is 7 days overdue (due Tue 24 Nov). Owner: Bo Demo." in (message.plain)
        assert labels(message) == ["Done", "New date", "Hand over", "Won't do …"]
        await press(play, play.chandra, "action_done", channel=room)
        assert play.case().actions[0].status is ActionStatus.DONE
        (over,) = [one for one in play.slack.messages(room) if one.ts == message.ts]
        assert (over.plain, over.buttons) == (":bell: ~Action 1:~ add a load test – it's done.", [])


async def test_where_nobody_leads_the_channel_hears_of_it_and_a_new_date_begins_anew(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owing(play)
        await said_back(play, play.bo, "1 friday")
        await play.pass_time(days=7)
        assert not any("overdue" in message.plain for message in play.slack.messages(play.channel))
        await play.pass_time(days=3)
        messages = [message for message in play.slack.messages(play.channel) if "Owner: Bo Demo." in message.plain]
        assert len(messages) == 1
        assert "is 7 days overdue (due Fri 27 Nov)" in messages[0].plain


async def test_a_lead_who_owns_it_is_not_told_of_it_twice(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident lead @Bo Demo")
        await type_command(play, play.ana, "/action add a load test @Bo Demo due tomorrow")
        for _ in range(10):
            await play.pass_time(days=1)
        messages = play.slack.messages(play.slack.dm(play.bo)) + play.slack.messages(play.channel)
        assert not any("days overdue" in one.plain for one in messages)


async def test_a_month_after_it_was_done_its_owner_is_asked_whether_it_held(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await owing(play)
        await said_back(play, play.bo, "done 1")
        room = play.slack.dm(play.bo)
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/postmortem waive a drill")  # it has no say in actions
        await play.pass_time(days=29)
        assert "Did it hold?" not in last(play, play.bo, room).plain
        await play.pass_time(days=1)
        asked = last(play, play.bo, room)
        assert "Did it hold? *add a load test*" in asked.plain
        assert labels(asked) == ["It held", "It came back"]
        pressed = (await play.slack.click(play.bo, asked, "action_came_back")).delivery
        assert pressed is not None
        await play.settle()
        assert play.case().actions[0].held == "came back"
        assert "Action 1 of INC-1 didn't hold: add a load test" in last(play, play.bo, room).plain
        assert "~add a load test~ done, came back" in await type_command(play, play.ana, "/action list")
        (over,) = [one for one in play.slack.messages(room) if one.ts == asked.ts]
        assert (over.plain, over.buttons) == (":bell: ~Action 1:~ add a load test – it came back.", [])
        late = [pressed.payload["actions"][0] | {"action_id": "action_held"}]
        await play.slack.deliver(AppDelivery("interactive", pressed.payload | {"trigger_id": "late", "actions": late}))
        await play.settle()
        assert "is open again, or already has an answer" in last(play, play.bo, room).plain
        assert play.case().actions[0].held == "came back"


async def test_a_user_group_owns_an_action_and_is_told_in_the_channel(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await play.slack.command(play.ana, play.channel, "/action help")
        assert answer.delivery is not None
        sent = {"text": "add a load test <!subteam^S0ONCALL|@oncall> due tomorrow", "trigger_id": "another"}
        assert (await play.slack.deliver(AppDelivery("slash_commands", answer.delivery.payload | sent))).ok
        (action,) = play.case().actions
        assert (action.text, action.owner) == ("add a load test", "S0ONCALL")
        assert action.overdue_at == datetime(2026, 11, 24, 23, tzinfo=UTC)  # where Ana lives, who named it
        assert "add a load test\n@oncall · due" in await type_command(play, play.ana, "/action list")
        await play.pass_time(days=2)
        digest = last(play, play.bo)
        assert "has 1 overdue action" in digest.plain
        assert digest.pings == {"S0ONCALL"}
        await press(play, play.bo, "action_done")
        assert play.case().actions[0].status is ActionStatus.DONE
        before = len(play.slack.messages(play.channel))
        await play.pass_time(days=30)
        assert "Did it hold?" in last(play, play.bo).plain
        assert len(play.slack.messages(play.channel)) == before + 1


async def test_a_dropped_action_is_not_asked_about(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owing(play)
        await said_back(play, play.bo, "drop 1 the proxy does it")
        await play.pass_time(days=31)
        assert not any("Did it hold?" in message.plain for message in play.slack.messages(play.slack.dm(play.bo)))
