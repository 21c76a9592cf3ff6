"""Documents of incidents, compiled for an export, and the files made of them in a thread when they are sent."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import Document
from bot.domain.masking import MaskedItem, MaskRules
from bot.domain.postmortem import ExportOrder
from bot.domain.records import Case, Incident
from bot.errors import Refused
from bot.export import Exporter, file_name, sandbox
from bot.export.mask_patterns import mask_in_sandbox
from bot.export.pdf import group_by_script
from bot.export.sandbox import JobError
from bot.slack.sender import FileNotReady, FileUpload
from bot.slack.views.exports import file_title
from bot.slack.views.templates import words
from storage import case as case_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.database.store import Store

COMPLETE = "json"
"""The form that tells everything: every wording, what was taken back, and the audit."""


def find_incident(tx: Transaction, number: int, team: str) -> Incident:
    """INC-7 by its number; `team` may be empty if only one workspace has it.

    Raises Refused if there is none, or if several workspaces have it.
    """
    found = [
        incidents_store.find_by_number(tx, one, number) for one in ((team,) if team else incidents_store.list_teams(tx))
    ]
    known = [incident for incident in found if incident is not None]
    if len(known) != 1:
        several = f"{len(known)} workspaces have INC-{number}. Choose one with --team."
        raise Refused(several if known else f"There's no INC-{number} in this database. Check DATABASE_URL.")
    return known[0]


def compile_document(tx: Transaction, incident: Incident, form: str, now: datetime) -> Document:
    """The document of an incident as of `now`, with what a form of `bot.export.FORMATS` needs of the record."""
    is_complete = form == COMPLETE
    case = case_store.load(tx, incident, with_files=True, with_audit=is_complete)
    if not is_complete:
        return postmortem_rules.compile_document(case, now)
    return postmortem_rules.compile_document(case, now, case_store.load_history(tx, incident))


def compile_masked(
    tx: Transaction, incident: Incident, rules: MaskRules, now: datetime
) -> tuple[Document, tuple[MaskedItem, ...]]:
    """A copy for a wider circle, whatever its form: without files, history and audit; and what is masked in it."""
    return mask_in_sandbox(postmortem_rules.compile_document(case_store.load(tx, incident), now), rules)


@dataclass(frozen=True, slots=True)
class CompiledDocument:
    """An ordered document. `masked` counts the finds of a masked copy; `case` may lack entries."""

    case: Case
    document: Document
    masked: int | None


class DocumentCompiler:
    """Compiles what is ordered, in the form that it is written in; it blocks, so call it in a thread."""

    def __init__(self, store: Store, rules: MaskRules) -> None:
        self._store = store
        self._rules = rules

    def compile_full(self, incident: Incident, order: ExportOrder, now: datetime) -> CompiledDocument:
        """The incident's document, as of `now`, with all that its form shows."""

        def look(tx: Transaction) -> CompiledDocument:
            if order.masked:
                return self._compile_masked(tx, incident, now)
            return CompiledDocument(
                case_store.load_latest(tx, incident), compile_document(tx, incident, order.form, now), None
            )

        return self._store.read_now(look)

    def compile_light(self, incident: Incident, order: ExportOrder, now: datetime) -> CompiledDocument:
        """The same without what its files hold, and without history: for what shows neither."""

        def look(tx: Transaction) -> CompiledDocument:
            if order.masked:
                return self._compile_masked(tx, incident, now)
            case = case_store.load(tx, incident)
            return CompiledDocument(case, postmortem_rules.compile_document(case, now), None)

        return self._store.read_now(look)

    def _compile_masked(self, tx: Transaction, incident: Incident, now: datetime) -> CompiledDocument:
        document, finds = compile_masked(tx, incident, self._rules, now)
        return CompiledDocument(case_store.load_latest(tx, incident), document, len(finds))


def compile_for_customers(papers: DocumentCompiler, exporter: Exporter, incident: Incident, now: datetime) -> str:
    """A masked copy's sections as Markdown, for a page of customers; without our table of facts. It blocks."""
    document = papers.compile_light(incident, ExportOrder("markdown", "", "", masked=True), now).document
    regions = exporter.compile_preview(document).shown.regions
    return "\n\n".join(text for region in regions for text in (region.heading, region.body) if text) + "\n"


