"""The Home tab's verbs: gather what one person owes and may see, and turn its pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot.incident.milestones import Course
from bot.incident.records import Case, Incident
from bot.scribe.desk import Asked, Desk
from bot.slack import home as says
from bot.slack.blocks import Block
from bot.slack.home import Owing, Page
from storage import actions, cases, incidents, tabs, timeline
from storage.actions import OwedAction
from storage.statements import Transaction
from storage.tabs import Tab

T = TypeVar("T")

MOST = 1_000
"""Of what somebody owes: nobody turns so many pages."""

LISTED = 3 * says.INCIDENTS
"""Incidents that are looked at for the lists: those of channels that somebody cannot look into fall out."""

PARTS = {"actions": "actions_from", "postmortems": "postmortems_from"}


@dataclass(frozen=True, slots=True)
class Drawing:
    """Somebody's tab as it should read now.

    `owes` are the rows of the incidents of which they owe something. Not `is_sure` where Slack did not say of every
    channel whether they may look into it.
    """

    view: Block
    owes: frozenset[int] = frozenset()
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class _Found:
    actions: tuple[OwedAction, ...]
    postmortems: tuple[Incident, ...]
    incidents: tuple[Incident, ...]


async def opened(desk: Desk, team: str, user: str, now: datetime) -> None:
    """Somebody looks at their tab, and from now on it is kept fresh for them."""
    await desk.store.write(lambda tx: tabs.opened(tx, team, user, now))


async def turn(desk: Desk, asked: Asked, part: str, begins: int) -> None:
    """Go to the page of `actions` or `postmortems` that begins there; a part that there is not is left alone."""
    if part in PARTS:
        await desk.store.write(lambda tx: tabs.turn(tx, asked.team, asked.user, PARTS[part], max(begins, 0)))


async def draw(desk: Desk, team: str, user: str, tab: Tab | None) -> Drawing:
    """What this person's Home tab shows now, at the pages that it was turned to.

    Nothing of the channels that they cannot look into is in it; of what they owe there they are told how much it is,
    and no word of it. Guests and people of other workspaces are told that it is not for them, unless the operator
    lets them in.
    """
    if not desk.allow_guests and (await desk.people.known(team, user)).is_guest:
        return Drawing(says.closed())
    found = await desk.store.read(lambda tx: _find(tx, team, user))
    begins, where = (tab.actions_from, tab.postmortems_from) if tab else (0, 0)
    owed, documents = _page(found.actions, begins, says.ACTIONS), _page(found.postmortems, where, says.POSTMORTEMS)
    channels = {item.incident.channel for item in owed.items}
    channels |= {incident.channel for incident in (*documents.items, *found.incidents)}
    sight = await desk.sight(team, user, channels)
    open_to_them = [incident for incident in documents.items if incident.channel in sight.seen]
    seen = tuple(incident for incident in found.incidents if incident.channel in sight.seen)
    glances, courses = await desk.store.read(lambda tx: (_glances(tx, open_to_them), _courses(tx, seen)))
    owing = Owing(
        owed.only([item for item in owed.items if item.incident.channel in sight.seen]),
        documents.only(glances),
        seen,
        courses,
    )
    owes = {item.incident.id for item in found.actions} | {incident.id for incident in found.postmortems}
    return Drawing(says.home(owing, desk.clock.now()), frozenset(owes), sight.is_sure)


def _find(tx: Transaction, team: str, user: str) -> _Found:
    return _Found(
        actions.owed_by(tx, team, user, MOST),
        incidents.owed_by(tx, team, user, MOST),
        incidents.listed(tx, team, LISTED),
    )


def _glances(tx: Transaction, found: list[Incident]) -> list[Case]:
    return [cases.glance(tx, incident, 1)[0] for incident in found]


def _courses(tx: Transaction, found: tuple[Incident, ...]) -> dict[int, Course]:
    return {incident.id: timeline.course(tx, incident) for incident in found}


def _page(owed: Sequence[T], begins: int, size: int) -> Page[T]:
    """The page that holds what `begins` there; the last one where so much is not owed any more."""
    begins = min(begins, max(len(owed) - 1, 0)) // size * size
    return Page(tuple(owed[begins : begins + size]), begins, len(owed))
