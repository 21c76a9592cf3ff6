"""Who changed what, and when: the versions of a text, and one audit line for each request that changed something.

Changes of entries have no audit lines: they are read from the versions of the entries. Versions and lines are only
added, which triggers enforce; the one change that they allow is the redaction of a version.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import groupby
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, bindparam, func, literal, select, update

from bot.domain.records import AuditLine, EntryVersion, WhyVersion, merge_audit, name_entry_change
from storage.database.statements import Statement, Transaction, columns_of, insert_into, table_of, values_of
from storage.tables.record import AuditRow, EntryRow, EntryVersionRow

_audit, _entry, _version = table_of(AuditRow), table_of(EntryRow), table_of(EntryVersionRow)

IMPORTED = "incident.imported"
"""The verb of the line about an import. It is about this database, not the incident, so no history shows it."""

_of_incident = (_audit.c.incident_id == bindparam("incident_id"), _audit.c.verb != literal(IMPORTED))
_entry_versions = (
    select(_entry.c.number, _version.c.change, _version.c.changed_by, _version.c.changed_at)
    .join_from(_entry, _version, _version.c.entry_id == _entry.c.id)
    .where(_entry.c.incident_id == bindparam("incident_id"))
)
_ADD = Statement(insert_into(_audit))
_ALL = Statement(select(*columns_of(_audit, AuditLine)).where(*_of_incident).order_by(_audit.c.id))
_LATEST = Statement(
    select(_audit.c.who)
    .where(_audit.c.incident_id == bindparam("incident_id"), _audit.c.verb == bindparam("of_verb"))
    .order_by(_audit.c.id.desc())
    .limit(1)
)
_LAST_LINES = Statement(
    select(*columns_of(_audit, AuditLine)).where(*_of_incident).order_by(_audit.c.id.desc()).limit(bindparam("most"))
)
_OF_ENTRIES = Statement(_entry_versions.order_by(_entry.c.number, _version.c.version))
_COUNT = Statement(select(func.count()).where(*_of_incident))
_COUNT_OF_ENTRIES = Statement(_entry_versions.with_only_columns(func.count()))


def add_lines(tx: Transaction, who: str, verb: str, delivery: str, now: datetime) -> None:
    """Write a line for each incident in which something was noted as changed, in the transaction of the change."""
    for incident_id in dict.fromkeys(incident for incident, _ in tx.changed):
        what = ", ".join(dict.fromkeys(what for incident, what in tx.changed if incident == incident_id))
        tx.run(_ADD, incident_id=incident_id, who=who, verb=verb, what=what, at=now, delivery=delivery)


def add_imported(tx: Transaction, incident_id: int, line: AuditLine) -> None:
    """Add a line of an imported record."""
    tx.run(_ADD, incident_id=incident_id, **values_of(line))


def list_all(tx: Transaction, incident_id: int) -> tuple[AuditLine, ...]:
    """Every change of an incident, in order."""
    lines = tx.all(AuditLine, _ALL, incident_id=incident_id)
    return merge_audit(lines, tx.all(name_entry_change, _OF_ENTRIES, incident_id=incident_id))


def list_latest(tx: Transaction, incident_id: int, most: int) -> tuple[AuditLine, ...]:
    """The last changes of an incident, but those of entries, the latest first."""
    return tx.all(AuditLine, _LAST_LINES, incident_id=incident_id, most=most)


def find_last_author(tx: Transaction, incident_id: int, verb: str) -> str:
    """The user id of the last person who did this to an incident; empty if no one did."""
    return tx.one(str, _LATEST, incident_id=incident_id, of_verb=verb) or ""


def count_changes(tx: Transaction, incident_id: int) -> int:
    """How many changes `list_all` has: the revision of an incident, which only grows."""
    # Counted in two tables, because an entry's versions are its audit and have no second line (decision 37).
    return sum(tx.one(int, count, incident_id=incident_id) or 0 for count in (_COUNT, _COUNT_OF_ENTRIES))


Version = TypeVar("Version", EntryVersion, WhyVersion)


class Versions(Generic[Version]):
    """The versions of one kind of text: a table whose column `owner` refers to the row of the text."""

    def __init__(self, table: Table, owner: str, record: type[Version]) -> None:
        of_owner = table.c[owner] == bindparam("of_owner")
        text = next(iter(table.c[owner].foreign_keys)).column.table
        columns = columns_of(table, record)
        self._owner = owner
        self._record: Callable[..., Version] = record
        self._add = Statement(insert_into(table))
        self._all = Statement(select(*columns).where(of_owner).order_by(table.c.version))
        self._all_of_incident = Statement(
            select(text.c.id, *columns)
            .join_from(text, table, table.c[owner] == text.c.id)
            .where(text.c.incident_id == bindparam("incident_id"))
            .order_by(text.c.id, table.c.version)
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
        return tx.all(self._record, self._all, of_owner=owner_id)

    def all_of_incident(self, tx: Transaction, incident_id: int) -> dict[int, tuple[Version, ...]]:
        """Every version of every text of an incident, first to last, by the row of the text."""
        rows = groupby(tx.rows(self._all_of_incident, incident_id=incident_id), key=lambda row: int(row[0]))
        return {text_id: tuple(self._record(*row[1:]) for row in versions) for text_id, versions in rows}

    def redact(self, tx: Transaction, owner_id: int, clean: Callable[[str], str]) -> bool:
        """Replace the text of every version by what `clean` makes of it; whether any changed.

        `clean` must leave "[redacted]" in a text that it changes: the triggers refuse every other change.
        """
        # Compared here and not in SQL: what `clean` masks depends on escapes and on text around the credential.
        unclean = [version for version in self.all(tx, owner_id) if clean(version.text) != version.text]
        for version in unclean:
            tx.run(self._redact, of_owner=owner_id, of_version=version.version, new_text=clean(version.text))
        return bool(unclean)
