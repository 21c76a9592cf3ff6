"""PostgreSQL, reached through psycopg 3. Loaded only where the settings name such a database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from sqlalchemy import URL, Dialect, Engine, create_engine
from sqlalchemy.dialects.postgresql import psycopg as postgresql
from sqlalchemy.pool import NullPool

from bot.timeouts import Timeouts
from storage.database.drivers import DriverFault, describe_other
from storage.database.statements import DriverConnection


class PostgresDriver:
    """A PostgreSQL server, reached through psycopg 3."""

    is_remote = True

    def __init__(self, url: URL, timeouts: Timeouts = Timeouts()) -> None:
        self.timeouts = timeouts
        self.url = url.set(drivername="postgresql+psycopg")
        self.dialect: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

    def connect(self, *, reading: bool = False) -> DriverConnection:
        # A write that takes longer than `database_wait` would be answered too late. Reading may take longer: an export
        # has no one waiting at Slack's limit.
        lock, wait = self.timeouts.database_lock, self.timeouts.database_wait * (4 if reading else 1)
        options = f"-c timezone=UTC -c lock_timeout={lock * 1000:.0f} -c statement_timeout={wait * 1000:.0f}"
        if reading:
            # All statements of one reading transaction see one state, as they do on SQLite.
            options += " -c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read"
        connection = psycopg.connect(
            self.url.set(drivername="postgresql").render_as_string(hide_password=False),
            autocommit=True,
            options=options,
            connect_timeout=2,
            # A server that vanishes without closing its connections is noticed in seconds instead of minutes.
            tcp_user_timeout=3000,
            keepalives_idle=3,
            keepalives_interval=1,
            keepalives_count=3,
        )
        connection.prepare_threshold = 2  # the few statements of the hot path are soon prepared
        return connection

    def engine(self, *, writing: bool = False) -> Engine:
        del writing
        return create_engine(self.url, poolclass=NullPool, hide_parameters=True)

    @contextmanager
    def pipeline(self, connection: DriverConnection) -> Iterator[Callable[[], None]]:
        assert isinstance(connection, psycopg.Connection)  # noqa: S101 (it is what connect gave out)
        with connection.pipeline() as pipeline:
            try:
                yield pipeline.sync
            except psycopg.Error:
                with suppress(psycopg.Error):  # more of the same: the server skips all up to here
                    pipeline.sync()
                raise

    def begin(self, connection: DriverConnection) -> Callable[[], str]:
        connection.execute("BEGIN")
        cursor = connection.execute("SELECT pg_current_xact_id()::text")
        return lambda: str(cursor.fetchall()[0][0])

    def was_committed(self, connection: DriverConnection, ticket: str) -> bool | None:
        status = connection.execute("SELECT pg_xact_status(%s::xid8)", (ticket,)).fetchall()[0][0]
        return {"committed": True, "aborted": False}.get(status)

    def in_transaction(self, connection: DriverConnection) -> bool:
        assert isinstance(connection, psycopg.Connection)  # noqa: S101 (it is what connect gave out)
        return connection.info.transaction_status not in (
            psycopg.pq.TransactionStatus.IDLE,
            psycopg.pq.TransactionStatus.UNKNOWN,
        )

    def fault(self, error: Exception) -> DriverFault:
        """By SQLSTATE (PostgreSQL's appendix A); an OperationalError without one never reached a server."""
        state = getattr(error, "sqlstate", None)
        if isinstance(error, psycopg.errors.PipelineAborted):
            return DriverFault.SOME_UNIT  # a unit hid the error before this one
        if state is None:
            lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
            return DriverFault.LOST if lost else DriverFault.SOME_UNIT
        return _FAULTS.get(state, DriverFault.SOME_UNIT)

    def describe(self, error: Exception) -> str:
        state = getattr(error, "sqlstate", None) or ""
        if state in _POSTGRES_CAUSES:
            return _POSTGRES_CAUSES[state]
        if self.fault(error) is DriverFault.LOST:
            return "The database server doesn't answer. Check that it runs, and that DATABASE_URL names it."
        return describe_other(error)

    def identify(self) -> tuple[tuple[int, int], ...]:
        return ()  # a server knows its files


_POSTGRES_CAUSES = {
    "53100": "The database server's disk is full. Free some space on it.",
    "53300": "The database server has no connection left. Raise max_connections, or run fewer replicas.",
    "25006": "The database is read-only. Check whether DATABASE_URL names a standby.",
    "42501": "The database user may not write. Grant it the rights on Afterword's tables.",
}
"""By SQLSTATE: the cause and the remedy."""


# 23505 is a unique violation: two replicas wrote the same key (a repeated request, a second open incident). Run again,
# the unit reads the other's row and answers accordingly. 40001 and 40P01 are a failed serialization and a deadlock;
# 55P03 is a row that was not free within `lock_timeout`.
_FAULTS = dict.fromkeys(("23505", "40001", "40P01", "55P03"), DriverFault.CONFLICT)
# 25006: the server became a read-only standby; a new connection reaches its successor.
_FAULTS |= dict.fromkeys(("25006", "25P03", "57P01", "57P02", "57P03", "57P05", "08003", "08006"), DriverFault.LOST)
