"""The bot on a database and in a workspace that outlive it: in this process, or as the real program."""

import asyncio
import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import aiohttp

from bot.app import Afterword
from bot.clock import Clock
from bot.rehearsal.server import StandIn
from bot.settings import load
from storage.database.store import open_store
from tests.support.timeouts import PATIENT

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
        "AFTERWORD_QUIET_HOURS": "none",
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


@cache
def launcher() -> Path:
    """The socket of this session's launcher, which is started at the first use."""
    folder = Path(tempfile.mkdtemp(prefix="afterword-launcher-"))
    command = [sys.executable, "-m", "tests.support.acceptance.launcher", str(folder / "socket")]
    running = subprocess.Popen(command, stdin=subprocess.PIPE)
    atexit.register(_end, running, folder)
    return folder / "socket"


def _end(running: "subprocess.Popen[bytes]", folder: Path) -> None:
    running.communicate()
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(slots=True)
class LaunchedProcess:
    """A process that the launcher made; `asyncio.subprocess.Process` as far as the tests use it."""

    pid: int
    out: Path
    err: Path
    ended: "asyncio.Task[bytes]"
    """Gets the launcher's line with the return code."""
    writer: asyncio.StreamWriter

    @property
    def returncode(self) -> int | None:
        return int(self.ended.result()) if self.ended.done() else None

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        code = int(await self.ended)
        self.writer.close()
        return code

    async def communicate(self) -> tuple[bytes, bytes]:
        await self.wait()
        return self.out.read_bytes(), self.err.read_bytes()


async def launch(environ: dict[str, str], folder: Path, out: Path, err: Path, *words: str) -> LaunchedProcess:
    """`afterword WORDS`, begun."""
    path = launcher()
    async with asyncio.timeout(START_SECONDS):
        while not path.exists():  # noqa: ASYNC110 - another process gives no event
            await asyncio.sleep(0.02)
    reader, writer = await asyncio.open_unix_connection(path)
    asked = {"words": words, "environ": environ, "folder": str(folder), "out": str(out), "err": str(err)}
    writer.write(json.dumps(asked).encode() + b"\n")
    pid = int(await reader.readline())
    return LaunchedProcess(pid, out, err, asyncio.create_task(reader.readline()), writer)


@dataclass(slots=True)
class Program:
    """`afterword run` on one address, started and killed again and again; `folder` is where it runs."""

    environ: dict[str, str]
    port: int
    folder: Path
    process: LaunchedProcess | None = None

    @property
    def request_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/slack/events"

    async def begin(self) -> None:
        """Start it, and do not wait for it."""
        environ = {"PATH": os.defpath, **self.environ, "AFTERWORD_PORT": str(self.port)}
        log = self.folder / "program.log"
        self.process = await launch(environ, self.folder, log, log, "run")

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


async def command_begun(environ: dict[str, str], folder: Path, *words: str) -> LaunchedProcess:
    """`afterword WORDS`, running."""
    output = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{folder.name}-"))
    return await launch({"PATH": os.defpath, **environ}, folder, output / "out", output / "err", *words)
