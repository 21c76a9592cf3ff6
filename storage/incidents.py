"""Incidents: opening, finding by channel or key, saving what changed."""

from datetime import datetime

from sqlalchemy import and_, bindparam, case, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.domain.records import Incident, Place, PostmortemStatus, Status
from storage.database.statements import Statement, Transaction, columns_of, insert_into, table_of, update_by_id
from storage.tables.record import INCIDENT_UNRESOLVED, POSTMORTEM_WANTED, IncidentRow, WorkspaceRow

_incident = table_of(IncidentRow)
_workspace = table_of(WorkspaceRow)
_COLUMNS = columns_of(_incident, Incident)
_MUTABLE = (
    "title",
    "status",
    "severity",
    "lead",
    "resolved_by",
    "resolved_at",
    "postmortem_status",
    "postmortem_owner",
    "postmortem_reason",
    "published_at",
    "channel_name",
    "policy",
    "outline",
)
_UNSET = ("severity", "lead", "resolved_by", "resolved_at", "postmortem_owner", "published_at", "policy", "outline")

_in_place = (_incident.c.team == bindparam("team"), _incident.c.channel == bindparam("channel"))
# The unresolved incident of a channel if there is one, else the latest. Two look-ups in an index, however many the
# channel had; one sorted query would read them all.
_in_same_place = select(_incident.c.id).where(*_in_place)
_current = func.coalesce(
    _in_same_place.where(INCIDENT_UNRESOLVED).scalar_subquery(),
    _in_same_place.order_by(_incident.c.number.desc()).limit(1).scalar_subquery(),
)
_CURRENT = Statement(select(*_COLUMNS).where(_incident.c.id == _current))
_CURRENT_LOCKED = Statement(select(*_COLUMNS).where(_incident.c.id == _current).with_for_update())
_BY_ID = Statement(select(*_COLUMNS).where(_incident.c.id == bindparam("incident_id")))
_BY_ID_LOCKED = Statement(select(*_COLUMNS).where(_incident.c.id == bindparam("incident_id")).with_for_update())
_BY_NUMBER = Statement(
    select(*_COLUMNS).where(_incident.c.team == bindparam("team"), _incident.c.number == bindparam("number"))
)
# Two statements, because one that sorts the unresolved before the others would read a workspace's whole history.
_listed = select(*_COLUMNS).where(_incident.c.team == bindparam("team")).limit(bindparam("most"))
_UNRESOLVED = Statement(_listed.where(INCIDENT_UNRESOLVED).order_by(_incident.c.number.desc()))
_RESOLVED = Statement(_listed.where(_incident.c.status == Status.RESOLVED).order_by(_incident.c.number.desc()))
_OWED_BY = Statement(
    select(*_COLUMNS)
    .where(
        _incident.c.team == bindparam("team"),
        _incident.c.postmortem_owner == bindparam("owner"),
        POSTMORTEM_WANTED,
    )
    .order_by(_incident.c.resolved_at, _incident.c.id)
    .limit(bindparam("most"))
)
_WITH_POLICY = Statement(
    select(*_COLUMNS)
    .where(POSTMORTEM_WANTED, _incident.c.policy.is_not(None))
    .order_by(_incident.c.resolved_at.desc(), _incident.c.id.desc())
    .limit(bindparam("most"))
)
_TEAMS = Statement(select(_workspace.c.team).order_by(_workspace.c.team))
# A counter, not max(number) + 1: the statement locks the row, so two replicas cannot take the same number.
_TAKE_KEY = Statement(
    upsert(_workspace)
    .values(team=bindparam("team"), last_incident=1)
    .on_conflict_do_update(index_elements=[_workspace.c.team], set_={"last_incident": _workspace.c.last_incident + 1})
    .returning(_workspace.c.last_incident)
)
_reserving = upsert(_workspace).values(team=bindparam("team"), last_incident=bindparam("number"))
_last, _reserved = _workspace.c.last_incident, _reserving.excluded.last_incident
# With CASE, because the larger of two values is max() on SQLite and greatest() on PostgreSQL.
_RESERVE = Statement(
    _reserving.on_conflict_do_update(
        index_elements=[_workspace.c.team],
        set_={"last_incident": case((_last < _reserved, _reserved), else_=_last)},
    )
)
_ADD = Statement(insert_into(_incident).returning(*_COLUMNS))
_SAVE = Statement(update_by_id(_incident, _MUTABLE))
_unfinished = or_(
    _incident.c.status != Status.RESOLVED,
    _incident.c.postmortem_status == PostmortemStatus.OPEN,
    _incident.c.postmortem_status == PostmortemStatus.IN_REVIEW,
)
TAKES_ENTRIES = and_(
    _incident.c.id == func.coalesce(bindparam("incident_id", type_=_incident.c.id.type), _current), _unfinished
)
"""Whether an incident takes entries, and is the one of `incident_id` or, without that, of `team` and `channel`."""
# One statement that finds the incident, checks it and counts: it also locks the row, so two entries never get one
# number, and every `/timeline` saves two round trips.
_TAKE_ENTRY = Statement(
    update(_incident)
    .where(_incident.c.id == _current, _unfinished)
    .values(last_entry=_incident.c.last_entry + 1)
    .returning(*_COLUMNS, _incident.c.last_entry)
)
_TAKE_NUMBER = {
    counter: Statement(
        update(_incident)
        .where(_incident.c.id == bindparam("incident_id"))
        .values({counter: _incident.c[counter] + 1})
        .returning(_incident.c[counter])
    )
    for counter in ("last_entry", "last_why", "last_action")
}
_LIVE_MESSAGE = Statement(select(_incident.c.card_ts).where(_incident.c.id == bindparam("incident_id")))
_SAVE_LIVE_MESSAGE = Statement(update_by_id(_incident, ("card_ts",)))
_THREAD = Statement(select(_incident.c.why_ts).where(_incident.c.id == bindparam("incident_id")))
_BY_THREAD = Statement(select(*_COLUMNS).where(*_in_place, _incident.c.why_ts == bindparam("why_ts")))
_SAVE_THREAD = Statement(update_by_id(_incident, ("why_ts",)))


