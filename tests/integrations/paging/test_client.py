"""Nothing reads "paged" before the system has confirmed it, and no one is paged twice for one incident."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.integrations.paging.client import OPSGENIE_EU, ConfirmationPolicy, NotConfirmedError, PagingClient
from tests.support.integrations.atlassian_sites import ALERT, error_of
from tests.support.integrations.clients import QUICK, SECRET
from tests.support.integrations.fakes.alerts import FakeAlerts
from tests.support.integrations.fakes.days import BadDay, page, refuse_with
from tests.support.play import NOON


@dataclass
class OnCall:
    fake: FakeAlerts
    paging: PagingClient


@pytest.fixture
async def on_call() -> AsyncIterator[OnCall]:
    fake = FakeAlerts()
    fake.authorization = f"GenieKey {SECRET}"
    async with fake.serving() as url:
        paging = PagingClient(SECRET, f"{url}/v2", QUICK, ConfirmationPolicy(first=0.01, within=0.2))
        yield OnCall(fake, paging)
        await paging.aclose()


async def page_and_wait(on_call: OnCall) -> str:
    """Ask for a page, and wait until it is confirmed."""
    return await on_call.paging.confirm(await on_call.paging.ask(ALERT))


async def test_paged_means_confirmed(on_call: OnCall) -> None:
    on_call.fake.slow_for = 3
    assert await page_and_wait(on_call) == "a1"
    stands = on_call.fake.alerts[ALERT.alias]
    assert (stands["priority"], stands["details"], stands["source"]) == ("P1", {"incident": "INC-7"}, "Afterword")
    assert stands["responders"] == [{"id": "t-1", "type": "team"}]
    assert len(on_call.fake.find_calls("requests")) == 4


async def test_what_is_never_confirmed_is_not_called_paged(on_call: OnCall) -> None:
    on_call.fake.slow_for = 1000
    error = await error_of(page_and_wait(on_call))
    assert (error.is_permanent, error.may_have_happened) == (False, True)
    assert "Don't count on it" in str(error)


async def test_what_was_accepted_and_then_refused_is_told(on_call: OnCall) -> None:
    on_call.fake.refuses = "Team [t-1] does not exist"
    error = await error_of(page_and_wait(on_call))
    assert (error.is_permanent, error.may_have_happened) == (True, False)
    assert "Team [t-1] does not exist" in str(error)


async def test_trouble_while_asking_after_it_leaves_it_unsure(on_call: OnCall) -> None:
    on_call.fake.next_time("requests", *[BadDay(500)] * 3)
    assert (await error_of(page_and_wait(on_call))).may_have_happened


@pytest.mark.parametrize("day", [BadDay(502, acts=True), BadDay(acts=True, resets=True)])
async def test_a_page_that_went_out_unseen_joins_itself_when_repeated(on_call: OnCall, day: BadDay) -> None:
    on_call.fake.next_time("POST", day)
    assert (await error_of(page_and_wait(on_call))).may_have_happened
    assert await page_and_wait(on_call) == "a1"
    assert on_call.fake.pages == 1


async def test_an_alert_is_followed_to_its_end(on_call: OnCall) -> None:
    await page_and_wait(on_call)
    await on_call.paging.close(ALERT.alias, "resolved")
    assert on_call.fake.alerts[ALERT.alias]["state"] == "closed"


async def test_an_alert_that_is_gone_says_so(on_call: OnCall) -> None:
    error = await error_of(on_call.paging.close("afterword:T1:INC-9", "resolved"))
    assert error.is_permanent
    assert "Alert does not exist" in str(error)


async def test_texts_are_cut_to_what_the_system_takes(on_call: OnCall) -> None:
    await on_call.paging.ask(
        replace(
            ALERT, message="long\n" * 99, description="d" * 20_000, tags=("t" * 80,) * 30, details={"a": "v" * 9_000}
        )
    )
    (seen,) = on_call.fake.find_calls("POST")
    assert len(seen.body["message"]) <= 130
    assert "\n" not in seen.body["message"]
    assert len(seen.body["description"]) == 15_000
    assert (len(seen.body["tags"]), len(seen.body["tags"][0]), len(seen.body["details"]["a"])) == (20, 50, 500)


@pytest.mark.parametrize("day", [refuse_with(429, {}), refuse_with(503, {}), page(503)], ids=str)
async def test_a_busy_system_is_asked_again(on_call: OnCall, day: BadDay) -> None:
    on_call.fake.next_time("POST", day)
    await page_and_wait(on_call)
    assert on_call.fake.pages == 1


async def test_doctor_hears_whether_the_key_is_taken(on_call: OnCall) -> None:
    assert await on_call.paging.check() == "the key is taken"
    on_call.fake.authorization = "another"
    error = await error_of(on_call.paging.check())
    assert (error.is_permanent, "API" in str(error), SECRET in str(error)) == (True, True, False)


async def test_opsgenie_is_called_by_its_name() -> None:
    paging = PagingClient(SECRET, OPSGENIE_EU)
    assert paging.name == "Opsgenie"
    await paging.aclose()


async def test_an_alert_is_found_by_its_alias_also_once_it_is_closed(on_call: OnCall) -> None:
    assert await on_call.paging.find(ALERT.alias, NOON) == ""
    await page_and_wait(on_call)
    await on_call.paging.close(ALERT.alias, "resolved")
    assert await on_call.paging.find(ALERT.alias, NOON) == "a1"
    assert on_call.fake.find_calls("GET /v2/alerts$")[-1].query["query"] == 'alias: "afterword:T1:INC-7"'


async def test_an_alert_of_another_alias_or_of_another_time_is_not_taken_for_it(on_call: OnCall) -> None:
    await page_and_wait(on_call)
    assert await on_call.paging.find("afterword:T1:INC", NOON) == ""
    assert await on_call.paging.find(ALERT.alias, NOON + timedelta(hours=1)) == ""
    assert await on_call.paging.find(ALERT.alias, NOON + timedelta(minutes=2)) == "a1"


async def test_a_key_that_may_not_look_finds_nothing_and_one_that_is_refused_says_so(on_call: OnCall) -> None:
    await page_and_wait(on_call)
    on_call.fake.may_not_look = True
    assert await on_call.paging.find(ALERT.alias, NOON) == ""
    on_call.fake.authorization = "another"
    assert (await error_of(on_call.paging.find(ALERT.alias, NOON))).status == 401


async def test_what_is_declined_and_what_is_not_there_yet_are_told_apart(on_call: OnCall) -> None:
    on_call.fake.slow_for = 1000
    waiting = await error_of(page_and_wait(on_call))
    on_call.fake.slow_for, on_call.fake.refuses = 1, "No such team"
    declined = await error_of(page_and_wait(on_call))
    assert [(type(each), each.is_permanent) for each in (waiting, declined)] == [
        (NotConfirmedError, False),
        (NotConfirmedError, True),
    ]
