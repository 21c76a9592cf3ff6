"""Exports: order one, show who would read it, and make the message with the file, or the channel's canvas.

Who can read the target is checked again when the export is sent. Edits on a canvas are imported into the draft, like an
edited file; an edit that cannot be imported stays on the canvas as it is.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial

from bot import bounds
from bot.domain import secrets as secrets_rules
from bot.domain.masking import MASKED, MaskedItem
from bot.domain.postmortem import CANVAS, MARKDOWN, ExportOrder, RegionMark
from bot.domain.records import Incident
from bot.domain.text import clean_input, find_nearest, strip_code_marks
from bot.errors import Refused
from bot.export import FORMATS, Exporter, canvas
from bot.export.canvas import HEAD, CanvasStep, MergedCanvas
from bot.export.drafts import DraftRegions, ReturnedDraft
from bot.export.templates import BrokenTemplateError
from bot.services.context import Request, Services, require_incident, run_once
from bot.services.documents import compiler as compiler_service
from bot.services.documents import drafts as drafts_service
from bot.services.documents.compiler import DocumentCompiler, Renderer
from bot.services.documents.drafts import EditedDraftFile
from bot.services.notifications import outdated_buttons as outdated_buttons_service
from bot.slack.channels import Audience, ChannelNotFound, Channels
from bot.slack.errors import CALL_ERRORS
from bot.slack.files import Canvases, CanvasGone, NoCanvas
from bot.slack.messages_in import message_url
from bot.slack.sender import OutgoingMessage
from bot.slack.views import exports as exports_views
from bot.slack.views.blocks import Block, Message
from bot.slack.views.exports import ExportPreview
from bot.slack.views.templates import words
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.deliveries import Delivery, NewDelivery
from storage.postmortem import sections as sections_store
from storage.postmortem.sections import EditedCopy, NewEdit
from storage.queues import DeliveryKind


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What the canvas shall show: regions by id, ids by the words of their headings, and the draft itself.

    `known` is what the record knew for each region: a mark that does not say yet how it reads.
    """

    title: str
    headings: Mapping[str, str]
    regions: Mapping[str, str]
    known: Mapping[str, RegionMark]
    draft: DraftRegions
    masked: int | None


@dataclass(frozen=True, slots=True)
class WrittenCanvas:
    """A canvas that is up to date.

    Of the edits on it, the draft has imported `taken`; `left` are only on the canvas. In the regions `contested`
    several texts wait for a person to choose. `masked` counts the finds of a masked copy.
    """

    link: str
    is_new: bool
    taken: tuple[str, ...]
    left: tuple[str, ...]
    contested: tuple[str, ...]
    masked: int | None


@dataclass(frozen=True, slots=True)
class _Job:
    """One order to have an incident's canvas written."""

    incident: Incident
    order: ExportOrder
    now: datetime


@dataclass(frozen=True, slots=True)
class _Change:
    """A canvas as it was read, and what it shall show; `plan` is None if it must be written as a whole."""

    canvas: str
    markdown: str
    found: Mapping[str, str]
    merged: MergedCanvas
    plan: tuple[CanvasStep, ...] | None


