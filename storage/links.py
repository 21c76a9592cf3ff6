"""The sync rows, one for each thing and system, and the accounts that people chose in other systems.

A row says that the system is behind, not what to send. However often a thing changes meanwhile, one call brings the
system up to date, and a call that is repeated after a crash finds it so
(docs/decisions/0021-one-sync-row-per-thing-and-system.md).
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Text, and_, bindparam, case, cast, func, literal, or_, select, true, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.domain.records import ActionStatus, Status, System
from storage.database.statements import Statement, Transaction, columns_of, table_of, upsert_into, values_of
from storage.queues import QueueStatements, SyncState
from storage.tables.queues import LINK_OWED, AccountRow, LinkRow
from storage.tables.record import ActionRow, IncidentRow

_link = table_of(LinkRow)


@dataclass(frozen=True, slots=True)
class Link:
    """One thing of ours in one other system.

    `subject` names it (`INC-1 action 3`, `INC-1 incident`). `external_id` and `url` are empty until it exists in the
    system; `status` is the system's own word; `memo` belongs to the system's sync alone. `due_at` is when to call, or
    the end of the lease while `state` is CALLING. `wanted` counts the changes. `is_unsure`: an earlier attempt may have
    taken effect. `is_told`: people were notified of a failure, but not yet of the recovery. `attempts` counts from the
    last change, or from a person's retry.
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
    """Names a link: a thing of an incident, and a system."""

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


