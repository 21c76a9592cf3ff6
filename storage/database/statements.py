"""Statements are declared once as SQLAlchemy Core, compiled once per database, and then go straight to the driver.

A compiled statement costs a dictionary look-up; going through the ORM for each row costs five times the row
(docs/decisions/0002-statements-on-the-driver.md).

Also what tables are declared with: column types that mean the same on SQLite (STRICT tables) and on PostgreSQL.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol, TypeVar

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TextClause,
    Update,
    bindparam,
    insert,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.dialects.sqlite.dml import OnConflictDoNothing, OnConflictDoUpdate
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

T = TypeVar("T")
Row = tuple[Any, ...]
Processor = Callable[[Any], Any]


class Cursor(Protocol):
    """What both drivers' cursors share."""

    @property
    def rowcount(self) -> int: ...

    def fetchall(self) -> list[Any]: ...


class DriverConnection(Protocol):
    """What both drivers' connections share; only psycopg's `execute` takes keywords, such as `prepare`."""

    @property
    def execute(self) -> Callable[..., Cursor]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Compiled:
    """SQL as the driver takes it. `binders` and `readers` convert those few values that the driver does not."""

    sql: str
    names: tuple[str, ...]
    binders: tuple[tuple[str, Processor], ...]
    constants: dict[str, Any]
    readers: tuple[tuple[int, Processor], ...]
    positional: bool

    def parameters(self, values: dict[str, Any]) -> Any:
        """The values in the driver's own form. `values` is changed and must not be used again."""
        for name, binder in self.binders:
            value = values[name]
            if value is not None:
                values[name] = binder(value)
        if self.constants:
            values |= self.constants
        return [values[name] for name in self.names] if self.positional else values

    def read(self, rows: list[Any]) -> list[Row]:
        """The rows as Python values."""
        return [self._row(row) for row in rows] if self.readers else rows

    def _row(self, row: Any) -> Row:
        values = list(row)
        for index, reader in self.readers:
            if values[index] is not None:
                values[index] = reader(values[index])
        return tuple(values)


class Statement:
    """One SQL statement with named parameters (`bindparam`), usable on both databases."""

    def __init__(self, core: ClauseElement) -> None:
        self._core = core
        self._compiled: dict[str, _Compiled] = {}

    @cached_property
    def locks(self) -> bool:
        """Whether a SELECT locks the rows that it finds. SQLite's SQL leaves that out: one writer locks everything."""
        return "FOR UPDATE" in str(self._core)

    def compile_for(self, dialect: Dialect) -> _Compiled:
        """The statement in the form that this database's driver takes."""
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        return compiled

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled: Any = self._core.compile(dialect=dialect)
        binders: dict[str, Processor] = {}
        for name, bind in compiled.binds.items():
            processor = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if processor is not None:
                binders[name] = processor
        constants = {
            name: binders.pop(name)(bind.value) if name in binders else bind.value
            for name, bind in compiled.binds.items()
            if not bind.required
        }
        readers = (
            (index, column.type.dialect_impl(dialect).result_processor(dialect, None))
            for index, column in enumerate(getattr(self._core, "exported_columns", ()))
        )
        return _Compiled(
            sql=str(compiled),
            names=tuple(compiled.positiontup or ()),
            binders=tuple(binders.items()),
            constants=constants,
            readers=tuple((index, reader) for index, reader in readers if reader is not None),
            positional=bool(compiled.positional),
        )


def wait_for_nothing() -> None:
    """Every statement was answered as it was executed."""


