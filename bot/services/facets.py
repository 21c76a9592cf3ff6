"""Services and tags: set and taken away, proposed from alerts and the title, and renamed everywhere.

What a person may complete, count and rename is what they may see; how a name is spelled goes by what everyone in the
incident's channel may see.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain import facets as facets_rules
from bot.domain.facets import Facet, FacetChange, FacetKind, FacetName, fold
from bot.domain.readers import Reader, Sight
from bot.domain.records import AuditLine, Incident, Place
from bot.errors import Refused
from bot.services.context import Policy, Request, Services, require_incident, run_once
from bot.services.library.readers import visible_to
from bot.slack.views import facets as facets_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.facets import FacetChoices, Renaming
from storage import alerts as alerts_store
from storage import facets as facets_store
from storage.database.statements import Transaction

PROPOSED = 3
"""Names that are proposed at once, in one row of buttons."""

COMPARED = 500
"""Known names that a new one is compared with, to notice a misspelling."""


@dataclass(frozen=True, slots=True)
class FacetNames:
    """What a form says of one kind: names chosen from the menu, and the line of new ones."""

    chosen: tuple[str, ...]
    typed: str


async def change(services: Services, request: Request, kind: FacetKind, line: str) -> Message | None:
    """Add the names of a line, and take away those behind a minus. Raises Refused for what cannot be done whole."""
    wanted = facets_rules.parse(line, kind)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        before = facets_store.list_by_incident(tx, incident.id)
        hints = _list_hints(tx, services.policy, incident, kind, wanted)
        after = _apply(tx, services.policy, request, incident, {kind: wanted})
        if after == before:
            raise Refused(f"{incident.key} already has {'that' if len(wanted.added) == 1 else 'those'}.")
        return facets_views.receipt(incident, after, hints)

    return await run_once(services, request, unit, verb="facets.change")


def _apply(
    tx: Transaction,
    policy: Policy,
    request: Request,
    incident: Incident,
    changes: Mapping[FacetKind, FacetChange],
) -> tuple[Facet, ...]:
    """The names of an incident after some changes. Raises Refused if it lacks what goes, or would have too many."""
    before = facets_store.list_by_incident(tx, incident.id)
    sight = _sight_in(incident, policy)
    for kind, wanted in changes.items():
        names = {facet.key: facet.name for facet in before if facet.kind is kind}
        missing = [name for name in wanted.removed if fold(name) not in names]
        if missing:
            has = f"It has {', '.join(names.values())}." if names else f"It has no {kind}s."
            raise Refused(f'{incident.key} doesn\'t have the {kind} "{missing[0]}". {has}')
        gone = {fold(name) for name in wanted.removed}
        facets_rules.require_room([*(name for key, name in names.items() if key not in gone), *wanted.added], kind)
        for name in wanted.removed:
            facets_store.remove(tx, incident.id, kind, names[fold(name)])
        for name in wanted.added:
            spelled = facets_store.find_spelling(tx, kind, name, sight) or name
            facets_store.add(tx, incident, Facet(kind, spelled, request.user, request.now))
    return facets_store.list_by_incident(tx, incident.id)


def _sight_in(incident: Incident, policy: Policy) -> Sight:
    """What everyone in an incident's channel may know of: it and public channels, which guests cannot see."""
    return Sight(incident.team, public=not policy.allow_guests, channels=frozenset({incident.channel}))


def _list_hints(tx: Transaction, policy: Policy, incident: Incident, kind: FacetKind, wanted: FacetChange) -> list[str]:
    sight = _sight_in(incident, policy)
    new = [name for name in wanted.added if not facets_store.find_spelling(tx, kind, name, sight)]
    if not new:
        return []
    known = facets_store.list_names(tx, kind, "", sight, COMPARED)
    likes = {name: like for name in new if (like := facets_rules.find_like(name, known))}
    return facets_views.new_name_hints(kind, new, likes)


def list_all(tx: Transaction, incident: Incident) -> tuple[Facet, ...]:
    """The services of an incident, then its tags."""
    return facets_store.list_by_incident(tx, incident.id)


def list_proposals(tx: Transaction, policy: Policy, incident: Incident) -> tuple[FacetName, ...]:
    """What its alerts call their service, and known names in its title, without those that it has."""
    named = [FacetName(FacetKind.SERVICE, name) for name in alerts_store.list_services(tx, incident.id)]
    sight = _sight_in(incident, policy)
    phrases = facets_rules.list_phrases(incident.title)
    for kind in FacetKind:
        named += [FacetName(kind, name) for name in facets_store.list_spellings(tx, kind, phrases, sight)]
    has = {(facet.kind, facet.key) for facet in facets_store.list_by_incident(tx, incident.id)}
    found: dict[tuple[FacetKind, str], FacetName] = {}
    for each in named:
        name = _read(each)
        if name and (each.kind, fold(name)) not in has:
            spelled = facets_store.find_spelling(tx, each.kind, name, sight) or name
            found.setdefault((each.kind, fold(name)), FacetName(each.kind, spelled))
    return tuple(found.values())[:PROPOSED]


