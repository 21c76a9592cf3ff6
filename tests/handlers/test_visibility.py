"""What someone owes in a private channel that they have left: no word of it reaches them, and its people are told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.domain.records import ActionStatus, PostmortemStatus
from bot.rehearsal.screen import ShownMessage
from tests.support.interactions import as_pressed, having, labels, last, on_stage, open_incident, press, type_command
from tests.support.play import Play

SECRETS = ("change the keys", "The quiet leak", "INC-1", "secret-room", "the auditors")
UNSEEN = "in a channel you can't see"
REFUSED = "in a channel that you don't have access to"


@asynccontextmanager
async def in_secret(url: str, **more: Any) -> AsyncIterator[Play]:
    """A private channel with Ana and Bo, who owes the postmortem of its incident; `play.channel` is that channel."""
    async with on_stage(url, **more) as play:
        play.channel = play.slack.channel("secret-room", [play.ana, play.bo], private=True)
        await open_incident(play, "The quiet leak")
        await type_command(play, play.ana, "/postmortem owner @Bo Demo")
        yield play


async def left(play: Play) -> None:
    await play.slack.leave(play.bo, play.channel)
    await play.settle()


def read_by_bo(play: Play) -> list[ShownMessage]:
    return play.slack.messages(play.slack.dm(play.bo), user=play.bo)


def require_nothing_told(play: Play, since: int = 0) -> None:
    """Nothing in Bo's conversation with the bot, notifications and buttons included, tells of the channel.

    `since` is how many messages he had read there while he could see it.
    """
    for text in read_by_bo(play)[since:]:
        for secret in (*SECRETS, play.channel):
            assert secret not in f"{text.text} {text.blocks}"


async def test_a_digest_tells_that_something_is_owed_and_the_channel_is_told_whose_it_is(database_url: str) -> None:
    async with in_secret(database_url) as play:
        await type_command(play, play.ana, "/action change the keys @Bo Demo due tomorrow")
        await play.settle()
        await left(play)
        await play.pass_time(days=2, hours=2)
        handover, digest = read_by_bo(play)
        assert "gave you an action" in handover.plain
        assert "You have 1 overdue action" in digest.plain
        assert UNSEEN in digest.plain
        assert digest.buttons == []
        require_nothing_told(play, since=1)
        there = last(play, play.ana)
        assert (
            "@Bo Demo can't see this channel and has 1 overdue action. Invite them, or hand the action over."
            in there.plain
        )
        assert "change the keys" in there.plain
        assert labels(there) == ["Done", "New date", "Hand over", "Won't do …"]


async def test_of_a_digest_only_what_they_cannot_look_into_is_held_back(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await type_command(play, play.ana, "/action change the keys @Bo Demo due tomorrow")
        other = play.slack.channel("search", [play.ana, play.bo])
        await open_incident(play, "Search is slow", other)
        await type_command(play, play.ana, "/action add an index @Bo Demo due tomorrow", other)
        await play.settle()
        await left(play)
        await play.pass_time(days=2, hours=2)
        text = read_by_bo(play)[-1]
        assert "You have 2 overdue actions" in text.plain
        assert "add an index" in text.plain
        assert f"1 of them is {UNSEEN}" in text.plain
        require_nothing_told(play, since=2)
        assert not any("overdue" in one.plain for one in play.slack.messages(other))


async def test_one_who_is_given_an_action_and_cannot_look_into_the_channel_reads_that_much(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await type_command(play, play.ana, "/action change the keys due tomorrow")
        await left(play)
        await type_command(play, play.ana, "/action 1 @Bo Demo")
        await play.settle()
        (text,) = read_by_bo(play)
        assert text.plain.startswith(f":pushpin: You were given an action {UNSEEN}.")
        require_nothing_told(play)
        there = play.slack.messages(play.channel)[-1]
        assert "@Bo Demo can't see this channel, and @Ana Demo gave them an action." in there.plain
        assert labels(there) == ["Done", "New date", "Hand over", "Won't do …"]


async def test_a_postmortem_reminder_names_nothing_and_goes_to_the_channel_as_well(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await type_command(play, play.ana, "/incident resolved")
        await left(play)
        await play.pass_time(hours=24)
        (text,) = read_by_bo(play)
        assert "A postmortem is waiting for you" in text.plain
        assert UNSEEN in text.plain
        require_nothing_told(play)
        assert "*INC-1* postmortem is waiting for Bo Demo" in last(play, play.ana).plain
        await play.pass_time(hours=24)
        before = len(play.slack.messages(play.channel))
        await play.pass_time(days=7)  # the weekly ones are for one person
        there = last(play, play.ana)
        assert "*INC-1* postmortem is waiting for Bo Demo, who can't see this channel" in there.plain
        assert len(play.slack.messages(play.channel)) == before + 1
        require_nothing_told(play)


async def test_what_stood_before_they_left_is_closed_without_a_word_of_it(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(hours=24)
        assert "The quiet leak" in last(play, play.bo, play.slack.dm(play.bo)).plain
        await left(play)
        await type_command(play, play.ana, "/postmortem waive the auditors know")
        await play.pass_time(minutes=1)
        require_nothing_told(play)
        assert labels(last(play, play.bo, play.slack.dm(play.bo))) == []


async def test_one_who_is_handed_it_and_cannot_look_into_the_channel_reads_that_much(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await type_command(play, play.ana, "/incident resolved")
        await left(play)
        await type_command(play, play.ana, "/postmortem owner @Ana Demo")
        await play.pass_time(hours=24)
        await press(play, play.ana, "postmortem_hand_over", channel=play.slack.dm(play.ana))
        assert (await play.slack.submit(play.ana, play.slack.views(play.ana)[-1], {"owner": play.bo})).ok
        await play.settle()
        (text,) = read_by_bo(play)
        assert UNSEEN in text.plain
        require_nothing_told(play)
        assert (
            "@Bo Demo is the new owner of the INC-1 postmortem but can't see this channel" in last(play, play.ana).plain
        )


async def test_a_lead_who_left_is_not_told_what_is_long_overdue_the_channel_is(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await type_command(play, play.bo, "/incident lead me")
        await type_command(play, play.ana, "/action change the keys @Ana Demo due tomorrow")
        await play.settle()
        await left(play)
        await play.pass_time(days=9)
        (text,) = read_by_bo(play)
        assert UNSEEN in text.plain
        require_nothing_told(play)
        assert "days overdue (due Tue 24 Nov). Owner: Ana Demo." in last(play, play.ana).plain


async def test_whether_it_held_is_asked_in_the_channel(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await type_command(play, play.ana, "/action change the keys @Bo Demo")
        await type_command(play, play.bo, "/action done 1")
        await play.settle()
        await left(play)
        await play.pass_time(days=31)
        assert UNSEEN in read_by_bo(play)[-1].plain
        require_nothing_told(play, since=1)
        assert labels(last(play, play.ana)) == ["It held", "It came back"]


async def test_old_buttons_and_replies_of_theirs_open_nothing_there(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await type_command(play, play.ana, "/action change the keys @Bo Demo due tomorrow")
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(days=2, hours=2)
        room = play.slack.dm(play.bo)
        before = {one.ts for one in read_by_bo(play)}
        await left(play)
        for action in ("action_done", "action_date", "action_drop", "action_hand_over"):
            await play.slack.click(play.bo, having(play, play.bo, action, room), action)
        for action in ("postmortem_fill", "postmortem_show", "postmortem_waive", "postmortem_snooze"):
            reminder = having(play, play.bo, action, room)
            await play.slack.click(play.bo, reminder, *as_pressed(reminder, action))
        for text in ("done 1", "1 friday"):
            await play.slack.say(play.bo, room, text)
        await play.settle()
        assert play.slack.views(play.bo) == []
        answers = [one for one in read_by_bo(play) if one.ts not in before and one.user != play.bo]
        assert len(answers) == 10
        for answer in answers:
            assert REFUSED in answer.plain
            assert not any(secret in f"{answer.text} {answer.blocks}" for secret in (*SECRETS, play.channel))
        case = play.case()
        assert case.actions[0].status is ActionStatus.OPEN
        assert case.incident.postmortem_status is not PostmortemStatus.WAIVED


async def test_a_window_that_was_open_when_they_left_saves_nothing(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(hours=24)
        await press(play, play.bo, "postmortem_waive", channel=play.slack.dm(play.bo))
        (view,) = play.slack.views(play.bo)
        await left(play)
        assert REFUSED in str((await play.slack.submit(play.bo, view, {"reason": "nobody asks"})).errors)
        assert play.case().incident.postmortem_status is not PostmortemStatus.WAIVED
        await play.slack.arrive(play.bo, play.channel, by=play.ana)
        assert (await play.slack.submit(play.bo, view, {"reason": "nobody asks"})).ok
        assert play.case().incident.postmortem_status is PostmortemStatus.WAIVED


async def test_where_slack_does_not_say_a_button_asks_for_a_second_try(sqlite_url: str) -> None:
    async with in_secret(sqlite_url, refused=["internal_error"]) as play:
        await type_command(play, play.ana, "/action change the keys @Bo Demo due tomorrow")
        await play.pass_time(days=2, hours=2)
        await play.slack.arrive(play.chandra, play.channel, by=play.ana)  # so that what was known is asked again
        play.slack.fail("conversations.members", "internal_error")
        message = await press(play, play.bo, "action_done", channel=play.slack.dm(play.bo))
        assert "Slack isn't telling me" in message.plain
        assert play.case().actions[0].status is ActionStatus.OPEN
        await press(play, play.bo, "action_done", channel=play.slack.dm(play.bo))
        assert play.case().actions[0].status is ActionStatus.DONE


@pytest.mark.parametrize("times", [1, 9])
async def test_where_slack_does_not_say_who_may_look_it_is_asked_again_and_then_nothing_is_named(
    sqlite_url: str, times: int
) -> None:
    async with in_secret(sqlite_url, refused=["internal_error"]) as play:
        await type_command(play, play.ana, "/incident resolved")
        await play.slack.arrive(play.chandra, play.channel, by=play.ana)  # so that what was known is asked again
        play.slack.fail("conversations.info", "internal_error", times=times if times == 1 else 40)
        for _ in range(12):
            await play.pass_time(hours=3)
        (text,) = read_by_bo(play)
        assert ("The quiet leak" in text.plain) is (times == 1)


async def test_one_who_came_back_reads_all_of_it(sqlite_url: str) -> None:
    async with in_secret(sqlite_url) as play:
        await type_command(play, play.ana, "/action change the keys @Bo Demo due tomorrow")
        await left(play)
        await play.slack.arrive(play.bo, play.channel, by=play.ana)
        await play.pass_time(days=2, hours=2)
        assert "change the keys" in last(play, play.bo, play.slack.dm(play.bo)).plain
        assert not any("overdue" in one.plain for one in play.slack.messages(play.channel))
