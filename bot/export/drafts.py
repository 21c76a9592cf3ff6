"""Drafts: Markdown in regions, people's edits put into it, and what they changed in a copy that came back.

A template begins each region with a marker line, `<!-- afterword:timeline -->`, and a heading. Ids other than the 14
sections are a template's own. Text of the record cannot forge a marker: the escapers never let `<!` through.

A marker says how its region left. If it was lost, the region is found by its heading, and any difference counts as an
edit: a person has to decide, and nothing is overwritten. Decision 19.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, cast

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
_PADDING = re.compile(r"[\s|:*_+\\-]+")
_PADDING_BEFORE = re.compile(r"[\s|:-]+")
"""What did not count in drafts of older versions, whose head was a table alone."""
_HEADING = re.compile(r"#{1,6}[ \t]+([^\n]*)(?:\n+|\Z)")


@dataclass(frozen=True, slots=True)
class Region:
    """One region: its heading line and its body, both Markdown. The heading is empty if the template has none.

    The marker also carries `left_as`, the digest of the body when it was exported (empty before that), `facts`, the
    digest of what the record knew, and `seen`, the version of the latest edited text that the region showed.
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
        """Differs if the body was edited. Line ends and blank space do not count, since editors change them."""
        return _digest_of_lines(self.body)


@dataclass(frozen=True, slots=True)
class CompiledMarkdown:
    """A whole Markdown document: everything before the first marker, then the regions in their order."""

    head: str
    regions: tuple[Region, ...]

    @property
    def preface(self) -> str:
        """What people read before the first region: the head without front matter and title."""
        return _TITLE.sub("", _FRONT_MATTER.sub("", self.head).removeprefix("---\n"))

    def body(self, region: str) -> str:
        """The body of a region, or ""."""
        return next((one.body for one in self.regions if one.id == region), "")

    def with_body(self, region: str, body: str) -> "CompiledMarkdown":
        """The same with another body of one region."""
        changed = (replace(one, body=body) if one.id == region else one for one in self.regions)
        return CompiledMarkdown(self.head, tuple(changed))

    def add_front_matter(self, line: str) -> "CompiledMarkdown":
        """The same with one more line of YAML at the end of its front matter, if it has any."""
        return CompiledMarkdown(_FRONT_MATTER.sub(lambda found: f"{found[0]}{line}\n", self.head), self.regions)

    def write(self) -> str:
        """The document as people get it. Each marker says how its region left, so that an edit can be recognized."""
        digest = _digest_of_head(self.head)
        head = _FRONT_MATTER.sub(lambda found: f"{found[0]}digest: {digest}\n", self.head)
        return "".join([head, *_write_regions(self.regions)])

    @property
    def is_head_edited(self) -> bool:
        """Whether the head was edited. False if its front matter lost the digest."""
        digest = _DIGEST.search(self.head)
        if digest is None:
            return False
        head = _DIGEST.sub("\n", self.head, 1)
        return digest[1] not in (_digest_of_head(head), _digest_of_head(head, _PADDING_BEFORE))


def split(markdown: str) -> CompiledMarkdown:
    """Split Markdown at its markers. Without any, all of it is the head. Line ends may be CRLF."""
    if "\r" in markdown:  # searching for two characters takes fifty times as long, and our own drafts have none
        markdown = markdown.replace("\r\n", "\n")
    head, *rest = f"\n{markdown}".split(f"\n{_OPENS}")
    regions: list[Region] = []
    for text in rest:
        if found := _MARKER.match(text):
            regions.append(_parse_region(found, text[found.end() :]))
        elif regions:  # a damaged marker is text of the region before it
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


def _digest_of_head(head: str, padding: re.Pattern[str] = _PADDING) -> str:
    # Only its words count: editors pad the cells of its table, and have their own signs for lists and emphasis.
    return digest_facts(padding.sub(" ", head).strip())


