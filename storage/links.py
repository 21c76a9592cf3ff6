"""The sync rows: one for each thing of ours in another system, and the accounts that people chose there.

A row says that the system is behind, not what to send: however often a thing changes meanwhile, one call brings the
system up to date, and a call that is repeated after a crash finds it up to date.
"""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Text, and_, bindparam, case, cast, func, literal, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.domain.records import ActionStatus, Status
from storage.database.statements import Statement, Transaction, table_of
from storage.queues import QueueStatements, SyncState
from storage.tables.queues import LINK_OWED, AccountRow, LinkRow
from storage.tables.record import ActionRow, IncidentRow

_link = table_of(LinkRow)


@dataclass(frozen=True, slots=True)
class Link:
    """One thing of ours in one other system.

    `subject` names it (`INC-1 action 3`, `INC-1 incident`). `external_id` and `url` are empty until it exists there,
    `status` is the system's own word, `memo` is for the sync handler alone. `due_at` is when to call, or the end of the
    lease while `state` is CALLING. `wanted` counts the changes. `is_unsure`: an earlier attempt may have taken effect.
    `is_told`: people heard of a failure, and not yet that it is over. `attempts` counts from the last change, or from
    when a person tried again.
    """

    id: int
    team: str
    system: str
    subject: str
    incident_id: int
    external_id: str
    url: str
    status: str
    memo: str
    state: SyncState
    wanted: int
    due_at: datetime
    attempts: int
    is_unsure: bool
    lease_owner: str
    error: str
    is_told: bool
    synced_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinkKey:
    """Names a link: a thing of an incident, in a system."""

    team: str
    system: str
    subject: str
    incident_id: int


@dataclass(frozen=True, slots=True)
class LinkOutcome:
    """The outcome of an attempt: everything that it changes in the link."""

    state: SyncState
    due_at: datetime
    external_id: str
    url: str
    status: str
    memo: str
    attempts: int
    is_unsure: bool
    error: str
    is_told: bool
    synced_at: datetime | None


COLUMNS = tuple(_link.c[field.name] for field in fields(Link))
_SETTLED = tuple(field.name for field in fields(LinkOutcome))
_when = bindparam("now", type_=_link.c.due_at.type)
_NEW = {
    **{name: bindparam(name) for name in ("team", "system", "subject", "incident_id")},
    **dict.fromkeys(("external_id", "url", "status", "lease_owner", "error"), ""),
    "memo": bindparam("memo"),
    "state": SyncState.PENDING,
    "wanted": 1,
    "attempts": 0,
    "is_unsure": False,
    "is_told": False,
    "due_at": _when,
    "created_at": _when,
    "synced_at": None,
}
_is_called = _link.c.state == SyncState.CALLING
_PENDING = literal(SyncState.PENDING, _link.c.state.type)
# A lease is not cut short by a change: its worker sees the higher `wanted` when it settles, and the row stays pending.
_PENDING_UNLESS_CALLED = case((_is_called, literal(SyncState.CALLING, _link.c.state.type)), else_=_PENDING)
_WANT = Statement(
    upsert(_link)
    .values(_NEW)
    .on_conflict_do_update(
        index_elements=[_link.c.team, _link.c.system, _link.c.subject],
        set_={
            "wanted": _link.c.wanted + 1,
            "state": _PENDING_UNLESS_CALLED,
            "due_at": case((_is_called, _link.c.due_at), else_=_when),
            "attempts": case((_is_called, _link.c.attempts), else_=0),
        },
    )
)
_STAND = Statement(
    upsert(_link)
    .values(_NEW | {"state": SyncState.IN_SYNC, "external_id": bindparam("new_id"), "url": bindparam("new_url")})
    .on_conflict_do_update(
        index_elements=[_link.c.team, _link.c.system, _link.c.subject],
        set_={"external_id": bindparam("new_id"), "url": bindparam("new_url")},
    )
)
_BUMP = Statement(
    update(_link)
    .where(
        _link.c.team == bindparam("in_team"),
        _link.c.system == bindparam("in_system"),
        _link.c.subject == bindparam("of_subject"),
        _link.c.incident_id == bindparam("of_incident"),
        _link.c.state != SyncState.ABANDONED,
    )
    .values(
        wanted=_link.c.wanted + 1,
        state=_PENDING_UNLESS_CALLED,
        due_at=case((_is_called, _link.c.due_at), else_=bindparam("now", type_=_link.c.due_at.type)),
        attempts=case((_is_called, _link.c.attempts), else_=0),
    )
)
_QUEUE = QueueStatements(
    _link,
    COLUMNS,
    LINK_OWED,
    SyncState.CALLING,
    scope=(_link.c.system == bindparam("system"),),
    settled={
        **{name: bindparam(f"new_{name}", type_=_link.c[name].type) for name in _SETTLED},
        # What changed since the row was claimed is not in what was brought there: the row is pending again.
        "state": case(
            (_link.c.wanted == bindparam("seen"), bindparam("new_state", type_=_link.c.state.type)), else_=_PENDING
        ),
        "lease_owner": "",
    },
)
_REMARK = Statement(
    update(_link)
    .where(_link.c.id == bindparam("row_id"))
    .values(status=bindparam("new_status"), synced_at=bindparam("now", type_=_link.c.synced_at.type))
)
_ORDER = Statement(
    update(_link)
    .where(_link.c.id == bindparam("row_id"), _link.c.state != SyncState.CALLING)
    .values(
        wanted=_link.c.wanted + 1,
        state=SyncState.PENDING,
        memo=bindparam("new_memo"),
        due_at=bindparam("now", type_=_link.c.due_at.type),
        attempts=0,
        is_told=False,
    )
)
_REMEMBER = Statement(update(_link).where(_link.c.id == bindparam("row_id")).values(memo=bindparam("new_memo")))
_REFUSE = Statement(
    update(_link)
    .where(_link.c.id == bindparam("row_id"))
    .values(state=SyncState.REJECTED, error=bindparam("new_error"), is_told=True, attempts=1)
)
_RELEASE = Statement(
    update(_link).where(_link.c.id == bindparam("row_id")).values(state=SyncState.ABANDONED, error="", is_told=False)
)
_BY_ID_LOCKED = Statement(select(*COLUMNS).where(_link.c.id == bindparam("row_id")).with_for_update())
_OF = Statement(
    select(*COLUMNS).where(
        _link.c.team == bindparam("team"),
        _link.c.system == bindparam("system"),
        _link.c.subject == bindparam("subject"),
    )
)


