"""Document to Markdown (GitHub Flavored, with YAML front matter), and the rows of its timeline for every template."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any

from jinja2.sandbox import SandboxedEnvironment

from bot.domain.document import Document, FileItem, TimelineLine
from bot.domain.incident import text_beyond_milestone
from bot.domain.records import IMAGES, Milestone, format_size
from bot.domain.sections import BY_SLUG
from bot.domain.text import format_clock, format_range
from bot.export import escape
from bot.export.drafts import CompiledMarkdown, DraftCompiler, DraftRegions, Region, split
from bot.export.glance import compile_glance
from bot.export.templates import NO_OVERRIDE, TemplateOverride

_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
"""Whatever the machine's language."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file of an entry. Name, size and note are escaped; `content` is empty if it is not kept or not wanted."""

    name: str
    size: str
    note: str
    media_type: str
    content: bytes

    @property
    def is_picture(self) -> bool:
        """Whether it may be shown as an image: its first bytes are those of one."""
        return bool(self.content) and self.media_type in IMAGES


@dataclass(frozen=True, slots=True)
class EntryNotes:
    """Notes next to an entry: what happened to the captured message since, and its files.

    `instead` is the number of the entry that counts for the same milestone in its place, or 0.
    """

    change: str
    files: tuple[FileRow, ...]
    instead: int = 0


Row = tuple[str, str, str, str, str, int, EntryNotes | None]


DayRow = tuple[str, str, str, str, str, int, EntryNotes | None, bool]
"""A `Row` below the heading of its day: its time has neither date nor zone, and the last field is `is_bookkeeping`."""


@dataclass(frozen=True, slots=True)
class TimelineDay:
    """The entries of a day, in UTC. `rows` can be read once, and before the next day is asked for."""

    date: date
    rows: Iterator[DayRow]

    @property
    def title(self) -> str:
        """`Monday 2026-11-23`."""
        return f"{_WEEKDAYS[self.date.weekday()]} {self.date.isoformat()}"


def list_timeline_days(
    document: Document, text: Callable[[str], str], name: Callable[[str], str]
) -> Iterator[TimelineDay]:
    """The timeline by day. `text` and `name` escape texts and names."""
    names = {who.id: name(who.name) for who in document.people}
    counting = document.counting
    for day, lines in groupby(document.timeline, lambda line: line.happened_at.date()):
        yield TimelineDay(day, _list_day_rows(lines, text, name, names, counting))


def _list_day_rows(
    lines: Iterable[TimelineLine],
    text: Callable[[str], str],
    name: Callable[[str], str],
    names: Mapping[str, str],
    counting: Mapping[Milestone, int],
) -> Iterator[DayRow]:
    for line in lines:
        author, recorder, at, milestone = line.author.id, line.recorder.id, line.happened_at, line.milestone
        if line.ended_at is None and not line.approximate:
            when = format_clock(at)
        else:
            when = format_range(at, line.ended_at, approximate=line.approximate, with_date=False).removesuffix(" UTC")
        yield (
            when,
            milestone or "",
            text(text_beyond_milestone(milestone, line.text) if milestone else line.text),
            names[author],
            names[recorder] if recorder != author else "",
            line.number,
            _make_notes(line, name, counting) if milestone or line.source_change or line.files else None,
            line.is_bookkeeping,
        )


def list_timeline_rows(document: Document, text: Callable[[str], str], name: Callable[[str], str]) -> Iterator[Row]:
    """For a team's templates, rows of: time, milestone or "", text, author, recorder or "", number, notes or None.

    The text is "" if the milestone says it all. `text` and `name` escape texts and names. The rows are plain tuples:
    a template that reads ten thousand records attribute by attribute takes ten times as long.
    """
    names = {who.id: name(who.name) for who in document.people}
    counting = document.counting
    with_date = document.spans_days
    day, day_shown = None, ""
    for line in document.timeline:
        author, recorder, at = line.author.id, line.recorder.id, line.happened_at
        if line.ended_at is None and not line.approximate:  # nearly all: as `stamp` writes it, at half the cost
            if with_date and at.date() != day:
                day = at.date()
                day_shown = f"{day.isoformat()} "
            when = f"{day_shown}{format_clock(at)} UTC"
        else:
            when = format_range(at, line.ended_at, approximate=line.approximate, with_date=with_date)
        yield (
            when,
            line.milestone or "",
            text(text_beyond_milestone(line.milestone, line.text) if line.milestone else line.text),
            names[author],
            names[recorder] if recorder != author else "",
            line.number,
            _make_notes(line, name, counting) if line.source_change or line.files or line.milestone else None,
        )


