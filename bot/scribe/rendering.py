"""The files that deliveries carry: compiled when they are sent, in a thread, and never in anybody's way."""

import asyncio
import logging
from datetime import datetime

from bot.export import Exporter, apart, file_name
from bot.export.apart import FailedApart
from bot.export.undrawn import scripts
from bot.incident.document import Document
from bot.incident.exports import Order
from bot.incident.records import Incident, PostmortemStatus
from bot.scribe.documents import Papers
from bot.slack.exports import name_of
from bot.slack.sayings import File, StillMaking
from bot.slack.words import words

log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that an attempt waits for a file; what takes longer goes on being made until a later one."""

AT_ONCE = 2
MOST_KEPT = 4

_INSTEAD = "html"
"""The form in place of one that failed: it shows the same, and prints."""

_LOOK_SECONDS = 0.05


class Renderer:
    """Makes files. One that was not done in time is kept for the next attempt of its delivery, in this process."""

    def __init__(self, exporter: Exporter, papers: Papers, patience: float = PATIENCE) -> None:
        self._exporter = exporter
        self._papers = papers
        self._patience = patience
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._going: dict[int, asyncio.Task[File]] = {}
        self._is_closing = False

    async def file(self, delivery: int, incident: Incident, order: Order, now: datetime) -> File:
        """The incident's document in a form, as of `now` or of the first attempt. Raises StillMaking."""
        going = self._going.get(delivery)
        if going is None:
            self._forget()
            going = asyncio.create_task(self._in_turn(incident, order, now))
            self._going[delivery] = going
        await asyncio.wait([going], timeout=self._patience)
        if not going.done():
            raise StillMaking(f"{order.form} is still being made")
        del self._going[delivery]
        return going.result()

    def _forget(self) -> None:
        """Let go of files that nobody came for: their delivery is cancelled, or another process has sent it."""
        done = [delivery for delivery, going in self._going.items() if going.done()]
        for delivery in done[:-MOST_KEPT]:
            del self._going[delivery]

    async def close(self) -> None:
        """Give up what is being made: its deliveries are owed still, and the next run makes it."""
        self._is_closing = True
        left = set(self._going.values())
        while left:
            apart.end_all()  # again and again: a thread may be about to begin
            _, left = await asyncio.wait(left, timeout=_LOOK_SECONDS)
        await asyncio.gather(*self._going.values(), return_exceptions=True)

    async def _in_turn(self, incident: Incident, order: Order, now: datetime) -> File:
        async with self._turns:
            self._go_on()
            return await asyncio.to_thread(self._made, incident, order, now)

    def _made(self, incident: Incident, order: Order, now: datetime) -> File:
        leaf = self._papers.compiled(incident, order, now)
        note = "" if leaf.masked is None else words.exports.masked(count=leaf.masked)
        try:
            return self._as_file(leaf.document, order.form, note)
        except FailedApart as error:
            self._go_on()
            instead = words.exports.instead(reason=str(error), form=_INSTEAD)
            return self._as_file(leaf.document, _INSTEAD, f"{note} {instead}".strip())

    def _go_on(self) -> None:
        """Raises StillMaking where it is to be given up."""
        if self._is_closing:
            raise StillMaking("the bot is closing; the file is made when it runs again")

    def _as_file(self, document: Document, form: str, note: str = "") -> File:
        written = self._exporter.write(document, form)
        is_published = document.postmortem_status is PostmortemStatus.PUBLISHED
        if written.trouble:
            log.warning("the team's templates could not be used: `afterword template check` says why")
            note = "\n".join(filter(None, (note, words.exports.our_templates(reason=written.trouble))))
        if written.undrawn:
            missing = scripts(written.undrawn)
            log.warning("no font for some letters of a PDF: %s", ", ".join(one.name for one in missing))
            note = "\n".join(filter(None, (note, words.exports.undrawn(scripts=missing))))
        title = words.exports.title(key=document.key, form=name_of(form), published=is_published)
        return File(file_name(document, form), title, written.content, note)
