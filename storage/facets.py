"""Services and tags of incidents: who has which, which names a workspace uses, and one name for another.

Names are found by `ix_facet_name`, so no look-up costs more with the number of incidents. A private incident's names
are found only in the sight of its members: see `visible_by` in storage/channels.py.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Integer, Text, bindparam, delete, func, literal, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.domain.facets import Facet, FacetKind, FacetName, fold
from bot.domain.readers import Sight
from bot.domain.records import AuditLine, Incident, Status
from storage.channels import sight_values, visible_by
from storage.database.statements import ListType, Statement, Transaction, among, columns_of, table_of, values_of
from storage.tables.record import INCIDENT_UNRESOLVED, AuditRow, FacetRow, IncidentRow

_facet, _incident, _audit = table_of(FacetRow), table_of(IncidentRow), table_of(AuditRow)
_COLUMNS = columns_of(_facet, Facet)
_INCIDENT = columns_of(_incident, Incident)
_of_incident = _facet.c.incident_id == bindparam("incident_id")
_of_kind = (_facet.c.team == bindparam("team"), _facet.c.kind == bindparam("kind", type_=Text))
_of_name = (*_of_kind, _facet.c.folded == bindparam("folded", type_=Text))

_ALL = Statement(select(*_COLUMNS).where(_of_incident).order_by(_facet.c.kind, _facet.c.id))
_SEVERAL = Statement(
    select(_facet.c.incident_id, *_COLUMNS)
    .where(among(_facet.c.incident_id, "incident_ids"))
    .order_by(_facet.c.incident_id, _facet.c.kind, _facet.c.id)
)
_ADD = Statement(
    upsert(_facet)
    .values(
        {column.name: bindparam(column.name, type_=column.type) for column in _facet.columns if column.name != "id"}
    )
    .on_conflict_do_nothing(index_elements=["incident_id", "kind", "folded"])
)
_REMOVE = Statement(
    delete(_facet).where(
        _of_incident, _facet.c.kind == bindparam("kind", type_=Text), _facet.c.folded == bindparam("folded")
    )
)


def list_by_incident(tx: Transaction, incident_id: int) -> tuple[Facet, ...]:
    """The services of an incident, then its tags, each in the order in which they were added."""
    return tx.all(Facet, _ALL, incident_id=incident_id)


def list_by_incidents(tx: Transaction, incident_ids: Iterable[int]) -> dict[int, tuple[Facet, ...]]:
    """The same of several incidents, by their rows; those without any are left out."""
    rows = groupby(tx.rows(_SEVERAL, incident_ids=list(incident_ids)), key=lambda row: int(row[0]))
    return {incident_id: tuple(Facet(*row[1:]) for row in facets) for incident_id, facets in rows}


def add(tx: Transaction, incident: Incident, facet: Facet) -> None:
    """Add a name. Nothing happens if the incident has it, however it is spelled there."""
    if tx.count(_ADD, **_values(incident, facet)):
        tx.note(incident.id, f"{facet.kind} {facet.name}")


def add_imported(tx: Transaction, incident: Incident, facet: Facet) -> None:
    """Add a name of an imported record: no change of this database's own."""
    tx.run(_ADD, **_values(incident, facet))


def _values(incident: Incident, facet: Facet) -> dict[str, object]:
    return {
        "incident_id": incident.id,
        "team": incident.team,
        "kind": facet.kind,
        "name": facet.name,
        "folded": facet.key,
        "added_by": facet.added_by,
        "added_at": facet.added_at,
    }


def remove(tx: Transaction, incident_id: int, kind: FacetKind, name: str) -> bool:
    """Remove a name, however it is spelled; whether the incident had it."""
    is_gone = bool(tx.count(_REMOVE, incident_id=incident_id, kind=kind, folded=fold(name)))
    if is_gone:
        tx.note(incident_id, f"{kind} {name} removed")
    return is_gone


_use, _used_in = _facet.alias("use"), _incident.alias("used_in")
_in_sight = visible_by(_used_in.c.team, _used_in.c.channel)
# The names follow each other in the index: each step looks up the next one, however many incidents have it.
_first = (
    select(func.min(_facet.c.folded).label("folded"))
    .where(*_of_kind, _facet.c.folded >= bindparam("prefix"), _facet.c.folded < bindparam("after"))
    .cte("names", recursive=True)
)
_NAMES = _first.union_all(
    select(
        select(func.min(_facet.c.folded))
        .where(*_of_kind, _facet.c.folded > _first.c.folded, _facet.c.folded < bindparam("after"))
        .correlate(_first)
        .scalar_subquery()
    ).where(_first.c.folded.is_not(None))
)


