"""Compiled Markdown as regions, and people's edits put back into them.

A template begins each region with a marker line, `<!-- afterword:timeline -->`, and a heading. Ids other than the 14
sections are a template's own. Text of the record cannot forge a marker: the escapers never let `<!` through.

A draft that people edited and gave back: what they changed, region by region.

Markers tell how each region left. If a marker was lost, the region is found by its heading, and any difference counts
as an edit: a person is asked, and nothing is overwritten.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from jinja2.sandbox import SandboxedEnvironment

from bot.domain.document import Document, EditedText
from bot.domain.records import EditOrigin
from bot.domain.sections import digest_facts, section_title
from bot.errors import Refused
from bot.export import markdown_reader

_OPENS = "<!-- afterword:"
_MARKER = re.compile(
    r"(?P<id>[a-z][a-z0-9_]{0,59})(?: (?P<left_as>[0-9a-f]{12}))?(?: (?P<facts>[0-9a-f]{12}))?"
    r"(?: v(?P<seen>[1-9][0-9]{0,8}))? -->[ \t]*(?:\n|\Z)"
)
_FRONT_MATTER = re.compile(r"\A---\n(?:.*\n)*?(?=---\n)")
_TITLE = re.compile(r"\A\s*# [^\n]*\n")
_DIGEST = re.compile(r"\ndigest: ([0-9a-f]{12})[ \t]*\n")
_FILLED_UP = re.compile(r"[\s|:-]+")
_HEADING = re.compile(r"#{1,6}[ \t]+([^\n]*)(?:\n+|\Z)")


@dataclass(frozen=True, slots=True)
class Region:
    """One region: its heading line and its body, both Markdown; the heading is empty where a template gave none.

    What its marker carries besides: `left_as` is the digest of the body as it left (empty in what has not left yet),
    `facts` the digest of what the record knew for it, `seen` the version of the last text of people that it showed.
    """

    id: str
    heading: str
    body: str
    left_as: str = ""
    facts: str = ""
    seen: int = 0

    @property
    def title(self) -> str:
        """The heading without its number signs, still Markdown."""
        return self.heading.lstrip("#").strip()

    @property
    def digest(self) -> str:
        """What tells an edited body from an untouched one: line ends and blank space do not count."""
        return _digest_of_lines(self.body)


@dataclass(frozen=True, slots=True)
class CompiledMarkdown:
    """A whole Markdown document: everything before the first marker, then the regions in their order."""

    head: str
    regions: tuple[Region, ...]

    @property
    def preface(self) -> str:
        """The head without its front matter and its title: what people read before the first region."""
        return _TITLE.sub("", _FRONT_MATTER.sub("", self.head).removeprefix("---\n"))

    def body(self, region: str) -> str:
        """The body of a region; empty where there is none."""
        return next((one.body for one in self.regions if one.id == region), "")

    def with_body(self, region: str, body: str) -> "CompiledMarkdown":
        """The same with another body of one region."""
        changed = (replace(one, body=body) if one.id == region else one for one in self.regions)
        return CompiledMarkdown(self.head, tuple(changed))

    def add_front_matter(self, line: str) -> "CompiledMarkdown":
        """The same with one more line of YAML at the end of its front matter, if it has any."""
        return CompiledMarkdown(_FRONT_MATTER.sub(lambda found: f"{found[0]}{line}\n", self.head), self.regions)

    def write(self) -> str:
        """The document as people get it: each marker tells how its region left, so that an edit can be seen."""
        digest = _digest_of_head(self.head)
        head = _FRONT_MATTER.sub(lambda found: f"{found[0]}digest: {digest}\n", self.head)
        return "".join([head, *_write_regions(self.regions)])

    @property
    def is_head_edited(self) -> bool:
        """Whether somebody changed what stands before the regions, where its front matter still tells."""
        found = _DIGEST.search(self.head)
        return found is not None and found[1] != _digest_of_head(_DIGEST.sub("\n", self.head, 1))


def split(markdown: str) -> CompiledMarkdown:
    """Markdown with markers, apart; without any it is all head. Line ends may be CRLF."""
    if "\r" in markdown:  # to look for two signs takes fifty times as long, and no draft of ours has any
        markdown = markdown.replace("\r\n", "\n")
    head, *rest = f"\n{markdown}".split(f"\n{_OPENS}")
    regions: list[Region] = []
    for text in rest:
        if found := _MARKER.match(text):
            regions.append(_parse_region(found, text[found.end() :]))
        elif regions:
            regions[-1] = replace(regions[-1], body=f"{regions[-1].body}\n{_OPENS}{text}")
        else:
            head = f"{head}\n{_OPENS}{text}"
    return CompiledMarkdown(f"{head[1:]}\n" if regions else head[1:], tuple(regions))


def _parse_region(marker: re.Match[str], text: str) -> Region:
    text = text.lstrip("\n")  # editors that tidy up put a blank line above the heading
    found = _HEADING.match(text)
    heading = found[0].strip() if found else ""
    body = text[found.end() :] if found else text
    digests = marker["left_as"] or "", marker["facts"] or ""
    return Region(marker["id"], heading, body.strip("\n"), *digests, int(marker["seen"] or 0))


def _write_regions(regions: tuple[Region, ...]) -> Iterator[str]:
    for index, region in enumerate(regions):
        known = (f"{_OPENS}{region.id}", region.digest, region.facts, f"v{region.seen}" if region.seen else "")
        yield f"{'' if index == 0 else chr(10)}{' '.join(filter(None, known))} -->\n"
        yield "\n\n".join(filter(None, (region.heading, region.body))) + "\n"


def _digest_of_lines(text: str) -> str:
    return digest_facts("\n".join(filter(None, map(str.strip, text.split("\n")))))


def _digest_of_head(head: str) -> str:
    """Of its words: editors fill up the cells of its table, and rule it in their own way."""
    return digest_facts(_FILLED_UP.sub(" ", head).strip())


NOTHING = "_Not recorded_"
_OPENS_MARKER = re.compile(r"^<!--(?= afterword:)", re.MULTILINE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


@dataclass(frozen=True, slots=True)
class RegionEdits:
    """A region in which texts of people stand: the region as the record itself would have it, and the texts.

    `facts` is the digest of what the record knows now, `version` the latest text's, standing or not. A region that
    the template no longer has is kept without a place: nothing of the record is in it.
    """

    own: Region
    texts: tuple[EditedText, ...]
    facts: str
    version: int
    has_place: bool = True

    @property
    def needs_record(self) -> bool:
        """Whether the record must be seen beside them: it changed since one was written, or one would blank it."""
        return self.has_place and any(text.facts != self.facts or _is_emptied(text) for text in self.texts)

    @property
    def is_contested(self) -> bool:
        """Whether somebody has to choose: between texts, or between a text and what the record says since."""
        return len(self.texts) > 1 or self.needs_record


@dataclass(frozen=True, slots=True)
class DraftRegions:
    """A document as the record itself would write it (`own`), as people get it (`shown`), and what makes them differ.

    `labels` are the lines that only a region with several texts has.
    """

    own: CompiledMarkdown
    shown: CompiledMarkdown
    edits: tuple[RegionEdits, ...]
    labels: tuple[str, str]

    def facts(self, document: Document) -> Iterator[Region]:
        """The regions as shown, each with the digest of its facts: what the marker of one that leaves must tell."""
        for region in self.shown.regions:
            yield region if region.facts else replace(region, facts=digest_region_facts(document, region))


class DraftCompiler:
    """Puts kept texts into compiled documents; made of templates that were compiled before."""

    def __init__(self, templates: SandboxedEnvironment) -> None:
        words: Any = templates.get_template("postmortem/edits.md.j2").module
        self._words = words
        self._labels = (words.choose().strip(), words.record().strip())

    def compile(self, document: Document, own: CompiledMarkdown) -> DraftRegions:
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
        return DraftRegions(own, CompiledMarkdown(own.head, tuple(regions)), tuple(held.values()), self._labels)

    @staticmethod
    def _held(document: Document, own: CompiledMarkdown, latest: dict[str, int]) -> Iterator[RegionEdits]:
        placed = {region.id: region for region in own.regions}
        for id_, version in latest.items():
            texts = document.texts(id_)
            if texts and id_ in placed:
                yield RegionEdits(placed[id_], texts, digest_region_facts(document, placed[id_]), version)
            elif texts:
                yield RegionEdits(Region(id_, f"## {section_title(id_)}", ""), texts, "", version, has_place=False)

    def _shown(self, held: RegionEdits) -> Region:
        body = self._contested(held) if held.is_contested else self._alone(held.texts[0])
        return replace(held.own, body=body, facts=held.facts, seen=held.version)

    def _alone(self, text: EditedText) -> str:
        return close_blocks(text.markdown) or str(self._words.blank(text)).strip()

    def _contested(self, held: RegionEdits) -> str:
        pieces = [self._labels[0]]
        for text in held.texts:
            pieces += [self._words.edited(text).strip(), close_blocks(text.markdown) or self._words.emptied().strip()]
        if held.needs_record:
            pieces += [self._labels[1], held.own.body]
        return "\n\n".join(pieces)


def digest_region_facts(document: Document, region: Region) -> str:
    """The digest of what the record knows for a region.

    Of a region of a template's own nobody can tell which facts it shows: there it is its text as the record writes it.
    """
    return document.facts.get(region.id) or region.digest


def _is_emptied(text: EditedText) -> bool:
    """Nobody blanks a section by the way: that a region came back empty is asked about until it is chosen."""
    return text.change is EditOrigin.EDITED and not text.markdown


def close_blocks(markdown: str) -> str:
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


_INCIDENT = re.compile(r"^incident:[ \t]*[\"']?INC-([0-9]{1,9})[\"']?[ \t]*$", re.MULTILINE | re.IGNORECASE)
_TITLE_KEY = re.compile(r"^#[ \t]+INC-([0-9]{1,9})\b", re.MULTILINE)
_COMPILED = re.compile(r"^generated_at:[ \t]*[\"']?([0-9TZ:.+-]{10,40})[\"']?[ \t]*$", re.MULTILINE)
_REVISION = re.compile(r"^revision:[ \t]*([0-9]{1,9})[ \t]*$", re.MULTILINE)
_LIKE_A_MARKER = re.compile(r"^[ \t]*<!--[ \t]*afterword:.*$", re.MULTILINE)
_ESCAPED_MARKER = re.compile(r"[ \t]*\\?<[\\!-]+[ \t]*afterword:.*")
_BLANK_LINE = re.compile(rf"^[ \t]*[_*]{NOTHING.strip('_')}[_*][ \t]*$\n?", re.MULTILINE)
_NO_DRAFT = (
    "That is no draft of Afterword's, or its markers (<!-- afterword:… -->) and its headings are lost. "
    "Export the draft again as Markdown, and put the changes in there."
)


class RegionOutcome(StrEnum):
    """What is to become of a region that came back; of `EDITED` and `EMPTIED` the text is to be kept.

    `SAME` was edited, into what the document says by now anyway.
    """

    UNTOUCHED = "untouched"
    SAME = "same"
    EDITED = "edited"
    EMPTIED = "emptied"
    UNCHOSEN = "unchosen"
    TWICE = "twice"
    DAMAGED = "damaged"
    UNKNOWN = "unknown"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class ReturnedRegion:
    """One region that came back, under its title as the document has it now.

    `text` is a person's Markdown, `facts` and `seen` what the marker told (see `EditedRegion`). `is_marker_lost` where
    only its heading told which region it is; `heading` is another heading than the document's, empty where it is not.
    """

    id: str
    title: str
    fate: RegionOutcome
    text: str = ""
    facts: str = ""
    seen: int = 0
    is_marker_lost: bool = False
    heading: str = ""


@dataclass(frozen=True, slots=True)
class ReturnedDraft:
    """A draft as it came back: its incident's number, and the revision it was compiled at (None where it does not say).

    `copy` tells it from other drafts of the incident: when it was compiled, or empty.
    """

    number: int
    copy: str
    revision: int | None
    compiled: CompiledMarkdown


def read(markdown: str) -> ReturnedDraft:
    """The draft in a file's text. Raises Refused for what is no draft, or does not say of which incident."""
    compiled = split(markdown)
    key = _INCIDENT.search(compiled.head) or _TITLE_KEY.search(compiled.head)
    if key is None and not compiled.regions:
        raise Refused(_NO_DRAFT)
    if key is None:
        raise Refused(
            "The draft does not say which incident it is of. Its first lines must hold one like `incident: INC-7`."
        )
    copy, revision = _COMPILED.search(compiled.head), _REVISION.search(compiled.head)
    return ReturnedDraft(int(key[1]), copy[1] if copy else "", int(revision[1]) if revision else None, compiled)


