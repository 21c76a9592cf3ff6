"""The wordings of a text, first to last, under entries and whys alike.

Wordings are only added, which triggers enforce. The one change that they allow is a redaction.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, bindparam, select, update

from bot.domain.records import EntryVersion, WhyVersion
from storage.database.statements import Statement, Transaction, insert_into

Version = TypeVar("Version", EntryVersion, WhyVersion)


class Versions(Generic[Version]):
    """The versions of one kind of text: a table whose column `owner` names the row of the text."""

    def __init__(self, table: Table, owner: str, record: type[Version]) -> None:
        of_owner = table.c[owner] == bindparam("of_owner")
        self._owner = owner
        self._record: Callable[..., Version] = record
        self._add = Statement(insert_into(table))
        self._all = Statement(
            select(*(table.c[field.name] for field in fields(record))).where(of_owner).order_by(table.c.version)
        )
        self._redact = Statement(
            update(table)
            .where(of_owner, table.c.version == bindparam("of_version"))
            .values(text=bindparam("new_text", type_=table.c.text.type))
        )

    def add(self, tx: Transaction, owner_id: int, **values: Any) -> None:
        """Write a version; `values` are the fields of its record."""
        tx.run(self._add, **{self._owner: owner_id}, **values)

    def all(self, tx: Transaction, owner_id: int) -> tuple[Version, ...]:
        """Every version of a text, first to last."""
        return tuple(self._record(*row) for row in tx.rows(self._all, of_owner=owner_id))

    def redact(self, tx: Transaction, owner_id: int, clean: Callable[[str], str]) -> bool:
        """Replace the text of every version by what `clean` makes of it; whether any changed.

        `clean` must leave "[redacted]" in a text that it changes: the triggers refuse every other change.
        """
        unclean = [one for one in self.all(tx, owner_id) if clean(one.text) != one.text]
        for one in unclean:
            tx.run(self._redact, of_owner=owner_id, of_version=one.version, new_text=clean(one.text))
        return bool(unclean)
