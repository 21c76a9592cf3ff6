"""The verbs of exporting: order the draft for the channel, look who would read it elsewhere, let it leave."""

import asyncio
from dataclasses import replace

from bot.domain.masking import MaskedItem
from bot.domain.postmortem import CANVAS, ExportOrder
from bot.domain.records import Incident
from bot.domain.text import find_nearest
from bot.errors import Refused
from bot.export import FORMATS
from bot.services import postmortem as postmortem_service
from bot.services.context import Request, Services, once, require_incident
from bot.services.documents import rendering as rendering_service
from bot.slack.channels import Audience, NotThere
from bot.slack.errors import TROUBLE
from bot.slack.views import exports as exports_views
from bot.slack.views import postmortem as postmortem_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.exports import Leaving
from bot.slack.views.templates import words
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.deliveries import Owed

_SHORT = {"md": "markdown"}


def form_named(desk: Services, form: str) -> str:
    """The form that somebody named. Raises Refused for one that there is not, or that cannot be written here."""
    form = _SHORT.get(form, form)
    if form not in FORMATS:
        close = find_nearest(form, FORMATS)
        *others, one = FORMATS
        hint = f"Did you mean `{close}`?" if close else f"There are {', '.join(others)} and {one}."
        raise Refused(f"There is no format `{form[:30].replace('`', '')}`. {hint}")
    if trouble := desk.exporter.trouble(form):
        raise Refused(f"{trouble} Meanwhile `/postmortem export html` gives a page that prints as well.")
    return form


def forms(desk: Services, but: str = "") -> tuple[str, ...]:
    """The forms that can be written here."""
    return tuple(form for form in FORMATS if form != but and not desk.exporter.trouble(form))


async def export(desk: Services, asked: Request, form: str) -> Message | None:
    """Owe the incident's channel the draft; where that was named elsewhere, who asked, in their talk with the bot.

    Where other organisations read, whoever asked is asked before it goes.
    """
    form = form_named(desk, form)
    found, edited = await postmortem_service.to_look_at(desk, asked)
    others = forms(desk, but=form)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked)
        to = _where(asked, incident, form)
        _owe(tx, asked, incident, ExportOrder(form, to, asked.user))
        page = desk.page.below_export(tx, incident)
        return exports_views.exporting(
            incident, (form, to), others, [*page, *edited, *postmortem_views.still_open(found, incident)]
        )

    return await once(desk, asked, unit, verb="exports.export")


def _where(asked: Request, incident: Incident, form: str) -> str:
    """The incident's channel; who names the incident elsewhere gets a file for themselves. A canvas has its channel."""
    is_outside = asked.sees is not None and asked.place.channel != incident.channel
    return asked.user if is_outside and form != CANVAS else incident.channel


def _owe(tx: Transaction, asked: Request, incident: Incident, order: ExportOrder) -> None:
    owed = Owed(asked.team, "file", order.to, order.written(), asked.now, incident.id, fallback=order.by)
    deliveries_store.owe(tx, owed)


async def window(desk: Services, asked: Request, form: str, to: str = "") -> Block:
    """What shows who would read the draft in a channel (the incident's own unless another is named), and asks.

    Slack is asked for it, so never on the way of an acknowledgement. Raises Refused, also where Slack does not tell.
    """
    form = form_named(desk, form)
    incident = await _incident(desk, asked)
    to = to or incident.channel
    is_own = to == incident.channel
    if form == CANVAS and not is_own:
        raise Refused(words.exports.canvas_stays())
    audience = await _audience(desk, to)
    if not is_own:
        await _require_may_post(desk, asked, audience)
    must_mask = not is_own and (await _audience(desk, incident.channel)).is_private
    finds = await asyncio.to_thread(_finds, desk, incident, asked) if must_mask or audience.is_shared else None
    return exports_views.window(Leaving(incident, form, audience, finds, must_mask))


async def _incident(desk: Services, asked: Request) -> Incident:
    """The incident that is asked about; from a DM also for everybody who may see its channel."""
    found = await desk.store.read(lambda tx: _named(tx, asked))
    if found.channel != asked.place.channel:
        seen = await desk.may_see(asked.team, asked.user, [found.channel], asked.place.channel)
        if found.channel not in seen:
            raise Refused(words.exports.not_yours())
    return found


def _named(tx: Transaction, asked: Request) -> Incident:
    found = incidents_store.by_id(tx, asked.incident_id) if asked.incident_id else require_incident(tx, asked)
    if found is None or found.team != asked.team:
        raise Refused(words.exports.not_yours())
    return found


async def _audience(desk: Services, channel: str) -> Audience:
    try:
        return await desk.places.audience(channel)
    except NotThere as error:
        raise Refused(words.exports.not_there()) from error
    except TROUBLE as error:
        raise Refused(words.exports.not_told()) from error


async def _require_may_post(desk: Services, asked: Request, there: Audience) -> None:
    if there.is_told and not there.is_member:
        raise Refused(words.exports.not_there())
    if there.is_archived:
        raise Refused(words.exports.archived())
    seen = await desk.may_see(asked.team, asked.user, [there.channel], asked.place.channel)
    if there.channel not in seen:
        raise Refused(words.exports.not_in_it())


def _finds(desk: Services, incident: Incident, asked: Request) -> tuple[MaskedItem, ...]:
    return desk.store.read_now(lambda tx: rendering_service.masked(tx, incident, desk.mask, asked.now))[1]


async def post(desk: Services, asked: Request, order: ExportOrder) -> Message | None:
    """What the window asked was agreed to: owe it, and write down who let what leave."""
    order = replace(order, by=asked.user)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, asked)
        copy = "a masked copy" if order.masked else "the whole"
        tx.note(incident.id, f"{copy} as {order.form} to {order.to}")
        _owe(tx, asked, incident, order)
        return exports_views.posting(incident, order)

    return await once(desk, asked, unit, verb="exports.post")
