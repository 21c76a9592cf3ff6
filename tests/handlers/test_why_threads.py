"""The thread of the five whys: asked there, answered there, by mention, by command and by the form."""

import json

from bot.rehearsal.screen import ShownMessage
from bot.slack.views import blocks
from tests.handlers.test_whys import resolve_incident
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command, window
from tests.support.play import NOON, Play


def parent(play: Play) -> str:
    """The message in whose thread the whys are asked."""
    (found,) = [m.ts for m in play.slack.messages(play.channel) if "*The five whys of INC-1*" in m.plain]
    return found


def thread(play: Play, user: str = "") -> list[ShownMessage]:
    return play.slack.messages(play.channel, user=user or None, thread_ts=parent(play))


async def said_in_thread(play: Play, user: str, text: str) -> str:
    ts = await play.slack.say(user, play.channel, text, thread_ts=parent(play))
    await play.settle()
    return ts


async def post_button(play: Play, action: str, value: dict[str, object]) -> None:
    """A message with one button, as an older version of the bot left it in the channel."""
    shown = blocks.message("an old message", blocks.actions(blocks.button("Old", action, json.dumps(value))))
    await play.bot.boundary.client.chat_postMessage(channel=play.channel, **shown)


async def test_the_whys_are_asked_in_one_thread_and_answers_go_into_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        answer = await type_command(play, play.bo, "/why because the pool ran out")
        assert "*Why 2 of 5* — Why *the pool ran out*?" in answer
        assert "Posted in the five-whys thread." in answer
        await play.settle()
        view = await window(play, play.chandra, "why_answer")
        await play.slack.submit(play.chandra, view, {"answer": "retries"})
        await play.settle()
        first, second, third = (message.plain for message in thread(play))
        assert "1. because the pool ran out — Bo Demo\n\u2003\u20032. retries — Chandra Demo\n*Why 3 of 5*" in first
        assert second == "*Why 2 of 5* — Why *the pool ran out*?\nAnswered by *Chandra Demo*: retries"
        assert third.startswith("*Why 3 of 5* — Why *retries*?\nPress *Answer* or reply `because …`")
        assert all(message.thread_ts == parent(play) for message in thread(play)[1:])


