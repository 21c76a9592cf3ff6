"""Document to a canvas of Slack: Markdown within the limits of `canvases.create`, whose title is kept apart.

A canvas has no place for markers, so its regions are found again by their headings.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2.sandbox import SandboxedEnvironment

from bot.export.canvas_markdown import CanvasMarkdown, heading
from bot.export.edition import OURS, Edition
from bot.export.markdown import MarkdownWriter
from bot.export.reader import Reader, shown
from bot.incident.document import Document

LARGEST = 1_000_000
"""Bytes; Slack takes 1 MiB."""

_DEEPEST_HEADING = 3
_ROOM = 500
"""Bytes for the sentence that says what was left out."""


@dataclass(slots=True)
class _Chapter:
    """A region on the canvas: `pieces` are what it may be cut between, `left_out` how many no longer stand in it."""

    id: str
    heading: str
    pieces: list[str]
    size: int
    left_out: int = 0

    def shorten(self, excess: int) -> None:
        """Leave out pieces from the end until it is smaller by so many bytes, or empty."""
        while self.pieces and excess > 0:
            piece = self.pieces.pop()
            excess -= len(piece.encode())
            self.size -= len(piece.encode())
            self.left_out += bool(piece.strip())


class CanvasWriter:
    """Writes canvases; nobody is mentioned in one, whatever was recorded."""

    def __init__(self, templates: SandboxedEnvironment, edition: Edition = OURS) -> None:
        self._markdown = MarkdownWriter(templates, edition)
        self._left_out = templates.get_template("postmortem/canvas.md.j2").module.left_out  # type: ignore[attr-defined]
        self._reader = Reader()
        self._canvas = CanvasMarkdown(self._reader)

    def __call__(self, document: Document) -> bytes:
        """The whole canvas, UTF-8; of a region that is too long its end is left out, and it says so."""
        compiled = self._markdown.compiled(document)
        chapters = [self._chapter("", "", compiled.preface)]
        chapters += [self._chapter(region.id, region.heading, region.body) for region in compiled.regions]
        while (excess := sum(chapter.size for chapter in chapters) - LARGEST) > 0:
            max(chapters, key=lambda chapter: chapter.size).shorten(excess + _ROOM)
        return ("\n\n".join(filter(None, map(self._written, chapters))) + "\n").encode()

    def headings(self, document: Document) -> dict[str, str]:
        """The ids of the document's regions by what is read of their headings: for `regions_of`."""
        return {
            self._reader.line(region.title, shown): region.id for region in self._markdown.compiled(document).regions
        }

    def _chapter(self, id_: str, title: str, body: str) -> _Chapter:
        level = min(len(title) - len(title.lstrip("#")), _DEEPEST_HEADING)
        line = heading(self._canvas.line(title.lstrip("#").strip()))
        pieces = list(self._canvas.pieces(body))
        return _Chapter(id_, f"{'#' * level} {line}" if level else line, pieces, sum(len(p.encode()) for p in pieces))

    def _written(self, chapter: _Chapter) -> str:
        left_out = ""
        if chapter.left_out:
            noun = "entries" if chapter.id == "timeline" else "parts"
            left_out = str(self._left_out(f"{chapter.left_out:,}", noun)).strip()
        text = "".join(chapter.pieces).strip("\n")
        return "\n\n".join(filter(None, [chapter.heading, text, left_out]))


def regions_of(canvas: str, headings: Mapping[str, str]) -> dict[str, str]:
    """The bodies of the regions of a canvas, as Markdown, by their ids; `headings` as `CanvasWriter.headings` tells."""
    reader = Reader()
    lines = canvas.split("\n")
    begun = [(line, headings[text]) for line, text in reader.headings(canvas) if text in headings]
    ends = [line for line, _ in begun[1:]] + [len(lines)]
    return {id_: "\n".join(lines[line + 1 : end]).strip() for (line, id_), end in zip(begun, ends, strict=True)}
