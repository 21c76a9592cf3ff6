"""A replica's outbox in a process of its own, which stands still at a point, as a machine does that is out of memory.

    python -m tests.support.slack.halted_sender DATABASE_URL API_URL TOKEN POINT

At `claim` it stops itself before its claim is committed, at `call` right before it calls Slack, at `never` not at all.
It sends what is due once, and ends.
"""

import asyncio
import signal
import sys
import threading
from datetime import timedelta

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import CorrectedClock
from bot.slack import outbox
from bot.slack.outbox import Outbox
from bot.slack.sender import OutgoingMessage
from storage.database.statements import Transaction
from storage.database.store import open_store
from storage.deliveries import Delivery
from tests.support.timeouts import PATIENT

LEASE_SECONDS = 2.0
ATTEMPT_SECONDS = 1.5


def halt() -> None:
    """Stand still until someone sends SIGCONT."""
    # To this thread, which would else run on until another one has taken the signal.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


async def send(url: str, api_url: str, token: str, point: str) -> None:
    """Send what is due, and stand still at the point."""

    async def make(delivery: Delivery) -> OutgoingMessage:
        if point == "call":
            halt()
        return OutgoingMessage(delivery.body)

    def compose(_: Transaction, delivery: Delivery, __: object) -> OutgoingMessage:
        if point == "claim":
            halt()
        return OutgoingMessage("", factory=lambda: make(delivery), is_keyed=True)

    outbox.LEASE = timedelta(seconds=LEASE_SECONDS)
    outbox.ATTEMPT_SECONDS = ATTEMPT_SECONDS
    store, clock = open_store(url, timeouts=PATIENT), CorrectedClock()
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(token, base_url=api_url, session=session, retry_handlers=[])
        await client.auth_test()  # so that the next call finds a connection, and is written without a wait
        await Outbox(store, client, clock, compose).run_due(clock.now())
    store.close()


if __name__ == "__main__":
    asyncio.run(send(*sys.argv[1:]))