class Transaction:
    """An open transaction of one connection: what every function of storage takes first.

    On PostgreSQL a statement is sent at once, but waits for its answer only if that is read: an error of what `run`
    sends is raised with a later answer, at the latest with that of the commit.
    """

    __slots__ = ("_connection", "_dialect", "_wait", "changed", "has_enqueued")

    def __init__(
        self, connection: DriverConnection, dialect: Dialect, wait: Callable[[], None] = wait_for_nothing
    ) -> None:
        self.has_enqueued = False
        """Whether something was enqueued, so that a worker should be woken after the commit."""
        self.changed: tuple[tuple[int, str], ...] = ()
        """(incident row, what) of everything noted as changed since the last `clear_notes`."""
        self._connection = connection
        self._dialect = dialect
        self._wait = wait

    @property
    def database(self) -> str:
        """`sqlite` or `postgresql`, for the few statements that they do not share."""
        return self._dialect.name

    def note(self, incident_id: int, what: str) -> None:
        """Note what is changed, for the audit. Entries need no note: each of their versions says who made it."""
        self.changed = (*self.changed, (incident_id, what))

    def clear_notes(self) -> None:
        """Clear the notes before another request of the same transaction."""
        self.changed = ()

    def rows(self, statement: Statement, /, **values: Any) -> list[Row]:
        """Every row of the answer."""
        return statement.compile_for(self._dialect).read(self._execute(statement, values).fetchall())

    def row(self, statement: Statement, /, **values: Any) -> Row | None:
        """The first row of the answer, or None."""
        rows = self.rows(statement, **values)
        return rows[0] if rows else None

    def one(self, record: Callable[..., T], statement: Statement, /, **values: Any) -> T | None:
        """The first row of the answer as a record, or as an int or str if it has one column; None without a row."""
        row = self.row(statement, **values)
        return record(*row) if row else None

    def all(self, record: Callable[..., T], statement: Statement, /, **values: Any) -> tuple[T, ...]:
        """Every row of the answer as a record."""
        return tuple(record(*row) for row in self.rows(statement, **values))

    def insert(self, record: Callable[..., T], statement: Statement, /, **values: Any) -> T:
        """Run an INSERT or UPDATE … RETURNING that returns one row, which comes back as a record."""
        return record(*self.rows(statement, **values)[0])

    def run(self, statement: Statement, /, **values: Any) -> None:
        """Run it for its effect."""
        self._execute(statement, values)

    def count(self, statement: Statement, /, **values: Any) -> int:
        """Run it for its effect; how many rows it touched."""
        cursor = self._execute(statement, values)
        self._wait()
        return cursor.rowcount

    def _execute(self, statement: Statement, values: dict[str, Any]) -> Cursor:
        compiled = statement.compile_for(self._dialect)
        return self._connection.execute(compiled.sql, compiled.parameters(values))


class Look(Transaction):
    """A transaction that only reads. PostgreSQL refuses a lock in it; so does this one, to fail on SQLite as well."""

    __slots__ = ()

    def rows(self, statement: Statement, /, **values: Any) -> list[Row]:
        """Every row of the answer; RuntimeError for a statement that locks."""
        if statement.locks:
            raise RuntimeError(f"a reading transaction cannot lock: {statement.compile_for(self._dialect).sql}")
        return super().rows(statement, **values)


class ListType(TypeDecorator[Sequence[Any]]):
    """Any number of values of one type in one parameter: JSON on SQLite, an array on PostgreSQL."""

    impl = Text
    cache_ok = True

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self.of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Text() if dialect.name == "sqlite" else ARRAY(self.of)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return json.dumps(value) if dialect.name == "sqlite" else value


class Among(FunctionElement[Any]):
    """A condition on a column and a list; use `among`."""

    inherit_cache = True
    # None, because SQLAlchemy compares a Boolean of its own making with 1 on SQLite, and then no index is used.
    type = NullType()


