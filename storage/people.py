"""People as Slack last sent them (names, zones, languages), and what their Home tabs show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, literal_column, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.domain.records import Person
from storage.database.statements import Statement, Transaction, among, columns_of, table_of, upsert_into, values_of
from storage.tables.queues import TabRow
from storage.tables.record import ActionRow, IncidentRow, PersonRow

_person = table_of(PersonRow)
_COLUMNS = columns_of(_person, Person)
_ONE = Statement(select(*_COLUMNS).where(_person.c.team == bindparam("team"), _person.c.id == bindparam("user")))
_SOME = Statement(select(*_COLUMNS).where(_person.c.team == bindparam("team"), among(_person.c.id, "users")))
_ALL = Statement(select(*_COLUMNS))
_SAVE = Statement(
    upsert_into(_person, ("team", "id"), [column.name for column in _COLUMNS if column.name not in ("team", "id")])
)


def save(tx: Transaction, person: Person) -> None:
    """Save a person as Slack sends them now."""
    tx.run(_SAVE, **values_of(person))


def list_all(tx: Transaction) -> tuple[Person, ...]:
    """Every known person of every workspace."""
    return tx.all(Person, _ALL)


def find(tx: Transaction, team: str, user: str) -> Person | None:
    """A person, or None if they were never seen."""
    return tx.one(Person, _ONE, team=team, user=user)


def find_all(tx: Transaction, team: str, users: Iterable[str]) -> dict[str, Person]:
    """Those of the people who were ever seen, by their ids."""
    return {person.id: person for person in tx.all(Person, _SOME, team=team, users=sorted(users))}


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


_mine = (_tab.c.team == bindparam("of_team"), _tab.c.person == bindparam("of_person"))
_since = (_tab.c.team == bindparam("of_team"), _tab.c.opened_at >= bindparam("since", type_=_tab.c.opened_at.type))

_first_pages = {
    "opened_at": bindparam("opened_at", type_=_tab.c.opened_at.type),
    "actions_from": 0,
    "postmortems_from": 0,
}
_OPEN_TAB = Statement(
    upsert(_tab)
    .values(_first_pages | {"team": bindparam("team"), "person": bindparam("person"), "shown": "", "owes": ""})
    .on_conflict_do_update(index_elements=[_tab.c.team, _tab.c.person], set_=_first_pages)
)
_ONE_TAB = Statement(select(*columns_of(_tab, HomeTab)).where(*_mine))
_SAVE_PAGE = {
    part: Statement(update(_tab).where(*_mine).values({part: bindparam("begins")}))
    for part in ("actions_from", "postmortems_from")
}
_SAVE_SHOWN = Statement(update(_tab).where(*_mine).values(shown=bindparam("new_shown"), owes=bindparam("new_owes")))
_RECENT_TABS = Statement(
    select(_tab.c.team, _tab.c.person)
    .where(*_since)
    .order_by(_tab.c.opened_at.desc(), _tab.c.person)
    .limit(bindparam("most"))
)
_owners = select(_action.c.owner).where(
    _action.c.incident_id == bindparam("incident_id"), _action.c.status == literal_column("'open'")
)
_of_incident = _incident.c.id == bindparam("incident_id")
_AFFECTED_TABS = Statement(
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
    tx.run(_OPEN_TAB, team=team, person=person, opened_at=now)


def find_tab(tx: Transaction, team: str, person: str) -> HomeTab | None:
    """A person's tab; None if they never opened it."""
    return tx.one(HomeTab, _ONE_TAB, of_team=team, of_person=person)


def save_tab_page(tx: Transaction, team: str, person: str, part: str, begins: int) -> None:
    """Go to another page of `actions_from` or `postmortems_from`."""
    tx.run(_SAVE_PAGE[part], of_team=team, of_person=person, begins=begins)


def save_tab_shown(tx: Transaction, team: str, person: str, shown: str, owes: frozenset[int]) -> None:
    """Save what was published: its hash, and the rows of the incidents in which the person owes something."""
    listed = "".join(f"{incident_id} " for incident_id in sorted(owes))
    tx.run(_SAVE_SHOWN, of_team=team, of_person=person, new_shown=shown, new_owes=f" {listed}" if listed else "")


def list_recent_tabs(tx: Transaction, team: str, since: datetime, most: int) -> tuple[tuple[str, str], ...]:
    """(team, person) of everyone who opened their tab since a moment, latest first."""
    return tuple((of_team, person) for of_team, person in tx.rows(_RECENT_TABS, of_team=team, since=since, most=most))


def list_affected_tabs(tx: Transaction, team: str, since: datetime, incident_id: int) -> tuple[tuple[str, str], ...]:
    """(team, person) of those who opened their tab since a moment and to whom the incident matters.

    They lead it, owe something in it, or still see in their tab that they did.
    """
    values = {"of_team": team, "since": since, "incident_id": incident_id, "mentioned": f"% {incident_id} %"}
    return tuple((of_team, person) for of_team, person in tx.rows(_AFFECTED_TABS, **values))
