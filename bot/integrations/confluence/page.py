"""A postmortem as a Confluence page: compiled, masked if it must be, and merged with people's edits (decision 25).

`PageCompiler` blocks, longer for a longer timeline: call it in a thread.

`PageExtras` are pictures, labels, and our property with a snapshot of the page. If the account or its token may not
write one of them, the page is written without it, and the message says so. A temporary failure is tried again.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from bot.domain import postmortem as postmortem_rules
from bot.domain.document import Document
from bot.domain.masking import MASKED, MaskRules
from bot.domain.records import Incident
from bot.domain.sections import digest_facts
from bot.domain.text import strip_code_marks, to_one_line
from bot.export import Exporter
from bot.export.confluence import AttachedChart
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
)
from bot.export.confluence.reader import list_mentions, parse_page
from bot.export.confluence.regions import split_page
from bot.export.drafts import CompiledMarkdown, DraftRegions, Region, RegionEdits, ReturnedDraft
from bot.export.mask_patterns import mask_in_sandbox
from bot.export.templates import load_shipped_templates
from bot.integrations.confluence.client import ConfluenceClient, ConfluencePage
from bot.integrations.http import IntegrationError, Upload
from bot.integrations.links import PageMemo, PageNews, RelatedLinks, read_page_record
from bot.services.documents import drafts as drafts_service
from bot.services.documents.drafts import EditedDraftFile
from storage import case as case_store
from storage.database.store import Store
from storage.postmortem.sections import NewEdit

SOURCE = "confluence"
UNKNOWN_EDITOR = "Confluence"
"""Who edited the page, if Confluence does not say."""

_CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class PageOrder:
    """A page of an incident as of `now`. A masked one has no link back into the channel, and mentions no one.

    `related` is what else exists of the incident. `accounts` maps Slack ids to Atlassian accounts.
    """

    incident: Incident
    now: datetime
    is_masked: bool
    related: RelatedLinks
    accounts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PageContent:
    """The page as generated, without people's edits, and the pictures that it shows."""

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
        """The labels that the page is found by."""
        document = self.document
        names = (name for name in (*document.services, *document.tags) if name != MASKED)
        return tuple(filter(None, ("postmortem", document.severity, document.key.lower(), *names)))


@dataclass(frozen=True, slots=True)
class PageRevision:
    """A page to write: its body, a snapshot of it, and what the message about it will say."""

    content: PageContent
    body: str
    record: PageSnapshot
    news: PageNews
    gone: tuple[str, ...]


class PageCompiler:
    """Compiles pages, and imports what people wrote on them into the draft."""

    def __init__(self, store: Store, exporter: Exporter, rules: MaskRules) -> None:
        self._store = store
        self._exporter = exporter
        self._rules = rules
        self._header = load_shipped_templates().get_template("publish/way_back.xml.j2")

    def compile(self, order: PageOrder, *, with_charts: bool = True) -> PageContent:
        """The page as generated.

        Raises BrokenTemplate if a team's templates cannot be used: ours would have other regions, so people's edits
        would be lost.
        """
        whole = self._store.read_now(
            lambda tx: postmortem_rules.compile_document(case_store.load(tx, order.incident), order.now)
        )
        document = mask_in_sandbox(whole, self._rules)[0] if order.is_masked else whole
        accounts = {} if order.is_masked else order.accounts
        body, attached = self._exporter.write_confluence_page(document, accounts, with_charts=with_charts)
        body = self.header(order) + body
        # From the unmasked record, also for a masked page: facts are compared with those that the regions had.
        draft = self._exporter.compile_draft(whole)
        seen = {region.id: (region.facts, region.seen) for region in draft.facts(whole)}
        titles = {part.title: part.slug for part in document.parts}
        return PageContent(document, draft, body, FreshPage(split_page(body, titles), seen, titles), attached)

    @staticmethod
    def list_mentioned(page: ConfluencePage) -> frozenset[str]:
        """The accounts of people who are mentioned on a page. Raises NotAPageError."""
        return frozenset(list_mentions(parse_page(page.body)))

    def header(self, order: PageOrder) -> str:
        """The first block of a page: links to the channel and to what else exists of the incident."""
        url = "" if order.is_masked else order.incident.channel_link
        issue, customers = order.related.issue, order.related.customers
        return self._header.render(url=url, key=order.incident.key, issue=issue, customers=customers)

    def merge(
        self,
        content: PageContent,
        order: PageOrder,
        memo: PageMemo,
        page: ConfluencePage,
        names: Mapping[str, str] | None = None,
    ) -> PageRevision:
        """What to write onto `page`. What people changed on it is imported into the draft first.

        `names` are those of the accounts that people mentioned. Raises NotAPageError or StructureLostError if our
        regions cannot be found; then nothing was imported.
        """
        current = split_page(page.body, content.fresh.titles)
        # Raises if the structure is lost. Once texts are imported, it would be too late to refuse.
        merge(current, content.fresh, memo.record, {}, memo.back)
        touched = find_touched(current, content.fresh, memo.record, names or {})
        edits = self._edits(touched, content.draft, memo, page, order.now)
        new = frozenset[str]()
        if texts := [text for text in edits.values() if text is not None]:
            new = self._store.write_now(
                lambda tx: drafts_service.keep_edits(tx, order.incident, texts, order.now, SOURCE)
            )
        if new:  # the document has people's texts now
            content = self.compile(order, with_charts=bool(content.attached))
        imported = {one.own.id: one for one in content.draft.edits}
        changes = {
            id_: _choose_change(one, edits[id_], imported.get(id_)) if id_ in edits else RegionChange.WAIT
            for id_, one in touched.items()
        }
        merged = merge(current, content.fresh, memo.record, changes, memo.back)
        news = PageNews(
            is_changed=merged.is_changed,
            taken=tuple(id_ for id_ in current.parts if id_ in new),
            open=tuple(id_ for id_, one in imported.items() if one.is_contested),
            gone=tuple(id_ for id_ in merged.gone if id_ not in memo.gone),
        )
        return PageRevision(content, merged.body, merged.record, news, merged.gone)

    def _edits(
        self,
        touched: Mapping[str, TouchedRegion],
        draft: DraftRegions,
        memo: PageMemo,
        page: ConfluencePage,
        now: datetime,
    ) -> dict[str, NewEdit | None]:
        """What to import of the regions that people touched; None if the document has the same text."""
        source = EditedDraftFile("", page.author or UNKNOWN_EDITOR, SOURCE)
        # As they read on a page: what is compared came back from there.
        labels = tuple(read_back(label) for label in draft.labels)
        texts = {id_: one.text for id_, one in touched.items() if not one.is_same}
        regions = tuple(_edited_region(region, texts, memo.record.regions) for region in draft.shown.regions)
        paper = ReturnedDraft(0, page.id, None, CompiledMarkdown("", regions))
        edits = drafts_service.find_edits(paper, replace(draft, labels=(labels[0], labels[1])), source, now)
        same: dict[str, NewEdit | None] = {id_: None for id_, one in touched.items() if one.is_same or not one.text}
        return same | {id_: _contest_if_masked(text) for id_, text in edits.items()}


