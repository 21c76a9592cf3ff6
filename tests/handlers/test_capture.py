"""Messages come into the timeline by the shortcut, by the reaction and by what is said to the bot."""

import asyncio

import pytest

from bot.rehearsal.screen import ShownMessage
from tests.support.interactions import last, on_stage, open_incident, type_command
from tests.support.play import Play

TRANSPORTS = pytest.mark.parametrize("transport", ["http", "socket"])
AGAIN = {"already_reacted"}
DONE = "white_check_mark"


def marks(play: Play, ts: str) -> dict[str, list[str]]:
    """Who reacted with what to a message."""
    return play.slack.workspace.channels[play.channel].messages[ts].reactions


def captured_entries(play: Play) -> list[tuple[str, str, str, str]]:
    """Time, text, author and recorder of every entry that stands and came from a message."""
    return [
        (f"{entry.happened_at:%H:%M}", entry.text, entry.author, entry.recorder)
        for entry in play.case().entries
        if entry.source
    ]


def whispers(play: Play, user: str) -> list[ShownMessage]:
    """What only this person sees, but for the answer to opening the incident."""
    seen = play.slack.messages(play.channel, user=user)
    return [message for message in seen if message.ephemeral_for and "opened" not in message.plain]


async def react(play: Play, user: str, ts: str, name: str = "memo", *, back: bool = False) -> None:
    """Put a reaction on a message, or take it back, and wait for what comes of it."""
    act = play.slack.unreact if back else play.slack.react
    answer = await act(user, play.channel, ts, name)
    assert answer is None or answer.ok
    await play.settle()


@TRANSPORTS
async def test_the_shortcut_records_a_message_at_its_own_time_with_its_author(sqlite_url: str, transport: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN, transport=transport) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "p99 is at 4 s & rising, @Ana Demo")
        await play.pass_time(minutes=9)
        answer = await play.slack.shortcut(play.ana, play.channel, ts, "timeline_add_message")
        assert answer.ok
        await play.settle()
        assert captured_entries(play) == [("12:30", "p99 is at 4 s & rising, @Ana Demo", play.bo, play.ana)]
        (entry,) = [entry for entry in play.case().entries if entry.source]
        assert entry.source == f"{play.channel}:{ts}"
        assert entry.permalink.endswith(f"/archives/{play.channel}/p{ts.replace('.', '')}")
        receipt = last(play, play.ana)
        assert "12:30 UTC (13:30 Berlin)" in receipt.plain
        assert "Seen by Bo Demo" in receipt.plain
        assert receipt.ephemeral_for == play.ana
        assert marks(play, ts) == {DONE: [play.slack.bot_user_id]}


@TRANSPORTS
async def test_the_reaction_records_a_message_once_whoever_reacts(sqlite_url: str, transport: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN, transport=transport) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        await play.pass_time(minutes=5)
        await react(play, play.ana, ts)
        await react(play, play.chandra, ts)
        await play.slack.shortcut(play.bo, play.channel, ts, "timeline_add_message")
        await play.settle()
        assert captured_entries(play) == [("12:30", "failing over", play.bo, play.ana)]
        assert marks(play, ts)[DONE] == [play.slack.bot_user_id]
        assert whispers(play, play.ana) == []
        assert "Already in INC-1 as #2, recorded by Ana Demo: failing over" in last(play, play.bo).plain


@TRANSPORTS
async def test_what_is_said_to_the_bot_is_recorded_at_the_time_it_names(sqlite_url: str, transport: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN, transport=transport) as play:
        await open_incident(play)
        first = await play.slack.say(play.bo, play.channel, "what do we know?")
        ts = await play.slack.say(play.ana, play.channel, "@afterword 13:10 switched to B", thread_ts=first)
        plain = await play.slack.say(play.ana, play.channel, "@afterword errors are back")
        await play.settle()
        assert captured_entries(play) == [
            ("12:10", "switched to B", play.ana, play.ana),
            ("12:30", "errors are back", play.ana, play.ana),
        ]
        assert DONE in marks(play, ts)
        assert DONE in marks(play, plain)
        (receipt,) = whispers(play, play.ana)
        assert "12:10 UTC (13:10 Berlin)" in receipt.plain
        assert receipt.thread_ts == first
        assert [button[0] for button in receipt.buttons] == ["Edit", "History", "Undo", "That was UTC"]


