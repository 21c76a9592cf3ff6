"""A page of Confluence taken apart where it stands: which bytes of it are which region, so that only those change.

What people added besides (a section of their own, a note above the first region) is no region, and stays in its place.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from xml.etree.ElementTree import Element
from xml.parsers import expat

from bot.export.confluence_mentions import with_names
from bot.export.confluence_reading import (
    HEADINGS,
    WRAPPERS,
    anchor_in,
    body_of,
    decoded,
    flat,
    parsed,
    squeezed,
    tag_of,
)
from bot.export.kept import NOTHING
from bot.incident.facts import digest_of
from bot.incident.sections import SECTIONS

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
_NOBODY: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page: from byte to byte, within the layout cell (or the page itself) that `holder` numbers."""

    start: int
    end: int
    holder: int
    element: Element


@dataclass(frozen=True, slots=True)
class Part:
    """One region as it stands on a page: its `own` blocks, and the sections that stand below it under other headings.

    `digest` is of what shows in all of it, `own_digest` of its own blocks. `has_strays` where text stands between its
    blocks, in none of them.
    """

    own: tuple[Block, ...]
    added: tuple[Block, ...]
    digest: str
    own_digest: str
    has_strays: bool

    @property
    def whole(self) -> tuple[Block, ...]:
        """All of it."""
        return self.own + self.added


@dataclass(slots=True)
class Apart:
    """A page: its bytes, what stands before the first region, and its regions in their order."""

    text: bytes
    head: list[Block] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)


def digest(blocks: Collection[Block]) -> str:
    """What tells blocks that read differently from those that read the same."""
    return digest_of(body_of(block.element for block in blocks))


def words(blocks: Collection[Block], names: Mapping[str, str] = _NOBODY) -> str:
    """The blocks as a person's Markdown: without our pictures, which the record draws, and blank as a draft has it.

    `names` are those of the accounts that are mentioned.
    """
    text = body_of(with_names(block.element, names) for block in blocks if not _is_our_picture(block.element))
    return "\n".join(NOTHING if line == _BLANK else line for line in text.split("\n"))


def holds_more(blocks: Collection[Block]) -> bool:
    """Whether there is more in them than Markdown holds: pictures, mentions, macros of Confluence's."""
    return any(
        _is_more(element) for block in blocks if not _is_our_picture(block.element) for element in block.element.iter()
    )


def _is_more(element: Element) -> bool:
    tag = tag_of(element)
    if any(element.get(name, "1") != "1" for name in _SPANS):
        return True
    if tag == "ac:structured-macro":
        return _macro_name(element) not in _PLAIN_MACROS
    return tag not in _PLAIN and not tag.startswith(_TASKS)


def _macro_name(element: Element) -> str:
    return next((value for name, value in element.items() if name.endswith("}name")), "")


def _is_our_picture(block: Element) -> bool:
    """The picture of a region (`timeline.svg`), or a paragraph with nothing else in it, as pages once had it."""
    found = list(block.iter())
    picture = found if tag_of(block) == "ac:image" else found[1:]
    if [tag_of(element) for element in picture] != ["ac:image", "ri:attachment"] or "".join(block.itertext()).strip():
        return False
    return any(value in PICTURES for _, value in picture[1].items())


PICTURES = frozenset(f"{section.slug}.svg" for section in SECTIONS)
"""The names of the pictures that hang on a page."""


def apart(storage: str) -> Apart:
    """The page apart. Raises NotAPage."""
    text = decoded(storage).encode("utf-8", "replace")
    root = parsed(text.decode())
    found = Apart(text)
    begun: dict[str, list[Block]] = {}
    blocks = [Block(*place, element) for place, element in zip(_Places(text).found, flat(root), strict=True)]
    region = found.head
    names = _Names(blocks)
    for block in blocks:
        if name := names.begun(block, begun):
            region = begun.setdefault(name, [])
        if not _is_mark(block.element):
            region.append(block)
    found.parts = {name: _part(text, blocks) for name, blocks in begun.items()}
    return found


class _Names:
    """Finds regions by their anchors; one whose anchor went, by the title of its section."""

    def __init__(self, blocks: Collection[Block]) -> None:
        anchored = {name for block in blocks if (name := anchor_in(block.element))}
        self._by_title = {section.title: section.slug for section in SECTIONS if section.slug not in anchored}

    def begun(self, block: Block, known: Collection[str]) -> str:
        """The region that begins here; empty where none does, also for the second copy of one."""
        name = anchor_in(block.element)
        if not name and tag_of(block.element) in HEADINGS:
            name = self._by_title.get(squeezed("".join(block.element.itertext())), "")
        return "" if name in known else name


def _is_mark(block: Element) -> bool:
    """A paragraph with nothing in it but the anchor by which the page is known."""
    text = "".join(block.itertext()).strip()
    return text.startswith(_OURS) and not anchor_in(block) and not body_of([block])


def _part(text: bytes, blocks: list[Block]) -> Part:
    """Where a heading of the region's own level or above stands in it, a section begins that somebody added."""
    level, own = 0, list(blocks)
    for at, block in enumerate(blocks):
        rank = HEADINGS.get(tag_of(block.element), 0)
        if rank and not level and not body_of(before.element for before in blocks[:at]):
            level = rank
        elif rank and rank <= (level or _SECTION_LEVEL):
            own = blocks[:at]
            break
    strays = (text[one.end : two.start].strip() for one, two in pairwise(blocks) if one.holder == two.holder)
    own_digest = digest(own)
    whole = own_digest if own == blocks else digest(blocks)
    return Part(tuple(own), tuple(blocks[len(own) :]), whole, own_digest, has_strays=any(strays))


def runs(blocks: Collection[Block]) -> Iterator[tuple[int, int]]:
    """From byte to byte, what of a region stands together: in one layout cell."""
    for _, run in groupby(blocks, lambda block: block.holder):
        first, *rest = run
        yield first.start, (rest[-1] if rest else first).end


class _Places:
    """Where the blocks of a page begin and end, in the order of `flat`."""

    def __init__(self, text: bytes) -> None:
        self.found: list[tuple[int, int, int]] = []
        self._text = f"{_BEFORE}".encode() + text + b"</page>"
        self._holders: list[int] = []
        self._count = 0
        self._inside = 0
        self._start = 0
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
            self.found.append((self._start - offset, self._after(name) - offset, self._holders[-1]))

    def _after(self, name: str) -> int:
        """Behind the tag that ends an element: the parser stands before it, or behind an element without content."""
        at = self._parser.CurrentByteIndex
        closing = f"</{name}".encode()
        behind = self._text[at + len(closing) : at + len(closing) + 1]
        if self._text.startswith(closing, at) and behind in (b">", b" ", b"\t", b"\n"):
            return self._text.index(b">", at) + 1
        return at
