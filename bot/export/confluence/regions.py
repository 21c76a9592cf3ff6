"""A Confluence page split into its head and regions, by byte offsets, so that all else stays as it came.

What people added, such as a section of their own or a note above the first region, is no region.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from xml.etree.ElementTree import Element
from xml.parsers import expat

from bot.domain.sections import SECTIONS, digest_facts
from bot.export.confluence.reader import (
    HEADINGS,
    WRAPPERS,
    decode_entities,
    find_anchor,
    list_blocks,
    macro_name,
    name_mentions,
    parse_page,
    render_body,
    squeeze_blanks,
    tag_name,
)
from bot.export.drafts import NOTHING

_BEFORE = '<page xmlns:ac="ac" xmlns:ri="ri">'
_BLANK = "*Not recorded*"
_OURS = "afterword-"
_SECTION_LEVEL = 2
_PLAIN_MACROS = frozenset({"anchor", "code", "status", "expand", "toc"})
_PLAIN = frozenset(
    "p br hr a b strong i em s del code pre blockquote ul ol li time div section "
    "table colgroup col thead tbody tr th td ac:parameter ac:plain-text-body ac:rich-text-body".split()
) | frozenset(HEADINGS)
_SPANS = ("colspan", "rowspan")
_TASKS = "ac:task"
NOBODY: Mapping[str, str] = {}
"""No names of accounts."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page: its byte range, and the number of the layout cell (or page) that holds it."""

    start: int
    end: int
    holder: int
    element: Element


@dataclass(frozen=True, slots=True)
class PageRegion:
    """One region on a page: its `own` blocks, and the sections that people `added` below it.

    `digest` is of what all of it shows, `own_digest` of its own blocks. `has_strays`: it has text outside any block.
    """

    own: tuple[Block, ...]
    added: tuple[Block, ...]
    digest: str
    own_digest: str
    has_strays: bool

    @property
    def whole(self) -> tuple[Block, ...]:
        """Its own blocks and the added ones."""
        return self.own + self.added


@dataclass(slots=True)
class SplitPage:
    """A page: its bytes, the blocks before the first region, and its regions in order."""

    text: bytes
    head: list[Block] = field(default_factory=list)
    parts: dict[str, PageRegion] = field(default_factory=dict)


def digest_blocks(blocks: Collection[Block]) -> str:
    """Equal for blocks that read the same, whatever the editor did to their XML."""
    return digest_facts(render_body(block.element for block in blocks))


def render_markdown(blocks: Collection[Block], names: Mapping[str, str] = NOBODY) -> str:
    """The blocks as Markdown, without our charts. Blank is written as in a draft.

    `names` maps the accounts that are mentioned to people's names.
    """
    text = render_body(name_mentions(block.element, names) for block in blocks if not _is_our_picture(block.element))
    return "\n".join(NOTHING if line == _BLANK else line for line in text.split("\n"))


def exceeds_markdown(blocks: Collection[Block]) -> bool:
    """Whether they hold what Markdown cannot: pictures, mentions, macros."""
    return any(
        _exceeds_markdown(element)
        for block in blocks
        if not _is_our_picture(block.element)
        for element in block.element.iter()
    )


def _exceeds_markdown(element: Element) -> bool:
    tag = tag_name(element)
    if any(element.get(name, "1") != "1" for name in _SPANS):
        return True
    if tag == "ac:structured-macro":
        return macro_name(element) not in _PLAIN_MACROS
    return tag not in _PLAIN and not tag.startswith(_TASKS)


def _is_our_picture(block: Element) -> bool:
    # A region's chart (`timeline.svg`), or a paragraph with nothing else in it: older pages have it so.
    found = list(block.iter())
    picture = found if tag_name(block) == "ac:image" else found[1:]
    if [tag_name(element) for element in picture] != ["ac:image", "ri:attachment"] or "".join(block.itertext()).strip():
        return False
    return any(value in PICTURES for _, value in picture[1].items())


PICTURES = frozenset(f"{section.slug}.svg" for section in SECTIONS)
"""The file names of attached charts."""


TITLES: Mapping[str, str] = {section.title: section.slug for section in SECTIONS}
"""The ids of our regions by their headings."""


