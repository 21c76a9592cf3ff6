"""Files are read from Slack's own hosts alone, to their limit, and the token stays there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.records import LARGEST
from bot.slack.files import FileReader, FileRefused, FileUnavailable

TOKEN = "xoxb-" + "test"


@dataclass
class Host:
    """A server that notes who asked with which token."""

    address: str
    asked: list[tuple[str, str]] = field(default_factory=list)
    onward: str = ""


async def serving(host: Host, requests: list[web.AppRunner]) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        host.asked.append((request.path, request.headers.get("Authorization", "")))
        name = request.match_info["name"]
        if name == "away":
            raise web.HTTPFound(host.onward)
        if name == "round":
            raise web.HTTPFound("/round")
        if name.isdigit():
            return web.Response(status=int(name))
        return web.Response(body=bytes(LARGEST + 1) if name == "large" else b"\x89PNG")

    app = web.Application()
    app.add_routes([web.get("/{name}", answer)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    requests.append(runner)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host.address = f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest.fixture
async def hosts() -> AsyncIterator[tuple[Host, Host]]:
    """Slack's host, and another."""
    runners: list[web.AppRunner] = []
    slacks, other = Host(""), Host("")
    await serving(slacks, runners)
    await serving(other, runners)
    yield slacks, other
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def read(hosts: tuple[Host, Host]) -> AsyncIterator[Callable[[str], Awaitable[bytes]]]:
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(TOKEN, base_url=f"{hosts[0].address}/api/", session=session)
        yield FileReader(client).read


Read = Callable[[str], Awaitable[bytes]]


async def test_a_file_is_asked_for_with_the_bots_token(hosts: tuple[Host, Host], read: Read) -> None:
    slacks, _ = hosts
    assert await read(f"{slacks.address}/file") == b"\x89PNG"
    assert slacks.asked == [("/file", f"Bearer {TOKEN}")]


async def test_another_host_is_never_asked_and_never_sees_the_token(hosts: tuple[Host, Host], read: Read) -> None:
    slacks, other = hosts
    with pytest.raises(FileRefused, match="outside of Slack"):
        await read(f"{other.address}/file")
    slacks.onward = f"{other.address}/file"
    with pytest.raises(FileRefused, match="leads nowhere"):
        await read(f"{slacks.address}/away")
    assert other.asked == []


async def test_a_redirect_on_slacks_own_host_is_followed_and_a_ring_of_them_is_not(
    hosts: tuple[Host, Host], read: Read
) -> None:
    slacks, _ = hosts
    slacks.onward = "/file"
    assert await read(f"{slacks.address}/away") == b"\x89PNG"
    with pytest.raises(FileRefused, match="leads nowhere"):
        await read(f"{slacks.address}/round")
    assert len(slacks.asked) == 5


@pytest.mark.parametrize(
    ("status", "error", "why"),
    [
        (403, FileRefused, "does not let me"),
        (404, FileRefused, "it is gone"),
        (410, FileRefused, "it is gone"),
        (429, FileUnavailable, "status 429"),
        (500, FileUnavailable, "status 500"),
        (503, FileUnavailable, "status 503"),
    ],
)
async def test_what_slack_answers_instead_decides_whether_to_ask_again(
    hosts: tuple[Host, Host], read: Read, status: int, error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        await read(f"{hosts[0].address}/{status}")


async def test_no_more_than_the_limit_is_read(hosts: tuple[Host, Host], read: Read) -> None:
    with pytest.raises(FileRefused, match="larger than 10 MB"):
        await read(f"{hosts[0].address}/large")


@pytest.mark.parametrize(
    "address",
    [
        "https://slack.com.evil.example/x",
        "https://evilslack.com/x",
        "http://files.slack.com/x",
        "file:///etc/passwd",
        "x",
    ],
)
async def test_an_address_that_only_looks_like_slacks_is_refused(read: Read, address: str) -> None:
    with pytest.raises(FileRefused, match="outside of Slack"):
        await read(address)


async def test_without_a_connection_it_is_for_later(hosts: tuple[Host, Host]) -> None:
    client = AsyncWebClient(TOKEN, base_url=f"{hosts[0].address}/api/")
    with pytest.raises(FileUnavailable, match="isn't connected"):
        await FileReader(client).read(f"{hosts[0].address}/file")
