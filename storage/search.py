"""Search for incidents by their words, and what people decided about similar ones.

Triggers keep the words up to date in the transaction of each change, so no code can forget to
(docs/decisions/0014-past-incidents-are-found-by-the-database.md). Their index is SQLite's FTS5, or on PostgreSQL a
tsvector under a GIN index.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, column, func, literal_column, select, table, text, true

from bot.domain.records import Incident
from storage.database.statements import Statement, Transaction, columns_of, insert_into, table_of
from storage.tables.record import IncidentRow, LikenessRow, RecallRow

_incident, _recall, _likeness = table_of(IncidentRow), table_of(RecallRow), table_of(LikenessRow)
_COLUMNS = columns_of(_incident, Incident)
_TEXTS = (_recall.c.title, _recall.c.cause, _recall.c.told, _recall.c.whys, _recall.c.actions)

_index = table("recall_words", column("rowid"))
_of_team = (_incident.c.team == bindparam("team"), _incident.c.number < bindparam("before"))
_words: ColumnElement[Any] = literal_column("recall_words")
_tsquery = func.websearch_to_tsquery("english", bindparam("query"))
_select = select(*_COLUMNS, *_TEXTS).where(*_of_team).limit(bindparam("most"))
_FIND = {
    "sqlite": Statement(
        _select.select_from(_index)
        .join(_recall, _recall.c.incident_id == _index.c.rowid)
        .join(_incident, _incident.c.id == _index.c.rowid)
        .where(_words.op("MATCH")(bindparam("query")))
        # The weights are for title, cause, told, whys, actions. A lower bm25 is a better match.
        .order_by(literal_column("bm25(recall_words, 4.0, 6.0, 2.0, 4.0, 1.0)"), _incident.c.number.desc())
    ),
    "postgresql": Statement(
        _select.select_from(_recall)
        .join(_incident, _incident.c.id == _recall.c.incident_id)
        .where(_words.op("@@")(_tsquery))
        # The weights are in the index (A to D). 1 divides by the logarithm of the length: a long text has no advantage.
        .order_by(func.ts_rank(_words, _tsquery, 1).desc(), _incident.c.number.desc())
    ),
}
_WORDS = Statement(select(*_TEXTS).where(_recall.c.incident_id == bindparam("incident_id")))
_MERGE_INDEX = Statement(text("INSERT INTO recall_words (recall_words) VALUES ('optimize')"))
_VERDICTS = Statement(
    select(_likeness.c.other_id, _likeness.c.is_same).where(_likeness.c.incident_id == bindparam("incident_id"))
)
_ADD_VERDICT = Statement(insert_into(_likeness))
_QUOTING = Statement(
    select(_likeness.c.incident_id)
    .where(_likeness.c.other_id == bindparam("incident_id"), _likeness.c.is_same == true())
    .order_by(_likeness.c.incident_id)
)

LATEST = 2**31 - 1
"""Above every incident's number."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The words by which an incident is found, in the order of `_TEXTS`."""

    title: str
    cause: str
    sections: str
    whys: str
    actions: str


@dataclass(frozen=True, slots=True)
class SearchHit:
    """An incident with the words by which it was found."""

    incident: Incident
    texts: Texts


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What to find: plain words (letters and digits only), all of them or any, in incidents numbered below `before`."""

    words: tuple[str, ...]
    is_any: bool = False
    before: int = LATEST

    @property
    def query(self) -> str:
        """In the syntax that both databases share: quoted words, next to each other or with OR between them."""
        # Letters and digits only, because people's other characters are operators to FTS5, and errors if misplaced.
        return (" OR " if self.is_any else " ").join(f'"{word}"' for word in self.words if word.isalnum())


def find(tx: Transaction, team: str, wanted: SearchQuery, most: int) -> tuple[SearchHit, ...]:
    """The incidents of a workspace that have the words, the best match first; none if there is no word to look for."""
    if not wanted.query:
        return ()
    return tx.all(_hit, _FIND[tx.database], team=team, query=wanted.query, before=wanted.before, most=most)


def _hit(*row: Any) -> SearchHit:
    return SearchHit(Incident(*row[: len(_COLUMNS)]), Texts(*row[len(_COLUMNS) :]))


def read_texts(tx: Transaction, incident_id: int) -> Texts:
    """The words by which one incident is found."""
    return tx.one(Texts, _WORDS, incident_id=incident_id) or Texts("", "", "", "", "")


def purge(tx: Transaction) -> None:
    """Remove words that left the record from the index as well. PostgreSQL's VACUUM does so automatically."""
    # FTS5 only marks them as deleted until its b-trees are merged (https://www.sqlite.org/fts5.html, 'optimize').
    if tx.database == "sqlite":
        tx.run(_MERGE_INDEX)


def list_verdicts(tx: Transaction, incident_id: int) -> dict[int, bool]:
    """What people decided about similar incidents: by the other's row, whether it had the same cause."""
    return {row[0]: row[1] for row in tx.rows(_VERDICTS, incident_id=incident_id)}


def list_quoting(tx: Transaction, incident_id: int) -> tuple[int, ...]:
    """The rows of the incidents with the same cause, which therefore quote this one in their sections."""
    return tx.all(int, _QUOTING, incident_id=incident_id)


def add_verdict(tx: Transaction, incident_id: int, other_id: int, by: str, now: datetime, *, is_same: bool) -> None:
    """Add what a person decided about two incidents. There is one decision for a pair."""
    tx.note(incident_id, "likeness")
    tx.run(_ADD_VERDICT, incident_id=incident_id, other_id=other_id, is_same=is_same, said_by=by, said_at=now)


def list_incidents(hits: Iterable[SearchHit]) -> tuple[Incident, ...]:
    """The incidents without the words."""
    return tuple(hit.incident for hit in hits)