@compiles(Among, "sqlite")
def _write_for_sqlite(condition: Among, compiler: Any, **how: Any) -> str:
    column, values = (compiler.process(clause, **how) for clause in condition.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 (both are written by SQLAlchemy)


@compiles(Among)
def _write_for_postgresql(condition: Among, compiler: Any, **how: Any) -> str:
    column, values = (compiler.process(clause, **how) for clause in condition.clauses)
    return f"{column} = ANY({values})"


def among(column: Column[Any], name: str) -> ColumnElement[Any]:
    """Whether the column's value is in the list that a statement is called with: one statement for any number."""
    return Among(column, bindparam(name, type_=ListType(column.type)))


def columns_of(table: Table, record: Any) -> tuple[Column[Any], ...]:
    """The columns of a table that are named as the fields of a dataclass, in their order."""
    return tuple(table.c[field.name] for field in fields(record))


def values_of(record: Any) -> dict[str, Any]:
    """The fields of a dataclass by their names, as a statement takes them; unlike `asdict`, nothing is copied."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _parameters(table: Table, names: Iterable[str]) -> dict[str, Any]:
    return {name: bindparam(name, type_=table.c[name].type) for name in names}


def insert_into(table: Table) -> Insert:
    """An INSERT whose parameters are named as the columns; the database assigns a serial `id`."""
    names = (column.name for column in table.columns if column.name != "id" or column.type.python_type is not int)
    return insert(table).values(_parameters(table, names))


# SQLite's constructs serve both databases, so that PostgreSQL's dialect is loaded only for PostgreSQL. Its compiler
# also asks for the name of a constraint, which SQLite's have not.
@compiles(OnConflictDoUpdate, "postgresql")
def _write_update_for_postgresql(clause: Any, compiler: Any, **how: Any) -> str:
    clause.constraint_target = None
    return str(compiler.visit_on_conflict_do_update(clause, **how))


@compiles(OnConflictDoNothing, "postgresql")
def _write_nothing_for_postgresql(clause: Any, compiler: Any, **how: Any) -> str:
    clause.constraint_target = None
    return str(compiler.visit_on_conflict_do_nothing(clause, **how))


def upsert_into(table: Table, key: Sequence[str], values: Sequence[str]) -> Insert:
    """An INSERT that replaces `values` in the row that already has this `key`; parameters are named as the columns."""
    new = upsert(table).values(_parameters(table, (*key, *values)))
    return new.on_conflict_do_update(index_elements=list(key), set_={name: new.excluded[name] for name in values})


def update_by_id(table: Table, columns: Iterable[str]) -> Update:
    """An UPDATE of one row by `row_id`; the other parameters are `new_` and the name of the column."""
    values = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in columns}
    return update(table).where(table.c.id == bindparam("row_id")).values(values)


def _as_utc(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be stored: {moment!r}")
    return moment.astimezone(UTC)


def _as_text(moment: datetime | None) -> str | None:
    utc = _as_utc(moment)
    return utc.isoformat(timespec="microseconds") if utc else None


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment: timestamptz on PostgreSQL, on SQLite ISO text of fixed width, whose order is that of time.

    A naive datetime raises ValueError: a time without a zone must never reach the database.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Text() if dialect.name == "sqlite" else DateTime(timezone=True)

    def bind_processor(self, dialect: Dialect) -> Processor:
        # In place of process_bind_param, which SQLAlchemy would wrap: every entry binds four moments.
        return _as_text if dialect.name == "sqlite" else _as_utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return datetime.fromisoformat(value) if dialect.name == "sqlite" else value.astimezone(UTC)


class CalendarDay(TypeDecorator[date]):
    """A calendar day, without a zone: `date` on PostgreSQL, ISO text on SQLite, whose order is that of the days."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Text() if dialect.name == "sqlite" else Date()

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        return date.fromisoformat(value) if value is not None and dialect.name == "sqlite" else value


class FlagType(TypeDecorator[bool]):
    """A bool. It is an integer on SQLite, where STRICT tables have no BOOLEAN."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Integer() if dialect.name == "sqlite" else Boolean()

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:  # noqa: FBT001 (so SQLAlchemy gives it)
        return int(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        del dialect
        return bool(value) if value is not None else None


class Word(TypeDecorator[StrEnum]):
    """A value of a StrEnum, stored as text. An unknown one raises ValueError when it is read."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        return str(value) if value is not None else None

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        del dialect
        return self.words(value) if value is not None else None


# Every constraint has a name, so that a later migration can drop it on both databases.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata

# A STRICT table refuses a value of the wrong type, as PostgreSQL does. Without it SQLite stores whatever it is given.
STRICT: dict[str, Any] = {"sqlite_strict": True}


class NumberedRow(SQLModel):
    """A row whose `id` the database assigns."""

    # Rows are written by statements, so pydantic's checks of them are never used, and need not be made.
    model_config = {"defer_build": True}
    id: int | None = Field(default=None, primary_key=True)


def text_column(**more: Any) -> Any:
    """A text of any length."""
    return Field(sa_type=Text, **more)


def time_column(**more: Any) -> Any:
    """An aware UTC moment."""
    return Field(sa_type=UtcDateTime, **more)


def flag_column() -> Any:
    """A bool."""
    return Field(sa_type=FlagType)


def of_column(table: str, **more: Any) -> Any:
    """The `id` of a row in another table."""
    return Field(sa_column_args=[ForeignKey(f"{table}.id")], **more)


def word_column(words: type, **more: Any) -> Any:
    """A value of a StrEnum."""
    return Field(sa_type=Word(words), **more)


def bytes_column() -> Any:
    """The content of a file."""
    return Field(sa_type=LargeBinary)


def partial_index(name: str, *columns: str, where: TextClause, unique: bool = False) -> Index:
    """An index of the rows for which `where` holds, so that it stays small however many other rows there are.

    A statement uses it only if it repeats `where` to the letter: a bound value in its place would not match. What
    creates it on PostgreSQL is a migration: to say `where` for that database here would load its dialect.
    """
    return Index(name, *columns, unique=unique, sqlite_where=where)


def table_of(row: type[SQLModel]) -> Table:
    """The Core table of a SQLModel class, for statements."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table
