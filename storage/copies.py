"""Copies of documents that stand outside: which they are, and how each of their regions was left there."""

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.incident.exports import RegionMark
from storage.statements import Statement, Transaction
from storage.tables import CopyRow, table_of

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


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy: `external_id` is what the outside calls it, `marks` tell how each region, by its id, was left there.

    `revision` counts how often that one was written, from 1.
    """

    external_id: str
    marks: Mapping[str, RegionMark]
    revision: int
    written_at: datetime


def one(tx: Transaction, incident_id: int, place: str) -> Copy | None:
    """The copy of an incident's document in a place such as `canvas`."""
    row = tx.row(_ONE, incident_id=incident_id, place=place)
    if row is None:
        return None
    marks = {id_: RegionMark(*mark) for id_, mark in json.loads(row[1]).items()}
    return Copy(row[0], marks, row[2], row[3])


def keep(tx: Transaction, incident_id: int, place: str, copy: Copy) -> None:
    """Remember a copy as it was written just now, in place of what was known of it."""
    given = {field.name: getattr(copy, field.name) for field in fields(Copy)}
    marks = json.dumps({id_: astuple(mark) for id_, mark in copy.marks.items()})
    tx.run(_KEEP, incident_id=incident_id, place=place, **given | {"marks": marks})
