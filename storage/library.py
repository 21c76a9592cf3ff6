"""The library's lists: incidents by filters, the newest first, and by words; only those in the reader's sight.

A list goes along an index of one filter, from where the last page ended, so it costs the same however many incidents
there are. The other filters are applied to the first `LOOKED_THROUGH` incidents that it comes to; the next page goes on
after them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, func, literal_column, or_, select, tuple_

from bot.domain.facets import FacetKind, fold
from bot.domain.library import NOBODY, LibraryFilters, OpenActions, ShelfCursor, Stage
from bot.domain.readers import Sight
from bot.domain.records import Incident, PostmortemStatus, Status
from storage.channels import sight_values, visible_by
from storage.database.statements import Statement, Transaction, UtcDateTime, among, columns_of, table_of
from storage.search import text_query, words_column, words_index
from storage.tables.record import ACTION_OPEN, ActionRow, FacetRow, IncidentRow, KeptRegionRow, RecallRow

_incident, _action, _recall = table_of(IncidentRow), table_of(ActionRow), table_of(RecallRow)
_edit, _facet = table_of(KeptRegionRow), table_of(FacetRow)
_COLUMNS = columns_of(_incident, Incident)

LOOKED_THROUGH = 200
"""Incidents of one filter that a page applies the others to."""

RANKED = 300
"""Of all that have the words, the newest are compared."""

_LAST = ShelfCursor(datetime(9999, 1, 1, tzinfo=UTC), 0)
"""After every incident."""

_visible = visible_by(_incident.c.team, _incident.c.channel)
_order = (_incident.c.opened_at.desc(), _incident.c.id.desc())
_older = tuple_(_incident.c.opened_at, _incident.c.id) < tuple_(
    bindparam("before_at", type_=UtcDateTime()), bindparam("before_row")
)
_overdue = (
    select(_action.c.id)
    .where(_action.c.incident_id == _incident.c.id, ACTION_OPEN, _action.c.overdue_at <= bindparam("now"))
    .correlate(_incident)
    .exists()
)


def _has_facet(kind: FacetKind) -> ColumnElement[Any]:
    of_kind = (_facet.c.team == bindparam("sight_team"), _facet.c.kind == literal_column(f"'{kind}'"))
    return _incident.c.id.in_(select(_facet.c.incident_id).where(*of_kind, _facet.c.folded == bindparam(str(kind))))


_CONDITIONS: dict[str, ColumnElement[Any]] = {
    "service": _has_facet(FacetKind.SERVICE),
    "tag": _has_facet(FacetKind.TAG),
    "owner": _incident.c.postmortem_owner == bindparam("owner"),
    "no_owner": _incident.c.postmortem_owner.is_(None),
    "severity": _incident.c.severity == bindparam("severity"),
    "no_severity": _incident.c.severity.is_(None),
    "postmortem": _incident.c.postmortem_status == bindparam("postmortem"),
    "unresolved": _incident.c.status != Status.RESOLVED,
    "resolved": _incident.c.status == Status.RESOLVED,
    "overdue": _overdue,
}
"""What filters ask for, by name. The first of a question is what its list goes along."""

_ALONG = ("service", "tag", "owner", "no_owner", "severity", "no_severity", "postmortem")
"""Conditions that have an index in the order of the list."""

_span = (
    _incident.c.opened_at >= bindparam("since", type_=UtcDateTime()),
    _incident.c.opened_at < bindparam("until", type_=UtcDateTime()),
)


@dataclass(frozen=True, slots=True)
class ListedIncidents:
    """Incidents of a list; `after` is where the next page begins, None if this is the last one.

    `is_cut`: the filters were applied to so many incidents that the rest waits for the next page.
    """

    incidents: tuple[Incident, ...]
    after: ShelfCursor | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class RankedIncidents:
    """Incidents with the words, the best first. `is_cut`: only the newest that have them were compared."""

    incidents: tuple[Incident, ...]
    has_more: bool = False
    is_cut: bool = False


def list_page(
    tx: Transaction, sight: Sight, filters: LibraryFilters, before: ShelfCursor | None, now: datetime, most: int
) -> ListedIncidents:
    """The incidents that the filters want, whatever their words, the newest first, after the cursor."""
    names, values = _question(filters, now)
    at = before or _LAST
    values |= sight_values(sight) | {"before_at": at.opened_at, "before_row": at.row, "looked": LOOKED_THROUGH}
    listing, end = _list_statements(names)
    found = tx.all(Incident, listing, **values, most=most + 1)
    if len(found) > most:
        return ListedIncidents(found[:most], ShelfCursor(found[most - 1].opened_at, found[most - 1].id))
    stop = tx.row(end, **values) if end is not None else None
    if stop is not None and stop[2] == LOOKED_THROUGH:
        return ListedIncidents(found, ShelfCursor(stop[0], stop[1]), is_cut=True)
    return ListedIncidents(found)


def _question(filters: LibraryFilters, now: datetime) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The names of the conditions, in the order of `_CONDITIONS`, and the values of their parameters."""
    values: dict[str, Any] = _ask_for_stage(filters.stage)
    values |= {"service": fold(filters.service)} if filters.service else {}
    values |= {"tag": fold(filters.tag)} if filters.tag else {}
    values |= _ask_or_lack("owner", filters.owner, filters.owner)
    values |= _ask_or_lack("severity", filters.severity, filters.severity[-1:])
    values |= {"overdue": None, "now": now} if filters.is_overdue else {}
    values |= {"since": filters.span.since, "until": filters.span.until} if filters.span else {}
    names = [name for name in _CONDITIONS if name in values]
    return (*names, *(("span",) if filters.span else ())), {name: it for name, it in values.items() if it is not None}