def enqueue(tx: Transaction, thing: LinkKey, now: datetime, memo: str = "") -> None:
    """Enqueue a sync, in the transaction of what changed the thing. `memo` is set if the link is new."""
    tx.has_enqueued = True
    tx.run(_WANT, **{field.name: getattr(thing, field.name) for field in fields(thing)}, memo=memo, now=now)


def enqueue_if_known(tx: Transaction, thing: LinkKey, now: datetime) -> bool:
    """Enqueue a sync only if the link exists; returns whether it does."""
    touched = tx.run(
        _BUMP,
        in_team=thing.team,
        in_system=thing.system,
        of_subject=thing.subject,
        of_incident=thing.incident_id,
        now=now,
    )
    tx.has_enqueued = tx.has_enqueued or touched > 0
    return touched > 0


def enqueue_decision(tx: Transaction, link: Link, memo: str, now: datetime) -> bool:
    """Enqueue a sync with a person's decision, which is in `memo`.

    False, with nothing written, while a call is under way: its outcome would overwrite the decision.
    """
    is_taken = tx.run(_ORDER, row_id=link.id, new_memo=memo, now=now) == 1
    tx.has_enqueued = tx.has_enqueued or is_taken
    return is_taken


def add_existing(tx: Transaction, thing: LinkKey, external_id: str, url: str, now: datetime) -> None:
    """Add a link to something that others created there; it needs no call."""
    given = {field.name: getattr(thing, field.name) for field in fields(thing)}
    tx.run(_STAND, **given, memo="", now=now, new_id=external_id, new_url=url)


def due(tx: Transaction, system: str, now: datetime, most: int, *, locking: bool = True) -> tuple[Link, ...]:
    """List what is due in a system. Locking is for a transaction that claims; a reader leaves it out."""
    return _QUEUE.due(tx, Link, now, most, locking=locking, system=system)


def next_due(tx: Transaction, system: str) -> datetime | None:
    """Find when the next call to a system is due; None if none is waiting."""
    return _QUEUE.next_due(tx, system=system)


