"""The chain over the history: whether every version and audit line is as it was written, and where each chain ends.

Triggers write the chain (see `ChainRow`); here it is only read. A change of the history that the triggers did not let
through shows in a seal, a row that was taken out or put in shows in a link or a count, and history that was cut off
shows once the end of the chain is compared with a note that was made outside the database.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, and_, bindparam, cast, func, literal, select, tuple_
from sqlalchemy.sql import ColumnElement
from sqlmodel import SQLModel

from bot.domain.secrets import REDACTED
from storage.database.drivers import SALT_BYTES, SEAL_BYTES
from storage.database.statements import Statement, Transaction, UtcDateTime, table_of
from storage.database.store import Store
from storage.tables.record import (
    AuditRow,
    ChainRow,
    EntryRow,
    EntryVersionRow,
    ErasureRow,
    IncidentRow,
    KeptRegionRow,
    SectionRow,
    WhyRow,
    WhyVersionRow,
)

_chain, _incident = table_of(ChainRow), table_of(IncidentRow)

PAGE = 5_000
"""Rows that one look reads: PostgreSQL gives a statement only seconds, and no look should last long."""

_ERASED = bytes(SALT_BYTES)
_REPLACED = re.compile(rf"{re.escape(REDACTED)}|Person [0-9a-f]{{4,8}}\b")
"""What stands in a row whose salt was erased: a redaction, or the pseudonym of a forgotten person."""

_NAMES = {
    "entry_version": "a version of an entry",
    "why_version": "a version of a why",
    "section": "a version of a section",
    "kept_region": "an edited section",
    "audit": "a line of the audit",
}


def _content(database: str, columns: tuple[ColumnElement[Any], ...]) -> ColumnElement[Any]:
    """What is sealed: the row as JSON, as the triggers of this database write it (migration 0020)."""
    if database == "sqlite":
        return func.json_array(*columns)
    parts = (func.timezone("UTC", one) if isinstance(one.type, UtcDateTime) else one for one in columns)
    return cast(func.json_build_array(*parts), Text)


class _SealedTable:
    """One of the tables that are chained, read page by page with the proofs of its rows."""

    def __init__(self, row: type[SQLModel], columns: str, parent: type[SQLModel] | None = None) -> None:
        table = table_of(row)
        self.place = table.name
        sealed = tuple(table.c[name] for name in columns.split())
        source: Any = table
        above = table_of(parent) if parent else table  # the row that names the incident
        if parent:
            source = table.join(above, table.c[f"{above.name}_id"] == above.c.id)
        of_row = and_(_chain.c.place == self.place, _chain.c.row_id == table.c.id)
        self.pages = {
            database: Statement(
                select(table.c.id, above.c.incident_id, _content(database, sealed), _chain.c.proof)
                .select_from(source.outerjoin(_chain, of_row))
                .where(table.c.id > bindparam("after"))
                .order_by(table.c.id)
                .limit(PAGE)
            )
            for database in ("sqlite", "postgresql")
        }
        self.gone = Statement(
            select(_chain.c.incident_id, func.count())
            .select_from(_chain.outerjoin(table, table.c.id == _chain.c.row_id))
            .where(_chain.c.place == literal(self.place), table.c.id.is_(None))
            .group_by(_chain.c.incident_id)
        )


_SEALED = (
    _SealedTable(
        EntryVersionRow,
        "id entry_id version change happened_at ended_at approximate text changed_by changed_at",
        EntryRow,
    ),
    _SealedTable(WhyVersionRow, "id why_id version change text changed_by changed_at", WhyRow),
    _SealedTable(SectionRow, "id incident_id section version text author saved_at"),
    _SealedTable(
        KeptRegionRow, "id incident_id section version change markdown facts seen author source draft saved_at"
    ),
    _SealedTable(AuditRow, "id incident_id who verb what at delivery"),
)
_in_order = (_chain.c.incident_id, _chain.c.position)
_LINKS = Statement(
    select(*_in_order, _chain.c.proof)
    .where(tuple_(*_in_order) > tuple_(bindparam("after_incident"), bindparam("after_position")))
    .order_by(*_in_order)
    .limit(PAGE)
)
_KEYS = Statement(select(_incident.c.id, _incident.c.number))
_COUNT_INCIDENTS = Statement(select(func.count()).select_from(_incident))
_COUNT_ENTRIES = Statement(select(func.count()).select_from(table_of(EntryRow)))
_LINK = Statement(
    select(_chain.c.proof).where(
        _chain.c.incident_id == bindparam("incident_id"), _chain.c.position == bindparam("position")
    )
)
_last = (
    select(func.max(_chain.c.position))
    .where(_chain.c.incident_id == _incident.c.id)
    .correlate(_incident)
    .scalar_subquery()
)
_heads = (
    select(_incident.c.id, _chain.c.position, _chain.c.proof)
    .join_from(_incident, _chain, and_(_chain.c.incident_id == _incident.c.id, _chain.c.position == _last))
    .order_by(_incident.c.id)
)
_HEADS = Statement(_heads)
_NEW_HEADS = Statement(
    _heads.where(_incident.c.id.in_(select(_chain.c.incident_id).where(_chain.c.id > bindparam("after"))))
)
_erasure = table_of(ErasureRow)
_ERASED_INCIDENT = Statement(select(_erasure.c.id).where(_erasure.c.incident_id == bindparam("incident_id")))
_NEWEST = Statement(select(func.coalesce(func.max(_chain.c.id), 0)))


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where the chain of an incident, by its row, ended at some time: the position of its last row, and its link."""

    incident_id: int
    position: int
    link: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a look at the whole history found: how many rows are as written, how many of them lost words to a redaction.

    `faults` are sentences, at most `MOST_FAULTS`; `more` counts the others.
    """

    rows: int
    redacted: int
    faults: tuple[str, ...]
    more: int = 0


MOST_FAULTS = 5


def verify(store: Store) -> ChainReport:
    """Look at every row of the history and every link of its chains, page by page. Blocks for seconds per million."""
    check = _Verification({row: f"INC-{number}" for row, number in store.read_now(lambda tx: tx.rows(_KEYS))})
    faults = [*check.find_broken_links(store)]
    for sealed in _SEALED:
        faults += check.find_changed_rows(store, sealed)
    return ChainReport(check.rows, check.redacted, tuple(faults[:MOST_FAULTS]), max(len(faults) - MOST_FAULTS, 0))


class _Verification:
    """One look at the whole history, and what it counted so far."""

    def __init__(self, keys: dict[int, str]) -> None:
        self._keys = keys
        self.rows = 0
        self.redacted = 0

    def _key(self, incident_id: int) -> str:
        return self._keys.get(incident_id) or f"the incident in row {incident_id}"

    def find_broken_links(self, store: Store) -> Iterator[str]:
        """The incidents in whose chain a row is missing or was replaced."""
        incident = position = 0
        link = b""
        broken: set[int] = set()
        while page := store.read_now(lambda tx, at=(incident, position): _read_links(tx, *at)):  # type: ignore[misc]
            for of_incident, at, proof in page:
                if of_incident != incident:
                    position, link = 0, b""
                expected = hashlib.sha256(link + proof[SALT_BYTES:-SEAL_BYTES]).digest()
                if (at != position + 1 or proof[-SEAL_BYTES:] != expected) and of_incident not in broken:
                    broken.add(of_incident)
                    yield f"The chain of {self._key(of_incident)} is broken at its row {at}."
                incident, position, link = of_incident, at, proof[-SEAL_BYTES:]

    def find_changed_rows(self, store: Store, sealed: _SealedTable) -> Iterator[str]:
        """The rows of a table that are not as they were written, or that the chain does not know; those that went."""
        after, name = 0, _NAMES[sealed.place]
        while page := store.read_now(lambda tx, at=after: tx.rows(sealed.pages[tx.database], after=at)):  # type: ignore[misc]
            for row_id, incident_id, content, proof in page:
                self.rows += 1
                if proof is None:
                    yield f"{self._key(incident_id)}: {name} (row {row_id}) was added past the chain."
                elif proof[:SALT_BYTES] == _ERASED:
                    self.redacted += 1
                    if not _REPLACED.search(content):
                        yield f"{self._key(incident_id)}: {name} (row {row_id}) was changed."
                elif hashlib.sha256(proof[:SALT_BYTES] + content.encode()).digest() != proof[SALT_BYTES:-SEAL_BYTES]:
                    yield f"{self._key(incident_id)}: {name} (row {row_id}) was changed."
            after = page[-1][0]
        for incident_id, count in store.read_now(lambda tx: tx.rows(sealed.gone)):
            yield f"{self._key(incident_id)}: {name} was deleted, {count} in all."


def _read_links(tx: Transaction, incident_id: int, position: int) -> list[Any]:
    return tx.rows(_LINKS, after_incident=incident_id, after_position=position)


def list_heads(tx: Transaction, after: int = 0) -> tuple[ChainHead, ...]:
    """Where the chain of each incident ends; only of those with a row newer than `after`, if that is not 0."""
    rows = tx.rows(_NEW_HEADS, after=after) if after else tx.rows(_HEADS)
    return tuple(ChainHead(incident, position, proof[-SEAL_BYTES:].hex()) for incident, position, proof in rows)


def count_records(tx: Transaction) -> tuple[int, int]:
    """How many incidents there are, and how many entries."""
    return tx.one(int, _COUNT_INCIDENTS) or 0, tx.one(int, _COUNT_ENTRIES) or 0


def find_newest(tx: Transaction) -> int:
    """The newest row of all chains, for the next `list_heads`; 0 while there is none."""
    return tx.one(int, _NEWEST) or 0


def find_lost_heads(tx: Transaction, noted: Iterable[ChainHead]) -> tuple[ChainHead, ...]:
    """Those of the noted heads that the chain does not go through any more: history was cut off or rewritten."""

    def is_there(head: ChainHead) -> bool:
        if tx.row(_ERASED_INCIDENT, incident_id=head.incident_id) is not None:
            return True  # by retention, which says so
        row = tx.row(_LINK, incident_id=head.incident_id, position=head.position)
        return row is not None and row[0][-SEAL_BYTES:].hex() == head.link

    return tuple(head for head in noted if not is_there(head))
