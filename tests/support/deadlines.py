"""Waiting for what happens by itself, as long as the slowest machine may take; who passes never waits it out."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LONG_SECONDS = 60.0
SOON_SECONDS = 20.0
"""Longer than anything takes that does not hang."""

_LOOK_EVERY = 0.005


async def until(is_so: Callable[[], object]) -> None:
    """Wait for something that gives no event of its own; TimeoutError after a minute."""
    async with asyncio.timeout(LONG_SECONDS):
        while not is_so():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(_LOOK_EVERY)


def until_now(is_so: Callable[[], object]) -> None:
    """The same in a thread."""
    ends = time.monotonic() + LONG_SECONDS
    while not is_so():
        if time.monotonic() > ends:
            raise TimeoutError
        time.sleep(_LOOK_EVERY)


@contextmanager
def working_at_most(seconds: float) -> Iterator[None]:
    """What is done within takes no more of the processor's time, which other programs do not use up."""
    began = time.thread_time()
    yield
    assert time.thread_time() - began < seconds
