"""Updates a canvas block by block, so that people's edits stay (decision 28).

Regions are found by their headings and compared by what they show, because Slack rewrites Markdown. `canvases.edit`
changes one block a call, found by its words: a block that a person changed meanwhile is not found, and stays.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from markdown_it.token import Token

from bot.domain.postmortem import RegionMark
from bot.export import markdown_reader
from bot.export.markdown_reader import MarkdownReader, visible_text
from bot.export.regions import NOTHING, CompiledMarkdown, Region

MAX_STEPS = 8
"""Each is two calls of Slack, which allows fifty a minute; a canvas with more changes is written as a whole."""

_LISTS = frozenset({"bullet_list_open", "bullet_list_close"})
_LONE = ("paragraph_open", "inline", "paragraph_close"), ("heading_open", "inline", "heading_close")
_ITEM = ("list_item_open", "paragraph_open", "inline", "paragraph_close", "list_item_close")
_BREAKS = frozenset({"softbreak", "hardbreak"})
_reader = MarkdownReader()


@dataclass(frozen=True, slots=True)
class CanvasStep:
    """One change: `replace`, `insert_after` or `delete` the block that shows exactly these words.

    `count` blocks of the canvas hold the words by then, and the `place`th of them, from 0, is meant. `region` will
    read as `reads` digests afterwards.
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
    """One block: its Markdown, what it shows to compare it by, its words, and whether it is one section alone."""

    region: str
    markdown: str
    shows: str
    words: str
    is_one: bool
    is_item: bool


def plan_steps(found: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[CanvasStep, ...] | None:
    """The steps from the regions as they were read to what they are to be; None where it must be written as a whole.

    That is where regions are missing or moved, where tables, code or nested lists change, or too much does.
    """
    if list(found) != list(wanted):
        return None
    canvas = [block for id_, text in found.items() for block in _split_blocks(id_, text)]
    new = {id_: list(_split_blocks(id_, text)) for id_, text in wanted.items()}
    made: list[CanvasStep] = []
    for start, end, written in reversed(
        list(_find_changes(canvas, new))
    ):  # from below: what stands above stays in place
        for step in _plan_change(canvas, start, end, written):
            if not step.words or len(made) == MAX_STEPS:
                return None
            made.append(step)
    return tuple(made)


def is_unexpected(after: str, found: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether a canvas does not say what the steps were to make it say, though nobody else wrote on it."""
    if markdown_reader.extract_letters(after) == markdown_reader.extract_letters("\n\n".join(wanted.values())):
        return False
    texts = (*found.values(), *wanted.values())
    ours = {block.shows for text in texts for block in _split_blocks("", text)}
    return all(block.shows in ours for block in _split_blocks("", after))


def _find_changes(canvas: list[_Block], new: Mapping[str, list[_Block]]) -> Iterator[tuple[int, int, list[_Block]]]:
    """Which run of the canvas's blocks is to become which blocks; an empty run stands behind its start."""
    sizes = Counter(block.region for block in canvas)
    base = 0
    for id_, blocks in new.items():
        was = [block.shows for block in canvas[base : base + sizes[id_]]]
        matcher = SequenceMatcher(None, was, [block.shows for block in blocks], autojunk=False)
        for kind, start, end, first, last in matcher.get_opcodes():
            if kind != "equal":
                yield base + start, base + end, blocks[first:last]
        base += sizes[id_]


def _plan_change(canvas: list[_Block], start: int, end: int, written: list[_Block]) -> Iterator[CanvasStep]:
    """The steps of one change, made on the blocks as well; one without words cannot be made."""
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
"""The name of what stands before the first heading."""

_CHANGED = "changed"
_NOTHING = re.compile(r"^\*Not recorded\*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MergedCanvas:
    """What a canvas is to say, region by region, and the regions that stand as people left them."""

    regions: dict[str, str]
    edited: tuple[str, ...] = ()

    @property
    def markdown(self) -> str:
        """The whole canvas."""
        return "\n\n".join(filter(None, self.regions.values())) + "\n"


def split_regions(canvas: str, headings: Mapping[str, str]) -> dict[str, str]:
    """The regions of a canvas in their order, each with its heading, by id; `headings` are the ids by their words.

    What a person wrote under a heading of their own belongs to the region above it; so does a heading's second copy.
    """
    lines = canvas.replace("\r\n", "\n").split("\n")
    begun = {HEAD: 0}
    for line, text in _reader.find_headings("\n".join(lines)):
        if text in headings:
            begun.setdefault(headings[text], line)
    ends = [*list(begun.values())[1:], len(lines)]
    return {id_: "\n".join(lines[start:end]).strip() for (id_, start), end in zip(begun.items(), ends, strict=True)}


def mark_regions(written: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """How each region was left: as Slack gives it back right after it was written.

    Where that does not have the same letters, somebody was quicker: then what was written counts, and theirs is seen
    as an edit. `found` is empty where the canvas could not be read.
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
    """The marks while regions are being written: whichever of both a canvas shows afterwards was left by us."""
    return {
        **marks,
        **{id_: f"{marks.get(id_, '')} {markdown_reader.digest_shown(text)}".strip() for id_, text in writing.items()},
    }


def find_edited(new: Mapping[str, str], found: Mapping[str, str], marks: Mapping[str, str]) -> tuple[str, ...]:
    """The regions that people changed, other than into what they would say now anyway."""
    return tuple(id_ for id_, text in found.items() if _is_edited(id_, text, new, marks))


def merge(new: Mapping[str, str], found: Mapping[str, str], left: Iterable[str]) -> MergedCanvas:
    """The canvas as it is to be written: some regions as people left them, everything else anew.

    A region that somebody took out comes back; what people added above the first heading stays there.
    """
    kept = {id_: found[id_] for id_ in left}
    return MergedCanvas({**new, **kept}, tuple(kept))


def compile_edited(
    found: Mapping[str, str], marks: Mapping[str, RegionMark], shown: CompiledMarkdown
) -> CompiledMarkdown:
    """Regions that people changed, as a draft that comes back would hold them; the rest of it as it is shown."""
    return CompiledMarkdown("", tuple(_compile_region(region, found, marks) for region in shown.regions))


def _compile_region(region: Region, found: Mapping[str, str], marks: Mapping[str, RegionMark]) -> Region:
    if region.id not in found:
        return replace(region, left_as=region.digest)
    _, _, body = found[region.id].partition("\n")
    mark = marks[region.id]
    return Region(region.id, region.heading, _NOTHING.sub(NOTHING, body).strip(), _CHANGED, mark.facts, mark.seen)


def contains_words(text: str, words: str) -> bool:
    """Whether these words stand in a text, however they are marked."""
    return markdown_reader.extract_letters(words) in markdown_reader.extract_letters(text)


def _is_edited(id_: str, text: str, new: Mapping[str, str], marks: Mapping[str, str]) -> bool:
    is_as_left = markdown_reader.digest_shown(text) in marks.get(id_, markdown_reader.digest_shown("")).split()
    return not is_as_left and markdown_reader.digest_shown(text) != markdown_reader.digest_shown(new.get(id_, ""))
