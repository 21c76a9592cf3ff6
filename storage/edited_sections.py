"""What people wrote into drafts that came back, and the copies of documents that other systems hold.

Of a copy it is known how each of its regions was last written there, so that an edit is recognised.
"""

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.domain.postmortem import RegionMark
from bot.domain.sections import EditedRegion, EditOrigin
from storage.database.statements import Statement, Transaction, insert_into
from storage.tables import CopyRow, KeptRegionRow, table_of

_copy = table_of(CopyRow)
_OF = (_copy.c.incident_id == bindparam("incident_id"), _copy.c.place == bindparam("place"))
_ONE = Statement(select(_copy.c.external_id, _copy.c.marks, _copy.c.revision, _copy.c.written_at).where(*_OF))
_given = ("incident_id", "place", "external_id", "marks", "revision", "written_at")
_insert = upsert(_copy).values({name: bindparam(name, type_=_copy.c[name].type) for name in _given})
_KEEP = Statement(
    _insert.on_conflict_do_update(
        index_elements=[_copy.c.incident_id, _copy.c.place],
        set_={name: _insert.excluded[name] for name in ("external_id", "marks", "revision", "written_at")},
    )
)
_kept = table_of(KeptRegionRow)
_ADD_REGION = Statement(insert_into(_kept))
_ALL_REGIONS = Statement(
    select(*(_kept.c[field.name] for field in fields(EditedRegion)))
    .where(_kept.c.incident_id == bindparam("incident_id"))
    .order_by(_kept.c.section, _kept.c.version)
)
_LATEST = Statement(
    select(func.max(_kept.c.version)).where(
        _kept.c.incident_id == bindparam("incident_id"), _kept.c.section == bindparam("section")
    )
)


@dataclass(frozen=True, slots=True)
class EditedCopy:
    """A copy of a document. `external_id` is its id there; `marks` say how each region, by its id, was last written.

    `revision` counts how often that one was written, from 1.
    """

    external_id: str
    marks: Mapping[str, RegionMark]
    revision: int
    written_at: datetime


def find_copy(tx: Transaction, incident_id: int, place: str) -> EditedCopy | None:
    """The copy of an incident's document in a place such as `canvas`."""
    row = tx.row(_ONE, incident_id=incident_id, place=place)
    if row is None:
        return None
    marks = {id_: RegionMark(*mark) for id_, mark in json.loads(row[1]).items()}
    return EditedCopy(row[0], marks, row[2], row[3])


def save_copy(tx: Transaction, incident_id: int, place: str, copy: EditedCopy) -> None:
    """Save a copy as it was just written."""
    given = {field.name: getattr(copy, field.name) for field in fields(EditedCopy)}
    marks = json.dumps({id_: astuple(mark) for id_, mark in copy.marks.items()})
    tx.run(_KEEP, incident_id=incident_id, place=place, **given | {"marks": marks})


@dataclass(frozen=True, slots=True)
class NewEdit:
    """A new text of a region; fields as in `EditedRegion`. `markdown` has passed the gate of `bot.domain.text`."""

    section: str
    change: EditOrigin
    markdown: str
    facts: str
    seen: int
    author: str
    source: str
    saved_at: datetime
    draft: str = ""


def list_all(tx: Transaction, incident_id: int) -> tuple[EditedRegion, ...]:
    """Every text of every region, by region and version."""
    return tuple(EditedRegion(*row) for row in tx.rows(_ALL_REGIONS, incident_id=incident_id))


def find_last_version(tx: Transaction, incident_id: int, section: str) -> int:
    """The version of a region's last text; 0 if it has none."""
    row = tx.row(_LATEST, incident_id=incident_id, section=section)
    return int(row[0] or 0) if row else 0


def add(tx: Transaction, incident_id: int, new: NewEdit) -> int:
    """Add a text as the region's next version, which is returned. The caller has locked the incident."""
    version = find_last_version(tx, incident_id, new.section) + 1
    tx.note(incident_id, f"draft {new.section}")
    values = {field.name: getattr(new, field.name) for field in fields(NewEdit)}
    tx.run(_ADD_REGION, incident_id=incident_id, version=version, **values)
    return version
