"""However often and wherever Slack delivers the same thing: one entry, one reply, one reminder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import Afterword
from bot.clock import SettableClock
from bot.rehearsal.delivery import AppAnswer, AppDelivery, HttpSender
from bot.rehearsal.server import StandIn
from storage import case as case_store
from storage import incidents as incidents_store
from storage.database.store import open_store
from tests.support.acceptance.programs import bot_on, environ_of
from tests.support.deadlines import LONG_SECONDS
from tests.support.interactions import is_receipt
from tests.support.play import TEAM, Play, playing
from tests.support.timeouts import PATIENT

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
OPENED = "Incident opened: checkout is failing"


@asynccontextmanager
async def playing_incident(database_url: str, transport: str) -> AsyncIterator[tuple[Play, AppAnswer]]:
    async with playing(database_url, transport=transport, now=NOW) as play:
        yield play, await play.slack.command(play.ana, play.channel, "/incident open checkout is failing")


def type_delivery(slack: StandIn, like: AppAnswer, command: str, text: str) -> AppDelivery:
    """A command as its delivery, not yet delivered; by the same person in the same channel as another one."""
    assert like.delivery is not None
    payload = like.delivery.payload
    trigger = slack.workspace.new_trigger(payload["user_id"])
    return AppDelivery("slash_commands", {**payload, "command": command, "text": text, "trigger_id": trigger})


def texts(play: Play) -> list[str]:
    return sorted(entry.text for entry in play.case().entries)


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_a_command_delivered_three_times_one_after_the_other_is_one_entry(
    database_url: str, transport: str
) -> None:
    async with playing_incident(database_url, transport) as (play, _):
        first = await play.slack.command(play.ana, play.channel, "/timeline 13:05 failed over to replica")
        play.clock.advance(timedelta(seconds=3))
        second = await play.slack.deliver_again(first)
        play.clock.advance(timedelta(minutes=5))
        third = await play.slack.deliver_again(first)
        assert is_receipt(first.text)
        assert first.raw == second.raw == third.raw
        assert texts(play) == [OPENED, "failed over to replica"]


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_a_command_delivered_three_times_at_once_is_one_entry(database_url: str, transport: str) -> None:
    async with playing_incident(database_url, transport) as (play, like):
        for number in range(10):
            delivery = type_delivery(play.slack, like, "/timeline", f"step {number}")
            answers = await asyncio.gather(*(play.slack.deliver(delivery) for _ in range(3)))
            assert [is_receipt(answer.text) for answer in answers] == [True] * 3
            assert len({answer.raw for answer in answers}) == 1
        assert texts(play) == [OPENED, *(f"step {number}" for number in range(10))]


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_a_resolution_delivered_three_times_is_said_once_and_reminded_of_once(
    database_url: str, transport: str
) -> None:
    async with playing_incident(database_url, transport) as (play, like):
        delivery = type_delivery(play.slack, like, "/incident", "resolved")
        answers = await asyncio.gather(*(play.slack.deliver(delivery) for _ in range(3)))
        assert len({answer.raw for answer in answers}) == 1
        assert all("INC-1 resolved" in answer.text for answer in answers)
        assert len(play.case().entries) == 2
        await play.pass_time(hours=24)
        assert len(play.slack.messages(play.slack.dm(play.ana))) == 1


async def test_the_same_words_typed_by_two_people_are_two_entries(database_url: str) -> None:
    async with playing_incident(database_url, "http") as (play, _):
        line = "/timeline 12:05 UTC errors are rising"
        answers = await asyncio.gather(
            *(play.slack.command(person, play.channel, line) for person in (play.ana, play.bo, play.chandra))
        )
        assert all(is_receipt(answer.text) for answer in answers)
        assert texts(play) == [OPENED, *["errors are rising"] * 3]


# --- replicas --------------------------------------------------------------------------------------------------


class Replicas:
    """Two bots on one database and in one workspace, each with an address of its own."""

    def __init__(self, slack: StandIn, clock: SettableClock, url: str) -> None:
        self.slack, self.clock, self.url = slack, clock, url
        self.ana = slack.user("Ana Demo", "Europe/Berlin")
        self.channel = slack.channel("checkout", [self.ana])
        self.bots: list[Afterword] = []
        self.couriers: list[HttpSender] = []

    async def begin(self, stack: AsyncExitStack) -> None:
        for _ in range(2):
            self.bots.append(await stack.enter_async_context(bot_on(self.slack, self.clock, self.environ)))
            courier = HttpSender(self.clock, self.slack.signing_secret)
            courier.url = self.slack.http.url
            stack.push_async_callback(courier.close)
            self.couriers.append(courier)

    @property
    def environ(self) -> dict[str, str]:
        return environ_of(self.slack, self.url)

    async def deliver_to_both(self, delivery: AppDelivery) -> list[bytes]:
        replies = await asyncio.gather(*(courier.deliver(delivery, 3.0) for courier in self.couriers))
        assert not any(reply.error for reply in replies)
        return [reply.raw for reply in replies]

    async def tick_both(self) -> None:
        await asyncio.gather(*(bot.tick(self.clock.now()) for bot in self.bots))

    def entries(self) -> list[str]:
        store = open_store(self.url, timeouts=PATIENT)
        try:
            incident = store.read_now(lambda tx: incidents_store.find_by_number(tx, TEAM, 1))
            assert incident is not None
            found = incident
            return sorted(entry.text for entry in store.read_now(lambda tx: case_store.load(tx, found)).entries)
        finally:
            store.close()


@asynccontextmanager
async def replicas(url: str) -> AsyncIterator[Replicas]:
    clock = SettableClock(NOW)
    async with StandIn(clock, team=TEAM) as slack, AsyncExitStack() as stack:
        slack.patience = LONG_SECONDS
        both = Replicas(slack, clock, url)
        await both.begin(stack)
        yield both


@pytest.mark.postgres
async def test_the_same_delivery_to_two_replicas_at_once_is_one_entry(postgres_url: str) -> None:
    async with replicas(postgres_url) as both:
        like = await both.slack.command(both.ana, both.channel, "/incident open checkout is failing")
        for number in range(20):
            one, other = await both.deliver_to_both(type_delivery(both.slack, like, "/timeline", f"step {number:02}"))
            assert one == other
            assert b'"text": "*#' in one
        assert both.entries() == [OPENED, *(f"step {number:02}" for number in range(20))]


@pytest.mark.postgres
async def test_two_replicas_that_sweep_at_once_remind_of_each_postmortem_once(postgres_url: str) -> None:
    async with replicas(postgres_url) as both:
        channels = [both.slack.channel(f"checkout-{number}", [both.ana]) for number in range(6)]
        for channel in channels:
            for text in ("/incident open checkout is failing", "/incident resolved"):
                assert (await both.slack.command(both.ana, channel, text)).ok
        await both.tick_both()  # the live messages
        before = [len(both.slack.messages(channel)) for channel in channels]
        for hours, count in ((24, 1), (48, 2), (49, 2)):
            both.clock.set(NOW + timedelta(hours=hours))
            await both.tick_both()
            await both.tick_both()
            assert len(both.slack.messages(both.slack.dm(both.ana))) == count * len(channels)
            came = [len(both.slack.messages(place)) - had for place, had in zip(channels, before, strict=True)]
            assert came == [count] * len(channels)


@pytest.mark.postgres
async def test_two_replicas_that_sweep_at_once_send_one_digest(postgres_url: str) -> None:
    async with replicas(postgres_url) as both:
        for text in ("/incident open checkout is failing", "/action add a load test @Ana Demo due 2026-11-24"):
            assert (await both.slack.command(both.ana, both.channel, text)).ok
        for day in range(3):
            both.clock.set(datetime(2026, 11, 25 + day, 8, tzinfo=UTC))
            for _ in range(2):
                await both.tick_both()
            assert len(both.slack.messages(both.slack.dm(both.ana))) == day + 1