log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that an attempt waits for a file; what takes longer goes on being made until a later one."""

# Two at a time: each may take a process of half a gigabyte, and the machine has other work (decision 40).
AT_ONCE = 2
# Finished files of deliveries that no attempt came back for; each may be megabytes.
MOST_KEPT = 4

_INSTEAD = "html"
"""The form in place of one that failed: it shows the same, and prints."""

_LOOK_SECONDS = 0.05


class Renderer:
    """Makes files. One that was not ready in time is kept in this process for the delivery's next attempt."""

    def __init__(self, exporter: Exporter, papers: DocumentCompiler, patience: float = PATIENCE) -> None:
        self._exporter = exporter
        self._papers = papers
        self._patience = patience
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._going: dict[int, asyncio.Task[FileUpload]] = {}
        self._is_closing = False

    async def file(self, delivery: int, incident: Incident, order: ExportOrder, now: datetime) -> FileUpload:
        """The incident's document in a form, as of `now` or of the first attempt. Raises FileNotReady."""
        # An attempt that ran out of patience left it running: the next one waits for the same, instead of beginning
        # again.
        going = self._going.get(delivery)
        if going is None:
            self._forget()
            going = asyncio.create_task(self._in_turn(incident, order, now))
            self._going[delivery] = going
        # Waited for and not cancelled: a long file goes on being made, while other messages are sent (decision 40).
        await asyncio.wait([going], timeout=self._patience)
        if not going.done():
            raise FileNotReady(f"{order.form} is still being made")
        del self._going[delivery]
        return going.result()

    def _forget(self) -> None:
        """Drop files that no delivery fetched: it was cancelled, or another process has sent it."""
        done = [delivery for delivery, going in self._going.items() if going.done()]
        # The latest stay: another attempt of the same delivery may be on its way.
        for delivery in done[:-MOST_KEPT]:
            del self._going[delivery]

    async def close(self) -> None:
        """Stop making files: their deliveries are still enqueued, and the next run makes them."""
        self._is_closing = True
        left = set(self._going.values())
        while left:
            sandbox.kill_all()  # again and again: a thread may be about to begin
            _, left = await asyncio.wait(left, timeout=_LOOK_SECONDS)
        await asyncio.gather(*self._going.values(), return_exceptions=True)

    async def _in_turn(self, incident: Incident, order: ExportOrder, now: datetime) -> FileUpload:
        async with self._turns:
            self._require_open()
            return await asyncio.to_thread(self._render, incident, order, now)

    def _render(self, incident: Incident, order: ExportOrder, now: datetime) -> FileUpload:
        leaf = self._papers.compile_full(incident, order, now)
        note = "" if leaf.masked is None else words.exports.masked_count(count=leaf.masked)
        try:
            return self._as_file(leaf.document, order.form, note)
        except JobError as error:
            self._require_open()
            instead = words.exports.instead(reason=str(error), form=_INSTEAD)
            return self._as_file(leaf.document, _INSTEAD, f"{note} {instead}".strip())

    def _require_open(self) -> None:
        """Raises StillMaking if the file is to be given up."""
        if self._is_closing:
            raise FileNotReady("the bot is stopping; the file is made when it runs again")

    def _as_file(self, document: Document, form: str, note: str = "") -> FileUpload:
        written = self._exporter.write(document, form)
        if written.trouble:
            log.warning(
                "The team's templates can't be used, so Afterword's own were. To see why: `afterword template check`",
                {"event": "templates_unusable"},
            )
            note = "\n".join(filter(None, (note, words.exports.our_templates(reason=written.trouble))))
        if written.undrawn:
            missing = group_by_script(written.undrawn)
            log.warning(
                "A PDF lacks letters of these scripts: %(scripts)s. Install a font that has them.",
                {"event": "font_missing", "scripts": ", ".join(one.name for one in missing)},
            )
            note = "\n".join(filter(None, (note, words.exports.undrawn(scripts=missing))))
        return FileUpload(file_name(document, form), file_title(document, form), written.content, note)
