"""A load of signed `/timeline` commands over keep-alive connections, prepared before the clock runs."""

import asyncio
import hashlib
import hmac
import time
import uuid
from dataclasses import dataclass, replace
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one run: requests a second, and the milliseconds that half and 99 of 100 stayed below.

    `cpu` is the server's processor time for each, in microseconds.
    """

    rate: float
    p50: float
    p99: float
    cpu: float = 0.0

    def with_cpu(self, cpu: float) -> "Figures":
        """The same figures with the server's processor time."""
        return replace(self, cpu=cpu)


def fields(text: str, channel: str = "C0BENCH") -> dict[str, str]:
    """What Slack sends of a command."""
    return {
        "token": "bench",
        "team_id": "T0BENCH",
        "team_domain": "bench",
        "channel_id": channel,
        "channel_name": "bench",
        "user_id": "U0BENCH",
        "user_name": "bench",
        "command": text.split(" ", 1)[0],
        "text": text.partition(" ")[2],
        "api_app_id": "A0BENCH",
        "is_enterprise_install": "false",
        "response_url": "http://127.0.0.1:9/unused",
        "trigger_id": uuid.uuid4().hex,
    }


def command(secret: str, text: str) -> bytes:
    """One signed request as it goes over the wire."""
    body = urlencode(fields(text))
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    head = (
        "POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: v0={digest}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """Send one request, read its whole answer; raises RuntimeError for any status but 200."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    at = lowered.index(b"content-length:") + 15
    length = int(head[at : head.index(b"\r\n", at)])
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"answered {head[:30]!r} {body[:200]!r}")
    return body


async def run(port: int, requests: list[bytes], clients: int) -> Figures:
    """Send the requests over so many connections at once."""
    waiting = iter(requests)
    taken: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            began = time.perf_counter()
            await ask(reader, writer, request)
            taken.append(time.perf_counter() - began)
        writer.close()
        await writer.wait_closed()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    lasted = time.perf_counter() - began
    return sum_up(taken, lasted)


def sum_up(taken: list[float], lasted: float) -> Figures:
    """The figures of a run that lasted so many seconds, from those that each request took."""
    taken.sort()
    return Figures(len(taken) / lasted, taken[len(taken) // 2] * 1000, taken[int(len(taken) * 0.99)] * 1000)
