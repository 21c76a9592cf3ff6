"""The folder of a team's own templates, read anew for each export: an edited file takes effect at once.

The files are read here, and what runs them elsewhere (see `teams`) is given their text: it needs no file itself.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from bot.errors import AfterwordError

TEMPLATES = ("document.md.j2", "sections.md.j2", "facts.md.j2", "words.j2")
STYLES = ("page.css", "paper.css")
LARGEST = 1_000_000
"""Bytes of one file."""
MOST = 1000
"""Files and folders that are looked at: who names the root of a disk is told so."""

OURS = files("templates") / "postmortem"
"""Where our own files stand."""
_CLOSES_STYLE = re.compile(r"</\s*style", re.IGNORECASE)


class BrokenTemplate(AfterwordError):
    """A team's templates cannot be used; the sentence names file, line and cause."""


@dataclass(frozen=True, slots=True)
class Files:
    """What a folder holds that is not ours word for word: texts by path in it. `troubles` are why it cannot be used."""

    templates: Mapping[str, str]
    styles: Mapping[str, str]
    troubles: tuple[str, ...]

    @property
    def unused(self) -> tuple[str, ...]:
        """The templates that take the place of none of ours."""
        return tuple(name for name in self.templates if name not in TEMPLATES)


def read(folder: Path) -> Files:
    """Every template and style sheet of the folder. It never raises: what is wrong stands in `troubles`."""
    if not folder.is_dir():
        return Files({}, {}, (f"There is no folder {folder}: AFTERWORD_TEMPLATES must name one.",))
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
    return Files({name: own[name] for name in own if name.endswith(".j2")}, styles, tuple(troubles))


def ours(name: str) -> str | None:
    """Our own file of that name, where a team's may take its place."""
    return (OURS / name).read_text(encoding="utf-8") if name in (*TEMPLATES, *STYLES) else None


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