def claim(tx: Transaction, link: Link, owner: str, lease_until: datetime) -> None:
    """Lease a due link to `owner`."""
    _QUEUE.claim(tx, link.id, owner, lease_until)


def settle(tx: Transaction, link: Link, owner: str, settled: LinkOutcome) -> bool:
    """Write an attempt's outcome; False, with nothing written, if the lease was lost meanwhile."""
    values = {f"new_{name}": getattr(settled, name) for name in _SETTLED}
    return _QUEUE.settle(tx, link.id, owner, seen=link.wanted, **values)


def set_status(tx: Transaction, link: Link, status: str, now: datetime) -> None:
    """Record the status that was read from the system."""
    tx.run(_REMARK, row_id=link.id, new_status=status, now=now)


def set_memo(tx: Transaction, link: Link, memo: str) -> None:
    """Replace the memo, outside of an attempt."""
    tx.run(_REMEMBER, row_id=link.id, new_memo=memo)


def mark_rejected(tx: Transaction, link: Link, error: str) -> None:
    """Record, outside of an attempt, a failure that people are told of now."""
    tx.run(_REFUSE, row_id=link.id, new_error=error)


def abandon(tx: Transaction, link: Link) -> None:
    """Stop syncing a thing."""
    tx.run(_RELEASE, row_id=link.id)


def lock(tx: Transaction, link: Link) -> Link | None:
    """Read the link again and lock its row until the transaction ends: another process may have changed it."""
    return tx.one(Link, _BY_ID_LOCKED, row_id=link.id)


def find(tx: Transaction, team: str, system: str, subject: str) -> Link | None:
    """Find the link of one thing; None if it was never enqueued for that system."""
    return tx.one(Link, _OF, team=team, system=system, subject=subject)


_incident = table_of(IncidentRow)
_action = table_of(ActionRow)

_OF_INCIDENT = Statement(
    select(*COLUMNS).where(_link.c.incident_id == bindparam("incident_id")).order_by(_link.c.system, _link.c.id)
)
_stands = (_link.c.system == bindparam("system"), _link.c.external_id != "", _link.c.state != SyncState.ABANDONED)
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
        _link.c.system == bindparam("system"),
        _link.c.external_id == bindparam("external_id"),
        _link.c.state != SyncState.ABANDONED,
    )
    .order_by(_link.c.id)
    .limit(1)
)
_in_trouble = (
    _link.c.team == bindparam("team"),
    _link.c.error != "",
    or_(_link.c.state == SyncState.REJECTED, _link.c.state == SyncState.PENDING, _link.c.state == SyncState.CALLING),
)
_TROUBLED = Statement(select(*COLUMNS).where(*_in_trouble).order_by(_link.c.system, _link.c.id))
_in_channel = (_link.c.system == bindparam("system"), _incident.c.channel == bindparam("channel"))
_of_channel = select(*COLUMNS).join_from(_link, _incident, _link.c.incident_id == _incident.c.id).order_by(_link.c.id)
_TROUBLED_IN = Statement(_of_channel.where(*_in_trouble, *_in_channel))
_MENDED_IN = Statement(
    _of_channel.where(
        _link.c.team == bindparam("team"), _link.c.state == SyncState.IN_SYNC, _link.c.is_told == true(), *_in_channel
    )
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
        or_(_link.c.state == SyncState.REJECTED, _link.c.state == SyncState.PENDING),
    )
    .values(state=SyncState.PENDING, due_at=bindparam("now", type_=_link.c.due_at.type), attempts=0)
)


def list_by_incident(tx: Transaction, incident_id: int) -> tuple[Link, ...]:
    """List the links of an incident and its parts."""
    return tx.all(Link, _OF_INCIDENT, incident_id=incident_id)


def list_existing(tx: Transaction, system: str) -> tuple[Link, ...]:
    """List what exists in a system."""
    return tx.all(Link, _STANDING, system=system)


def list_of_open_incidents(tx: Transaction, system: str) -> tuple[Link, ...]:
    """List what exists in a system for incidents that are not resolved."""
    return tx.all(Link, _OF_OPEN_INCIDENTS, system=system)


