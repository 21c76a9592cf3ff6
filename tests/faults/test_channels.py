"""What happens in a channel in another order than expected."""

from datetime import timedelta

from tests.support.acceptance.programs import free_port
from tests.support.interactions import open_incident, type_command
from tests.support.play import Play, playing


def waits_in_channel(play: Play) -> bool:
    return any("postmortem is waiting" in message.plain for message in play.slack.messages(play.channel))


async def test_after_an_invitation_the_next_reminder_is_posted_in_the_channel_again(database_url: str) -> None:
    async with playing(database_url) as play:
        await open_incident(play)
        await type_command(play, play.ana, "/incident resolved")
        await play.settle()
        await play.slack.leave(play.slack.bot_user_id, play.channel)
        await play.pass_time(hours=24, minutes=1)
        await play.settle()
        assert not waits_in_channel(play)
        await play.slack.invite_bot(play.channel, play.ana)
        await play.pass_time(hours=24)
        await play.settle()
        assert waits_in_channel(play)


async def test_a_reaction_s_end_that_arrives_before_its_beginning_leaves_no_entry(database_url: str) -> None:
    async with playing(database_url) as play:
        await open_incident(play)
        ts = await play.slack.say(play.bo, play.channel, "failed over to replica")
        request_url = play.slack.http.url
        play.slack.send_to(f"http://127.0.0.1:{free_port()}/")  # Slack keeps both for later
        added = await play.slack.react(play.ana, play.channel, ts, "memo")
        removed = await play.slack.unreact(play.ana, play.channel, ts, "memo")
        play.slack.send_to(request_url)
        assert added
        assert removed
        play.clock.advance(timedelta(minutes=1))
        for late in (removed, added):
            assert (await play.slack.deliver_again(late)).ok
            await play.settle()
        assert [entry.text for entry in play.case().entries] == ["Incident opened: Checkout is failing"]
