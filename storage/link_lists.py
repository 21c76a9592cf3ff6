"""Links in lists: those of an incident, of a system, those in trouble; and trying again what is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select, update

from storage.links import CALLING, COLUMNS, LET_GO, OWED, REFUSED, Link
from storage.statements import Statement, Transaction
from storage.tables import LinkRow, table_of

_link = table_of(LinkRow)

_OF_INCIDENT = Statement(
    select(*COLUMNS).where(_link.c.incident_id == bindparam("incident_id")).order_by(_link.c.system, _link.c.id)
)
_STANDING = Statement(
    select(*COLUMNS)
    .where(_link.c.system == bindparam("system"), _link.c.external_id != "", _link.c.state != LET_GO)
    .order_by(_link.c.id)
)
_TROUBLED = Statement(
    select(*COLUMNS)
    .where(
        _link.c.team == bindparam("team"),
        _link.c.error != "",
        or_(_link.c.state == REFUSED, _link.c.state == OWED, _link.c.state == CALLING),
    )
    .order_by(_link.c.system, _link.c.id)
)
_COUNTS = Statement(
    select(_link.c.system, _link.c.state, func.count(), func.max(_link.c.synced_at))
    .where(_link.c.team == bindparam("team"))
    .group_by(_link.c.system, _link.c.state)
)
_AGAIN = Statement(
    update(_link)
    .where(
        _link.c.team == bindparam("in_team"),
        _link.c.system == bindparam("in_system"),
        _link.c.error != "",
        or_(_link.c.state == REFUSED, _link.c.state == OWED),
    )
    .values(state=OWED, due_at=bindparam("now", type_=_link.c.due_at.type), attempts=0, is_told=False)
)


def of_incident(tx: Transaction, incident_id: int) -> tuple[Link, ...]:
    """Every link of an incident and its parts."""
    return tuple(Link(*row) for row in tx.rows(_OF_INCIDENT, incident_id=incident_id))


def standing(tx: Transaction, system: str) -> tuple[Link, ...]:
    """Everything of ours that stands in a system."""
    return tuple(Link(*row) for row in tx.rows(_STANDING, system=system))


def troubled(tx: Transaction, team: str) -> tuple[Link, ...]:
    """What is refused, or waits after an error."""
    return tuple(Link(*row) for row in tx.rows(_TROUBLED, team=team))


@dataclass(frozen=True, slots=True)
class Count:
    """How many links of a system are in a state, and when one of them was last in step."""

    system: str
    state: str
    count: int
    synced_at: datetime | None


def counts(tx: Transaction, team: str) -> tuple[Count, ...]:
    """How the links of a workspace stand, by system and state."""
    return tuple(Count(*row) for row in tx.rows(_COUNTS, team=team))


def again(tx: Transaction, team: str, system: str, now: datetime) -> int:
    """Try everything of a system once more that is refused or waits after an error; how many."""
    touched = tx.run(_AGAIN, in_team=team, in_system=system, now=now)
    tx.owes = tx.owes or touched > 0
    return touched
