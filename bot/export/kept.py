"""What people wrote into the draft, put back where it stood: the record is rewritten around it, never over it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from jinja2.sandbox import SandboxedEnvironment

from bot.export.regions import Compiled, Region
from bot.incident.document import Document, KeptText
from bot.incident.kept import Change
from bot.incident.sections import title_of

NOTHING = "_Not recorded_"
_OPENS_MARKER = re.compile(r"^<!--(?= afterword:)", re.MULTILINE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


@dataclass(frozen=True, slots=True)
class Held:
    """A region in which texts of people stand: the region as the record itself would have it, and the texts.

    `facts` is the digest of what the record knows now, `version` the latest text's, standing or not. A region that
    the template no longer has is kept without a place: nothing of the record is in it.
    """

    own: Region
    texts: tuple[KeptText, ...]
    facts: str
    version: int
    has_place: bool = True

    @property
    def is_record_asked(self) -> bool:
        """Whether the record must be seen beside them: it changed since one was written, or one would blank it."""
        return self.has_place and any(text.facts != self.facts or _empties(text) for text in self.texts)

    @property
    def is_contested(self) -> bool:
        """Whether somebody has to choose: between texts, or between a text and what the record says since."""
        return len(self.texts) > 1 or self.is_record_asked


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as the record itself would write it (`own`), as people get it (`shown`), and what makes them differ.

    `labels` are the lines that only a region with several texts has.
    """

    own: Compiled
    shown: Compiled
    held: tuple[Held, ...]
    labels: tuple[str, str]

    def facts(self, document: Document) -> Iterator[Region]:
        """The regions as shown, each with the digest of its facts: what the marker of one that leaves must tell."""
        for region in self.shown.regions:
            yield region if region.facts else replace(region, facts=facts_of(document, region))


class Keeper:
    """Puts kept texts into compiled documents; made of templates that were compiled before."""

    def __init__(self, templates: SandboxedEnvironment) -> None:
        words: Any = templates.get_template("postmortem/kept.md.j2").module
        self._words = words
        self._labels = (words.choose().strip(), words.record().strip())

    def draft(self, document: Document, own: Compiled) -> Draft:
        """The document with what people wrote; `own` is what the record itself says, just compiled."""
        latest: dict[str, int] = {}
        for text in document.kept:
            latest[text.section] = max(text.version, latest.get(text.section, 0))
        held = {one.own.id: one for one in self._held(document, own, latest)}
        regions = [
            self._shown(held[region.id]) if region.id in held else replace(region, seen=latest.get(region.id, 0))
            for region in own.regions
        ]
        regions += [self._shown(one) for one in held.values() if not one.has_place]
        return Draft(own, Compiled(own.head, tuple(regions)), tuple(held.values()), self._labels)

    @staticmethod
    def _held(document: Document, own: Compiled, latest: dict[str, int]) -> Iterator[Held]:
        placed = {region.id: region for region in own.regions}
        for id_, version in latest.items():
            texts = document.texts(id_)
            if texts and id_ in placed:
                yield Held(placed[id_], texts, facts_of(document, placed[id_]), version)
            elif texts:
                yield Held(Region(id_, f"## {title_of(id_)}", ""), texts, "", version, has_place=False)

    def _shown(self, held: Held) -> Region:
        body = self._contested(held) if held.is_contested else self._alone(held.texts[0])
        return replace(held.own, body=body, facts=held.facts, seen=held.version)

    def _alone(self, text: KeptText) -> str:
        return closed(text.markdown) or str(self._words.blank(text)).strip()

    def _contested(self, held: Held) -> str:
        pieces = [self._labels[0]]
        for text in held.texts:
            pieces += [self._words.edited(text).strip(), closed(text.markdown) or self._words.emptied().strip()]
        if held.is_record_asked:
            pieces += [self._labels[1], held.own.body]
        return "\n\n".join(pieces)


def facts_of(document: Document, region: Region) -> str:
    """The digest of what the record knows for a region.

    Of a region of a template's own nobody can tell which facts it shows: there it is its text as the record writes it.
    """
    return document.facts.get(region.id) or region.digest


def _empties(text: KeptText) -> bool:
    """Nobody blanks a section by the way: that a region came back empty is asked about until it is chosen."""
    return text.change is Change.EDITED and not text.markdown


def closed(markdown: str) -> str:
    """The text as it may stand in a document: it forges no marker, and no code block of it is left open.

    What follows would else be read as part of it.
    """
    markdown = _OPENS_MARKER.sub(r"\\<!--", markdown)
    fence = ""
    for line in markdown.split("\n"):
        found = _FENCE.match(line)
        if not found:
            continue
        marks, rest = found[1], found[2]
        if not fence:
            fence = marks if marks[0] == "~" or "`" not in rest else ""
        elif marks.startswith(fence) and not rest.strip():
            fence = ""
    return f"{markdown}\n{fence}" if fence else markdown
