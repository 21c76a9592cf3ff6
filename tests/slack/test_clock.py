"""How the clock is kept: by the database's, by Slack's answers, and by nothing that could be anyone else's."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot.clock import CorrectedClock, SystemClock
from bot.slack.clock import ASK_EVERY, ClockKeeper, read_date, read_time
from storage.database import clock as clock_store
from storage.database.store import Store
from tests.support.skew import ShiftedClock
from tests.support.slack.outbox_setup import Post, a_post

HOUR, SECONDS = timedelta(hours=1), timedelta(seconds=3)


@pytest.fixture
async def post(store: Store) -> AsyncIterator[Post]:
    async with a_post(store) as opened:
        yield opened


def keeper_of(post: Post, ahead: timedelta = timedelta()) -> tuple[ClockKeeper, CorrectedClock, ShiftedClock]:
    machine = ShiftedClock(ahead)
    clock = CorrectedClock(machine)
    return ClockKeeper(post.store, clock, post.client), clock, machine


def is_right(clock: CorrectedClock) -> bool:
    return abs(clock.now() - SystemClock().now()) < SECONDS


async def test_the_database_sets_the_clock_before_anything_is_asked_of_slack(post: Post) -> None:
    keeper, clock, _ = keeper_of(post, HOUR)
    await keeper.set_by_database()
    is_postgres = post.store.driver.dialect.name == "postgresql"
    assert is_right(clock) == is_postgres
    assert post.count("auth.test") == 0


async def test_a_clock_that_slack_or_the_database_corrects_is_right(post: Post) -> None:
    keeper, clock, _ = keeper_of(post, -HOUR)
    await keeper.check()
    assert (is_right(clock), keeper.doubt) == (True, "")
    assert "60 min behind" in keeper.trouble or "1 h behind" in keeper.trouble
    assert await keeper.probe() == keeper.trouble


async def test_slack_is_asked_at_the_start_then_once_an_hour_and_when_a_clock_jumps(post: Post) -> None:
    keeper, _, machine = keeper_of(post)
    await post.store.write(lambda tx: clock_store.note_swept(tx, SystemClock().now()))
    for _ in range(3):
        await keeper.check()
    assert post.count("auth.test") == 1
    assert keeper._asked is not None
    keeper._asked -= ASK_EVERY
    await keeper.check()
    assert post.count("auth.test") == 2
    machine.by = HOUR
    await keeper.check()
    # On PostgreSQL the machine's clock is only reported.
    assert post.count("auth.test") == (2 if post.store.driver.dialect.name == "postgresql" else 3)


@pytest.mark.parametrize("fault", [{"error": "token_revoked"}, {"error": "ratelimited"}, {"error": "fatal_error"}])
async def test_the_time_of_a_refusal_is_slacks_as_well(post: Post, fault: dict[str, Any]) -> None:
    post.slack.fail("auth.test", **fault)
    assert await read_time(post.client, 10.0) is not None


@pytest.mark.parametrize("fault", [{"html": True}, {"status": 502, "html": True}, {"drop": "before"}])
async def test_the_date_of_anything_else_is_nobodys_word(post: Post, fault: dict[str, Any]) -> None:
    post.slack.fail("auth.test", **fault)
    assert await read_time(post.client, 10.0) is None


async def test_a_slack_that_hangs_holds_nothing_up(post: Post) -> None:
    go_on = asyncio.Event()
    post.slack.fail("auth.test", until=go_on)
    assert await read_time(post.client, 0.1) is None
    go_on.set()


@pytest.mark.parametrize("headers", [{}, {"date": "soon"}, {"date": ""}])
def test_an_answer_without_a_date_says_nothing(headers: dict[str, str]) -> None:
    assert read_date(headers) is None


async def test_a_date_is_read_as_the_middle_of_its_second(post: Post) -> None:
    assert read_date({"date": "Mon, 23 Nov 2026 14:05:00 GMT"}).isoformat() == "2026-11-23T14:05:00.500000+00:00"  # type: ignore[union-attr]


async def test_the_last_sweep_is_noted_when_it_is_news(post: Post) -> None:
    now = SystemClock().now()
    for at in (now, now + timedelta(minutes=9)):
        await post.store.write(lambda tx, at=at: clock_store.note_swept(tx, at))  # type: ignore[misc]
    assert await post.store.read(clock_store.find_swept_at) == now
    for at in (now + timedelta(minutes=10), now - HOUR):
        await post.store.write(lambda tx, at=at: clock_store.note_swept(tx, at))  # type: ignore[misc]
        assert await post.store.read(clock_store.find_swept_at) == at
