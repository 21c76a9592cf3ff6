"""The sections of a postmortem, the edits of its drafts, and the copies of its document in other systems.

Every version of a section and of an edit is kept. A copy records how each of its regions was last written, so that an
edit made over there is recognised.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.domain.postmortem import RegionMark
from bot.domain.records import EditedRegion, EditOrigin, SectionText
from storage.database.statements import Statement, Transaction, insert_into
from storage.tables import CopyRow, KeptRegionRow, SectionRow, table_of

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


def list_edits(tx: Transaction, incident_id: int) -> tuple[EditedRegion, ...]:
    """Every text of every region, by region and version."""
    return tuple(EditedRegion(*row) for row in tx.rows(_ALL_REGIONS, incident_id=incident_id))


def find_last_edit(tx: Transaction, incident_id: int, section: str) -> int:
    """The version of a region's last text; 0 if it has none."""
    row = tx.row(_LATEST, incident_id=incident_id, section=section)
    return int(row[0] or 0) if row else 0


def add_edit(tx: Transaction, incident_id: int, new: NewEdit) -> int:
    """Add a text as the region's next version, which is returned. The caller has locked the incident."""
    version = find_last_edit(tx, incident_id, new.section) + 1
    tx.note(incident_id, f"draft {new.section}")
    values = {field.name: getattr(new, field.name) for field in fields(NewEdit)}
    tx.run(_ADD_REGION, incident_id=incident_id, version=version, **values)
    return version


_section = table_of(SectionRow)
_COLUMNS = tuple(_section.c[field.name] for field in fields(SectionText))
_ADD = Statement(insert_into(_section))
_ALL = Statement(
    select(*_COLUMNS)
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
    saved = {row[1]: SectionText(*row) for row in tx.rows(_ALL, incident_id=incident_id)}
    return {slug: section for slug, section in saved.items() if section.text}


def list_versions(tx: Transaction, incident_id: int) -> dict[str, tuple[SectionText, ...]]:
    """Every version of every section, by slug, first to last."""
    found: dict[str, tuple[SectionText, ...]] = {}
    for row in tx.rows(_ALL, incident_id=incident_id):
        found[row[1]] = (*found.get(row[1], ()), SectionText(*row))
    return found


def list_versions_of(tx: Transaction, incident_id: int, slug: str) -> tuple[SectionText, ...]:
    """Every version of one section, first to last."""
    return tuple(SectionText(*row) for row in tx.rows(_ALL, incident_id=incident_id) if row[1] == slug)


def save(tx: Transaction, incident_id: int, slug: str, text: str, author: str, now: datetime) -> None:
    """Save a section as a new version; an empty text blanks it."""
    version = len(list_versions_of(tx, incident_id, slug)) + 1
    tx.note(incident_id, f"section {slug}")
    tx.run(_ADD, incident_id=incident_id, section=slug, text=text, author=author, saved_at=now, version=version)


def redact(tx: Transaction, incident_id: int, clean: Callable[[str], str], by: str, now: datetime) -> tuple[str, ...]:
    """Replace the text of every saving of every section by what `clean` makes of it; the slugs of those it changed.

    A changed latest version is saved again in the name of the person who redacts: a form that is still open then shows
    both texts, and cannot bring the secret back unseen. `clean` must leave "[redacted]" in a text that it changes.
    """
    changed: list[str] = []
    before = list_latest(tx, incident_id)
    for row in tx.rows(_ALL, incident_id=incident_id):
        saved = SectionText(*row)
        text = clean(saved.text)
        if text != saved.text:
            changed.append(saved.section)
            tx.run(_REDACT, incident_id=incident_id, slug=saved.section, of_version=saved.version, new_text=text)
    for slug in dict.fromkeys(changed):
        tx.note(incident_id, f"section {slug}")
        if slug in before and clean(before[slug].text) != before[slug].text:
            save(tx, incident_id, slug, clean(before[slug].text), by, now)
    return tuple(dict.fromkeys(changed))