def find_current(tx: Transaction, place: Place, *, locking: bool = False) -> Incident | None:
    """The channel's unresolved incident, or else its latest one. Use `locking` before saving it."""
    return tx.one(Incident, _CURRENT_LOCKED if locking else _CURRENT, team=place.team, channel=place.channel)


def find(tx: Transaction, incident_id: int, *, locking: bool = False) -> Incident | None:
    """One incident by its row."""
    return tx.one(Incident, _BY_ID_LOCKED if locking else _BY_ID, incident_id=incident_id)


def find_by_number(tx: Transaction, team: str, number: int) -> Incident | None:
    """INC-7 of a workspace."""
    return tx.one(Incident, _BY_NUMBER, team=team, number=number)


def list_latest(tx: Transaction, team: str, most: int) -> tuple[Incident, ...]:
    """The workspace's incidents, unresolved first, then the latest."""
    unresolved = list_unresolved(tx, team, most)
    return unresolved + list_resolved(tx, team, most - len(unresolved))


def list_unresolved(tx: Transaction, team: str, most: int) -> tuple[Incident, ...]:
    """The workspace's unresolved incidents, the latest first."""
    return tx.all(Incident, _UNRESOLVED, team=team, most=most)


def list_resolved(tx: Transaction, team: str, most: int) -> tuple[Incident, ...]:
    """The workspace's resolved incidents, those opened last first."""
    return tx.all(Incident, _RESOLVED, team=team, most=most)


def list_owed_by(tx: Transaction, team: str, owner: str, most: int) -> tuple[Incident, ...]:
    """The resolved incidents whose postmortem the owner still owes, the longest resolved first."""
    return tx.all(Incident, _OWED_BY, team=team, owner=owner, most=most)


