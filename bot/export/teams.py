"""A team's own templates, used: what they make of a document comes from a process of its own, within bounds.

Where they cannot be used, ours are, and it is said why: a broken template never stops an export.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pydantic import TypeAdapter

from bot.export import folder as folders
from bot.export.apart import Bounds, FailedApart, run_apart
from bot.export.edition import OURS, Edition
from bot.export.folder import BrokenTemplate, Files
from bot.export.regions import split
from bot.incident.document import Document
from bot.incident.lines import Line
from bot.incident.plain import one_line
from bot.incident.samples import SAMPLES
from bot.incident.text import shortened

USUAL = Bounds(seconds=20.0, memory=512 * 1024**2, output=80 * 1024**2)
BRISK = replace(USUAL, seconds=8.0)
"""For a canvas, which is written while other messages wait."""
HASTY = replace(USUAL, seconds=1.5)
"""For where somebody waits for an answer."""

LONGEST_TROUBLE = 300
_AHEAD = 0.9
"""The part of its time after which the process ends the work itself, to say where it was, before it is ended."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the process is asked: a team's templates by name, and a document, or the name of a sample to try.

    Its time is up at `until`, of the system's monotonic clock.
    """

    templates: Mapping[str, str]
    document: Document | None
    sample: str
    until: float


TASK = TypeAdapter(Task)
"""How a task is written down and read: as JSON, in which nothing is but data."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying a folder: files of ours that its own take the place of, and sentences."""

    used: tuple[str, ...]
    broken: tuple[str, ...]
    notes: tuple[str, ...]


def edition(folder: Path, document: Document, bounds: Bounds) -> Edition:
    """A document as the team's templates tell it; ours, with the trouble, where they cannot. Blocks for half a second.

    Where the folder has no templates but only style sheets, nothing is started.
    """
    try:
        return made(folder, document, bounds)
    except BrokenTemplate as error:
        return replace(OURS, trouble=shortened(one_line(str(error)), LONGEST_TROUBLE))


def made(folder: Path, document: Document, bounds: Bounds) -> Edition:
    """The same, raising BrokenTemplate where they cannot be used."""
    files = folders.read(folder)
    if files.troubles:
        raise BrokenTemplate(files.troubles[0])
    if not files.templates:
        return Edition(styles=files.styles) if files.styles else OURS
    written = _asked(Task(files.templates, _light(document), "", _until(bounds)), bounds)
    return Edition(split(written), files.styles)


def tried(folder: Path) -> Trial:
    """Try a folder's templates on three incidents, each within the bounds of an export. Blocks for two seconds."""
    files = folders.read(folder)
    found = {name: _tried(files, name) for name in SAMPLES} if files.templates and not files.troubles else {}
    notes = [_unused(name) for name in files.unused]
    notes += [note for _, told in found.values() for note in told]
    broken = {sentence: None for told, _ in found.values() for sentence in told}
    used = tuple(name for name in (*folders.TEMPLATES, *folders.STYLES) if name in {*files.templates, *files.styles})
    told = (_with_samples(sentence, [name for name in found if sentence in found[name][0]]) for sentence in broken)
    return Trial(used, (*files.troubles, *told), tuple(notes))


def _tried(files: Files, sample: str) -> tuple[list[str], list[str]]:
    try:
        broken, notes = json.loads(_asked(Task(files.templates, None, sample, _until(USUAL)), USUAL))
    except BrokenTemplate as error:
        return [str(error)], []
    return broken, notes


def _until(bounds: Bounds) -> float:
    return time.monotonic() + _AHEAD * bounds.seconds


def _asked(task: Task, bounds: Bounds) -> str:
    try:
        return run_apart("bot.export.custom_apart", TASK.dump_json(task), bounds).decode()
    except FailedApart as error:
        raise BrokenTemplate(str(error)) from error
    except OSError as error:
        raise BrokenTemplate(f"The process for templates could not be started: {error.strerror}.") from error


def _with_samples(sentence: str, samples: list[str]) -> str:
    return sentence if len(samples) == len(SAMPLES) else f"{sentence} (Tried on: {', '.join(samples)}.)"


def _unused(name: str) -> str:
    if (folders.OURS / name).is_file():
        return f"{name} is not used: that file is always ours, and writes what the others made."
    return f"{name} takes the place of no template of ours; it is used only where another includes it."


def _light(document: Document) -> Document:
    """Without the bytes of files, which no Markdown shows."""
    return replace(document, timeline=tuple(map(_without_bytes, document.timeline)))


def _without_bytes(line: Line) -> Line:
    return line._replace(files=tuple(map(partial(replace, content=b""), line.files))) if line.files else line
