"""Replicas on machines whose clocks are wrong, with many reminders due, and a Slack that takes its time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from bot.app import Afterword
from bot.clock import CorrectedClock, SystemClock
from bot.domain.records import Place, Status
from bot.domain.reminders import ReminderKind, ReminderState
from bot.rehearsal.server import StandIn
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import reminders as reminders_store
from storage.database.statements import Transaction
from storage.database.store import Store, open_store
from storage.reminders import Reminder
from tests.conftest import fresh_database
from tests.support.acceptance.programs import bot_on, environ_of
from tests.support.deadlines import LONG_SECONDS
from tests.support.play import TEAM
from tests.support.timeouts import PATIENT

SOON = timedelta(minutes=9)
LATENCIES = (0.3, 1.5, 3.0)
PATIENCE = 1800.0


class ShiftedClock:
    """A machine's clock that is `by` ahead of the right time; negative: behind. It can be set."""

    def __init__(self, by: timedelta) -> None:
        self.by = by

    def now(self) -> datetime:
        return SystemClock().now() + self.by


def owe_reminder(tx: Transaction, channel: str, due_at: datetime) -> None:
    """A resolved incident in the channel whose postmortem no one owns: its reminder goes to the channel."""
    began = due_at - timedelta(hours=24)
    incident = incidents_store.open_new(tx, Place(TEAM, channel), "Checkout is down", "U1", began)
    incidents_store.save(tx, replace(incident, status=Status.RESOLVED, resolved_at=began, lead=None))
    subject = (TEAM, ReminderKind.POSTMORTEM, str(incident.id), "24h")
    reminders_store.schedule(tx, Reminder(0, *subject, incident.id, due_at, ReminderState.PENDING, None, ""))


@dataclass
class Skew:
    """Bots on one database and in one workspace, each on a machine with its own clock."""

    slack: StandIn
    store: Store
    url: str
    machines: list[ShiftedClock] = field(default_factory=list)
    bots: list[Afterword] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)

    def owe(self, count: int, due_at: datetime) -> list[str]:
        """So many reminders, each to a channel of its own."""
        added = [self.slack.channel(f"c{len(self.channels) + number}") for number in range(count)]
        self.channels += added
        for each in added:
            self.store.write_now(lambda tx, each=each: owe_reminder(tx, each, due_at))  # type: ignore[misc]
        return added

    async def start(self, stack: AsyncExitStack, by: timedelta) -> Afterword:
        """Start another bot, on a machine whose clock is so far ahead. Slack delivers to the last one."""
        machine = ShiftedClock(by)
        environ = environ_of(self.slack, self.url, AFTERWORD_TICK_SECONDS="1")
        bot = await stack.enter_async_context(bot_on(self.slack, CorrectedClock(machine), environ))
        self.machines.append(machine)
        self.bots.append(bot)
        return bot

    def silence(self) -> None:
        """From now on Slack does not say what time it is."""
        self.slack.fail("auth.test", drop="before", times=1_000_000)

    def states(self) -> list[ReminderState]:
        """The state of each reminder, in the order in which they were owed."""
        rows = range(1, len(self.channels) + 1)
        found = self.store.read_now(lambda tx: [reminders_store.find(tx, row) for row in rows])
        return [reminder.state for reminder in found if reminder is not None]

    async def look(self, path: str) -> tuple[int, str]:
        """What the last bot answers to a GET."""
        url = self.slack.http.url.replace("/slack/events", path)
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status, await answer.text()

    def times_sent(self, channels: Sequence[str]) -> Counter[int]:
        """How many channels got how many messages."""
        return Counter(len(self.slack.messages(channel)) for channel in channels)

    async def until_sent(self, channels: Sequence[str], patience: float = PATIENCE) -> None:
        """Wait until each channel has a message and nothing is under way that could bring a second one."""
        async with asyncio.timeout(patience):
            # The cheap look first, for it is taken again and again.
            while self.store.read_now(_is_owing) or self.times_sent(channels)[0]:  # noqa: ASYNC110 (no event tells)
                await asyncio.sleep(0.2)


def _is_owing(tx: Transaction) -> bool:
    due = reminders_store.due(tx, SystemClock().now(), 1, locking=False)
    return bool(due) or bool(deliveries_store.count_waiting(tx))


@asynccontextmanager
async def skew_clocks(url: str, *ahead: float, latency: float = 0.0) -> AsyncIterator[tuple[Skew, AsyncExitStack]]:
    """A workspace whose posts take `latency` seconds to take effect; a bot per machine, so many seconds `ahead`."""
    async with StandIn(SystemClock(), team=TEAM) as slack, AsyncExitStack() as stack:
        slack.patience = LONG_SECONDS
        slack.fail("chat.postMessage", delay=latency, times=1_000_000)
        store = open_store(url, timeouts=PATIENT)
        stack.callback(store.close)
        skew = Skew(slack, store, url)
        for seconds in ahead:
            await skew.start(stack, timedelta(seconds=seconds))
        yield skew, stack


async def _tick_on(bot: Afterword) -> None:
    while True:
        await bot.tick(bot.clock.now())
        await asyncio.sleep(0.2)


async def send(url: str, ahead: float, latency: float, count: int) -> tuple[Counter[int], Counter[int]]:
    """How often each of `count` due reminders was sent by two replicas, and of some that are due `SOON`."""
    async with skew_clocks(url, latency=latency) as (skew, stack):
        now = SystemClock().now()
        due, early = skew.owe(count, now), skew.owe(count // 10, now + SOON)
        for seconds in (0, ahead):
            await skew.start(stack, timedelta(seconds=seconds))
        # As fast as Slack answers: at the pace that is kept after an outage, a thousand would take ten minutes.
        ticking = [asyncio.create_task(_tick_on(bot)) for bot in skew.bots]
        await skew.until_sent(due)
        for task in ticking:
            task.cancel()
        await asyncio.wait(ticking)
        return skew.times_sent(due), skew.times_sent(early)


async def send_all(
    server: Any, skews: Sequence[float], latency: float, count: int
) -> dict[float, tuple[Counter[int], Counter[int]]]:
    """The same for each skew, side by side, on a database each."""
    with ExitStack() as stack:
        urls = [stack.enter_context(fresh_database(server)) for _ in skews]
        cells = zip(urls, skews, strict=True)
        sent = await asyncio.gather(*(send(url, ahead, latency, count) for url, ahead in cells))
    return dict(zip(skews, sent, strict=True))
