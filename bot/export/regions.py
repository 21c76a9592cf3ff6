"""The compiled Markdown as regions that keep their identity, whatever a template calls them and where it puts them.

A template begins each region with a line of its own, `<!-- afterword:timeline -->`, and the heading below it. The
names of the 14 sections are known; any other name is a region of the template's own. Text of the record cannot forge
a marker: the escapers never let a `<!` through.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_OPENS = "<!-- afterword:"
_MARKER = re.compile(r"([a-z][a-z0-9_]{0,59})((?: [0-9a-f]{12}){0,2}) -->[ \t]*(?:\n|\Z)")
_HEADING = re.compile(r"#{1,6}[ \t]+([^\n]*)(?:\n+|\Z)")


@dataclass(frozen=True, slots=True)
class Region:
    """One region: its heading line and its body, both Markdown; the heading is empty where a template gave none.

    `left_as` are the digests that its marker carried: of the body as it was compiled, and, where people had edited
    it already, of what the record knew. Empty in what a template has just written.
    """

    id: str
    heading: str
    body: str
    left_as: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The heading without its number signs, still Markdown."""
        return self.heading.lstrip("#").strip()

    @property
    def digest(self) -> str:
        """What tells an edited body from an untouched one: line ends and blank space do not count."""
        return digest_of("\n".join(filter(None, map(str.strip, self.body.split("\n")))))


@dataclass(frozen=True, slots=True)
class Compiled:
    """A whole Markdown document: everything before the first marker, then the regions in their order."""

    head: str
    regions: tuple[Region, ...]

    def written(self) -> str:
        """The document as people get it: each marker tells how its region left, so that an edit can be seen."""
        return "".join([self.head, *_joined(self.regions)])


def split(markdown: str) -> Compiled:
    """Markdown with markers, apart; without any it is all head. Line ends may be CRLF."""
    head, *rest = f"\n{markdown}".replace("\r\n", "\n").split(f"\n{_OPENS}")
    regions: list[Region] = []
    for text in rest:
        if found := _MARKER.match(text):
            regions.append(_region(found[1], found[2], text[found.end() :]))
        elif regions:
            regions[-1] = replace(regions[-1], body=f"{regions[-1].body}\n{_OPENS}{text}")
        else:
            head = f"{head}\n{_OPENS}{text}"
    return Compiled(f"{head[1:]}\n" if regions else head[1:], tuple(regions))


def _region(id_: str, digests: str, text: str) -> Region:
    found = _HEADING.match(text)
    heading = found[0].strip() if found else ""
    body = text[found.end() :] if found else text
    return Region(id_, heading, body.strip("\n"), tuple(digests.split()))


def _joined(regions: tuple[Region, ...]) -> Iterator[str]:
    for index, region in enumerate(regions):
        left_as = " ".join(region.left_as or (region.digest,))
        yield f"{'' if index == 0 else chr(10)}<!-- afterword:{region.id} {left_as} -->\n"
        yield "\n\n".join(filter(None, (region.heading, region.body))) + "\n"


def digest_of(text: str) -> str:
    """Twelve hexadecimal digits: enough to see a change, not meant against forgery."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
