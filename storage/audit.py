"""Who changed what, and when: the versions of a text, and one audit line for each request that changed something.

Changes of entries have no audit lines: they are read from the versions of the entries. Versions and lines are only
added, which triggers enforce; the one change that they allow is the redaction of a version.
"""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, bindparam, func, literal, select, update

from bot.domain.records import AuditLine, EntryVersion, WhyVersion, merge_audit, name_entry_change
from storage.database.statements import Statement, Transaction, insert_into
from storage.tables import AuditRow, EntryRow, EntryVersionRow, table_of

_audit, _entry, _version = table_of(AuditRow), table_of(EntryRow), table_of(EntryVersionRow)
IMPORTED = "incident.imported"
"""The verb of the line about an import. It is about this database, not the incident, so no history shows it."""

_ADD = Statement(insert_into(_audit))
_ALL = Statement(
    select(_audit.c.at, _audit.c.who, _audit.c.verb, _audit.c.what, _audit.c.delivery)
    .where(_audit.c.incident_id == bindparam("incident_id"), _audit.c.verb != literal(IMPORTED))
    .order_by(_audit.c.id)
)
_LATEST = Statement(
    select(_audit.c.who)
    .where(_audit.c.incident_id == bindparam("incident_id"), _audit.c.verb == bindparam("of_verb"))
    .order_by(_audit.c.id.desc())
    .limit(1)
)
_OF_ENTRIES = Statement(
    select(_entry.c.number, _version.c.change, _version.c.changed_by, _version.c.changed_at)
    .join_from(_entry, _version, _version.c.entry_id == _entry.c.id)
    .where(_entry.c.incident_id == bindparam("incident_id"))
    .order_by(_entry.c.number, _version.c.version)
)
_COUNT = Statement(
    select(func.count()).where(_audit.c.incident_id == bindparam("incident_id"), _audit.c.verb != literal(IMPORTED))
)
_COUNT_OF_ENTRIES = Statement(
    select(func.count())
    .select_from(_entry)
    .join(_version, _version.c.entry_id == _entry.c.id)
    .where(_entry.c.incident_id == bindparam("incident_id"))
)


def add_lines(tx: Transaction, who: str, verb: str, delivery: str, now: datetime) -> None:
    """Write a line for each incident in which something was noted as changed, in the transaction of the change."""
    for incident_id in dict.fromkeys(incident for incident, _ in tx.changed):
        what = ", ".join(dict.fromkeys(what for incident, what in tx.changed if incident == incident_id))
        tx.run(_ADD, incident_id=incident_id, who=who, verb=verb, what=what, at=now, delivery=delivery)


def add_imported(tx: Transaction, incident_id: int, line: AuditLine) -> None:
    """Add a line of an imported record."""
    tx.run(
        _ADD,
        incident_id=incident_id,
        who=line.who,
        verb=line.verb,
        what=line.what,
        at=line.at,
        delivery=line.delivery,
    )


def list_all(tx: Transaction, incident_id: int) -> tuple[AuditLine, ...]:
    """Every change of an incident, in order."""
    kept = [AuditLine(*row) for row in tx.rows(_ALL, incident_id=incident_id)]
    of_entries = [name_entry_change(*row) for row in tx.rows(_OF_ENTRIES, incident_id=incident_id)]
    return merge_audit(kept, of_entries)


def find_last_author(tx: Transaction, incident_id: int, verb: str) -> str:
    """The user id of the last person who did this to an incident; empty if no one did."""
    row = tx.row(_LATEST, incident_id=incident_id, of_verb=verb)
    return str(row[0]) if row else ""


def count_changes(tx: Transaction, incident_id: int) -> int:
    """How many changes `list_all` would tell: the revision of an incident, which only grows."""
    return sum(row[0] for count in (_COUNT, _COUNT_OF_ENTRIES) for row in tx.rows(count, incident_id=incident_id))


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
