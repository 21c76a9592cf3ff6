"""Bad days of every connected system: recording continues, a failure is reported once, and nothing is made twice."""

import asyncio

import pytest

from bot.app import Afterword
from tests.support.integrations.clients import IMPATIENT, QUICK
from tests.support.integrations.fakes.days import HTML, BadDay, page, refuse_with
from tests.support.integrations.systems import WORLDS, World, in_world, still_records
from tests.support.interactions import count_messages, press

WARNING = ":warning:"
worlds = pytest.mark.parametrize("world", WORLDS, ids=[world.name for world in WORLDS])

REMEDIES = {
    400: "didn't accept it (status 400)",
    403: "Give it the permission|refused the key",
    404: "Check whether it was deleted, moved or restricted|page's ID",
    409: "it was changed at the same time",
    413: "Make it shorter, or attach less",
    422: "didn't accept it (status 422)",
}
PASSING = {
    "429": [refuse_with(429, {})] * 3,
    "429 with Retry-After": [refuse_with(429, {}, **{"Retry-After": "40"})],
    "500": [refuse_with(500, {})],
    "500 after the write": [BadDay(500, acts=True)],
    "503": [refuse_with(503, {})] * 3,
    "a page in place of data": [BadDay(200, HTML, {"Content-Type": "text/html"}, acts=True)],
    "a page for 404": [page(404)] * 3,
    "a hang": [BadDay(hangs=True)],
    "a hang after the write": [BadDay(hangs=True, acts=True)],
    "a reset": [BadDay(resets=True)],
    "a reset after the write": [BadDay(resets=True, acts=True)],
}


@worlds
@pytest.mark.parametrize("status", REMEDIES)
async def test_a_refusal_is_told_once_with_its_remedy_and_mended_by_a_click(
    sqlite_url: str, world: World, status: int
) -> None:
    async with in_world(world, sqlite_url) as (play, fake):
        fake.next_time(world.write, *[refuse_with(status, {"message": "Not so."})] * 3)
        await world.ask(play)
        await still_records(play)
        await play.pass_time(seconds=1)
        fake.better()
        await play.pass_time(hours=2)
        assert (count_messages(play, WARNING), world.made(fake)) == (1, 0)
        assert sum(count_messages(play, words) for words in REMEDIES[status].split("|")) == 1
        await press(play, play.ana, "connections_again")
        await play.pass_time(seconds=1)
        await play.pass_time(hours=2)
        assert (count_messages(play, WARNING), world.made(fake)) == (1, 1)
        assert count_messages(play, "works again") == (not world.is_urgent)


@worlds
@pytest.mark.parametrize("day", PASSING)
async def test_what_passes_is_caught_up_with_and_nothing_is_made_twice(sqlite_url: str, world: World, day: str) -> None:
    patience = IMPATIENT if any(bad.hangs for bad in PASSING[day]) else QUICK
    async with in_world(world, sqlite_url, patience) as (play, fake):
        fake.next_time(world.write, *PASSING[day])
        await world.ask(play)
        await still_records(play)
        await play.pass_time(seconds=1)
        fake.better()
        for _ in range(4):
            await play.pass_time(minutes=2)
        assert (world.made(fake), count_messages(play, WARNING)) == (1, int(world.is_urgent))


@worlds
async def test_a_token_that_was_revoked_is_told_once_and_its_replacement_needs_no_word(
    sqlite_url: str, world: World
) -> None:
    async with in_world(world, sqlite_url) as (play, fake):
        fake.authorization = "Basic of-somebody-else"
        await world.ask(play)
        for _ in range(5):
            await play.pass_time(minutes=20)
            await still_records(play)
        assert (count_messages(play, WARNING), world.made(fake)) == (1, 0)
        fake.authorization = ""
        for _ in range(3):
            await play.pass_time(minutes=20)
        assert (count_messages(play, WARNING), world.made(fake)) == (1, 1)
        assert count_messages(play, "works again") == (not world.is_urgent)


@worlds
async def test_nobody_who_records_waits_for_a_system_that_hangs(database_url: str, world: World) -> None:
    async with in_world(world, database_url, IMPATIENT) as (play, fake):
        fake.next_time(world.write, *[BadDay(hangs=True)] * 3)
        await world.ask(play)
        calling = asyncio.create_task(play.bot.sync_workers.run_due(play.clock.now()))
        await asyncio.sleep(0.05)
        await still_records(play)
        await calling
        fake.better()
        for _ in range(4):
            await play.pass_time(minutes=2)
        assert world.made(fake) == 1


@worlds
async def test_two_bots_on_one_database_do_it_once(postgres_url: str, world: World) -> None:
    async with in_world(world, postgres_url) as (play, fake):
        await world.ask(play)
        settings, store, clock = play.bot.settings, play.bot.store, play.clock
        async with Afterword(settings, store, clock, patience=QUICK) as second:
            now = clock.now()
            await asyncio.gather(play.bot.sync_workers.run_due(now), second.sync_workers.run_due(now))
        await play.pass_time(minutes=3)
        assert (world.made(fake), count_messages(play, WARNING)) == (1, 0)