NOTHING = "_Not recorded_"
_OPENS_MARKER = re.compile(r"^<!--(?= afterword:)", re.MULTILINE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


@dataclass(frozen=True, slots=True)
class RegionEdits:
    """A region that people edited: as generated from the record (`own`), and their texts.

    `facts` is the digest of what the record knows now. `version` is that of the latest text, replaced or not. A region
    that the template no longer has is kept without a place, and holds nothing of the record.
    """

    own: Region
    texts: tuple[EditedText, ...]
    facts: str
    version: int
    has_place: bool = True

    @property
    def needs_record(self) -> bool:
        """Whether the generated text must be shown too: the record changed since an edit, or an edit is empty."""
        return self.has_place and any(text.facts != self.facts or _is_emptied(text) for text in self.texts)

    @property
    def is_contested(self) -> bool:
        """Whether a person has to choose: between texts, or between a text and the changed record."""
        return len(self.texts) > 1 or self.needs_record


@dataclass(frozen=True, slots=True)
class DraftRegions:
    """A document as generated from the record (`own`), as people get it (`shown`), and the edits between the two.

    `labels` are the lines that only a region with several texts has.
    """

    own: CompiledMarkdown
    shown: CompiledMarkdown
    edits: tuple[RegionEdits, ...]
    labels: tuple[str, str]

    def facts(self, document: Document) -> Iterator[Region]:
        """The regions as shown, each with the digest of its facts, which its marker carries."""
        for region in self.shown.regions:
            yield region if region.facts else replace(region, facts=digest_region_facts(document, region))


class _EditsWords(Protocol):
    """The macros of `edits.md.j2`."""

    def choice_note(self) -> str: ...
    def record_heading(self) -> str: ...
    def emptied_note(self) -> str: ...
    def edit_heading(self, text: EditedText) -> str: ...
    def blank_note(self, text: EditedText) -> str: ...


class DraftCompiler:
    """Puts edited texts into compiled documents. `templates` are compiled already."""

    def __init__(self, templates: SandboxedEnvironment) -> None:
        # Jinja puts the macros on a template's module at run time; `_EditsWords` tells mypy which there are.
        self._words = words = cast("_EditsWords", templates.get_template("postmortem/edits.md.j2").module)
        self._labels = (words.choice_note().strip(), words.record_heading().strip())

    def compile(self, document: Document, own: CompiledMarkdown) -> DraftRegions:
        """The document with people's edits. `own` is the document as generated from the record."""
        latest: dict[str, int] = {}
        for text in document.kept:
            latest[text.section] = max(text.version, latest.get(text.section, 0))
        edits = {one.own.id: one for one in self._find_edits(document, own, latest)}
        regions = [
            self._show_edits(edits[region.id]) if region.id in edits else replace(region, seen=latest.get(region.id, 0))
            for region in own.regions
        ]
        regions += [self._show_edits(one) for one in edits.values() if not one.has_place]
        return DraftRegions(own, CompiledMarkdown(own.head, tuple(regions)), tuple(edits.values()), self._labels)

    @staticmethod
    def _find_edits(document: Document, own: CompiledMarkdown, latest: dict[str, int]) -> Iterator[RegionEdits]:
        placed = {region.id: region for region in own.regions}
        for id_, version in latest.items():
            texts = document.texts(id_)
            if texts and id_ in placed:
                yield RegionEdits(placed[id_], texts, digest_region_facts(document, placed[id_]), version)
            elif texts:
                yield RegionEdits(Region(id_, f"## {section_title(id_)}", ""), texts, "", version, has_place=False)

    def _show_edits(self, edits: RegionEdits) -> Region:
        body = self._show_choices(edits) if edits.is_contested else self._show_text(edits.texts[0])
        return replace(edits.own, body=body, facts=edits.facts, seen=edits.version)

    def _show_text(self, text: EditedText) -> str:
        return close_blocks(text.markdown) or str(self._words.blank_note(text)).strip()

    def _show_choices(self, edits: RegionEdits) -> str:
        pieces = [self._labels[0]]
        for text in edits.texts:
            pieces += [
                self._words.edit_heading(text).strip(),
                close_blocks(text.markdown) or self._words.emptied_note().strip(),
            ]
        if edits.needs_record:
            pieces += [self._labels[1], edits.own.body]
        return "\n\n".join(pieces)


def digest_region_facts(document: Document, region: Region) -> str:
    """The digest of what the record knows for a region.

    It is unknown which facts a template's own region shows, so there the generated text is digested.
    """
    return document.facts.get(region.id) or region.digest


def _is_emptied(text: EditedText) -> bool:
    # Few people mean to blank a section, so an empty region has to be confirmed.
    return text.change is EditOrigin.EDITED and not text.markdown


def close_blocks(markdown: str) -> str:
    """The text, safe to put into a document: it forges no marker and leaves no code block open.

    What follows an open block would be read as part of it.
    """
    markdown = _OPENS_MARKER.sub(r"\\<!--", markdown)
    fence = ""
    for line in markdown.split("\n"):
        match = _FENCE.match(line)
        if not match:
            continue
        marks, rest = match[1], match[2]
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
    "This isn't one of Afterword's drafts, or its markers (<!-- afterword:… -->) and headings are lost. Export the "
    "draft again as Markdown, and make your changes there."
)


