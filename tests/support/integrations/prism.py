"""Prism, which plays a vendor's own description of its interface and refuses what the description does not allow.

Each test reaches it through a small gate that notes every answer: a violation is in a header that no client reads.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

VERSION = "5.14.2"
PACKAGE = f"@stoplight/prism-cli@{VERSION}"
LONGEST_INSTALL = 300.0
LONGEST_START = 60.0
VIOLATIONS = "sl-violations"

CONTRACT = [pytest.mark.slow, pytest.mark.contract, pytest.mark.timeout(LONGEST_INSTALL + LONGEST_START + 60)]
"""The marks of a module of contract tests."""


@dataclass
class Exchange:
    """One request and how it was answered."""

    request: str
    status: int
    violations: str


@dataclass
class Gate:
    """Passes requests on to a mock.

    `prefer` asks the next one for a certain answer, as `code=429`; `made_up` are paths whose example in the description
    is itself wrong, so that the mock makes one up by the rules; `instead` answers reads whose example leads nowhere.
    """

    mock: str
    base: str
    url: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    prefer: list[str] = field(default_factory=list)
    made_up: tuple[str, ...] = ()
    instead: dict[str, object] = field(default_factory=dict)

    @property
    def requests(self) -> list[str]:
        return [exchange.request for exchange in self.exchanges]

    @property
    def violations(self) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if exchange.violations]

    async def _pass(self, request: web.Request, client: aiohttp.ClientSession) -> web.Response:
        if request.method == "GET" and (found := [at for at in self.instead if request.path.endswith(at)]):
            return web.json_response(self.instead[found[0]])
        path = request.rel_url.raw_path_qs.removeprefix(self.base)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "prefer")}
        if self.prefer:
            headers["Prefer"] = self.prefer.pop(0)
        elif request.path.endswith(self.made_up):
            headers["Prefer"] = "dynamic=true"
        body = await request.read()
        async with client.request(request.method, self.mock + path, data=body or None, headers=headers) as answer:
            violations = answer.headers.get(VIOLATIONS, "")
            self.exchanges.append(Exchange(f"{request.method} {request.path}", answer.status, violations))
            headers = {name: answer.headers[name] for name in ("Content-Type", "Retry-After") if name in answer.headers}
            return web.Response(status=answer.status, body=await answer.read(), headers=headers)


@asynccontextmanager
async def gate_to(mock: str, base: str = "") -> AsyncIterator[Gate]:
    """A gate before a mock, whose descriptions leave out the `base` that every path begins with."""
    gate = Gate(mock, base)
    async with aiohttp.ClientSession(auto_decompress=True) as client:
        app = web.Application()

        async def answer(request: web.Request) -> web.Response:
            return await gate._pass(request, client)

        app.router.add_route("*", "/{path:.*}", answer)
        async with TestServer(app) as server:
            gate.url = str(server.make_url("")).rstrip("/") + base
            yield gate


@cache
def program() -> tuple[Path | None, str]:
    """Prism's program, installed once among other caches, or why there is none."""
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        return None, "contract tests need node and npm"
    shelf = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "afterword-tests"
    folder = shelf / f"prism-{VERSION}"
    found = folder / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
    if found.is_file():
        return found, ""
    coming = shelf / f"coming-{uuid4().hex}"
    command = [npm, "install", "--prefix", str(coming), "--no-audit", "--no-fund", "--fetch-retries=1"]
    try:
        coming.mkdir(parents=True)
        subprocess.run([*command, PACKAGE], check=True, capture_output=True, timeout=LONGEST_INSTALL)
        coming.rename(folder)
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(coming, ignore_errors=True)
        return (found, "") if found.is_file() else (None, f"Prism could not be installed: {type(error).__name__}")
    return found, ""


@contextmanager
def mocking(description: Path) -> Iterator[str]:
    """The address of a mock that plays a description."""
    prism, missing = program()
    if prism is None:
        pytest.skip(missing)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["node", str(prism), "mock", "-h", "127.0.0.1", "-p", str(port), "--errors", str(description)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + LONGEST_START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"Prism ended with {process.returncode} before it answered")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.skip(f"Prism did not start within {LONGEST_START:.0f} seconds")
