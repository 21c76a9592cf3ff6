"""Who is who: names, zones and languages as Slack last sent them."""

from dataclasses import fields

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.domain.records import Person
from storage.database.statements import Statement, Transaction
from storage.tables import PersonRow, table_of

_person = table_of(PersonRow)
_NAMES = tuple(field.name for field in fields(Person))
_COLUMNS = tuple(_person.c[name] for name in _NAMES)

_ONE = Statement(select(*_COLUMNS).where(_person.c.team == bindparam("team"), _person.c.id == bindparam("user")))
_EVERYONE = Statement(select(*_COLUMNS))
_insert = upsert(_person).values({name: bindparam(name, type_=_person.c[name].type) for name in _NAMES})
_KEEP = Statement(
    _insert.on_conflict_do_update(
        index_elements=[_person.c.team, _person.c.id],
        set_={name: _insert.excluded[name] for name in _NAMES if name not in ("team", "id")},
    )
)


def save(tx: Transaction, person: Person) -> None:
    """Save a person as Slack sends them now."""
    tx.run(_KEEP, **{name: getattr(person, name) for name in _NAMES})


def list_all(tx: Transaction) -> tuple[Person, ...]:
    """Every known person of every workspace."""
    return tuple(Person(*row) for row in tx.rows(_EVERYONE))


def find(tx: Transaction, team: str, user: str) -> Person | None:
    """A person, or None if they were never seen."""
    row = tx.row(_ONE, team=team, user=user)
    return Person(*row) if row else None