def _ask_or_lack(name: str, wanted: str, value: str) -> dict[str, Any]:
    if wanted == NOBODY:
        return {f"no_{name}": None}
    return {name: int(value) if value.isdigit() else value} if wanted else {}


def _ask_for_stage(stage: Stage | None) -> dict[str, Any]:
    if stage is None or stage is Stage.OPEN:
        return {} if stage is None else {"unresolved": None}
    return {"resolved": None, "postmortem": PostmortemStatus("open" if stage is Stage.DRAFT else stage.value)}


def _split(names: tuple[str, ...]) -> tuple[list[ColumnElement[Any]], list[ColumnElement[Any]]]:
    """The conditions that the list goes along, and the others."""
    along = next((name for name in names if name in _ALONG), "")
    first = [_CONDITIONS[along]] if along else []
    rest = [_CONDITIONS[name] for name in names if name not in (along, "span")]
    return [*first, *(_span if "span" in names else ())], rest


@cache
def _list_statements(names: tuple[str, ...]) -> tuple[Statement, Statement | None]:
    """The statement of a list, and the one that says where it stopped looking; None if it never does."""
    first, rest = _split(names)
    along = select(*_COLUMNS).where(_visible, *first, _older).order_by(*_order)
    if not rest:
        return Statement(along.limit(bindparam("most"))), None
    looked = along.limit(bindparam("looked")).subquery("looked")
    chosen = (
        select(*_COLUMNS)
        .join_from(looked, _incident, _incident.c.id == looked.c.id)
        .where(*rest)
        .order_by(*_order)
        .limit(bindparam("most"))
    )
    oldest = looked.c.opened_at
    end = select(oldest, looked.c.id, func.count().over()).order_by(oldest, looked.c.id).limit(1)
    return Statement(chosen), Statement(end)


def find_page(
    tx: Transaction, sight: Sight, filters: LibraryFilters, now: datetime, most: int, *, is_any: bool = False
) -> RankedIncidents:
    """The incidents that the filters want and that have all their words, or any of them, the best match first."""
    terms = tuple(f'"{word}"' for word in filters.terms if word.isalnum())
    if not terms:
        return RankedIncidents(())
    names, values = _question(filters, now)
    values |= sight_values(sight) | {"query": (" OR " if is_any else " ").join(terms), "most": most + 1}
    rows = tx.rows(_find_statements(names)[tx.database], **values)
    found = tuple(Incident(*row[:-1]) for row in rows[:most])
    return RankedIncidents(found, has_more=len(rows) > most, is_cut=bool(rows and rows[0][-1]))


