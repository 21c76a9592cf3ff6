"""Links in lists: those of an incident, of a system, those in trouble; and trying again what is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, and_, bindparam, cast, func, literal, or_, select, true, update

from bot.incident.records import ActionStatus, Status
from storage.links import CALLING, COLUMNS, KEPT, LET_GO, OWED, REFUSED, Link
from storage.statements import Statement, Transaction
from storage.tables import LINK_OWED, ActionRow, IncidentRow, LinkRow, table_of

_link = table_of(LinkRow)
_incident = table_of(IncidentRow)
_action = table_of(ActionRow)

_OF_INCIDENT = Statement(
    select(*COLUMNS).where(_link.c.incident_id == bindparam("incident_id")).order_by(_link.c.system, _link.c.id)
)
_stands = (_link.c.system == bindparam("system"), _link.c.external_id != "", _link.c.state != LET_GO)
_STANDING = Statement(select(*COLUMNS).where(*_stands).order_by(_link.c.id))
_OF_OPEN_INCIDENTS = Statement(
    select(*COLUMNS)
    .join_from(_link, _incident, _link.c.incident_id == _incident.c.id)
    .where(*_stands, _incident.c.status != Status.RESOLVED)
    .order_by(_link.c.id)
)
_of_its_number = _link.c.subject.like(literal("% action ") + cast(_action.c.number, Text))
_OF_LIVE_ACTIONS = Statement(
    select(*COLUMNS)
    .join_from(_link, _action, and_(_link.c.incident_id == _action.c.incident_id, _of_its_number))
    .where(
        *_stands,
        or_(
            _action.c.status == ActionStatus.OPEN,
            and_(_action.c.status == ActionStatus.DONE, _action.c.closed_at >= bindparam("since")),
        ),
    )
    .order_by(_link.c.id)
)
_OF_KEY = Statement(
    select(*COLUMNS)
    .where(
        _link.c.system == bindparam("system"), _link.c.external_id == bindparam("external_id"), _link.c.state != LET_GO
    )
    .order_by(_link.c.id)
    .limit(1)
)
_in_trouble = (
    _link.c.team == bindparam("team"),
    _link.c.error != "",
    or_(_link.c.state == REFUSED, _link.c.state == OWED, _link.c.state == CALLING),
)
_TROUBLED = Statement(select(*COLUMNS).where(*_in_trouble).order_by(_link.c.system, _link.c.id))
_in_channel = (_link.c.system == bindparam("system"), _incident.c.channel == bindparam("channel"))
_of_channel = select(*COLUMNS).join_from(_link, _incident, _link.c.incident_id == _incident.c.id).order_by(_link.c.id)
_TROUBLED_IN = Statement(_of_channel.where(*_in_trouble, *_in_channel))
_MENDED_IN = Statement(
    _of_channel.where(_link.c.team == bindparam("team"), _link.c.state == KEPT, _link.c.is_told == true(), *_in_channel)
)
_LAST = Statement(select(func.max(_link.c.due_at)).where(LINK_OWED, _link.c.system == bindparam("system")))
_PULL_IN = Statement(
    update(_link)
    .where(
        LINK_OWED,
        _link.c.system == bindparam("in_system"),
        _link.c.due_at > bindparam("beyond", type_=_link.c.due_at.type),
    )
    .values(due_at=bindparam("now", type_=_link.c.due_at.type))
)
_SAID = Statement(update(_link).where(_link.c.id == bindparam("row_id")).values(is_told=False))
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
    .values(state=OWED, due_at=bindparam("now", type_=_link.c.due_at.type), attempts=0)
)


def of_incident(tx: Transaction, incident_id: int) -> tuple[Link, ...]:
    """Every link of an incident and its parts."""
    return tuple(Link(*row) for row in tx.rows(_OF_INCIDENT, incident_id=incident_id))


def standing(tx: Transaction, system: str) -> tuple[Link, ...]:
    """Everything of ours that stands in a system."""
    return tuple(Link(*row) for row in tx.rows(_STANDING, system=system))


def of_open_incidents(tx: Transaction, system: str) -> tuple[Link, ...]:
    """What stands in a system of incidents that are not resolved."""
    return tuple(Link(*row) for row in tx.rows(_OF_OPEN_INCIDENTS, system=system))


def of_live_actions(tx: Transaction, system: str, since: datetime) -> tuple[Link, ...]:
    """What stands in a system of actions (a subject that ends in `action 3`) that are open, or done since a moment."""
    return tuple(Link(*row) for row in tx.rows(_OF_LIVE_ACTIONS, system=system, since=since))


def troubled(tx: Transaction, team: str) -> tuple[Link, ...]:
    """What is refused, or waits after an error."""
    return tuple(Link(*row) for row in tx.rows(_TROUBLED, team=team))


def of_key(tx: Transaction, system: str, external_id: str) -> Link | None:
    """What stands in a system under a key, in whichever workspace; None where that is nothing of ours."""
    row = tx.row(_OF_KEY, system=system, external_id=external_id)
    return Link(*row) if row else None


def troubled_in(tx: Transaction, team: str, system: str, channel: str) -> tuple[Link, ...]:
    """What of a channel's incidents is refused by a system, or waits after an error."""
    return tuple(Link(*row) for row in tx.rows(_TROUBLED_IN, team=team, system=system, channel=channel))


def mended_in(tx: Transaction, team: str, system: str, channel: str) -> tuple[Link, ...]:
    """What of a channel's incidents is in step again, and the channel knows of the failure only."""
    return tuple(Link(*row) for row in tx.rows(_MENDED_IN, team=team, system=system, channel=channel))


def said(tx: Transaction, mended: tuple[Link, ...]) -> None:
    """The channel knows that these are in step again."""
    for link in mended:
        tx.run(_SAID, row_id=link.id)


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


def last_due(tx: Transaction, system: str) -> datetime | None:
    """When the last call that is owed to a system is due, or None where none is owed."""
    row = tx.row(_LAST, system=system)
    return row[0] if row else None


def pull_in(tx: Transaction, system: str, beyond: datetime, now: datetime) -> int:
    """Make due now what is due in a system only beyond a moment; how many."""
    return tx.run(_PULL_IN, in_system=system, beyond=beyond, now=now)
