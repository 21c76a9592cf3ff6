"""The keys of what Slack delivered, with the reply each got: a repeat gets the same reply and has no second effect."""

from datetime import datetime

from sqlalchemy import bindparam, delete, select

from storage.statements import Statement, Transaction, insert_into
from storage.tables import InboxRow, table_of

_inbox = table_of(InboxRow)

_REPLY = Statement(select(_inbox.c.reply).where(_inbox.c.key == bindparam("key")))
_KEEP = Statement(insert_into(_inbox))
_PRUNE = Statement(delete(_inbox).where(_inbox.c.received_at < bindparam("before")))


def reply(tx: Transaction, key: str) -> str | None:
    """The reply that this delivery got before, or None where it is new."""
    row = tx.row(_REPLY, key=key)
    return row[0] if row else None


def keep(tx: Transaction, key: str, reply_text: str, now: datetime) -> None:
    """Remember the delivery and its reply, in the transaction of its effect."""
    tx.run(_KEEP, key=key, reply=reply_text, received_at=now)


def prune(tx: Transaction, before: datetime) -> int:
    """Forget deliveries that Slack can no longer repeat; how many."""
    return tx.run(_PRUNE, before=before)
