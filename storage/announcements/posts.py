"""Posts that tell people outside of an incident, and what a weekly digest lists."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, false, func, literal_column, select, true, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.domain.records import Incident
from storage.database.statements import (
    Statement,
    Transaction,
    columns_of,
    table_of,
    update_by_id,
)
from storage.tables.queues import AnnouncementRow
from storage.tables.record import POSTMORTEM_PUBLISHED, ActionRow, IncidentRow

_post, _incident, _action = table_of(AnnouncementRow), table_of(IncidentRow), table_of(ActionRow)


@dataclass(frozen=True, slots=True)
class IncidentPost:
    """The post of an incident for one recipient: the announce channel, or a follower (a user id).

    `channel` and `ts` are where it is, empty before it is sent; `old_ts` is the post that it takes the place of.
    `stage` is what a follower was told of last.
    """

    id: int
    team: str
    incident_id: int
    recipient: str
    channel: str
    ts: str
    old_ts: str
    stage: str
    edited_at: datetime | None


_POST = columns_of(_post, IncidentPost)
_ADD = Statement(
    upsert(_post)
    .values({name: bindparam(name, type_=_post.c[name].type) for name in ("team", "incident_id", "recipient")})
    .values(channel="", ts="", old_ts="", stage="", is_owed=false())
    .on_conflict_do_nothing()
)
_BY_ID = Statement(select(*_POST).where(_post.c.id == bindparam("row_id")))
_OF_INCIDENT = Statement(select(*_POST).where(_post.c.incident_id == bindparam("incident_id")).order_by(_post.c.id))
_REMOVE = Statement(
    delete(_post)
    .where(_post.c.incident_id == bindparam("incident_id"), _post.c.recipient == bindparam("recipient"))
    .returning(*_POST)
)
_MARK_OWED = Statement(
    update(_post).where(_post.c.id == bindparam("row_id"), _post.c.is_owed == false()).values(is_owed=true())
)
_MARK_CURRENT = Statement(
    update(_post)
    .where(_post.c.id == bindparam("row_id"))
    .values(is_owed=false(), edited_at=bindparam("new_edited_at", type_=_post.c.edited_at.type))
)
_SAVE = Statement(update_by_id(_post, ("channel", "ts", "old_ts", "stage")))
# The one that was looked at longest ago. A new one is checked as it is sent, so it has its time from then.
_STALEST = Statement(
    select(*_POST)
    .where(_post.c.checked_at < bindparam("before", type_=_post.c.checked_at.type))
    .order_by(_post.c.checked_at)
    .limit(1)
)
_OF_CHANNEL = Statement(
    select(*_POST)
    .join_from(_post, _incident, _post.c.incident_id == _incident.c.id)
    .where(_incident.c.team == bindparam("team"), _incident.c.channel == bindparam("of_channel"))
    .order_by(_post.c.id.desc())
    .limit(bindparam("most"))
)
_SAVE_CHECKED = Statement(update_by_id(_post, ("checked_at",)))


def add(tx: Transaction, incident: Incident, recipient: str) -> bool:
    """Add the post of an incident for a recipient; False if they have one."""
    return tx.count(_ADD, team=incident.team, incident_id=incident.id, recipient=recipient) == 1


def find(tx: Transaction, row_id: int) -> IncidentPost | None:
    """A post by its row."""
    return tx.one(IncidentPost, _BY_ID, row_id=row_id)


def list_by_incident(tx: Transaction, incident_id: int) -> tuple[IncidentPost, ...]:
    """Every post of an incident."""
    return tx.all(IncidentPost, _OF_INCIDENT, incident_id=incident_id)


def list_by_channel(tx: Transaction, team: str, channel: str, most: int) -> tuple[IncidentPost, ...]:
    """The posts of the incidents of a channel, the latest first."""
    return tx.all(IncidentPost, _OF_CHANNEL, team=team, of_channel=channel, most=most)


def remove(tx: Transaction, incident_id: int, recipient: str) -> IncidentPost | None:
    """Remove the post of a recipient, who gets no more of it; the row as it was, None if there is none."""
    return tx.one(IncidentPost, _REMOVE, incident_id=incident_id, recipient=recipient)


def mark_owed(tx: Transaction, row_id: int) -> bool:
    """Record that a post must be sent or edited; False if that is enqueued already."""
    return tx.count(_MARK_OWED, row_id=row_id) == 1


def mark_current(tx: Transaction, row_id: int, now: datetime) -> None:
    """Record that what was enqueued is being sent: the next change needs another edit."""
    tx.run(_MARK_CURRENT, row_id=row_id, new_edited_at=now)


def save(tx: Transaction, post: IncidentPost) -> None:
    """Save where a post is, and its stage."""
    tx.run(
        _SAVE, row_id=post.id, new_channel=post.channel, new_ts=post.ts, new_old_ts=post.old_ts, new_stage=post.stage
    )


def find_stalest(tx: Transaction, before: datetime) -> IncidentPost | None:
    """The post that was checked longest ago, if before a moment."""
    return tx.one(IncidentPost, _STALEST, before=before)


def save_checked(tx: Transaction, row_id: int, now: datetime) -> None:
    """Record that a post was checked, or is about to be."""
    tx.run(_SAVE_CHECKED, row_id=row_id, new_checked_at=now)


MOST_LISTED = 50
"""Of each kind, what a digest looks at. It names a few and counts the rest up to here."""

_PUBLISHED = Statement(
    select(*columns_of(_incident, Incident))
    .where(
        _incident.c.team == bindparam("team"),
        POSTMORTEM_PUBLISHED,
        _incident.c.published_at >= bindparam("since", type_=_incident.c.published_at.type),
    )
    .order_by(_incident.c.published_at.desc())
    .limit(MOST_LISTED)
)
# As a literal, or the partial index is not used (see `partial_index`).
_is_overdue = and_(_action.c.status == literal_column("'open'"), _action.c.overdue_at <= bindparam("now"))
_OVERDUE = Statement(
    select(func.count(_action.c.id), *columns_of(_incident, Incident))
    .join_from(_action, _incident, _action.c.incident_id == _incident.c.id)
    .where(_incident.c.team == bindparam("team"), _is_overdue)
    .group_by(*columns_of(_incident, Incident))
    .order_by(func.count(_action.c.id).desc(), _incident.c.number.desc())
    .limit(MOST_LISTED)
)


def list_published(tx: Transaction, team: str, since: datetime) -> tuple[Incident, ...]:
    """Incidents whose postmortem was published since a moment, the latest first."""
    return tx.all(Incident, _PUBLISHED, team=team, since=since)


def list_overdue(tx: Transaction, team: str, now: datetime) -> tuple[tuple[Incident, int], ...]:
    """Incidents with overdue actions, and how many each has; the most first."""
    return tuple((Incident(*row[1:]), row[0]) for row in tx.rows(_OVERDUE, team=team, now=now))
