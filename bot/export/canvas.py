"""Document to a Slack canvas, and the update of a canvas that people may have edited (decision 28).

The Markdown keeps to the limits of `canvases.create`: three levels of headings, at most 300 cells in a table, no HTML.
`![](@U…)` and `![](#C…)` are mentions there, and no text of people may become one, so that a document never pings
anyone.

A canvas has no room for markers. Its regions are found by their headings and compared by what they show, because Slack
rewrites Markdown. `canvases.edit` changes one block a call, found by its words: a block that a person changed meanwhile
is not found, and stays as it is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Protocol, cast

from jinja2.sandbox import SandboxedEnvironment
from markdown_it.token import Token

from bot.domain.document import Document
from bot.domain.outline import ALSO_WRITTEN
from bot.domain.postmortem import RegionMark
from bot.export import markdown_reader
from bot.export.canvas_markdown import DEEPEST_HEADING, CanvasMarkdown, escape_heading
from bot.export.drafts import NOTHING, CompiledMarkdown, Region
from bot.export.markdown import MarkdownWriter
from bot.export.markdown_reader import MarkdownReader, visible_text
from bot.export.templates import NO_OVERRIDE, TemplateOverride

MAX_BYTES = 1_000_000
"""Slack takes 1 MiB."""

_ROOM_FOR_NOTE = 500
"""Bytes for the sentence that says what was left out."""


@dataclass(slots=True)
class _Chapter:
    """A region on the canvas. It may be cut between its `pieces`; `left_out` counts those cut off."""

    id: str
    heading: str
    pieces: list[str]
    size: int
    left_out: int = 0

    def shorten(self, excess: int) -> None:
        """Cut off pieces from the end until it is smaller by `excess` bytes, or empty."""
        while self.pieces and excess > 0:
            piece = self.pieces.pop()
            excess -= len(piece.encode())
            self.size -= len(piece.encode())
            self.left_out += bool(piece.strip())


class _CanvasWords(Protocol):
    """The macros of `canvas.md.j2`."""

    def left_out(self, count: str, noun: str) -> str: ...


class CanvasWriter:
    """Writes canvases. They mention no one, whatever was recorded."""

    def __init__(self, templates: SandboxedEnvironment, override: TemplateOverride = NO_OVERRIDE) -> None:
        self._markdown = MarkdownWriter(templates, override)
        # Jinja puts a template's macros on its module at run time, so mypy does not know them.
        module = cast("_CanvasWords", templates.get_template("postmortem/canvas.md.j2").module)
        self._left_out = module.left_out
        self._reader = MarkdownReader()
        self._canvas = CanvasMarkdown(self._reader)

    def __call__(self, document: Document) -> bytes:
        """The whole canvas, UTF-8. The longest regions lose their ends if it is too long, and say so."""
        compiled = self._markdown.compile(document)
        chapters = [self._chapter("", "", compiled.preface)]
        chapters += [self._chapter(region.id, region.heading, region.body) for region in compiled.regions]
        while (excess := sum(chapter.size for chapter in chapters) - MAX_BYTES) > 0:
            max(chapters, key=lambda chapter: chapter.size).shorten(excess + _ROOM_FOR_NOTE)
        return ("\n\n".join(filter(None, map(self._write_chapter, chapters))) + "\n").encode()

    def index_headings(self, document: Document) -> dict[str, str]:
        """The ids of the document's regions by the texts of their headings, for `split_regions`.

        Also by the headings that they had under another form of the incident, in the form or at its end.
        """
        titles = {part.slug: part.title.removeprefix(ALSO_WRITTEN) for part in document.parts}
        known = {title: id_ for id_, name in titles.items() for title in (name, f"{ALSO_WRITTEN}{name}")}
        return known | {
            self._reader.render_line(region.title, visible_text): region.id
            for region in self._markdown.compile(document).regions
        }

    def _chapter(self, id_: str, title: str, body: str) -> _Chapter:
        level = min(len(title) - len(title.lstrip("#")), DEEPEST_HEADING)
        line = escape_heading(self._canvas.render_line(title.lstrip("#").strip()))
        pieces = self._canvas.render_pieces(body)
        return _Chapter(id_, f"{'#' * level} {line}" if level else line, pieces, sum(len(p.encode()) for p in pieces))

    def _write_chapter(self, chapter: _Chapter) -> str:
        left_out = ""
        if chapter.left_out:
            noun = "entries" if chapter.id == "timeline" else "parts"
            left_out = str(self._left_out(f"{chapter.left_out:,}", noun)).strip()
        text = "".join(chapter.pieces).strip("\n")
        return "\n\n".join(filter(None, [chapter.heading, text, left_out]))


MAX_STEPS = 8
"""Each is two calls, and Slack allows fifty a minute. A canvas with more changes is written as a whole."""

_LISTS = frozenset({"bullet_list_open", "bullet_list_close"})
_LONE = ("paragraph_open", "inline", "paragraph_close"), ("heading_open", "inline", "heading_close")
_ITEM = ("list_item_open", "paragraph_open", "inline", "paragraph_close", "list_item_close")
_BREAKS = frozenset({"softbreak", "hardbreak"})
_reader = MarkdownReader()


@dataclass(frozen=True, slots=True)
class CanvasStep:
    """One change: `replace`, `insert_after` or `delete` the block that shows exactly these words.

    Before the step, `count` blocks of the canvas hold the words, and the block is number `place` of them, from 0.
    `reads` is the digest of `region` after the step.
    """

    operation: str
    words: str
    count: int
    place: int
    markdown: str
    region: str
    reads: str


@dataclass(frozen=True, slots=True)
class _Block:
    """One block. `shows` compares it, `words` find it; `is_one`: Slack can find it as a single section."""

    region: str
    markdown: str
    shows: str
    words: str
    is_one: bool
    is_item: bool


def plan_steps(found: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[CanvasStep, ...] | None:
    """The steps from the regions as read to the wanted ones, or None if the canvas must be written as a whole.

    That is so if regions are missing or moved, if tables, code or nested lists change, or if too much changes.
    """
    if list(found) != list(wanted):
        return None
    canvas = [block for id_, text in found.items() for block in _split_blocks(id_, text)]
    new = {id_: list(_split_blocks(id_, text)) for id_, text in wanted.items()}
    made: list[CanvasStep] = []
    # From below, so that the indexes of the blocks above stay right.
    for start, end, written in reversed(list(_find_changes(canvas, new))):
        for step in _plan_change(canvas, start, end, written):
            if not step.words or len(made) == MAX_STEPS:
                return None
            made.append(step)
    return tuple(made)


def is_unexpected(after: str, found: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether a canvas does not read as planned although every block in it is ours: the steps went wrong."""
    if markdown_reader.extract_letters(after) == markdown_reader.extract_letters("\n\n".join(wanted.values())):
        return False
    texts = (*found.values(), *wanted.values())
    ours = {block.shows for text in texts for block in _split_blocks("", text)}
    return all(block.shows in ours for block in _split_blocks("", after))


