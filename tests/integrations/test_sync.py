"""Jobs for another system: each thing once, whatever fails in between, and each failure is reported once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.app import Afterword
from bot.integrations.http import IntegrationError
from bot.integrations.sync import SyncResult
from storage import incidents as incidents_store
from storage import links as links_store
from storage.database.statements import Transaction
from storage.links import Link, LinkKey
from storage.queues import SyncState
from tests.support import interactions
from tests.support.deadlines import LONG_SECONDS, SOON_SECONDS, until
from tests.support.interactions import on_stage, open_incident, press
from tests.support.play import TEAM, Play


@dataclass
class Elsewhere:
    """Another system that keeps what it is given, and has bad days."""

    contents: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    bad_days: list[IntegrationError] = field(default_factory=list)
    looked_up: int = 0
    looks: int = 0
    pause: float = 0.0
    unreadable: str = ""

    def is_urgent(self, link: Link) -> bool:
        return False

    def prepare(self, tx: Transaction, link: Link, now: object) -> str | None:
        if link.subject == self.unreadable:
            raise KeyError(link.memo)
        incident = incidents_store.find(tx, link.incident_id)
        return incident.title if incident and incident.title != "gone" else None

    async def perform(self, link: Link, prepared: str) -> SyncResult:
        self.calls += 1
        self.looked_up += link.is_unsure
        await asyncio.sleep(self.pause)
        error = self.bad_days.pop(0) if self.bad_days else None
        if error is None or error.may_have_happened:
            self.contents[link.subject] = prepared
        if error is not None:
            raise error
        return SyncResult("OPS-1", "https://tracker.example/OPS-1", "To do", "memo")

    async def poll(self, store: object, now: object) -> list[int]:
        self.looks += 1
        return []

    async def aclose(self) -> None:
        """There is nothing to close."""

    def record_success(self, tx: Transaction, link: Link, result: SyncResult, now: object) -> None:
        links_store.set_status(tx, link, result.status, link.due_at)


@asynccontextmanager
async def connect(database_url: str) -> AsyncIterator[tuple[Play, Elsewhere]]:
    elsewhere = Elsewhere()
    async with on_stage(database_url, sync_handlers={"jira": elsewhere}) as play:
        await open_incident(play)
        yield play, elsewhere


def want_link(play: Play, subject: str = "INC-1 action 1") -> None:
    def unit(tx: Transaction) -> None:
        links_store.enqueue(tx, LinkKey(TEAM, "jira", subject, play.case().incident.id), play.clock.now())

    play.bot.store.write_now(unit)


def link(play: Play, subject: str = "INC-1 action 1") -> Link:
    found = play.bot.store.read_now(lambda tx: links_store.find(tx, TEAM, "jira", subject))
    assert found is not None
    return found


def failure(sentence: str = "Jira refused the token.", **more: object) -> IntegrationError:
    return IntegrationError("jira", sentence, **more)  # type: ignore[arg-type]


def list_warnings(play: Play) -> list[str]:
    return [message.text for message in play.slack.messages(play.channel) if "warning" in message.text]


async def test_what_is_wanted_is_brought_there_once(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        want_link(play)
        want_link(play)
        await play.pass_time(seconds=1)
        await play.pass_time(hours=5)
        assert (elsewhere.calls, elsewhere.contents) == (1, {"INC-1 action 1": "Checkout is failing"})
        assert (link(play).state, link(play).external_id, link(play).memo) == (SyncState.IN_SYNC, "OPS-1", "memo")


async def test_an_attempt_of_unknown_fate_is_looked_up_before_it_is_repeated(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        elsewhere.bad_days = [failure("Jira broke the connection off.", may_have_happened=True)]
        want_link(play)
        await play.pass_time(seconds=1)
        assert (link(play).state, link(play).is_unsure) == (SyncState.PENDING, True)
        await play.pass_time(minutes=1)
        assert (elsewhere.calls, elsewhere.looked_up, link(play).state) == (2, 1, SyncState.IN_SYNC)


async def test_a_wait_that_the_system_asks_for_is_kept(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        elsewhere.bad_days = [failure("Jira asks for a pause.", retry_after=900.0)]
        want_link(play)
        await play.pass_time(seconds=1)
        await play.pass_time(minutes=14)
        assert elsewhere.calls == 1
        await play.pass_time(minutes=2)
        assert (elsewhere.calls, list_warnings(play)) == (2, [])


async def test_a_refusal_is_told_once_with_its_remedy_and_tried_again_on_request(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        elsewhere.bad_days = [failure("Jira has no project OPS.", is_permanent=True, status=400)] * 2
        want_link(play)
        want_link(play, "INC-1 action 2")
        await play.pass_time(seconds=1)
        await play.pass_time(hours=9)
        assert list_warnings(play) == [":warning: INC-1 action 1: Jira has no project OPS."]
        assert (elsewhere.calls, link(play).state) == (2, SyncState.REJECTED)
        assert "2 failed" in await interactions.type_command(play, play.ana, "/incident connections")
        await press(play, play.ana, "connections_again")
        await play.pass_time(seconds=1)
        assert (elsewhere.calls, link(play).state) == (4, SyncState.IN_SYNC)


async def test_a_token_that_is_refused_mends_itself_once_it_is_replaced(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        elsewhere.bad_days = [failure(is_permanent=True, status=401)] * 3
        want_link(play)
        for _ in range(4):
            await play.pass_time(minutes=16)
        assert (elsewhere.calls, link(play).state) == (4, SyncState.IN_SYNC)
        assert list_warnings(play) == [":warning: INC-1 action 1: Jira refused the token."]


async def test_what_fails_again_and_again_is_told_once_and_never_given_up(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        elsewhere.bad_days = [failure("Jira did not answer in time.") for _ in range(12)]
        want_link(play)
        for _ in range(30):
            await play.pass_time(minutes=70)
        assert (link(play).state, elsewhere.calls) == (SyncState.IN_SYNC, 13)
        assert len(list_warnings(play)) == 1


async def test_what_is_wanted_no_more_is_let_go(database_url: str) -> None:
    async with on_stage(database_url, sync_handlers={"jira": Elsewhere()}) as play:
        await open_incident(play, "gone")
        want_link(play)
        await play.pass_time(seconds=1)
        assert link(play).state == "let go"


async def test_a_call_left_behind_by_a_crash_is_taken_over_and_looked_up(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        want_link(play)
        play.bot.store.write_now(
            lambda tx: links_store.claim(tx, link(play), "somebody who died", play.clock.now() + timedelta(minutes=5))
        )
        await play.pass_time(minutes=4)
        assert elsewhere.calls == 0
        await play.pass_time(minutes=2)
        assert (elsewhere.calls, elsewhere.looked_up, link(play).state) == (1, 1, SyncState.IN_SYNC)


async def test_two_bots_on_one_database_share_the_work(postgres_url: str) -> None:
    async with connect(postgres_url) as (play, elsewhere):
        elsewhere.pause = 0.05
        for number in range(12):
            want_link(play, f"INC-1 action {number}")
        async with Afterword(play.bot.settings, play.bot.store, play.clock, {"jira": elsewhere}) as second:
            now = play.clock.now()
            made = await asyncio.gather(play.bot.sync_workers.run_due(now), second.sync_workers.run_due(now))
        # On a slow machine the workers' own loops wake meanwhile and take some of the twelve.
        assert sum(made) <= 12
        assert (elsewhere.calls, len(elsewhere.contents)) == (12, 12)


async def test_recording_waits_for_no_other_system(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        elsewhere.pause = 10 * LONG_SECONDS
        want_link(play)
        hanging = asyncio.create_task(play.bot.sync_workers.run_due(play.clock.now()))
        await until(lambda: elsewhere.calls)
        async with asyncio.timeout(SOON_SECONDS):
            await interactions.type_command(play, play.ana, "/timeline restarted the pool")
        assert play.case().entries[-1].text == "restarted the pool"
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging


async def test_when_all_is_in_step_again_that_is_said_once(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        elsewhere.bad_days = [failure(is_permanent=True, status=401)] * 3
        for number in (1, 2, 3):
            want_link(play, f"INC-1 action {number}")
        await play.pass_time(seconds=1)
        assert len(list_warnings(play)) == 1
        await play.pass_time(minutes=16)
        await play.pass_time(hours=5)
        again = [message.plain for message in play.slack.messages(play.channel) if "works again" in message.plain]
        assert again == [":large_green_circle: Jira works again. 3 items are up to date."]


async def test_what_still_needs_somebody_is_counted_in_that(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        elsewhere.bad_days = [failure("Jira has no project OPS.", is_permanent=True, status=400)]
        want_link(play)
        await play.pass_time(seconds=1)
        elsewhere.bad_days = [failure(is_permanent=True, status=401)]
        want_link(play, "INC-1 action 2")
        await play.pass_time(seconds=1)
        await play.pass_time(minutes=16)
        said_again = [one.plain for one in play.slack.messages(play.channel) if "works again" in one.plain]
        assert len(said_again) == 1
        assert "INC-1 action 2 is up to date. 1 still needs attention" in said_again[0]


async def test_the_same_failure_after_a_click_is_told_again(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        elsewhere.bad_days = [failure("Jira has no project OPS.", is_permanent=True, status=400)] * 4
        want_link(play)
        want_link(play, "INC-1 action 2")
        await play.pass_time(seconds=1)
        await press(play, play.ana, "connections_again")
        await play.pass_time(seconds=1)
        assert len(list_warnings(play)) == 2


async def test_one_thing_that_cannot_be_read_hinders_no_other(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        elsewhere.unreadable = "INC-1 action 1"
        for number in (1, 2):
            want_link(play, f"INC-1 action {number}")
        await play.pass_time(seconds=1)
        assert (link(play).state, link(play, "INC-1 action 2").state) == (SyncState.PENDING, SyncState.IN_SYNC)
        assert "server's log says why" in link(play).error


async def test_what_this_process_does_not_follow_is_left_to_one_that_does(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        want_link(play)
        async with Afterword(play.bot.settings, play.bot.store, play.clock, {"statuspage": Elsewhere()}) as other:
            await other.sync_workers.run_due(play.clock.now())
        assert (link(play).state, elsewhere.calls) == (SyncState.PENDING, 0)
        await play.pass_time(minutes=6)
        assert (link(play).state, elsewhere.calls) == (SyncState.IN_SYNC, 1)


async def test_what_failed_in_a_private_channel_is_named_there_alone(database_url: str) -> None:
    async with connect(database_url) as (play, elsewhere):
        private = play.slack.channel("quiet", [play.ana], private=True)
        await open_incident(play, "Payroll leaks", private)
        elsewhere.bad_days = [failure("Jira has no project OPS.", is_permanent=True, status=400)]
        row = play.case(private).incident.id
        thing = LinkKey(TEAM, "jira", "INC-2 action 1", row)
        play.bot.store.write_now(lambda tx: links_store.enqueue(tx, thing, play.clock.now()))
        await play.pass_time(seconds=1)
        assert list_warnings(play) == []
        assert sum("INC-2 action 1" in message.plain for message in play.slack.messages(private)) == 1
        assert "INC-2" not in await interactions.type_command(play, play.bo, "/incident connections")
        assert "INC-2 action 1" in await interactions.type_command(play, play.ana, "/incident connections", private)
        want_link(play)
        elsewhere.bad_days = [failure("Jira has no project OPS.", is_permanent=True, status=400)]
        await play.pass_time(seconds=1)
        assert list_warnings(play) == [":warning: INC-1 action 1: Jira has no project OPS."]


async def test_a_clock_that_is_put_back_stops_no_look_at_what_changed_there(sqlite_url: str) -> None:
    async with connect(sqlite_url) as (play, elsewhere):
        await play.bot.sync_workers.run_due(play.clock.now() + timedelta(days=400))
        before = elsewhere.looks
        await play.bot.sync_workers.run_due(play.clock.now())
        assert elsewhere.looks == before + 1
