"""Exports on their way out: who can read there is asked first, then file or canvas goes where it was ordered."""

import asyncio
from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.incident import exports as orders
from bot.incident.exports import CANVAS, MARKDOWN, Order
from bot.incident.records import Incident
from bot.scribe.canvases import CanvasDesk
from bot.scribe.documents import Papers
from bot.scribe.rendering import Renderer
from bot.slack import exports as says
from bot.slack.canvases import NoCanvas
from bot.slack.places import Audience, NotThere, Places
from bot.slack.sayings import Saying
from storage import incidents
from storage.deliveries import Delivery
from storage.statements import Transaction


class Posting:
    """Makes the messages of deliveries that are exports."""

    def __init__(self, papers: Papers, renderer: Renderer, places: Places, canvases: CanvasDesk) -> None:
        self._papers = papers
        self._renderer = renderer
        self._places = places
        self._canvases = canvases

    def compose(self, tx: Transaction, incident: Incident, delivery: Delivery, now: datetime) -> Saying:
        """The message of an export; to whom it could not be posted for, why.

        Slack is asked, and the document compiled, once it is sent: this transaction is one that recorders wait for.
        """
        order = orders.read(delivery.body)
        is_personal = order.to.startswith(says.PEOPLE)
        has_failed = is_personal and not delivery.fallback
        if delivery.recipient != order.to or has_failed:
            return Saying.of(says.failed(incident, order, delivery.error))
        thread = incidents.card(tx, incident.id) if order.to == incident.channel else ""
        of_file = replace(order, form=MARKDOWN) if order.form == CANVAS else order
        file = partial(self._renderer.file, delivery.id, incident, of_file, now)
        posted = Saying("", thread_ts=thread, file=file)
        return Saying("", made=partial(self._made, posted, incident, order, now))

    async def close(self) -> None:
        """Make no more files."""
        await self._renderer.close()

    async def _made(self, posted: Saying, incident: Incident, order: Order, now: datetime) -> Saying:
        audience = await self._audience(order)
        if audience is not None and audience.is_shared and not order.agreed:
            asked = says.question(incident, order, is_told=audience.is_told)
            return replace(Saying.of(asked), to=order.by)
        leaf = await asyncio.to_thread(self._papers.light, incident, order, now)
        comment = says.comment(leaf.case, leaf.document)
        if audience is not None and audience.is_archived and order.to == incident.channel:
            # Nobody can be told there any more: who ordered it, and was in there, gets the file.
            return replace(posted, text=f"{comment}\n{says.archived()}", to=order.by, thread_ts="")
        if order.form != CANVAS:
            return replace(posted, text=comment)
        try:
            written = await self._canvases.write(incident, order, now)
        except NoCanvas as refusal:
            return replace(posted, text=f"{comment}\n{says.no_canvas(refusal.error)}")
        regions = {"taken": written.taken, "left": written.left, "contested": written.contested}
        said = says.canvas(written.link, regions, is_new=written.is_new, masked=written.masked)
        return replace(posted, text=f"{comment}\n{said}", file=None)

    async def _audience(self, order: Order) -> Audience | None:
        """Who reads where it goes; None for a person's own, and where it cannot be posted, which the refusal tells."""
        if order.to.startswith(says.PEOPLE):
            return None
        try:
            return await self._places.audience(order.to)
        except NotThere:
            return None
