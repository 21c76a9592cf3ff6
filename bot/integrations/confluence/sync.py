"""Keeps a postmortem's page on Confluence: made and updated on request, around what people wrote on it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.masking import USUAL_RULES, MaskRules
from bot.domain.records import Incident
from bot.domain.sections import digest_facts
from bot.export import Exporter
from bot.export.confluence.merge import (
    PageSnapshot,
    StructureLostError,
    join_snapshots,
    replace_top_block,
    snapshot_found,
    snapshot_written,
    split_page,
)
from bot.export.confluence.reader import NotAPageError
from bot.export.templates import BrokenTemplateError
from bot.integrations.confluence import views as confluence_views
from bot.integrations.confluence.client import (
    ConfluenceClient,
    ConfluencePage,
    PageDraft,
    UpdatedPage,
    add_mark,
)
from bot.integrations.confluence.page import PageCompiler, PageContent, PageExtras, PageOrder, PageRevision, overwrite
from bot.integrations.confluence.views import PageStatus
from bot.integrations.http import IntegrationError
from bot.integrations.memos import ANEW, OVERWRITE, PageMemo
from bot.integrations.relations import enqueue_links, find_related, known_accounts
from bot.integrations.sync import DecisionNeeded, SyncResult
from bot.integrations.systems import System
from bot.slack.channels import Channels
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link

_TRIES = 3
_TITLE = 200
"""So many letters of a title are compared: its end may have been cut, or the key added."""
_BUSY = "Somebody is changing the page at this moment; it is tried again later."
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
    """The sync handler of pages that people asked for. Nothing else makes or changes a page, apart from its links."""

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
        memo, accounts = (
            PageMemo.from_json(link.memo),
            known_accounts(tx, incident),
        )
        order = PageOrder(incident, now, memo.is_masked, find_related(tx, incident), accounts)
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
                f"{prepared.incident.key}'s page was deleted there, or the account may not see it any more.",
                confluence_views.deleted(prepared.incident, link),
            )
        memo = replace(memo, record=await self._last_snapshot(link, memo, page))
        return await self._update(link, replace(prepared, memo=memo), page)

    async def _last_snapshot(self, link: Link, memo: PageMemo, page: ConfluencePage) -> PageSnapshot:
        """How the page may look if only we wrote it. After a failed attempt nobody knows whether it wrote."""
        if link.is_unsure or link.attempts > 1:
            return join_snapshots(memo.record, await self._extras.read_snapshot(page))
        return memo.record

    async def _require_consent(self, link: Link, wanted: _WantedPage) -> None:
        """A private incident leaves Slack only as a masked copy, and only once someone has seen what is masked."""
        if wanted.memo.is_masked:
            return
        sight = await self._channels.check_visible("", [wanted.incident.channel])
        if not sight.is_sure:
            raise IntegrationError(
                self._confluence.name,
                "Slack does not say just now who can read in the incident's channel; it is tried again later.",
            )
        if wanted.incident.channel not in sight.seen:
            raise DecisionNeeded(
                self._confluence.name,
                f"{wanted.incident.key} is private, and nobody has agreed yet to what would leave its channel.",
                confluence_views.private(wanted.incident, link.url),
            )

    async def _update_links(self, link: Link, wanted: _WantedPage) -> SyncResult:
        """Update the links at the top of the page, unless people changed them. The channel is not told."""
        page, left = await self._confluence.read(link.external_id), wanted.memo
        if page is not None:
            known = await self._last_snapshot(link, left, page)
            body, record = replace_top_block(page.body, known, self._compiler.header(wanted.order))
            if body:
                await self._extras.write_snapshot(page, join_snapshots(record, known))
                note = f"{_note_of(wanted.incident)} ({page.version + 1} {digest_facts(body)})"
                updated = await self._confluence.update(page, page.title, body, note)
                if not updated.is_written:
                    raise IntegrationError(self._confluence.name, _BUSY)
                page = updated.page
            left = replace(left, record=record)
        version = str(page.version) if page else link.status
        return SyncResult(link.external_id, link.url, version, replace(left, links_at=0).to_json())

    async def _create(self, link: Link, wanted: _WantedPage) -> SyncResult:
        """Make the page without pictures, because files can only be attached to a page that exists.

        The result is recorded before the rest is tried, so the page is known from now on, even if the rest fails.
        """
        memo = replace(wanted.memo.for_another_page(), order="") if link.external_id else wanted.memo
        content = await self._compile(wanted, with_charts=False)
        mark = _mark(link, memo)
        draft = PageDraft(wanted.incident.key, content.title, add_mark(content.body, mark), mark, self._parent_id)
        made = await self._confluence.create(draft, is_repeat=link.is_unsure or link.attempts > 1)
        record = snapshot_written(content.fresh)
        if made.was_there and made.page.version == 1:
            record = snapshot_found(split_page(made.page.body), content.fresh)
        elif made.was_there:
            record = join_snapshots(record, await self._extras.read_snapshot(made.page))
        memo = replace(memo, record=record, title=made.page.title, named=content.title)
        return SyncResult(made.page.id, made.page.url, _NOT_REPORTED, memo.to_json(), is_all=False)

    async def _update(self, link: Link, wanted: _WantedPage, page: ConfluencePage) -> SyncResult:
        memo = wanted.memo
        content = await self._compile(wanted)
        files, pictures = await self._extras.attach(page, content, memo)
        if pictures:
            content = await self._compile(wanted, with_charts=False)
        labels, no_labels = await self._extras.label(page, content, memo)
        page, revision, not_kept = await self._write(link, wanted, content, page)
        is_new = link.status == _NOT_REPORTED
        news = replace(revision.news, is_new=is_new, pictures=pictures, labels=no_labels, kept=not_kept)
        left = PageMemo(
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
        return SyncResult(page.id, page.url, str(page.version), left.to_json())

    async def _compile(self, wanted: _WantedPage, *, with_charts: bool = True) -> PageContent:
        try:
            return await asyncio.to_thread(self._compiler.compile, wanted.order, with_charts=with_charts)
        except BrokenTemplateError as error:
            key = wanted.incident.key
            raise IntegrationError(
                self._confluence.name,
                f"{key}'s page was not written, for the team's templates cannot be used: {error}",
                is_permanent=True,
            ) from error

    async def _write(
        self, link: Link, wanted: _WantedPage, content: PageContent, page: ConfluencePage
    ) -> tuple[ConfluencePage, PageRevision, str]:
        """Write what is new; where people were quicker, read again and start over."""
        for _ in range(_TRIES):
            revision = await self._merge(link, wanted, content, page)
            title = _title(wanted.memo, content, page)
            if not revision.news.is_changed and title == page.title:
                return page, revision, ""
            not_kept = await self._extras.write_snapshot(page, join_snapshots(revision.record, wanted.memo.record))
            body = add_mark(revision.body, _mark(link, wanted.memo))
            note = f"{_note_of(wanted.incident)} ({page.version + 1} {digest_facts(body)})"
            updated = await self._put(page, title, body, note)
            if updated.is_written:
                return updated.page, revision, not_kept
            page, content = updated.page, revision.content
        raise IntegrationError(self._confluence.name, _BUSY)

    async def _merge(self, link: Link, wanted: _WantedPage, content: PageContent, page: ConfluencePage) -> PageRevision:
        if wanted.memo.order == OVERWRITE:
            return overwrite(content)
        if page.version > 1 and not page.note.startswith(_note_of(wanted.incident)):
            page = replace(page, author=await self._confluence.author_of(page))
        try:
            names = await self._find_names(page, wanted)
            return await asyncio.to_thread(self._compiler.merge, content, wanted.order, wanted.memo, page, names)
        except (NotAPageError, StructureLostError) as error:
            raise DecisionNeeded(
                self._confluence.name,
                f"{wanted.incident.key}'s page was changed so much that nothing was written: {error}.",
                confluence_views.lost(wanted.incident, replace(link, external_id=page.id, url=page.url)),
            ) from error

    async def _find_names(self, page: ConfluencePage, wanted: _WantedPage) -> Mapping[str, str]:
        """The names of the people who were mentioned on a page by others than us; none where they are not told."""
        accounts = await asyncio.to_thread(self._compiler.mentioned, page)
        if not (others := accounts - set(wanted.order.accounts.values())):
            return {}
        try:
            return await self._confluence.names_of(sorted(others))
        except IntegrationError as error:
            if not error.is_permanent:
                raise
            return {}

    async def _put(self, page: ConfluencePage, title: str, body: str, note: str) -> UpdatedPage:
        """Write it; where another page has the new title, under the old one."""
        try:
            return await self._confluence.update(page, title, body, note)
        except IntegrationError as error:
            if error.status != 400 or title == page.title:
                raise
            return await self._confluence.update(page, page.title, body, note)

    def record_success(self, tx: Transaction, link: Link, kept: SyncResult, now: datetime) -> None:
        """Say where it is, in which version, and what people did there; what else stands links to it."""
        incident = incidents_store.find(tx, link.incident_id)
        if incident is None:
            return
        before, memo = PageMemo.from_json(link.memo), PageMemo.from_json(kept.memo)
        if (kept.external_id, kept.url) != (link.external_id, link.url):
            enqueue_links(tx, incident, System.CONFLUENCE, now)
        if kept.is_all and not (link.external_id and before.links_at == link.wanted):
            page = PageStatus(memo.title, kept.url, kept.status, memo.is_masked)
            said = confluence_views.brought(incident, page, memo.news)
            deliveries_store.enqueue_message(tx, incident, said, now)

    async def poll(self, store: Store, now: datetime) -> list[int]:
        """Nothing is read by itself: a published page is compared when somebody asks for it."""
        return []


def _mark(link: Link, memo: PageMemo) -> str:
    """What this very page is known by; no other page's mark is a part of it."""
    return f"afterword-{link.team}-{link.id}-{memo.copy}-page".lower()


def _note_of(incident: Incident) -> str:
    """How what we say of a change of ours begins."""
    return f"{incident.key} revision up to date by Afterword"


def _title(memo: PageMemo, content: PageContent, page: ConfluencePage) -> str:
    """The page's title, which follows the incident's unless people gave it another."""
    is_ours = page.title == memo.title and memo.title.startswith(memo.named[:_TITLE])
    return content.title if is_ours and content.title != memo.named else page.title