class CanvasDelivery:
    """Writes canvases, one for each incident."""

    def __init__(self, store: Store, exporter: Exporter, papers: DocumentCompiler, canvases: Canvases) -> None:
        self._store = store
        self._exporter = exporter
        self._papers = papers
        self._canvases = canvases

    async def write(self, incident: Incident, order: ExportOrder, now: datetime) -> WrittenCanvas:
        """Make the incident's canvas, or update it; a deleted one is made again.

        Raises NoCanvas if Slack does not allow it, or if it cannot be read: nothing is then overwritten.
        """
        job = _Job(incident, order, now)
        sheet = await asyncio.to_thread(self._sheet, job)
        copy = await self._store.read(lambda tx: sections_store.find_copy(tx, incident.id, CANVAS))
        if copy is not None:
            try:
                return await self._update(job, replace(copy, written_at=now), sheet)
            except CanvasGone:  # a person deleted it, so another one is made
                pass
        fresh = MergedCanvas(dict(sheet.regions))
        made = await self._canvases.create(order.to, sheet.title, fresh.markdown)
        return await self._save_result(
            job, EditedCopy(made, {}, 0, now), sheet, fresh, await self._canvases.read_back(made)
        )

    async def _update(self, job: _Job, copy: EditedCopy, sheet: _Sheet) -> WrittenCanvas:
        taken: dict[str, None] = {}
        # People may edit the canvas while it is merged: it is merged again, and written anyway at the last attempt.
        for is_last in (False, False, True):
            markdown = await self._canvases.read(copy.external_id)
            earlier = {mark.heading: id_ for id_, mark in copy.marks.items() if mark.heading}
            found = await asyncio.to_thread(canvas.split_regions, markdown, {**earlier, **sheet.headings})
            reads = {id_: mark.reads for id_, mark in copy.marks.items()}
            edited = await asyncio.to_thread(canvas.find_edited, sheet.regions, found, reads)
            # Into the draft first, then onto the canvas: a crash in between loses no edits.
            if new := await self._import_edits(job, copy, sheet, {id_: found[id_] for id_ in edited}):
                taken |= dict.fromkeys(new)
                sheet = await asyncio.to_thread(self._sheet, job)
            left = [id_ for id_ in edited if id_ not in taken]
            merged = await asyncio.to_thread(canvas.merge, sheet.regions, found, left)
            plan = await asyncio.to_thread(canvas.plan_steps, found, merged.regions)
            change = _Change(copy.external_id, markdown, found, merged, plan)
            # Saved before the write: a process that dies half-way must not take its own text for a person's edit
            # (decision 28).
            copy = await self._announce(job, copy, change)
            if (after := await self._write(change, is_last=is_last)) is not None:
                break
        return replace(await self._save_result(job, copy, sheet, merged, after or ""), taken=tuple(taken))

    async def _announce(self, job: _Job, copy: EditedCopy, change: _Change) -> EditedCopy:
        """Remember how the canvas may read while it is written: if the process ends meanwhile, none of it is theirs."""
        reads = {id_: mark.reads for id_, mark in copy.marks.items()}
        writing = {id_: text for id_, text in change.merged.regions.items() if id_ not in change.merged.edited}
        before = await asyncio.to_thread(canvas.add_pending_marks, reads, writing)
        for step in change.plan or ():
            before[step.region] = f"{before.get(step.region, '')} {step.reads}"
        copy = replace(copy, marks=_make_marks(before, copy.marks))
        if change.plan != ():
            await self._keep(job, copy)
        return copy

    async def _write(self, change: _Change, *, is_last: bool) -> str | None:
        """The canvas after the change; empty if it cannot be read, None if another person changed it first.

        It is written block by block if that is possible, and checked. The last attempt does not wait.
        """
        if change.plan == ():
            return change.markdown
        if change.plan and await self._apply_steps(change.canvas, change.plan):
            after = await self._canvases.read_back(change.canvas)
            is_astray = await asyncio.to_thread(canvas.is_unexpected, after, change.found, change.merged.regions)
            if not after or not is_astray:
                return after
        # Read once more right before a whole rewrite, which would overwrite everything (decision 28).
        elif not is_last and await self._canvases.read(change.canvas) != change.markdown:
            return None
        await self._canvases.rewrite(change.canvas, change.merged.markdown)
        return await self._canvases.read_back(change.canvas)

    async def _apply_steps(self, canvas: str, plan: tuple[CanvasStep, ...]) -> bool:
        for step in plan:
            if not await self._canvases.apply_step(canvas, step):
                return False
        return True

    async def _import_edits(self, job: _Job, copy: EditedCopy, sheet: _Sheet, edited: Mapping[str, str]) -> list[str]:
        """Take into the draft what people changed, as far as it is clear what they meant; those regions.

        Out of a masked copy nothing is taken: the record would lose what is masked.
        """
        edits = await asyncio.to_thread(self._read_edits, job, copy, sheet, edited)
        if not edits:
            return []
        new = [edit for edit in edits.values() if edit is not None]
        await self._store.write(lambda tx: drafts_service.keep_edits(tx, job.incident, new, job.now, job.order.by))
        return list(edits)

    @staticmethod
    def _read_edits(job: _Job, copy: EditedCopy, sheet: _Sheet, edited: Mapping[str, str]) -> dict[str, NewEdit | None]:
        if job.order.masked:
            return {}
        texts = {
            id_: clean_input(text, "That canvas", bounds.DRAFT) for id_, text in edited.items() if id_ in copy.marks
        }
        clear = {id_: text for id_, text in texts.items() if _is_clear(id_, text, sheet.draft)}
        if not clear:
            return {}
        came = canvas.compile_edited(clear, copy.marks, sheet.draft.shown)
        paper = ReturnedDraft(job.incident.number, copy.external_id, None, came)
        return drafts_service.find_edits(paper, sheet.draft, EditedDraftFile("", "", CANVAS), job.now)

    async def _save_result(
        self, job: _Job, copy: EditedCopy, sheet: _Sheet, merged: MergedCanvas, after: str
    ) -> WrittenCanvas:
        """Save how the canvas was written. Regions that are only there keep their old mark: they stay people's own."""
        found = await asyncio.to_thread(canvas.split_regions, after, sheet.headings) if after else {}
        reads = await asyncio.to_thread(canvas.mark_regions, merged.regions, found)
        marks = _make_marks(reads, sheet.known) | {id_: copy.marks.get(id_, RegionMark("")) for id_ in merged.edited}
        latest = replace(copy, marks=marks, revision=copy.revision + 1)
        await self._keep(job, latest)
        contested = tuple(edits.own.id for edits in sheet.draft.edits if edits.is_contested)
        link = await self._canvases.link(copy.external_id)
        return WrittenCanvas(link, latest.revision == 1, (), merged.edited, contested, sheet.masked)

    async def _keep(self, job: _Job, copy: EditedCopy) -> None:
        await self._store.write(lambda tx: sections_store.save_copy(tx, job.incident.id, CANVAS, copy))

    def _sheet(self, job: _Job) -> _Sheet:
        leaf = self._papers.compile_light(job.incident, job.order, job.now)
        document = leaf.document
        try:
            sheet = self._exporter.write_canvas(document)
        except BrokenTemplateError as error:
            raise NoCanvas("templates") from error
        regions = canvas.split_regions(sheet.markdown, sheet.headings)
        shown = canvas.read_headings(sheet.markdown, sheet.headings)
        known = {
            region.id: RegionMark("", region.facts, region.seen, shown.get(region.id, ""))
            for region in sheet.draft.facts(document)
        }
        title = secrets_rules.mask_credentials(f"{document.key} {strip_code_marks(document.title)}")
        return _Sheet(title, sheet.headings, regions, known, sheet.draft, leaf.masked)


