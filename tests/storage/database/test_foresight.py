"""What is sent ahead to PostgreSQL saves waiting, and makes no difference to what is recorded and answered."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from bot.app import Afterword
from bot.clock import SettableClock
from bot.domain.records import Place
from bot.errors import NotRecorded, Refused
from bot.rehearsal.server import StandIn
from bot.services import timeline as timeline_service
from bot.services.context import Request
from bot.services.timeline import TypedLine
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage import timeline as timeline_store
from storage.database.statements import Transaction
from storage.database.store import Store, open_store
from tests.conftest import fresh_database
from tests.support.play import NOON, TEAM, settings_for
from tests.support.storage.postgres_relay import Cut, Relay
from tests.support.storage.sample_records import NOW, PLACE, entry, open_incident
from tests.support.timeouts import PATIENT

pytestmark = pytest.mark.postgres


@pytest.fixture
def one(postgres_url: str) -> Iterator[Store]:
    store = open_store(postgres_url, timeouts=PATIENT)
    yield store
    store.close()


@pytest.fixture
def relay(postgres_url: str, tmp_path: Path) -> Iterator[Relay]:
    relay = Relay(tmp_path, Path(str(make_url(postgres_url).query["host"])))
    yield relay
    relay.close()


@pytest.fixture
def relayed_store(relayed_url: str) -> Iterator[Store]:
    store = open_store(relayed_url, timeouts=PATIENT)
    yield store
    store.close()


@pytest.fixture
def relayed_url(relay: Relay, postgres_url: str, tmp_path: Path) -> str:
    del relay
    return make_url(postgres_url).update_query_dict({"host": str(tmp_path)}).render_as_string(hide_password=False)


def foreseeing(key: str, text: str) -> Callable[[Transaction], None]:
    """What `recording` begins with."""

    def foresee(tx: Transaction) -> None:
        deliveries_store.find_reply(tx, key)
        incidents_store.take_entry_number(tx, PLACE)
        timeline_store.add_new(tx, PLACE, entry(text), 30, NOW - timedelta(seconds=10))

    return foresee


def recording(key: str, text: str, fails: Exception | None = None) -> Callable[[Transaction], str]:
    """A unit that does what a `/timeline` does."""

    def unit(tx: Transaction) -> str:
        before = deliveries_store.find_reply(tx, key)
        if before is not None:
            return before.encoded
        assert incidents_store.take_entry_number(tx, PLACE) is not None
        added = timeline_store.add_new(tx, PLACE, entry(text), 30, NOW - timedelta(seconds=10))
        if added is None or fails:
            raise fails or Refused("the same again")
        deliveries_store.store_reply(tx, key, f"#{added.number}", NOW)
        return f"#{added.number}"

    return unit


Pair = tuple[Callable[[Transaction], Any], Callable[[Transaction], object] | None]


def pair(key: str, text: str = "", fails: Exception | None = None) -> Pair:
    return recording(key, text or key, fails), foreseeing(key, text or key)


async def write_together(store: Store, pairs: list[Pair]) -> list[Any]:
    """The answers to units that are one batch: all of one turn of the loop are handed over together."""
    batches = store.writer.state.batches
    answers = await asyncio.gather(*(store.write(*one) for one in pairs), return_exceptions=True)
    assert store.writer.state.batches == batches + 1
    return answers


def texts(store: Store) -> list[str]:
    return [found.text for found in store.read_now(lambda tx: timeline_store.list_active(tx, 1))]


@pytest.mark.parametrize("size", [1, 16])
async def test_a_batch_waits_twice_for_the_server(relayed_store: Store, relay: Relay, size: int) -> None:
    relayed_store.write_now(open_incident)
    for number in range(4):  # by then the statements are prepared
        await write_together(relayed_store, [pair(f"first {number}")])
    relay.trips = 0
    answers = await write_together(relayed_store, [pair(f"step {number}") for number in range(size)])
    assert answers == [f"#{number}" for number in range(5, 5 + size)]
    assert relay.trips == 2


async def test_a_batch_of_other_units_waits_only_for_what_they_read(relayed_store: Store, relay: Relay) -> None:
    relayed_store.write_now(open_incident)
    for number in range(4):
        await write_together(relayed_store, [(pair(f"first {number}")[0], None)])
    relay.trips = 0
    await write_together(relayed_store, [(pair(f"step {number}")[0], None) for number in range(4)])
    assert relay.trips == 4 * 3 + 1  # the inbox, the number and the entry of each; the commit


async def test_one_that_is_refused_takes_nothing_from_the_others(one: Store) -> None:
    one.write_now(open_incident)
    pairs = [pair("a"), pair("b", fails=Refused("no")), pair("c", "a"), pair("d"), pair("e", fails=KeyError("bug"))]
    answers = await write_together(one, pairs)
    assert [str(answer) for answer in answers] == ["#1", "no", "the same again", "#2", "'bug'"]
    assert texts(one) == ["a", "d"]


async def test_a_request_that_comes_twice_in_a_batch_has_one_effect_and_one_reply(one: Store) -> None:
    one.write_now(open_incident)
    answers = await asyncio.gather(*(one.write(*pair(key, f"{key} {n}")) for n, key in enumerate("aabba")))
    assert answers == ["#1", "#1", "#2", "#2", "#1"]
    assert texts(one) == ["a 0", "b 2"]


async def test_an_error_of_the_database_is_the_answer_of_its_own_unit(one: Store) -> None:
    one.write_now(open_incident)

    def wrong(tx: Transaction) -> str:
        answer = recording("b", "b")(tx)
        timeline_store.add(tx, 99, 1, entry("in no incident"))
        return answer

    units = [pair("a"), (wrong, foreseeing("b", "b")), pair("c")]
    first, second, third = await asyncio.gather(*(one.write(*unit) for unit in units), return_exceptions=True)
    assert (first, third) == ("#1", "#2")
    assert isinstance(second, NotRecorded)
    assert texts(one) == ["a", "c"]


@pytest.mark.parametrize("foresee", [foreseeing("x", "b"), foreseeing("b", "x"), open_incident, lambda _: 1 / 0])
async def test_a_wrong_foresight_makes_no_difference(one: Store, foresee: Callable[[Transaction], object]) -> None:
    one.write_now(open_incident)
    assert await write_together(one, [pair("a"), (recording("b", "b"), foresee), pair("c")]) == ["#1", "#2", "#3"]
    assert texts(one) == ["a", "b", "c"]


async def test_a_unit_that_does_less_than_was_foreseen_has_no_effect_of_the_rest(one: Store) -> None:
    one.write_now(open_incident)
    answers = await write_together(one, [(lambda _: "nothing", foreseeing("a", "a")), pair("b")])
    assert answers == ["nothing", "#1"]
    assert texts(one) == ["b"]


async def test_units_keep_their_order_among_those_that_are_not_foreseen(one: Store) -> None:
    one.write_now(open_incident)
    pairs = [pair("a"), (pair("b")[0], None), pair("c"), pair("d"), (pair("e")[0], None)]
    assert await write_together(one, pairs) == ["#1", "#2", "#3", "#4", "#5"]


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_commit_without_an_answer_is_looked_up_and_recorded_once(
    relayed_store: Store, relay: Relay, one: Store, cut: Cut
) -> None:
    one.write_now(open_incident)
    cuts = iter([cut])

    def arming(tx: Transaction) -> str:
        relay.arm(next(cuts, None))
        return recording("a", "a")(tx)

    answers = await asyncio.gather(
        *(relayed_store.write(*unit) for unit in [(arming, foreseeing("a", "a")), pair("b"), pair("c")])
    )
    assert (answers, relay.cuts) == (["#1", "#2", "#3"], 1)
    assert texts(one) == ["a", "b", "c"]


async def test_replicas_that_record_at_once_give_every_number_once(one: Store, postgres_url: str) -> None:
    one.write_now(open_incident)
    two = open_store(postgres_url, timeouts=PATIENT)
    writing = [store.write(*pair(f"{at} {n}")) for n in range(40) for at, store in enumerate((one, two))]
    # Each request also reaches the other replica in the same moment.
    writing += [store.write(*pair(f"{at} {n}")) for n in range(40) for at, store in enumerate((two, one))]
    answers = await asyncio.gather(*writing)
    two.close()
    assert sorted(int(answer[1:]) for answer in answers) == [number for number in range(1, 81) for _ in range(2)]
    assert len(texts(one)) == 80


LINES = (
    "12:05 failed over",
    "12:05 failed over",
    "failed over",
    "12:05-12:10 the pool was empty",
    "around 12:05 it began",
    "-10m it began",
    "yesterday 23:10 the deploy went out",
    "12 Nov 12:05 UTC the first alert",
    "it *is* <up> & we saw 99 % at 12:05",
    "12:05 3 of 4 shards",
)


@asynccontextmanager
async def bot_on(url: str, *, foreseeing: bool) -> AsyncIterator[tuple[Afterword, Request]]:
    """A bot that is asked by its services, with an open incident."""
    async with StandIn(SettableClock(NOON), team=TEAM) as slack:
        ana = slack.user("Ana Demo", "UTC")
        channel = slack.channel("checkout", [ana])
        with closing(open_store(url, timeouts=PATIENT)) as store:
            store.driver.is_remote = foreseeing
            async with Afterword(settings_for(slack, url), store, slack.clock) as bot:
                request = Request(Place(TEAM, channel), ana, NOON, "open")
                store.write_now(lambda tx: incidents_store.open_new(tx, request.place, "checkout", ana, NOON))
                yield bot, request


async def test_what_timeline_foresees_is_what_it_asks_for(relay: Relay, relayed_url: str) -> None:
    trips = []
    async with bot_on(relayed_url, foreseeing=True) as (bot, request):
        for number, line in enumerate(LINES[:-1] * 2):  # the last one is asked about, and recorded later
            relay.trips = 0
            typed = TypedLine(f"{line} {number}")
            await timeline_service.record(bot.services, replace(request, key=f"T1:{number}"), typed)
            trips.append(relay.trips)
    assert trips[len(LINES) :] == [2] * (len(LINES) - 2)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    typed=st.lists(
        st.builds(
            TypedLine,
            st.sampled_from(LINES),
            again=st.booleans(),
            at=st.sampled_from([None, NOON - timedelta(minutes=9)]),
        ),
        min_size=1,
        max_size=8,
    ),
    keys=st.lists(st.integers(0, 9), min_size=8, max_size=8),
)
async def test_every_kind_of_line_is_answered_as_without_foresight(
    postgres_server: Any, typed: list[TypedLine], keys: list[int]
) -> None:
    found = []
    for foreseen in (True, False):
        with fresh_database(postgres_server) as url:
            async with bot_on(url, foreseeing=foreseen) as (bot, request):
                recording = (
                    timeline_service.record(bot.services, replace(request, key=f"T1:{key}"), line)
                    for key, line in zip(keys, typed, strict=False)
                )
                answers = await asyncio.gather(*recording, return_exceptions=True)
                entries = bot.store.read_now(lambda tx: timeline_store.list_active(tx, 1))
                found.append(([repr(answer) for answer in answers], [replace(entry, id=0) for entry in entries]))
    assert found[0] == found[1]
