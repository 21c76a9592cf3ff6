"""The real program, ended at a moment that has a name."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import bindparam, select, update

from bot.clock import SystemClock
from bot.rehearsal.delivery import AppAnswer, AppDelivery, encode
from bot.rehearsal.server import StandIn
from bot.slack.views import blocks
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.statements import Statement, Transaction, table_of
from storage.database.store import Store, open_store
from storage.queues import DeliveryState
from storage.tables.queues import DeliveryRow
from tests.support.acceptance.programs import Program, afterword, environ_of, free_port
from tests.support.deadlines import LONG_SECONDS, until
from tests.support.timeouts import PATIENT

TEXT = "failed over to replica"
_delivery = table_of(DeliveryRow)
_STATES = Statement(select(_delivery.c.state).where(_delivery.c.recipient == bindparam("recipient")))
_END_LEASES = Statement(
    update(_delivery)
    .where(_delivery.c.state == DeliveryState.SENDING)
    .values(due_at=bindparam("now", type_=_delivery.c.due_at.type))
)


@asynccontextmanager
async def running(url: str, folder: Path) -> AsyncIterator[tuple[StandIn, Program, AppAnswer]]:
    """The workspace, the program, and the answer to the command that opened an incident."""
    async with StandIn(SystemClock()) as slack:
        slack.patience = LONG_SECONDS
        ana = slack.user("Ana Demo")
        channel = slack.channel("checkout", [ana])
        program = Program(environ_of(slack, url, AFTERWORD_LOG_LEVEL="WARNING"), free_port(), folder)
        slack.send_to(program.request_url)
        await program.start()
        try:
            yield slack, program, await slack.command(ana, channel, "/incident open checkout is failing")
        finally:
            await program.kill()


@contextmanager
def beside(url: str) -> Iterator[Store]:
    """A store on the database that the program uses."""
    store = open_store(url, timeouts=PATIENT)
    try:
        yield store
    finally:
        store.close()


async def send_and_look_away(slack: StandIn, delivery: AppDelivery, port: int) -> asyncio.StreamWriter:
    """Send a delivery and never read what comes back; the connection stays open."""
    kind, body = encode(delivery)
    headers = {"Host": "127.0.0.1", "Content-Type": kind, "Content-Length": str(len(body)), **slack.http.sign(body)}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /slack/events HTTP/1.1\r\n{head}\r\n".encode() + body)
    await writer.drain()
    return writer


async def test_killed_after_the_commit_the_repeat_gets_the_stored_reply(database_url: str, tmp_path: Path) -> None:
    async with running(database_url, tmp_path) as (slack, program, opened):
        assert opened.delivery is not None
        payload = opened.delivery.payload
        fields = {"command": "/timeline", "text": TEXT, "trigger_id": slack.workspace.new_trigger(payload["user_id"])}
        delivery = AppDelivery("slash_commands", {**payload, **fields})
        writer = await send_and_look_away(slack, delivery, program.port)
        with beside(database_url) as store:
            await until(lambda: store.read_now(lambda tx: timeline_store.count_active(tx, 1)) == 2)
        await program.kill()
        writer.close()
        await program.start()
        first, second = [await slack.http.deliver(delivery, LONG_SECONDS) for _ in range(2)]
        assert TEXT in first.text
        assert first.raw == second.raw
        exported = json.loads(await afterword(program.environ, tmp_path, "export", "INC-1", "--format", "json"))
        assert [line["text"] for line in exported["timeline"]].count(TEXT) == 1


async def test_ended_in_order_while_slack_is_slow_the_post_is_finished_and_the_status_is_0(
    database_url: str, tmp_path: Path
) -> None:
    async with running(database_url, tmp_path) as (slack, program, opened):
        assert opened.delivery is not None
        payload = opened.delivery.payload
        ana, channel = payload["user_id"], payload["channel_id"]
        await until(lambda: slack.messages(channel))  # the live message
        over = asyncio.Event()
        slack.fail("chat.postMessage", until=over)
        assert (await slack.command(ana, channel, "/incident resolved")).ok
        await until(lambda: not slack.api.faults["chat.postMessage"])  # it is on its way
        assert program.process is not None
        program.process.send_signal(signal.SIGTERM)
        over.set()
        assert await program.process.wait() == 0
        await program.start()
        keys = [message.metadata["event_payload"]["key"] for message in slack.messages(channel) if message.metadata]
        assert keys
        assert len(keys) == len(set(keys))


def owe(store: Store, slack: StandIn, channel: str, *texts: str) -> None:
    """Enqueue these messages to a channel."""

    def unit(tx: Transaction) -> None:
        incident = incidents_store.find(tx, 1)
        assert incident is not None
        for text in texts:
            deliveries_store.enqueue_message(tx, incident, blocks.message(text), slack.clock.now(), channel)

    store.write_now(unit)


@pytest.mark.parametrize("has_it", [False, True])
async def test_killed_while_slack_answers_nothing_a_channel_keeps_its_order(
    database_url: str, tmp_path: Path, *, has_it: bool
) -> None:
    """Slack takes a request and is silent, and the program is killed and started again, twice if Slack got nothing."""
    texts = [f"message {number}" for number in range(3)]
    async with running(database_url, tmp_path) as (slack, program, opened), AsyncExitStack() as stack:
        store = stack.enter_context(beside(database_url))
        channel, other = slack.channel("ordered"), slack.channel("other")
        program.environ["AFTERWORD_TICK_SECONDS"] = "1"
        assert opened.delivery is not None
        home = opened.delivery.payload["channel_id"]
        await until(lambda: all_sent(store, home))  # the live message
        owe(store, slack, channel, *texts)
        for life in range(1 if has_it else 2):
            await die_sending(program, slack, store, has_it=has_it)
            # The outbox goes round and round while the dead one's lease runs, and leaves the channel alone.
            for number in range(3):
                await see_sent(store, slack, other, f"other {life}.{number}")
            assert texts_in(slack, channel) == (texts[:1] if has_it else [])
        store.write_now(lambda tx: tx.run(_END_LEASES, now=slack.clock.now()))
        await until(lambda: all_sent(store, channel))
        assert texts_in(slack, channel) == texts


async def die_sending(program: Program, slack: StandIn, store: Store, *, has_it: bool) -> None:
    """The program is killed while Slack has its post and does not answer, and started again."""
    await program.kill()
    store.write_now(lambda tx: tx.run(_END_LEASES, now=slack.clock.now()))
    over = asyncio.Event()
    slack.fail("chat.postMessage", until=over, drop="" if has_it else "before")
    await program.start()
    await until(lambda: not slack.api.faults["chat.postMessage"])
    await program.kill()
    over.set()
    await program.start()


async def see_sent(store: Store, slack: StandIn, channel: str, text: str) -> None:
    """Enqueue a message, and wait until it is there."""
    owe(store, slack, channel, text)
    await until(lambda: all_sent(store, channel))
    assert texts_in(slack, channel)[-1] == text


def all_sent(store: Store, channel: str) -> bool:
    found = store.read_now(lambda tx: {DeliveryState(row[0]) for row in tx.rows(_STATES, recipient=channel)})
    return found == {DeliveryState.SENT}


def texts_in(slack: StandIn, channel: str) -> list[str]:
    return [message.text for message in slack.messages(channel)]