@cache
def _find_statements(names: tuple[str, ...]) -> dict[str, Statement]:
    first, rest = _split(names)
    matching = {
        "sqlite": select(words_index.c.rowid)
        .join_from(words_index, _incident, _incident.c.id == words_index.c.rowid)
        .where(words_column.op("MATCH")(bindparam("query")), _visible)
        .order_by(words_index.c.rowid.desc()),
        "postgresql": select(_recall.c.incident_id)
        .join_from(_recall, _incident, _incident.c.id == _recall.c.incident_id)
        .where(words_column.op("@@")(text_query), _visible)
        .order_by(_recall.c.incident_id.desc()),
    }
    # The row of the newest match that is too old to be compared; 0 if there are not so many.
    too_old = {
        database: func.coalesce(rows.limit(1).offset(RANKED).correlate(None).scalar_subquery(), 0)
        for database, rows in matching.items()
    }
    sqlite: Select[Any] = (
        select(*_COLUMNS, too_old["sqlite"])
        .select_from(words_index)
        .join(_incident, _incident.c.id == words_index.c.rowid)
        .where(words_column.op("MATCH")(bindparam("query")), words_index.c.rowid > too_old["sqlite"])
        .order_by(literal_column("bm25(recall_words, 4.0, 6.0, 2.0, 4.0, 1.0)"), *_order)
    )
    postgresql: Select[Any] = (
        select(*_COLUMNS, too_old["postgresql"])
        .select_from(_recall)
        .join(_incident, _incident.c.id == _recall.c.incident_id)
        .where(words_column.op("@@")(text_query), _recall.c.incident_id > too_old["postgresql"])
        .order_by(func.ts_rank(words_column, text_query, 1).desc(), *_order)
    )
    return {
        database: Statement(query.where(_visible, *first, *rest).limit(bindparam("most")))
        for database, query in (("sqlite", sqlite), ("postgresql", postgresql))
    }


_ONE = Statement(select(*_COLUMNS).where(_visible, _incident.c.number == bindparam("number")))


def find_visible(tx: Transaction, sight: Sight, number: int) -> Incident | None:
    """An incident by its number; None also if it is out of sight. Both take one look-up."""
    return tx.one(Incident, _ONE, number=number, **sight_values(sight))


_OPEN_ACTIONS = Statement(
    select(
        _action.c.incident_id,
        func.count(),
        func.sum(case((_action.c.overdue_at <= bindparam("now", type_=UtcDateTime()), 1), else_=0)),
    )
    .where(among(_action.c.incident_id, "incidents"), ACTION_OPEN)
    .group_by(_action.c.incident_id)
)
# People who rewrote the cause, or took it out, did so in an edited section, whose words are not in this index.
_rewritten = (
    select(_edit.c.id)
    .where(
        _edit.c.incident_id == _recall.c.incident_id, or_(_edit.c.section == "root_cause", _edit.c.section == "whys")
    )
    .correlate(_recall)
    .exists()
)
_CAUSES = Statement(
    select(_recall.c.incident_id, _recall.c.cause).where(among(_recall.c.incident_id, "incidents"), ~_rewritten)
)
_IN_SIGHT = Statement(select(_incident.c.id).where(among(_incident.c.id, "incidents"), _visible))


def count_open_actions(tx: Transaction, incidents: Iterable[int], now: datetime) -> dict[int, OpenActions]:
    """How many actions of these incidents are open and overdue; those without an open one are left out."""
    rows = tx.rows(_OPEN_ACTIONS, incidents=list(incidents), now=now)
    return {row[0]: OpenActions(row[1], int(row[2])) for row in rows}


def list_causes(tx: Transaction, incidents: Iterable[int]) -> dict[int, str]:
    """The root causes of these incidents, as written in Slack; without those that were rewritten in a draft."""
    return {row[0]: row[1] for row in tx.rows(_CAUSES, incidents=list(incidents)) if row[1]}


def choose_visible(tx: Transaction, sight: Sight, incidents: Iterable[int]) -> frozenset[int]:
    """Those of the incidents that are in sight."""
    return frozenset(tx.all(int, _IN_SIGHT, incidents=list(incidents), **sight_values(sight)))