def _spell(name: object) -> object:
    """The first spelling of a name that is in sight; NULL if none is."""
    return (
        select(_use.c.name)
        .join_from(_use, _used_in, _use.c.incident_id == _used_in.c.id)
        .where(
            _use.c.team == bindparam("team"),
            _use.c.kind == bindparam("kind", type_=Text),
            _use.c.folded == name,
            _in_sight,
        )
        .order_by(_use.c.incident_id)
        .limit(1)
        .scalar_subquery()
    )


_spelled = select(_spell(_NAMES.c.folded).label("name")).where(_NAMES.c.folded.is_not(None)).subquery("spelled")  # type: ignore[attr-defined]
_LIST = Statement(select(_spelled.c.name).where(_spelled.c.name.is_not(None)).limit(bindparam("most")))
_SPELL = Statement(select(_spell(bindparam("folded", type_=Text))))  # type: ignore[call-overload]
_names: Any = bindparam("names", type_=ListType(Text()))
_phrases = {
    "sqlite": func.json_each(_names).table_valued("value", name="phrase"),
    "postgresql": func.unnest(_names).table_valued("value", name="phrase").render_derived(),
}
_SPELL_EACH = {
    database: Statement(select(phrase.c.value, _spell(phrase.c.value)))  # type: ignore[call-overload]
    for database, phrase in _phrases.items()
}


def list_names(tx: Transaction, kind: FacetKind, prefix: str, sight: Sight, most: int) -> tuple[str, ...]:
    """The names that begin with a prefix, in their order, as they were first spelled: those that are in sight."""
    begin = fold(prefix)
    values = {"kind": kind, "prefix": begin, "after": begin + "\U0010ffff", "most": most}
    return tx.all(str, _LIST, team=sight.team, **values, **sight_values(sight))


def find_spelling(tx: Transaction, kind: FacetKind, name: str, sight: Sight) -> str:
    """How a name was first spelled in what is in sight; empty if it is used nowhere there."""
    return tx.one(_text, _SPELL, team=sight.team, kind=kind, folded=fold(name), **sight_values(sight)) or ""


def list_spellings(tx: Transaction, kind: FacetKind, names: Sequence[str], sight: Sight) -> tuple[str, ...]:
    """Those of some folded names that are used in sight, in their order, as they were first spelled."""
    values = {"team": sight.team, "kind": kind, "names": list(names)}
    found = {str(row[0]): row[1] for row in tx.rows(_SPELL_EACH[tx.database], **values, **sight_values(sight))}
    return tuple(found[name] for name in names if found.get(name))


def _text(value: str | None) -> str:
    return value or ""


_with_name = select(_facet.c.incident_id).where(*_of_name)
_SEEN_WITH_NAME = Statement(
    select(func.count())
    .select_from(_facet)
    .join(_used_in, _facet.c.incident_id == _used_in.c.id)
    .where(*_of_name, _in_sight)
)
_UNRESOLVED_WITH_NAME = Statement(
    select(*_INCIDENT).where(_incident.c.team == bindparam("team"), INCIDENT_UNRESOLVED, _incident.c.id.in_(_with_name))
)
_NOTE_RENAMING = Statement(
    _audit.insert().from_select(
        [column.name for column in _audit.columns if column.name != "id"],
        select(
            _facet.c.incident_id,
            *(bindparam(name, type_=_audit.c[name].type) for name in ("who", "verb", "what", "at", "delivery")),
        ).where(*_of_name),
    )
)
_both = _facet.alias("both")
_DROP_TWINS = Statement(
    delete(_facet).where(
        *_of_name,
        _facet.c.incident_id.in_(
            select(_both.c.incident_id).where(
                _both.c.team == bindparam("team"),
                _both.c.kind == bindparam("kind", type_=Text),
                _both.c.folded == bindparam("new_folded", type_=Text),
            )
        ),
    )
)
_RENAME = Statement(
    update(_facet)
    .where(*_of_name)
    .values(name=bindparam("new_name", type_=Text), folded=bindparam("new_folded", type_=Text))
)