def split_page(storage: str, titles: Mapping[str, str] = TITLES) -> SplitPage:
    """Split a page into its head and regions; `titles` are the ids of these by their headings. Raises NotAPageError."""
    text = decode_entities(storage).encode("utf-8", "replace")
    root = parse_page(text.decode())
    page = SplitPage(text)
    regions: dict[str, list[Block]] = {}
    blocks = [
        Block(*place, element) for place, element in zip(_BlockOffsets(text).places, list_blocks(root), strict=True)
    ]
    region = page.head
    finder = _RegionFinder(blocks, titles)
    for block in blocks:
        if id_ := finder.find_beginning(block, regions):
            region = regions.setdefault(id_, [])
        if not _is_mark(block.element):
            region.append(block)
    page.parts = {id_: _make_region(text, blocks) for id_, blocks in regions.items()}
    return page


class _RegionFinder:
    """Finds where regions begin: by their anchor, or by the section's title if the anchor was lost."""

    def __init__(self, blocks: Collection[Block], titles: Mapping[str, str]) -> None:
        # A title counts only where the anchor was lost: people may write a section of the same name.
        anchored = {id_ for block in blocks if (id_ := find_anchor(block.element))}
        self._by_title = {title: id_ for title, id_ in titles.items() if id_ not in anchored}

    def find_beginning(self, block: Block, known: Collection[str]) -> str:
        """The id of the region that begins here, or "". A second copy of a region begins none."""
        id_ = find_anchor(block.element)
        if not id_ and tag_name(block.element) in HEADINGS:
            id_ = self._by_title.get(squeeze_blanks("".join(block.element.itertext())), "")
        return "" if id_ in known else id_


def _is_mark(block: Element) -> bool:
    # A paragraph that holds nothing but the anchor of the whole page.
    text = "".join(block.itertext()).strip()
    return text.startswith(_OURS) and not find_anchor(block) and not render_body([block])


def _make_region(text: bytes, blocks: list[Block]) -> PageRegion:
    # A heading of the region's own level, or a higher one, begins a section that a person added.
    level, has_begun, own = 0, False, list(blocks)
    for at, block in enumerate(blocks):
        rank = HEADINGS.get(tag_name(block.element), 0)
        has_begun = has_begun or bool(rank and not level and render_body(one.element for one in blocks[:at]))
        if rank and not level and not has_begun:
            level = rank
        elif rank and rank <= (level or _SECTION_LEVEL):
            own = blocks[:at]
            break
    strays = (text[one.end : two.start].strip() for one, two in pairwise(blocks) if one.holder == two.holder)
    own_digest = digest_blocks(own)
    whole = own_digest if own == blocks else digest_blocks(blocks)
    return PageRegion(tuple(own), tuple(blocks[len(own) :]), whole, own_digest, has_strays=any(strays))


def find_runs(blocks: Collection[Block]) -> Iterator[tuple[int, int]]:
    """The byte ranges of the blocks, one for each layout cell that they are in."""
    for _, run in groupby(blocks, lambda block: block.holder):
        first, *rest = run
        yield first.start, (rest[-1] if rest else first).end


class _BlockOffsets:
    """The byte range and holder of each block, in the order of `list_blocks`. ElementTree does not know offsets."""

    def __init__(self, text: bytes) -> None:
        self.places: list[tuple[int, int, int]] = []
        self._text = f"{_BEFORE}".encode() + text + b"</page>"
        self._holders: list[int] = []
        self._count = 0
        self._inside = 0
        self._start = 0
        # Expat and not ElementTree, because only the parser itself knows at which byte it is.
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.Parse(self._text, True)  # noqa: FBT003 - its own form

    def _begin(self, name: str, _: object) -> None:
        if self._inside:
            self._inside += 1
        elif name in WRAPPERS or not self._holders:
            self._count += 1
            self._holders.append(self._count)
        else:
            self._inside, self._start = 1, self._parser.CurrentByteIndex

    def _end(self, name: str) -> None:
        if not self._inside:
            self._holders.pop()
            return
        self._inside -= 1
        if not self._inside:
            offset = len(_BEFORE)
            self.places.append((self._start - offset, self._after(name) - offset, self._holders[-1]))

    def _after(self, name: str) -> int:
        # The parser is before the closing tag, or behind an element without content.
        at = self._parser.CurrentByteIndex
        closing = f"</{name}".encode()
        behind = self._text[at + len(closing) : at + len(closing) + 1]
        if self._text.startswith(closing, at) and behind in (b">", b" ", b"\t", b"\n"):
            return self._text.index(b">", at) + 1
        return at
