"""Exports: order the draft for the channel, show who would read it elsewhere, and send it there."""

import asyncio
from dataclasses import replace

from bot.domain.masking import MaskedItem
from bot.domain.postmortem import CANVAS, ExportOrder
from bot.domain.records import Incident
from bot.domain.text import find_nearest
from bot.errors import Refused
from bot.export import FORMATS
from bot.services import postmortem as postmortem_service
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.documents import compiler as compiler_service
from bot.slack.channels import Audience, ChannelNotFound
from bot.slack.errors import CALL_ERRORS
from bot.slack.views import exports as exports_views
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.exports import ExportPreview
from bot.slack.views.templates import words
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.deliveries import NewDelivery
from storage.queues import DeliveryKind

_SHORT = {"md": "markdown"}


def require_format(services: Services, form: str) -> str:
    """The format that a person named. Raises Refused for an unknown one, and one that cannot be written here."""
    form = _SHORT.get(form, form)
    if form not in FORMATS:
        close = find_nearest(form, FORMATS)
        *others, one = FORMATS
        hint = f"Did you mean `{close}`?" if close else f"There are {', '.join(others)} and {one}."
        raise Refused(f"There is no format `{form[:30].replace('`', '')}`. {hint}")
    if trouble := services.exporter.explain_trouble(form):
        raise Refused(f"{trouble} Meanwhile `/postmortem export html` gives a page that prints as well.")
    return form


def list_formats(services: Services, but: str = "") -> tuple[str, ...]:
    """The forms that can be written here."""
    return tuple(form for form in FORMATS if form != but and not services.exporter.explain_trouble(form))


async def export(services: Services, request: Request, form: str) -> Message | None:
    """Enqueue the draft for the incident's channel, or for the person's own conversation if they asked elsewhere.

    If other organisations can read there, the person must confirm first.
    """
    form = require_format(services, form)
    found, edited = await postmortem_service.read_findings(services, request)
    others = list_formats(services, but=form)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request)
        to = _where(request, incident, form)
        _owe(tx, request, incident, ExportOrder(form, to, request.user))
        page = services.integrations.page.below_export(tx, incident)
        return exports_views.export_receipt(
            incident, (form, to), others, [*page, *edited, *postmortem_views.open_findings_note(found, incident)]
        )

    return await run_once(services, request, unit, verb="exports.export")


def _where(request: Request, incident: Incident, form: str) -> str:
    """The incident's channel; who names the incident elsewhere gets a file for themselves. A canvas has its channel."""
    is_outside = request.sees is not None and request.place.channel != incident.channel
    return request.user if is_outside and form != CANVAS else incident.channel


def _owe(tx: Transaction, request: Request, incident: Incident, order: ExportOrder) -> None:
    owed = NewDelivery(
        request.team, DeliveryKind.EXPORT, order.to, order.written(), request.now, incident.id, fallback=order.by
    )
    deliveries_store.enqueue(tx, owed)


async def window(services: Services, request: Request, form: str, to: str = "") -> Block:
    """The form that shows who would read the draft in a channel (the incident's own unless another is named).

    It asks Slack, so it never delays an acknowledgement. Raises Refused, also if Slack does not answer.
    """
    form = require_format(services, form)
    incident = await _incident(services, request)
    to = to or incident.channel
    is_own = to == incident.channel
    if form == CANVAS and not is_own:
        raise Refused(words.exports.canvas_stays())
    audience = await _audience(services, to)
    if not is_own:
        await _require_may_post(services, request, audience)
    must_mask = not is_own and (await _audience(services, incident.channel)).is_private
    finds = await asyncio.to_thread(_finds, services, incident, request) if must_mask or audience.is_shared else None
    return exports_views.audience_form(ExportPreview(incident, form, audience, finds, must_mask))


async def _incident(services: Services, request: Request) -> Incident:
    """The incident that is meant; from a DM also for everyone who may look into its channel."""
    found = await services.store.read(lambda tx: _named(tx, request))
    if found.channel != request.place.channel:
        seen = await services.visible_channels(request.team, request.user, [found.channel], request.place.channel)
        if found.channel not in seen:
            raise Refused(words.exports.not_yours())
    return found


def _named(tx: Transaction, request: Request) -> Incident:
    found = incidents_store.find(tx, request.incident_id) if request.incident_id else require_incident(tx, request)
    if found is None or found.team != request.team:
        raise Refused(words.exports.not_yours())
    return found


async def _audience(services: Services, channel: str) -> Audience:
    try:
        return await services.slack.channels.audience(channel)
    except ChannelNotFound as error:
        raise Refused(words.exports.not_there()) from error
    except CALL_ERRORS as error:
        raise Refused(words.exports.not_told()) from error


async def _require_may_post(services: Services, request: Request, there: Audience) -> None:
    if there.is_told and not there.is_member:
        raise Refused(words.exports.not_there())
    if there.is_archived:
        raise Refused(words.exports.archived())
    seen = await services.visible_channels(request.team, request.user, [there.channel], request.place.channel)
    if there.channel not in seen:
        raise Refused(words.exports.not_in_it())


def _finds(services: Services, incident: Incident, request: Request) -> tuple[MaskedItem, ...]:
    return services.store.read_now(
        lambda tx: compiler_service.compile_masked(tx, incident, services.policy.mask, request.now)
    )[1]


async def confirm(services: Services, request: Request, order: ExportOrder) -> Message | None:
    """Enqueue the export that the window confirmed, and record who sent what out."""
    order = replace(order, by=request.user)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request)
        copy = "a masked copy" if order.masked else "the whole"
        tx.note(incident.id, f"{copy} as {order.form} to {order.to}")
        _owe(tx, request, incident, order)
        return exports_views.post_receipt(incident, order)

    return await run_once(services, request, unit, verb="exports.post")
