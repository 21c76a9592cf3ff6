"""A team's own templates, used: what they make of a document comes from a process of its own, within bounds.

Where they cannot be used, ours are, and it is said why: a broken template never stops an export.

The folder of a team's own templates, read anew for each export: an edited file takes effect at once.

The files are read here, and what runs them elsewhere (see `teams`) is given their text: it needs no file itself.

What a document is written with: our own templates, or what a team's made of it.
"""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.resources import files
from pathlib import Path

from pydantic import TypeAdapter

from bot.domain.document import Document, TimelineLine
from bot.domain.samples import SAMPLES
from bot.domain.text import shorten, to_one_line
from bot.errors import AfterwordError
from bot.export.regions import Compiled, split
from bot.export.sandbox import Bounds, FailedApart, run_apart

TEMPLATES = ("document.md.j2", "sections.md.j2", "facts.md.j2", "words.j2")
STYLES = ("page.css", "paper.css")
LARGEST = 1_000_000
"""Bytes of one file."""
MOST = 1000
"""Files and folders that are looked at: who names the root of a disk is told so."""

SHIPPED_FOLDER = files("templates") / "postmortem"
"""Where our own files stand."""
_CLOSES_STYLE = re.compile(r"</\s*style", re.IGNORECASE)


class BrokenTemplate(AfterwordError):
    """A team's templates cannot be used; the sentence names file, line and cause."""


@dataclass(frozen=True, slots=True)
class TemplateFolder:
    """What a folder holds that is not ours word for word: texts by path in it. `troubles` are why it cannot be used."""

    templates: Mapping[str, str]
    styles: Mapping[str, str]
    troubles: tuple[str, ...]

    @property
    def unused(self) -> tuple[str, ...]:
        """The templates that take the place of none of ours."""
        return tuple(name for name in self.templates if name not in TEMPLATES)


def read(folder: Path) -> TemplateFolder:
    """Every template and style sheet of the folder. It never raises: what is wrong stands in `troubles`."""
    if not folder.is_dir():
        return TemplateFolder({}, {}, (f"There is no folder {folder}: AFTERWORD_TEMPLATES must name one.",))
    texts: dict[str, str] = {}
    troubles = []
    try:
        for path in _files(folder):
            name = path.relative_to(folder).as_posix()
            try:
                texts[name] = _text(path, name, folder.resolve())
            except BrokenTemplate as error:
                troubles.append(str(error))
    except (BrokenTemplate, OSError) as error:
        troubles.append(str(error))
    own = {name: text for name, text in texts.items() if text != ours(name)}
    styles = {name: text for name, text in own.items() if name in STYLES}
    return TemplateFolder({name: own[name] for name in own if name.endswith(".j2")}, styles, tuple(troubles))


def ours(name: str) -> str | None:
    """Our own file of that name, where a team's may take its place."""
    return (SHIPPED_FOLDER / name).read_text(encoding="utf-8") if name in (*TEMPLATES, *STYLES) else None


def _files(folder: Path) -> Iterator[Path]:
    """The templates and style sheets, in order; nothing hidden, for there a mounted volume keeps its versions."""
    seen = 0
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        seen += len(folders) + len(names)
        if seen > MOST:
            raise BrokenTemplate(f"{folder} holds more than {MOST} files: name the folder of the templates alone.")
        for name in sorted(names):
            if name.endswith((".j2", ".css")) and not name.startswith("."):
                yield Path(where, name)


def _text(path: Path, name: str, folder: Path) -> str:
    try:
        found = path.resolve(strict=True)
        if not found.is_relative_to(folder):
            raise BrokenTemplate(f"{name} is a link that leads out of the folder: put the file itself there.")
        if not found.is_file() or found.stat().st_size > LARGEST:
            raise BrokenTemplate(f"{name} is no file of at most {LARGEST // 1_000_000} MB.")
        text = found.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise BrokenTemplate(f"{name} cannot be read as text in UTF-8.") from error
    if name in STYLES and (closes := _CLOSES_STYLE.search(text)):
        line = text.count("\n", 0, closes.start()) + 1
        raise BrokenTemplate(f"{name}, line {line}: a style sheet must not hold {closes[0]}.")
    return text


@dataclass(frozen=True, slots=True)
class Edition:
    """One document as a team's templates tell it.

    `own` is what the record says, as head and regions; None: our templates are to write it. `styles` are sheets by the
    name of the file of ours that they take the place of. `trouble` says why a team's templates could not be used.
    """

    own: Compiled | None = None
    styles: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


SHIPPED_EDITION = Edition()


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
        return replace(SHIPPED_EDITION, trouble=shorten(to_one_line(str(error)), LONGEST_TROUBLE))


def made(folder: Path, document: Document, bounds: Bounds) -> Edition:
    """The same, raising BrokenTemplate where they cannot be used."""
    files = read(folder)
    if files.troubles:
        raise BrokenTemplate(files.troubles[0])
    if not files.templates:
        return Edition(styles=files.styles) if files.styles else SHIPPED_EDITION
    written = _asked(Task(files.templates, _light(document), "", _until(bounds)), bounds)
    return Edition(split(written), files.styles)


def tried(folder: Path) -> Trial:
    """Try a folder's templates on three incidents, each within the bounds of an export. Blocks for two seconds."""
    files = read(folder)
    found = {name: _tried(files, name) for name in SAMPLES} if files.templates and not files.troubles else {}
    notes = [_unused(name) for name in files.unused]
    notes += [note for _, told in found.values() for note in told]
    broken = {sentence: None for told, _ in found.values() for sentence in told}
    used = tuple(name for name in (*TEMPLATES, *STYLES) if name in {*files.templates, *files.styles})
    told = (_with_samples(sentence, [name for name in found if sentence in found[name][0]]) for sentence in broken)
    return Trial(used, (*files.troubles, *told), tuple(notes))


def _tried(files: TemplateFolder, sample: str) -> tuple[list[str], list[str]]:
    try:
        broken, notes = json.loads(_asked(Task(files.templates, None, sample, _until(USUAL)), USUAL))
    except BrokenTemplate as error:
        return [str(error)], []
    return broken, notes


def _until(bounds: Bounds) -> float:
    return time.monotonic() + _AHEAD * bounds.seconds


def _asked(task: Task, bounds: Bounds) -> str:
    try:
        return run_apart("bot.export.sandbox.template_worker", TASK.dump_json(task), bounds).decode()
    except FailedApart as error:
        raise BrokenTemplate(str(error)) from error
    except OSError as error:
        raise BrokenTemplate(f"The process for templates could not be started: {error.strerror}.") from error


def _with_samples(sentence: str, samples: list[str]) -> str:
    return sentence if len(samples) == len(SAMPLES) else f"{sentence} (Tried on: {', '.join(samples)}.)"


def _unused(name: str) -> str:
    if (SHIPPED_FOLDER / name).is_file():
        return f"{name} is not used: that file is always ours, and writes what the others made."
    return f"{name} takes the place of no template of ours; it is used only where another includes it."


def _light(document: Document) -> Document:
    """Without the bytes of files, which no Markdown shows."""
    return replace(document, timeline=tuple(map(_without_bytes, document.timeline)))


def _without_bytes(line: TimelineLine) -> TimelineLine:
    return line._replace(files=tuple(map(partial(replace, content=b""), line.files))) if line.files else line
