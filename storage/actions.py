"""Corrective actions."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, literal_column, select

from bot.domain.records import Action, ActionKind, ActionStatus, Incident
from storage.database.statements import (
    Statement,
    Transaction,
    columns_of,
    insert_into,
    table_of,
    update_by_id,
    values_of,
)
from storage.incidents import take_number
from storage.tables.record import ActionRow, IncidentRow

_action = table_of(ActionRow)
_incident = table_of(IncidentRow)
_COLUMNS = columns_of(_action, Action)
_MUTABLE = ("text", "owner", "due_on", "overdue_at", "link", "status", "reason", "closed_at", "held")

_ADD = Statement(insert_into(_action).returning(*_COLUMNS))
_SAVE = Statement(update_by_id(_action, _MUTABLE))
_ALL = Statement(select(*_COLUMNS).where(_action.c.incident_id == bindparam("incident_id")).order_by(_action.c.number))
_BY_ID = Statement(select(*_COLUMNS).where(_action.c.id == bindparam("action_id")))
_with_incident = select(*_COLUMNS, *columns_of(_incident, Incident)).join_from(
    _action, _incident, _action.c.incident_id == _incident.c.id
)
# As a literal, or the partial index is not used (see `partial_index`).
_is_open = _action.c.status == literal_column("'open'")
_overdue = (_is_open, _action.c.overdue_at <= bindparam("now"))
_of_owner = (_action.c.owner == bindparam("owner"), _incident.c.team == bindparam("team"))
_OVERDUE_OWNERS = Statement(
    select(_incident.c.team, _action.c.owner)
    .join_from(_action, _incident, _action.c.incident_id == _incident.c.id)
    .where(*_overdue, _action.c.owner.is_not(None))
    .distinct()
)
_OVERDUE_OF = Statement(_with_incident.where(*_overdue, *_of_owner).order_by(_action.c.overdue_at, _action.c.id))
_LONG_OVERDUE = Statement(
    select(_action.c.id, _action.c.due_on, _incident.c.team)
    .join_from(_action, _incident, _action.c.incident_id == _incident.c.id)
    .where(*_overdue)
)
_OWED_BY = Statement(
    _with_incident.where(_is_open, *_of_owner)
    .order_by(_action.c.overdue_at.is_(None), _action.c.overdue_at, _action.c.id)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class NewAction:
    """An action to add; `overdue_at` is the end of the day `due_on` in the zone of its owner, in UTC."""

    text: str
    owner: str | None
    due_on: date | None
    overdue_at: datetime | None
    link: str
    created_by: str
    created_at: datetime
    kind: ActionKind | None = None


@dataclass(frozen=True, slots=True)
class OwedAction:
    """An open action with the incident that it came from."""

    action: Action
    incident: Incident


def add(tx: Transaction, incident_id: int, new: NewAction) -> Action:
    """Add an action under the incident's next action number."""
    action = tx.insert(
        Action,
        _ADD,
        incident_id=incident_id,
        number=take_number(tx, incident_id, "last_action"),
        status=ActionStatus.OPEN,
        reason="",
        closed_at=None,
        held="",
        **values_of(new),
    )
    tx.note(incident_id, f"action {action.number}")
    return action


def save(tx: Transaction, action: Action) -> None:
    """Save what may change of an action."""
    tx.note(action.incident_id, f"action {action.number}")
    tx.run(_SAVE, row_id=action.id, **{f"new_{name}": getattr(action, name) for name in _MUTABLE})


def list_all(tx: Transaction, incident_id: int) -> tuple[Action, ...]:
    """Every action of an incident, by number."""
    return tx.all(Action, _ALL, incident_id=incident_id)


def find(tx: Transaction, action_id: int) -> Action | None:
    """One action by its row."""
    return tx.one(Action, _BY_ID, action_id=action_id)


def list_overdue_owners(tx: Transaction, now: datetime) -> tuple[tuple[str, str], ...]:
    """(team, user) of everyone who owns an overdue action."""
    return tuple((team, owner) for team, owner in tx.rows(_OVERDUE_OWNERS, now=now))


def list_long_overdue(tx: Transaction, since: datetime) -> tuple[tuple[int, date, str], ...]:
    """(row, due day, team) of every action that was overdue at `since` already."""
    return tuple((row, due_on, team) for row, due_on, team in tx.rows(_LONG_OVERDUE, now=since))


def list_overdue_of(tx: Transaction, team: str, owner: str, now: datetime) -> tuple[OwedAction, ...]:
    """The overdue actions of a person, the longest overdue first."""
    return tx.all(_owed_action, _OVERDUE_OF, team=team, owner=owner, now=now)


def list_open_of(tx: Transaction, team: str, owner: str, most: int) -> tuple[OwedAction, ...]:
    """The open actions of a person, by due date, those without one last."""
    return tx.all(_owed_action, _OWED_BY, team=team, owner=owner, most=most)


def _owed_action(*row: Any) -> OwedAction:
    return OwedAction(Action(*row[: len(_COLUMNS)]), Incident(*row[len(_COLUMNS) :]))