def _make_notes(line: TimelineLine, name: Callable[[str], str], counting: Mapping[Milestone, int]) -> EntryNotes | None:
    counts = counting.get(line.milestone, line.number) if line.milestone else line.number
    instead = counts if counts != line.number else 0
    if not (line.source_change or line.files or instead):
        return None
    return EntryNotes(line.source_change, tuple(_make_file_row(file, name) for file in line.files), instead)


def _make_file_row(file: FileItem, name: Callable[[str], str]) -> FileRow:
    content = file.content if file.is_kept else b""
    return FileRow(name(file.name), format_size(file.size), name(file.note), file.media_type, content)


def _add_own_sections(document: Document, compiled: CompiledMarkdown) -> CompiledMarkdown:
    """What a team's templates made, with the texts of sections of its own that they do not know: none may be lost."""
    placed = {region.id for region in compiled.regions}
    missing = (part for part in document.parts if part.text and part.slug not in BY_SLUG and part.slug not in placed)
    regions = (Region(part.slug, f"## {escape.heading(part.title)}", escape.block(part.text)) for part in missing)
    return replace(compiled, regions=(*compiled.regions, *regions))


class MarkdownWriter:
    """Writes documents with compiled templates, or the one document that a team's templates rendered (`override`)."""

    def __init__(self, templates: SandboxedEnvironment, override: TemplateOverride = NO_OVERRIDE) -> None:
        self._templates = templates
        self._compiler = DraftCompiler(templates)
        self._override = override

    def __call__(self, document: Document) -> bytes:
        """The whole document, UTF-8, with the markers by which an edited copy is read back."""
        draft = self.compile_draft(document)
        compiled = CompiledMarkdown(draft.shown.head, tuple(draft.facts(document)))
        if trouble := self._override.trouble:
            compiled = compiled.add_front_matter(f"template: {escape.yaml(trouble)}")
        return compiled.write().encode()

    def compile(self, document: Document) -> CompiledMarkdown:
        """The document as head and regions, from which every other format that people read is rendered."""
        return self.compile_draft(document).shown

    def compile_draft(self, document: Document) -> DraftRegions:
        """The same, with the generated text next to people's edits."""
        own = self._override.compiled
        return self._compiler.compile(
            document, _add_own_sections(document, own) if own else self._compile_shipped(document)
        )

    def find_own_preface(self, document: Document) -> str:
        """What a team's template writes before the first region, or "" if it is what ours would write."""
        own = self._override.compiled
        return own.preface if own is not None and own.preface != self._compile_shipped(document).preface else ""

    def write_glance(self, document: Document) -> str:
        """The shipped glance, as Markdown: for formats that draw the rest of the head themselves."""
        values = {"document": document, "glance": compile_glance(document)}
        return self._templates.get_template("postmortem/glance.md.j2").render(values)

    def draft_without_rows(self, document: Document, regions: Collection[str]) -> tuple[DraftRegions, frozenset[str]]:
        """The draft for a format that draws the rows of these regions (`timeline`, `actions`) itself.

        Returns it with the regions that have no rows in it. A region keeps its rows if a person edited it, or if a
        team's template writes it in its own way: then it is shown that way. Reading thousands of rows back from
        Markdown would take long.
        """
        free = [id_ for id_ in regions if not document.texts(id_)]
        without, own = self._without_rows(document, free), self._override.compiled
        if own is None:
            apart = frozenset(id_ for id_ in free if without.body(id_))
            own = without if len(apart) == len(free) else self._without_rows(document, apart)
            return self._compiler.compile(document, own), apart
        ours = self._compile_shipped(document)
        apart = frozenset(id_ for id_ in free if own.body(id_) == ours.body(id_))
        for id_ in apart:
            own = own.with_body(id_, without.body(id_))
        return self._compiler.compile(document, own), apart

    def _without_rows(self, document: Document, regions: Iterable[str]) -> CompiledMarkdown:
        bare: dict[str, Any] = dict.fromkeys(regions, ())
        return self._compile_shipped(replace(document, **bare))

    def _compile_shipped(self, document: Document) -> CompiledMarkdown:
        return split("".join(self.generate(self._templates, document)))

    @staticmethod
    def generate(templates: SandboxedEnvironment, document: Document) -> Iterator[str]:
        """The Markdown with plain markers, piece by piece, as the templates make it."""
        values = {
            "document": document,
            "glance": compile_glance(document),
            "days": list_timeline_days(document, escape.item, escape.verbatim),
            "rows": list_timeline_rows(document, escape.item, escape.verbatim),
        }
        return templates.get_template("postmortem/document.md.j2").generate(values)
