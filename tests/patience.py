"""How long the bot waits in tests: long, except where waiting is what is tested, for a busy machine is no failure."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.slack import capture, names, people, places
from handlers import boundary
from storage import drivers, writer
from tests.waiting import LONG_SECONDS

AS_SHIPPED = {
    "storage.drivers.LOCK_SECONDS": drivers.LOCK_SECONDS,
    "storage.drivers.WAIT_SECONDS": drivers.WAIT_SECONDS,
    "storage.writer.WAIT_SECONDS": writer.WAIT_SECONDS,
    "storage.writer.ANSWER_SECONDS": writer.ANSWER_SECONDS,
    "bot.slack.capture.READ_SECONDS": capture.READ_SECONDS,
    "bot.slack.names.ASKING_SECONDS": names.ASKING_SECONDS,
    "bot.slack.people.LOOK_UP_SECONDS": people.LOOK_UP_SECONDS,
    "bot.slack.places.ASKING_SECONDS": places.ASKING_SECONDS,
    "handlers.boundary.FORM_SECONDS": boundary.FORM_SECONDS,
}
"""Chosen so that whoever types is answered before Slack gives up after three seconds."""


@pytest.fixture(scope="session", autouse=True)
def unhurried() -> Iterator[None]:
    """The bot waits as long as the slowest machine may take for a database or a stand-in that is well."""
    with pytest.MonkeyPatch.context() as patch:
        for name in AS_SHIPPED:
            patch.setattr(name, LONG_SECONDS)
        yield


@pytest.fixture
def short_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that are made from now on wait at a lock as they are shipped to: one try of several is short."""
    name = "storage.drivers.LOCK_SECONDS"
    monkeypatch.setattr(name, AS_SHIPPED[name])


@contextmanager
def hurry() -> Iterator[None]:
    """The bot waits as it is shipped: only for as long as something hangs or is held, for all else may be slow."""
    with pytest.MonkeyPatch.context() as patch:
        for name, seconds in AS_SHIPPED.items():
            patch.setattr(name, seconds)
        yield