def compare(paper: ReturnedDraft, draft: DraftRegions) -> tuple[ReturnedRegion, ...]:
    """What became of every region, in the order of the document; then what it has no place for.

    Raises Refused where nothing tells any region: neither a marker nor a heading.
    """
    shown = {region.id: region for region in draft.shown.regions}
    came = list(_find_regions(paper.compiled, draft.shown))
    if not came:
        raise Refused(_NO_DRAFT)
    told = []
    for id_, region in shown.items():
        copies = [one for one in came if one.id == id_]
        told.append(_judge_region(copies, region, draft.labels))
    unknown = dict.fromkeys(one.id for one in came if one.id not in shown and one.left_as != one.digest)
    return (*told, *(ReturnedRegion(id_, id_, RegionOutcome.UNKNOWN) for id_ in unknown))


def is_head_edited(paper: ReturnedDraft, draft: DraftRegions) -> bool:
    """Whether somebody changed what stands before the first section: that is the record's to say."""
    head, *_ = _split_at_headings(paper.compiled.head, _find_unmarked(paper.compiled, draft.shown))
    return CompiledMarkdown(head.body + "\n", ()).is_head_edited


def _find_unmarked(compiled: CompiledMarkdown, shown: CompiledMarkdown) -> dict[str, str]:
    """The regions without a marker of their own in the file: id by heading."""
    there = {region.id for region in compiled.regions}
    return {region.heading: region.id for region in shown.regions if region.id not in there and region.heading}


