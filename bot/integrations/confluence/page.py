"""The postmortem as it goes onto a page: compiled, masked where it must be, and joined with what people wrote there.

All of it is work that takes as long as the timeline is: call it in a thread.

What a page has beside its body: pictures, labels, and what is kept at it out of sight.

Where the account or its token may not do one of these, the page goes on without it, and that is told; what may pass by
itself is tried again. A token that is refused altogether is refused for the page as well, which is told then.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import Document
from bot.domain.masking import MASKED, MaskRules
from bot.domain.records import Incident
from bot.domain.section_drafts import digest_facts
from bot.domain.text import strip_code_marks, to_one_line
from bot.export import Exporter
from bot.export.confluence.merge import (
    FreshPage,
    PageSnapshot,
    RegionChange,
    RegionSnapshot,
    TouchedRegion,
    find_touched,
    merge,
    read_back,
    snapshot_written,
    split_page,
)
from bot.export.confluence.reader import list_mentions, parse_page
from bot.export.confluence.writer import AttachedChart
from bot.export.edited_draft import ReturnedDraft
from bot.export.mask_patterns import mask_in_sandbox
from bot.export.regions import CompiledMarkdown, DraftRegions, Region, RegionEdits
from bot.export.template_env import load_shipped_templates
from bot.integrations.confluence import memo as confluence_memo
from bot.integrations.confluence.client import ConfluenceClient
from bot.integrations.confluence.memo import PageMemo
from bot.integrations.confluence.types import ConfluencePage
from bot.integrations.confluence.views import PageNews
from bot.integrations.http import IntegrationError, Upload
from bot.integrations.relations import RelatedLinks
from bot.services.documents import drafts as drafts_service
from bot.services.documents.drafts import EditedDraftFile
from storage import case as case_store
from storage.database.store import Store
from storage.edited_sections import NewEdit

SOURCE = "confluence"
SOMEBODY = "Confluence"
"""Who edited the page, where Confluence does not say."""

_CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class PageOrder:
    """A page of an incident as of `now`; a masked one has no way back into the channel, and mentions nobody.

    `related` is what else stands of the incident, `accounts` are those of people, by their ids in Slack.
    """

    incident: Incident
    now: datetime
    is_masked: bool
    related: RelatedLinks
    accounts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PageContent:
    """The page as the document alone would have it, and the files that it shows."""

    document: Document
    draft: DraftRegions
    body: str
    fresh: FreshPage
    attached: tuple[AttachedChart, ...]

    @property
    def title(self) -> str:
        """`INC-7: Checkout returns 503s`."""
        return to_one_line(f"{self.document.key}: {strip_code_marks(self.document.title)}")

    @property
    def labels(self) -> tuple[str, ...]:
        """What the page is found by."""
        return tuple(filter(None, ("postmortem", self.document.severity, self.document.key.lower())))


@dataclass(frozen=True, slots=True)
class PageRevision:
    """The page as it is to be written, how it will be left, and what is to be told of it."""

    sheet: PageContent
    body: str
    record: PageSnapshot
    news: PageNews
    gone: tuple[str, ...]


class PageCompiler:
    """Compiles pages, and takes in what people wrote on them."""

    def __init__(self, store: Store, exporter: Exporter, rules: MaskRules) -> None:
        self._store = store
        self._exporter = exporter
        self._rules = rules
        self._way_back = load_shipped_templates().get_template("publish/way_back.xml.j2")

    def sheet(self, order: PageOrder, *, with_charts: bool = True) -> PageContent:
        """The page as it is ordered.

        Raises BrokenTemplate where a team's templates cannot be used: ours would have other regions.
        """
        whole = self._store.read_now(
            lambda tx: postmortem_rules.compile(case_store.load(tx, order.incident), order.now)
        )
        document = mask_in_sandbox(whole, self._rules)[0] if order.is_masked else whole
        accounts = {} if order.is_masked else order.accounts
        body, attached = self._exporter.write_confluence_page(document, accounts, with_charts=with_charts)
        body = self.way_back(order) + body
        draft = self._exporter.compile_draft(whole)
        told = {region.id: (region.facts, region.seen) for region in draft.facts(whole)}
        return PageContent(document, draft, body, FreshPage(split_page(body), told), attached)

    @staticmethod
    def mentioned(page: ConfluencePage) -> frozenset[str]:
        """The accounts of those who are mentioned on a page. Raises NotAPage."""
        return frozenset(list_mentions(parse_page(page.body)))

    def way_back(self, order: PageOrder) -> str:
        """The first block of a page: the links to where it comes from, and to what else stands of the incident."""
        url = "" if order.is_masked else order.incident.channel_link
        issue, customers = order.related.issue, order.related.customers
        return self._way_back.render(url=url, key=order.incident.key, issue=issue, customers=customers)

    def brought(
        self,
        sheet: PageContent,
        order: PageOrder,
        memo: PageMemo,
        page: ConfluencePage,
        names: Mapping[str, str] | None = None,
    ) -> PageRevision:
        """What to write onto a page as it stands; what people changed on it is kept first.

        `names` are those of the accounts that they mentioned.
        Raises NotAPage and StructureLost where nobody can tell what of it is whose: then nothing was kept either.
        """
        stands = split_page(page.body)
        merge(stands, sheet.fresh, memo.record, {}, memo.back)  # before anything is kept: it may be lost
        found = find_touched(stands, sheet.fresh, memo.record, names or {})
        edits = self._edits(found, sheet.draft, memo, page, order.now)
        new = frozenset[str]()
        if texts := [text for text in edits.values() if text is not None]:
            new = self._store.write_now(
                lambda tx: drafts_service.keep_edits(tx, order.incident, texts, order.now, SOURCE)
            )
        if new:
            sheet = self.sheet(order, with_charts=bool(sheet.attached))
        held = {one.own.id: one for one in sheet.draft.edits}
        deeds = {id_: _deed(one, id_ in edits, edits.get(id_), held.get(id_)) for id_, one in found.items()}
        merged = merge(stands, sheet.fresh, memo.record, deeds, memo.back)
        news = PageNews(
            is_changed=merged.is_changed,
            taken=tuple(id_ for id_ in stands.parts if id_ in new),
            open=tuple(id_ for id_, one in held.items() if one.is_contested),
            gone=tuple(id_ for id_ in merged.gone if id_ not in memo.gone),
        )
        return PageRevision(sheet, merged.body, merged.record, news, merged.gone)

    def _edits(
        self,
        found: Mapping[str, TouchedRegion],
        draft: DraftRegions,
        memo: PageMemo,
        page: ConfluencePage,
        now: datetime,
    ) -> dict[str, NewEdit | None]:
        """What is to be kept of the regions that people touched; None where the document says so anyway."""
        given = EditedDraftFile("", page.author or SOMEBODY, SOURCE)
        labels = tuple(read_back(label) for label in draft.labels)
        texts = {id_: one.text for id_, one in found.items() if not one.is_same}
        regions = tuple(_came(region, texts, memo.record.regions) for region in draft.shown.regions)
        paper = ReturnedDraft(0, page.id, None, CompiledMarkdown("", regions))
        edits = drafts_service.find_edits(paper, replace(draft, labels=(labels[0], labels[1])), given, now)
        same: dict[str, NewEdit | None] = {id_: None for id_, one in found.items() if one.is_same or not one.text}
        return same | {id_: _unmasked(text) for id_, text in edits.items()}


def overwrite(sheet: PageContent) -> PageRevision:
    """The whole page anew, whatever stands there."""
    record = snapshot_written(sheet.fresh)
    return PageRevision(sheet, sheet.body, record, PageNews(is_changed=True), ())


def _came(region: Region, texts: Mapping[str, str], left: Mapping[str, RegionSnapshot]) -> Region:
    """A region as a draft that comes back would hold it."""
    if region.id not in texts:
        return replace(region, left_as=region.digest)
    known = left.get(region.id, RegionSnapshot())
    return Region(region.id, region.heading, texts[region.id], _CHANGED, known.facts, known.seen)


def _unmasked(text: NewEdit | None) -> NewEdit | None:
    """Of a text that has masks in it nobody knows what its writer saw: the record is shown beside it."""
    return replace(text, facts="") if text is not None and MASKED in text.markdown else text


def _deed(found: TouchedRegion, is_settled: bool, edit: NewEdit | None, held: RegionEdits | None) -> RegionChange:  # noqa: FBT001
    """What becomes of a region that people touched, as their text stands now among the others."""
    if not is_settled:
        return RegionChange.WAIT
    if edit is None:
        return RegionChange.LEAVE
    if held is None:  # somebody gave the region to the record again
        return RegionChange.WRITE
    if held.is_contested:
        return RegionChange.WAIT if found.holds_more else RegionChange.WRITE
    return RegionChange.LEAVE if held.texts[0].markdown == edit.markdown else RegionChange.WRITE


_SVG = "image/svg+xml"


class PageExtras:
    """Those of pages of one Confluence."""

    def __init__(self, confluence: ConfluenceClient) -> None:
        self._confluence = confluence

    async def attached(self, page: ConfluencePage, sheet: PageContent, memo: PageMemo) -> tuple[dict[str, str], str]:
        """Attach the pictures that changed, before a page shows them; what hangs there, and why nothing does."""
        files = dict(memo.files)
        for picture in sheet.attached:
            content = digest_facts(picture.content.decode())
            if files.get(picture.name) == content:
                continue
            upload = Upload(picture.name, _SVG, picture.content)
            if refused := await _refused(self._confluence.attach(page.id, upload)):
                return files, refused
            files[picture.name] = content
        return files, ""

    async def labelled(self, page: ConfluencePage, sheet: PageContent, memo: PageMemo) -> tuple[tuple[str, ...], str]:
        """Label a page; the labels that it has by us, and why not all of them."""
        if sheet.labels == memo.labels:
            return memo.labels, ""
        refused = await _refused(self._confluence.label(page.id, sheet.labels))
        return (memo.labels if refused else sheet.labels), refused

    async def planned(self, page: ConfluencePage) -> PageSnapshot:
        """How earlier attempts may have left the page, of which nobody knows whether they wrote."""
        try:
            return confluence_memo.record_in(await self._confluence.recall(page.id))
        except IntegrationError as error:
            if not error.is_permanent:
                raise
            return PageSnapshot()

    async def plan(self, page: ConfluencePage, record: PageSnapshot) -> str:
        """Put down at the page how it may be left from now on; why that is not allowed."""
        return await _refused(self._confluence.remember(page.id, confluence_memo.told_of(record)))


async def _refused(call: Awaitable[None]) -> str:
    """Why a call was refused for good; empty where it was done."""
    try:
        await call
    except IntegrationError as error:
        if not error.is_permanent:
            raise
        return error.sentence
    return ""
