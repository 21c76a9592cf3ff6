"""The library of a play, served on a port of its own: who reads is chosen by the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request

from bot.domain.readers import Reader
from bot.services.library.pages import Site
from bot.web import library, server
from bot.web.library import LibraryDoor
from storage import channels as channels_store
from tests.support.play import TEAM, Play


@dataclass(slots=True)
class OpenDoor:
    """Lets in whoever the test says; "" is no one. A feed's key is the person's id."""

    user: str = ""

    async def find_reader(self, request: Request) -> Reader | None:
        del request
        return Reader(TEAM, self.user) if self.user else None

    async def find_feed_reader(self, request: Request) -> Reader | None:
        key = request.query_params.get("key", "")
        return Reader(TEAM, key) if key else None

    def describe(self, request: Request, reader: Reader) -> Site:
        del request
        return Site(person="Ana Demo", user=reader.user, feed=f"/library/feed.atom?key={reader.user}")


@asynccontextmanager
async def opening_library(play: Play) -> AsyncIterator[tuple[OpenDoor, str]]:
    """The door of the library, and where it is. Ana reads at first."""
    door = OpenDoor(play.ana)
    for user in (play.ana, play.bo, play.chandra):
        await play.bot.slack.directory.look_up(TEAM, user)
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    entrance = LibraryDoor("https://postmortems.example", door.find_reader, door.find_feed_reader, door.describe)
    app = Starlette(routes=library.make_routes(play.bot.services, entrance))
    serving = asyncio.create_task(server.serve(app, "127.0.0.1", 0, ready=port))
    try:
        yield door, f"http://127.0.0.1:{await port}"
    finally:
        serving.cancel()
        await asyncio.wait([serving])


async def note_channels(play: Play, *channels: str, private: bool = False) -> None:
    """Store what Slack would say of these channels."""
    now = play.clock.now()
    marks = dict.fromkeys(channels, private)
    await play.bot.store.write(lambda tx: channels_store.save_privacy(tx, TEAM, marks, now))
