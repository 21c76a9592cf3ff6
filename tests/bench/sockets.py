"""Socket Mode: `/timeline` over a loopback socket, beside the same Bolt app that only acknowledges."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import click
import uvloop
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler

from tests.bench import commands, floor, load
from tests.bench.commands import BOT, FLOOR, Server
from tests.bench.load import Figures

ROUNDS = 5
REQUESTS = {1: 500, 16: 2_000}


class Slack:
    """Slack's side of one socket: it opens the address, says hello, and times each acknowledgement."""

    def __init__(self) -> None:
        self.port = 0
        self._socket: asyncio.Future[web.WebSocketResponse] = asyncio.get_running_loop().create_future()
        self._waiting: dict[str, asyncio.Future[None]] = {}

    async def open(self, _: web.Request) -> web.Response:
        return web.json_response({"ok": True, "url": f"ws://127.0.0.1:{self.port}/link"})

    async def refuse(self, _: web.Request) -> web.Response:
        return web.json_response({"ok": False, "error": "fatal_error"})

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0BENCH"}})
        self._socket.set_result(socket)
        async for message in socket:
            waiting = self._waiting.pop(json.loads(message.data)["envelope_id"], None)
            if waiting is not None:
                waiting.set_result(None)
        return socket

    async def ask(self, number: str, payload: Mapping[str, Any]) -> float:
        """Send one command; the seconds until it was acknowledged."""
        socket = await self._socket
        envelope = {"type": "slash_commands", "envelope_id": number, "accepts_response_payload": True}
        self._waiting[number] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        await socket.send_json({**envelope, "payload": payload})
        await asyncio.wait_for(self._waiting[number], 20)
        return time.perf_counter() - began


@asynccontextmanager
async def _serving() -> AsyncIterator[Slack]:
    slack = Slack()
    app = web.Application()
    app.add_routes([web.post("/api/apps.connections.open", slack.open), web.get("/link", slack.link)])
    app.add_routes([web.route("*", "/api/{method}", slack.refuse)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.port = runner.addresses[0][1]
    try:
        yield slack
    finally:
        await runner.cleanup()


async def compare(folder: Path) -> None:
    """Print acknowledgements a second and the processor time of each."""
    commands.introduce(folder)
    async with AsyncExitStack() as stack:
        sides = {name: await stack.enter_async_context(_serving()) for name in (FLOOR, BOT)}
        apis = {name: f"http://127.0.0.1:{slack.port}/api/" for name, slack in sides.items()}
        floor_command = [sys.executable, "-m", "tests.bench.sockets", "{port}", apis[FLOOR]]
        environ = commands.bot_environ(folder) | {"SLACK_API_URL": apis[BOT], "SLACK_APP_TOKEN": "xapp-" + "bench"}
        floor_server = stack.enter_context(commands.run_server(floor_command, {}))
        bot = stack.enter_context(commands.run_server(commands.bot_command(), environ))
        await sides[BOT].ask("open", load.fields("/incident open bench"))
        click.echo("\n/timeline over a socket, beside the same Bolt app that only acknowledges")
        click.echo(f"{'at once':>8} {'':<12} {'acks/s':>11} {'CPU us':>8} {'p50 ms':>8} {'p99 ms':>8}")
        for at_once, count in REQUESTS.items():
            rounds: dict[str, list[Figures]] = {FLOOR: [], BOT: []}
            for number in range(ROUNDS):
                for name, server in ((FLOOR, floor_server), (BOT, bot)):
                    rounds[name].append(await _measure(sides[name], server, at_once, count, f"{at_once}-{number}"))
            commands.show(at_once, rounds)


async def _measure(slack: Slack, server: Server, at_once: int, count: int, which: str) -> Figures:
    lines = iter([(f"{which}-{i}", load.fields(commands.typed_line(i, f"of round {which}"))) for i in range(count)])
    taken: list[float] = []

    async def client() -> None:
        for number, payload in lines:
            taken.append(await slack.ask(number, payload))

    before, began = server.measure_cpu(), time.perf_counter()
    await asyncio.gather(*(client() for _ in range(at_once)))
    lasted = time.perf_counter() - began
    return load.sum_up(taken, lasted).with_cpu((server.measure_cpu() - before) / count * 1e6)


async def _listen(port: int, api_url: str) -> None:
    """The floor, in a process of its own. The port only says that it is up."""
    await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
    handler = AsyncSocketModeHandler(floor.build_bolt(commands.SECRET, api_url), "xapp-" + "floor")
    await handler.start_async()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    uvloop.run(_listen(int(sys.argv[1]), sys.argv[2]))
