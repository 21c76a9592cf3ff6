"""Peers that never finish what they ask: their connections end, and everyone else is served."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from bot.web.health import Health
from bot.web.server import build_app, serve

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
PATIENCE = 30
"""Seconds after which a connection that should have ended counts as held for ever."""

Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def a_server(request_seconds: float) -> AsyncIterator[int]:
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    app = build_app(None, None, Health({}))
    serving = asyncio.create_task(serve(app, "127.0.0.1", 0, ready=ready, request_seconds=request_seconds))
    try:
        yield await ready
    finally:
        serving.cancel()
        await asyncio.wait([serving])


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    """What came before the connection ended; TimeoutError where it does not."""
    answer = bytearray()
    async with asyncio.timeout(PATIENCE):
        with suppress(ConnectionResetError):
            while piece := await reader.read(1024):
                answer += piece
    return bytes(answer)


async def ask_peer(peer: Peer, request: bytes) -> bytes:
    peer[1].write(request)
    return await peer[0].readuntil(b"alive")


@pytest.mark.parametrize("begun", [b"", b"G", HEALTH, b"POST /slack/events HTTP/1.1\r\nContent-Le"])
async def test_who_never_finishes_a_request_is_let_go(begun: bytes) -> None:
    async with a_server(0.2) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        assert await read_to_end(reader) == b""
        writer.close()


@pytest.mark.parametrize("drop", [b"X-A: a\r\n", b"a"])
async def test_a_byte_now_and_then_buys_no_time(drop: bytes) -> None:
    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(HEALTH)
        while not writer.is_closing():
            await asyncio.sleep(0.02)
            writer.write(drop)

    async with a_server(0.2) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        dripping = asyncio.create_task(trickle(writer))
        assert await read_to_end(reader) == b""
        dripping.cancel()
        writer.close()


async def test_a_body_that_nobody_asked_for_and_that_never_ends_is_broken_off() -> None:
    async with a_server(0.2) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEALTH + b"Content-Length: 100\r\n\r\nhalf")
        assert (await read_to_end(reader)).endswith(b"alive")
        writer.close()


async def test_headers_without_end_are_refused_before_they_fill_the_memory() -> None:
    async with a_server(PATIENCE * 2) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionError):
            writer.write(HEALTH)
            for _ in range(2_000):
                writer.write(b"X-More: " + b"a" * 1_000 + b"\r\n")
                await writer.drain()
        assert await read_to_end(reader) == b""
        writer.close()


async def test_one_connection_asks_again_and_again_and_each_time_has_its_time() -> None:
    async with a_server(PATIENCE) as port:
        peer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            assert b" 200 " in await ask_peer(peer, HEALTH + b"\r\n")
        both = await ask_peer(peer, (HEALTH + b"\r\n") * 2)  # sent in one piece
        assert b" 200 " in both
        assert b" 200 " in await peer[0].readuntil(b"alive")
        peer[1].close()


@pytest.mark.parametrize(
    "odd",
    [
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET http://elsewhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET //[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\r\n\r\n\r\n",
    ],
)
async def test_what_is_hardly_http_is_refused_and_hurts_nobody(odd: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with a_server(0.2) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(odd)
        assert b" 200 " not in await read_to_end(reader)
        writer.close()
        peer = await asyncio.open_connection("127.0.0.1", port)
        assert b" 200 " in await ask_peer(peer, HEALTH + b"\r\n")
        peer[1].close()
    assert [record for record in caplog.records if record.exc_info] == []
