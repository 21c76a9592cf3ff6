"""How long the bot waits in tests: long, except where waiting is what is tested, for a busy machine is no failure."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot import app
from bot.export import pdf
from bot.slack import channels, directory, messages_in, outbox
from bot.web import server, webhooks
from handlers import boundary
from storage.database import drivers, writer
from tests.support.deadlines import LONG_SECONDS

AS_SHIPPED = {
    "storage.database.drivers.LOCK_SECONDS": drivers.LOCK_SECONDS,
    "storage.database.drivers.WAIT_SECONDS": drivers.WAIT_SECONDS,
    "storage.database.writer.WAIT_SECONDS": drivers.WAIT_SECONDS,
    "storage.database.writer.ANSWER_SECONDS": writer.ANSWER_SECONDS,
    "bot.app.SLACK_SECONDS": app.SLACK_SECONDS,
    "bot.export.pdf._SECONDS": pdf._SECONDS,
    "bot.slack.messages_in.READ_SECONDS": messages_in.READ_SECONDS,
    "bot.slack.directory.ASKING_SECONDS": directory.ASKING_SECONDS,
    "bot.slack.outbox.ROUND_SECONDS": outbox.ROUND_SECONDS,
    "bot.slack.directory.LOOK_UP_SECONDS": directory.LOOK_UP_SECONDS,
    "bot.slack.channels.ASKING_SECONDS": channels.ASKING_SECONDS,
    "bot.web.webhooks.BODY_SECONDS": webhooks.BODY_SECONDS,
    "bot.web.webhooks.WAIT_SECONDS": webhooks.WAIT_SECONDS,
    "bot.web.server.READ_SECONDS": server.READ_SECONDS,
    "handlers.boundary.FORM_SECONDS": boundary.FORM_SECONDS,
}
"""Most were chosen so that whoever types is answered before Slack gives up after three seconds."""

_VERY_LONG = 10 * LONG_SECONDS


@pytest.fixture(scope="session", autouse=True)
def unhurried() -> Iterator[None]:
    """The bot waits as long as the slowest machine may take for a database or a stand-in that is well."""
    with pytest.MonkeyPatch.context() as patch:
        for name in AS_SHIPPED:
            patch.setattr(name, _VERY_LONG if name == "bot.export.pdf._SECONDS" else LONG_SECONDS)
        yield


@pytest.fixture
def short_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that are made from now on wait at a lock as they are shipped to: one try of several is short."""
    name = "storage.database.drivers.LOCK_SECONDS"
    monkeypatch.setattr(name, AS_SHIPPED[name])


@contextmanager
def hurry(about: str = "") -> Iterator[None]:
    """The bot waits as it is shipped, in all modules or in those that begin so.

    Only for as long as something hangs or is held, for all else may be slow.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name, seconds in AS_SHIPPED.items():
            if name.startswith(about):
                patch.setattr(name, seconds)
        yield
