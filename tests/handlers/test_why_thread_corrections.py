"""In the thread of the whys everything is done that `/why` does, and everyone there reads what was corrected."""

from tests.handlers.test_why_threads import parent, said_in_thread, thread
from tests.handlers.test_whys import resolve_incident
from tests.support.interactions import labels, on_stage, press, type_command, window
from tests.support.play import Play


async def three(play: Play) -> None:
    """Three answers, one below the other."""
    await resolve_incident(play)
    for user, text in (
        (play.ana, "the pool ran out"),
        (play.bo, "retries piled up"),
        (play.chandra, "nobody caps them"),
    ):
        await type_command(play, user, f"/why because {text}")
    await play.settle()


def read_thread(play: Play, user: str) -> str:
    """All that someone reads in the thread."""
    return "\n".join(message.plain for message in thread(play, user))


def head(play: Play) -> str:
    """The message at the head of the thread, as everyone sees it in the channel."""
    (found,) = [message for message in play.slack.messages(play.channel) if message.ts == parent(play)]
    return found.plain


async def test_a_mention_edits_deletes_branches_shows_and_tells_the_history(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await three(play)
        await said_in_thread(play, play.bo, "@afterword edit 2 because clients retry at once")
        assert play.case().whys[1].text == "because clients retry at once"
        assert "Why 2 now reads: because clients retry at once" in read_thread(play, play.bo)
        await said_in_thread(play, play.bo, "@afterword branch 1 the alarm was muted")
        assert play.case().whys[-1].parent == 1
        await said_in_thread(play, play.ana, "@afterword delete 3")
        assert [why.number for why in play.case().whys] == [1, 2, 4]
        await said_in_thread(play, play.ana, "@afterword history 2")
        assert "2. Edited by Bo Demo" in read_thread(play, play.ana)
        await said_in_thread(play, play.ana, "@afterword show")
        assert "4. the alarm was muted — Bo Demo" in read_thread(play, play.ana)
        await said_in_thread(play, play.ana, "@afterword root 2")
        assert play.case().whys[1].is_root
        await said_in_thread(play, play.bo, "@afterword undo")
        assert [why.number for why in play.case().whys] == [1, 2]
        for private in ("now reads", "edited by"):
            assert not any(private in message.plain for message in thread(play, play.chandra))


async def test_only_what_changes_the_record_is_marked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await three(play)
        entries = len(play.case().entries)
        for line, is_marked in (("delete 3", True), ("show", False), ("", False), ("edit 2", False), ("help", False)):
            ts = await said_in_thread(play, play.bo, f"@afterword {line}".strip())
            (message,) = [message for message in play.slack.messages(play.channel) if message.ts == ts]
            assert bool(message.reactions) is is_marked, line
        assert "*Ask why until the cause" in thread(play, play.bo)[-1].plain
        await said_in_thread(play, play.bo, "@afterword delete 9")
        assert (
            "There's no why 9 yet (only whys 1, 2 and 3). `@afterword show` shows the tree."
            in thread(play, play.bo)[-1].plain
        )
        assert len(play.case().entries) == entries


async def test_the_thread_reads_who_corrected_which_why_however_it_was_done(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await three(play)
        await type_command(play, play.bo, "/why edit 1 because the pool was full")
        await play.settle()
        assert thread(play)[-1].plain == "*Bo Demo* reworded why 1: because the pool was full"
        await type_command(play, play.ana, "/why delete 2")
        await play.settle()
        assert "*Ana Demo* removed why 2: ~because retries piled up~" in thread(play)[-1].plain
        await press(play, play.ana, "why_restore")
        assert "*Ana Demo* restored why 2: because retries piled up" in thread(play)[-1].plain
        await type_command(play, play.ana, "/why edit 1")
        view = await window(play, play.ana, "why_edit")
        await play.slack.submit(play.ana, view, {"text": "the pool was small"})
        await play.settle()
        assert thread(play)[-1].plain.endswith("*Ana Demo* reworded why 1: the pool was small")


async def test_where_a_correction_changes_what_is_asked_the_question_is_asked_anew(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await three(play)
        assert "Removed why 2: because retries piled up" in await type_command(play, play.bo, "/why undo")
        await play.settle()
        message = thread(play)[-1]
        assert "removed why 2: ~because retries piled up~" in message.plain
        assert labels(message) == []
        await type_command(play, play.chandra, "/why undo")
        await play.settle()
        message = thread(play)[-1]
        assert "*Why 2 of 5* — Why *the pool ran out*?" in message.plain
        assert labels(message) == ["Answer", "This is a root cause"]
        assert "You haven't answered a why here." in await type_command(play, play.bo, "/why undo")


async def test_the_head_of_the_thread_shows_the_chain_as_it_stands(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await three(play)
        assert "1. because the pool ran out — Ana Demo" in head(play)
        assert "*Why 4 of 5* — Why *nobody caps them*?" in head(play)
        await type_command(play, play.bo, "/why edit 3 because nothing caps them")
        await type_command(play, play.bo, "/why root 3")
        await play.settle()
        assert "3. because nothing caps them :dart: *root cause*" in head(play)
        assert "Every branch of INC-1 ends in a root cause." in head(play)


async def test_a_head_that_somebody_deleted_is_let_go_of(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["message_not_found"]) as play:
        await three(play)
        ts = parent(play)
        del play.slack.workspace.channels[play.channel].messages[ts]
        for line in ("/why edit 3 because nothing caps them", "/why edit 3 because no cap is set"):
            await type_command(play, play.bo, line)
            await play.settle()
        updates = [call for call in play.slack.calls if call.method == "chat.update" and call.args.get("ts") == ts]
        assert [call.ok for call in updates[-1:]] == [False]
        assert len([call for call in updates if not call.ok]) == 1


async def test_a_long_chain_stays_short_in_the_channel(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for number in range(1, 21):
            await type_command(play, play.bo, f"/why because of reason {number} " + "and more " * 40)
        await play.settle()
        assert "15. because of reason 15" in head(play)
        assert "16. because" not in head(play)
        assert "… and 5 more: `@afterword show` shows the tree" in head(play)
