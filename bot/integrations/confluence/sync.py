"""The postmortem as a page of Confluence: made on request, brought up to date on request, around what people wrote."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.masking import USUAL_RULES, MaskRules
from bot.domain.records import Incident
from bot.domain.section_drafts import digest_facts
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
from bot.export.team_templates import BrokenTemplateError
from bot.integrations.confluence import memo as confluence_memo
from bot.integrations.confluence import views as confluence_views
from bot.integrations.confluence.client import ConfluenceClient, add_mark
from bot.integrations.confluence.memo import ANEW, OVERWRITE, PageMemo
from bot.integrations.confluence.page import PageCompiler, PageContent, PageExtras, PageOrder, PageRevision, overwrite
from bot.integrations.confluence.types import ConfluencePage, PageDraft, UpdatedPage
from bot.integrations.confluence.views import PageStatus
from bot.integrations.http import IntegrationError
from bot.integrations.relations import enqueue_links, find_related, known_accounts
from bot.integrations.sync import DecisionNeeded, SyncResult
from bot.slack.channels import Channels
from storage import deliveries as deliveries_store
from storage import incidents as incidents_store
from storage.database.statements import Transaction
from storage.database.store import Store
from storage.links import Link

SYSTEM = "confluence"
POSTMORTEM = " postmortem"
"""Behind an incident's key: the subject of its link."""

_TRIES = 3
_TITLE = 200
"""Letters by which a title is known as ours: its end may have been cut, or the key put behind it."""
_BUSY = "Somebody is changing the page at this moment; it is tried again later."
_NOT_TOLD = ""
"""How a page stands that was made, and of which nobody has heard yet: afterwards it is its version."""


@dataclass(frozen=True, slots=True)
class PageSources:
    """Where pages are taken from: the record, its forms, who can read where in Slack, and what must not leave."""

    store: Store
    exporter: Exporter
    places: Channels
    rules: MaskRules = USUAL_RULES


@dataclass(frozen=True, slots=True)
class _WantedPage:
    """A page that is wanted; `links_alone` where nobody asked for it, but something else of the incident stands."""

    memo: PageMemo
    order: PageOrder
    links_alone: bool

    @property
    def incident(self) -> Incident:
        return self.order.incident


