"""The settings of the environment, and the database that they name: for commands that need them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from bot import logs
from bot.cli import options as options_commands
from bot.clock import SystemClock
from bot.settings import Settings, load
from storage.database import clock as clock_store
from storage.database.store import Store, open_store


def load_settings() -> Settings:
    """The settings of the environment, with logging set up as they say."""
    found = load()
    logs.configure(found.log_level, found.log_format)
    return found


@contextmanager
def open_configured_store(settings: Settings) -> Iterator[Store]:
    """The database that the settings name, closed at the end."""
    store = open_store(settings.sqlalchemy_url, timeouts=options_commands.find_timeouts())
    try:
        yield store
    finally:
        store.close()


def read_time(store: Store) -> datetime:
    """What time it is by the database's clock; by the machine's if the database is a file."""
    reading = store.read_now(clock_store.read_time)
    return SystemClock().now() if reading is None else reading.at
