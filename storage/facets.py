"""Services and tags of incidents: who has which, which names a workspace uses, and one name for another.

Names are found by `ix_facet_name`, so no look-up costs more with the number of incidents. Which of them a person may
see is not decided here: with each name come channels in which it was used.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Integer, Text, bindparam, delete, select, text, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.domain.facets import Facet, FacetKind, fold
from bot.domain.records import Incident
from storage.database.statements import Statement, Transaction, among, columns_of, table_of
from storage.tables.record import FacetRow, IncidentRow

_facet, _incident = table_of(FacetRow), table_of(IncidentRow)
_COLUMNS = columns_of(_facet, Facet)
_of_incident = _facet.c.incident_id == bindparam("incident_id")
_of_kind = (_facet.c.team == bindparam("team"), _facet.c.kind == bindparam("kind"))
_of_name = (*_of_kind, _facet.c.folded == bindparam("folded"))

HAS_NAME = _incident.c.id.in_(select(_facet.c.incident_id).where(*_of_name))
"""Whether an incident has a name: a condition on the table `incident` for `team`, `kind` and `folded` (see `fold`)."""

_ALL = Statement(select(*_COLUMNS).where(_of_incident).order_by(_facet.c.kind, _facet.c.id))
_SEVERAL = Statement(
    select(_facet.c.incident_id, *_COLUMNS)
    .where(among(_facet.c.incident_id, "incident_ids"))
    .order_by(_facet.c.incident_id, _facet.c.kind, _facet.c.id)
)
_ADD = Statement(
    upsert(_facet)
    .values(
        {column.name: bindparam(column.name, type_=column.type) for column in _facet.columns if column.name != "id"}
    )
    .on_conflict_do_nothing(index_elements=["incident_id", "kind", "folded"])
)
_REMOVE = Statement(
    delete(_facet).where(_of_incident, _facet.c.kind == bindparam("kind"), _facet.c.folded == bindparam("folded"))
)
_WITH_NAME = Statement(
    select(_incident.c.id, _incident.c.channel, _facet.c.name)
    .join_from(_facet, _incident, _facet.c.incident_id == _incident.c.id)
    .where(*_of_name)
    .order_by(_facet.c.incident_id)
)
# Each step looks up the next name in the index, so a name that a thousand incidents have costs as much as any other.
_NAMES = Statement(
    text(
        "WITH RECURSIVE next (folded) AS ("
        " SELECT min(folded) FROM facet"
        " WHERE team = :team AND kind = :kind AND folded >= :prefix AND folded < :after"
        " UNION ALL"
        " SELECT (SELECT min(folded) FROM facet"
        " WHERE team = :team AND kind = :kind AND folded > next.folded AND folded < :after)"
        " FROM next WHERE next.folded IS NOT NULL"
        ") SELECT folded FROM next WHERE folded IS NOT NULL LIMIT :most"
    ).columns(folded=Text)
)
_uses = _facet.alias("uses")
_USES = Statement(
    select(_facet.c.folded, _facet.c.name, _incident.c.channel)
    .join_from(_facet, _incident, _facet.c.incident_id == _incident.c.id)
    .where(
        *_of_kind,
        among(_facet.c.folded, "names"),
        _facet.c.incident_id.in_(
            select(_uses.c.incident_id)
            .where(_uses.c.team == _facet.c.team, _uses.c.kind == _facet.c.kind, _uses.c.folded == _facet.c.folded)
            .order_by(_uses.c.incident_id.desc())
            .limit(bindparam("most", type_=Integer))
            .scalar_subquery()
        ),
    )
    .order_by(_facet.c.folded, _facet.c.incident_id)
)
_RENAME = Statement(
    update(_facet)
    .where(_of_incident, _facet.c.kind == bindparam("of_kind"), _facet.c.folded == bindparam("old"))
    .values(name=bindparam("new_name", type_=Text), folded=bindparam("new_folded", type_=Text))
)


@dataclass(frozen=True, slots=True)
class FacetUses:
    """A name that a workspace uses: as it was first spelled in each of the channels of its latest incidents."""

    folded: str
    by_channel: tuple[tuple[str, str], ...]
    """(channel, spelling), the oldest use first."""

    @property
    def channels(self) -> frozenset[str]:
        """The channels of the incidents."""
        return frozenset(channel for channel, _ in self.by_channel)

    def spell(self, seen: frozenset[str]) -> str:
        """The first spelling in one of the channels that a person sees; empty if they see none of its incidents."""
        return next((name for channel, name in self.by_channel if channel in seen), "")


def list_by_incident(tx: Transaction, incident_id: int) -> tuple[Facet, ...]:
    """The services of an incident, then its tags, each in the order in which they were added."""
    return tx.all(Facet, _ALL, incident_id=incident_id)


def list_by_incidents(tx: Transaction, incident_ids: Iterable[int]) -> dict[int, tuple[Facet, ...]]:
    """The same of several incidents, by their rows; those without any are left out."""
    rows = groupby(tx.rows(_SEVERAL, incident_ids=list(incident_ids)), key=lambda row: int(row[0]))
    return {incident_id: tuple(Facet(*row[1:]) for row in facets) for incident_id, facets in rows}


def add(tx: Transaction, incident: Incident, facet: Facet) -> None:
    """Add a name. Nothing happens if the incident has it, however it is spelled there."""
    if tx.count(_ADD, **_values(incident, facet)):
        tx.note(incident.id, f"{facet.kind} {facet.name}")


def add_imported(tx: Transaction, incident: Incident, facet: Facet) -> None:
    """Add a name of an imported record: no change of this database's own."""
    tx.run(_ADD, **_values(incident, facet))


def _values(incident: Incident, facet: Facet) -> dict[str, object]:
    return {
        "incident_id": incident.id,
        "team": incident.team,
        "kind": facet.kind,
        "name": facet.name,
        "folded": facet.key,
        "added_by": facet.added_by,
        "added_at": facet.added_at,
    }


def remove(tx: Transaction, incident_id: int, kind: FacetKind, name: str) -> bool:
    """Remove a name, however it is spelled; whether the incident had it."""
    is_gone = bool(tx.count(_REMOVE, incident_id=incident_id, kind=kind, folded=fold(name)))
    if is_gone:
        tx.note(incident_id, f"{kind} {name} removed")
    return is_gone


def list_names(tx: Transaction, team: str, kind: FacetKind, prefix: str, most: int) -> tuple[str, ...]:
    """The folded names of a workspace that begin with a folded prefix, in their order."""
    return tx.all(str, _NAMES, team=team, kind=str(kind), prefix=prefix, after=prefix + "\U0010ffff", most=most)


LATEST_USES = 20
"""Incidents of a name in whose channels a person may have seen it: the latest ones."""


def list_uses(tx: Transaction, team: str, kind: FacetKind, names: Iterable[str]) -> tuple[FacetUses, ...]:
    """The latest uses of each of the folded names that the workspace knows."""
    rows = tx.rows(_USES, team=team, kind=kind, names=list(dict.fromkeys(names)), most=LATEST_USES)
    by_name = groupby(rows, key=lambda row: str(row[0]))
    return tuple(FacetUses(folded, tuple((row[2], row[1]) for row in uses)) for folded, uses in by_name)


def list_with_name(tx: Transaction, team: str, kind: FacetKind, name: str) -> tuple[tuple[int, str, str], ...]:
    """(row, channel, spelling) of every incident that has a name, the oldest first."""
    return tuple((row[0], row[1], row[2]) for row in tx.rows(_WITH_NAME, team=team, kind=kind, folded=fold(name)))
