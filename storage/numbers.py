"""The incidents that were resolved in a period, with what is counted of each.

Each statement is bounded by the period and by `MOST`, and reads only through indexes: what is older costs nothing. Of
timelines only the few entries that mark a milestone are read, by their own index, so no summary of them is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, Text, bindparam, exists, false, literal_column, or_, select, true

from bot.domain import facets as facets_rules
from bot.domain.facets import FacetKind, fold
from bot.domain.incident import list_reached_milestones
from bot.domain.numbers import CountedAction, CountedIncident, Selection
from bot.domain.readers import Sight
from bot.domain.records import Incident, Milestone
from storage import facets as facets_store
from storage.channels import sight_values, visible_by
from storage.database.statements import Statement, Transaction, among, columns_of, table_of
from storage.tables.record import ENTRY_MARKING, ActionRow, EntryRow, FacetRow, IncidentRow, LikenessRow

MOST = 2_000
"""Incidents that are counted, the latest of the period."""
MOST_ACTIONS = 20_000

_incident, _entry, _action = table_of(IncidentRow), table_of(EntryRow), table_of(ActionRow)
_likeness, _facet = table_of(LikenessRow), table_of(FacetRow)


def _has_name(kind: FacetKind) -> ColumnElement[bool]:
    """Whether an incident has the name that is asked for, or none is."""
    wanted = bindparam(str(kind), type_=Text)
    of_it = exists().where(
        _facet.c.incident_id == _incident.c.id, _facet.c.kind == literal_column(f"'{kind}'"), _facet.c.folded == wanted
    )
    return or_(wanted == "", of_it)


_severity = bindparam("severity", type_=Integer)
_RESOLVED = Statement(
    select(*columns_of(_incident, Incident))
    .where(
        _incident.c.team == bindparam("team"),
        _incident.c.resolved_at >= bindparam("since"),
        _incident.c.resolved_at < bindparam("until"),
        or_(_severity == 0, _incident.c.severity == _severity),
        _has_name(FacetKind.SERVICE),
        _has_name(FacetKind.TAG),
        visible_by(_incident.c.team, _incident.c.channel),
    )
    .order_by(_incident.c.resolved_at.desc(), _incident.c.id.desc())
    .limit(bindparam("most"))
)
_MARKING = Statement(
    select(_entry.c.incident_id, _entry.c.number, _entry.c.happened_at, _entry.c.milestone)
    .where(among(_entry.c.incident_id, "incidents"), ENTRY_MARKING, _entry.c.struck == false())
    .order_by(_entry.c.incident_id, _entry.c.number)
)
_ACTIONS = Statement(
    select(_action.c.incident_id, _action.c.status, _action.c.created_at, _action.c.overdue_at, _action.c.closed_at)
    .where(among(_action.c.incident_id, "incidents"))
    .order_by(_action.c.incident_id.desc(), _action.c.number)
    .limit(bindparam("most"))
)
_earlier = _incident.alias("earlier")
_SAME_CAUSE = Statement(
    select(_likeness.c.incident_id, _earlier.c.number)
    .join_from(_likeness, _earlier, _earlier.c.id == _likeness.c.other_id)
    .where(
        among(_likeness.c.incident_id, "incidents"),
        _likeness.c.is_same == true(),
        visible_by(_earlier.c.team, _earlier.c.channel),
    )
    .order_by(_likeness.c.incident_id, _earlier.c.number)
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What is counted. `is_cut`: the period has more than `MOST`, and the earliest of it are left out."""

    incidents: tuple[CountedIncident, ...]
    is_cut: bool = False


class _Marking(NamedTuple):
    number: int
    happened_at: datetime
    milestone: Milestone | None


def read_sample(tx: Transaction, chosen: Selection, sight: Sight) -> Sample:
    """The incidents of a selection that are in sight, each with its milestones, actions, names and repeats."""
    found = tx.all(
        Incident,
        _RESOLVED,
        team=sight.team,
        since=chosen.period.since,
        until=chosen.period.until,
        severity=chosen.severity or 0,
        service=fold(chosen.service),
        tag=fold(chosen.tag),
        most=MOST + 1,
        **sight_values(sight),
    )
    rows = [incident.id for incident in found[:MOST]]
    marking = _collect(tx.rows(_MARKING, incidents=rows))
    actions = _collect(tx.rows(_ACTIONS, incidents=rows, most=MOST_ACTIONS))
    repeats = _collect(tx.rows(_SAME_CAUSE, incidents=rows, **sight_values(sight)))
    names = facets_store.list_by_incidents(tx, rows)
    return Sample(
        tuple(
            CountedIncident(
                incident,
                _reach(incident, marking),
                tuple(CountedAction(*row) for row in actions.get(incident.id, ())),
                facets_rules.list_names(names.get(incident.id, ()), FacetKind.SERVICE),
                facets_rules.list_names(names.get(incident.id, ()), FacetKind.TAG),
                tuple(number for (number,) in repeats.get(incident.id, ())),
            )
            for incident in found[:MOST]
        ),
        is_cut=len(found) > MOST,
    )


def _collect(rows: Sequence[Any]) -> dict[int, list[Any]]:
    """The rows of each incident, without its own row in front."""
    return {row: [tuple(one[1:]) for one in some] for row, some in groupby(rows, key=lambda one: int(one[0]))}


def _reach(incident: Incident, marking: Mapping[int, list[Any]]) -> dict[Milestone, datetime]:
    reached = list_reached_milestones(incident, (_Marking(*row) for row in marking.get(incident.id, ())))
    return {milestone: mark.at for milestone, mark in reached.items()}
