"""What people write into the thread of the whys without a word to the bot, as people who know no manual do."""

from bot.rehearsal.screen import ShownMessage
from tests.handlers.test_why_threads import parent, said_in_thread, thread
from tests.handlers.test_whys import resolved
from tests.support.interactions import labels, on_stage, press, told
from tests.support.play import Play


def whispers(play: Play, user: str) -> list[ShownMessage]:
    return [message for message in thread(play, user) if message.ephemeral_for == user]


async def test_the_prompt_in_the_thread_says_how_to_answer_there(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        await told(play, play.bo, "/why because the pool ran out")
        await play.settle()
        for message in thread(play):
            assert "/why" not in message.plain
            assert "press Answer, or write @afterword because …" in message.plain.replace("*", "").replace("`", "")


async def test_a_reply_that_begins_with_because_is_an_answer(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        ts = await said_in_thread(play, play.chandra, "Because the pool ran out")
        (why,) = play.case().whys
        assert (why.text, why.author) == ("Because the pool ran out", play.chandra)
        asked = next(message for message in play.slack.messages(play.channel) if message.ts == ts)
        assert "white_check_mark" in asked.reactions
        assert "*Why 2 of 5:* why did this happen: _the pool ran out_?" in thread(play)[-1].plain


async def test_any_other_reply_is_asked_about_once_and_recorded_by_a_button(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        await said_in_thread(play, play.chandra, "the pool was far too small")
        (asked,) = whispers(play, play.chandra)
        assert "Is that the answer to why 1? _the pool was far too small_" in asked.plain
        assert labels(asked) == ["Record it as the answer"]
        assert play.case().whys == ()
        await said_in_thread(play, play.chandra, "at least that is what I think")
        assert len(whispers(play, play.chandra)) == 1
        assert (await play.slack.click(play.chandra, asked, "why_reply")).ok
        await play.settle()
        (why,) = play.case().whys
        assert (why.text, why.parent, why.author) == ("the pool was far too small", None, play.chandra)
        await said_in_thread(play, play.chandra, "nobody had sized it since June")
        assert "answer to why 2?" in whispers(play, play.chandra)[-1].plain


async def test_questions_and_thanks_are_left_alone(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        for text in ("who sized the pool last?", "thanks!", "+1"):
            await said_in_thread(play, play.bo, text)
        assert whispers(play, play.bo) == []
        assert play.case().whys == ()


async def test_a_mention_is_heard_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        await said_in_thread(play, play.bo, "@afterword because the pool ran out")
        assert len(play.case().whys) == 1


async def test_who_may_not_act_is_neither_heard_nor_answered(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        await play.slack.change_person(play.chandra, guest=True)
        await said_in_thread(play, play.chandra, "because the pool ran out")
        assert play.case().whys == ()
        assert whispers(play, play.chandra) == []


async def test_a_reply_in_any_other_thread_is_nothing_to_the_bot(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        begun = await play.slack.say(play.bo, play.channel, "who is on call?")
        await play.slack.say(play.chandra, play.channel, "because I am", thread_ts=begun)
        await play.settle()
        assert play.case().whys == ()


async def test_once_every_branch_has_ended_nobody_is_asked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        await told(play, play.ana, "/why because the pool ran out")
        shown = await told(play, play.ana, "/why root")
        assert "@afterword" not in shown
        await play.settle()
        await said_in_thread(play, play.bo, "glad that we know it now")
        assert whispers(play, play.bo) == []
        assert "`@afterword branch 1 …` adds another cause of why 1" in next(
            message.plain for message in thread(play) if message.ts == parent(play)
        )


async def test_the_example_that_follows_the_last_root_cause_does_what_it_says(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        await told(play, play.ana, "/why because the pool ran out")
        await told(play, play.ana, "/why because nobody sized it")
        await told(play, play.ana, "/why root")
        said = await told(play, play.ana, "/why")
        assert "`/why branch 1 …` adds another cause of why 1" in said
        await told(play, play.ana, "/why branch 1 the alert was muted")
        assert [why.parent for why in play.case().whys] == [None, 1, 1]


async def test_a_refusal_in_the_thread_names_what_can_be_written_there(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        await said_in_thread(play, play.bo, "@afterword because")
        assert "`@afterword because the connection pool ran out`" in whispers(play, play.bo)[-1].plain
        await said_in_thread(play, play.bo, "@afterword help")
        assert "`@afterword root`" in whispers(play, play.bo)[-1].plain


async def test_what_goes_into_the_channel_only_is_said_so_in_any_thread(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        begun = await play.slack.say(play.bo, play.channel, "checkout is failing")
        await play.slack.say(play.bo, play.channel, "@afterword 503s since 14:00", thread_ts=begun)
        await play.settle()
        said = [m for m in play.slack.messages(play.channel, user=play.bo) if m.ephemeral_for == play.bo][-1]
        assert "`incident open <what's wrong>`" in said.plain
        assert "Slash commands don't work in threads. Type them in the channel, with a / in front." in said.plain


async def test_a_button_pressed_on_the_offer_is_answered(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolved(play)
        await said_in_thread(play, play.bo, "the pool was far too small")
        said = await press(play, play.bo, "why_reply")
        assert "*Why 2 of 5:*" in said.plain
