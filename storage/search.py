"""Search for incidents by their words, and what people decided about similar ones.

Triggers keep the words up to date in the transaction of each change, so no code can forget to
(docs/decisions/0014-past-incidents-are-found-by-the-database.md). Their index is SQLite's FTS5, or on PostgreSQL a
tsvector under a GIN index.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, bindparam, column, func, literal_column, select, table, text, true

from bot.domain.facets import FacetName
from bot.domain.records import Incident
from storage.database.statements import Statement, Transaction, columns_of, insert_into, table_of
from storage.facets import HAS_NAMES, filter_values
from storage.tables.record import IncidentRow, LikenessRow, RecallRow

_incident, _recall, _likeness = table_of(IncidentRow), table_of(RecallRow), table_of(LikenessRow)
_COLUMNS = columns_of(_incident, Incident)
_TEXTS = (_recall.c.title, _recall.c.cause, _recall.c.told, _recall.c.whys, _recall.c.actions)

MOST_RANKED = 100
"""Matches that are ranked, the newest: to rank one takes so long that a word which all incidents have would cost more
with each of them. Where any word will do, one with more matches is common: only where the others find too few is it
looked for."""

words_index = table("recall_words", column("rowid"))
_of_team = (_incident.c.team == bindparam("team"), _incident.c.number < bindparam("before"), HAS_NAMES)
words_column: ColumnElement[Any] = literal_column("recall_words")
# As text: SQLAlchemy compiles this function only if PostgreSQL's dialect was loaded before, and SQLite loads none.
text_query: Any = text("websearch_to_tsquery('english', :query)")
_select = select(*_COLUMNS, *_TEXTS).where(*_of_team).limit(bindparam("most"))
_matches = {
    "sqlite": select(words_index.c.rowid)
    .join_from(words_index, _incident, _incident.c.id == words_index.c.rowid)
    .where(words_column.op("MATCH")(bindparam("query")), *_of_team)
    .order_by(words_index.c.rowid.desc()),
    "postgresql": select(_recall.c.incident_id)
    .join_from(_recall, _incident, _incident.c.id == _recall.c.incident_id)
    .where(words_column.op("@@")(text_query), *_of_team)
    .order_by(_recall.c.incident_id.desc()),
}
# The row of the newest match that is too old to be ranked; 0 if there are not so many.
_too_old = {
    database: func.coalesce(matches.limit(1).offset(MOST_RANKED).correlate(None).scalar_subquery(), 0)
    for database, matches in _matches.items()
}
_FIND = {
    "sqlite": Statement(
        _select.select_from(words_index)
        .join(_recall, _recall.c.incident_id == words_index.c.rowid)
        .join(_incident, _incident.c.id == words_index.c.rowid)
        .where(words_column.op("MATCH")(bindparam("query")), words_index.c.rowid > _too_old["sqlite"])
        # The weights are for title, cause, told, whys, actions. A lower bm25 is a better match.
        .order_by(literal_column("bm25(recall_words, 4.0, 6.0, 2.0, 4.0, 1.0)"), _incident.c.number.desc())
    ),
    "postgresql": Statement(
        _select.select_from(_recall)
        .join(_incident, _incident.c.id == _recall.c.incident_id)
        .where(words_column.op("@@")(text_query), _recall.c.incident_id > _too_old["postgresql"])
        # The weights are in the index (A to D). 1 divides by the logarithm of the length: a long text has no advantage.
        .order_by(func.ts_rank(words_column, text_query, 1).desc(), _incident.c.number.desc())
    ),
}
# In the order of the words. Counted in all workspaces: those of one alone would have to be looked up.
_COUNT = {
    "sqlite": Statement(
        text(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM recall_words WHERE recall_words MATCH word.value LIMIT :most))"
            " FROM json_each(:words) AS word ORDER BY word.key"
        )
    ),
    "postgresql": Statement(
        text(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM recall"
            " WHERE recall_words @@ websearch_to_tsquery('english', word.value) LIMIT :most) AS found)"
            " FROM json_array_elements_text(CAST(:words AS json)) WITH ORDINALITY AS word (value, key)"
            " ORDER BY word.key"
        )
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
    """What to find: plain words (letters and digits only), all of them or any, in incidents numbered below `before`.

    Those are incidents that have all of `names`: services and tags.
    """

    words: tuple[str, ...]
    is_any: bool = False
    before: int = LATEST
    names: tuple[FacetName, ...] = ()

    @property
    def terms(self) -> tuple[str, ...]:
        """The words as both databases look them up."""
        # Letters and digits only, because people's other characters are operators to FTS5, and errors if misplaced.
        return tuple(f'"{word}"' for word in self.words if word.isalnum())


def find(tx: Transaction, team: str, wanted: SearchQuery, most: int) -> tuple[SearchHit, ...]:
    """The incidents of a workspace that have the words, the best match first; none if there is no word to look for.

    Of all that have every word the newest `MOST_RANKED` are compared. Where any word will do, those with a rare one
    come first, however old they are.
    """
    if not wanted.is_any:
        return _find(tx, team, " ".join(wanted.terms), wanted, most)
    rare, common = _tell_apart(tx, wanted.terms)
    found = _find(tx, team, " OR ".join(rare), wanted, most)
    if len(found) < most:
        seen = {hit.incident.id for hit in found}
        more = _find(tx, team, " OR ".join(common), wanted, most)
        found += tuple(hit for hit in more if hit.incident.id not in seen)
    return found[:most]


def _find(tx: Transaction, team: str, query: str, wanted: SearchQuery, most: int) -> tuple[SearchHit, ...]:
    if not query:
        return ()
    values = {"team": team, "query": query, "before": wanted.before, "most": most, **filter_values(wanted.names)}
    return tx.all(_hit, _FIND[tx.database], **values)


MOST_COMMON = 8
"""Common words that are looked for: each has a price, and they tell little apart."""


def _tell_apart(tx: Transaction, words: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The rarest words, which together have at most `MOST_RANKED` matches, and the rarest of the rest."""
    counts = tx.all(int, _COUNT[tx.database], words=json.dumps(words), most=MOST_RANKED + 1)
    rarest = sorted((pair for pair in zip(counts, words, strict=True) if pair[0]), key=itemgetter(0))
    total, rare = 0, []
    for count, word in rarest:
        total += count
        if total > MOST_RANKED:
            break
        rare.append(word)
    return rare, [word for _, word in rarest[len(rare) : len(rare) + MOST_COMMON]]


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
