"""The sections of a postmortem: found by their names, given by rules, and changed when a person chooses others."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from bot.domain import outline as outline_rules
from bot.domain.outline import STANDARD, Outline, outline_of
from bot.domain.records import Case, Incident, PostmortemStatus, Status
from bot.domain.text import find_nearest, to_one_line
from bot.errors import OutdatedButton, Refused
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.notifications.reminders import update_reminders
from bot.slack.views import outline as outline_views
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.blocks import Message
from storage import case as case_store
from storage import facets as facets_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction


async def find_section(services: Services, request: Request, typed: str) -> str:
    """The slug of the section that a person typed; empty for no words. Raises Refused unless it is exactly one."""
    if not typed.strip():
        return ""

    def look(tx: Transaction) -> str:
        case = case_store.load_latest(tx, require_incident(tx, request))
        outline = outline_of(case.incident)
        found = outline_rules.find_section(outline, typed, outline_rules.list_also_written(case, outline))
        if len(found) != 1:
            raise Refused(_describe_sections(outline, to_one_line(typed)))
        return found[0]

    return await services.store.read(look)


def _describe_sections(outline: Outline, typed: str) -> str:
    """The sentence for a name that is no section's, or that of several: the nearest one, or all of them."""
    titles = ", ".join(section.title for section in outline.sections)
    ours = outline_rules.find_section(STANDARD, typed)
    if len(ours) == 1 and not outline_rules.find_section(outline, typed):
        missing = STANDARD.find(ours[0]).title
        return f"The {outline.title} has no section {missing}. It has: {titles}. To choose another: `/postmortem form`"
    if close := outline_rules.find_near_section(outline, typed):
        return f"I don't know the section {typed[:60]}. Did you mean `/postmortem fill {close.replace('_', ' ')}`?"
    first = next((slug for slug in ("impact", "summary") if outline.has(slug)), outline.sections[0].slug)
    hint = f"Try `/postmortem fill {first.replace('_', ' ')}`. Sections: {titles}."
    return f"I don't know the section {typed[:60]}. {hint}"


def list_outlines(services: Services) -> Mapping[str, Outline]:
    """All that a person can choose, by name: the team's own, then ours."""
    return {**services.outlines.current, STANDARD.name: STANDARD}


def fit_outline(tx: Transaction, services: Services, incident: Incident) -> Incident:
    """The incident with the outline that the rules give it; unchanged once a person has chosen one."""
    if outline_of(incident).is_chosen or not services.outlines.current:
        return incident
    ruled = suggest_outline(tx, services, incident)
    same = replace(outline_of(incident), former=()) == ruled
    return incident if same else outline_rules.give_outline(incident, ruled)


def suggest_outline(tx: Transaction, services: Services, incident: Incident) -> Outline:
    """The outline that the rules have for an incident, as it is now."""
    rules = services.policy.outline_rules()
    facets = facets_store.list_by_incident(tx, incident.id) if rules.needs_facets else ()
    return rules.pick(services.outlines.current, incident, facets)


def find_offer(tx: Transaction, services: Services, incident: Incident) -> Outline | None:
    """What the rules would choose by now for a resolved incident, if it has another one that no person chose."""
    current = outline_of(incident)
    if current.is_chosen or incident.status is not Status.RESOLVED or incident.postmortem_status.is_finished:
        return None
    ruled = suggest_outline(tx, services, incident) if services.outlines.current else current
    return ruled if ruled.name != current.name else None


async def show(services: Services, request: Request) -> Message:
    """Which sections the postmortem has, and the other choices."""
    await asyncio.to_thread(services.outlines.reload)
    others = tuple(list_outlines(services).values())
    incident = await services.store.read(lambda tx: require_incident(tx, request))
    return outline_views.choice_message(incident, others, services.outlines.troubles)


async def choose(services: Services, request: Request, typed: str) -> Message | None:
    """Give the postmortem other sections, by the name of their outline. No text is lost. Raises Refused for no name."""
    await asyncio.to_thread(services.outlines.reload)
    outline = _find_outline(list_outlines(services), to_one_line(typed))

    def unit(tx: Transaction) -> Message:
        before = require_incident(tx, request, locking=True)
        _require_unpublished(before)
        incident = outline_rules.give_outline(before, outline, is_chosen=True)
        if incident == before:
            raise OutdatedButton(f"{before.key} has these sections already.")
        incidents_store.save(tx, incident)
        case = case_store.load_latest(tx, incident)
        update_reminders(tx, incident, request.now)
        return outline_views.receipt(case, _list_also(case), postmortem_views.next_row(case))

    return await run_once(services, request, unit, verb="postmortem.choose_form")


def _list_also(case: Case) -> tuple[str, ...]:
    outline = outline_of(case.incident)
    return tuple(outline.find(slug).title for slug in outline_rules.list_also_written(case, outline))


def _require_unpublished(incident: Incident) -> None:
    if incident.postmortem_status is PostmortemStatus.PUBLISHED:
        key = incident.key
        raise Refused(f"The postmortem of {key} is already published. Reopen it first: `/postmortem reopen {key}`")


def _find_outline(known: Mapping[str, Outline], typed: str) -> Outline:
    """The outline of which a person typed the name or the title, or how it begins."""
    wanted = typed.casefold().removesuffix(" form").strip()
    names = {name: (name, one.title.casefold().removesuffix(" form")) for name, one in known.items()}
    exact = [name for name, called in names.items() if wanted in called]
    found = exact or [name for name, called in names.items() if any(word.startswith(wanted) for word in called)]
    if len(found) == 1 and wanted:
        return known[found[0]]
    close = find_nearest(wanted, known)
    hint = f"Did you mean `/postmortem form {close}`?" if close else f"There are: {', '.join(known)}."
    raise Refused(f"I don't know the form {typed[:60]}. {hint}")
