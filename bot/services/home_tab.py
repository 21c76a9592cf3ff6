"""Home tabs: what a person has to do and may see, in pages, kept up to date for those who look at theirs."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from weakref import WeakValueDictionary

from bot.domain.records import Incident, Person
from bot.domain.times.zones import label_of
from bot.errors import NotRecorded
from bot.services.context import Request, Services
from bot.slack.refresh import RETRY_SECONDS, Change, HomeTabPublisher, RefreshResult, TabOwner
from bot.slack.views import home_tab as home_tab_views
from bot.slack.views.blocks import Block
from bot.slack.views.home_tab import HomeContent, OwedPage
from storage import actions as actions_store
from storage import case as case_store
from storage import incidents as incidents_store
from storage import people as people_store
from storage import timeline as timeline_store
from storage.actions import OwedAction
from storage.database.statements import Transaction
from storage.people import HomeTab

T = TypeVar("T")

MOST_INCIDENTS = 1_000
"""Of what a person has to do: no one turns so many pages."""

LISTED_OPEN, LISTED_RECENT = 3 * home_tab_views.OPEN, 2 * home_tab_views.RECENT
"""Incidents that are read: more than are shown, since those in channels that the person cannot see drop out. Slack is
asked about each channel, so they are not many."""

PARTS = {"actions": "actions_from", "postmortems": "postmortems_from"}


@dataclass(frozen=True, slots=True)
class HomeTabView:
    """A person's tab as it should read now.

    `face` is the view without ages: only if that differs from what was published, it is published again. `owes` are the
    rows of the incidents in which they have something to do. `is_sure` is false if Slack did not answer for every
    channel.
    """

    view: Block
    face: Block
    owes: frozenset[int] = frozenset()
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class _Found:
    actions: tuple[OwedAction, ...]
    postmortems: tuple[Incident, ...]
    opened: tuple[Incident, ...]
    resolved: tuple[Incident, ...]
    has_recorded: bool

    @property
    def rows(self) -> frozenset[int]:
        """The rows of the incidents in which the person has something to do."""
        return frozenset({item.incident.id for item in self.actions} | {incident.id for incident in self.postmortems})


async def open_tab(services: Services, team: str, user: str, now: datetime) -> None:
    """Save that a person opened their tab: from now on it is kept up to date for them."""
    await services.store.write(lambda tx: people_store.save_tab_opened(tx, team, user, now))


async def turn_page(services: Services, request: Request, part: str, begins: int) -> None:
    """Go to the page of `actions` or `postmortems` that begins there; a part that there is not is left alone."""
    if part in PARTS:
        await services.store.write(
            lambda tx: people_store.save_tab_page(tx, request.team, request.user, PARTS[part], max(begins, 0))
        )


async def draw(services: Services, team: str, user: str, tab: HomeTab | None) -> HomeTabView:
    """A person's Home tab as it should be now, at the pages that they turned to.

    It shows nothing of channels that they may not look into: of what they have to do there only how much it is. Guests
    and people of other workspaces read that it is not for them, unless the operator admits guests.
    """
    person = await services.slack.directory.look_up(team, user)
    if services.is_excluded(person):
        return HomeTabView(home_tab_views.guest_view(), home_tab_views.guest_view())
    if services.is_unidentified(team, user):
        view = home_tab_views.unidentified_view()
        return HomeTabView(view, view, is_sure=False)
    now = services.clock.now()
    found = await services.store.read(lambda tx: _find(tx, team, user))
    begins, where = (tab.actions_from, tab.postmortems_from) if tab else (0, 0)
    owed, documents = (
        _page(found.actions, begins, home_tab_views.ACTIONS),
        _page(found.postmortems, where, home_tab_views.POSTMORTEMS),
    )
    channels = {item.incident.channel for item in owed.items}
    channels |= {incident.channel for incident in (*documents.items, *found.opened, *found.resolved)}
    # Between two reads and in no transaction: Slack may take seconds to answer.
    sight = await services.check_channels(team, user, channels)
    open_to_them = [incident for incident in documents.items if incident.channel in sight.seen]
    opened, resolved = (
        tuple(incident for incident in listed if incident.channel in sight.seen)
        for listed in (found.opened, found.resolved)
    )
    shown = (*opened[: home_tab_views.OPEN], *resolved[: home_tab_views.RECENT])
    glances, courses = await services.store.read(
        lambda tx: (case_store.list_latest(tx, open_to_them), timeline_store.measure_spans(tx, shown))
    )
    content = HomeContent(
        owed.only([item for item in owed.items if item.incident.channel in sight.seen]),
        sum(item.action.overdue_at is not None and item.action.overdue_at <= now for item in found.actions),
        documents.only(glances),
        opened,
        resolved,
        courses,
        not found.has_recorded,
        label_of(services.zone_for(person)),
        _name_zone_source(services, person),
        services.policy.library,
    )
    view, face = (home_tab_views.home_view(content, now, has_ages=has_ages) for has_ages in (True, False))
    return HomeTabView(view, face, found.rows, sight.is_sure)


def _name_zone_source(services: Services, person: Person) -> str:
    if services.policy.input_zone != "author":
        return ""
    return "missing" if services.lacks_zone(person) else "profile"


def _find(tx: Transaction, team: str, user: str) -> _Found:
    return _Found(
        actions_store.list_open_of(tx, team, user, MOST_INCIDENTS),
        incidents_store.list_owed_by(tx, team, user, MOST_INCIDENTS),
        tuple(sorted(incidents_store.list_unresolved(tx, team, LISTED_OPEN), key=_weight)),
        tuple(sorted(incidents_store.list_resolved(tx, team, LISTED_RECENT), key=_resolved_at, reverse=True)),
        timeline_store.has_recorded(tx, team, user),
    )


def _weight(incident: Incident) -> int:
    """The worst severity first, those without one last."""
    return incident.severity or 9


def _resolved_at(incident: Incident) -> datetime:
    return incident.resolved_at or incident.opened_at


def _page(items: Sequence[T], begins: int, size: int) -> OwedPage[T]:
    """The page that contains row `begins`; the last one if there are fewer rows by now."""
    begins = min(begins, max(len(items) - 1, 0)) // size * size
    return OwedPage(tuple(items[begins : begins + size]), begins, len(items))


log = logging.getLogger(__name__)

LOOKED_AT = timedelta(days=7)
"""A tab that was not opened for so long is drawn when it is opened next, not before."""

MOST_TABS = 200
"""At most so many tabs that only list the incident are published again, those opened last: three minutes at Slack's
pace. The others are drawn anyway when they are opened."""


@dataclass(frozen=True, slots=True)
class _Affected:
    """The people whose tabs an incident may be on: those who owe something in it, and other recent viewers."""

    incident: Incident
    owing: tuple[TabOwner, ...]
    others: tuple[TabOwner, ...]


class HomeTabRenderer:
    """Finds out whose tab a change shows in, and publishes those that look different now."""

    def __init__(self, services: Services, publisher: HomeTabPublisher) -> None:
        self._services = services
        self._publisher = publisher
        self._drawing: WeakValueDictionary[TabOwner, asyncio.Lock] = WeakValueDictionary()

    async def list_viewers(self) -> tuple[TabOwner, ...]:
        """Those who opened their tab within a week."""
        since = self._since()

        def look(tx: Transaction) -> tuple[TabOwner, ...]:
            return tuple(
                whose
                for team in incidents_store.list_teams(tx)
                for whose in people_store.list_recent_tabs(tx, team, since, MOST_TABS)
            )

        return await self._services.store.read(look)

    async def find_affected(self, changes: frozenset[Change]) -> tuple[TabOwner, ...]:
        """Everyone who owes, or owed, a part of what changed; for an incident itself also those who may see it.

        An action, a why or a section is not on the list of incidents, so its change affects no other tab.
        """
        found: dict[TabOwner, None] = {}
        for incident_id in sorted({incident_id for incident_id, _ in changes}):
            look = partial(_find_affected, incident_id=incident_id, since=self._since())
            affected = await self._services.store.read(look)
            if affected is None:
                continue
            found |= dict.fromkeys(affected.owing)
            if (incident_id, "incident") in changes:
                found |= dict.fromkeys(await self._who_may_see(affected))
        return tuple(found)

    async def _who_may_see(self, affected: _Affected) -> list[TabOwner]:
        channel = affected.incident.channel
        return [
            whose
            for whose in affected.others
            if channel in await self._services.visible_channels(*whose, [channel], "")
        ]

    async def refresh(self, team: str, person: str, *, force: bool = False) -> RefreshResult:
        """Publish a person's tab if it looks different now, or if `force`: they look at it.

        If Slack does not say what they may see, a person who looks now sees none of it; any other tab stays until Slack
        answers.
        """
        # One at a time for each tab: an older view that is published later would stay.
        async with self._drawing.setdefault((team, person), asyncio.Lock()):
            tab = await self._services.store.read(lambda tx: people_store.find_tab(tx, team, person))
            if not force and (tab is None or tab.opened_at < self._since()):
                return RefreshResult()
            drawing = await draw(self._services, team, person, tab)
            later = RefreshResult(wait=0.0 if drawing.is_sure else RETRY_SECONDS)
            shown = _hash(drawing.face)
            # An unsure view shows less than the last one did; only a person who looks right now gets it.
            if not force and (later.wait or (tab is not None and shown == tab.shown)):
                return later
            drawn = await self._publisher.publish(person, drawing.view)
            if not drawn.is_sent:
                return drawn
            await self._keep(team, person, shown, drawing.owes)
            return replace(drawn, wait=later.wait)

    async def _keep(self, team: str, person: str, shown: str, owes: frozenset[int]) -> None:
        try:
            await self._services.store.write(lambda tx: people_store.save_tab_shown(tx, team, person, shown, owes))
        except NotRecorded:
            log.warning(
                "What a Home tab shows couldn't be saved, so it's published once more. /readyz shows whether the "
                "database is well.",
                {"event": "home_tab_not_saved"},
            )

    def _since(self) -> datetime:
        return self._services.clock.now() - LOOKED_AT


def _find_affected(tx: Transaction, incident_id: int, since: datetime) -> _Affected | None:
    incident = incidents_store.find(tx, incident_id)
    if incident is None:
        return None
    owing = people_store.list_affected_tabs(tx, incident.team, since, incident_id)
    return _Affected(incident, owing, people_store.list_recent_tabs(tx, incident.team, since, MOST_TABS))


def _hash(view: Block) -> str:
    return hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()
