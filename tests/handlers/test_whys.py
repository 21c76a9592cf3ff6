"""The five whys as a channel asks and answers them."""

from bot.rehearsal.screen import ShownMessage
from tests.support.interactions import having, labels, last, on_stage, open_incident, press, type_command, window
from tests.support.play import Play


async def resolve_incident(play: Play) -> None:
    await open_incident(play)
    await type_command(play, play.ana, "/incident resolved")
    await play.settle()


async def test_before_the_resolution_the_first_why_waits(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        answer = await type_command(play, play.ana, "/why")
        assert answer == "*INC-1: no whys yet*\nThe first why is asked once INC-1 is resolved: `/incident resolved`"
        assert labels(last(play, play.ana)) == []
        assert "INC-1 isn't resolved yet" in await type_command(play, play.ana, "/why because the pool ran out")
        assert play.case().whys == ()


async def test_each_answer_is_said_to_all_and_quoted_by_the_next_question(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        answer = await type_command(play, play.bo, "/why Because the connection pool ran out.")
        assert answer == (
            "Posted in the five-whys thread.\n*Why 2 of 5* — Why *the connection pool ran out*?\n"
            "`/why because …` answers it"
        )
        await play.settle()
        assert last(play, play.chandra).ephemeral_for == ""
        view = await window(play, play.chandra, "why_answer")
        assert "Why 2 of 5\nWhy the connection pool ran out?" in view.plain
        await play.slack.submit(play.chandra, view, {"answer": "a retry loop held every connection"})
        await play.settle()
        assert "*Why 3 of 5* — Why *a retry loop held every connection*?" in last(play, play.ana).plain
        assert [(why.number, why.parent, why.author) for why in play.case().whys] == [
            (1, None, play.bo),
            (2, 1, play.chandra),
        ]


async def test_the_first_question_quotes_the_title(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await play.settle()
        assert "*Why 1 of 5* — Why *Checkout is failing*?" in last(play, play.bo).plain
        assert (await window(play, play.bo, "why_answer")).plain.count("Why Checkout is failing?") == 1


async def test_two_who_answer_the_same_question_at_once_name_two_causes_of_the_same(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for _ in range(2):
            views = [await window(play, user, "why_answer") for user in (play.bo, play.chandra)]
            for user, view in zip((play.bo, play.chandra), views, strict=True):
                await play.slack.submit(user, view, {"answer": f"because of {view.plain[:30]} by {user}"})
            await play.settle()
        assert [why.parent for why in play.case().whys] == [None, None, 2, 2]


async def test_after_the_fifth_answer_the_root_cause_is_asked_and_becomes_an_action(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for number in range(1, 6):
            answer = await type_command(play, play.bo, f"/why because of reason {number}")
        assert "Five whys deep. Is *reason 5* the root cause, or keep going?\n`/why root` marks it" in answer
        await play.settle()
        assert labels(last(play, play.ana)) == ["This is the root cause", "Make it an action", "One more why"]
        await press(play, play.ana, "why_root")
        assert "*Ana Demo* marked why 5 as a root cause: *reason 5*" in last(play, play.chandra).plain
        assert [why.is_root for why in play.case().whys] == [False] * 4 + [True]
        view = await window(play, play.ana, "why_action")
        assert "*Why 5*, the cause:\n>because of reason 5\nWhat would prevent this?" in view.plain
        field = next(block["element"] for block in view.blocks if block.get("block_id") == "text")
        assert "initial_value" not in field
        await play.slack.submit(play.ana, view, {"text": "Cap the retries", "owner": play.bo, "due": "2026-11-27"})
        await play.settle()
        message = last(play, play.bo, play.slack.dm(play.bo))
        assert "@Ana Demo gave you an action.\n*Cap the retries*\nDue Fri 27 Nov · action 1 of INC-1" in message.plain
        assert play.case().whys[-1].actions == (1,)


async def test_one_more_why_goes_on_below_the_fifth(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        for number in range(1, 6):
            await type_command(play, play.bo, f"/why because of reason {number}")
        await play.settle()
        five: ShownMessage = having(play, play.bo, "why_root")
        assert five.ephemeral_for == ""
        await play.slack.click(play.bo, five, "why_answer")
        await play.settle()
        (view,) = play.slack.views(play.bo)
        await play.slack.submit(play.bo, view, {"answer": "because of reason 6"})
        assert play.case().whys[-1].parent == 5


async def test_a_chain_may_branch_and_is_shown_as_a_tree(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/why because the pool ran out")
        await type_command(play, play.bo, "/why because retries piled up")
        await type_command(play, play.chandra, "/why branch 1 the alert was muted as well")
        await type_command(play, play.ana, "/why root 2")
        shown = await type_command(play, play.ana, "/why")
        assert "INC-1: 3 whys" in shown
        assert "\n\u2003\u20032. because retries piled up :dart: *root cause*" in shown
        assert "\n\u2003\u20033. the alert was muted as well — Chandra Demo" in shown
        assert [why.parent for why in play.case().whys] == [None, 1, 1]
        assert "There's no why 9 yet (only whys 1, 2 and 3)." in await type_command(
            play, play.ana, "/why branch 9 nothing"
        )
        assert "There's no why 7 yet" in await type_command(play, play.ana, "/why root 7")


async def test_a_root_needs_a_why_and_help_explains(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        assert "There's no why yet. Answer the first one: `/why because …`" in await type_command(
            play, play.ana, "/why root"
        )
        assert "no whys yet" in await type_command(play, play.ana, "/why")
        assert "Ask why until the cause" in await type_command(play, play.ana, "/why help")


async def test_whys_answered_before_a_reopening_go_on_after_it(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        await type_command(play, play.ana, "/why because the pool ran out")
        await type_command(play, play.ana, "/incident reopen")
        assert "*Why 2 of 5* — Why *the pool ran out*?" in await type_command(play, play.ana, "/incident resolved")