def _find_regions(compiled: CompiledMarkdown, shown: CompiledMarkdown) -> Iterator[Region]:
    """The regions of the file; one whose marker is lost comes with no digest, found by its heading."""
    lost = _find_unmarked(compiled, shown)
    _, *after_head = _split_at_headings(compiled.head, lost)
    yield from after_head
    for region in compiled.regions:
        body, *hidden = _split_at_headings(region.body, lost)
        if region.heading in lost:  # its marker names no region of ours
            yield Region(lost[region.heading], region.heading, body.body)
        else:
            yield replace(region, body=body.body)
        yield from hidden


def _split_at_headings(text: str, lost: dict[str, str]) -> Iterator[Region]:
    """What stands before the first lost heading, then each region that begins with one."""
    found = Region("", "", "")
    lines: list[str] = []
    for line in text.split("\n"):
        if line.rstrip() in lost:
            yield replace(found, body=_without_last_marker("\n".join(lines)))
            found, lines = Region(lost[line.rstrip()], line.rstrip(), ""), []
        else:
            lines.append(line)
    yield replace(found, body="\n".join(lines).strip("\n"))


def _without_last_marker(text: str) -> str:
    """The text without the damaged marker of what follows it."""
    before, _, last = text.rstrip().rpartition("\n")
    is_marker = _LIKE_A_MARKER.fullmatch(last) or _ESCAPED_MARKER.fullmatch(last)
    return (before if is_marker else text).strip("\n")


