"""Answers to the digest as people write them: several at once, without a number, with a tick, and half understood."""

from datetime import date

from bot.domain.records import ActionStatus
from tests.handlers.test_action_reminders import owing, said_back
from tests.support.interactions import action_statuses, labels, last, on_stage, open_incident, press, type_command

THREE = [f"{what} @Bo Demo due tomorrow" for what in ("cap <retries> & log", "rotate the keys", "mute the alert")]


async def test_several_are_done_at_once_or_none_of_them(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await owing(play, *THREE)
        answer = await said_back(play, play.bo, "done 1 and 9")
        assert answer.plain.startswith("You have no action 9. Yours: 1 of INC-1 (cap <retries> & log), 2 of INC-1")
        assert "&amp;amp;" not in str(answer.blocks)
        assert action_statuses(play) == ["open", "open", "open"]
        await said_back(play, play.bo, "✅ 1, 2 and #2")
        assert action_statuses(play) == ["done", "done", "open"]
        seen = [message.plain for message in play.slack.messages(play.slack.dm(play.bo))]
        assert sum(" of INC-1 is done: " in line for line in seen) == 2
        await said_back(play, play.bo, "3 friday, please")
        assert play.case().actions[2].due_on == date(2026, 11, 27)


async def test_without_a_number_the_only_one_is_meant_and_of_several_it_is_asked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owing(play, *THREE[:2])
        answer = (await said_back(play, play.bo, "done")).plain
        assert answer.startswith("You have 2 open actions: 1 of INC-1 (cap <retries> & log) and 2 of INC-1 (rotate the")
        assert answer.endswith("Which one? Try `done 1`.")
        await said_back(play, play.bo, "won't do 1 too costly")
        assert play.case().actions[0].reason == "too costly"
        assert "Action 2 of INC-1 is done" in (await said_back(play, play.bo, "done!")).plain
        assert "You have no open actions." in (await said_back(play, play.bo, "done")).plain
        assert action_statuses(play) == ["dropped", "done"]


async def test_a_number_alone_and_what_is_no_day_is_asked_about_with_the_buttons(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        room = await owing(play, *THREE[:2])
        asked = await said_back(play, play.bo, "2")
        assert asked.plain.startswith("What's new with action 2? Try `2 friday`, `done 2`")
        assert labels(asked) == ["Done", "New date", "Hand over", "Won't do …"]
        unclear = await said_back(play, play.bo, "2 when I am back")
        assert "I couldn't read “when I am back” as a date for action 2. Try `2 friday`, `done 2`," in unclear.plain
        assert action_statuses(play) == ["open", "open"]
        assert "Action 2 of INC-1 is done" in (await press(play, play.bo, "action_done", channel=room)).plain
        assert "You can answer with:" in (await said_back(play, play.bo, "7 nodes are down")).plain
        assert "You have no action 7." in (await said_back(play, play.bo, "7")).plain
        assert "Why won't it be done?" in (await said_back(play, play.bo, "drop 1")).plain


async def test_a_reply_hands_over_to_whom_it_mentions_and_never_to_the_bot(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owing(play, *THREE[:2])
        await said_back(play, play.bo, "1 @Chandra Demo please")
        assert play.case().actions[0].owner == play.chandra
        assert "gave you an action" in last(play, play.chandra, play.slack.dm(play.chandra)).plain
        assert "Action 2 of INC-1 is done" in (await said_back(play, play.bo, "@afterword done 2")).plain
        assert play.case().actions[1].status is ActionStatus.DONE


async def test_what_they_cannot_look_into_any_more_is_counted_and_not_named(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        secret = play.slack.channel("secret", [play.ana, play.bo], private=True)
        await open_incident(play, "Keys leaked", secret)
        await type_command(play, play.ana, "/action burn the vault @Bo Demo due tomorrow", secret)
        await owing(play, THREE[1])
        play.slack.workspace.channels[secret].members.remove(play.bo)
        play.bot.services.slack.channels.forget(secret)
        answer = (await said_back(play, play.bo, "done")).plain
        assert "vault" not in answer
        assert "1 of INC-2 (rotate the keys) and 1 more in my Home tab." in answer


async def test_thanks_are_not_answered_with_a_manual(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await owing(play, *THREE[:1])
        before = len(play.slack.messages(play.slack.dm(play.bo)))
        for thanks in ("thanks!", "Thank you", ":+1:", ":+1::skin-tone-3:", "🎉"):
            await play.slack.say(play.bo, play.slack.dm(play.bo), thanks)
            await play.settle()
        messages = play.slack.messages(play.slack.dm(play.bo))
        assert [message.user for message in messages[before:]] == [play.bo] * 5