_COLUMNS = columns_of(_link, Link)
_SETTLED = tuple(field.name for field in fields(LinkOutcome))
_KEY = tuple(field.name for field in fields(LinkKey))
_when = bindparam("now", type_=_link.c.due_at.type)
_by_id = update(_link).where(_link.c.id == bindparam("row_id"))
_NEW = {
    **{name: bindparam(name) for name in _KEY},
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
_CHANGED = {
    "wanted": _link.c.wanted + 1,
    "state": case((_is_called, literal(SyncState.CALLING, _link.c.state.type)), else_=_PENDING),
    "due_at": case((_is_called, _link.c.due_at), else_=_when),
    "attempts": case((_is_called, _link.c.attempts), else_=0),
}
_unique = (_link.c.team, _link.c.system, _link.c.subject)
_ENQUEUE = Statement(upsert(_link).values(_NEW).on_conflict_do_update(index_elements=_unique, set_=_CHANGED))
_existing: dict[str, Any] = {"external_id": bindparam("new_id"), "url": bindparam("new_url")}
_ADD_EXISTING = Statement(
    upsert(_link)
    .values(_NEW | {"state": SyncState.IN_SYNC} | _existing)
    .on_conflict_do_update(index_elements=_unique, set_=_existing)
)
_ENQUEUE_KNOWN = Statement(
    update(_link)
    .where(*(_link.c[name] == bindparam(f"of_{name}") for name in _KEY), _link.c.state != SyncState.ABANDONED)
    .values(_CHANGED)
)
_QUEUE = QueueStatements(
    _link,
    _COLUMNS,
    LINK_OWED,
    SyncState.CALLING,
    scope=(_link.c.system == bindparam("system"),),
    settled={
        **{name: bindparam(f"new_{name}", type_=_link.c[name].type) for name in _SETTLED},
        # A change since the claim is not in what was sent, so the row is pending again.
        "state": case(
            (_link.c.wanted == bindparam("seen"), bindparam("new_state", type_=_link.c.state.type)), else_=_PENDING
        ),
        "lease_owner": "",
    },
)
_SET_STATUS = Statement(_by_id.values(status=bindparam("new_status"), synced_at=_when))
_ENQUEUE_DECISION = Statement(
    _by_id.where(_link.c.state != SyncState.CALLING).values(
        wanted=_link.c.wanted + 1,
        state=SyncState.PENDING,
        memo=bindparam("new_memo"),
        due_at=_when,
        attempts=0,
        is_told=False,
    )
)
_SET_MEMO = Statement(_by_id.values(memo=bindparam("new_memo")))
_REJECT = Statement(_by_id.values(state=SyncState.REJECTED, error=bindparam("new_error"), is_told=True, attempts=1))
_ABANDON = Statement(_by_id.values(state=SyncState.ABANDONED, error="", is_told=False))
_BY_ID_LOCKED = Statement(select(*_COLUMNS).where(_link.c.id == bindparam("row_id")).with_for_update())
_ONE = Statement(
    select(*_COLUMNS).where(
        _link.c.team == bindparam("team"),
        _link.c.system == bindparam("system"),
        _link.c.subject == bindparam("subject"),
    )
)


def enqueue(tx: Transaction, thing: LinkKey, now: datetime, memo: str = "") -> None:
    """Enqueue a sync, in the transaction that changed the thing. `memo` is set only in a new link."""
    tx.has_enqueued = True
    tx.run(_ENQUEUE, **values_of(thing), memo=memo, now=now)


def enqueue_if_known(tx: Transaction, thing: LinkKey, now: datetime) -> bool:
    """Enqueue a sync only if the link exists; returns whether it does."""
    is_known = tx.count(_ENQUEUE_KNOWN, **{f"of_{name}": getattr(thing, name) for name in _KEY}, now=now) > 0
    tx.has_enqueued = tx.has_enqueued or is_known
    return is_known


def enqueue_written(tx: Transaction, incident_id: int, now: datetime) -> None:
    """Enqueue a sync of each page and work item of an incident: texts of its record that they show were replaced."""
    for link in list_by_incident(tx, incident_id):
        if link.external_id and link.system in (System.CONFLUENCE, System.JIRA):
            enqueue_if_known(tx, LinkKey(link.team, link.system, link.subject, incident_id), now)


def enqueue_decision(tx: Transaction, link: Link, memo: str, now: datetime) -> bool:
    """Enqueue a sync with a person's decision, which is in `memo`.

    False, with nothing written, while a call is under way: its outcome would overwrite the decision.
    """
    is_taken = tx.count(_ENQUEUE_DECISION, row_id=link.id, new_memo=memo, now=now) == 1
    tx.has_enqueued = tx.has_enqueued or is_taken
    return is_taken


def add_existing(tx: Transaction, thing: LinkKey, external_id: str, url: str, now: datetime) -> None:
    """Add a link to something that already exists in the system; it needs no call."""
    tx.run(_ADD_EXISTING, **values_of(thing), memo="", now=now, new_id=external_id, new_url=url)


def due(tx: Transaction, system: str, now: datetime, most: int, *, locking: bool = True) -> tuple[Link, ...]:
    """List what is due in a system. `locking` is for a transaction that claims; a look cannot lock."""
    return _QUEUE.due(tx, Link, now, most, locking=locking, system=system)


def next_due(tx: Transaction, system: str) -> datetime | None:
    """When the next call to a system is due; None if none is waiting."""
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
    tx.run(_SET_STATUS, row_id=link.id, new_status=status, now=now)


def set_memo(tx: Transaction, link: Link, memo: str) -> None:
    """Replace the memo, outside of an attempt."""
    tx.run(_SET_MEMO, row_id=link.id, new_memo=memo)


def mark_rejected(tx: Transaction, link: Link, error: str) -> None:
    """Record, outside of an attempt, a failure that people are notified of in this transaction."""
    tx.run(_REJECT, row_id=link.id, new_error=error)


def abandon(tx: Transaction, link: Link) -> None:
    """Stop syncing a thing."""
    tx.run(_ABANDON, row_id=link.id)


def lock(tx: Transaction, link: Link) -> Link | None:
    """Read the link again and lock its row until the transaction ends: another process may have changed it."""
    return tx.one(Link, _BY_ID_LOCKED, row_id=link.id)


def find(tx: Transaction, team: str, system: str, subject: str) -> Link | None:
    """Find the link of one thing; None if it was never enqueued for that system."""
    return tx.one(Link, _ONE, team=team, system=system, subject=subject)


_incident = table_of(IncidentRow)
_action = table_of(ActionRow)

_OF_INCIDENT = Statement(
    select(*_COLUMNS).where(_link.c.incident_id == bindparam("incident_id")).order_by(_link.c.system, _link.c.id)
)
_of_system = _link.c.system == bindparam("system")
_exists = (_of_system, _link.c.external_id != "", _link.c.state != SyncState.ABANDONED)
_EXISTING = Statement(select(*_COLUMNS).where(*_exists).order_by(_link.c.id))
_with_incident = (
    select(*_COLUMNS).join_from(_link, _incident, _link.c.incident_id == _incident.c.id).order_by(_link.c.id)
)
_OF_OPEN_INCIDENTS = Statement(_with_incident.where(*_exists, _incident.c.status != Status.RESOLVED))
# A subject ends with the action's number: there is no column for it, because links are of other things as well.
_of_its_number = _link.c.subject.like(literal("% action ") + cast(_action.c.number, Text))
_OF_LIVE_ACTIONS = Statement(
    select(*_COLUMNS)
    .join_from(_link, _action, and_(_link.c.incident_id == _action.c.incident_id, _of_its_number))
    .where(
        *_exists,
        or_(
            _action.c.status == ActionStatus.OPEN,
            and_(_action.c.status == ActionStatus.DONE, _action.c.closed_at >= bindparam("since")),
        ),
    )
    .order_by(_link.c.id)
)
_BY_EXTERNAL_ID = Statement(
    select(*_COLUMNS)
    .where(
        _link.c.system == bindparam("system"),
        _link.c.external_id == bindparam("external_id"),
        _link.c.state != SyncState.ABANDONED,
    )
    .order_by(_link.c.id)
    .limit(1)
)
_of_team = _link.c.team == bindparam("team")
_is_failing = (
    _of_team,
    _link.c.error != "",
    or_(_link.c.state == SyncState.REJECTED, _link.c.state == SyncState.PENDING, _link.c.state == SyncState.CALLING),
)
_FAILING = Statement(select(*_COLUMNS).where(*_is_failing).order_by(_link.c.system, _link.c.id))
_of_channel = _with_incident.where(_of_system, _incident.c.channel == bindparam("channel"))
_FAILING_IN = Statement(_of_channel.where(*_is_failing))
_RECOVERED_IN = Statement(_of_channel.where(_of_team, _link.c.state == SyncState.IN_SYNC, _link.c.is_told == true()))
_LAST_DUE = Statement(select(func.max(_link.c.due_at)).where(LINK_OWED, _of_system))
_BRING_FORWARD = Statement(
    update(_link)
    .where(LINK_OWED, _of_system, _link.c.due_at > bindparam("beyond", type_=_link.c.due_at.type))
    .values(due_at=_when)
)
_MARK_REPORTED = Statement(_by_id.values(is_told=False))
_COUNTS = Statement(
    select(_link.c.system, _link.c.state, func.count(), func.max(_link.c.synced_at))
    .where(_of_team)
    .group_by(_link.c.system, _link.c.state)
)
# Not those that are being called: their lease would be cut short, and a second call could begin meanwhile.
_RETRY_FAILING = Statement(
    update(_link)
    .where(*_is_failing, _of_system, _link.c.state != SyncState.CALLING)
    .values(state=SyncState.PENDING, due_at=_when, attempts=0)
)


def list_by_incident(tx: Transaction, incident_id: int) -> tuple[Link, ...]:
    """List the links of an incident and its parts."""
    return tx.all(Link, _OF_INCIDENT, incident_id=incident_id)


def list_existing(tx: Transaction, system: str) -> tuple[Link, ...]:
    """List what exists in a system."""
    return tx.all(Link, _EXISTING, system=system)


def list_of_open_incidents(tx: Transaction, system: str) -> tuple[Link, ...]:
    """List what exists in a system for incidents that are not resolved."""
    return tx.all(Link, _OF_OPEN_INCIDENTS, system=system)


def list_of_live_actions(tx: Transaction, system: str, since: datetime) -> tuple[Link, ...]:
    """List what exists in a system for actions that are open, or were done at `since` or later."""
    return tx.all(Link, _OF_LIVE_ACTIONS, system=system, since=since)


def list_failing(tx: Transaction, team: str) -> tuple[Link, ...]:
    """List what is rejected, or waits after an error."""
    return tx.all(Link, _FAILING, team=team)


def find_by_external_id(tx: Transaction, system: str, external_id: str) -> Link | None:
    """Find what has this id in a system, in any workspace; None if it is not one of ours."""
    return tx.one(Link, _BY_EXTERNAL_ID, system=system, external_id=external_id)


def list_failing_in(tx: Transaction, team: str, system: str, channel: str) -> tuple[Link, ...]:
    """List what a system rejected of a channel's incidents, or what waits after an error."""
    return tx.all(Link, _FAILING_IN, team=team, system=system, channel=channel)


def list_recovered_in(tx: Transaction, team: str, system: str, channel: str) -> tuple[Link, ...]:
    """List what works again of a channel's incidents, if the channel was notified only of the failure."""
    return tx.all(Link, _RECOVERED_IN, team=team, system=system, channel=channel)


def mark_recovery_reported(tx: Transaction, recovered: tuple[Link, ...]) -> None:
    """Record that the channel was notified of the recovery of these."""
    for link in recovered:
        tx.run(_MARK_REPORTED, row_id=link.id)


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
    touched = tx.count(_RETRY_FAILING, team=team, system=system, now=now)
    tx.has_enqueued = tx.has_enqueued or touched > 0
    return touched


def last_due(tx: Transaction, system: str) -> datetime | None:
    """When the last waiting call to a system is due; None if none is waiting."""
    row = tx.row(_LAST_DUE, system=system)
    return row[0] if row else None


def bring_forward(tx: Transaction, system: str, beyond: datetime, now: datetime) -> int:
    """Make due now what is due later than `beyond` in a system; returns how many.

    For what was put off by a clock that was ahead (docs/decisions/0027-one-worker-per-system.md).
    """
    return tx.count(_BRING_FORWARD, system=system, beyond=beyond, now=now)


_account = table_of(AccountRow)
_SET_ACCOUNT = Statement(upsert_into(_account, ("team", "system", "user"), ("account", "chosen_by", "chosen_at")))
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
    tx.run(_SET_ACCOUNT, team=team, system=system, user=user, account=account, chosen_by=by, chosen_at=at)


def find_account(tx: Transaction, team: str, system: str, user: str | None) -> str:
    """Find the account that was chosen for a Slack person; empty if none was."""
    return (tx.one(str, _ACCOUNT_OF, team=team, system=system, user=user) or "") if user else ""


def list_accounts(tx: Transaction, team: str, system: str) -> dict[str, str]:
    """List the accounts that were chosen in a workspace, by Slack user id."""
    return {str(user): str(account) for user, account in tx.rows(_CHOSEN, team=team, system=system)}
