"""Units of work that wait for the writer, and how those who gave them are answered."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from storage.statements import Transaction

Unit = Callable[[Transaction], Any]


@dataclass(slots=True, eq=False)
class Waiting:
    """A unit, who waits for it (somebody on an event loop, or a thread where `loop` is None), and what came of it.

    `since` is the monotonic second it was given; `conflicts` counts how often another replica was in the way.
    """

    unit: Unit
    answer: "asyncio.Future[Any] | Future[Any]"
    loop: asyncio.AbstractEventLoop | None
    since: float
    conflicts: int = 0
    result: Any = None
    error: BaseException | None = None
    is_taken: bool = False
    told: bool = False

    def is_wanted(self) -> bool:
        """Whether anybody still waits. To be asked once: from then on a thread cannot withdraw."""
        self.is_taken = True  # before the look: who gives up at this moment is told "perhaps", never "not" in error
        if isinstance(self.answer, asyncio.Future):
            return not self.answer.done()
        return self.answer.set_running_or_notify_cancel()


def tell(batch: list[Waiting]) -> None:
    """Answer everybody, waking each event loop once for all who wait on it."""
    for loop in {waiting.loop for waiting in batch}:
        ones = [waiting for waiting in batch if waiting.loop is loop]
        for waiting in ones:
            waiting.told = True
        if loop is None:
            settle(ones)
        else:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to hear it
                loop.call_soon_threadsafe(settle, ones)


def settle(batch: list[Waiting]) -> None:
    """Set the futures, on the thread that owns them; whoever gave up waiting is left alone."""
    for waiting in batch:
        answer, error = waiting.answer, waiting.error
        if answer.done():
            continue
        if error is None:
            answer.set_result(waiting.result)
        elif isinstance(error, StopIteration):  # which no future takes
            answer.set_exception(RuntimeError("a unit of work raised StopIteration"))
        else:
            answer.set_exception(error)
