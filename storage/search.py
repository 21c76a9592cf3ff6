"""The words of incidents, to find them again, and what people said of similar ones.

Triggers keep the words up to date, in the transaction of each change. Their index is SQLite's FTS5, or on PostgreSQL a
tsvector under a GIN index.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import bindparam, column, func, literal_column, select, table, text, true

from bot.domain.records import Incident
from storage.database.statements import Statement, Transaction, insert_into, table_of
from storage.tables.record import IncidentRow, LikenessRow, RecallRow

_incident, _recall, _likeness = table_of(IncidentRow), table_of(RecallRow), table_of(LikenessRow)
_COLUMNS = tuple(_incident.c[field.name] for field in fields(Incident))
_TEXTS = (_recall.c.title, _recall.c.cause, _recall.c.told, _recall.c.whys, _recall.c.actions)

_index = table("recall_words", column("rowid"))
_of_team = (_incident.c.team == bindparam("team"), _incident.c.number < bindparam("before"))
_FOUND = {
    "sqlite": Statement(
        select(*_COLUMNS, *_TEXTS)
        .select_from(_index)
        .join(_recall, _recall.c.incident_id == _index.c.rowid)
        .join(_incident, _incident.c.id == _index.c.rowid)
        .where(literal_column("recall_words").op("MATCH")(bindparam("query")), *_of_team)
        # The columns in their order: title, cause, told, whys, actions. bm25 is the lower, the better.
        .order_by(literal_column("bm25(recall_words, 4.0, 6.0, 2.0, 4.0, 1.0)"), _incident.c.number.desc())
        .limit(bindparam("most"))
    ),
    "postgresql": Statement(
        select(*_COLUMNS, *_TEXTS)
        .select_from(_recall)
        .join(_incident, _incident.c.id == _recall.c.incident_id)
        .where(
            literal_column("recall_words").op("@@")(func.websearch_to_tsquery("english", bindparam("query"))), *_of_team
        )
        .order_by(
            func.ts_rank(
                literal_column("recall_words"), func.websearch_to_tsquery("english", bindparam("query")), 1
            ).desc(),
            _incident.c.number.desc(),
        )
        .limit(bindparam("most"))
    ),
}
_WORDS = Statement(select(*_TEXTS).where(_recall.c.incident_id == bindparam("incident_id")))
_FORGET = Statement(text("INSERT INTO recall_words (recall_words) VALUES ('optimize')"))
_JUDGED = Statement(
    select(_likeness.c.other_id, _likeness.c.is_same).where(_likeness.c.incident_id == bindparam("incident_id"))
)
_JUDGE = Statement(insert_into(_likeness))
_QUOTING = Statement(
    select(_likeness.c.incident_id)
    .where(_likeness.c.other_id == bindparam("incident_id"), _likeness.c.is_same == true())
    .order_by(_likeness.c.incident_id)
)

LATEST = 2**31 - 1
"""Above every incident's number."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The words by which an incident is found; `told` is the text of its sections."""

    title: str
    cause: str
    told: str
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
        """As both databases read it: quoted words, side by side or with OR between them."""
        return (" OR " if self.is_any else " ").join(f'"{word}"' for word in self.words if word.isalnum())


def find(tx: Transaction, team: str, wanted: SearchQuery, most: int) -> tuple[SearchHit, ...]:
    """The incidents of a workspace that have the words, the best match first; none without a word to look for."""
    if not wanted.query:
        return ()
    rows = tx.rows(_FOUND[tx.database], team=team, query=wanted.query, before=wanted.before, most=most)
    split = len(_COLUMNS)
    return tuple(SearchHit(Incident(*row[:split]), Texts(*row[split:])) for row in rows)


def read_texts(tx: Transaction, incident_id: int) -> Texts:
    """The words by which one incident is found."""
    row = tx.row(_WORDS, incident_id=incident_id)
    return Texts(*row) if row else Texts("", "", "", "", "")


def purge(tx: Transaction) -> None:
    """Make words that left the record leave the index as well: FTS5 only marks them until its pieces are merged.

    PostgreSQL drops them in its own time (VACUUM).
    """
    if tx.database == "sqlite":
        tx.run(_FORGET)


def list_verdicts(tx: Transaction, incident_id: int) -> dict[int, bool]:
    """What people decided about similar incidents: by the other's row, whether it had the same cause."""
    return {row[0]: row[1] for row in tx.rows(_JUDGED, incident_id=incident_id)}


def list_quoting(tx: Transaction, incident_id: int) -> tuple[int, ...]:
    """The rows of the incidents with the same cause, which therefore quote this one in their sections."""
    return tuple(row[0] for row in tx.rows(_QUOTING, incident_id=incident_id))


def add_verdict(tx: Transaction, incident_id: int, other_id: int, by: str, now: datetime, *, is_same: bool) -> None:
    """Add what a person decided about two incidents. There is one decision for a pair."""
    tx.note(incident_id, "likeness")
    tx.run(_JUDGE, incident_id=incident_id, other_id=other_id, is_same=is_same, said_by=by, said_at=now)


def list_incidents(found: Iterable[SearchHit]) -> tuple[Incident, ...]:
    """The incidents alone."""
    return tuple(one.incident for one in found)
