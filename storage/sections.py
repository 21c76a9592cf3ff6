"""What people wrote into the sections of a postmortem; every version is kept."""

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime

from sqlalchemy import bindparam, select, update

from bot.domain.records import SectionText
from storage.database.statements import Statement, Transaction, insert_into
from storage.tables import SectionRow, table_of

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
