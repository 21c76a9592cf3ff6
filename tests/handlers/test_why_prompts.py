"""Prompts in the thread of the whys: the newest asks and has buttons; older ones show who answered them."""

from tests.handlers.test_why_threads import parent, post_button, said_in_thread, thread
from tests.handlers.test_whys import resolve_incident
from tests.support.interactions import labels, last, on_stage, press, type_command, window
from tests.support.play import Play


def prompts(play: Play) -> list[str]:
    """What the bot says in the thread, without its head."""
    return [message.plain for message in thread(play)[1:] if message.user == play.slack.bot_user_id]


def with_buttons(play: Play) -> list[list[str]]:
    """The buttons of the messages in the thread that have any, without its head."""
    return [found for message in thread(play)[1:] if (found := labels(message))]


def top_level(play: Play) -> list[str]:
    """What the bot says in the channel to all, outside threads."""
    shown = [m for m in play.slack.messages(play.channel) if m.thread_ts in ("", m.ts)]
    return [message.plain for message in shown if message.user == play.slack.bot_user_id]


async def test_only_the_newest_prompt_has_buttons_and_the_others_show_their_answers(database_url: str) -> None:
    async with on_stage(database_url) as play:
        await resolve_incident(play)
        for user, text in (
            (play.ana, "the pool ran out"),
            (play.bo, "retries piled up"),
            (play.ana, "nothing caps them"),
        ):
            await said_in_thread(play, user, f"because {text}")
            await play.pass_time(minutes=1)
        assert prompts(play)[:2] == [
            "*Why 2 of 5* — Why *the pool ran out*?\nAnswered by *Bo Demo*: because retries piled up",
            "*Why 3 of 5* — Why *retries piled up*?\nAnswered by *Ana Demo*: because nothing caps them",
        ]
        assert prompts(play)[2].startswith(
            "*Why 4 of 5* — Why *nothing caps them*?\nPress *Answer* or reply `because …`"
        )
        assert with_buttons(play) == [["Answer", "This is a root cause"]]


async def test_answers_that_come_before_any_prompt_is_sent_leave_one_with_buttons(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for number in range(1, 4):
            await type_command(play, play.bo, f"/why because of reason {number}")
        await play.settle()
        assert with_buttons(play) == [["Answer", "This is a root cause"]]
        assert prompts(play)[0] == "*Why 2 of 5* — Why *reason 1*?\nAnswered by *Bo Demo*: because of reason 2"


async def test_five_whys_and_a_root_cause_are_one_post_in_the_channel(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        before = top_level(play)
        for number in range(1, 6):
            await type_command(play, play.bo, f"/why because of reason {number}")
        assert (await type_command(play, play.bo, "/why root")).startswith(
            "Posted in the five-whys thread.\n:dart: Every branch"
        )
        await play.settle()
        await press(play, play.ana, "why_no_root")
        await press(play, play.ana, "why_root")
        assert len(top_level(play)) == len(before)
        assert with_buttons(play) == [["Make it an action", "Not a root cause", "Check the postmortem"]]


async def test_a_press_in_the_thread_is_answered_in_the_thread_alone(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await said_in_thread(play, play.bo, "because the pool ran out")
        seen = len(play.slack.messages(play.channel, user=play.ana))
        prompt = thread(play)[-1]
        await play.slack.click(play.ana, prompt, "why_answer")
        await play.settle()
        await play.slack.submit(play.ana, play.slack.views(play.ana)[-1], {"answer": "because retries piled up"})
        await play.settle()
        await play.slack.click(play.ana, thread(play)[-1], "why_root")
        await play.settle()
        assert len(play.slack.messages(play.channel, user=play.ana)) == seen + 2


async def test_an_old_answer_button_opens_the_question_that_is_open_now(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, "/why because the pool ran out")
        await type_command(play, play.bo, "/why because retries piled up")
        await play.settle()
        await post_button(play, "why_answer", {"incident": play.case().incident.id, "parent": None})
        view = await window(play, play.chandra, "why_answer")
        assert view.plain.startswith(
            "Why 3 of 5\n*Bo Demo* answered that why already: _the pool ran out_ (why 1). "
            "This is the question that's open now.\nWhy retries piled up?"
        )
        await play.slack.submit(play.chandra, view, {"answer": "nothing caps them"})
        await play.settle()
        assert [(why.number, why.parent) for why in play.case().whys] == [(1, None), (2, 1), (3, 2)]


async def test_an_old_answer_button_says_so_once_every_branch_has_ended(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, "/why because the pool ran out")
        await type_command(play, play.bo, "/why root")
        await play.settle()
        await post_button(play, "why_answer", {"incident": play.case().incident.id, "parent": None})
        await press(play, play.chandra, "why_answer")
        assert last(play, play.chandra).plain.startswith(
            "Bo Demo already answered that, as why 1, and every branch ends in a root cause. To add another cause: "
            "`/why branch 1 …`"
        )


async def test_where_the_wording_or_the_depth_changes_the_newest_prompt_says_so(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for text in ("the pool ran out", "retries piled up", "nothing caps them"):
            await type_command(play, play.bo, f"/why because {text}")
        await type_command(play, play.bo, "/why delete 2")
        await play.settle()
        assert "*Bo Demo* removed why 2: ~because retries piled up~" in prompts(play)
        assert [text for text in prompts(play) if "Press *Answer*" in text] == [
            "*Why 3 of 5* — Why *nothing caps them*?\nPress *Answer* or reply `because …`\nAnswer\nThis is a root cause"
        ]


async def test_after_an_action_was_made_of_a_root_cause_its_button_goes(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, "/why because the pool ran out")
        await type_command(play, play.bo, "/why root")
        await play.settle()
        view = await window(play, play.ana, "why_action")
        assert view.plain.startswith(
            "New action\n*Why 1*, the cause:\n>because the pool ran out\nWhat would prevent this?"
        )
        await play.slack.submit(play.ana, view, {"text": "Size the pool by load"})
        await play.settle()
        assert with_buttons(play) == [["Not a root cause", "Check the postmortem"]]


async def test_while_the_incident_is_open_again_nothing_is_asked(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, "/why because the pool ran out")
        await play.settle()
        await type_command(play, play.bo, "/incident reopen")
        await play.settle()
        (head,) = [message for message in thread(play) if message.ts == parent(play)]
        assert head.plain.endswith("INC-1 is open again. The next why is asked once it is resolved.")
        assert [labels(message) for message in thread(play)] == [[], []]
        await type_command(play, play.bo, "/incident resolved")
        await play.settle()
        assert [labels(message) for message in thread(play)] == [["Answer"], [], ["Answer", "This is a root cause"]]


async def test_a_why_is_marked_as_a_root_cause_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, "/why because the pool ran out")
        await type_command(play, play.bo, "/why root")
        assert "Why 1 is already a root cause." in await type_command(play, play.ana, "/why root 1")
        await play.settle()
        assert len([text for text in prompts(play) if "marked why 1" in text]) == 1
        assert "1. because the pool ran out :dart: *root cause*" in next(
            message.plain for message in thread(play) if message.ts == parent(play)
        )


async def test_a_slip_in_because_and_nothing_behind_it_are_no_answer(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.bo, "/why becuse typo")
        assert [why.text for why in play.case().whys] == ["because typo"]
        for line in ("becuse", "because", "because …"):
            assert "Why did it happen? Try `/why because the connection pool ran out`" in await type_command(
                play, play.bo, f"/why {line}"
            )
        assert len(play.case().whys) == 1