def _make_marks(reads: Mapping[str, str], known: Mapping[str, RegionMark]) -> dict[str, RegionMark]:
    return {id_: replace(known.get(id_, RegionMark("")), reads=digests) for id_, digests in reads.items()}


def _is_clear(id_: str, text: str, draft: DraftRegions) -> bool:
    """Whether a text is one person's: neither the head, nor one with several texts in it, nor one with gaps."""
    has_labels = any(canvas.contains_words(text, label) for label in draft.labels)
    return id_ != HEAD and MASKED not in text and not has_labels


class ExportDelivery:
    """Makes the messages of deliveries that are exports."""

    def __init__(
        self, papers: DocumentCompiler, renderer: Renderer, places: Channels, canvases: CanvasDelivery
    ) -> None:
        self._papers = papers
        self._renderer = renderer
        self._places = places
        self._canvases = canvases

    def compose(self, tx: Transaction, incident: Incident, delivery: Delivery, now: datetime) -> OutgoingMessage:
        """The message of an export, or the reason for the person it could not be posted for.

        Slack is asked, and the document compiled, at sending: the transaction of the order is one that recorders wait
        for.
        """
        order = ExportOrder(**delivery.content)
        is_personal = order.to.startswith(exports_views.PEOPLE)
        has_failed = is_personal and not delivery.fallback
        if delivery.recipient != order.to or has_failed:
            return OutgoingMessage.of(exports_views.failure_message(incident, order, delivery.error))
        thread = incidents_store.read_live_message(tx, incident.id) if order.to == incident.channel else ""
        of_file = replace(order, form=MARKDOWN) if order.form == CANVAS else order
        file = partial(self._renderer.file, delivery.id, incident, of_file, now)
        posted = OutgoingMessage("", thread_ts=thread, file=file)
        return OutgoingMessage("", factory=partial(self._complete, posted, incident, order, now))

    async def close(self) -> None:
        """Make no more files."""
        await self._renderer.close()

    async def _complete(
        self, posted: OutgoingMessage, incident: Incident, order: ExportOrder, now: datetime
    ) -> OutgoingMessage:
        audience = await self._audience(order)
        if audience is not None and audience.is_shared and not order.agreed:
            asked = exports_views.audience_question(incident, order, is_known=audience.is_known)
            return replace(OutgoingMessage.of(asked), to=order.by)
        comment = await asyncio.to_thread(self._write_comment, incident, order, now)
        if audience is not None and audience.is_archived and order.to == incident.channel:
            # Slack takes no message there any more. Who ordered the export was a member, so the file goes to them.
            return replace(
                posted, text=f"{comment}\n{exports_views.archived_channel_note()}", to=order.by, thread_ts=""
            )
        if order.form != CANVAS:
            return replace(posted, text=comment)
        try:
            written = await self._canvases.write(incident, order, now)
        except NoCanvas as refusal:
            return replace(posted, text=f"{comment}\n{exports_views.no_canvas_note(refusal.error)}")
        regions = {"taken": written.taken, "left": written.left, "contested": written.contested}
        note = exports_views.canvas_comment(
            incident, written.link, regions, is_new=written.is_new, masked=written.masked
        )
        return replace(posted, text=f"{comment}\n{note}", file=None)

    def _write_comment(self, incident: Incident, order: ExportOrder, now: datetime) -> str:
        leaf = self._papers.compile_light(incident, order, now)
        return exports_views.comment(leaf.case, leaf.document)

    async def _audience(self, order: ExportOrder) -> Audience | None:
        """Who can read the target; None for a person's own conversation, or if it cannot be posted there."""
        if order.to.startswith(exports_views.PEOPLE):
            return None
        try:
            return await self._places.audience(order.to)
        except ChannelNotFound:
            return None


