"""The outlines of a team: files in its template folder, `short.toml` for the short form, read again when they change.

A broken file changes nothing: the outline that was read before stays in force, and incidents keep their own anyway.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot import bounds
from bot.domain.outline import DEFAULT, MOST_OUTLINES, NAME, STANDARD_NAME, Outline, OutlineMistake, define_outline
from bot.toml import describe_broken, find_line

SUFFIX = ".toml"


@dataclass(frozen=True, slots=True)
class OutlineFolder:
    """The outlines of a folder by name, the names of all its files, and sentences that name file and line."""

    outlines: Mapping[str, Outline]
    names: frozenset[str] = frozenset()
    troubles: tuple[str, ...] = ()


_NONE = OutlineFolder({})


def read_outlines(folder: Path | None) -> OutlineFolder:
    """Read every outline of a folder; blocks. Never raises: errors are in `troubles`."""
    if folder is None:
        return _NONE
    try:
        found = sorted(path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))
    except OSError:
        return _NONE
    outlines: dict[str, Outline] = {}
    troubles: list[str] = []
    for path in found[:MOST_OUTLINES]:
        try:
            outlines[path.stem] = _read_file(path)
        except _BrokenOutlineError as error:
            troubles += error.sentences
    if len(found) > MOST_OUTLINES:
        troubles.append(f"There are {len(found)} forms. The first {MOST_OUTLINES} are used.")
    return OutlineFolder(outlines, frozenset(path.stem for path in found), tuple(troubles))


class _BrokenOutlineError(Exception):
    def __init__(self, *sentences: str) -> None:
        super().__init__(*sentences)
        self.sentences = sentences


def _read_file(path: Path) -> Outline:
    name = path.name
    if path.stem == STANDARD_NAME or not NAME.fullmatch(path.stem):
        raise _BrokenOutlineError(
            f"{name} can't be the name of a form: use small letters, digits, - and _, not {STANDARD_NAME}. For all "
            f"incidents without another form: {DEFAULT}{SUFFIX}"
        )
    try:
        if not path.is_file() or path.stat().st_size > bounds.TEMPLATE:
            raise _BrokenOutlineError(f"{name} isn't a file of at most {bounds.TEMPLATE // 1_000_000} MB.")
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _BrokenOutlineError(f"{name} can't be read as UTF-8 text.") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _BrokenOutlineError(describe_broken(name, text, str(error))) from error
    except RecursionError as error:
        raise _BrokenOutlineError(f"{name} is nested too deep. Write each section under its own heading.") from error
    outline, mistakes = define_outline(path.stem, values)
    if mistakes:
        raise _BrokenOutlineError(*(_place(name, text, mistake) for mistake in mistakes))
    return outline


def _place(name: str, text: str, mistake: OutlineMistake) -> str:
    keys = tuple(filter(None, (mistake.table, mistake.key)))
    return f"{name}, line {find_line(text, keys)}: {mistake.sentence}"


def describe_outline(outline: Outline) -> str:
    """The line about an outline: its file, and its sections with those that a publication needs."""
    titles = (f"{one.title} (required)" if one.is_required else one.title for one in outline.sections)
    return f"{outline.name}{SUFFIX} makes the {outline.title}: {', '.join(titles)}."


class OutlineShelf:
    """The outlines in force: `current` by name, and `troubles`, what is wrong with newer files."""

    def __init__(self, folder: Path | None = None) -> None:
        """Reads the folder: blocks."""
        self._folder = folder
        self.current: Mapping[str, Outline] = {}
        self.troubles: tuple[str, ...] = ()
        self.reload()

    def reload(self) -> bool:
        """Read the files again; blocks. Whether something is new: an outline in force, or a trouble."""
        if self._folder is None:
            return False
        before = self.current, self.troubles
        found = read_outlines(self._folder)
        # A file that is broken now and was not before: what it said then stays.
        stays = {name: one for name, one in self.current.items() if name in found.names - found.outlines.keys()}
        self.current = {**stays, **found.outlines}
        self.troubles = found.troubles
        return (self.current, self.troubles) != before
