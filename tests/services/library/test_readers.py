"""Who may read what outside of Slack: the rules are those of Slack, also for whole lists."""

from collections.abc import AsyncIterator

import pytest

from bot.domain.readers import Reader, Sight
from bot.services.library import readers as readers_service
from tests.support.play import TEAM, Play, playing


@pytest.fixture
async def play(sqlite_url: str) -> AsyncIterator[Play]:
    async with playing(sqlite_url) as playing_now:
        yield playing_now


def calls(play: Play, method: str) -> int:
    return sum(call.method == method for call in play.slack.calls)


async def test_a_member_sees_private_channels_that_they_and_the_bot_are_in(play: Play) -> None:
    private = play.slack.channel("secret", [play.ana], private=True)
    play.slack.channel("without the bot", [play.ana], with_bot=False, private=True)
    assert await readers_service.visible_to(play.bot.services, Reader(TEAM, play.ana)) == Sight(
        TEAM, public=True, channels=frozenset({private})
    )
    assert await readers_service.visible_to(play.bot.services, Reader(TEAM, play.bo)) == Sight(TEAM, public=True)
    seen = await readers_service.sees(play.bot.services, Reader(TEAM, play.bo), [play.channel, private])
    assert seen == {play.channel}
    seen = await readers_service.sees(play.bot.services, Reader(TEAM, play.ana), [play.channel, private])
    assert seen == {play.channel, private}


async def test_one_call_a_minute_tells_all_channels_of_a_reader(play: Play) -> None:
    for number in range(20):
        play.slack.channel(f"secret-{number}", [play.ana], private=True)
    for _ in range(5):
        sight = await readers_service.visible_to(play.bot.services, Reader(TEAM, play.ana))
    assert len(sight.channels) == 20
    assert calls(play, "users.conversations") == 1


async def test_who_leaves_a_channel_sees_it_no_more_at_once(play: Play) -> None:
    private = play.slack.channel("secret", [play.ana, play.bo], private=True)
    reader = Reader(TEAM, play.bo)
    assert private in (await readers_service.visible_to(play.bot.services, reader)).channels
    await play.slack.leave(play.bo, private)
    assert private not in (await readers_service.visible_to(play.bot.services, reader)).channels
    assert await readers_service.sees(play.bot.services, reader, [private]) == frozenset()


async def test_who_joins_a_channel_sees_it_at_once(play: Play) -> None:
    private = play.slack.channel("secret", [play.ana], private=True)
    reader = Reader(TEAM, play.bo)
    assert private not in (await readers_service.visible_to(play.bot.services, reader)).channels
    await play.slack.arrive(play.bo, private)
    assert private in (await readers_service.visible_to(play.bot.services, reader)).channels


async def test_without_an_answer_from_slack_no_private_channel_is_in_sight(play: Play) -> None:
    play.slack.channel("secret", [play.ana], private=True)
    play.slack.fail("users.conversations", "internal_error")
    sight = await readers_service.visible_to(play.bot.services, Reader(TEAM, play.ana))
    assert sight == Sight(TEAM, public=True)


async def test_a_guest_sees_nothing(play: Play) -> None:
    guest = play.slack.user("Gil Guest", guest=True)
    play.slack.workspace.channels[play.channel].members.add(guest)
    assert await readers_service.visible_to(play.bot.services, Reader(TEAM, guest)) == Sight(TEAM)
    assert await readers_service.sees(play.bot.services, Reader(TEAM, guest), [play.channel]) == frozenset()


async def test_an_admitted_guest_sees_their_own_channels_only(sqlite_url: str) -> None:
    async with playing(sqlite_url, environ={"AFTERWORD_ALLOW_GUESTS": "true"}) as play:
        guest = play.slack.user("Gil Guest", guest=True)
        other = play.slack.channel("payments", [play.ana])
        play.slack.workspace.channels[play.channel].members.add(guest)
        sight = await readers_service.visible_to(play.bot.services, Reader(TEAM, guest))
        assert sight == Sight(TEAM, channels=frozenset({play.channel}))
        seen = await readers_service.sees(play.bot.services, Reader(TEAM, guest), [play.channel, other])
        assert seen == {play.channel}


async def test_somebody_deactivated_sees_nothing_at_once(play: Play) -> None:
    reader = Reader(TEAM, play.bo)
    assert await readers_service.may_read(play.bot.services, reader)
    await play.slack.change_person(play.bo, deleted=True)
    assert await readers_service.find_objection(play.bot.services, reader) == "deactivated"
    assert await readers_service.visible_to(play.bot.services, reader) == Sight(TEAM)


async def test_a_reader_of_another_workspace_sees_nothing(play: Play) -> None:
    await play.bot.directory_refresher.wait()
    assert await readers_service.find_objection(play.bot.services, Reader("T0OTHER", play.ana)) == "other workspace"
    assert await readers_service.visible_to(play.bot.services, Reader("T0OTHER", play.ana)) == Sight("T0OTHER")
