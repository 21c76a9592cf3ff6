"""An announce channel in a play, and what people read there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.rehearsal.screen import ShownMessage
from tests.support.interactions import on_stage, type_command
from tests.support.play import Play

OUTSIDE = "C0ANNOUNCE"


@asynccontextmanager
async def announcing(database_url: str, **more: Any) -> AsyncIterator[Play]:
    """A play whose incidents are announced in a channel with the bot, in which Dana reads who is in no other."""
    environ = {"AFTERWORD_ANNOUNCE_CHANNEL": OUTSIDE} | more.pop("environ", {})
    async with on_stage(database_url, environ=environ, **more) as play:
        add_channel(play)
        yield play


def add_channel(play: Play, channel: str = OUTSIDE, **traits: bool) -> None:
    """Add a channel under an id that a setting can name."""
    made = play.slack.channel(channel.lower(), [play.chandra], **traits)
    channels = play.slack.workspace.channels
    channels[channel] = channels.pop(made)
    channels[channel].id = channel


def read_posts(play: Play, channel: str = OUTSIDE) -> list[ShownMessage]:
    """What the announce channel shows."""
    return play.slack.messages(channel)


def read_dm(play: Play, user: str) -> list[ShownMessage]:
    """What the bot wrote to a person alone."""
    return play.slack.messages(play.slack.dm(user), user=user)


async def go_on(play: Play, seconds: float = 4) -> None:
    """Let a few seconds pass, after which edits go out."""
    await play.settle()
    await play.pass_time(seconds=seconds)


async def type_lines(play: Play, user: str, *lines: str) -> None:
    """Type one command after the other; what follows from them is delivered."""
    for line in lines:
        await type_command(play, user, line)
    await go_on(play)
