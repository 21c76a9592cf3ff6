"""Keeping the writer busy, so that what is given meanwhile is known to be taken together."""

import threading
from types import TracebackType

from storage.database.statements import Transaction
from storage.database.store import Store
from tests.support.deadlines import LONG_SECONDS


class BusyWriter:
    """While this lasts the writer is inside a unit; what is given meanwhile waits, and is one batch afterwards."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running = threading.Event()
        self._go_on = threading.Event()

    def _unit(self, _: Transaction) -> None:
        self._running.set()
        self._go_on.wait(LONG_SECONDS)

    def __enter__(self) -> None:
        self._store.writer.submit(self._unit)
        assert self._running.wait(LONG_SECONDS)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._go_on.set()
