"""The sections of a postmortem, the edits of its drafts, and the copies of its document in other systems.

Every version of a section and of an edit is kept. A copy records how each of its regions was last written, so that an
edit made over there is recognised.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import bindparam, func, select, update

from bot.domain.postmortem import RegionMark
from bot.domain.records import EditedRegion, EditOrigin, SectionText
from storage.database.statements import (
    Statement,
    Transaction,
    columns_of,
    insert_into,
    table_of,
    upsert_into,
    values_of,
)
from storage.tables.record import CopyRow, KeptRegionRow, SectionRow

_section = table_of(SectionRow)
_ADD = Statement(insert_into(_section))
_ALL = Statement(
    select(*columns_of(_section, SectionText))
    .where(_section.c.incident_id == bindparam("incident_id"))
    .order_by(_section.c.section, _section.c.version)
)
_REDACT = Statement(
    update(_section)
    .where(
        _section.c.incident_id == bindparam("incident_id"),
        _section.c.section == bindparam("slug"),
        _section.c.version == bindparam("of_version"),
    )
    .values(text=bindparam("new_text", type_=_section.c.text.type))
)


def list_latest(tx: Transaction, incident_id: int) -> dict[str, SectionText]:
    """The last version of every section that is not empty, by slug."""
    last = {slug: versions[-1] for slug, versions in list_versions(tx, incident_id).items()}
    return {slug: section for slug, section in last.items() if section.text}


def list_versions(tx: Transaction, incident_id: int) -> dict[str, tuple[SectionText, ...]]:
    """Every version of every section, by slug, first to last."""
    saved = tx.all(SectionText, _ALL, incident_id=incident_id)
    return {slug: tuple(versions) for slug, versions in groupby(saved, key=lambda section: section.section)}


def list_versions_of(tx: Transaction, incident_id: int, slug: str) -> tuple[SectionText, ...]:
    """Every version of one section, first to last."""
    return list_versions(tx, incident_id).get(slug, ())


def save(tx: Transaction, incident_id: int, slug: str, text: str, author: str, now: datetime) -> None:
    """Save a section as a new version; an empty text blanks it."""
    version = len(list_versions_of(tx, incident_id, slug)) + 1
    tx.note(incident_id, f"section {slug}")
    tx.run(_ADD, incident_id=incident_id, section=slug, text=text, author=author, saved_at=now, version=version)


def redact(tx: Transaction, incident_id: int, clean: Callable[[str], str], by: str, now: datetime) -> tuple[str, ...]:
    """Replace the text of every version of every section by what `clean` makes of it; the slugs of those it changed.

    `clean` must leave "[redacted]" in a text that it changes: the triggers refuse every other change.
    """
    changed: list[str] = []
    before = list_latest(tx, incident_id)
    for saved in tx.all(SectionText, _ALL, incident_id=incident_id):
        text = clean(saved.text)
        if text != saved.text:
            changed.append(saved.section)
            tx.run(_REDACT, incident_id=incident_id, slug=saved.section, of_version=saved.version, new_text=text)
    for slug in dict.fromkeys(changed):
        tx.note(incident_id, f"section {slug}")
        # A new version makes a form that was opened before out of date, so that it shows both texts. It would otherwise
        # save the secret again, unseen.
        if slug in before and clean(before[slug].text) != before[slug].text:
            save(tx, incident_id, slug, clean(before[slug].text), by, now)
    return tuple(dict.fromkeys(changed))


_edit = table_of(KeptRegionRow)
_ADD_EDIT = Statement(insert_into(_edit))
_ALL_EDITS = Statement(
    select(*columns_of(_edit, EditedRegion))
    .where(_edit.c.incident_id == bindparam("incident_id"))
    .order_by(_edit.c.section, _edit.c.version)
)
_LAST_VERSION = Statement(
    select(func.coalesce(func.max(_edit.c.version), 0)).where(
        _edit.c.incident_id == bindparam("incident_id"), _edit.c.section == bindparam("section")
    )
)


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


def list_edits(tx: Transaction, incident_id: int) -> tuple[EditedRegion, ...]:
    """Every text of every region, by region and version."""
    return tx.all(EditedRegion, _ALL_EDITS, incident_id=incident_id)


def add_edit(tx: Transaction, incident_id: int, new: NewEdit) -> int:
    """Add a text as the region's next version, which is returned. The caller has locked the incident."""
    version = (tx.one(int, _LAST_VERSION, incident_id=incident_id, section=new.section) or 0) + 1
    tx.note(incident_id, f"draft {new.section}")
    tx.run(_ADD_EDIT, incident_id=incident_id, version=version, **values_of(new))
    return version


_copy = table_of(CopyRow)
_FIND_COPY = Statement(
    select(_copy.c.external_id, _copy.c.marks, _copy.c.revision, _copy.c.written_at).where(
        _copy.c.incident_id == bindparam("incident_id"), _copy.c.place == bindparam("place")
    )
)
_SAVE_COPY = Statement(upsert_into(_copy, ("incident_id", "place"), ("external_id", "marks", "revision", "written_at")))


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
    row = tx.row(_FIND_COPY, incident_id=incident_id, place=place)
    if row is None:
        return None
    marks = {id_: RegionMark(*mark) for id_, mark in json.loads(row[1]).items()}
    return EditedCopy(row[0], marks, row[2], row[3])


def save_copy(tx: Transaction, incident_id: int, place: str, copy: EditedCopy) -> None:
    """Save a copy as it was just written."""
    marks = json.dumps({id_: astuple(mark) for id_, mark in copy.marks.items()})
    tx.run(_SAVE_COPY, incident_id=incident_id, place=place, **values_of(copy) | {"marks": marks})
