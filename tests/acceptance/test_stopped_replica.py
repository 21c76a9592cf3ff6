"""A replica that stands still in the middle of a send, while its lease runs out and another one takes over."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.integrations import sync
from bot.services import history_scan as history_scan_service
from bot.slack import files, outbox
from storage.database.store import open_store
from tests.support.deadlines import LONG_SECONDS, until
from tests.support.slack.halted_sender import LEASE_SECONDS
from tests.support.slack.outbox_setup import Post, a_post
from tests.support.timeouts import PATIENT, SHIPPED


@pytest.fixture
async def post(postgres_url: str) -> AsyncIterator[Post]:
    store = open_store(postgres_url, timeouts=PATIENT)
    async with a_post(store) as opened:
        yield opened
    store.close()


@asynccontextmanager
async def another_replica(post: Post, url: str, point: str) -> AsyncIterator[Process]:
    """A replica in a process of its own; at the end it has ended."""
    words = ("-m", "tests.support.slack.halted_sender", url, post.slack.api_url, post.slack.bot_token, point)
    process = await asyncio.create_subprocess_exec(sys.executable, *words)
    try:
        yield process
        async with asyncio.timeout(LONG_SECONDS):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def is_stopped(process: Process) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.postgres
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc tells whether a process stands still")
@pytest.mark.parametrize("point", ["claim", "call", "answer"])
async def test_a_replica_that_stands_still_sends_nothing_that_another_has_sent(
    post: Post, postgres_url: str, point: str
) -> None:
    post.clock.set(SystemClock().now())
    await post.owe("once")
    arrived, go_on = post.slack.api.faults["chat.postMessage"], asyncio.Event()
    if point == "answer":
        post.slack.fail("chat.postMessage", until=go_on)
    async with another_replica(post, postgres_url, point) as process:
        if point == "answer":
            await until(lambda: not arrived)
            os.kill(process.pid, signal.SIGSTOP)
            go_on.set()
        await until(lambda: is_stopped(process))
        await asyncio.sleep(LEASE_SECONDS)
        post.clock.set(SystemClock().now() + timedelta(seconds=1))
        taken_over = await post.tick()
        os.kill(process.pid, signal.SIGCONT)
    # Before its commit no one else sees the claim; the lease is over by then, so the replica leaves the row to others.
    assert taken_over == (0 if point == "claim" else 1)
    post.clock.set(SystemClock().now() + timedelta(minutes=1))
    assert await post.tick() == 1 - taken_over
    assert (post.list_texts(), post.states()) == (["once"], ["sent"])


@pytest.mark.postgres
async def test_a_replica_that_runs_on_sends(post: Post, postgres_url: str) -> None:
    """Else the others would show nothing."""
    post.clock.set(SystemClock().now())
    await post.owe("once")
    async with another_replica(post, postgres_url, "never"):
        pass
    assert (post.list_texts(), post.states()) == (["once"], ["sent"])


@pytest.mark.parametrize("queue", [outbox, files, sync, history_scan_service])
def test_a_lease_outlasts_an_attempt_and_what_its_last_call_left_under_way(queue: Any) -> None:
    assert queue.ATTEMPT_SECONDS + SHIPPED.slack_call < queue.LEASE.total_seconds()