async def test_two_people_who_react_at_the_same_moment_record_it_once(database_url: str) -> None:
    async with on_stage(database_url, refused=AGAIN) as play:
        await open_incident(play)
        stamps = [await play.slack.say(play.bo, play.channel, f"step {number}") for number in range(4)]
        people = (play.ana, play.chandra, play.bo)
        await asyncio.gather(*(play.slack.react(user, play.channel, ts, "memo") for ts in stamps for user in people))
        await play.settle()
        assert sorted(text for _, text, _, _ in captured_entries(play)) == ["step 0", "step 1", "step 2", "step 3"]
        assert all(DONE in marks(play, ts) for ts in stamps)


async def test_a_reply_in_a_thread_is_recorded_and_never_its_neighbour(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        parent = await play.slack.say(play.bo, play.channel, "is it the cache?")
        await play.pass_time(minutes=3)
        reply = await play.slack.say(play.chandra, play.channel, "no, the queue", thread_ts=parent)
        await play.slack.say(play.bo, play.channel, "then drain it")
        await react(play, play.ana, reply)
        assert captured_entries(play) == [("12:33", "no, the queue", play.chandra, play.ana)]
        assert DONE in marks(play, reply)
        assert marks(play, parent) == {}


async def test_taking_the_reaction_away_takes_the_entry_back_once_nobody_holds_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        await react(play, play.ana, ts)
        await react(play, play.chandra, ts)
        await react(play, play.ana, ts, back=True)
        assert len(captured_entries(play)) == 1
        await react(play, play.chandra, ts, back=True)
        assert captured_entries(play) == []
        assert marks(play, ts) == {}
        await react(play, play.bo, ts)
        assert captured_entries(play) == [("12:30", "failing over", play.bo, play.ana)]
        assert DONE in marks(play, ts)


async def test_a_reaction_taken_away_leaves_what_the_shortcut_recorded(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        await play.slack.shortcut(play.ana, play.channel, ts, "timeline_add_message")
        await react(play, play.chandra, ts)
        await react(play, play.chandra, ts, back=True)
        assert len(captured_entries(play)) == 1
        assert DONE in marks(play, ts)


async def test_a_skin_tone_changes_nothing_and_another_reaction_means_nothing(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN, environ={"AFTERWORD_REACTION": ":writing_hand:"}) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        await react(play, play.ana, ts)
        assert captured_entries(play) == []
        await react(play, play.ana, ts, "writing_hand::skin-tone-3")
        assert len(captured_entries(play)) == 1
        await react(play, play.ana, ts, "writing_hand::skin-tone-3", back=True)
        assert captured_entries(play) == []


async def test_a_time_with_two_readings_is_asked_and_the_answer_keeps_the_message(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        ts = await play.slack.say(play.ana, play.channel, "@afterword 02:05/03:05 restarted it")
        asked = await play.slack.say(play.ana, play.channel, "@afterword 03/04 10:00 changed the flag")
        await play.settle()
        assert "question" in marks(play, asked)
        (question,) = [message for message in whispers(play, play.ana) if "changed the flag" in message.plain]
        first = next(button for button in question.buttons if button[1].startswith("capture_at_"))
        answer = await play.slack.click(play.ana, question, first[1])
        assert answer.ok
        await play.settle()
        entry = next(entry for entry in play.case().entries if entry.text == "changed the flag")
        assert entry.source == f"{play.channel}:{asked}"
        assert entry.permalink
        assert marks(play, asked) == {DONE: [play.slack.bot_user_id]}
        assert ts != asked


async def test_an_event_that_comes_twice_records_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "failing over")
        answer = await play.slack.react(play.ana, play.channel, ts, "memo")
        assert answer is not None
        await type_command(play, play.ana, "/timeline delete 2")
        await play.slack.deliver_again(answer)
        await play.settle()
        assert captured_entries(play) == []


async def test_edit_of_what_somebody_else_said_is_shown_in_its_history(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=AGAIN) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "failing ovr")
        await react(play, play.ana, ts)
        await type_command(play, play.chandra, "/timeline edit 2 failing over")
        history = await type_command(play, play.bo, "/timeline show 2")
        assert "1. Added by reaction by Ana Demo" in history
        assert "2. Edited by Chandra Demo" in history
        assert captured_entries(play) == [("12:30", "failing over", play.bo, play.ana)]
