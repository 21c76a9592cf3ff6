"""The live message: coalesced, patient where Slack asks for it, and posted again where it was deleted."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from bot.domain.records import Place
from bot.slack.refresh import LIVE_MESSAGE_PAUSE_SECONDS, LiveMessageQueue, RefreshLiveMessage
from tests.support.deadlines import LONG_SECONDS, until
from tests.support.interactions import having, last, on_stage, open_incident, type_command
from tests.support.play import Play, playing

HERE = Place("T1", "C1")


def updates(play: Play) -> int:
    """How often the bot has asked Slack to change a message."""
    return len([call for call in play.slack.calls if call.method == "chat.update"])


def live(play: Play) -> list[str]:
    """The live messages that stand in the channel."""
    seen = play.slack.messages(play.channel, user=play.bo)
    return [one.ts for one in seen if "timeline_form_open" in [button[1] for button in one.buttons]]


async def test_many_entries_in_one_burst_cost_a_call_or_two(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        before, began = updates(play), time.monotonic()

        def pauses() -> float:
            return (time.monotonic() - began) // LIVE_MESSAGE_PAUSE_SECONDS

        for number in range(60):
            await type_command(play, play.bo, f"/timeline entry {number}")
        assert updates(play) - before <= 2 + pauses()
        await play.settle()
        assert "entry 59 — Bo Demo #61" in having(play, play.bo, "timeline_show").plain
        assert updates(play) - before <= 3 + pauses()


async def test_an_update_that_changes_nothing_is_not_sent(sqlite_url: str) -> None:
    async with on_stage(sqlite_url) as play:
        await open_incident(play)
        await type_command(play, play.bo, "/timeline failed over")
        await play.settle()
        before = updates(play)
        play.bot.slack.live_messages.mark_stale(Place(play.slack.workspace.team, play.channel), None)
        await play.settle()
        assert updates(play) == before


async def test_a_deleted_live_message_is_posted_anew_once(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["message_not_found"]) as play:
        await open_incident(play)
        (first,) = live(play)
        del play.slack.workspace.channels[play.channel].messages[first]
        await type_command(play, play.bo, "/timeline failed over")
        await play.settle()
        await play.settle()
        (second,) = live(play)
        assert second != first
        await type_command(play, play.bo, "/timeline back to normal")
        await play.settle()
        assert live(play) == [second]
        assert "back to normal" in having(play, play.bo, "timeline_show").plain
        del play.slack.workspace.channels[play.channel].messages[second]
        await type_command(play, play.bo, "/timeline all quiet")
        await play.settle()
        await play.settle()
        assert live(play) == []
        assert play.case().entries[-1].text == "all quiet"
        assert "all quiet" in last(play, play.bo).plain


async def test_slack_is_left_alone_for_as_long_as_it_asks_and_then_told_the_latest(sqlite_url: str) -> None:
    async with on_stage(sqlite_url, refused=["ratelimited"]) as play:
        await open_incident(play)
        await asyncio.sleep(0)
        play.slack.fail("chat.update", "ratelimited", retry_after=60)
        before = updates(play)
        await type_command(play, play.bo, "/timeline failed over")
        await play.bot.slack.live_messages.refresh_now()
        assert updates(play) == before + 1
        for number in range(5):
            await type_command(play, play.bo, f"/timeline entry {number}")
            await play.bot.slack.live_messages.refresh_now()
        assert updates(play) == before + 1
        assert 0 < play.bot.slack.live_messages._quiet_until - time.monotonic() <= 60
        play.bot.slack.live_messages._quiet_until = time.monotonic()  # a minute later
        await play.bot.slack.live_messages.refresh_now()
        assert updates(play) == before + 2
        assert "entry 4" in having(play, play.bo, "timeline_show").plain


async def test_an_error_that_is_no_refusal_costs_one_update(sqlite_url: str) -> None:
    async with playing(sqlite_url) as play:
        await open_incident(play)
        play.slack.fail("chat.update", drop="before")
        await type_command(play, play.bo, "/timeline failed over")
        await play.settle()
        await type_command(play, play.bo, "/timeline back to normal")
        await play.settle()
        assert "back to normal" in having(play, play.bo, "timeline_show").plain


@asynccontextmanager
async def refreshing_with(refresh: RefreshLiveMessage, *, pause: float) -> AsyncIterator[LiveMessageQueue]:
    cards = LiveMessageQueue(pause=pause)
    cards.refresh_with(refresh)
    running = asyncio.create_task(cards.run())
    yield cards
    assert not running.done(), running.exception()
    running.cancel()
    await asyncio.wait([running])


async def test_the_loop_refreshes_at_once_then_rests_and_does_not_die_of_an_error() -> None:
    done: list[float] = []

    async def refresh(_place: Place, _incident: int | None) -> float:
        done.append(time.monotonic())
        if len(done) == 2:
            raise RuntimeError
        return 0.0

    async with refreshing_with(refresh, pause=0.1) as cards:
        began = time.monotonic()
        while len(done) < 4:
            cards.mark_stale(HERE, None)
            await asyncio.sleep(0.01)
    assert len(done) <= 1 + (done[-1] - began) / 0.1
    assert min(later - before for before, later in pairwise(done)) >= 0.09


async def test_refreshing_now_waits_for_what_is_under_way_and_older_words_never_arrive_last() -> None:
    words, shown = "old", []
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def refresh(_place: Place, _incident: int | None) -> float:
        read = words
        under_way.set()
        await go_on.wait()
        shown.append(read)
        return 0.0

    async with refreshing_with(refresh, pause=LONG_SECONDS) as cards:
        cards.mark_stale(HERE, None)
        await under_way.wait()
        one = asyncio.create_task(cards.refresh_now())
        words = "new"
        cards.mark_stale(HERE, None)
        two = asyncio.create_task(cards.refresh_now())
        await asyncio.sleep(0.05)  # were they not to wait, they would be over
        assert (one.done(), two.done(), shown) == (False, False, [])
        go_on.set()
        await asyncio.gather(one, two)
        assert shown == ["old", "new"]


@pytest.mark.parametrize("wait", [0.2, 0.4])
async def test_the_loop_waits_as_long_as_slack_asks(wait: float) -> None:
    done: list[float] = []

    async def refresh(_place: Place, _incident: int | None) -> float:
        done.append(time.monotonic())
        return wait if len(done) == 1 else 0.0

    async with refreshing_with(refresh, pause=0.01) as cards:
        cards.mark_stale(HERE, None)
        await until(lambda: len(done) >= 2)
    assert done[1] - done[0] >= wait
