"""The five whys and their versions."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime

from sqlalchemy import bindparam, select

from bot.domain.records import Action, Why, WhyVersion
from bot.domain.whys import list_active
from storage.audit import Versions
from storage.database.statements import Statement, Transaction, insert_into, table_of, update_by_id
from storage.incidents import take_number
from storage.tables.record import ActionRow, WhyActionRow, WhyRow, WhyVersionRow

_why = table_of(WhyRow)
_link, _action = table_of(WhyActionRow), table_of(ActionRow)
_COLUMNS = tuple(_why.c[field.name] for field in fields(Why) if field.name != "actions")  # those are rows of their own
_MUTABLE = ("text", "is_root", "struck", "version")

_ADD = Statement(insert_into(_why).returning(*_COLUMNS))
_SAVE = Statement(update_by_id(_why, _MUTABLE))
_MOVE = Statement(update_by_id(_why, ("parent",)))
_ALL = Statement(select(*_COLUMNS).where(_why.c.incident_id == bindparam("incident_id")).order_by(_why.c.number))
_VERSIONS = Versions(table_of(WhyVersionRow), "why_id", WhyVersion)
_LINK = Statement(insert_into(_link))
_LINKS = Statement(
    select(_link.c.why_id, _action.c.number)
    .join_from(_why, _link, _link.c.why_id == _why.c.id)
    .join(_action, _action.c.id == _link.c.action_id)
    .where(_why.c.incident_id == bindparam("incident_id"))
    .order_by(_action.c.number)
)


def add(tx: Transaction, incident_id: int, parent: int | None, text: str, author: str, now: datetime) -> Why:
    """Add a why; `parent` is the number of the why that it explains."""
    why = tx.insert(
        Why,
        _ADD,
        incident_id=incident_id,
        number=take_number(tx, incident_id, "last_why"),
        parent=parent,
        text=text,
        author=author,
        recorded_at=now,
        is_root=False,
        struck=False,
        version=1,
    )
    tx.note(incident_id, f"why {why.number}")
    _add_version(tx, why, "added", author, now)
    return why


def amend(tx: Transaction, why: Why, change: str, by: str, now: datetime) -> Why:
    """Save a why's new text or state as its next version; the versions before stay in the history."""
    why = replace(why, version=why.version + 1)
    save(tx, why)
    _add_version(tx, why, change, by, now)
    return why


def save(tx: Transaction, why: Why) -> None:
    """Save what may change of a why, without adding a version."""
    tx.note(why.incident_id, f"why {why.number}")
    tx.run(_SAVE, row_id=why.id, **{f"new_{name}": getattr(why, name) for name in _MUTABLE})


def move(tx: Transaction, why: Why, by: str, now: datetime) -> Why:
    """Save a why's new `parent`, the why that it explains; the history shows who moved it."""
    # Nothing else saves a parent: those that `list_chain` computes without the struck whys must not be stored.
    tx.run(_MOVE, row_id=why.id, new_parent=why.parent)
    return amend(tx, why, "moved", by, now)


def _add_version(tx: Transaction, why: Why, change: str, by: str, now: datetime) -> None:
    _VERSIONS.add(tx, why.id, version=why.version, change=change, text=why.text, changed_by=by, changed_at=now)


def list_chain(tx: Transaction, incident_id: int) -> tuple[Why, ...]:
    """Every why that is not struck, in order. Children of a struck one are given its parent."""
    return list_active(list_all(tx, incident_id))


def list_all(tx: Transaction, incident_id: int) -> tuple[Why, ...]:
    """Every why, also the struck."""
    links = tx.rows(_LINKS, incident_id=incident_id)
    whys = tx.all(Why, _ALL, incident_id=incident_id)
    return tuple(replace(why, actions=tuple(number for of, number in links if of == why.id)) for why in whys)


def link(tx: Transaction, why: Why, action: Action) -> None:
    """Link an action to a why, once."""
    if action.number not in why.actions:
        tx.note(why.incident_id, f"why {why.number}")
        tx.run(_LINK, why_id=why.id, action_id=action.id)


def list_all_versions(tx: Transaction, incident_id: int) -> dict[int, tuple[WhyVersion, ...]]:
    """Every version of every why of an incident, first to last, by the row of the why."""
    return _VERSIONS.all_of_incident(tx, incident_id)


def redact(tx: Transaction, why: Why, clean: Callable[[str], str], by: str, now: datetime) -> Why | None:
    """Redact every version by `clean`, as `Versions.redact` does, and add one that says who did so and when.

    None if no version changed.
    """
    if not _VERSIONS.redact(tx, why.id, clean):
        return None
    return amend(tx, replace(why, text=clean(why.text)), "redacted", by, now)


def list_versions(tx: Transaction, why_id: int) -> tuple[WhyVersion, ...]:
    """Every version of a why, first to last."""
    return _VERSIONS.all(tx, why_id)