def list_with_policy(tx: Transaction, most: int) -> tuple[Incident, ...]:
    """The incidents with a policy whose postmortem is not finished, those resolved last first."""
    return tx.all(Incident, _WITH_POLICY, most=most)


def list_teams(tx: Transaction) -> tuple[str, ...]:
    """Every workspace that ever had an incident."""
    return tx.all(str, _TEAMS)


def take_incident_number(tx: Transaction, team: str) -> int:
    """Take the workspace's next incident number."""
    return tx.insert(int, _TAKE_KEY, team=team)


def reserve_number(tx: Transaction, team: str, number: int) -> None:
    """Reserve the number of an imported incident: the next new one is above it."""
    tx.run(_RESERVE, team=team, number=number)


def open_new(tx: Transaction, place: Place, title: str, by: str, now: datetime) -> Incident:
    """Open an incident with the workspace's next number. The caller has checked that none is open in the channel."""
    incident = tx.insert(
        Incident,
        _ADD,
        **dict.fromkeys(_UNSET),
        **dict.fromkeys(("postmortem_reason", "channel_name", "card_ts", "why_ts"), ""),
        **dict.fromkeys(("last_entry", "last_why", "last_action"), 0),
        team=place.team,
        channel=place.channel,
        number=take_incident_number(tx, place.team),
        title=title,
        status=Status.OPEN,
        opened_by=by,
        opened_at=now,
        postmortem_status=PostmortemStatus.OPEN,
    )
    tx.note(incident.id, "incident")
    return incident


def save(tx: Transaction, incident: Incident) -> None:
    """Save what may change. It must have been read with `locking` in this transaction.

    Otherwise a change that another replica made in between is lost.
    """
    tx.note(incident.id, "incident")
    tx.run(_SAVE, row_id=incident.id, **{f"new_{name}": getattr(incident, name) for name in _MUTABLE})


def take_entry_number(tx: Transaction, place: Place) -> tuple[Incident, int] | None:
    """The channel's incident with its next entry number, in one statement: this is the path of every `/timeline`.

    None if the channel has no incident, or only one whose postmortem is finished.
    """
    row = tx.row(_TAKE_ENTRY, team=place.team, channel=place.channel)
    return (Incident(*row[:-1]), row[-1]) if row else None


def take_entry_number_in(tx: Transaction, incident_id: int) -> int:
    """The next entry number of an incident that was read with `locking`."""
    return take_number(tx, incident_id, "last_entry")


def take_number(tx: Transaction, incident_id: int, counter: str) -> int:
    """The next number of `last_entry`, `last_why` or `last_action`."""
    return tx.insert(int, _TAKE_NUMBER[counter], incident_id=incident_id)


def read_live_message(tx: Transaction, incident_id: int) -> str:
    """The Slack timestamp of the incident's live message; empty before it is posted."""
    return tx.one(str, _LIVE_MESSAGE, incident_id=incident_id) or ""


def save_live_message(tx: Transaction, incident_id: int, ts: str) -> None:
    """Save the timestamp of the live message."""
    tx.run(_SAVE_LIVE_MESSAGE, row_id=incident_id, new_card_ts=ts)


def read_whys_thread(tx: Transaction, incident_id: int) -> str:
    """The Slack timestamp of the message in whose thread the whys are asked; empty before it is posted."""
    return tx.one(str, _THREAD, incident_id=incident_id) or ""


def find_by_whys_thread(tx: Transaction, place: Place, ts: str) -> Incident | None:
    """The incident of a channel whose whys are asked in the thread of this message."""
    return tx.one(Incident, _BY_THREAD, team=place.team, channel=place.channel, why_ts=ts)


def save_whys_thread(tx: Transaction, incident_id: int, ts: str) -> None:
    """Save the timestamp of the message above the thread of the whys."""
    tx.run(_SAVE_THREAD, row_id=incident_id, new_why_ts=ts)
