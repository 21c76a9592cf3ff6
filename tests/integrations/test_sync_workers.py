"""Each system by itself: one that hangs holds up none but its own, and a clock that jumps loses nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bot.integrations.http import IntegrationError
from bot.integrations.sync import SyncResult
from storage import links as links_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link, LinkKey
from storage.queues import SyncState
from tests.support import interactions
from tests.support.interactions import on_stage, open_incident
from tests.support.play import NOON, TEAM, Play


@dataclass
class Slow:
    """A system whose calls take as long as `gate` is shut, and `takes` by the play's clock."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    takes: timedelta = timedelta(0)
    play: Play | None = None
    bad_days: list[IntegrationError] = field(default_factory=list)
    deaf: IntegrationError | None = None
    leases: list[timedelta] = field(default_factory=list)

    def is_urgent(self, link: Link) -> bool:
        return False

    def prepare(self, tx: Transaction, link: Link, now: object) -> str | None:
        return link.subject

    async def perform(self, link: Link, prepared: str) -> SyncResult:
        self.called.set()
        await self.gate.wait()
        if self.play is not None:
            lock = thing(self.play, link.system, link.subject)
            self.leases.append(lock.due_at - self.play.clock.now())
            self.play.clock.advance(self.takes)
        if self.bad_days:
            raise self.bad_days.pop(0)
        return SyncResult(link.subject, "https://tracker.example/1", "To do", "memo")

    async def poll(self, store: Store, now: object) -> Sequence[int]:
        if self.deaf is not None:
            raise self.deaf
        return []

    async def aclose(self) -> None:
        """There is nothing to close."""

    def record_success(self, tx: Transaction, link: Link, result: SyncResult, now: object) -> None:
        """Nothing follows from it."""


def opened_gate() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


def want(play: Play, system: str, subject: str) -> None:
    now, row = play.clock.now(), play.case().incident.id
    play.bot.store.write_now(lambda tx: links_store.enqueue(tx, LinkKey(TEAM, system, subject, row), now))


def thing(play: Play, system: str, subject: str) -> Link:
    found = play.bot.store.read_now(lambda tx: links_store.find(tx, TEAM, system, subject))
    assert found is not None
    return found


async def test_a_page_goes_out_while_another_system_hangs(database_url: str) -> None:
    hanging, quick = Slow(), Slow(gate=opened_gate())
    async with on_stage(database_url, sync_handlers={"jira": hanging, "paging": quick}) as play:
        await open_incident(play)
        for number in range(9):
            want(play, "jira", f"INC-1 action {number}")
        running = asyncio.create_task(play.bot.sync_workers.run())
        await hanging.called.wait()
        want(play, "paging", "INC-1 page of #2")
        play.bot.sync_workers.notify()
        await quick.called.wait()
        assert thing(play, "jira", "INC-1 action 0").state == SyncState.CALLING
        hanging.gate.set()
        running.cancel()
        await asyncio.wait([running])


async def test_a_wait_that_a_system_asks_for_begins_when_it_has_answered(database_url: str) -> None:
    slow = Slow(gate=opened_gate(), takes=timedelta(seconds=200))
    slow.bad_days = [IntegrationError("jira", "Jira asks Afterword to slow down.", retry_after=60.0)]
    async with on_stage(database_url, sync_handlers={"jira": slow}) as play:
        await open_incident(play)
        slow.play = play
        want(play, "jira", "INC-1 action 1")
        await play.bot.sync_workers.run_due(NOON)
        found = thing(play, "jira", "INC-1 action 1")
        assert (found.state, found.due_at) == (SyncState.PENDING, NOON + timedelta(seconds=260))


async def test_a_lease_holds_from_when_it_was_taken_however_long_the_round_is(database_url: str) -> None:
    slow = Slow(gate=opened_gate(), takes=timedelta(seconds=100))
    async with on_stage(database_url, sync_handlers={"jira": slow}) as play:
        await open_incident(play)
        slow.play = play
        for number in range(9):
            want(play, "jira", f"INC-1 action {number}")
        assert await play.bot.sync_workers.run_due(NOON) == 9
        assert slow.leases[0] == slow.leases[4] == slow.leases[8] == timedelta(minutes=5)


async def test_what_a_clock_that_was_ahead_put_off_is_due_once_it_is_right(database_url: str) -> None:
    slow = Slow(gate=opened_gate())
    slow.bad_days = [IntegrationError("jira", "Jira did not answer in time.")]
    async with on_stage(database_url, sync_handlers={"jira": slow}) as play:
        await open_incident(play)
        want(play, "jira", "INC-1 action 1")
        await play.bot.sync_workers.run_due(NOON + timedelta(days=365))
        assert thing(play, "jira", "INC-1 action 1").due_at > NOON + timedelta(days=364)
        await play.bot.sync_workers.run_due(NOON)
        assert thing(play, "jira", "INC-1 action 1").state == SyncState.IN_SYNC


async def test_a_system_that_cannot_be_asked_what_changed_is_shown_until_it_can(database_url: str) -> None:
    slow = Slow(gate=opened_gate(), deaf=IntegrationError("Jira", "Jira refused the token.", status=401))
    async with on_stage(database_url, sync_handlers={"jira": slow}) as play:
        await open_incident(play)
        await play.pass_time(minutes=3)
        shown = await interactions.type_command(play, play.ana, "/incident connections")
        assert "checking for changes failed. Jira refused the token." in shown
        assert shown.count("*Jira*") == 1  # not red and green at once
        slow.deaf = None
        await play.pass_time(minutes=3)
        assert "checking for changes failed" not in await interactions.type_command(
            play, play.ana, "/incident connections"
        )
