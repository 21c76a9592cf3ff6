"""Which action is for which root cause: said in one press, from the findings and from a new action."""

from tests.handlers.test_whys import resolve_incident
from tests.support.interactions import having, labels, on_stage, press, type_command
from tests.support.play import Play


async def two_roots(play: Play) -> None:
    await resolve_incident(play)
    await type_command(play, play.bo, "/why because nobody tests the pool")
    await type_command(play, play.bo, "/why root")
    await type_command(play, play.bo, "/why branch 1 the alarm was muted")
    await type_command(play, play.bo, "/why root 2")
    await play.settle()


def linked_entries(play: Play) -> list[tuple[int, ...]]:
    return [why.actions for why in play.case().whys]


async def test_with_more_roots_than_one_it_is_asked_which_the_action_is_for(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await two_roots(play)
        await type_command(play, play.ana, "/action load test the pool")
        answer = await type_command(play, play.ana, "/postmortem")
        question = (
            "Which action is for the root cause in why 1, “because nobody tests the pool”? "
            "Action 1 “load test the pool”."
        )
        assert question not in answer
        assert question in (await press(play, play.ana, "postmortem_show_all")).plain
        await press(play, play.ana, "finding_link_1")
        assert linked_entries(play) == [(1,), ()]
        again = having(play, play.ana, "postmortem_pick")
        assert "Which action" not in again.plain
        assert "The root cause in why 2 has no action: “the alarm was muted”" in again.plain
        assert "*Postmortem of INC-1*" in again.plain


async def test_a_new_action_offers_the_roots_that_have_none(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await two_roots(play)
        await type_command(play, play.ana, "/action unmute the alarm")
        await play.settle()
        message = having(play, play.ana, "finding_link_2")
        assert "Which root cause is it for? Why 1: _because nobody tests the pool_ · Why 2: _the alarm" in message.plain
        assert {"For why 1", "For why 2"} <= set(labels(message))
        await play.slack.click(play.ana, message, "finding_link_2")
        await play.settle()
        assert linked_entries(play) == [(), (1,)]
        seen = [message.plain for message in play.slack.messages(play.channel, user=play.ana)]
        assert any("Action 1 is for why 2." in plain for plain in seen)
        await type_command(play, play.ana, "/action load test the pool")
        await play.settle()
        assert "For why 2" not in labels(having(play, play.ana, "finding_link_1"))
        assert "root cause in why" not in await type_command(play, play.ana, "/postmortem")


async def test_an_action_of_an_incident_without_open_roots_offers_nothing(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await resolve_incident(play)
        answer = await type_command(play, play.ana, "/action load test the pool")
        assert "load test the pool" in answer
        assert "For why" not in answer
