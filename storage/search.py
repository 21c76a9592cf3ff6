"""Finding incidents again by their words, and what people said of likenesses.

The words of an incident are kept true by triggers, in the transaction of whatever changed them; the index of them is
SQLite's FTS5, or a tsvector under a GIN index on PostgreSQL.

Walks back through a channel's history: a row until it is done, so that a restart goes on where it was.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime

from sqlalchemy import bindparam, column, func, literal_column, select, table, text, true, update

from bot.domain.records import Incident
from storage.database.statements import Statement, Transaction, insert_into
from storage.queues import ScanState
from storage.tables import LOOKBACK_GOING, IncidentRow, LikenessRow, LookbackRow, RecallRow, table_of

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
    """The words by which an incident is found; `told` is what was written into its sections."""

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
    """The incidents of a workspace that have the words, the best first; nothing where there are none to look for."""
    if not wanted.query:
        return ()
    rows = tx.rows(_FOUND[tx.database], team=team, query=wanted.query, before=wanted.before, most=most)
    split = len(_COLUMNS)
    return tuple(SearchHit(Incident(*row[:split]), Texts(*row[split:])) for row in rows)


def words_of(tx: Transaction, incident_id: int) -> Texts:
    """The words by which one incident is found."""
    row = tx.row(_WORDS, incident_id=incident_id)
    return Texts(*row) if row else Texts("", "", "", "", "")


def forget(tx: Transaction) -> None:
    """Make words that left the record leave the index as well: FTS5 only marks them until its pieces are merged.

    PostgreSQL drops them in its own time (VACUUM).
    """
    if tx.database == "sqlite":
        tx.run(_FORGET)


def judged(tx: Transaction, incident_id: int) -> dict[int, bool]:
    """What was said of an incident's likenesses: by the other incident's row, whether it had the same cause."""
    return {row[0]: row[1] for row in tx.rows(_JUDGED, incident_id=incident_id)}


def quoting(tx: Transaction, incident_id: int) -> tuple[int, ...]:
    """The rows of the incidents that were said to have an incident's cause, and so quote it in their sections."""
    return tuple(row[0] for row in tx.rows(_QUOTING, incident_id=incident_id))


def judge(tx: Transaction, incident_id: int, other_id: int, by: str, now: datetime, *, is_same: bool) -> None:
    """Keep what somebody said of two incidents; once for each pair."""
    tx.note(incident_id, "likeness")
    tx.run(_JUDGE, incident_id=incident_id, other_id=other_id, is_same=is_same, said_by=by, said_at=now)


def incidents_in(found: Iterable[SearchHit]) -> tuple[Incident, ...]:
    """The incidents alone."""
    return tuple(one.incident for one in found)


_lookback = table_of(LookbackRow)


@dataclass(frozen=True, slots=True)
class HistoryScan:
    """One walk. `cursor` (how far it came) and `found` (what it proposes) are JSON; `seen` counts the messages.

    `state` is `going`, `done`, or `failed` for the reason in `note`. While somebody walks, `due_at` is the end of
    their lease.
    """

    id: int
    team: str
    channel: str
    incident_id: int
    asked_by: str
    oldest: datetime
    cursor: str
    found: str
    seen: int
    state: ScanState
    note: str
    due_at: datetime


_LOOKBACK_COLUMNS = tuple(_lookback.c[field.name] for field in fields(HistoryScan))
_ADD = Statement(insert_into(_lookback).returning(_lookback.c.id))
_BY_ID = Statement(select(*_LOOKBACK_COLUMNS).where(_lookback.c.id == bindparam("row_id")))
_DUE = Statement(
    select(*_LOOKBACK_COLUMNS)
    .where(LOOKBACK_GOING, _lookback.c.due_at <= bindparam("now"))
    .order_by(_lookback.c.due_at, _lookback.c.id)
    .limit(bindparam("most"))
)
_IS_GOING = Statement(
    select(_lookback.c.id).where(LOOKBACK_GOING, _lookback.c.incident_id == bindparam("incident_id")).limit(1)
)
# Only who holds the row, as it was read or leased, may change it: another replica may have taken it over.
_HELD = Statement(
    update(_lookback)
    .where(_lookback.c.id == bindparam("row_id"), LOOKBACK_GOING, _lookback.c.due_at == bindparam("held_until"))
    .values(
        {
            name: bindparam(f"new_{name}", type_=_lookback.c[name].type)
            for name in ("cursor", "found", "seen", "state", "note", "due_at")
        }
    )
)


@dataclass(frozen=True, slots=True)
class NewLookback:
    """A walk to begin: from `now` back to `oldest`, asked for by somebody in a channel."""

    team: str
    channel: str
    incident_id: int
    asked_by: str
    oldest: datetime
    cursor: str


def add(tx: Transaction, new: NewLookback, now: datetime) -> int:
    """Write down a walk that is to begin; its row."""
    given = {field.name: getattr(new, field.name) for field in fields(new)}
    row = tx.row(_ADD, **given, found="[]", seen=0, state=ScanState.RUNNING, note="", due_at=now)
    assert row is not None  # noqa: S101 (RETURNING answers with the row or raises)
    return int(row[0])


def by_id(tx: Transaction, row_id: int) -> HistoryScan | None:
    """One walk by its row."""
    row = tx.row(_BY_ID, row_id=row_id)
    return HistoryScan(*row) if row else None


def due(tx: Transaction, now: datetime, most: int) -> tuple[HistoryScan, ...]:
    """The walks that may go on by now: new, waiting no longer, or left behind by a process whose lease ended."""
    return tuple(HistoryScan(*row) for row in tx.rows(_DUE, now=now, most=most))


def is_going(tx: Transaction, incident_id: int) -> bool:
    """Whether an incident's channel is being looked through."""
    return tx.row(_IS_GOING, incident_id=incident_id) is not None


def save(tx: Transaction, held: HistoryScan, after: HistoryScan) -> HistoryScan | None:
    """Write how a walk stands; None where `held` is not how the row stands any more, so that nothing was written."""
    values = {f"new_{name}": getattr(after, name) for name in ("cursor", "found", "seen", "state", "note", "due_at")}
    return after if tx.run(_HELD, row_id=held.id, held_until=held.due_at, **values) == 1 else None


def claim(tx: Transaction, lookback: HistoryScan, until: datetime) -> HistoryScan | None:
    """Take a due walk for this process until the lease ends; None where another has it."""
    return save(tx, lookback, replace(lookback, due_at=until))