def _find_changes(canvas: list[_Block], new: Mapping[str, list[_Block]]) -> Iterator[tuple[int, int, list[_Block]]]:
    """Which run of the canvas's blocks becomes which blocks. An empty run is before its start."""
    sizes = Counter(block.region for block in canvas)
    base = 0
    for id_, blocks in new.items():
        was = [block.shows for block in canvas[base : base + sizes[id_]]]
        # Without difflib's junk rule, which in a long list drops whatever repeats often, such as empty blocks.
        matcher = SequenceMatcher(None, was, [block.shows for block in blocks], autojunk=False)
        for kind, start, end, first, last in matcher.get_opcodes():
            if kind != "equal":
                yield base + start, base + end, blocks[first:last]
        base += sizes[id_]


def _plan_change(canvas: list[_Block], start: int, end: int, written: list[_Block]) -> Iterator[CanvasStep]:
    """The steps of one change, applied to `canvas` as well. A step without words is impossible."""
    for index in range(end - 1, start + len(written) - 1, -1):
        yield _plan_step(canvas, "delete", index, [])
    if start == end:
        yield _plan_step(canvas, "insert_after", start - 1, written)
        return
    pairs = min(end - start, len(written))
    for offset in range(pairs - 1, -1, -1):
        more = written[offset:] if offset == pairs - 1 else written[offset : offset + 1]
        yield _plan_step(canvas, "replace", start + offset, more)


def _plan_step(canvas: list[_Block], operation: str, index: int, written: list[_Block]) -> CanvasStep:
    at = canvas[max(index, 0)]
    holding = [place for place, block in enumerate(canvas) if at.words in block.words]
    canvas[index + (operation == "insert_after") : index + 1] = written
    # Of the region as it is after this step alone: a process may die after any of them (decision 28).
    reads = markdown_reader.digest_shown(_join_blocks([block for block in canvas if block.region == at.region]))
    words = at.words if at.is_one and index >= 0 else ""
    return CanvasStep(
        operation, words, len(holding), holding.index(max(index, 0)), _join_blocks(written), at.region, reads
    )


def _join_blocks(blocks: list[_Block]) -> str:
    text = ""
    for index, block in enumerate(blocks):
        gap = "\n" if index and block.is_item and blocks[index - 1].is_item else "\n\n"
        text += (gap if index else "") + block.markdown
    return text


def _split_blocks(region: str, markdown: str) -> Iterator[_Block]:
    lines = markdown.split("\n")
    for tokens in _group_tokens(_reader.parse(markdown)):
        start, end = tokens[0].map or (0, 0)
        kinds = tuple(token.type for token in tokens)
        inside = next((token.children or [] for token in tokens if token.type == "inline"), [])
        is_one = kinds in (*_LONE, _ITEM) and not any(token.type in _BREAKS for token in inside)
        flat = [part for token in tokens for part in (token.children or [token])]
        text = "\n".join(lines[start:end]).strip("\n")
        yield _Block(
            region, text, markdown_reader.describe_tokens(flat), visible_text(flat).strip(), is_one, kinds == _ITEM
        )


