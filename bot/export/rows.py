"""What a line of the timeline is made of, ready for a template."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bot.export.times import clock, stamp
from bot.incident.attachments import IMAGES, written_size
from bot.incident.document import Document
from bot.incident.lifecycle import beyond
from bot.incident.lines import FileItem, Line
from bot.incident.records import Milestone


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file beside an entry: name, size and note escaped; `content` is empty where it is not kept or not asked for."""

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
class Beside:
    """What stands beside an entry: what became of the message that it was captured from, and the files of that.

    `instead` is the number of the entry that counts in its place, where another marks the same milestone; else 0.
    """

    change: str
    files: tuple[FileRow, ...]
    instead: int = 0


Row = tuple[str, str, str, str, str, int, Beside | None]


def timeline_rows(document: Document, text: Callable[[str], str], name: Callable[[str], str]) -> Iterator[Row]:
    """When, milestone or empty, text, author, recorder or empty, number, what is beside it or None.

    The text is empty where the milestone says it all. Texts and names are escaped by the given two. Plain tuples, made
    here: a template that reached into ten thousand records would take ten times as long.
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
            when = f"{day_shown}{clock(at)} UTC"
        else:
            when = stamp(at, line.ended_at, approximate=line.approximate, with_date=with_date)
        yield (
            when,
            line.milestone or "",
            text(beyond(line.milestone, line.text) if line.milestone else line.text),
            names[author],
            names[recorder] if recorder != author else "",
            line.number,
            _beside(line, name, counting) if line.source_change or line.files or line.milestone else None,
        )


def _beside(line: Line, name: Callable[[str], str], counting: Mapping[Milestone, int]) -> Beside | None:
    counts = counting.get(line.milestone, line.number) if line.milestone else line.number
    instead = counts if counts != line.number else 0
    if not (line.source_change or line.files or instead):
        return None
    return Beside(line.source_change, tuple(_file(file, name) for file in line.files), instead)


def _file(file: FileItem, name: Callable[[str], str]) -> FileRow:
    content = file.content if file.is_kept else b""
    return FileRow(name(file.name), written_size(file.size), name(file.note), file.media_type, content)
