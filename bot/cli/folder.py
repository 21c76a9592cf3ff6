"""A folder of files that are ours beside files that are not: written only where they differ, whole or not at all.

What we wrote is listed in `.afterword-library.json` with the digest of each file. Only files that are listed, and still
are as we left them, are ever replaced or deleted. The list is written before the files as well as after them, with both
digests of what changes, so that a run that was broken off can be run again.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.cli import options as options_commands
from bot.errors import Refused

LIST = ".afterword-library.json"

_OURS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
"""A name that a file of ours can have. A list that someone edited must not lead out of the folder."""
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class FolderChange:
    """What a run writes and deletes, by name; `same` counts the files that stay as they are."""

    written: tuple[str, ...]
    deleted: tuple[str, ...]
    same: int


def plan_change(folder: Path, files: Mapping[str, bytes]) -> FolderChange:
    """What `write_folder` would do. Raises Refused if it would touch a file that is not ours, naming it."""
    ours = _read_list(folder)
    if foreign := sorted(name for name in files if not _is_free(folder / name, ours.get(name, ()))):
        names = ", ".join(foreign[:_MOST_NAMED]) + (", …" if len(foreign) > _MOST_NAMED else "")
        raise Refused(
            f"{folder} has files that Afterword didn't write, or that were changed since: {names}. Nothing was "
            "written. Move them away, or choose another folder."
        )
    written = [name for name, content in files.items() if _read(folder / name) != content]
    gone = sorted(name for name, digests in ours.items() if name not in files and _is_as_left(folder / name, digests))
    return FolderChange(tuple(written), tuple(gone), len(files) - len(written))


def write_folder(folder: Path, files: Mapping[str, bytes]) -> FolderChange:
    """Make the folder hold these files of ours, and leave all others alone. Raises Refused as `plan_change` does."""
    change = plan_change(folder, files)
    folder.mkdir(parents=True, exist_ok=True)
    before = _read_list(folder)
    after = {name: (_digest(content),) for name, content in files.items()}
    _write_list(folder, {name: (*before.get(name, ()), *after.get(name, ())) for name in {*before, *after}})
    for name in change.written:
        options_commands.replace_file(folder / name, files[name])
    for name in change.deleted:
        (folder / name).unlink()
    _write_list(folder, after)
    return change


def _is_free(path: Path, digests: tuple[str, ...]) -> bool:
    """Whether the file may be written: there is none, or it is as we left it."""
    return not (path.exists() or path.is_symlink()) or _is_as_left(path, digests)


def _is_as_left(path: Path, digests: tuple[str, ...]) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() in digests


def _read_list(folder: Path) -> dict[str, tuple[str, ...]]:
    """The digests that each file of ours may have, by name."""
    content = _read(folder / LIST)
    if content is None:
        return {}
    try:
        listed = {name: tuple(map(str, digests)) for name, digests in json.loads(content)["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{folder / LIST} can't be read. Restore it, or choose an empty folder.") from error
    return {name: digests for name, digests in listed.items() if _OURS.fullmatch(name) and name != LIST}


def _write_list(folder: Path, digests: Mapping[str, tuple[str, ...]]) -> None:
    listed = {name: sorted(set(digests[name])) for name in sorted(digests)}
    content = json.dumps({"written_by": "afterword library", "files": listed}, indent=1).encode() + b"\n"
    if _read(folder / LIST) != content:
        options_commands.replace_file(folder / LIST, content)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