def _judge_region(copies: list[Region], shown: Region, labels: tuple[str, str]) -> ReturnedRegion:
    title = shown.title
    if not copies:
        return ReturnedRegion(shown.id, title, RegionOutcome.ABSENT)
    # Pasted twice and edited alike is edited once.
    edited = list({one.digest: one for one in reversed(copies) if one.left_as != one.digest}.values())
    if len(edited) > 1:
        return ReturnedRegion(shown.id, title, RegionOutcome.TWICE)
    region, heading = _settle_heading((edited or copies)[0], shown)
    about = ReturnedRegion(
        shown.id, title, RegionOutcome.UNTOUCHED, "", region.facts, region.seen, not region.left_as, heading
    )
    text = _BLANK_LINE.sub("", region.body).strip()
    if region.digest == (region.left_as or shown.digest) or not (text or _has_text(shown)):
        return about
    if region.digest == shown.digest or markdown_reader.read_alike(region.body, shown.body):
        return replace(about, fate=RegionOutcome.SAME)
    if not text:
        return replace(about, fate=RegionOutcome.EMPTIED)
    if _LIKE_A_MARKER.search(text):
        return replace(about, fate=RegionOutcome.DAMAGED)
    if any(label in text for label in labels):
        return replace(about, fate=RegionOutcome.UNCHOSEN)
    return replace(about, fate=RegionOutcome.EDITED, text=text)


def _settle_heading(region: Region, shown: Region) -> tuple[Region, str]:
    """The region, and its heading where somebody changed it; a heading of their own text goes back into it."""
    if region.heading == shown.heading:
        return region, ""
    if region.heading and _heading_level(region) != _heading_level(shown):
        return replace(region, body=f"{region.heading}\n\n{region.body}"), ""
    return region, region.title


def _heading_level(region: Region) -> int:
    return len(region.heading) - len(region.heading.lstrip("#"))


def _has_text(region: Region) -> bool:
    return region.body.strip() not in ("", NOTHING)