def overwrite(content: PageContent) -> PageRevision:
    """The whole page as generated, whatever is on it now."""
    record = snapshot_written(content.fresh)
    return PageRevision(content, content.body, record, PageNews(is_changed=True), ())


def _edited_region(region: Region, texts: Mapping[str, str], left: Mapping[str, RegionSnapshot]) -> Region:
    """A region as an edited draft would hold it."""
    if region.id not in texts:
        return replace(region, left_as=region.digest)
    snapshot = left.get(region.id, RegionSnapshot())
    return Region(region.id, region.heading, texts[region.id], _CHANGED, snapshot.facts, snapshot.seen)


def _contest_if_masked(text: NewEdit | None) -> NewEdit | None:
    """A text with masks in it contradicts the record: its writer did not see what is masked."""
    return replace(text, facts="") if text is not None and MASKED in text.markdown else text


def _choose_change(touched: TouchedRegion, edit: NewEdit | None, imported: RegionEdits | None) -> RegionChange:
    """What to do with a region that people touched, now that their text (None: the document has it) is imported."""
    if edit is None:
        return RegionChange.LEAVE
    if imported is None:  # someone gave the region back to the record
        return RegionChange.WRITE
    if imported.is_contested:
        return RegionChange.WAIT if touched.holds_more else RegionChange.WRITE
    return RegionChange.LEAVE if imported.texts[0].markdown == edit.markdown else RegionChange.WRITE


_SVG = "image/svg+xml"


class PageExtras:
    """Writes pictures, labels and snapshots with the pages of one Confluence."""

    def __init__(self, confluence: ConfluenceClient) -> None:
        self._confluence = confluence

    async def attach(self, page: ConfluencePage, content: PageContent, memo: PageMemo) -> tuple[dict[str, str], str]:
        """Attach pictures that changed, before the page shows them: digests by file name, and the reason if refused."""
        files = dict(memo.files)
        for picture in content.attached:
            digest = digest_facts(picture.content.decode())
            if files.get(picture.name) == digest:
                continue
            upload = Upload(picture.name, _SVG, picture.content)
            if refused := await _reason_if_refused(self._confluence.attach(page.id, upload)):
                return files, refused
            files[picture.name] = digest
        return files, ""

    async def label(self, page: ConfluencePage, content: PageContent, memo: PageMemo) -> tuple[tuple[str, ...], str]:
        """Label a page: the labels that it has from us, and the reason if refused."""
        if content.labels == memo.labels:
            return memo.labels, ""
        refused = await _reason_if_refused(self._confluence.label(page.id, content.labels))
        return (memo.labels if refused else content.labels), refused

    async def read_snapshot(self, page: ConfluencePage) -> PageSnapshot:
        """The page as the last attempt would have written it, whether or not that succeeded."""
        try:
            return read_page_record(await self._confluence.read_property(page.id))
        except IntegrationError as error:
            if not error.is_permanent:
                raise
            return PageSnapshot()

    async def write_snapshot(self, page: ConfluencePage, record: PageSnapshot) -> str:
        """Store with the page how it will look, before it is written; the reason if that is refused.

        After a write whose answer was lost, only this snapshot tells our text from people's.
        """
        return await _reason_if_refused(self._confluence.write_property(page.id, asdict(record)))


async def _reason_if_refused(call: Awaitable[None]) -> str:
    """Why a call was refused for good; empty if it succeeded. Raises IntegrationError for a temporary failure."""
    try:
        await call
    except IntegrationError as error:
        if not error.is_permanent:
            raise
        return error.sentence
    return ""
