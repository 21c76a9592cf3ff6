"""What the record holds besides what stands: wordings, what was struck, what was said of likenesses, and who did it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.incident.plain import plain
from bot.incident.records import Attachment, AuditLine, Entry, Person, SectionText, Why

_ADDED = "added"
_TIMELINE = "timeline."


@dataclass(frozen=True, slots=True)
class EntryVersion:
    """One wording of an entry, with the time that it had; versions are only ever added.

    Of wordings from before migration 0013 only the last has its end and whether it is only about right. `change` is
    `added` (`marked` where a reaction did it), `edited`, `struck`, `restored` or `redacted`.
    """

    version: int
    change: str
    happened_at: datetime
    text: str
    changed_by: str
    changed_at: datetime
    ended_at: datetime | None = None
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class WhyVersion:
    """One wording of a why; versions are only ever added.

    `change` is `added`, `edited`, `moved`, `struck`, `restored`, `redacted`, or `root` and `no root` for what it was
    marked as.
    """

    version: int
    change: str
    text: str
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody said of a past incident, by its number: whether it had the same cause."""

    number: int
    is_same: bool
    said_by: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """Everything that a complete export has beyond a Case; empty where nobody asked for it.

    `struck` are the entries that were taken back, by number; `files` are theirs. `whys` are all of them, also the
    struck, each with the parent that it was given under. `wordings` and `why_wordings` go by the rows of entries and
    whys, `savings` by the slugs of sections; each is first to last. `people` are those whom only these name.
    """

    struck: tuple[Entry, ...] = ()
    files: tuple[Attachment, ...] = ()
    wordings: Mapping[int, tuple[EntryVersion, ...]] = field(default_factory=dict)
    whys: tuple[Why, ...] = ()
    why_wordings: Mapping[int, tuple[WhyVersion, ...]] = field(default_factory=dict)
    savings: Mapping[str, tuple[SectionText, ...]] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    people: Mapping[str, Person] = field(default_factory=dict)


def first_wording(entry: Entry) -> EntryVersion:
    """The wording of an entry that nobody has touched since it was typed."""
    made = (entry.recorder, entry.recorded_at)
    return EntryVersion(1, _ADDED, entry.happened_at, entry.text, *made, entry.ended_at, entry.approximate)


def first_why_wording(why: Why) -> WhyVersion:
    """The wording of a why that nobody has touched since it was given."""
    return WhyVersion(1, _ADDED, why.text, why.author, why.recorded_at)


def is_untouched(before: EntryVersion | WhyVersion, found: Iterable[EntryVersion | WhyVersion]) -> bool:
    """Whether the wordings are the first one alone, and so tell nothing that the entry or why itself does not."""
    only = tuple(found)
    if len(only) != 1 or plain(only[0].text) != plain(before.text):
        return False
    return _occasion(only[0]) == _occasion(before)


def _occasion(wording: EntryVersion | WhyVersion) -> tuple[object, ...]:
    time: tuple[object, ...] = ()
    if isinstance(wording, EntryVersion):
        time = (wording.happened_at, wording.ended_at, wording.approximate)
    return wording.change, time, wording.changed_by, wording.changed_at


def entry_deed(number: int, change: str, by: str, at: datetime) -> AuditLine:
    """The line of the audit that a wording of an entry stands for."""
    return AuditLine(at, by, f"{_TIMELINE}{change}", f"entry {number}", "")


def is_entry_deed(line: AuditLine) -> bool:
    """Whether a line of the audit stands for a wording of an entry, and so is kept there and nowhere else."""
    return line.verb.startswith(_TIMELINE) and not line.delivery


def whole_audit(kept: Iterable[AuditLine], of_entries: Iterable[AuditLine]) -> tuple[AuditLine, ...]:
    """Both kinds as one list by time: what is kept in the order of its keeping, entries' by number and version."""
    return tuple(sorted([*kept, *of_entries], key=lambda line: line.at))
