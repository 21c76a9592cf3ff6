"""An outbox between a real database and the stand-in workspace, for the tests of sending."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select

from bot.clock import SettableClock
from bot.rehearsal.server import StandIn
from bot.slack.outbox import Outbox
from bot.slack.sender import FileUpload, OutgoingMessage
from storage import deliveries as deliveries_store
from storage.database.statements import Statement, Transaction
from storage.database.store import Store
from storage.deliveries import _COLUMNS, Delivery, NewDelivery
from storage.queues import DeliveryKind

NOW = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
TEAM = "T0REHEARSE"
PATIENCE = 60.0
"""Seconds that a call may take; where one is to hang, `wait_at_most` less."""

_ALL = Statement(select(*_COLUMNS).order_by(_COLUMNS[0]))


@dataclass
class Post:
    """A workspace with one channel and one person, and an outbox that owes it messages."""

    slack: StandIn
    clock: SettableClock
    store: Store
    client: AsyncWebClient
    channel: str
    ana: str
    gone: set[str] = field(default_factory=set)
    """The bodies whose reason is gone."""
    composed: list[tuple[str, datetime]] = field(default_factory=list)
    """When a body was put into words."""
    sent_messages: list[tuple[str, str, str]] = field(default_factory=list)
    """What the outbox reported as sent: body, channel, ts."""

    def __post_init__(self) -> None:
        self.outbox = self.another_outbox()

    def another_outbox(self) -> Outbox:
        """What a second process on the same database has."""
        return Outbox(self.store, self.client, self.clock, self.compose, on_sent=self.note_sent)

    def compose(self, tx: Transaction, delivery: Delivery, now: datetime) -> OutgoingMessage | None:
        """A body is the text alone, or the fields of an OutgoingMessage as JSON."""
        self.composed.append((delivery.body, now))
        if delivery.body in self.gone:
            return None
        if not delivery.body.startswith("{"):
            return OutgoingMessage(delivery.body)
        fields: dict[str, Any] = json.loads(delivery.body)
        if "file" in fields:
            fields["file"] = FileUpload(fields["file"], "A title", b"bytes", fields.pop("note", ""))
        if "unsayable" in fields:
            return OutgoingMessage("x", blocks=[{"nobody": object()}])
        return OutgoingMessage(**fields)

    def note_sent(self, tx: Transaction, delivery: Delivery, channel: str, ts: str) -> None:
        """Remember what was sent."""
        if delivery.body == "untold":
            raise ValueError("the transaction that settles fails")
        self.sent_messages.append((delivery.body, channel, ts))

    async def owe(self, body: str, recipient: str = "", *, fallback: str = "") -> None:
        """Owe a message from now on."""
        owed = NewDelivery(
            TEAM, DeliveryKind.MESSAGE, recipient or self.channel, body, self.clock.now(), fallback=fallback
        )
        await self.store.write(lambda tx: deliveries_store.enqueue(tx, owed))

    async def tick(self, seconds: float = 0) -> int:
        """Let time pass, then send what is due."""
        self.clock.advance(timedelta(seconds=seconds))
        return await self.outbox.run_due(self.clock.now())

    def wait_at_most(self, seconds: float) -> None:
        """So long a call may take from now on."""
        assert self.client.session is not None
        self.client.session._timeout = aiohttp.ClientTimeout(total=seconds)

    def rows(self) -> list[Delivery]:
        """Every delivery as it is now."""
        return self.store.read_now(lambda tx: [Delivery(*row) for row in tx.rows(_ALL)])

    def states(self) -> list[str]:
        """The state of each delivery, the oldest first."""
        return [row.state for row in self.rows()]

    def list_texts(self, channel: str = "") -> list[str]:
        """The texts in the channel."""
        return [message.text for message in self.slack.messages(channel or self.channel)]

    def count(self, method: str) -> int:
        """How often a method was called."""
        return sum(call.method == method for call in self.slack.calls)


@asynccontextmanager
async def a_post(store: Store) -> AsyncIterator[Post]:
    """A post office at NOW."""
    clock = SettableClock(NOW)
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with StandIn(clock) as slack, aiohttp.ClientSession(timeout=timeout) as session:
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[])
        client.proxy = None
        ana = slack.user("ana")
        post = Post(slack, clock, store, client, slack.channel("ops", [ana]), ana)
        yield post
        await post.outbox.close()
