"""Files of captured messages: a queue until they are fetched, then stored with their entry or refused."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from sqlalchemy import bindparam, false, func, literal, select, true, update

from bot.domain.records import Attachment, AttachmentState
from storage.database.statements import Statement, Transaction, insert_into, table_of
from storage.queues import QueueStatements
from storage.tables.record import ATTACHMENT_WANTED, AttachmentRow, EntryRow

_attachment = table_of(AttachmentRow)
_entry = table_of(EntryRow)
_LISTED = tuple(_attachment.c[field.name] for field in fields(Attachment) if field.name != "content")

_ADD = Statement(insert_into(_attachment))
_QUEUE = QueueStatements(
    _attachment,
    (*_LISTED, _attachment.c.attempts),
    ATTACHMENT_WANTED,
    AttachmentState.WANTED,
    settled={
        **{
            name: bindparam(f"new_{name}", type_=_attachment.c[name].type)
            for name in ("state", "note", "media_type", "size", "content", "due_at")
        },
        "lease_owner": "",
    },
)
_of_entry = _attachment.c.entry_id == bindparam("of_entry")
_OF_ENTRY = Statement(select(*_LISTED).where(_of_entry).order_by(_attachment.c.id))
_DROP = Statement(
    update(_attachment)
    .where(_of_entry)
    .values(
        state=AttachmentState.REFUSED,
        note=bindparam("new_note"),
        # An attempt that is under way loses its lease, so that what was redacted is not stored after all.
        lease_owner=literal(""),
        address=literal(""),
        content=bindparam("new_content", type_=_attachment.c.content.type),
    )
)
_of_incident = (_entry.c.incident_id == bindparam("incident_id"), _entry.c.struck == false())
_joined = _attachment.join(_entry, _attachment.c.entry_id == _entry.c.id)
_ALL = Statement(select(*_LISTED).select_from(_joined).where(*_of_incident).order_by(_attachment.c.id))
_ALL_WITH_CONTENT = Statement(
    select(*_LISTED, _attachment.c.content).select_from(_joined).where(*_of_incident).order_by(_attachment.c.id)
)
_OF_STRUCK = Statement(
    select(*_LISTED)
    .select_from(_joined)
    .where(_entry.c.incident_id == bindparam("incident_id"), _entry.c.struck == true())
    .order_by(_attachment.c.id)
)
# Without refused files: they hold no bytes. Those still to be fetched count, or many at once would pass the limit.
_KEPT_SIZE = Statement(
    select(func.coalesce(func.sum(_attachment.c.size), 0))
    .select_from(_joined)
    .where(_entry.c.incident_id == bindparam("incident_id"), _attachment.c.state != AttachmentState.REFUSED)
)


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A file to be fetched from `address`; with a `note` it is refused at once, for that reason."""

    name: str
    media_type: str
    size: int
    address: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ClaimedAttachment:
    """A file that is ours to fetch until its lease ends; `attempts` counts this one."""

    attachment: Attachment
    attempts: int


def enqueue(tx: Transaction, entry_id: int, new: NewAttachment, now: datetime) -> None:
    """Enqueue a file, in the transaction of its entry."""
    tx.has_enqueued = True
    tx.run(
        _ADD,
        entry_id=entry_id,
        name=new.name,
        media_type=new.media_type,
        size=new.size,
        address=new.address,
        state=AttachmentState.REFUSED if new.note else AttachmentState.WANTED,
        note=new.note,
        content=b"",
        due_at=now,
        attempts=0,
        lease_owner="",
    )


def next_due(tx: Transaction) -> datetime | None:
    """Find when the next file is to be fetched; None if none is waiting."""
    return _QUEUE.next_due(tx)


def claim(tx: Transaction, owner: str, now: datetime, lease: timedelta, most: int) -> tuple[ClaimedAttachment, ...]:
    """Claim what is due, so that no other process fetches it before the lease ends."""
    claimed = _QUEUE.due(
        tx, lambda *row: ClaimedAttachment(Attachment(*row[:-1]), row[-1] + 1), now, most, locking=True
    )
    for one in claimed:
        _QUEUE.claim(tx, one.attachment.id, owner, now + lease)
    return claimed


def settle(tx: Transaction, attachment: Attachment, owner: str, due_at: datetime) -> bool:
    """Write an attempt's outcome, `attachment` as it is now; False if the lease was lost meanwhile.

    A file that is still wanted is due again at `due_at`.
    """
    return _QUEUE.settle(
        tx,
        attachment.id,
        owner,
        new_state=attachment.state,
        new_note=attachment.note,
        new_media_type=attachment.media_type,
        new_size=attachment.size,
        new_content=attachment.content,
        new_due_at=due_at,
    )


def list_by_incident(tx: Transaction, incident_id: int, *, with_content: bool = False) -> tuple[Attachment, ...]:
    """List the files of the active entries, in the order in which they were captured."""
    rows = tx.rows(_ALL_WITH_CONTENT if with_content else _ALL, incident_id=incident_id)
    return tuple(Attachment(*row) for row in rows)


def list_of_struck(tx: Transaction, incident_id: int) -> tuple[Attachment, ...]:
    """List the files of struck entries, without their content."""
    return tuple(Attachment(*row) for row in tx.rows(_OF_STRUCK, incident_id=incident_id))


def list_by_entry(tx: Transaction, entry_id: int) -> tuple[Attachment, ...]:
    """List the files of one entry, without their content."""
    return tuple(Attachment(*row) for row in tx.rows(_OF_ENTRY, of_entry=entry_id))


def list_names(tx: Transaction, entry_id: int) -> tuple[str, ...]:
    """List the names of an entry's files that are stored, or still to be fetched."""
    return tuple(file.name for file in list_by_entry(tx, entry_id) if file.state is not AttachmentState.REFUSED)


def discard(tx: Transaction, entry_id: int, note: str) -> None:
    """Delete the content of an entry's files and fetch none of them again; their names stay, with the note."""
    tx.run(_DROP, of_entry=entry_id, new_note=note, new_content=b"")


def sum_sizes(tx: Transaction, incident_id: int) -> int:
    """Sum the bytes of an incident's files, also of those still to be fetched."""
    row = tx.row(_KEPT_SIZE, incident_id=incident_id)
    return int(row[0]) if row else 0
