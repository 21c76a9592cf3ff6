"""A postmortem as a canvas of its channel: made once, then brought up to date around what people wrote on it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.export import Exporter, canvas_reading
from bot.export.canvas_reading import Merged
from bot.incident import secrets
from bot.incident.exports import Order
from bot.incident.records import Incident
from bot.scribe.documents import Papers
from bot.slack.canvases import Canvases, CanvasGone
from storage import copies
from storage.copies import Copy
from storage.store import Store

PLACE = "canvas"


@dataclass(frozen=True, slots=True)
class _Paper:
    """What the canvas is to say: its regions by id, and the ids by the words of their headings."""

    title: str
    headings: Mapping[str, str]
    regions: dict[str, str]
    masked: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """A canvas that is up to date.

    `edited` are the regions that stand as people left them; `masked` counts the finds of a masked copy.
    """

    id: str
    link: str
    is_new: bool
    edited: tuple[str, ...]
    masked: int | None


class CanvasDesk:
    """Writes canvases, one for each incident."""

    def __init__(self, store: Store, exporter: Exporter, papers: Papers, canvases: Canvases) -> None:
        self._store = store
        self._exporter = exporter
        self._papers = papers
        self._canvases = canvases

    async def write(self, incident: Incident, order: Order, now: datetime) -> Written:
        """Make the incident's canvas, or bring it up to date; one that was deleted is made anew.

        Raises NoCanvas where Slack does not allow it, also where it cannot be read: then nothing is overwritten.
        """
        paper = await asyncio.to_thread(self._compiled, incident, order, now)
        known = await self._store.read(lambda tx: copies.one(tx, incident.id, PLACE))
        if known is not None:
            try:
                return await self._updated(incident, known, paper, now)
            except CanvasGone:
                pass
        fresh = Merged(paper.regions)
        made = await self._canvases.create(order.to, paper.title, fresh.markdown)
        return await self._left(incident, Copy(made, {}, 0, now), paper, fresh)

    async def _updated(self, incident: Incident, known: Copy, paper: _Paper, now: datetime) -> Written:
        before = await self._canvases.read(known.external_id)
        merged = await asyncio.to_thread(_merged, before, paper, known.marks)
        writing = {id_: text for id_, text in merged.regions.items() if id_ not in merged.edited}
        marks = await asyncio.to_thread(canvas_reading.marks_before, known.marks, writing)
        await self._keep(incident, replace(known, marks=marks))
        await self._canvases.rewrite(known.external_id, merged.markdown)
        return await self._left(incident, replace(known, written_at=now), paper, merged)

    async def _left(self, incident: Incident, copy: Copy, paper: _Paper, merged: Merged) -> Written:
        """Remember how the canvas was left. What people wrote keeps its old mark, so that it stays theirs."""
        after = await self._canvases.glimpse(copy.external_id)
        marks = await asyncio.to_thread(_marks, after, paper, merged)
        marks |= {id_: copy.marks.get(id_, "") for id_ in merged.edited}
        kept = replace(copy, marks=marks, revision=copy.revision + 1)
        await self._keep(incident, kept)
        link = await self._canvases.link(copy.external_id)
        return Written(copy.external_id, link, kept.revision == 1, merged.edited, paper.masked)

    async def _keep(self, incident: Incident, copy: Copy) -> None:
        await self._store.write(lambda tx: copies.keep(tx, incident.id, PLACE, copy))

    def _compiled(self, incident: Incident, order: Order, now: datetime) -> _Paper:
        leaf = self._papers.compiled(incident, order, now)
        document = leaf.document
        headings = self._exporter.canvas_headings(document)
        regions = canvas_reading.apart(self._exporter.render(document, "canvas").decode(), headings)
        return _Paper(secrets.masked(f"{document.key} {document.title}"), headings, regions, leaf.masked)


def _merged(before: str, paper: _Paper, marks: Mapping[str, str]) -> Merged:
    return canvas_reading.merged(paper.regions, canvas_reading.apart(before, paper.headings), marks)


def _marks(after: str, paper: _Paper, merged: Merged) -> dict[str, str]:
    found = canvas_reading.apart(after, paper.headings) if after else {}
    return canvas_reading.marks_of(merged.regions, found)
