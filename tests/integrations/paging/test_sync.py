"""Whatever is lost between us and the paging system: no one is woken twice, in vain, or not at all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.integrations.paging.client import ConfirmationPolicy, PagingClient
from bot.integrations.paging.sync import PagingSync
from storage import links as links_store
from storage.links import Link
from storage.queues import SyncState
from tests.support.integrations.clients import QUICK, SECRET
from tests.support.integrations.fakes.alerts import FakeAlerts
from tests.support.integrations.fakes.days import BadDay, refuse_with
from tests.support.interactions import count_messages, having, labels, on_stage, open_incident, press, type_command
from tests.support.play import TEAM, Play

LOST = BadDay(acts=True, resets=True)


@asynccontextmanager
async def with_pager(database_url: str) -> AsyncIterator[tuple[Play, FakeAlerts]]:
    alerts = FakeAlerts()
    async with alerts.serving() as url:
        pages = PagingSync(
            PagingClient(SECRET, f"{url}/v2", QUICK, ConfirmationPolicy(first=0.01, within=0.05)), "team-db"
        )
        async with on_stage(database_url, sync_handlers={"paging": pages}) as play:
            await open_incident(play)
            yield play, alerts


async def ask_for_page(play: Play) -> None:
    await type_command(play, play.ana, "/incident page need a database person")
    await play.pass_time(seconds=1)


def link(play: Play) -> Link:
    found = play.bot.store.read_now(lambda tx: links_store.find(tx, TEAM, "paging", "INC-1 page of #2"))
    assert found is not None
    return found


async def test_a_page_that_was_taken_up_and_closed_before_our_retry_is_not_raised_anew(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        alerts.next_time("POST /v2/alerts$", LOST)
        await ask_for_page(play)
        for alert in alerts.alerts.values():
            alert["state"] = "closed"
        await play.pass_time(minutes=5)
        assert (alerts.pages, count_messages(play, "Paged, confirmed"), link(play).state) == (1, 1, SyncState.IN_SYNC)


async def test_after_a_restart_it_is_asked_after_and_not_asked_for_again(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        alerts.slow_for = 1000
        await ask_for_page(play)
        assert count_messages(play, "Don't count on it: reach them another way too.") == 1
        for alert in alerts.alerts.values():
            alert["state"] = "closed"
        alerts.slow_for = 0
        await play.pass_time(seconds=30)
        assert (len(alerts.find_calls("POST /v2/alerts$")), alerts.pages) == (1, 1)
        assert (count_messages(play, "Paged, confirmed"), link(play).external_id) == (1, "a1")


async def test_a_request_that_nobody_knows_of_is_made_anew_after_a_while(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        alerts.next_time("POST /v2/alerts$", refuse_with(202, {"requestId": "r99", "result": "x", "took": 0.1}))
        alerts.slow_for = 1000
        await ask_for_page(play)
        assert (alerts.pages, link(play).state) == (0, SyncState.PENDING)
        alerts.slow_for = 0
        alerts.next_time("GET /v2/alerts/requests/r99$", *[refuse_with(404, {"message": "Request not found."})] * 50)
        await play.pass_time(minutes=3)
        await play.pass_time(minutes=3)
        assert (alerts.pages, count_messages(play, "Paged, confirmed")) == (1, 1)


async def test_what_was_declined_is_asked_for_anew_on_request(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        alerts.refuses = "No such team"
        await ask_for_page(play)
        assert (link(play).state, count_messages(play, "then didn't do it: No such team")) == (SyncState.REJECTED, 1)
        alerts.refuses = ""
        assert labels(having(play, play.ana, "connections_again")) == ["Page on call again"]
        await press(play, play.ana, "connections_again")
        await play.pass_time(seconds=1)
        assert (alerts.pages, count_messages(play, "Paged, confirmed")) == (1, 1)


async def test_nobody_is_woken_for_what_is_over(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        alerts.next_time("POST /v2/alerts$", *[refuse_with(503, {}, **{"Retry-After": "600"})] * 3)
        await ask_for_page(play)
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(minutes=11)
        await play.pass_time(minutes=11)
        assert (alerts.pages, count_messages(play, "Not paged: INC-1 was resolved")) == (0, 1)


async def test_an_alert_of_a_database_before_this_one_is_no_page_of_ours(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        alerts.now -= timedelta(days=300)
        alerts.next_time("POST /v2/alerts$", LOST)
        await ask_for_page(play)
        for alert in alerts.alerts.values():
            alert["state"] = "closed"
        alerts.now += timedelta(days=300)
        await play.pass_time(minutes=5)
        assert (alerts.pages, count_messages(play, "Paged, confirmed")) == (2, 1)


async def test_a_key_that_may_not_look_still_pages(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        alerts.may_not_look = True
        alerts.next_time("POST /v2/alerts$", LOST)
        await ask_for_page(play)
        await play.pass_time(minutes=5)
        assert (alerts.pages, count_messages(play, "Paged, confirmed")) == (1, 1)


async def test_once_it_is_over_nobody_is_paged_any_more(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        await ask_for_page(play)
        await type_command(play, play.ana, "/incident mitigated")
        await play.pass_time(seconds=1)
        assert [alert["state"] for alert in alerts.alerts.values()] == ["open"]
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(seconds=1)
        assert [alert["state"] for alert in alerts.alerts.values()] == ["closed"]
        await type_command(play, play.ana, "/incident reopen")
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(seconds=1)
        assert len(alerts.find_calls("POST .*/close$")) == 1
        assert (alerts.pages, count_messages(play, ":warning:"), count_messages(play, "Paged, confirmed")) == (1, 0, 1)


async def test_a_page_that_somebody_closed_there_already_is_well(database_url: str) -> None:
    async with with_pager(database_url) as (play, alerts):
        await ask_for_page(play)
        for alert in alerts.alerts.values():
            alert["state"] = "closed"
        await type_command(play, play.ana, "/incident resolved")
        await play.pass_time(seconds=1)
        assert (count_messages(play, ":warning:"), link(play).status) == (0, "closed")
