"""A canvas read back: what people changed on it, told by what reads differently, and kept when it is written anew.

Slack writes Markdown in its own hand, and a canvas has no place for markers. So its regions are found by their
headings, and compared by what they show: words, structure, emphasis and where links lead, not by their bytes.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bot.export import shows
from bot.export.kept import NOTHING
from bot.export.reader import Reader
from bot.export.regions import Compiled, Region
from bot.incident.exports import RegionMark

HEAD = ""
"""The name of what stands before the first heading."""

_CHANGED = "changed"
_NOTHING = re.compile(r"^\*Not recorded\*$", re.MULTILINE)
_reader = Reader()


@dataclass(frozen=True, slots=True)
class Merged:
    """What a canvas is to say, region by region, and the regions that stand as people left them."""

    regions: dict[str, str]
    edited: tuple[str, ...] = ()

    @property
    def markdown(self) -> str:
        """The whole canvas."""
        return "\n\n".join(filter(None, self.regions.values())) + "\n"


def apart(canvas: str, headings: Mapping[str, str]) -> dict[str, str]:
    """The regions of a canvas in their order, each with its heading, by id; `headings` are the ids by their words.

    What a person wrote under a heading of their own belongs to the region above it; so does a heading's second copy.
    """
    lines = canvas.replace("\r\n", "\n").split("\n")
    begun = {HEAD: 0}
    for line, text in _reader.headings("\n".join(lines)):
        if text in headings:
            begun.setdefault(headings[text], line)
    ends = [*list(begun.values())[1:], len(lines)]
    return {id_: "\n".join(lines[start:end]).strip() for (id_, start), end in zip(begun.items(), ends, strict=True)}


def marks_of(written: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """How each region was left: as Slack gives it back right after it was written.

    Where that does not have the same letters, somebody was quicker: then what was written counts, and theirs is seen
    as an edit. `found` is empty where the canvas could not be read.
    """
    return {
        id_: shows.digest(found[id_] if shows.letters(found.get(id_, "")) == shows.letters(text) else text)
        for id_, text in written.items()
    }


def marks_before(marks: Mapping[str, str], writing: Mapping[str, str]) -> dict[str, str]:
    """The marks while regions are being written: whichever of both a canvas shows afterwards was left by us."""
    return {**marks, **{id_: f"{marks.get(id_, '')} {shows.digest(text)}".strip() for id_, text in writing.items()}}


def edited(new: Mapping[str, str], found: Mapping[str, str], marks: Mapping[str, str]) -> tuple[str, ...]:
    """The regions that people changed, other than into what they would say now anyway."""
    return tuple(id_ for id_, text in found.items() if _is_edited(id_, text, new, marks))


def merged(new: Mapping[str, str], found: Mapping[str, str], left: Iterable[str]) -> Merged:
    """The canvas as it is to be written: some regions as people left them, everything else anew.

    A region that somebody took out comes back; what people added above the first heading stays there.
    """
    kept = {id_: found[id_] for id_ in left}
    return Merged({**new, **kept}, tuple(kept))


def returned(found: Mapping[str, str], marks: Mapping[str, RegionMark], shown: Compiled) -> Compiled:
    """Regions that people changed, as a draft that comes back would hold them; the rest of it as it is `shown`."""
    return Compiled("", tuple(_came(region, found, marks) for region in shown.regions))


def _came(region: Region, found: Mapping[str, str], marks: Mapping[str, RegionMark]) -> Region:
    if region.id not in found:
        return replace(region, left_as=region.digest)
    _, _, body = found[region.id].partition("\n")
    mark = marks[region.id]
    return Region(region.id, region.heading, _NOTHING.sub(NOTHING, body).strip(), _CHANGED, mark.facts, mark.seen)


def holds(text: str, words: str) -> bool:
    """Whether these words stand in a text, however they are marked."""
    return shows.letters(words) in shows.letters(text)


def _is_edited(id_: str, text: str, new: Mapping[str, str], marks: Mapping[str, str]) -> bool:
    is_as_left = shows.digest(text) in marks.get(id_, shows.digest("")).split()
    return not is_as_left and shows.digest(text) != shows.digest(new.get(id_, ""))