log = logging.getLogger(__name__)

_SHORT = {"md": "markdown", "word": "docx"}


def require_format(services: Services, form: str, command: str = "/postmortem export") -> str:
    """The format that a person named. Raises Refused for an unknown one, and one that cannot be written here.

    `command` is what they typed before it.
    """
    form = _SHORT.get(form, form)
    if form not in FORMATS:
        close = find_nearest(form, FORMATS)
        *others, one = FORMATS
        hint = f"Did you mean `{command} {close}`?" if close else f"Formats: {', '.join(others)} and {one}."
        raise Refused(f"I don't know the format `{form[:30].replace('`', '')}`. {hint}")
    if trouble := services.exporter.explain_trouble(form):
        log.warning(
            "The export format %(format)s isn't available here: %(cause)s",
            {"event": "format_unavailable", "format": form, "cause": trouble},
        )
        raise Refused(words.exports.not_here(form=exports_views.format_name(form)))
    return form


def list_formats(services: Services, but: str = "") -> tuple[str, ...]:
    """The forms that can be written here."""
    return tuple(form for form in FORMATS if form != but and not services.exporter.explain_trouble(form))


async def export(services: Services, request: Request, form: str) -> Message | None:
    """Enqueue the draft for the incident's channel, or for the person's own conversation if they asked elsewhere.

    If other organisations can read there, the person must confirm first.
    """
    form = require_format(services, form)
    edited = await drafts_service.read_edits_note(services, request)
    others = list_formats(services, but=form)

    def unit(tx: Transaction) -> Message:
        incident = require_incident(tx, request)
        to = _where(request, incident, form)
        order = ExportOrder(form, to, request.user)
        _enqueue(tx, request, incident, order)
        page = services.integrations.page.below_export(tx, incident)
        link = _thread_url(tx, services, incident) if form != CANVAS else ""
        return exports_views.export_receipt(incident, order, link, others, [*page, *edited])

    return await run_once(services, request, unit, verb="exports.export")


