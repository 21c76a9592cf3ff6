"""How a page of Confluence was left, so that next time it shows what people did to it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.export.confluence_apart import Apart, Block
from bot.export.confluence_reading import body_of
from bot.incident.facts import digest_of

_STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC\W*\Z")


@dataclass(frozen=True, slots=True)
class Left:
    """How a region was left on the page.

    `page` are the digests of what may stand there without a person having touched it: one, or two where nobody knows
    whether the last write arrived. `ours` is the digest of what the document said of it then, which differs where a
    person's own text was left standing. `facts` and `seen` are what the page showed (see `KeptRegion`); `is_headed`
    where it had headings of a region's own level in it.
    """

    page: tuple[str, ...] = ()
    ours: str = ""
    facts: str = ""
    seen: int = 0
    is_headed: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """How the blocks before the first region were left, but for the moment that stands at the end of one.

    A digest may be two between blanks, where nobody knows which of two writes stands.
    """

    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """How a page was left."""

    regions: Mapping[str, Left] = field(default_factory=dict)
    head: Head = field(default_factory=Head)


@dataclass(frozen=True, slots=True)
class Fresh:
    """The page as the document would have it; `told` are facts and version of each region."""

    page: Apart
    told: Mapping[str, tuple[str, int]]

    def left(self, id_: str, page: str = "") -> Left:
        """How a region is left that now says this, or on which `page` (a digest) was left standing."""
        part = self.page.parts[id_]
        facts, seen = self.told.get(id_, ("", 0))
        return Left((page or part.digest,), part.digest, facts, seen, bool(part.added))


def as_written(fresh: Fresh) -> Record:
    """How a page is left that was written as a whole."""
    return Record({id_: fresh.left(id_) for id_ in fresh.page.parts}, head_of(fresh))


def as_found(page: Apart, fresh: Fresh) -> Record:
    """How a page was left that nobody but us has written, of which nothing else is known."""
    parts = ((id_, part) for id_, part in page.parts.items() if id_ in fresh.page.parts)
    regions = {id_: replace(fresh.left(id_, part.digest), ours="", is_headed=bool(part.added)) for id_, part in parts}
    return Record(regions, Head(tuple(without_stamp(block) for block in page.head)))


def joined(one: Record, other: Record) -> Record:
    """Where nobody knows which of two writes stands: either is ours."""
    regions = {
        id_: replace(left, page=tuple(dict.fromkeys((*left.page, *other.regions[id_].page))))
        if id_ in other.regions
        else left
        for id_, left in one.regions.items()
    }
    return Record({**other.regions, **regions}, _either(one.head, other.head))


def _either(one: Head, other: Head) -> Head:
    if len(one.digests) != len(other.digests):
        return one if one.digests else other
    digests = (" ".join(dict.fromkeys(pair)) for pair in zip(one.digests, other.digests, strict=True))
    return Head(tuple(digests))


def head_of(fresh: Fresh) -> Head:
    """How the head of such a page is left."""
    return Head(tuple(map(without_stamp, fresh.page.head)))


def without_stamp(block: Block) -> str:
    """The digest of a block without the moment at its end: that it was compiled once more is no change."""
    return digest_of(_STAMP.sub("", body_of([block.element])))
