"""Scans of a channel's history: a row until it is done, so that a restart continues where it was.

Its two columns of JSON, `cursor` and `found`, are read and written here and nowhere else.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update

from bot.domain.similarity import Proposal, ProposalReason
from storage.database.statements import Statement, Transaction, insert_into, table_of
from storage.queues import QueueStatements, ScanState
from storage.tables.queues import LOOKBACK_GOING, LookbackRow

_lookback = table_of(LookbackRow)


@dataclass(frozen=True, slots=True)
class ScanCursor:
    """How far a scan came: before `latest` in the channel, after `behind` in the first of the `threads`.

    `app` is our own app's id, `home` the workspace's address. `skipped` counts the messages that could not be read,
    `tries` the failures since the last page. `is_through`: the channel was read to its end. `is_stuck`: no message of
    the channel's last page says where the next page begins. The names of the fields are stored.
    """

    latest: str
    app: str = ""
    home: str = ""
    threads: tuple[str, ...] = ()
    behind: str = ""
    is_through: bool = False
    is_stuck: bool = False
    skipped: int = 0
    tries: int = 0

    @property
    def is_at_the_end(self) -> bool:
        """Whether the channel and all its threads were read."""
        return self.is_through and not self.threads


@dataclass(frozen=True, slots=True)
class HistoryScan:
    """One scan: how far it came (`cursor`), what it proposes (`found`), and how many messages it read (`seen`).

    `found` is in the order of the timeline. `note` is why it failed, or what else its message says. While a process
    runs it, `due_at` is the end of the lease.
    """

    id: int
    team: str
    channel: str
    incident_id: int
    asked_by: str
    oldest: datetime
    cursor: ScanCursor
    found: tuple[Proposal, ...]
    seen: int
    state: ScanState
    note: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class NewScan:
    """A scan to run: from now back to `oldest`, ordered by a person in a channel."""

    team: str
    channel: str
    incident_id: int
    asked_by: str
    oldest: datetime
    cursor: ScanCursor


_LOOKBACK_COLUMNS = tuple(_lookback.c[field.name] for field in fields(HistoryScan))
_ADD = Statement(insert_into(_lookback).returning(_lookback.c.id))
_BY_ID = Statement(select(*_LOOKBACK_COLUMNS).where(_lookback.c.id == bindparam("row_id")))
_IS_GOING = Statement(
    select(_lookback.c.id).where(LOOKBACK_GOING, _lookback.c.incident_id == bindparam("incident_id")).limit(1)
)
_LATEST = Statement(select(func.max(_lookback.c.id)).where(_lookback.c.incident_id == bindparam("incident_id")))
_QUEUE = QueueStatements(
    _lookback,
    _LOOKBACK_COLUMNS,
    LOOKBACK_GOING,
    ScanState.RUNNING,
    settled={
        **{
            name: bindparam(f"new_{name}", type_=_lookback.c[name].type)
            for name in ("cursor", "state", "note", "due_at")
        },
        "lease_owner": "",
    },
)
_FOUND = Statement(
    select(_lookback.c.found)
    .where(_lookback.c.id == bindparam("row_id"), _lookback.c.lease_owner == bindparam("owner"))
    .with_for_update()
)
_PROGRESS = Statement(
    update(_lookback)
    .where(_lookback.c.id == bindparam("row_id"))
    .values({name: bindparam(f"new_{name}", type_=_lookback.c[name].type) for name in ("cursor", "found", "seen")})
)


def add(tx: Transaction, new: NewScan, now: datetime) -> int:
    """Enqueue a scan. Returns its row."""
    values = {field.name: getattr(new, field.name) for field in fields(new)} | {"cursor": _dump_cursor(new.cursor)}
    values |= {"found": "[]", "seen": 0, "state": ScanState.RUNNING, "note": "", "due_at": now, "lease_owner": ""}
    return tx.insert(int, _ADD, **values)


def find(tx: Transaction, row_id: int) -> HistoryScan | None:
    """One scan by its row."""
    return tx.one(_read, _BY_ID, row_id=row_id)


def is_running(tx: Transaction, incident_id: int) -> bool:
    """Whether an incident has a running scan."""
    return tx.row(_IS_GOING, incident_id=incident_id) is not None


def find_latest(tx: Transaction, incident_id: int) -> int:
    """The row of an incident's newest scan; 0 if there was none."""
    return tx.one(int, _LATEST, incident_id=incident_id) or 0


