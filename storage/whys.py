"""The five whys."""

from dataclasses import fields
from datetime import datetime

from sqlalchemy import bindparam, false, select

from bot.incident.records import Why
from storage.incidents import take_number
from storage.statements import Statement, Transaction, insert_into, update_by_id
from storage.tables import WhyRow, table_of

_why = table_of(WhyRow)
_COLUMNS = tuple(_why.c[field.name] for field in fields(Why))

_ADD = Statement(insert_into(_why).returning(*_COLUMNS))
_SAVE = Statement(update_by_id(_why, ("text", "is_root", "struck")))
_CHAIN = Statement(
    select(*_COLUMNS)
    .where(_why.c.incident_id == bindparam("incident_id"), _why.c.struck == false())
    .order_by(_why.c.number)
)


def add(tx: Transaction, incident_id: int, parent: int | None, text: str, author: str, now: datetime) -> Why:
    """Write the next why; `parent` is the number of the why that it explains."""
    row = tx.row(
        _ADD,
        incident_id=incident_id,
        number=take_number(tx, incident_id, "last_why"),
        parent=parent,
        text=text,
        author=author,
        recorded_at=now,
        is_root=False,
        struck=False,
    )
    assert row is not None  # noqa: S101 (RETURNING answers with the row or raises)
    why = Why(*row)
    tx.note(incident_id, f"why {why.number}")
    return why


def save(tx: Transaction, why: Why) -> None:
    """Write back a why's text, whether it is a root cause, and whether it is struck."""
    tx.note(why.incident_id, f"why {why.number}")
    tx.run(_SAVE, row_id=why.id, new_text=why.text, new_is_root=why.is_root, new_struck=why.struck)


def chain(tx: Transaction, incident_id: int) -> tuple[Why, ...]:
    """Every why that is not struck, in the order they were given."""
    return tuple(Why(*row) for row in tx.rows(_CHAIN, incident_id=incident_id))