def _group_tokens(tokens: list[Token]) -> Iterator[list[Token]]:
    """The tokens of each block at the top, and of each item of a list there."""
    block: list[Token] = []
    depth = 0
    for token in tokens:
        if not token.level and token.type in _LISTS:
            depth = int(token.nesting > 0)
            continue
        block.append(token)
        if token.nesting <= 0 and token.level == depth:
            yield block
            block = []


HEAD = ""
"""The id of what is before the first heading."""

_CHANGED = "changed"
_NOTHING = re.compile(r"^\*Not recorded\*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MergedCanvas:
    """A canvas to write, region by region; `edited` are the regions left as people edited them."""

    regions: dict[str, str]
    edited: tuple[str, ...] = ()

    @property
    def markdown(self) -> str:
        """The whole canvas."""
        return "\n\n".join(filter(None, self.regions.values())) + "\n"


def split_regions(canvas: str, headings: Mapping[str, str]) -> dict[str, str]:
    """The regions of a canvas in order, each with its heading, by id. `headings` as `CanvasWriter.index_headings`.

    What a person wrote under a heading of their own belongs to the region above; so does a second copy of a heading.
    """
    lines = canvas.replace("\r\n", "\n").split("\n")
    begun = {HEAD: 0}
    for line, text in _reader.find_headings("\n".join(lines)):
        if text in headings:
            # The first one counts: a person who copies a section does not move it.
            begun.setdefault(headings[text], line)
    ends = [*list(begun.values())[1:], len(lines)]
    return {id_: "\n".join(lines[start:end]).strip() for (id_, start), end in zip(begun.items(), ends, strict=True)}


def read_headings(canvas: str, headings: Mapping[str, str]) -> dict[str, str]:
    """What the heading of each region says, by the region's id; the first one counts, as in `split_regions`."""
    found: dict[str, str] = {}
    for _, text in _reader.find_headings(canvas):
        if text in headings:
            found.setdefault(headings[text], text)
    return found


def mark_regions(written: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """The digest by which each region is recognized as untouched: of what Slack returns right after the write.

    If that has other letters, a person was quicker. Then what we wrote counts, and theirs is seen as an edit. `found`
    is empty if the canvas could not be read.
    """
    return {
        id_: markdown_reader.digest_shown(
            found[id_]
            if markdown_reader.extract_letters(found.get(id_, "")) == markdown_reader.extract_letters(text)
            else text
        )
        for id_, text in written.items()
    }


def add_pending_marks(marks: Mapping[str, str], writing: Mapping[str, str]) -> dict[str, str]:
    """The marks during a write, whose answer may be lost: old and new text both count as ours, until it is known."""
    return {
        **marks,
        **{id_: f"{marks.get(id_, '')} {markdown_reader.digest_shown(text)}".strip() for id_, text in writing.items()},
    }


def find_edited(new: Mapping[str, str], found: Mapping[str, str], marks: Mapping[str, str]) -> tuple[str, ...]:
    """The regions that people changed, except those that say what they would say now anyway."""
    return tuple(id_ for id_, text in found.items() if _is_edited(id_, text, new, marks))


def merge(new: Mapping[str, str], found: Mapping[str, str], left: Iterable[str]) -> MergedCanvas:
    """The canvas to write: the regions `left` as people edited them, the others as generated.

    A region that a person removed comes back.
    """
    edited = {id_: found[id_] for id_ in left}
    return MergedCanvas({**new, **edited}, tuple(edited))


def compile_edited(
    found: Mapping[str, str], marks: Mapping[str, RegionMark], shown: CompiledMarkdown
) -> CompiledMarkdown:
    """The regions that people changed, as in a draft that came back; the others as shown."""
    return CompiledMarkdown("", tuple(_compile_region(region, found, marks) for region in shown.regions))


def _compile_region(region: Region, found: Mapping[str, str], marks: Mapping[str, RegionMark]) -> Region:
    if region.id not in found:
        return replace(region, left_as=region.digest)
    _, _, body = found[region.id].partition("\n")
    mark = marks[region.id]
    return Region(region.id, region.heading, _NOTHING.sub(NOTHING, body).strip(), _CHANGED, mark.facts, mark.seen)


def contains_words(text: str, words: str) -> bool:
    """Whether a text holds these words, whatever their markup."""
    return markdown_reader.extract_letters(words) in markdown_reader.extract_letters(text)


def _is_edited(id_: str, text: str, new: Mapping[str, str], marks: Mapping[str, str]) -> bool:
    is_as_left = markdown_reader.digest_shown(text) in marks.get(id_, markdown_reader.digest_shown("")).split()
    return not is_as_left and markdown_reader.digest_shown(text) != markdown_reader.digest_shown(new.get(id_, ""))