def next_due(tx: Transaction) -> datetime | None:
    """Find when the next scan continues; None if none is running."""
    return _QUEUE.next_due(tx)


def claim(tx: Transaction, owner: str, now: datetime, lease_until: datetime, most: int) -> tuple[HistoryScan, ...]:
    """Lease the scans due by now: new, done waiting, or abandoned by a process whose lease ended."""
    due = _QUEUE.due(tx, _read, now, most, locking=True)
    for scan in due:
        _QUEUE.claim(tx, scan.id, owner, lease_until)
    return due


def save_page(tx: Transaction, scan: HistoryScan, owner: str, new: Iterable[Proposal]) -> HistoryScan | None:
    """Save a page: the scan's cursor, how much it saw, and new proposals. Returns the scan; None if the lease was lost.

    What was found before is read again here: a redaction may have changed it since the scan was claimed. A reply that
    was also sent to the channel is there twice, and proposed once.
    """
    row = tx.row(_FOUND, row_id=scan.id, owner=owner)
    if row is None:
        return None
    stored = {proposal["ts"]: proposal for proposal in json.loads(row[0])}
    for one in new:
        # The first one stays: what a redaction took out of it must not come back with a second reading of the page.
        stored.setdefault(one.ts, _dump_proposal(one))
    tx.run(
        _PROGRESS,
        row_id=scan.id,
        new_cursor=_dump_cursor(scan.cursor),
        new_found=json.dumps([*stored.values()]),
        new_seen=scan.seen,
    )
    return replace(scan, found=_load_proposals(stored.values()))


def settle(tx: Transaction, scan: HistoryScan, owner: str) -> bool:
    """End a lease with the scan's cursor, state, note and `due_at`; False if the lease was lost meanwhile."""
    return _QUEUE.settle(
        tx,
        scan.id,
        owner,
        new_cursor=_dump_cursor(scan.cursor),
        new_state=scan.state,
        new_note=scan.note,
        new_due_at=scan.due_at,
    )


def _read(*row: Any) -> HistoryScan:
    values = dict(zip((field.name for field in fields(HistoryScan)), row, strict=True))
    cursor = json.loads(values["cursor"])
    cursor["threads"] = tuple(cursor.get("threads", ()))
    found = _load_proposals(json.loads(values["found"]))
    return HistoryScan(**values | {"cursor": ScanCursor(**cursor), "found": found})


def _load_proposals(stored: Iterable[dict[str, Any]]) -> tuple[Proposal, ...]:
    return tuple(sorted(map(_load_proposal, stored), key=lambda one: (one.at, one.ts)))


def _dump_cursor(cursor: ScanCursor) -> str:
    return json.dumps(asdict(cursor))


def _dump_proposal(one: Proposal) -> dict[str, Any]:
    times = {"at": one.at.isoformat(), "end": one.end.isoformat() if one.end else ""}
    return {**asdict(one), **times, "named": [at.isoformat() for at in one.named]}


def _load_proposal(stored: dict[str, Any]) -> Proposal:
    times = {
        "at": datetime.fromisoformat(stored["at"]),
        "end": datetime.fromisoformat(stored["end"]) if stored["end"] else None,
        # A scan of a version before this one names no times.
        "named": tuple(datetime.fromisoformat(at) for at in stored.get("named", ())),
    }
    files = tuple((str(name), str(kind), int(size), str(address)) for name, kind, size, address in stored["files"])
    return Proposal(**{**stored, **times, "files": files, "reason": ProposalReason(stored["reason"])})
