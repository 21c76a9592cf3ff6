"""People who talked before an incident was opened, and short ways to have that looked through."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from bot.rehearsal.screen import ShownMessage, ShownView, list_elements
from bot.rehearsal.workspace import Message
from storage import history_scan as history_scan_store
from tests.support.interactions import on_stage, open_incident, press
from tests.support.play import NOON, Play

EARLIER = NOON - timedelta(hours=3)


@asynccontextmanager
async def talk(url: str, **more: Any) -> AsyncIterator[Play]:
    """A play that begins three hours before noon, so that people can have talked."""
    async with on_stage(url, now=EARLIER, **more) as play:
        yield play


def say(play: Play, user: str, text: str, **parts: Any) -> Message:
    """A message a minute after the one before, of which the bot gets no event."""
    play.clock.advance(timedelta(minutes=1))
    place = play.slack.workspace.channels[play.channel]
    return play.slack.workspace.put(place, user, play.slack.keyboard().message(text), **parts)


def until(play: Play, moment: datetime) -> None:
    play.clock.advance(moment - play.clock.now())


async def looked_back(play: Play, hours: int = 24) -> ShownMessage:
    """An incident is opened, its opener has the channel looked through; the message that comes of it."""
    await open_incident(play)
    await press(play, play.ana, f"lookback_{hours}")
    return await walk_on(play)


async def walk_on(play: Play) -> ShownMessage:
    """The next ticks; the newest message to who asked."""
    before = len(in_dm(play))
    for _ in range(200):
        await play.pass_time(seconds=15)
        await play.settle()
        if len(in_dm(play)) > before:
            return in_dm(play)[-1]
    raise AssertionError("the look back came to no end")


def in_dm(play: Play) -> list[ShownMessage]:
    return play.slack.messages(play.slack.dm(play.ana))


def walk(play: Play) -> history_scan_store.HistoryScan:
    row = play.bot.store.read_now(lambda tx: history_scan_store.find(tx, 1))
    assert row is not None
    return row


def ticked_lines(view: ShownView) -> list[str]:
    return [
        option["value"] for _, element in list_elements(view.blocks) for option in element.get("initial_options", ())
    ]


async def chosen(play: Play, number: int = 0) -> ShownView:
    """[Choose], and the window that opens."""
    await press(play, play.ana, f"lookback_choose_{number}", channel=play.slack.dm(play.ana))
    return play.slack.views(play.ana)[-1]


def options(view: ShownView) -> dict[str, str]:
    """What is proposed: its words by its label."""
    return {
        option["text"]["text"]: option.get("description", {}).get("text", "")
        for _, element in list_elements(view.blocks)
        for option in element.get("options", ())
    }
