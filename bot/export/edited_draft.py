"""A draft that people edited and gave back: what they changed, region by region.

Markers tell how each region left. If a marker was lost, the region is found by its heading, and any difference counts
as an edit: a person is asked, and nothing is overwritten.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.errors import Refused
from bot.export import markdown_reader
from bot.export.regions import NOTHING, CompiledMarkdown, DraftRegions, Region, split

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
