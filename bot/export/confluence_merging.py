"""A page of Confluence brought up to date around what people did to it: region by region, everything else untouched."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import AfterwordError
from bot.export import confluence_apart as taking
from bot.export.confluence_apart import Apart, Block, Part, apart
from bot.export.confluence_left import Fresh, Head, Left, Record, head_of, without_stamp
from bot.export.confluence_reading import body_of, flat, parsed
from bot.export.reader import Reader
from bot.export.storage_xhtml import StorageXhtml
from bot.incident.facts import digest_of

_storage = StorageXhtml(Reader())
_NOBODY: Mapping[str, str] = {}


_OF_NOTHING = digest_of("")


class StructureLost(AfterwordError):
    """The regions of a page cannot be told apart any more: what is written now could hit what people wrote."""


class Deed(StrEnum):
    """What becomes of a region that people touched: written anew, left standing and settled, or left unsettled."""

    WRITE = "write"
    LEAVE = "leave"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Touched:
    """A region that people touched: their Markdown, and whether there is more in it than that can hold.

    `is_same` where it says what the document says anyway.
    """

    text: str
    holds_more: bool
    is_same: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """The page as it is to be, and how it will have been left; `gone` are regions that people took off it."""

    body: str
    record: Record
    is_changed: bool
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Edit:
    """Bytes to be put in the place of others."""

    start: int
    end: int
    text: bytes = b""


def touched(page: Apart, fresh: Fresh, record: Record, names: Mapping[str, str] = _NOBODY) -> dict[str, Touched]:
    """The regions of a page that are neither as they were left nor as the document would say them now.

    `names` are those of the accounts that people mentioned in them.
    """
    found = {}
    for id_, part in page.parts.items():
        new, left = fresh.page.parts.get(id_), record.regions.get(id_, Left())
        if new is None or _untouched(part, left) is not None:
            continue
        blocks, stands = _theirs(part, left)
        if part.has_strays or stands != new.digest:
            text = taking.words(blocks, names)
            is_same = text == taking.words(new.whole)
            found[id_] = Touched(text, part.has_strays or taking.holds_more(blocks), is_same)
    return found


def read_back(markdown: str) -> str:
    """Markdown as a page gives it back, headings at its beginning too."""
    before = "."
    return body_of(flat(parsed(f"<p>{before}</p>{_storage.blocks(markdown)}"))).removeprefix(before).strip()


def _untouched(part: Part, left: Left) -> tuple[tuple[Block, ...], str] | None:
    """The blocks that stand as they were left, without a section that somebody added below, and their digest.

    None where none do.
    """
    if part.has_strays:
        return None
    if part.digest in left.page:
        return part.whole, part.digest
    return (part.own, part.own_digest) if part.own_digest in left.page and not left.is_headed else None


def _theirs(part: Part, left: Left) -> tuple[tuple[Block, ...], str]:
    return (part.whole, part.digest) if left.is_headed else (part.own, part.own_digest)


def merge(page: Apart, fresh: Fresh, record: Record, deeds: Mapping[str, Deed], back: Collection[str]) -> Merged:
    """Put what is new into the page: regions that nobody touched, those of `deeds` as these say, and those of `back`.

    A region that people took off the page stays away unless it is in `back`; one that is new is put in its place.
    Raises StructureLost where the page does not come out as meant, or has no region left.
    """
    if record.regions and not page.parts.keys() & record.regions.keys():
        raise StructureLost("none of its sections is found any more")
    merging = _Merging(page, fresh, record)
    for id_ in fresh.page.parts.keys() & page.parts.keys():
        merging.bring(id_, deeds.get(id_, Deed.WAIT))
    absent = [id_ for id_ in fresh.page.parts if id_ not in page.parts]
    gone = tuple(id_ for id_ in absent if id_ in record.regions and id_ not in back)
    for id_ in absent:
        if id_ not in gone:
            merging.insert(id_)
    merging.bring_head()
    body = _applied(page.text, merging.edits)
    if merging.edits:
        merging.require_as_meant(body)
    return Merged(body, Record(merging.left, merging.head), bool(merging.edits), gone)


class _Merging:
    """Collects what is to be written, and how everything will be left then."""

    def __init__(self, page: Apart, fresh: Fresh, record: Record) -> None:
        self._page = page
        self._fresh = fresh
        self._record = record
        self._written: set[str] = set()
        self.edits: list[_Edit] = []
        self.left = dict(record.regions)
        self.head = record.head

    def bring(self, id_: str, deed: Deed) -> None:
        """Bring a region up to date that stands on the page."""
        part, new, left = self._page.parts[id_], self._fresh.page.parts[id_], self._record.regions.get(id_, Left())
        ours = _untouched(part, left)
        blocks, stands = ours or _theirs(part, left)
        if ours:
            deed = Deed.LEAVE if new.digest == left.ours else Deed.WRITE
        if stands == new.digest or deed is Deed.LEAVE:
            self.left[id_] = self._fresh.left(id_, stands)
        elif deed is Deed.WRITE:
            self._write(id_, blocks)

    def _write(self, id_: str, blocks: Collection[Block]) -> None:
        first, *others = taking.runs(blocks)
        self.edits.append(_Edit(*first, self._new(id_)))
        self.edits += [_Edit(*run) for run in others]
        self._is_written(id_)

    def insert(self, id_: str) -> None:
        """Put a region in its place that the page does not have."""
        at = self._place_of(id_)
        self.edits.append(_Edit(at, at, self._new(id_)))
        self._is_written(id_)

    def _is_written(self, id_: str) -> None:
        self._written.add(id_)
        self.left[id_] = self._fresh.left(id_)

    def _new(self, id_: str) -> bytes:
        return b"".join(
            self._fresh.page.text[start:end] for start, end in taking.runs(self._fresh.page.parts[id_].whole)
        )

    def _place_of(self, id_: str) -> int:
        """Behind the nearest region that stands before it in the document, else before the first that stands."""
        order = list(self._fresh.page.parts)
        for before in reversed(order[: order.index(id_)]):
            if before in self._page.parts:
                return self._page.parts[before].whole[-1].end
        starts = [part.own[0].start for part in self._page.parts.values()]
        return min(starts, default=len(self._page.text))

    def bring_head(self) -> None:
        """Refresh what stands before the first region, block by block; only where anything else is new.

        A head of another make is replaced as a whole, where nobody touched the one that was left.
        """
        new, old = head_of(self._fresh), self._record.head
        if not (self.edits or new.digests != old.digests):
            return
        if len(new.digests) != len(old.digests):
            self._bring_another_head(old, new)
            return
        stands = {without_stamp(block): block for block in self._page.head if _shows(block)}
        for known, block in zip(old.digests, self._fresh.page.head, strict=True):
            place = next((stands[digest] for digest in known.split() if digest in stands), None)
            if place and _shows(block):
                self.edits.append(_Edit(place.start, place.end, self._fresh.page.text[block.start : block.end]))
        self.head = new

    def _bring_another_head(self, old: Head, new: Head) -> None:
        stands = [block for block in self._page.head if _shows(block)]
        left = [digest.split() for digest in old.digests if digest != _OF_NOTHING]
        places = [next((block for block in stands if without_stamp(block) in one), None) for one in left]
        found = [block for block in places if block is not None]
        if not found or len(found) != len(places):
            return
        text = b"".join(self._fresh.page.text[block.start : block.end] for block in self._fresh.page.head)
        silent = [block for block in self._page.head if _is_contents(block)]
        self.edits.append(_Edit(found[0].start, found[0].end, text))
        self.edits += [_Edit(block.start, block.end) for block in (*found[1:], *silent)]
        self.head = new

    def require_as_meant(self, body: str) -> None:
        """The page must read as it did, but for what was to be written. Raises StructureLost."""
        again = apart(body).parts
        for id_ in self._fresh.page.parts.keys() | self._page.parts.keys():
            part, before = again.get(id_), self._page.parts.get(id_)
            if id_ in self._written:
                wanted = self._fresh.page.parts[id_].digest
                is_meant = part is not None and wanted in (part.digest, part.own_digest)
            else:
                is_meant = (part and part.digest) == (before and before.digest)
            if not is_meant:
                raise StructureLost("its sections cannot be told apart")


def _is_contents(block: Block) -> bool:
    """The list of contents, which shows nothing of its own: the new head brings its own."""
    return any("toc" in value for value in block.element.attrib.values())


def _shows(block: Block) -> bool:
    return bool(body_of([block.element]))


def _applied(text: bytes, edits: Iterable[_Edit]) -> str:
    return b"".join(_pieces(text, sorted(edits, key=lambda edit: (edit.start, edit.end)))).decode()


def _pieces(text: bytes, edits: Iterable[_Edit]) -> Iterator[bytes]:
    at = 0
    for edit in edits:
        yield text[at : edit.start]
        yield edit.text
        at = edit.end
    yield text[at:]