def _read(each: FacetName) -> str:
    """The name as it is stored; empty if it cannot be: what monitoring sends may be anything."""
    try:
        return facets_rules.read_name(each.name, each.kind)
    except Refused:
        return ""


async def accept(
    services: Services, request: Request, proposed: FacetName, refresh: Callable[[Transaction, Incident], Message]
) -> Message | None:
    """[Add service checkout]: set what was proposed. `refresh` makes the message again, without that button."""
    name = facets_rules.read_name(proposed.name, proposed.kind)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        _apply(tx, services.policy, request, incident, {proposed.kind: FacetChange((name,))})
        return refresh(tx, incident)

    return await run_once(services, request, unit, verb="facets.change")


async def form(services: Services, request: Request) -> Block:
    """The form behind [Services and tags]: with what the person may know of."""
    sight = await visible_to(services, Reader(request.team, request.user))

    def look(tx: Transaction) -> Block:
        incident = require_incident(tx, request)
        here = replace(sight, channels=sight.channels | {incident.channel})
        known = {kind: facets_store.list_names(tx, kind, "", here, facets_views.OPTIONS) for kind in FacetKind}
        facets = facets_store.list_by_incident(tx, incident.id)
        return facets_views.form(incident, FacetChoices(facets, list_proposals(tx, services.policy, incident), known))

    return await services.store.read(look)


async def save_form(
    services: Services, request: Request, shown: Mapping[FacetKind, Sequence[str]], sent: Mapping[FacetKind, FacetNames]
) -> Message | None:
    """What the form says now: what it showed and has no more goes, and nothing else that was set meanwhile."""
    changes = {}
    for kind, names in sent.items():
        chosen = [facets_rules.read_name(name, kind) for name in names.chosen]
        typed = facets_rules.parse(names.typed, kind) if names.typed.strip() else FacetChange()
        left = {fold(name) for name in chosen} - {fold(name) for name in typed.removed}
        gone = [name for name in shown.get(kind, ()) if fold(name) not in left]
        new = [*(name for name in chosen if fold(name) in left), *typed.added]
        changes[kind] = FacetChange(tuple(new), tuple(gone))

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request, locking=True)
        before = facets_store.list_by_incident(tx, incident.id)
        has = {(facet.kind, facet.key) for facet in before}
        still = {
            kind: replace(change, removed=tuple(name for name in change.removed if (kind, fold(name)) in has))
            for kind, change in changes.items()
        }
        after = _apply(tx, services.policy, request, incident, still)
        return facets_views.receipt(incident, after, ())

    return await run_once(services, request, unit, verb="facets.save_form")


async def rename(
    services: Services, request: Request, kind: FacetKind, names: tuple[str, str], *, is_sure: bool = False
) -> Message | None:
    """Call a service or tag otherwise, in every incident of the workspace.

    Asks first if that merges two names. Only what the person sees is counted, and a name that they see nowhere is
    unknown. Raises Refused for guests.
    """
    person = await services.slack.directory.look_up(request.team, request.user)
    if not services.belongs(person):
        raise Refused(f"Only members of this workspace can rename a {kind}: it changes every incident that has it.")
    sight = await visible_to(services, Reader(request.team, request.user))
    sight = replace(sight, channels=sight.channels | {request.place.channel})
    old, new = names

    def unit(tx: Transaction) -> Message:
        spelled = facets_store.find_spelling(tx, kind, old, sight)
        if not spelled:
            like = facets_rules.find_like(old, facets_store.list_names(tx, kind, "", sight, COMPARED))
            raise Refused(f'No incident has the {kind} "{old}".' + (f' Did you mean "{like}"?' if like else ""))
        count = facets_store.count_in_sight(tx, kind, old, sight)
        others = 0 if fold(old) == fold(new) else facets_store.count_in_sight(tx, kind, new, sight)
        target = (others and facets_store.find_spelling(tx, kind, new, sight)) or new
        renaming = Renaming(kind, spelled, target, count, others)
        if others and not is_sure:
            return facets_views.merge_question(renaming)
        changed.extend(facets_store.list_unresolved(tx, request.team, kind, old))
        what = f"{kind} {spelled} renamed to {target}"
        line = AuditLine(request.now, request.user, "facets.rename", what, request.key)
        facets_store.rename(tx, request.team, kind, (old, target), line)
        return facets_views.renamed_receipt(renaming)

    changed: list[Incident] = []
    reply = await run_once(services, request, unit, verb="facets.rename")
    for incident in changed:
        services.slack.live_messages.mark_stale(Place(incident.team, incident.channel), incident.id)
    return reply
