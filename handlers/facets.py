"""`/incident service` and `/incident tag`, their form, and the buttons that propose names."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from bot.domain import facets as facets_rules
from bot.domain.facets import FacetKind, FacetName
from bot.domain.records import Incident
from bot.services import facets as facets_service
from bot.services import live_message as live_message_service
from bot.services.facets import FacetNames
from bot.slack.views import facets as facets_views
from bot.slack.views import incidents as incidents_views
from bot.slack.views.blocks import Block, Message
from handlers.boundary import Boundary, HandlerTable
from handlers.requests import Click, Command, Form, Submission
from storage.database.statements import Transaction

NAMES = r"(?!\s+(?:rename|merge)\s+\S)(?:\s+(?P<text>.+))?"
RENAMING = r"\s+(?:rename|merge)\s+(?P<text>.+)"

_Run = Callable[[Boundary, Command], Awaitable[Message | Form | None]]


def run_for(kind: FacetKind) -> _Run:
    """What the command of a kind does: set names and take them away, or open the form."""

    async def run(boundary: Boundary, command: Command) -> Message | Form | None:
        line = command.rest.strip()
        if not line:
            return Form(build=lambda click: facets_service.form(boundary.services, click.request))
        return await facets_service.change(boundary.services, command.request, kind, line)

    return run


async def rename(boundary: Boundary, command: Command) -> Message | None:
    """`service rename checkout = checkout-api`, and the same of a tag."""
    kind = FacetKind.TAG if command.line.lower().startswith("tag") else FacetKind.SERVICE
    names = facets_rules.parse_renaming(command.rest, kind)
    return await facets_service.rename(boundary.services, command.request, kind, names)


async def _accept(boundary: Boundary, click: Click) -> Message | None:
    """[Add service checkout] on a receipt or on `/incident status`."""
    services, is_opening = boundary.services, click.value.get("place") == facets_views.OPENED

    def refresh(tx: Transaction, incident: Incident) -> Message:
        if not is_opening:
            return live_message_service.compose_overview(tx, services.policy, incident, click.request.now)
        proposals = facets_service.list_proposals(tx, services.policy, incident)
        line = facets_views.card_line(facets_service.list_all(tx, incident))
        return incidents_views.opened_message(incident, proposals=proposals, facets=line)

    proposed = FacetName(FacetKind(click.value["kind"]), str(click.value["name"]))
    return await facets_service.accept(services, click.request, proposed, refresh)


async def _merge(boundary: Boundary, click: Click) -> Message | None:
    """[Merge], when the new name was taken."""
    kind, names = FacetKind(click.value["kind"]), (str(click.value["old"]), str(click.value["new"]))
    return await facets_service.rename(boundary.services, click.request, kind, names, is_sure=True)


async def _open(boundary: Boundary, click: Click) -> Block:
    return await facets_service.form(boundary.services, click.request)


async def _save(boundary: Boundary, sent: Submission) -> Message | None:
    names = {
        kind: FacetNames(
            _list_texts(sent.values.get(f"facets_{kind}")), str(sent.values.get(f"facets_new_{kind}") or "")
        )
        for kind in FacetKind
    }
    shown: Any = sent.metadata.get("shown")
    before = {kind: _list_texts(shown.get(str(kind)) if isinstance(shown, dict) else ()) for kind in FacetKind}
    return await facets_service.save_form(boundary.services, sent.request, before, names)


def _list_texts(values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if isinstance(values, list) else ()


HANDLERS = HandlerTable(
    clicks={re.compile(r"facets_add_\d+"): _accept, "facets_merge": _merge},
    forms={"facets_open": _open},
    submissions={"facets_form": _save},
)
