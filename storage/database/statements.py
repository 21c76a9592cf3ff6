"""Statements are declared once as SQLAlchemy Core, compiled once per database, and then go straight to the driver.

A compiled statement costs a dictionary look-up; going through the ORM for each row costs five times the row
(docs/decisions/0002-statements-on-the-driver.md).

Also what tables are declared with: column types that mean the same on SQLite (STRICT tables) and on PostgreSQL.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol

from sqlalchemy import (
    Boolean,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Insert,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Update,
    bindparam,
    insert,
    update,
)
from sqlalchemy.sql import ClauseElement
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

Row = tuple[Any, ...]
Processor = Callable[[Any], Any]


class Cursor(Protocol):
    """What both drivers' cursors share."""

    @property
    def rowcount(self) -> int: ...

    def fetchall(self) -> list[Any]: ...


class DriverConnection(Protocol):
    """What both drivers' connections share; only psycopg's takes more by name."""

    @property
    def execute(self) -> Callable[..., Cursor]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Compiled:
    """What the driver is given. `binders` and `readers` turn single values: most go through as they are."""

    sql: str
    names: tuple[str, ...]
    binders: tuple[tuple[str, Processor], ...]
    constants: dict[str, Any]
    readers: tuple[tuple[int, Processor], ...]
    positional: bool

    def parameters(self, given: dict[str, Any]) -> Any:
        """The values in the driver's own form; `given` is used up."""
        for name, binder in self.binders:
            given[name] = binder(given[name])
        if self.constants:
            given |= self.constants
        return [given[name] for name in self.names] if self.positional else given

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
        """Whether a SELECT locks the rows that it finds; SQLite leaves that out, for its one writer locks all."""
        return "FOR UPDATE" in str(self._core)

    def compiled(self, dialect: Dialect) -> _Compiled:
        """The statement as this database's driver takes it."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = self._compile(dialect)
        return found

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


class Transaction:
    """An open transaction of one connection: what every function of storage takes first."""

    __slots__ = ("_connection", "_dialect", "changed", "has_enqueued")

    def __init__(self, connection: DriverConnection, dialect: Dialect) -> None:
        self.has_enqueued = False
        """Whether something was enqueued, so that a worker should be woken after the commit."""
        self.changed: tuple[tuple[int, str], ...] = ()
        """(incident row, what) of everything noted as changed since the notes were last cleared."""
        self._connection = connection
        self._dialect = dialect

    @property
    def database(self) -> str:
        """`sqlite` or `postgresql`, for the few statements that they do not share."""
        return self._dialect.name

    def note(self, incident_id: int, what: str) -> None:
        """Note what is changed, for the audit; entries need no note, for every wording of theirs is kept."""
        self.changed = (*self.changed, (incident_id, what))

    def clear_notes(self) -> None:
        """Begin anew: several requests may share one transaction."""
        self.changed = ()

    def rows(self, statement: Statement, /, **given: Any) -> list[Row]:
        """Every row of the answer."""
        compiled = statement.compiled(self._dialect)
        return compiled.read(self._connection.execute(compiled.sql, compiled.parameters(given)).fetchall())

    def row(self, statement: Statement, /, **given: Any) -> Row | None:
        """The first row of the answer, or None."""
        rows = self.rows(statement, **given)
        return rows[0] if rows else None

    def run(self, statement: Statement, /, **given: Any) -> int:
        """Run it for its effect; how many rows it touched."""
        compiled = statement.compiled(self._dialect)
        return self._connection.execute(compiled.sql, compiled.parameters(given)).rowcount


class Look(Transaction):
    """One that only looks. PostgreSQL refuses to lock in it, and so it is refused on SQLite as well."""

    __slots__ = ()

    def rows(self, statement: Statement, /, **given: Any) -> list[Row]:
        """Every row of the answer; RuntimeError for a statement that locks."""
        if statement.locks:
            raise RuntimeError(f"who only looks cannot lock: {statement.compiled(self._dialect).sql}")
        return super().rows(statement, **given)


def insert_into(table: Table, *, without: tuple[str, ...] = ("id",)) -> Insert:
    """An INSERT whose parameters are named as the columns; a serial `id` is left to the database."""
    columns = [
        c
        for c in table.columns
        if not (c.name in without and c.autoincrement is not False and c.type.python_type is int)
    ]
    return insert(table).values({c.name: bindparam(c.name, type_=c.type) for c in columns})


def update_by_id(table: Table, columns: tuple[str, ...]) -> Update:
    """An UPDATE of one row by `row_id`, its other parameters named as the columns."""
    values = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in columns}
    return update(table).where(table.c.id == bindparam("row_id")).values(values)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment: timestamptz on PostgreSQL, on SQLite ISO text of fixed width, whose order is that of time.

    A naive datetime raises ValueError: a time without a zone must never reach the database.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Text() if dialect.name == "sqlite" else DateTime(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        moment = value.astimezone(UTC)
        return moment.isoformat(timespec="microseconds") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return datetime.fromisoformat(value) if dialect.name == "sqlite" else value.astimezone(UTC)


class CalendarDay(TypeDecorator[date]):
    """A day on the calendar, in no zone."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Text() if dialect.name == "sqlite" else Date()

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        return date.fromisoformat(value) if value is not None and dialect.name == "sqlite" else value


class FlagType(TypeDecorator[bool]):
    """True or false; STRICT tables know no BOOLEAN."""

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
    """One of the words of a StrEnum, kept as text; an unknown word raises ValueError on the way out."""

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

STRICT: dict[str, Any] = {"sqlite_strict": True}


def text_column(**more: Any) -> Any:
    """Words."""
    return Field(sa_type=Text, **more)


def time_column(**more: Any) -> Any:
    """An aware UTC moment."""
    return Field(sa_type=UtcDateTime, **more)


def flag_column() -> Any:
    """True or false."""
    return Field(sa_type=FlagType)


def of_column(table: str) -> Any:
    """The row of another table that this one belongs to."""
    return Field(sa_column_args=[ForeignKey(f"{table}.id")])


def word_column(words: type, **more: Any) -> Any:
    """One of a StrEnum's words."""
    return Field(sa_type=Word(words), **more)


def bytes_column() -> Any:
    """A file's content."""
    return Field(sa_type=LargeBinary)


def table_of(row: type[SQLModel]) -> Table:
    """The Core table behind a SQLModel class, for statements."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table
