"""What people write into the thread of the whys without a word to the bot: "because …" answers, the rest is talk."""

import re

import pytest

from bot.rehearsal.screen import ShownMessage
from tests.handlers.test_why_threads import parent, post_button, said_in_thread, thread
from tests.handlers.test_whys import resolve_incident
from tests.support.interactions import on_stage, press, type_command
from tests.support.play import Play


def whispers(play: Play, user: str) -> list[ShownMessage]:
    return [message for message in thread(play, user) if message.ephemeral_for == user]


async def test_the_prompt_in_the_thread_says_how_to_answer_there(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, "/why because the pool ran out")
        await play.settle()
        for message in thread(play):
            assert "/why" not in message.plain
            assert re.search(r"Press \*Answer\* or reply( in this thread:)? `because …`", message.plain)


async def test_a_reply_that_begins_with_because_is_an_answer(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        ts = await said_in_thread(play, play.chandra, "Because the pool ran out")
        (why,) = play.case().whys
        assert (why.text, why.author) == ("Because the pool ran out", play.chandra)
        asked = next(message for message in play.slack.messages(play.channel) if message.ts == ts)
        assert "white_check_mark" in asked.reactions
        assert "*Why 2 of 5* — Why *the pool ran out*?" in thread(play)[-1].plain


async def test_any_other_reply_is_talk_and_is_left_alone(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        before = len(thread(play, play.chandra))
        for text in ("the pool was far too small", "who sized the pool last?", "thanks!", "+1", "because?", "Because"):
            ts = await said_in_thread(play, play.chandra, text)
            (message,) = [message for message in thread(play, play.chandra) if message.ts == ts]
            assert not message.reactions
        assert len(thread(play, play.chandra)) == before + 6
        assert play.case().whys == ()


@pytest.mark.parametrize(
    ("text", "recorded", "quoted"),
    [
        ("BECAUSE, the pool ran out!", "BECAUSE, the pool ran out!", "the pool ran out"),
        ("because: the pool ran out", "because: the pool ran out", "the pool ran out"),
        ("Becuase the pool ran out", "Because the pool ran out", "the pool ran out"),
        ("weil der Pool leer war", "weil der Pool leer war", "der Pool leer war"),
        ("because the pool ran out, see #1", "because the pool ran out, see #1", "the pool ran out"),
    ],
)
async def test_because_is_known_in_any_case_and_with_a_slip(
    sqlite_url: str, text: str, recorded: str, quoted: str
) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await said_in_thread(play, play.chandra, text)
        assert [why.text for why in play.case().whys] == [recorded]
        assert f"*Why 2 of 5* — Why *{quoted}*?" in thread(play)[-1].plain


async def test_the_reaction_that_records_makes_an_entry_in_the_thread_as_well(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        ts = await said_in_thread(play, play.chandra, "the pool was far too small")
        await play.slack.react(play.bo, play.channel, ts, "memo")
        await play.settle()
        assert play.case().entries[-1].text == "the pool was far too small"
        assert play.case().whys == ()


async def test_a_mention_is_heard_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await said_in_thread(play, play.bo, "@afterword because the pool ran out")
        assert len(play.case().whys) == 1


async def test_who_may_not_act_is_neither_heard_nor_answered(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await play.slack.change_person(play.chandra, guest=True)
        await said_in_thread(play, play.chandra, "because the pool ran out")
        assert play.case().whys == ()
        assert whispers(play, play.chandra) == []


async def test_a_reply_in_any_other_thread_is_nothing_to_the_bot(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        begun = await play.slack.say(play.bo, play.channel, "who is on call?")
        await play.slack.say(play.chandra, play.channel, "because I am", thread_ts=begun)
        await play.settle()
        assert play.case().whys == ()


async def test_once_every_branch_has_ended_nobody_is_asked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/why because the pool ran out")
        shown = await type_command(play, play.ana, "/why root")
        assert "@afterword" not in shown
        await play.settle()
        await said_in_thread(play, play.bo, "glad that we know it now")
        assert whispers(play, play.bo) == []
        assert "Another cause of why 1? `@afterword branch 1 …`" in next(
            message.plain for message in thread(play) if message.ts == parent(play)
        )


async def test_the_example_that_follows_the_last_root_cause_does_what_it_says(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/why because the pool ran out")
        await type_command(play, play.ana, "/why because nobody sized it")
        await type_command(play, play.ana, "/why root")
        answer = await type_command(play, play.ana, "/why")
        assert "Another cause of why 1? `/why branch 1 …`" in answer
        await type_command(play, play.ana, "/why branch 1 the alert was muted")
        assert [why.parent for why in play.case().whys] == [None, 1, 1]


async def test_a_refusal_in_the_thread_names_what_can_be_written_there(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await said_in_thread(play, play.bo, "@afterword because")
        assert "`@afterword because the connection pool ran out`" in whispers(play, play.bo)[-1].plain
        await said_in_thread(play, play.bo, "@afterword help")
        assert "`@afterword root`" in whispers(play, play.bo)[-1].plain


async def test_what_goes_into_the_channel_only_is_said_so_in_any_thread(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        begun = await play.slack.say(play.bo, play.channel, "checkout is failing")
        await play.slack.say(play.bo, play.channel, "@afterword 503s since 14:00", thread_ts=begun)
        await play.settle()
        message = [m for m in play.slack.messages(play.channel, user=play.bo) if m.ephemeral_for == play.bo][-1]
        assert "`incident open checkout is failing`" in message.plain
        assert "Slash commands don't work in threads. Type them in the channel, with a / in front." in message.plain


async def test_an_offer_of_an_older_version_still_records_the_reply(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        value = {"incident": play.case().incident.id, "parent": 0, "text": "the pool was far too small", "seen": 0}
        await post_button(play, "why_reply", value)
        await press(play, play.bo, "why_reply")
        assert "Posted in the five-whys thread.\n*Why 2 of 5*" in "\n".join(
            message.plain for message in play.slack.messages(play.channel, user=play.bo) if message.ephemeral_for
        )
        assert [why.text for why in play.case().whys] == ["the pool was far too small"]


async def test_an_edited_reply_rewords_its_why_and_a_deleted_one_removes_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        ts = await said_in_thread(play, play.chandra, "becuse the pool ran out")
        await play.slack.edit(play.chandra, play.channel, ts, "because the pool was *full*")
        await play.settle()
        assert [why.text for why in play.case().whys] == ["because the pool was *full*"]
        assert "*Chandra Demo* reworded why 1: because the pool was *full*" in "".join(m.plain for m in thread(play))
        assert whispers(play, play.chandra) == []
        await play.slack.delete(play.chandra, play.channel, ts)
        await play.settle()
        assert play.case().whys == ()
        assert whispers(play, play.chandra)[-1].plain.startswith("Removed why 1: because the pool was *full*")
        await press(play, play.chandra, "why_restore")
        assert len(play.case().whys) == 1


async def test_a_reply_edited_into_talk_is_no_answer_any_more(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        ts = await said_in_thread(play, play.chandra, "@afterword because the pool ran out")
        await play.slack.edit(play.chandra, play.channel, ts, "@afterword because the pool was full")
        await play.settle()
        assert [why.text for why in play.case().whys] == ["because the pool was full"]
        await play.slack.edit(play.chandra, play.channel, ts, "no, forget it")
        await play.settle()
        assert play.case().whys == ()
        assert not next(message for message in thread(play) if message.ts == ts).reactions


async def test_a_why_that_was_reworded_since_does_not_follow_its_reply(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        ts = await said_in_thread(play, play.chandra, "because the pool ran out")
        await type_command(play, play.bo, "/why edit 1 because every request held two connections")
        await play.slack.edit(play.chandra, play.channel, ts, "because of me")
        await play.slack.delete(play.chandra, play.channel, ts)
        await play.settle()
        assert [why.text for why in play.case().whys] == ["because every request held two connections"]
