"""Brings a Confluence page up to date: only regions that people did not touch are overwritten (decision 25).

The page is split by byte offsets (`split_page`), compared with how it was left (`PageSnapshot`), and edited in place
(`merge`). Bytes that belong to no written region are sent back exactly as they came, so that nothing of the editor's
XML is lost.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.domain.sections import digest_facts
from bot.errors import AfterwordError
from bot.export.confluence import StorageXhtml
from bot.export.confluence.reader import NotAPageError, list_blocks, parse_page, render_body
from bot.export.confluence.regions import (
    NOBODY,
    TITLES,
    Block,
    PageRegion,
    SplitPage,
    exceeds_markdown,
    find_runs,
    render_markdown,
    split_page,
)
from bot.export.markdown_reader import MarkdownReader

_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC\W*\Z")


@dataclass(frozen=True, slots=True)
class RegionSnapshot:
    """How a region was left on the page.

    `page` holds the digests that mean "not touched": one, or two if the answer to the last write was lost. `ours` is
    the digest of the document's text; it differs from `page` if a person's text was left in place. `facts` and `seen`
    are those of `EditedRegion`. `is_headed`: our own text has headings of a region's level.
    """

    page: tuple[str, ...] = ()
    ours: str = ""
    facts: str = ""
    seen: int = 0
    is_headed: bool = False


@dataclass(frozen=True, slots=True)
class HeadSnapshot:
    """How the blocks before the first region were left, without the time at the end of one.

    If the answer to the last write was lost, each item holds two digests, separated by a blank.
    """

    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageSnapshot:
    """How a page was left. It is stored in the memo of the sync row."""

    regions: Mapping[str, RegionSnapshot] = field(default_factory=dict)
    head: HeadSnapshot = field(default_factory=HeadSnapshot)


@dataclass(frozen=True, slots=True)
class FreshPage:
    """The page as generated. `facts` holds the digest of facts and the version of each region.

    `titles` are the ids of its regions by their headings, for a page whose anchors were lost.
    """

    page: SplitPage
    facts: Mapping[str, tuple[str, int]]
    titles: Mapping[str, str] = field(default_factory=lambda: TITLES)

    def snapshot(self, id_: str, page: str = "") -> RegionSnapshot:
        """The snapshot of a region written now, or left in place if `page`, the digest of its text, is given."""
        part = self.page.parts[id_]
        facts, seen = self.facts.get(id_, ("", 0))
        return RegionSnapshot((page or part.digest,), part.digest, facts, seen, bool(part.added))


def snapshot_written(fresh: FreshPage) -> PageSnapshot:
    """The snapshot of a page that was written as a whole."""
    return PageSnapshot({id_: fresh.snapshot(id_) for id_ in fresh.page.parts}, snapshot_head(fresh))


def snapshot_found(page: SplitPage, fresh: FreshPage) -> PageSnapshot:
    """The snapshot of a page that only we have written, if none was stored."""
    parts = ((id_, part) for id_, part in page.parts.items() if id_ in fresh.page.parts)
    regions = {
        id_: replace(fresh.snapshot(id_, part.digest), ours="", is_headed=bool(part.added)) for id_, part in parts
    }
    return PageSnapshot(regions, HeadSnapshot(tuple(digest_unstamped(block) for block in page.head)))


def join_snapshots(one: PageSnapshot, other: PageSnapshot) -> PageSnapshot:
    """Accept either of two writes as ours, because the answer to the last one was lost and either may have happened."""
    regions = {
        id_: replace(left, page=tuple(dict.fromkeys((*left.page, *other.regions[id_].page))))
        if id_ in other.regions
        else left
        for id_, left in one.regions.items()
    }
    return PageSnapshot({**other.regions, **regions}, _join_heads(one.head, other.head))


def _join_heads(one: HeadSnapshot, other: HeadSnapshot) -> HeadSnapshot:
    # Heads of different length cannot be paired; then the older one counts, and a difference is taken for an edit.
    if len(one.digests) != len(other.digests):
        return one if one.digests else other
    digests = (" ".join(dict.fromkeys(pair)) for pair in zip(one.digests, other.digests, strict=True))
    return HeadSnapshot(tuple(digests))


def snapshot_head(fresh: FreshPage) -> HeadSnapshot:
    """The snapshot of the head."""
    return HeadSnapshot(tuple(map(digest_unstamped, fresh.page.head)))


def digest_unstamped(block: Block) -> str:
    """The digest of a block without the time at its end: being compiled again is no change."""
    return digest_facts(_STAMP.sub("", render_body([block.element])))


_storage = StorageXhtml(MarkdownReader())
_EMPTY_DIGEST = digest_facts("")


class StructureLostError(AfterwordError):
    """The regions cannot be found safely: a write could overwrite what people wrote."""


class RegionChange(StrEnum):
    """What happens to a region that people touched: overwritten, left for good, or left until a person decides."""

    WRITE = "write"
    LEAVE = "leave"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class TouchedRegion:
    """A region that people touched: its Markdown, and whether it holds what Markdown cannot.

    `is_same`: it says what the document says anyway.
    """

    text: str
    holds_more: bool
    is_same: bool


@dataclass(frozen=True, slots=True)
class MergedPage:
    """The page to write, and its snapshot once written; `gone` are regions that people removed."""

    body: str
    record: PageSnapshot
    is_changed: bool
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Edit:
    """A byte range, and what replaces it."""

    start: int
    end: int
    text: bytes = b""


def find_touched(
    page: SplitPage, fresh: FreshPage, record: PageSnapshot, names: Mapping[str, str] = NOBODY
) -> dict[str, TouchedRegion]:
    """The regions that are neither as they were left nor as the document is now.

    `names` maps the accounts that are mentioned in them to people's names.
    """
    touched = {}
    for id_, part in page.parts.items():
        new, left = fresh.page.parts.get(id_), record.regions.get(id_, RegionSnapshot())
        if new is None or _find_untouched(part, left) is not None:
            continue
        blocks, digest = _find_edited_blocks(part, left)
        if part.has_strays or digest != new.digest:
            text = render_markdown(blocks, names)
            is_same = text == render_markdown(new.whole)
            touched[id_] = TouchedRegion(text, part.has_strays or exceeds_markdown(blocks), is_same)
    return touched


def read_back(markdown: str) -> str:
    """Markdown as it comes back from a page, including headings at its beginning."""
    before = "."
    return (
        render_body(list_blocks(parse_page(f"<p>{before}</p>{_storage.render_blocks(markdown)}")))
        .removeprefix(before)
        .strip()
    )


def _find_untouched(part: PageRegion, left: RegionSnapshot) -> tuple[tuple[Block, ...], str] | None:
    # The blocks that are as they were left, without added sections, and their digest; None if people changed them.
    if part.has_strays:
        return None
    if part.digest in left.page:
        return part.whole, part.digest
    return (part.own, part.own_digest) if part.own_digest in left.page and not left.is_headed else None


def _find_edited_blocks(part: PageRegion, left: RegionSnapshot) -> tuple[tuple[Block, ...], str]:
    return (part.whole, part.digest) if left.is_headed else (part.own, part.own_digest)


def merge(
    page: SplitPage, fresh: FreshPage, record: PageSnapshot, changes: Mapping[str, RegionChange], back: Collection[str]
) -> MergedPage:
    """Update the regions that people did not touch, change touched ones as `changes` says, restore those in `back`.

    A region that people removed stays away unless it is in `back`. A new one is inserted in document order; one that
    the document lost goes if no one touched it. Raises
    StructureLostError if the page would not come out as meant, or has no region left.
    """
    # Someone replaced the whole page, or it is another one: inserting all regions again would double what they wrote.
    if record.regions and not page.parts.keys() & record.regions.keys():
        raise StructureLostError("none of its sections can be found anymore")
    merger = _PageMerger(page, fresh, record)
    for id_ in fresh.page.parts.keys() & page.parts.keys():
        merger.update(id_, changes.get(id_, RegionChange.WAIT))
    for id_ in page.parts.keys() - fresh.page.parts.keys():
        merger.remove(id_)
    absent = [id_ for id_ in fresh.page.parts if id_ not in page.parts]
    gone = tuple(id_ for id_ in absent if id_ in record.regions and id_ not in back)
    for id_ in absent:
        if id_ not in gone:
            merger.insert(id_)
    merger.update_head()
    body = _apply_edits(page.text, merger.edits)
    # Read once more before anything is sent: XML of the editor's that this does not foresee must not cost people
    # their words (decision 25).
    if merger.edits:
        merger.require_as_meant(body)
    return MergedPage(body, PageSnapshot(merger.regions, merger.head), bool(merger.edits), gone)


class _PageMerger:
    """Collects the edits, and the snapshot of the page once they are written."""

    def __init__(self, page: SplitPage, fresh: FreshPage, record: PageSnapshot) -> None:
        self._page = page
        self._fresh = fresh
        self._record = record
        self._written: set[str] = set()
        self._removed: set[str] = set()
        self.edits: list[_Edit] = []
        self.regions = dict(record.regions)
        self.head = record.head

    def update(self, id_: str, change: RegionChange) -> None:
        """Update a region that is on the page."""
        part, new = self._page.parts[id_], self._fresh.page.parts[id_]
        left = self._record.regions.get(id_, RegionSnapshot())
        untouched = _find_untouched(part, left)
        blocks, digest = untouched or _find_edited_blocks(part, left)
        if untouched:  # a person's text that was left in place stays until the document says something new
            change = RegionChange.LEAVE if new.digest == left.ours else RegionChange.WRITE
        if digest == new.digest or change is RegionChange.LEAVE:
            self.regions[id_] = self._fresh.snapshot(id_, digest)
        elif change is RegionChange.WRITE:
            self._write(id_, blocks)

    def _write(self, id_: str, blocks: Collection[Block]) -> None:
        first, *others = find_runs(blocks)
        self.edits.append(_Edit(*first, self._generated_text(id_)))
        self.edits += [_Edit(*run) for run in others]
        self._mark_written(id_)

    def insert(self, id_: str) -> None:
        """Insert a region that the page does not have."""
        at = self._place_of(id_)
        self.edits.append(_Edit(at, at, self._generated_text(id_)))
        self._mark_written(id_)

    def remove(self, id_: str) -> None:
        """Remove a region that the document lost, as when another form was chosen; one that people touched stays."""
        untouched = _find_untouched(self._page.parts[id_], self._record.regions.get(id_, RegionSnapshot()))
        if untouched is None or not untouched[0]:
            return
        self.edits += [_Edit(*run) for run in find_runs(untouched[0])]
        # Not as if a person had removed it: it comes back if the document has it again.
        del self.regions[id_]
        self._removed.add(id_)

    def _mark_written(self, id_: str) -> None:
        self._written.add(id_)
        self.regions[id_] = self._fresh.snapshot(id_)

    def _generated_text(self, id_: str) -> bytes:
        return b"".join(self._fresh.page.text[start:end] for start, end in find_runs(self._fresh.page.parts[id_].whole))

    def _place_of(self, id_: str) -> int:
        # Behind the nearest region that comes before it in the document, else before the first one.
        order = list(self._fresh.page.parts)
        for before in reversed(order[: order.index(id_)]):
            if before in self._page.parts:
                return self._page.parts[before].whole[-1].end
        starts = [part.own[0].start for part in self._page.parts.values()]
        return min(starts, default=len(self._page.text))

    def update_head(self) -> None:
        """Update the blocks before the first region, one by one, and only if anything else changes.

        If the number of blocks changed, they are replaced as a whole, unless people touched one.
        """
        new, old = snapshot_head(self._fresh), self._record.head
        if not (self.edits or new.digests != old.digests):
            return
        if len(new.digests) != len(old.digests):
            self._replace_head(old, new)
            return
        present = {digest_unstamped(block): block for block in self._page.head if _is_visible(block)}
        for known, block in zip(old.digests, self._fresh.page.head, strict=True):
            place = next((present[digest] for digest in known.split() if digest in present), None)
            if place and _is_visible(block):
                self.edits.append(_Edit(place.start, place.end, self._fresh.page.text[block.start : block.end]))
        self.head = new

    def _replace_head(self, old: HeadSnapshot, new: HeadSnapshot) -> None:
        present = [block for block in self._page.head if _is_visible(block)]
        left = [digest.split() for digest in old.digests if digest != _EMPTY_DIGEST]
        places = [next((block for block in present if digest_unstamped(block) in one), None) for one in left]
        found = [block for block in places if block is not None]
        if not found or len(found) != len(places):  # people changed or removed one of them
            return
        text = b"".join(self._fresh.page.text[block.start : block.end] for block in self._fresh.page.head)
        silent = [block for block in self._page.head if _is_contents(block)]
        self.edits.append(_Edit(found[0].start, found[0].end, text))
        self.edits += [_Edit(block.start, block.end) for block in (*found[1:], *silent)]
        self.head = new

    def require_as_meant(self, body: str) -> None:
        """Read the edited page again: nothing but the written regions may differ. Raises StructureLostError."""
        again = split_page(body, self._fresh.titles).parts
        for id_ in self._fresh.page.parts.keys() | self._page.parts.keys():
            part, before = again.get(id_), self._page.parts.get(id_)
            if id_ in self._removed:
                is_meant = part is None
            elif id_ in self._written:
                wanted = self._fresh.page.parts[id_].digest
                is_meant = part is not None and wanted in (part.digest, part.own_digest)
            else:
                is_meant = (part and part.digest) == (before and before.digest)
            if not is_meant:
                raise StructureLostError("its sections cannot be told apart")


def _is_contents(block: Block) -> bool:
    # The table of contents, which has no text: the new head brings its own.
    return any("toc" in value for value in block.element.attrib.values())


def _is_visible(block: Block) -> bool:
    return bool(render_body([block.element]))


def _apply_edits(text: bytes, edits: Iterable[_Edit]) -> str:
    # By place, so that an insertion comes before a replacement that begins where it is.
    return b"".join(_interleave(text, sorted(edits, key=lambda edit: (edit.start, edit.end)))).decode()


def _interleave(text: bytes, edits: Iterable[_Edit]) -> Iterator[bytes]:
    at = 0
    for edit in edits:
        yield text[at : edit.start]
        yield edit.text
        at = edit.end
    yield text[at:]


def replace_top_block(storage: str, record: PageSnapshot, top: str) -> tuple[str, PageSnapshot]:
    """Replace the first block, which links to other systems. Returns the page and its new snapshot.

    The page is "" if there is nothing to write: the block is as wanted, or people changed it.
    """
    known = record.head.digests[0].split() if record.head.digests else []
    try:
        page = split_page(storage)
    except NotAPageError:
        return "", record
    block = next((one for one in page.head if digest_unstamped(one) in known), None)
    if block is None:
        return "", record
    (new,) = map(digest_unstamped, split_page(top).head)
    record = replace(record, head=HeadSnapshot((new, *record.head.digests[1:])))
    if digest_unstamped(block) == new:
        return "", record
    return (page.text[: block.start] + top.strip().encode() + page.text[block.end :]).decode(), record
