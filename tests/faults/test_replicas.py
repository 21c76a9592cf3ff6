"""Three real replicas on one PostgreSQL, while the server or one of them goes away."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.rehearsal.delivery import AppAnswer, AppDelivery, HttpSender
from bot.rehearsal.server import StandIn
from bot.slack.views import blocks
from storage import case as case_store
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.database.store import Store, open_store
from tests.support.acceptance.programs import Program, environ_of, free_port
from tests.support.deadlines import LONG_SECONDS, until
from tests.support.timeouts import PATIENT

REPLICAS = 3
TYPISTS = 8
TEAM = "T0REHEARSE"

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]


@dataclass
class Cluster:
    """The replicas, each with a way to it, and a store of the test's own on their database."""

    slack: StandIn
    store: Store
    channel: str
    opened: AppDelivery
    programs: list[Program] = field(default_factory=list)
    roads: list[HttpSender] = field(default_factory=list)

    def type_entry(self, text: str) -> AppDelivery:
        """A `/timeline`, not yet delivered."""
        payload = self.opened.payload
        trigger = self.slack.workspace.new_trigger(payload["user_id"])
        return AppDelivery("slash_commands", {**payload, "command": "/timeline", "text": text, "trigger_id": trigger})

    async def send(self, delivery: AppDelivery, *replicas: int) -> list[AppAnswer]:
        """Deliver it to replicas at once."""
        return await asyncio.gather(*(self.roads[at].deliver(delivery, LONG_SECONDS) for at in replicas))

    def texts(self) -> Counter[str]:
        incident = self.store.read_now(lambda tx: incidents_store.find_by_number(tx, TEAM, 1))
        assert incident is not None
        found = incident
        return Counter(entry.text for entry in self.store.read_now(lambda tx: case_store.load(tx, found)).entries)


@asynccontextmanager
async def cluster(url: str, folder: Path) -> AsyncIterator[Cluster]:
    async with StandIn(SystemClock(), team=TEAM) as slack, AsyncExitStack() as stack:
        slack.patience = LONG_SECONDS
        ana = slack.user("Ana Demo")
        channel = slack.channel("checkout", [ana])
        store = open_store(url, timeouts=PATIENT)
        stack.callback(store.close)
        environ = environ_of(slack, url, AFTERWORD_LOG_LEVEL="ERROR", AFTERWORD_TICK_SECONDS="1")
        programs = []
        for number in range(REPLICAS):
            home = folder / str(number)
            home.mkdir()
            programs.append(Program(environ, free_port(), home))
            stack.push_async_callback(programs[-1].kill)
        await asyncio.gather(*(program.start() for program in programs))
        slack.send_to(programs[0].request_url)
        opened = await slack.command(ana, channel, "/incident open checkout is failing")
        assert opened.delivery is not None
        made = Cluster(slack, store, channel, opened.delivery, programs)
        for program in programs:
            road = HttpSender(slack.clock, slack.signing_secret)
            road.url = program.request_url
            stack.push_async_callback(road.close)
            made.roads.append(road)
        yield made


def is_recorded(answer: AppAnswer) -> bool:
    return answer.ok and '"text": "*#' in answer.raw.decode()


async def type_all(made: Cluster, deliveries: list[AppDelivery]) -> dict[int, list[AppAnswer]]:
    """Several typists at once; every fifth command reaches two replicas in the same moment."""
    answers: dict[int, list[AppAnswer]] = {}
    waiting = iter(range(len(deliveries)))

    async def typist() -> None:
        for at in waiting:
            replicas = [at % REPLICAS, (at + 1) % REPLICAS][: 2 if at % 5 == 0 else 1]
            answers[at] = await made.send(deliveries[at], *replicas)

    await asyncio.gather(*(typist() for _ in range(TYPISTS)))
    return answers


@pytest.mark.parametrize("count", [200, pytest.param(3_000, marks=pytest.mark.slow)])
async def test_a_restart_of_the_server_under_load_loses_and_doubles_nothing(
    count: int, postgres_url: str, postgres_server: Any, tmp_path: Path
) -> None:
    async with cluster(postgres_url, tmp_path) as made:
        deliveries = [made.type_entry(f"step {number:04}") for number in range(count)]
        typing = asyncio.create_task(type_all(made, deliveries))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(postgres_server.stop)
        await asyncio.to_thread(postgres_server.ensure_postgres_running)
        answers = await typing
        acknowledged = {at for at, replies in answers.items() if any(map(is_recorded, replies))}
        found = made.texts()
        assert [at for at in acknowledged if found[f"step {at:04}"] != 1] == []
        for at in range(count):
            if at not in acknowledged:  # the person types it again, or Slack sends it again
                async with asyncio.timeout(LONG_SECONDS):
                    while not any(map(is_recorded, await made.send(deliveries[at], at % REPLICAS))):  # noqa: ASYNC110 - the server gives no event
                        await asyncio.sleep(0.05)
        found = made.texts()
        assert [at for at in range(count) if found[f"step {at:04}"] != 1] == []
        assert sum(found.values()) == count + 1


@pytest.mark.slow
async def test_due_messages_are_sent_once_though_one_of_three_replicas_is_killed(
    postgres_url: str, tmp_path: Path
) -> None:
    async with cluster(postgres_url, tmp_path) as made:
        people = [made.slack.user(f"Person {number} Demo") for number in range(24)]
        over = asyncio.Event()
        made.slack.fail("chat.postMessage", times=2, until=over)
        now = made.slack.clock.now()

        def enqueue(tx: Transaction) -> None:
            incident = incidents_store.find_by_number(tx, TEAM, 1)
            assert incident is not None
            for number, person in enumerate(people):
                message = blocks.message(f"reminder {number}")
                deliveries_store.enqueue_message(tx, incident, message, now - timedelta(minutes=1), person)

        made.store.write_now(enqueue)
        await until(lambda: not made.slack.api.faults["chat.postMessage"])  # two are on their way
        await made.programs[1].kill()
        over.set()
        async with asyncio.timeout(240):  # what the killed one was sending waits for the end of its lease
            while not all(made.slack.messages(made.slack.dm(person)) for person in people):  # noqa: ASYNC110 - Slack gives no event
                await asyncio.sleep(0.2)
        await asyncio.sleep(2)
        assert [len(made.slack.messages(made.slack.dm(person))) for person in people] == [1] * len(people)