def count_in_sight(tx: Transaction, kind: FacetKind, name: str, sight: Sight) -> int:
    """How many of the incidents that are in sight have a name."""
    values = {"kind": kind, "folded": fold(name)}
    return tx.one(int, _SEEN_WITH_NAME, team=sight.team, **values, **sight_values(sight)) or 0


def list_unresolved(tx: Transaction, team: str, kind: FacetKind, name: str) -> tuple[Incident, ...]:
    """The unresolved incidents that have a name."""
    return tx.all(Incident, _UNRESOLVED_WITH_NAME, team=team, kind=kind, folded=fold(name))


def rename(tx: Transaction, team: str, kind: FacetKind, names: tuple[str, str], by: AuditLine) -> None:
    """Give a name another in every incident of a workspace; one that has both keeps the new one.

    Each gets the audit line of `by`, by one statement, however many they are: notes would be written one by one.
    """
    old, new = names
    values = {"team": team, "kind": kind, "folded": fold(old)}
    tx.run(_NOTE_RENAMING, **values, **values_of(by))
    if fold(old) != fold(new):
        tx.run(_DROP_TWINS, **values, new_folded=fold(new))
    tx.run(_RENAME, **values, new_name=new, new_folded=fold(new))


_NAMING = {
    database: Statement(
        select(_facet.c.id, _facet.c.incident_id, _facet.c.name, _facet.c.folded).where(
            or_(
                getattr(func, search)(_facet.c.folded, bindparam("form")) > 0,
                getattr(func, search)(_facet.c.name, bindparam("pseudonym")) > 0,
            )
        )
    )
    for database, search in (("sqlite", "instr"), ("postgresql", "strpos"))
}
_DROP = Statement(delete(_facet).where(_facet.c.id == bindparam("row_key")))


def forget(tx: Transaction, name: str, pseudonym: str) -> frozenset[int]:
    """Remove the names of services and tags that hold a person's name, in any case, or its pseudonym.

    Returns the rows of their incidents.
    """
    form = re.compile(rf"(?<!\w){re.escape(fold(name))}(?!\w)")
    changed = set()
    for row, incident_id, spelled, folded in tx.rows(_NAMING[tx.database], form=fold(name), pseudonym=pseudonym):
        if form.search(folded) or pseudonym in spelled:
            tx.run(_DROP, row_key=row)
            changed.add(int(incident_id))
    return frozenset(changed)


_other = _facet.alias("other")
_others_match = (
    select(func.count())
    .select_from(_other)
    .where(_other.c.incident_id == _incident.c.id, among(_other.c.kind + literal(":") + _other.c.folded, "names"))  # type: ignore[arg-type]
    .correlate(_incident)
    .scalar_subquery()
)
HAS_NAMES = or_(
    bindparam("count_of_names", type_=Integer) == 0, _others_match == bindparam("count_of_names", type_=Integer)
)
"""Whether an incident has all of some names, which `filter_values` gives; every incident has all of none."""
_having = select(*_INCIDENT).where(_incident.c.team == bindparam("team"), HAS_NAMES)
_UNRESOLVED = Statement(_having.where(INCIDENT_UNRESOLVED).order_by(_incident.c.number.desc()).limit(bindparam("most")))
# From the first name on, whose incidents the index has in their order.
_RESOLVED = Statement(
    _having.join_from(_facet, _incident, _facet.c.incident_id == _incident.c.id)
    .where(*_of_name, _incident.c.status == Status.RESOLVED)
    .order_by(_facet.c.incident_id.desc())
    .limit(bindparam("most"))
)


def filter_values(names: Iterable[FacetName]) -> dict[str, object]:
    """The parameters of a statement with `HAS_NAMES`."""
    keys = list(dict.fromkeys(f"{name.kind}:{name.key}" for name in names))
    return {"names": keys, "count_of_names": len(keys)}


def list_incidents(tx: Transaction, team: str, names: Sequence[FacetName], most: int) -> tuple[Incident, ...]:
    """The incidents of a workspace that have all these names, at least one: unresolved first, then the latest."""
    values = {"team": team, **filter_values(names)}
    unresolved = tx.all(Incident, _UNRESOLVED, **values, most=most)
    first = {"kind": names[0].kind, "folded": names[0].key}
    return unresolved + tx.all(Incident, _RESOLVED, **values, **first, most=most - len(unresolved))
