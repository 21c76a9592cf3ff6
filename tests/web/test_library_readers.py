"""Every page of the library, walked by everyone: member, outsider, guest, foreigner, deactivated, signed out."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.domain.readers import Sight, public_sight
from storage import channels as channels_store
from tests.support.library_visit import Visitor, playing_with_library, visiting
from tests.support.play import TEAM, Play

PUBLIC, PRIVATE = "Checkout fails for everyone", "Payroll leaks to the wrong people"
PAGES = ("/library", "/library?q=payroll", "/library/INC-1", "/library/INC-2", "/library/INC-99", "/library/feed.atom")


@dataclass(frozen=True, slots=True)
class Scene:
    """A play with one incident in a public channel and one in Ana's private one, whose privacy is known."""

    play: Play
    private: str


@pytest.fixture
async def scene(sqlite_url: str) -> AsyncIterator[Scene]:
    async with playing_with_library(sqlite_url) as play:
        private = play.slack.channel("payroll", [play.ana], private=True)
        for channel, title in ((play.channel, PUBLIC), (private, PRIVATE)):
            await play.slack.command(play.ana, channel, f"/incident open {title}")
            await play.slack.command(play.ana, channel, "/timeline we saw it")
        await play.settle()
        await refresh_privacy(play)
        yield Scene(play, private)


async def refresh_privacy(play: Play) -> None:
    privacy = play.bot.slack.channel_privacy
    await privacy.wait()
    privacy.refresh_if_due(play.clock.now())
    await privacy.wait()


async def walk(visitor: Visitor) -> dict[str, tuple[int, bool, bool]]:
    """For each page its status, and whether it tells of the public and of the private incident."""
    found = {}
    for page in PAGES:
        answer = await visitor.get(page)
        found[page] = answer.status, PUBLIC in answer.text, "leaks to the wrong" in answer.text
    return found


async def test_a_member_of_the_private_channel_finds_both(scene: Scene) -> None:
    async with visiting(scene.play) as visitor:
        await visitor.sign_in(scene.play.ana)
        seen_pages = await walk(visitor)
    assert seen_pages["/library"] == (200, True, True)
    assert seen_pages["/library?q=payroll"] == (200, False, True)
    assert seen_pages["/library/INC-1"][:2] == (200, True)
    assert seen_pages["/library/INC-2"][::2] == (200, True)
    assert seen_pages["/library/INC-99"] == (404, False, False)


async def test_an_outsider_finds_no_trace_of_the_private_one(scene: Scene) -> None:
    async with visiting(scene.play) as visitor:
        await visitor.sign_in(scene.play.bo)
        seen_pages = await walk(visitor)
        hidden, missing = await visitor.get("/library/INC-2"), await visitor.get("/library/INC-99")
    assert seen_pages["/library"] == (200, True, False)
    assert seen_pages["/library/INC-1"][:2] == (200, True)
    assert not any(private for _, _, private in seen_pages.values())
    assert (hidden.status, hidden.text) == (missing.status, missing.text) == (404, missing.text)


async def test_who_leaves_the_private_channel_loses_it_at_once(scene: Scene) -> None:
    async with visiting(scene.play) as visitor:
        await visitor.sign_in(scene.play.ana)
        assert (await visitor.get("/library/INC-2")).status == 200
        await scene.play.slack.leave(scene.play.ana, scene.private)
        assert (await visitor.get("/library/INC-2")).status == 404
        assert PRIVATE not in (await visitor.get("/library")).text


async def test_nobody_else_reads_a_word(scene: Scene) -> None:
    play = scene.play
    guest = play.slack.user("Gil Guest", guest=True)
    play.slack.workspace.channels[scene.private].members.add(guest)
    async with visiting(play) as signed_out, visiting(play) as refused, visiting(play) as foreign:
        await refused.sign_in(guest)
        await foreign.sign_in(play.ana, team="T0OTHER")
        for visitor in (signed_out, refused, foreign):
            for status, public, private in (await walk(visitor)).values():
                assert status in (303, 404)
                assert not public
                assert not private


async def test_somebody_deactivated_reads_no_more(scene: Scene) -> None:
    async with visiting(scene.play) as visitor:
        await visitor.sign_in(scene.play.ana)
        await scene.play.slack.change_person(scene.play.ana, deleted=True)
        assert {status for status, _, _ in (await walk(visitor)).values()} <= {303, 404}


async def test_over_a_socket_the_library_is_there_too(sqlite_url: str) -> None:
    async with playing_with_library(sqlite_url, transport="socket") as play, visiting(play) as visitor:
        assert (await visitor.sign_in(play.ana)).status == 303
        assert (await visitor.get("/library")).status == 200


async def test_the_table_of_channels_is_filled_and_follows_what_slack_says(scene: Scene) -> None:
    play = scene.play
    known = play.bot.store.read_now(channels_store.load_privacy)
    assert known == {(TEAM, play.channel): False, (TEAM, scene.private): True}
    event = {"type": "message", "channel": play.channel, "user": play.ana, "channel_type": "group"}
    for kind, is_private in (("private", True), ("public", False)):
        at = {"ts": f"1700000000.00000{int(is_private)}", "event_ts": "1700000000.000009"}
        await play.slack.event(event | at | {"subtype": f"channel_convert_to_{kind}"})
        assert play.bot.store.read_now(channels_store.load_privacy)[TEAM, play.channel] is is_private


async def test_many_channels_are_listed_and_not_asked_about_one_by_one(sqlite_url: str) -> None:
    async with playing_with_library(sqlite_url) as play:
        await play.bot.slack.channel_privacy.wait()
        for number in range(35):
            channel = play.slack.channel(f"inc-{number}", [play.ana], private=number % 7 == 0)
            await play.slack.command(play.ana, channel, f"/incident open Number {number}")
        before = sum(call.method == "conversations.info" for call in play.slack.calls)
        await refresh_privacy(play)
        known = play.bot.store.read_now(channels_store.load_privacy)
        assert sum(known.values()) == 5
        assert len(known) == 35
        assert sum(call.method == "conversations.info" for call in play.slack.calls) == before
        assert sum(call.method == "conversations.list" for call in play.slack.calls) == 1


def test_everyone_at_once_sees_public_channels_only() -> None:
    assert public_sight(TEAM) == Sight(TEAM, public=True, channels=frozenset())
