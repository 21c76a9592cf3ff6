"""People as Slack last sent them (names, zones, languages), and what their Home tabs show."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import bindparam, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from bot.domain.records import Person
from storage.database.statements import Statement, Transaction
from storage.tables import ActionRow, IncidentRow, PersonRow, TabRow, table_of

_tab = table_of(TabRow)
_incident = table_of(IncidentRow)
_action = table_of(ActionRow)


@dataclass(frozen=True, slots=True)
class HomeTab:
    """A person's Home tab. `shown` is the hash of what was last published, empty before that.

    `actions_from` and `postmortems_from` are the first rows of the pages shown, counted from 0.
    """

    team: str
    person: str
    opened_at: datetime
    shown: str
    actions_from: int
    postmortems_from: int


_TAB_COLUMNS = tuple(_tab.c[field.name] for field in fields(HomeTab))
_mine = (_tab.c.team == bindparam("of_team"), _tab.c.person == bindparam("of_person"))
_since = (_tab.c.team == bindparam("of_team"), _tab.c.opened_at >= bindparam("since", type_=_tab.c.opened_at.type))

_OPENED = Statement(
    upsert(_tab)
    .values(
        team=bindparam("team"),
        person=bindparam("person"),
        opened_at=bindparam("opened_at", type_=_tab.c.opened_at.type),
        shown="",
        owes="",
        actions_from=0,
        postmortems_from=0,
    )
    .on_conflict_do_update(
        index_elements=[_tab.c.team, _tab.c.person],
        set_={
            "opened_at": bindparam("opened_at", type_=_tab.c.opened_at.type),
            "actions_from": 0,
            "postmortems_from": 0,
        },
    )
)
_ONE_TAB = Statement(select(*_TAB_COLUMNS).where(*_mine))
_TURN = {
    part: Statement(update(_tab).where(*_mine).values({part: bindparam("begins")}))
    for part in ("actions_from", "postmortems_from")
}
_KEEP_TAB = Statement(update(_tab).where(*_mine).values(shown=bindparam("new_shown"), owes=bindparam("new_owes")))
_LATELY = Statement(
    select(_tab.c.team, _tab.c.person)
    .where(*_since)
    .order_by(_tab.c.opened_at.desc(), _tab.c.person)
    .limit(bindparam("most"))
)
_owners = select(_action.c.owner).where(
    _action.c.incident_id == bindparam("incident_id"), _action.c.status == literal_column("'open'")
)
_of_incident = _incident.c.id == bindparam("incident_id")
_OWING = Statement(
    select(_tab.c.team, _tab.c.person)
    .where(
        *_since,
        or_(
            _tab.c.owes.like(bindparam("mentioned")),
            _tab.c.person.in_(_owners),
            _tab.c.person.in_(select(_incident.c.postmortem_owner).where(_of_incident)),
            _tab.c.person.in_(select(_incident.c.lead).where(_of_incident)),
        ),
    )
    .order_by(_tab.c.opened_at.desc(), _tab.c.person)
)


def save_tab_opened(tx: Transaction, team: str, person: str, now: datetime) -> None:
    """Save that a person opened their tab, which shows its first pages again."""
    tx.run(_OPENED, team=team, person=person, opened_at=now)


def find_tab(tx: Transaction, team: str, person: str) -> HomeTab | None:
    """A person's tab; None if they never opened it."""
    row = tx.row(_ONE_TAB, of_team=team, of_person=person)
    return HomeTab(*row) if row else None


def save_tab_page(tx: Transaction, team: str, person: str, part: str, begins: int) -> None:
    """Go to another page of `actions_from` or `postmortems_from`."""
    tx.run(_TURN[part], of_team=team, of_person=person, begins=begins)


def save_tab_shown(tx: Transaction, team: str, person: str, shown: str, owes: frozenset[int]) -> None:
    """Save what was published: its hash, and the rows of the incidents in which the person owes something."""
    listed = "".join(f"{incident_id} " for incident_id in sorted(owes))
    tx.run(_KEEP_TAB, of_team=team, of_person=person, new_shown=shown, new_owes=f" {listed}" if listed else "")


def list_recent_tabs(tx: Transaction, team: str, since: datetime, most: int) -> tuple[tuple[str, str], ...]:
    """(team, person) of everyone who opened their tab since a moment, latest first."""
    return tuple((of, person) for of, person in tx.rows(_LATELY, of_team=team, since=since, most=most))


def list_affected_tabs(tx: Transaction, team: str, since: datetime, incident_id: int) -> tuple[tuple[str, str], ...]:
    """(team, person) of those who opened their tab since then and owe something of the incident, or are shown to.

    Its lead is among them.
    """
    given = {"of_team": team, "since": since, "incident_id": incident_id, "mentioned": f"% {incident_id} %"}
    return tuple((of, person) for of, person in tx.rows(_OWING, **given))


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