class RegionOutcome(StrEnum):
    """What to do with a region that came back. The text of `EDITED` and `EMPTIED` is saved.

    `SAME` was edited to what the document says now anyway. `UNCHOSEN` still holds several texts, `TWICE` is in the
    file twice with different edits, `DAMAGED` has a broken marker inside, `UNKNOWN` is no region of the document.
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
    """One region that came back, with its current title.

    `text` is a person's Markdown; `facts` and `seen` are from the marker (see `EditedRegion`). `is_marker_lost`: the
    region was found by its heading. `heading` is "" unless the heading was changed.
    """

    id: str
    title: str
    outcome: RegionOutcome
    text: str = ""
    facts: str = ""
    seen: int = 0
    is_marker_lost: bool = False
    heading: str = ""


@dataclass(frozen=True, slots=True)
class ReturnedDraft:
    """A draft as it came back: its incident's number, and the revision at which it was compiled, if it has one.

    `copy` identifies it among the drafts of the incident: when it was compiled, or "".
    """

    number: int
    copy: str
    revision: int | None
    compiled: CompiledMarkdown


def read(markdown: str) -> ReturnedDraft:
    """The draft in a file's text. Raises Refused if it is no draft, or does not name its incident."""
    compiled = split(markdown)
    key = _INCIDENT.search(compiled.head) or _TITLE_KEY.search(compiled.head)
    if key is None and not compiled.regions:
        raise Refused(_NO_DRAFT)
    if key is None:
        raise Refused(
            "The draft doesn't say which incident it's about. Its first lines need one like `incident: INC-7`."
        )
    copy, revision = _COMPILED.search(compiled.head), _REVISION.search(compiled.head)
    return ReturnedDraft(int(key[1]), copy[1] if copy else "", int(revision[1]) if revision else None, compiled)


def compare(returned: ReturnedDraft, draft: DraftRegions) -> tuple[ReturnedRegion, ...]:
    """What happened to every region, in the order of the document, followed by regions that it does not have.

    Raises Refused if no region is found, neither by a marker nor by a heading.
    """
    shown = {region.id: region for region in draft.shown.regions}
    copies: dict[str, list[Region]] = {}
    for region in _find_regions(returned.compiled, draft.shown):
        copies.setdefault(region.id, []).append(region)
    if not copies:
        raise Refused(_NO_DRAFT)
    judged = [_judge_region(copies.get(id_, []), region, draft.labels) for id_, region in shown.items()]
    unknown = [
        ReturnedRegion(id_, id_, RegionOutcome.UNKNOWN)
        for id_, regions in copies.items()
        if id_ not in shown and any(one.left_as != one.digest for one in regions)
    ]
    return (*judged, *unknown)


def is_head_edited(returned: ReturnedDraft, draft: DraftRegions) -> bool:
    """Whether the part before the first section was edited. Such edits are not taken: the record writes it."""
    head, *_ = _split_at_headings(returned.compiled.head, _find_unmarked(returned.compiled, draft.shown))
    return CompiledMarkdown(head.body + "\n", ()).is_head_edited


def _find_unmarked(compiled: CompiledMarkdown, shown: CompiledMarkdown) -> dict[str, str]:
    """The regions whose marker is missing in the file: id by heading."""
    marked = {region.id for region in compiled.regions}
    return {region.heading: region.id for region in shown.regions if region.id not in marked and region.heading}


def _find_regions(compiled: CompiledMarkdown, shown: CompiledMarkdown) -> Iterator[Region]:
    """The regions of the file. One whose marker is lost is found by its heading, and has no digest."""
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
    """What is before the first lost heading, then each region that begins with one."""
    region = Region("", "", "")
    lines: list[str] = []
    for line in text.split("\n"):
        if line.rstrip() in lost:
            yield replace(region, body=_without_last_marker("\n".join(lines)))
            region, lines = Region(lost[line.rstrip()], line.rstrip(), ""), []
        else:
            lines.append(line)
    yield replace(region, body="\n".join(lines).strip("\n"))


def _without_last_marker(text: str) -> str:
    # The last line may be the damaged marker of the region that follows.
    before, _, last = text.rstrip().rpartition("\n")
    is_marker = _LIKE_A_MARKER.fullmatch(last) or _ESCAPED_MARKER.fullmatch(last)
    return (before if is_marker else text).strip("\n")


def _judge_region(copies: list[Region], shown: Region, labels: tuple[str, str]) -> ReturnedRegion:
    title = shown.title
    if not copies:
        return ReturnedRegion(shown.id, title, RegionOutcome.ABSENT)
    # A region that was pasted twice, with the same edit in both copies, was edited once.
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
        return replace(about, outcome=RegionOutcome.SAME)
    if not text:
        return replace(about, outcome=RegionOutcome.EMPTIED)
    if _LIKE_A_MARKER.search(text):
        return replace(about, outcome=RegionOutcome.DAMAGED)
    if any(label in text for label in labels):
        return replace(about, outcome=RegionOutcome.UNCHOSEN)
    return replace(about, outcome=RegionOutcome.EDITED, text=text)


def _settle_heading(region: Region, shown: Region) -> tuple[Region, str]:
    """The region, and its heading if that was changed."""
    if region.heading == shown.heading:
        return region, ""
    # A heading of another level is one of the person's own text: it goes back into the body.
    if region.heading and _heading_level(region) != _heading_level(shown):
        return replace(region, body=f"{region.heading}\n\n{region.body}"), ""
    return region, region.title


def _heading_level(region: Region) -> int:
    return len(region.heading) - len(region.heading.lstrip("#"))


def _has_text(region: Region) -> bool:
    return region.body.strip() not in ("", NOTHING)
