"""People as Slack last sent them (names, zones, languages), newcomers, and what the Home tabs of people show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, literal_column, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from bot.domain.records import Membership, Person
from storage.database.statements import Statement, Transaction, among, columns_of, table_of, upsert_into, values_of
from storage.tables.queues import TabRow
from storage.tables.record import ActionRow, EntryRow, IncidentRow, NewcomerRow, PersonRow, WhyRow

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


def has_left(tx: Transaction, team: str, user: str) -> bool:
    """Whether a person's account is known to be deactivated."""
    person = find(tx, team, user)
    return person is not None and person.is_deactivated


def find_all(tx: Transaction, team: str, users: Iterable[str]) -> dict[str, Person]:
    """Those of the people who were ever seen, by their ids."""
    return {person.id: person for person in tx.all(Person, _SOME, team=team, users=sorted(users))}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A person who recorded in an incident before Slack said who they are; `since` is when they began."""

    incident_id: int
    person: str
    team: str
    since: datetime
    membership: Membership


_newcomer, _entry, _why = table_of(NewcomerRow), table_of(EntryRow), table_of(WhyRow)
_NEWCOMER = columns_of(_newcomer, Newcomer)
_ADD_NEWCOMER = Statement(
    upsert(_newcomer)
    .values({column.name: bindparam(column.name, type_=column.type) for column in _NEWCOMER})
    .on_conflict_do_nothing()
)
_of_newcomer = (
    _newcomer.c.incident_id == bindparam("of_incident"),
    _newcomer.c.person == bindparam("of_person"),
    _newcomer.c.membership == Membership.UNIDENTIFIED,
)
_UNIDENTIFIED = Statement(
    select(*_NEWCOMER)
    .where(_newcomer.c.membership == Membership.UNIDENTIFIED)
    .order_by(_newcomer.c.since)
    .limit(bindparam("most"))
)
_MEMBERSHIPS = Statement(
    select(_newcomer.c.person, _newcomer.c.membership).where(_newcomer.c.incident_id == bindparam("of_incident"))
)
_REMOVE_NEWCOMER = Statement(delete(_newcomer).where(*_of_newcomer).returning(_newcomer.c.person))
_SETTLE_NEWCOMER = Statement(
    update(_newcomer)
    .where(*_of_newcomer)
    .values(membership=bindparam("new_membership", type_=_newcomer.c.membership.type))
    .returning(_newcomer.c.person)
)
_ENTRIES_BY, _WHYS_BY = (
    Statement(
        select(table.c.number)
        .where(
            table.c.incident_id == bindparam("of_incident"), who == bindparam("of_person"), table.c.struck.is_(False)
        )
        .order_by(table.c.number)
    )
    for table, who in ((_entry, _entry.c.recorder), (_why, _why.c.author))
)


def add_newcomer(tx: Transaction, team: str, person: str, incident_id: int, now: datetime) -> None:
    """Note that a person records in an incident while Slack does not say who they are; once for both."""
    new = Newcomer(incident_id, person, team, now, Membership.UNIDENTIFIED)
    tx.run(_ADD_NEWCOMER, **values_of(new))


def list_unidentified(tx: Transaction, most: int) -> tuple[Newcomer, ...]:
    """Newcomers of whom Slack has not said yet who they are, those who wait longest first."""
    return tx.all(Newcomer, _UNIDENTIFIED, most=most)


def list_memberships(tx: Transaction, incident_id: int) -> dict[str, Membership]:
    """The newcomers of an incident, by their ids."""
    return {person: Membership(membership) for person, membership in tx.rows(_MEMBERSHIPS, of_incident=incident_id)}


def remove_newcomer(tx: Transaction, newcomer: Newcomer) -> bool:
    """They are a member. False if that was settled already."""
    return bool(tx.rows(_REMOVE_NEWCOMER, of_incident=newcomer.incident_id, of_person=newcomer.person))


def settle_outsider(tx: Transaction, newcomer: Newcomer) -> bool:
    """They are no member: their mark stays. False if that was settled already."""
    of = {"of_incident": newcomer.incident_id, "of_person": newcomer.person}
    return bool(tx.rows(_SETTLE_NEWCOMER, **of, new_membership=Membership.OUTSIDER))


def list_recorded_by(tx: Transaction, newcomer: Newcomer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The numbers of the entries and of the whys that they recorded in the incident."""
    of = {"of_incident": newcomer.incident_id, "of_person": newcomer.person}
    entries, whys = (tuple(number for (number,) in tx.rows(one, **of)) for one in (_ENTRIES_BY, _WHYS_BY))
    return entries, whys


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