async def test_a_mention_in_the_thread_answers_and_is_no_entry(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        entries = len(play.case().entries)
        ts = await said_in_thread(play, play.chandra, "@afterword because of @Bo Demo's deploy <3 & more")
        (why,) = play.case().whys
        assert (why.text, why.author) == ("because of @Bo Demo's deploy <3 & more", play.chandra)
        assert len(play.case().entries) == entries
        asked = next(message for message in play.slack.messages(play.channel) if message.ts == ts)
        assert "white_check_mark" in asked.reactions
        assert "*Why 2 of 5*" in thread(play)[-1].plain
        await said_in_thread(play, play.ana, "@afterword root")
        assert play.case().whys[0].is_root
        assert ":dart: *Ana Demo* marked why 1 as a root cause" in thread(play)[-1].plain


async def test_each_answer_has_the_number_that_it_is_corrected_by(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for text in ("because the pool ran out", "retries", "branch 1 the alert was muted"):
            await said_in_thread(play, play.bo, f"@afterword {text}")
        branch = thread(play, play.bo)[-1].plain
        assert "*Bo Demo* named another cause of why 1, why 3: the alert was muted" in branch
        assert "*Why 3 of 5* — Why *the alert was muted*?" in branch
        await said_in_thread(play, play.bo, "@afterword edit 3 the alert was off")
        assert [why.text for why in play.case().whys if why.number == 3] == ["the alert was off"]


async def test_a_mention_in_another_thread_is_an_entry_as_before(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        other = await play.slack.say(play.bo, play.channel, "what about the queue?")
        await play.slack.say(play.ana, play.channel, "@afterword the queue drained", thread_ts=other)
        await play.settle()
        assert play.case().whys == ()
        assert play.case().entries[-1].text == "the queue drained"


async def test_the_thread_of_an_older_incident_still_takes_its_answers(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        first = play.case().incident
        await open_incident(play, "Another one")
        await said_in_thread(play, play.bo, "@afterword because of the pool")
        assert play.case().incident.key == "INC-2"
        assert play.case().whys == ()
        assert "*Why 2 of 5* — Why *the pool*?" in thread(play)[-1].plain
        assert first.key == "INC-1"


async def test_an_answer_is_said_to_all_once_although_the_thread_may_not_stand_yet(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await type_command(play, play.ana, "/why because the pool ran out")
        await play.settle()
        seen = play.slack.messages(play.channel, user=play.chandra)
        assert [message.ts for message in seen if "because the pool ran out — Ana Demo" in message.plain] == [
            parent(play)
        ]
        assert [
            message.plain for message in seen if "pool ran out" in message.plain and message.ts != parent(play)
        ] == []


async def test_where_the_bot_cannot_post_the_reply_itself_asks(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["not_in_channel", "channel_not_found"]) as play:
        room = play.slack.channel("elsewhere", [play.ana, play.bo], with_bot=False)
        await type_command(play, play.ana, "/incident open it broke", room)
        await type_command(play, play.ana, "/incident resolved", room)
        assert "why_answer" in [button[1] for button in last(play, play.bo, room).buttons]
        answer = await type_command(play, play.bo, "/why because the pool ran out", room)
        assert "*Why 2 of 5*" in answer
        assert last(play, play.ana, room).ephemeral_for == ""


async def test_after_a_reopening_the_open_question_comes_into_the_same_thread(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/why because the pool ran out")
        await type_command(play, play.ana, "/incident reopen")
        await type_command(play, play.ana, "/incident resolved")
        await play.settle()
        assert "*Why 2 of 5* — Why *the pool ran out*?" in thread(play)[-1].plain


async def test_a_root_cause_ends_its_branch_and_the_next_question_is_about_another(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/why because the pool ran out")
        await type_command(play, play.bo, "/why because retries piled up")
        await type_command(play, play.chandra, "/why branch 1 the alert was muted")
        answer = await type_command(play, play.chandra, "/why root")
        assert "Why *retries piled up*?" in answer
        await type_command(play, play.ana, "/why because nobody capped them")
        assert [(why.number, why.parent) for why in play.case().whys] == [(1, None), (2, 1), (3, 1), (4, 2)]
        answer = await type_command(play, play.ana, "/why root")
        assert [why.number for why in play.case().whys if why.is_root] == [3, 4]
        assert " — Why " not in answer
        shown = await type_command(play, play.ana, "/why")
        assert "Every branch of INC-1 ends in a root cause." in shown
        assert shown.index("4. because nobody capped them") < shown.index("3. the alert was muted")
        await play.settle()
        await press(play, play.bo, "why_no_root")
        assert "*Bo Demo*: why 4 isn't a root cause after all: *nobody capped them*\n*Why 4 of 5* — Why" in (
            thread(play)[-1].plain
        )


async def test_evidence_is_shown_as_the_words_of_the_entry(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline pool at 100 %")
        await type_command(play, play.ana, "/incident resolved")
        await play.settle()
        answer = await type_command(play, play.ana, "/why because the pool was full (#2, not #99)")
        await play.settle()
        shown = thread(play)[-1].plain
        assert f"#2 · {NOON:%H:%M} UTC  pool at 100 %\n*Why 2 of 5* — Why *the pool was full (#2, not #99)*?" in shown
        assert "#99 ·" not in shown
        assert "#2 ·" not in answer
        assert "\u2003\u2003#2 · 12:30 UTC  pool at 100 %" in await type_command(play, play.ana, "/why")
        await type_command(play, play.ana, "/postmortem export")
        await play.settle()
        draft = play.slack.files[-1].bytes.decode()
        assert "  - Evidence: 12:30 UTC pool at 100 % (#2)" in draft


async def test_an_answer_that_blames_somebody_is_recorded_and_its_author_gets_a_hint_alone(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, "/why because Ana forgot to scale it")
        await play.settle()
        hint = having(play, play.bo, "why_edit")
        assert hint.ephemeral_for == play.bo
        assert "why 1 says “forgot”, which may stop at a person" in hint.plain
        assert labels(hint) == ["Edit"]
        assert len(play.case().whys) == 1
        assert "may stop at a person" not in "".join(m.plain for m in play.slack.messages(play.channel, user=play.ana))
        view = await window(play, play.bo, "why_edit")
        await play.slack.submit(play.bo, view, {"text": "because scaling is done by hand"})
        assert play.case().whys[0].text == "because scaling is done by hand"


async def test_the_words_of_blame_are_the_operators_choice(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, environ={"AFTERWORD_BLAME_WORDS": "gremlins, it's Bob"}) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, "/why because Ana forgot to scale it")
        await type_command(play, play.bo, "/why it\u2019s bob again")
        await play.settle()
        hints = [m for m in play.slack.messages(play.channel, user=play.bo) if "may stop at a person" in m.plain]
        assert len(hints) == 1
        assert "why 2 says “it's bob”" in hints[0].plain
        assert having(play, play.bo, "why_edit").ts == hints[0].ts