def list_of_live_actions(tx: Transaction, system: str, since: datetime) -> tuple[Link, ...]:
    """List what exists in a system for actions that are open, or were done at `since` or later."""
    return tx.all(Link, _OF_LIVE_ACTIONS, system=system, since=since)


def list_failing(tx: Transaction, team: str) -> tuple[Link, ...]:
    """List what is rejected, or waits after an error."""
    return tx.all(Link, _TROUBLED, team=team)


def find_by_external_id(tx: Transaction, system: str, external_id: str) -> Link | None:
    """Find what exists in a system under a key, in any workspace; None if it is nothing of ours."""
    return tx.one(Link, _OF_KEY, system=system, external_id=external_id)


def list_failing_in(tx: Transaction, team: str, system: str, channel: str) -> tuple[Link, ...]:
    """List what a system rejected of a channel's incidents, or what waits after an error."""
    return tx.all(Link, _TROUBLED_IN, team=team, system=system, channel=channel)


def list_recovered_in(tx: Transaction, team: str, system: str, channel: str) -> tuple[Link, ...]:
    """List what works again of a channel's incidents, while the channel has only heard of the failure."""
    return tx.all(Link, _MENDED_IN, team=team, system=system, channel=channel)


def mark_recovery_reported(tx: Transaction, mended: tuple[Link, ...]) -> None:
    """Record that the channel heard of the recovery of these."""
    for link in mended:
        tx.run(_SAID, row_id=link.id)


@dataclass(frozen=True, slots=True)
class LinkCount:
    """How many links of a system are in a state, and when the last of them was synced."""

    system: str
    state: SyncState
    count: int
    synced_at: datetime | None


def count_by_state(tx: Transaction, team: str) -> tuple[LinkCount, ...]:
    """Count a workspace's links by system and state."""
    return tx.all(LinkCount, _COUNTS, team=team)


def retry_failing(tx: Transaction, team: str, system: str, now: datetime) -> int:
    """Enqueue again what a system rejected, or what waits after an error; returns how many."""
    touched = tx.run(_AGAIN, in_team=team, in_system=system, now=now)
    tx.has_enqueued = tx.has_enqueued or touched > 0
    return touched


def last_due(tx: Transaction, system: str) -> datetime | None:
    """Find when the last waiting call to a system is due; None if none is waiting."""
    row = tx.row(_LAST, system=system)
    return row[0] if row else None


def bring_forward(tx: Transaction, system: str, beyond: datetime, now: datetime) -> int:
    """Make due now what is due later than `beyond` in a system; returns how many."""
    return tx.run(_PULL_IN, in_system=system, beyond=beyond, now=now)


_account = table_of(AccountRow)
_NAMES = ("team", "system", "user", "account", "chosen_by", "chosen_at")
_insert = upsert(_account).values({name: bindparam(name, type_=_account.c[name].type) for name in _NAMES})
_KEEP = Statement(
    _insert.on_conflict_do_update(
        index_elements=[_account.c.team, _account.c.system, _account.c.user],
        set_={name: _insert.excluded[name] for name in ("account", "chosen_by", "chosen_at")},
    )
)
_ACCOUNT_OF = Statement(
    select(_account.c.account).where(
        _account.c.team == bindparam("team"),
        _account.c.system == bindparam("system"),
        _account.c.user == bindparam("user"),
    )
)
_CHOSEN = Statement(
    select(_account.c.user, _account.c.account).where(
        _account.c.team == bindparam("team"), _account.c.system == bindparam("system")
    )
)


def set_account(tx: Transaction, team: str, system: str, user: str, account: str, chosen: tuple[str, datetime]) -> None:
    """Set a Slack person's account in a system; `chosen` is by whom and when. It wins over every look-up."""
    by, at = chosen
    tx.run(_KEEP, team=team, system=system, user=user, account=account, chosen_by=by, chosen_at=at)


def find_account(tx: Transaction, team: str, system: str, user: str | None) -> str:
    """Find the account that was chosen for a Slack person; empty if none was."""
    row = tx.row(_ACCOUNT_OF, team=team, system=system, user=user) if user else None
    return str(row[0]) if row else ""


def list_accounts(tx: Transaction, team: str, system: str) -> dict[str, str]:
    """List the accounts that were chosen in a workspace, by Slack user id."""
    return {str(user): str(account) for user, account in tx.rows(_CHOSEN, team=team, system=system)}
