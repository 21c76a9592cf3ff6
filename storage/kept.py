"""What people wrote into drafts that came back, every text of it."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import bindparam, func, select

from bot.incident.kept import Change, KeptRegion
from storage.statements import Statement, Transaction, insert_into
from storage.tables import KeptRegionRow, table_of

_kept = table_of(KeptRegionRow)
_ADD = Statement(insert_into(_kept))
_ALL = Statement(
    select(*(_kept.c[field.name] for field in fields(KeptRegion)))
    .where(_kept.c.incident_id == bindparam("incident_id"))
    .order_by(_kept.c.section, _kept.c.version)
)
_LATEST = Statement(
    select(func.max(_kept.c.version)).where(
        _kept.c.incident_id == bindparam("incident_id"), _kept.c.section == bindparam("section")
    )
)


@dataclass(frozen=True, slots=True)
class NewText:
    """A text to be kept; its fields are those of `KeptRegion`. `markdown` has passed the gate (`bot.incident.text`)."""

    section: str
    change: Change
    markdown: str
    facts: str
    seen: int
    author: str
    source: str
    saved_at: datetime
    draft: str = ""


def of_incident(tx: Transaction, incident_id: int) -> tuple[KeptRegion, ...]:
    """Every text of every region, by region and version."""
    return tuple(KeptRegion(*row) for row in tx.rows(_ALL, incident_id=incident_id))


def latest(tx: Transaction, incident_id: int, section: str) -> int:
    """The version of a region's last text; 0 where it has none."""
    row = tx.row(_LATEST, incident_id=incident_id, section=section)
    return int(row[0] or 0) if row else 0


def add(tx: Transaction, incident_id: int, new: NewText) -> int:
    """Keep a text as the region's next version, and tell which. The caller has locked the incident."""
    version = latest(tx, incident_id, new.section) + 1
    tx.note(incident_id, f"draft {new.section}")
    values = {field.name: getattr(new, field.name) for field in fields(NewText)}
    tx.run(_ADD, incident_id=incident_id, version=version, **values)
    return version
