"""The lines of the document, made of the timeline's rows, and who stands behind the ids.

Every time is an aware UTC datetime; every text is plain text (see `plain`), to be shown literally.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from bot.incident.history import EntryVersion, History, first_wording, is_untouched
from bot.incident.plain import one_line, plain
from bot.incident.records import Attachment, Case, Entry, EntryKind, Milestone, Person

_NUMBER, _HAPPENED_AT = attrgetter("number"), attrgetter("happened_at")

TAKEN_BACK = "its entry was taken back"
"""Why a struck entry's file is named in a complete export, and not carried."""


@dataclass(frozen=True, slots=True)
class Who:
    """A person, with the id where no name is known."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording that an entry, a why or a section had, and what was done to bring it about.

    `happened_at`, `ended_at` and `approximate` are told of entries alone.
    """

    change: str
    text: str
    by: Who
    at: datetime
    happened_at: datetime | None = None
    ended_at: datetime | None = None
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class FileItem:
    """A file that hung on a captured message; `note` says why it is not kept.

    `media_type` was found out from the content of a file that is kept; of any other it is only what its sender said.
    `content` is empty unless the file is kept and was asked for.
    """

    name: str
    media_type: str
    size: int
    is_kept: bool
    note: str
    content: bytes


class Line(NamedTuple):
    """One entry of the timeline; the recorder is the author where people wrote down what they saw themselves.

    `source` is the message that it was captured from, as `channel:ts`; `source_change` is `edited` or `deleted` where
    that became of it. `versions` are all wordings, first to last; empty where it reads as it was first recorded, and
    `version` counts them. A named tuple, for a long timeline has ten thousand of them, and they are made three times as
    quickly.
    """

    number: int
    happened_at: datetime
    ended_at: datetime | None
    approximate: bool
    text: str
    author: Who
    recorder: Who
    recorded_at: datetime
    kind: EntryKind
    milestone: Milestone | None
    permalink: str
    source_change: str = ""
    files: tuple[FileItem, ...] = ()
    source: str = ""
    versions: tuple[Wording, ...] = ()
    version: int = 1

    @property
    def was_told(self) -> bool:
        """Somebody else than the author recorded it."""
        return self.author.id != self.recorder.id


class Cast:
    """The people of one document, each named once, in the order in which it comes to them."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        self._people = people
        self._seen: dict[str, Who] = {}

    def who(self, user: str) -> Who:
        """Somebody by their id, which stands for the name where nobody knows it."""
        found = self._seen.get(user)
        if found is None:
            person = self._people.get(user)
            found = self._seen[user] = Who(user, (one_line(person.name) if person else "") or user)
        return found

    def known(self, user: str | None) -> Who | None:
        """The same, or None for nobody."""
        return self.who(user) if user else None

    def everyone(self) -> tuple[Who, ...]:
        """All who were named so far."""
        return tuple(self._seen.values())


def standing_lines(case: Case, history: History, cast: Cast) -> tuple[Line, ...]:
    """The timeline: what is not struck, in the order of when it happened."""
    standing = sorted((entry for entry in case.entries if not entry.struck), key=_NUMBER)
    standing.sort(key=_HAPPENED_AT)  # those of one moment stay as they are numbered
    return _lines(standing, _files(case.attachments), history.wordings, cast)


def struck_lines(history: History, cast: Cast) -> tuple[Line, ...]:
    """What was taken back, by number; files are only named."""
    ordered = sorted(history.struck, key=_NUMBER)
    return _lines(ordered, _files(history.files, refused=TAKEN_BACK), history.wordings, cast)


def _lines(
    entries: list[Entry],
    files: Mapping[int, tuple[FileItem, ...]],
    wordings: Mapping[int, tuple[EntryVersion, ...]],
    cast: Cast,
) -> tuple[Line, ...]:
    who = cast.who
    return tuple(
        Line(
            entry.number,
            entry.happened_at,
            entry.ended_at,
            entry.approximate,
            plain(entry.text),
            who(entry.author),
            who(entry.recorder),
            entry.recorded_at,
            entry.kind,
            entry.milestone,
            entry.permalink,
            entry.source_change,
            files.get(entry.id, ()),
            entry.source,
            _wordings(entry, wordings[entry.id], cast) if entry.id in wordings else (),
            entry.version,
        )
        for entry in entries
    )


def _wordings(entry: Entry, found: tuple[EntryVersion, ...], cast: Cast) -> tuple[Wording, ...]:
    if is_untouched(first_wording(entry), found):
        return ()
    return tuple(
        Wording(
            version.change,
            plain(version.text),
            cast.who(version.changed_by),
            version.changed_at,
            version.happened_at,
            version.ended_at,
            version.approximate,
        )
        for version in found
    )


def wording(cast: Cast, change: str, text: str, by: str, at: datetime) -> Wording:
    """One wording as the document tells it."""
    return Wording(change, plain(text), cast.who(by), at)


def _files(attachments: Iterable[Attachment], refused: str = "") -> dict[int, tuple[FileItem, ...]]:
    """The files of each entry, by its row; with `refused` none is carried, for that reason."""
    found: dict[int, tuple[FileItem, ...]] = {}
    for file in attachments:
        found[file.entry_id] = (*found.get(file.entry_id, ()), _file(file, refused))
    return found


def _file(file: Attachment, refused: str) -> FileItem:
    is_kept = file.state == "kept" and not refused
    note = "" if is_kept else plain(file.note) or refused or "it is not fetched yet"
    content = file.content if is_kept else b""
    return FileItem(one_line(file.name) or "file", one_line(file.media_type), file.size, is_kept, note, content)
