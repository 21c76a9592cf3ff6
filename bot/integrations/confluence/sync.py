"""Keeps a postmortem's page on Confluence: made and updated on request, around people's edits (decision 25)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.masking import USUAL_RULES, MaskRules
from bot.domain.records import Incident, System
from bot.domain.sections import digest_facts
from bot.export import Exporter
from bot.export.confluence.merge import (
    PageSnapshot,
    StructureLostError,
    join_snapshots,
    replace_top_block,
    snapshot_found,
    snapshot_written,
)
from bot.export.confluence.reader import NotAPageError
from bot.export.confluence.regions import split_page
from bot.export.templates import BrokenTemplateError
from bot.integrations.confluence import views as confluence_views
from bot.integrations.confluence.client import ConfluenceClient, ConfluencePage, PageDraft, UpdatedPage, add_mark
from bot.integrations.confluence.page import PageCompiler, PageContent, PageExtras, PageOrder, PageRevision, overwrite
from bot.integrations.confluence.views import PageStatus
from bot.integrations.http import IntegrationError
from bot.integrations.links import ANEW, OVERWRITE, PageMemo, enqueue_links, find_related, known_accounts
from bot.integrations.sync import DecisionNeeded, SyncResult, is_public
from bot.slack.channels import Channels
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link

_TRIES = 3
"""How often a page is merged again after people were quicker. Then it is busy, and tried again later."""
_TITLE = 200
"""How many letters of a title are compared: its end may have been cut, or the key added."""
_BUSY = "The page is being edited right now. I'll try again later."
_NOT_REPORTED = ""
"""The link's status while the page was made and the channel does not know; afterwards it is the page's version."""


@dataclass(frozen=True, slots=True)
class PageSources:
    """What pages are made from: the record, the formats, who can read which channel, and what is masked."""

    store: Store
    exporter: Exporter
    channels: Channels
    rules: MaskRules = USUAL_RULES


@dataclass(frozen=True, slots=True)
class _WantedPage:
    """A page to write. `links_alone`: no person asked for it; only its links to other systems are due."""

    memo: PageMemo
    order: PageOrder
    links_alone: bool

    @property
    def incident(self) -> Incident:
        return self.order.incident


class PageSync:
    """The sync handler of pages. Only a person's request makes or changes one, apart from its links."""

    def __init__(self, confluence: ConfluenceClient, parent_id: str, sources: PageSources) -> None:
        """`parent_id` is the page above; empty for the top of the space."""
        self._confluence = confluence
        self._parent_id = parent_id
        self._channels = sources.channels
        self._compiler = PageCompiler(sources.store, sources.exporter, sources.rules)
        self._extras = PageExtras(confluence)

    def is_urgent(self, link: Link) -> bool:
        return True

    async def aclose(self) -> None:
        await self._confluence.aclose()

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> _WantedPage | None:
        """The incident behind a link."""
        incident = incidents_store.find(tx, link.incident_id)
        if incident is None:
            return None
        memo = PageMemo.from_json(link.memo)
        order = PageOrder(incident, now, memo.is_masked, find_related(tx, incident), known_accounts(tx, incident))
        return _WantedPage(memo, order, bool(link.external_id) and memo.links_at == link.wanted)

    async def perform(self, link: Link, prepared: _WantedPage) -> SyncResult:
        """Make or update the page. Raises DecisionNeeded if a person has to decide something first."""
        if prepared.links_alone:
            return await self._update_links(link, prepared)
        await self._require_consent(link, prepared)
        memo = prepared.memo
        if not link.external_id or memo.order == ANEW:
            return await self._create(link, prepared)
        page = await self._confluence.read(link.external_id)
        if page is None:
            raise DecisionNeeded(
                self._confluence.name,
                f"{prepared.incident.key}'s page was deleted there, or this account can't see it anymore.",
                confluence_views.deletion_question(prepared.incident, link),
            )
        memo = replace(memo, record=await self._last_snapshot(link, memo, page))
        return await self._update(link, replace(prepared, memo=memo), page)

    async def _last_snapshot(self, link: Link, memo: PageMemo, page: ConfluencePage) -> PageSnapshot:
        """How the page may look if only we wrote it. A failed attempt may have written it, too."""
        if link.is_unsure or link.attempts > 1:
            return join_snapshots(memo.record, await self._extras.read_snapshot(page))
        return memo.record

    async def _require_consent(self, link: Link, wanted: _WantedPage) -> None:
        """A private incident leaves Slack only as a masked copy, and only once someone has seen what is masked."""
        if wanted.memo.is_masked:
            return
        if not await is_public(self._channels, wanted.incident, self._confluence.name):
            raise DecisionNeeded(
                self._confluence.name,
                f"{wanted.incident.key} is private. Review the masked copy in its channel first.",
                confluence_views.consent_question(wanted.incident, link.url),
            )

    async def _update_links(self, link: Link, wanted: _WantedPage) -> SyncResult:
        """Update the links at the top of the page, unless people changed them, without a message to the channel."""
        page, memo = await self._confluence.read(link.external_id), wanted.memo
        if page is not None:
            known = await self._last_snapshot(link, memo, page)
            header = await asyncio.to_thread(self._compiler.header, wanted.order)
            body, record = await asyncio.to_thread(replace_top_block, page.body, known, header)
            if body:
                # Before the page: if the answer to the write is lost, only this tells our text from people's
                # (decision 25).
                await self._extras.write_snapshot(page, join_snapshots(record, known))
                note = _unique_note(wanted.incident, page, body)
                updated = await self._confluence.update(page, page.title, body, note)
                if not updated.is_written:
                    raise IntegrationError(self._confluence.name, _BUSY)
                page = updated.page
            memo = replace(memo, record=record)
        version = str(page.version) if page else link.status
        return SyncResult(link.external_id, link.url, version, replace(memo, links_at=0).to_json())

    async def _create(self, link: Link, wanted: _WantedPage) -> SyncResult:
        """Make the page without pictures, because files can only be attached to a page that exists.

        The result is recorded before the rest is tried, so that the page is not made again if the rest fails.
        """
        memo = replace(wanted.memo.for_another_page(), order="") if link.external_id else wanted.memo
        content = await self._compile(wanted, with_charts=False)
        mark = _mark(link, memo)
        draft = PageDraft(wanted.incident.key, content.title, add_mark(content.body, mark), mark, self._parent_id)
        made = await self._confluence.create(draft, is_repeat=link.is_unsure or link.attempts > 1)
        record = await asyncio.to_thread(snapshot_written, content.fresh)
        if made.was_there and made.page.version == 1:  # an earlier attempt's page, which no one has edited
            split = await asyncio.to_thread(split_page, made.page.body)
            record = await asyncio.to_thread(snapshot_found, split, content.fresh)
        elif made.was_there:
            record = join_snapshots(record, await self._extras.read_snapshot(made.page))
        memo = replace(memo, record=record, title=made.page.title, named=content.title)
        return SyncResult(made.page.id, made.page.url, _NOT_REPORTED, memo.to_json(), is_all=False)

    async def _update(self, link: Link, wanted: _WantedPage, page: ConfluencePage) -> SyncResult:
        memo = wanted.memo
        content = await self._compile(wanted)
        # Pictures before the body, or readers would see broken ones for a moment, and for ever if the attachment
        # fails.
        files, pictures = await self._extras.attach(page, content, memo)
        if pictures:  # refused: a page that shows missing files would be worse than one without pictures
            content = await self._compile(wanted, with_charts=False)
        labels, no_labels = await self._extras.label(page, content, memo)
        page, revision, not_kept = await self._write(link, wanted, content, page)
        is_new = link.status == _NOT_REPORTED
        news = replace(revision.news, is_new=is_new, pictures=pictures, labels=no_labels, kept=not_kept)
        new_memo = PageMemo(
            is_masked=memo.is_masked,
            copy=memo.copy,
            title=page.title,
            named=revision.content.title,
            record=revision.record,
            gone=revision.gone,
            files=files,
            labels=labels,
            news=news,
        )
        return SyncResult(page.id, page.url, str(page.version), new_memo.to_json())

    async def _compile(self, wanted: _WantedPage, *, with_charts: bool = True) -> PageContent:
        try:
            return await asyncio.to_thread(self._compiler.compile, wanted.order, with_charts=with_charts)
        except BrokenTemplateError as error:
            key = wanted.incident.key
            raise IntegrationError(
                self._confluence.name,
                f"{key}'s page wasn't written, because your templates can't be used: {error}",
                is_permanent=True,
            ) from error

    async def _write(
        self, link: Link, wanted: _WantedPage, content: PageContent, page: ConfluencePage
    ) -> tuple[ConfluencePage, PageRevision, str]:
        """Write what is new. If people were quicker, merge with what they wrote, and try again."""
        for _ in range(_TRIES):
            revision = await self._merge(link, wanted, content, page)
            title = _title(wanted.memo, content, page)
            if not revision.news.is_changed and title == page.title:
                return page, revision, ""
            # Both states: whichever of the two is on the page after a lost answer, it counts as ours (decision 25).
            not_kept = await self._extras.write_snapshot(page, join_snapshots(revision.record, wanted.memo.record))
            body = add_mark(revision.body, _mark(link, wanted.memo))
            updated = await self._put(page, title, body, _unique_note(wanted.incident, page, body))
            if updated.is_written:
                return updated.page, revision, not_kept
            # The content that was merged, because it has people's texts from the last round.
            page, content = updated.page, revision.content
        raise IntegrationError(self._confluence.name, _BUSY)

    async def _merge(self, link: Link, wanted: _WantedPage, content: PageContent, page: ConfluencePage) -> PageRevision:
        if wanted.memo.order == OVERWRITE:
            return overwrite(content)
        if page.version > 1 and not page.note.startswith(_note_of(wanted.incident)):
            page = replace(page, author=await self._confluence.author_of(page))
        try:
            # Names before the merge, which runs in a thread and makes no calls.
            names = await self._find_names(page, wanted)
            return await asyncio.to_thread(self._compiler.merge, content, wanted.order, wanted.memo, page, names)
        except (NotAPageError, StructureLostError) as error:
            raise DecisionNeeded(
                self._confluence.name,
                f"{wanted.incident.key}'s page changed too much, so nothing was written: {error}.",
                confluence_views.overwrite_question(wanted.incident, replace(link, external_id=page.id, url=page.url)),
            ) from error

    async def _find_names(self, page: ConfluencePage, wanted: _WantedPage) -> Mapping[str, str]:
        """The names of the people whom others than us mentioned on a page; empty if the account may not read names."""
        accounts = await asyncio.to_thread(self._compiler.list_mentioned, page)
        if not (others := accounts - set(wanted.order.accounts.values())):
            return {}
        try:
            return await self._confluence.names_of(sorted(others))
        except IntegrationError as error:
            if not error.is_permanent:
                raise
            return {}

    async def _put(self, page: ConfluencePage, title: str, body: str, note: str) -> UpdatedPage:
        """Write it. If another page has the new title, keep the old one."""
        try:
            return await self._confluence.update(page, title, body, note)
        except IntegrationError as error:
            # Confluence answers 400 if another page has the title. If it is something else, the second write says so.
            if error.status != 400 or title == page.title:
                raise
            return await self._confluence.update(page, page.title, body, note)

    def record_success(self, tx: Transaction, link: Link, result: SyncResult, now: datetime) -> None:
        """Report where it is, its version, and what people did there; make the other systems link to it."""
        incident = incidents_store.find(tx, link.incident_id)
        if incident is None:
            return
        before, memo = PageMemo.from_json(link.memo), PageMemo.from_json(result.memo)
        if (result.external_id, result.url) != (link.external_id, link.url):
            enqueue_links(tx, incident, System.CONFLUENCE, now)
        if result.is_all and not (link.external_id and before.links_at == link.wanted):
            page = PageStatus(memo.title, result.url, result.status, memo.is_masked)
            deliveries_store.enqueue_message(
                tx, incident, confluence_views.page_message(incident, page, memo.news), now
            )

    async def poll(self, store: Store, now: datetime) -> list[int]:
        """Nothing to poll: a page is compared when a person asks for an update."""
        return []


def _mark(link: Link, memo: PageMemo) -> str:
    """What the page is found again by. No other page's mark is a part of it."""
    return f"afterword-{link.team}-{link.id}-{memo.copy}-page".lower()


def _note_of(incident: Incident) -> str:
    """How the note in the page's history begins, by which our versions are distinguished from people's."""
    return f"{incident.key} revision up to date by Afterword"


def _unique_note(incident: Incident, page: ConfluencePage, body: str) -> str:
    """The note of an update of `page`. No other update has it."""
    return f"{_note_of(incident)} ({page.version + 1} {digest_facts(body)})"


def _title(memo: PageMemo, content: PageContent, page: ConfluencePage) -> str:
    """The page's title, which follows the incident's unless people gave it another."""
    is_ours = page.title == memo.title and memo.title.startswith(memo.named[:_TITLE])
    return content.title if is_ours and content.title != memo.named else page.title
