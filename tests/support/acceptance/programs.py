"""The bot on a database and in a workspace that outlive it: in this process, or as the real program."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.app import Afterword
from bot.clock import Clock
from bot.rehearsal.server import StandIn
from bot.settings import load
from storage.database.store import open_store
from tests.support.timeouts import PATIENT

PROGRAM = Path(sys.executable).with_name("afterword")
START_SECONDS = 120.0
TICK_SECONDS = 120.0


def environ_of(slack: StandIn, url: str, **more: str) -> dict[str, str]:
    """The settings of a bot in this workspace and on this database, by HTTP."""
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
        "DATABASE_URL": url,
        "AFTERWORD_PORT": "0",
        "AFTERWORD_TICK_SECONDS": "300",
        **more,
    }


@asynccontextmanager
async def bot_on(slack: StandIn, clock: Clock, environ: dict[str, str]) -> AsyncIterator[Afterword]:
    """A bot from its start to its orderly end; the workspace delivers to it meanwhile."""
    settings = load(environ, env_file=None)
    store = open_store(settings.sqlalchemy_url, timeouts=PATIENT)
    try:
        async with Afterword(settings, store, clock) as bot:
            ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            serving = asyncio.create_task(bot.run(ready))
            port = await ready
            if settings.transport == "socket":
                await slack.wait_for_socket()
            else:
                slack.send_to(f"http://127.0.0.1:{port}/slack/events")
            try:
                yield bot
                await bot.boundary.drain()
            finally:
                serving.cancel()
                await asyncio.wait([serving])
    finally:
        store.close()


def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(slots=True)
class Program:
    """`afterword run` on one address, started and killed again and again; `folder` is where it runs."""

    environ: dict[str, str]
    port: int
    folder: Path
    process: Process | None = None

    @property
    def request_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/slack/events"

    async def begin(self) -> None:
        """Start it, and do not wait for it."""
        environ = {"PATH": os.defpath, **self.environ, "AFTERWORD_PORT": str(self.port)}
        with (self.folder / "program.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                PROGRAM, "run", cwd=self.folder, env=environ, stdin=DEVNULL, stdout=log, stderr=log
            )

    async def start(self) -> None:
        """Start it, and wait until it is alive."""
        await self.begin()
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
            while not await self._is_alive(session):  # noqa: ASYNC110 - another process gives no event
                await asyncio.sleep(0.02)

    async def _is_alive(self, session: aiohttp.ClientSession) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, (self.folder / "program.log").read_text()
        try:
            async with session.get(f"http://127.0.0.1:{self.port}/healthz") as answer:
                return answer.ok
        except aiohttp.ClientError:
            return False

    async def kill(self) -> None:
        """End it as a power cut would: without a word."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()


async def afterword(environ: dict[str, str], folder: Path, *words: str) -> str:
    """What `afterword WORDS` prints; it must end well."""
    process = await command_begun(environ, folder, *words)
    async with asyncio.timeout(TICK_SECONDS):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def command_begun(environ: dict[str, str], folder: Path, *words: str) -> Process:
    """`afterword WORDS`, running."""
    return await asyncio.create_subprocess_exec(
        PROGRAM, *words, cwd=folder, env={"PATH": os.defpath, **environ}, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