class PageSync:
    """Follows each postmortem that was asked for: nothing else makes or changes a page, but for its links."""

    def __init__(self, confluence: ConfluenceClient, parent_id: str, shelf: PageSources) -> None:
        """`parent_id` is the page that they go below; empty for the top of the space."""
        self._confluence = confluence
        self._parent_id = parent_id
        self._places = shelf.places
        self._sheets = PageCompiler(shelf.store, shelf.exporter, shelf.rules)
        self._extras = PageExtras(confluence)

    def is_urgent(self, link: Link) -> bool:
        return True

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._confluence.aclose()

    def prepare(self, tx: Transaction, link: Link, now: datetime) -> _WantedPage | None:
        """The incident behind a link."""
        incident = incidents_store.find(tx, link.incident_id)
        if incident is None:
            return None
        memo, accounts = (
            confluence_memo.read(link.memo),
            known_accounts(tx, incident),
        )
        order = PageOrder(incident, now, memo.is_masked, find_related(tx, incident), accounts)
        return _WantedPage(memo, order, bool(link.external_id) and memo.links_at == link.wanted)

    async def perform(self, link: Link, prepared: _WantedPage) -> SyncResult:
        """Make the page, or bring it up to date. Raises DecisionNeeded where that is a person's to decide first."""
        if prepared.links_alone:
            return await self._linked(link, prepared)
        await self._require_agreed(link, prepared)
        memo = prepared.memo
        if not link.external_id or memo.order == ANEW:
            return await self._created(link, prepared)
        page = await self._confluence.read(link.external_id)
        if page is None:
            raise DecisionNeeded(
                self._confluence.name,
                f"{prepared.incident.key}'s page was deleted there, or the account may not see it any more.",
                confluence_views.deleted(prepared.incident, link),
            )
        memo = replace(memo, record=await self._as_left(link, memo, page))
        return await self._brought(link, replace(prepared, memo=memo), page)

    async def _as_left(self, link: Link, memo: PageMemo, page: ConfluencePage) -> PageSnapshot:
        """How the page may have been left: of an attempt that failed nobody knows whether it wrote."""
        if link.is_unsure or link.attempts > 1:
            return join_snapshots(memo.record, await self._extras.planned(page))
        return memo.record

    async def _require_agreed(self, link: Link, wanted: _WantedPage) -> None:
        """What is private leaves only as a masked copy, and only once somebody has seen what is masked."""
        if wanted.memo.is_masked:
            return
        sight = await self._places.check_visible("", [wanted.incident.channel])
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

    async def _linked(self, link: Link, wanted: _WantedPage) -> SyncResult:
        """Bring the links at the top of the page up to date, where nobody changed them; nobody hears of it."""
        page, left = await self._confluence.read(link.external_id), wanted.memo
        if page is not None:
            known = await self._as_left(link, left, page)
            body, record = replace_top_block(page.body, known, self._sheets.way_back(wanted.order))
            if body:
                await self._extras.plan(page, join_snapshots(record, known))
                note = f"{_note_of(wanted.incident)} ({page.version + 1} {digest_facts(body)})"
                updated = await self._confluence.update(page, page.title, body, note)
                if not updated.is_written:
                    raise IntegrationError(self._confluence.name, _BUSY)
                page = updated.page
            left = replace(left, record=record)
        version = str(page.version) if page else link.status
        return SyncResult(link.external_id, link.url, version, replace(left, links_at=0).written())

    async def _created(self, link: Link, wanted: _WantedPage) -> SyncResult:
        """Make the page without pictures, which hang on what is there.

        It is written down before the rest is tried: it is known from now on, whatever becomes of that.
        """
        memo = replace(wanted.memo.for_another_page(), order="") if link.external_id else wanted.memo
        sheet = await self._sheet(wanted, with_charts=False)
        mark = _mark(link, memo)
        draft = PageDraft(wanted.incident.key, sheet.title, add_mark(sheet.body, mark), mark, self._parent_id)
        made = await self._confluence.create(draft, is_repeat=link.is_unsure or link.attempts > 1)
        record = snapshot_written(sheet.fresh)
        if made.was_there and made.page.version == 1:
            record = snapshot_found(split_page(made.page.body), sheet.fresh)
        elif made.was_there:
            record = join_snapshots(record, await self._extras.planned(made.page))
        memo = replace(memo, record=record, title=made.page.title, named=sheet.title)
        return SyncResult(made.page.id, made.page.url, _NOT_TOLD, memo.written(), is_all=False)

    async def _brought(self, link: Link, wanted: _WantedPage, page: ConfluencePage) -> SyncResult:
        memo = wanted.memo
        sheet = await self._sheet(wanted)
        files, pictures = await self._extras.attached(page, sheet, memo)
        if pictures:
            sheet = await self._sheet(wanted, with_charts=False)
        labels, no_labels = await self._extras.labelled(page, sheet, memo)
        page, brought, not_kept = await self._written(link, wanted, sheet, page)
        is_new = link.status == _NOT_TOLD
        news = replace(brought.news, is_new=is_new, pictures=pictures, labels=no_labels, kept=not_kept)
        left = PageMemo(
            is_masked=memo.is_masked,
            copy=memo.copy,
            title=page.title,
            named=brought.sheet.title,
            record=brought.record,
            gone=brought.gone,
            files=files,
            labels=labels,
            news=news,
        )
        return SyncResult(page.id, page.url, str(page.version), left.written())

    async def _sheet(self, wanted: _WantedPage, *, with_charts: bool = True) -> PageContent:
        try:
            return await asyncio.to_thread(self._sheets.sheet, wanted.order, with_charts=with_charts)
        except BrokenTemplateError as error:
            key = wanted.incident.key
            raise IntegrationError(
                self._confluence.name,
                f"{key}'s page was not written, for the team's templates cannot be used: {error}",
                is_permanent=True,
            ) from error

    async def _written(
        self, link: Link, wanted: _WantedPage, sheet: PageContent, page: ConfluencePage
    ) -> tuple[ConfluencePage, PageRevision, str]:
        """Write what is new; where people were quicker, read again and start over."""
        for _ in range(_TRIES):
            brought = await self._joined(link, wanted, sheet, page)
            title = _title(wanted.memo, sheet, page)
            if not brought.news.is_changed and title == page.title:
                return page, brought, ""
            not_kept = await self._extras.plan(page, join_snapshots(brought.record, wanted.memo.record))
            body = add_mark(brought.body, _mark(link, wanted.memo))
            note = f"{_note_of(wanted.incident)} ({page.version + 1} {digest_facts(body)})"
            updated = await self._updated(page, title, body, note)
            if updated.is_written:
                return updated.page, brought, not_kept
            page, sheet = updated.page, brought.sheet
        raise IntegrationError(self._confluence.name, _BUSY)

    async def _joined(self, link: Link, wanted: _WantedPage, sheet: PageContent, page: ConfluencePage) -> PageRevision:
        if wanted.memo.order == OVERWRITE:
            return overwrite(sheet)
        if page.version > 1 and not page.note.startswith(_note_of(wanted.incident)):
            page = replace(page, author=await self._confluence.author_of(page))
        try:
            names = await self._names_on(page, wanted)
            return await asyncio.to_thread(self._sheets.brought, sheet, wanted.order, wanted.memo, page, names)
        except (NotAPageError, StructureLostError) as error:
            raise DecisionNeeded(
                self._confluence.name,
                f"{wanted.incident.key}'s page was changed so much that nothing was written: {error}.",
                confluence_views.lost(wanted.incident, replace(link, external_id=page.id, url=page.url)),
            ) from error

    async def _names_on(self, page: ConfluencePage, wanted: _WantedPage) -> Mapping[str, str]:
        """The names of the people who were mentioned on a page by others than us; none where they are not told."""
        accounts = await asyncio.to_thread(self._sheets.mentioned, page)
        if not (others := accounts - set(wanted.order.accounts.values())):
            return {}
        try:
            return await self._confluence.names_of(sorted(others))
        except IntegrationError as error:
            if not error.is_permanent:
                raise
            return {}

    async def _updated(self, page: ConfluencePage, title: str, body: str, note: str) -> UpdatedPage:
        """Write it; where another page has the new title, under the old one."""
        try:
            return await self._confluence.update(page, title, body, note)
        except IntegrationError as error:
            if error.status != 400 or title == page.title:
                raise
            return await self._confluence.update(page, page.title, body, note)

    def keep(self, tx: Transaction, link: Link, kept: SyncResult, now: datetime) -> None:
        """Say where it is, in which version, and what people did there; what else stands links to it."""
        incident = incidents_store.find(tx, link.incident_id)
        if incident is None:
            return
        before, memo = confluence_memo.read(link.memo), confluence_memo.read(kept.memo)
        if (kept.external_id, kept.url) != (link.external_id, link.url):
            enqueue_links(tx, incident, SYSTEM, now)
        if kept.is_all and not (link.external_id and before.links_at == link.wanted):
            page = PageStatus(memo.title, kept.url, kept.status, memo.is_masked)
            said = confluence_views.brought(incident, page, memo.news)
            deliveries_store.enqueue_message(tx, incident, said, now)

    async def look(self, store: Store, now: datetime) -> list[int]:
        """Nothing is read by itself: a published page is compared when somebody asks for it."""
        return []


def _mark(link: Link, memo: PageMemo) -> str:
    """What this very page is known by; no other page's mark is a part of it."""
    return f"afterword-{link.team}-{link.id}-{memo.copy}-page".lower()


def _note_of(incident: Incident) -> str:
    """How what we say of a change of ours begins."""
    return f"{incident.key} brought up to date by Afterword"


def _title(memo: PageMemo, sheet: PageContent, page: ConfluencePage) -> str:
    """The page's title, which follows the incident's unless people gave it another."""
    is_ours = page.title == memo.title and memo.title.startswith(memo.named[:_TITLE])
    return sheet.title if is_ours and sheet.title != memo.named else page.title
