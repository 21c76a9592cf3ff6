"""Two who answer at the same moment: each answer is kept, what it was taken for is said, and one press mends it."""

from bot.rehearsal.screen import ShownMessage
from tests.handlers.test_why_threads import said_in_thread, thread
from tests.handlers.test_whys import resolve_incident
from tests.support.interactions import having, labels, on_stage, press, type_command, window
from tests.support.play import Play


def parents(play: Play) -> list[tuple[int, int | None]]:
    return [(why.number, why.parent) for why in play.case().whys]


async def press_in_thread(play: Play, user: str, action: str) -> list[ShownMessage]:
    """Press a button in the thread; the thread."""
    holding = next(m for m in reversed(thread(play, user)) if action in [button[1] for button in m.buttons])
    assert (await play.slack.click(user, holding, action)).ok
    await play.settle()
    return thread(play, user)


async def test_answers_typed_within_seconds_are_asked_about_and_put_side_by_side(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, "/why because the pool ran out")
        await play.pass_time(seconds=4)
        answer = await type_command(play, play.chandra, "/why because the alert was muted")
        assert "Why 1 came seconds before yours, so yours explains why 1." in answer
        await play.settle()
        assert parents(play) == [(1, None), (2, 1)]
        assert not [m for m in thread(play) if "why_move" in [button[1] for button in m.buttons]]
        await press(play, play.chandra, "why_move")
        moved = next(m.plain for m in thread(play) if "moved why 2" in m.plain)
        assert (
            "*Chandra Demo* moved why 2, which now explains the incident itself: because the alert was muted" in moved
        )
        assert parents(play) == [(1, None), (2, None)]
        history = await type_command(play, play.ana, "/why show 2")
        assert "2. Moved by Chandra Demo" in history
        assert "*Why 2 of 5* — Why *the alert was muted*?" in await type_command(play, play.ana, "/why")


async def test_who_had_time_to_read_or_goes_on_alone_is_not_asked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, "/why because the pool ran out")
        await type_command(play, play.bo, "/why because of the retries")
        await play.pass_time(seconds=30)
        await type_command(play, play.chandra, "/why because nobody caps them")
        await type_command(play, play.ana, "/why branch 3 because nobody looked")
        await play.settle()
        assert parents(play) == [(1, None), (2, 1), (3, 2), (4, 3)]
        assert not [m for m in thread(play) if "why_move" in [button[1] for button in m.buttons]]


async def test_a_form_that_was_open_meanwhile_stands_beside_and_can_be_put_beneath(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        views = [await window(play, user, "why_answer") for user in (play.bo, play.chandra)]
        await play.slack.submit(play.bo, views[0], {"answer": "the pool ran out"})
        await play.pass_time(minutes=9)
        await play.slack.submit(play.chandra, views[1], {"answer": "retries held every connection"})
        await play.settle()
        message = having(play, play.chandra, "why_move")
        assert "Why 1 answered the same question first, so yours is another cause beside it." in message.plain
        assert labels(message)[0] == "Put it beneath why 1"
        assert parents(play) == [(1, None), (2, None)]
        await press(play, play.chandra, "why_move")
        seen = [message.plain for message in play.slack.messages(play.channel, user=play.chandra)]
        assert any(text.startswith("Why 2 now explains why 1: retries held every connection") for text in seen)
        assert "moved why 2, which now explains why 1: retries held" in thread(play)[-1].plain
        assert parents(play) == [(1, None), (2, 1)]


async def test_a_form_on_an_older_question_says_nothing_of_what_was_there_when_it_opened(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        first = having(play, play.bo, "why_answer")
        await type_command(play, play.bo, "/why because the pool ran out")
        await play.settle()
        await play.slack.click(play.chandra, first, "why_answer")
        await play.settle()
        await play.slack.submit(play.chandra, play.slack.views(play.chandra)[-1], {"answer": "the alert was muted"})
        await play.settle()
        assert len(play.case().whys) == 2
        assert not [m for m in thread(play) if "why_move" in [button[1] for button in m.buttons]]


async def test_a_why_is_moved_by_command_with_what_explains_it_and_never_into_a_ring(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for text in ("the pool ran out", "retries", "no cap", "the alert was muted"):
            await type_command(play, play.bo, f"/why because of {text}")
        assert "Why 2 now explains the incident itself" in await type_command(play, play.ana, "/why move 2 beside 1")
        await said_in_thread(play, play.ana, "@afterword move 4 beneath #2")
        assert parents(play) == [(1, None), (2, None), (3, 2), (4, 2)]
        for wrong, remedy in (
            ("move 2 beneath 3", "Why 2 can only explain an earlier why. Move the later one: `/why move 3 beneath 2`"),
            ("move 2 beneath 2", "Why 2 can't explain itself."),
            ("move 1 beside 4", "Why 1 can only explain an earlier why. Move the later one: `/why move 4 beside 1`"),
        ):
            assert remedy in await type_command(play, play.ana, f"/why {wrong}")
        assert "Why 4 is already beneath why 2" in await type_command(play, play.ana, "/why move 4 under why 2")
        assert "There's no why 9" in await type_command(play, play.ana, "/why move 9 beneath 2")
        assert parents(play) == [(1, None), (2, None), (3, 2), (4, 2)]
        await type_command(play, play.ana, "/why move 4 beneath the noise somebody muted it")
        assert play.case().whys[-1].text == "move 4 beneath the noise somebody muted it"


async def test_what_explained_a_why_that_was_taken_back_is_its_again_after_another_moved(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for text in ("the pool ran out", "retries", "no cap", "the alert was muted"):
            await type_command(play, play.bo, f"/why because of {text}")
        await type_command(play, play.bo, "/why delete 2")
        await type_command(play, play.bo, "/why move 4 beneath 1")
        assert parents(play) == [(1, None), (3, 1), (4, 1)]
        await play.settle()
        await type_command(play, play.bo, "/why undo")
        await press(play, play.bo, "why_restore")
        await type_command(play, play.bo, "/why edit 2 because of retries")
        assert parents(play) == [(1, None), (2, 1), (3, 2), (4, 1)]