def _thread_url(tx: Transaction, services: Services, incident: Incident) -> str:
    """The address of the live message, below which files go; empty if it or the workspace's address is not known."""
    home, ts = services.slack.directory.url, incidents_store.read_live_message(tx, incident.id)
    return message_url(home, incident.channel, ts, "") if home and ts else ""


def _where(request: Request, incident: Incident, form: str) -> str:
    """The incident's channel; who names the incident elsewhere gets a file for themselves. A canvas has its channel."""
    is_outside = request.sees is not None and request.place.channel != incident.channel
    return request.user if is_outside and form != CANVAS else incident.channel


def _enqueue(tx: Transaction, request: Request, incident: Incident, order: ExportOrder) -> None:
    _close_question(tx, incident, order, request.now)
    owed = NewDelivery(
        request.team, DeliveryKind.EXPORT, order.to, asdict(order), request.now, incident.id, fallback=order.by
    )
    deliveries_store.enqueue(tx, owed)


def _close_question(tx: Transaction, incident: Incident, order: ExportOrder, now: datetime) -> None:
    """If the last such order led to a question or a failure, its message says that it was ordered again."""
    for earlier in deliveries_store.list_exports(tx, incident.id):
        before = ExportOrder(**earlier.content)
        if (before.form, before.to) == (order.form, order.to):
            # A file has no timestamp, and a canvas's message is in the channel: what is left is one to the person.
            if earlier.sent_ts and earlier.sent_channel.startswith("D"):
                message = exports_views.ordered_again_message(incident, order)
                outdated_buttons_service.enqueue_update(tx, incident, earlier, message, now)
            return


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
    finds = (
        await asyncio.to_thread(list_masked_items, services, incident, request)
        if must_mask or audience.is_shared
        else None
    )
    return exports_views.audience_form(ExportPreview(incident, form, audience, finds, must_mask))


async def _incident(services: Services, request: Request) -> Incident:
    """The incident that is meant; from a DM also for everyone who may look into its channel."""
    found = await services.store.read(lambda tx: _require_named(tx, request))
    if found.channel != request.place.channel:
        seen = await services.visible_channels(request.team, request.user, [found.channel], request.place.channel)
        if found.channel not in seen:
            raise Refused(words.exports.not_yours())
    return found


def _require_named(tx: Transaction, request: Request) -> Incident:
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
        raise Refused(words.exports.audience_unknown()) from error


async def _require_may_post(services: Services, request: Request, there: Audience) -> None:
    if there.is_known and not there.is_member:
        raise Refused(words.exports.not_there())
    if there.is_archived:
        raise Refused(words.exports.archived())
    seen = await services.visible_channels(request.team, request.user, [there.channel], request.place.channel)
    if there.channel not in seen:
        raise Refused(words.exports.not_in_it())


def list_masked_items(services: Services, incident: Incident, request: Request) -> tuple[MaskedItem, ...]:
    """What a masked copy would mask. It blocks: call it in a thread."""
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
        _enqueue(tx, request, incident, order)
        return exports_views.post_receipt(incident, order)

    return await run_once(services, request, unit, verb="exports.post")
