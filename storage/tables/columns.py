"""What every table's columns are made of."""

from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, MetaData, Table, Text
from sqlmodel import Field, SQLModel

from storage.database.statements import FlagType, UtcDateTime, Word

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
