"""The postmortem as one plain value, the source of every export.

Every time is an aware UTC datetime; every text is plain text (see `bot.domain.text.clean`), to be shown literally; None
means that the record does not know.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import NamedTuple

from bot.domain.policy import SeverityPolicy
from bot.domain.records import (
    ActionStatus,
    Attachment,
    AttachmentState,
    Case,
    EditOrigin,
    Entry,
    EntryKind,
    EntryVersion,
    Milestone,
    Person,
    PostmortemStatus,
    RecordHistory,
    Status,
    first_wording,
    is_untouched,
)
from bot.domain.text import clean, to_one_line

_NUMBER, _HAPPENED_AT = attrgetter("number"), attrgetter("happened_at")

_NOTE = EntryKind.NOTE
"""Looked at once for each entry; Python 3.11 takes long to find a member of an enum."""

_RENAMED = "Renamed from "
"""How the entry of a new title begins; its kind is that of a note."""

TAKEN_BACK = "its entry was taken back"
"""Why a struck entry's file is named in a complete export, and not carried."""


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person, with the id if no name is known."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class PastWording:
    """One earlier wording of an entry, a why or a section, and the change that made it.

    Only wordings of entries have `happened_at`, `ended_at` and `approximate`.
    """

    change: str
    text: str
    by: PersonName
    at: datetime
    happened_at: datetime | None = None
    ended_at: datetime | None = None
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class FileItem:
    """A file of a captured message; `note` says why it is not stored.

    `media_type` is detected from the content of a stored file; for any other it is what the sender stated. `content` is
    empty unless the file is stored and was asked for.
    """

    name: str
    media_type: str
    size: int
    is_kept: bool
    note: str
    content: bytes


class TimelineLine(NamedTuple):
    """One entry of the timeline; the recorder is the author if people recorded what they saw themselves.

    `source` is the message that it was captured from, as `channel:ts`; `source_change` is `edited`, `deleted` or empty.
    `versions` are all wordings, first to last, or empty if there is only the first; `version` counts them. It is a
    named tuple because a long timeline has ten thousand of them, and they are made three times as fast as dataclasses.
    """

    number: int
    happened_at: datetime
    ended_at: datetime | None
    approximate: bool
    text: str
    author: PersonName
    recorder: PersonName
    recorded_at: datetime
    kind: EntryKind
    milestone: Milestone | None
    permalink: str
    source_change: str = ""
    files: tuple[FileItem, ...] = ()
    source: str = ""
    versions: tuple[PastWording, ...] = ()
    version: int = 1

    @property
    def was_told(self) -> bool:
        """Whether another person than its author recorded it."""
        return self.author.id != self.recorder.id

    @property
    def is_bookkeeping(self) -> bool:
        """Whether it only says that the record was kept: status, severity, lead or a new title, and no milestone."""
        return self.milestone is None and (self.kind is not _NOTE or self.text.startswith(_RENAMED))


class _Names(dict[str, PersonName]):
    """The people who were named, by id. Whoever is looked for is named."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        super().__init__()
        self._people = people

    def __missing__(self, user: str) -> PersonName:
        person = self._people.get(user)
        found = self[user] = PersonName(user, (to_one_line(person.name) if person else "") or user)
        return found


class Cast:
    """The people of one document, each named once, in the order in which it comes to them."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        self.by_id = _Names(people)
        """For a long timeline: looking up takes a third of the time that `who` does."""

    def who(self, user: str) -> PersonName:
        """A person by their id, which is also the name if none is known."""
        return self.by_id[user]

    def find(self, user: str | None) -> PersonName | None:
        """The same, or None for an empty id."""
        return self.who(user) if user else None

    def everyone(self) -> tuple[PersonName, ...]:
        """All who were named so far."""
        return tuple(self.by_id.values())


def list_active_lines(case: Case, history: RecordHistory, cast: Cast) -> tuple[TimelineLine, ...]:
    """The active lines of the timeline, in the order of when they happened."""
    active = sorted((entry for entry in case.entries if not entry.struck), key=_NUMBER)
    active.sort(key=_HAPPENED_AT)  # a stable sort: at one moment by number
    return _lines(active, _files(case.attachments), history.wordings, cast)


def list_struck_lines(history: RecordHistory, cast: Cast) -> tuple[TimelineLine, ...]:
    """The struck lines, by number; their files are only named."""
    ordered = sorted(history.struck, key=_NUMBER)
    return _lines(ordered, _files(history.files, refused=TAKEN_BACK), history.wordings, cast)


def _lines(
    entries: list[Entry],
    files: Mapping[int, tuple[FileItem, ...]],
    wordings: Mapping[int, tuple[EntryVersion, ...]],
    cast: Cast,
) -> tuple[TimelineLine, ...]:
    who = cast.by_id
    # Without the constructor, which only puts its arguments into a tuple, and takes a fifth of a document's time.
    make = partial(tuple.__new__, TimelineLine)
    return tuple(
        [
            make(
                (
                    entry.number,
                    entry.happened_at,
                    entry.ended_at,
                    entry.approximate,
                    clean(entry.text),
                    who[entry.author],
                    who[entry.recorder],
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
            )
            for entry in entries
        ]
    )


def _wordings(entry: Entry, versions: tuple[EntryVersion, ...], cast: Cast) -> tuple[PastWording, ...]:
    if is_untouched(first_wording(entry), versions):
        return ()
    return tuple(
        PastWording(
            version.change,
            clean(version.text),
            cast.who(version.changed_by),
            version.changed_at,
            version.happened_at,
            version.ended_at,
            version.approximate,
        )
        for version in versions
    )


def build_past_wording(cast: Cast, change: str, text: str, by: str, at: datetime) -> PastWording:
    """One wording as the document shows it."""
    return PastWording(change, clean(text), cast.who(by), at)


def _files(attachments: Iterable[Attachment], refused: str = "") -> dict[int, tuple[FileItem, ...]]:
    """The files of each entry, by its row; with `refused` none is carried, for that reason."""
    found: dict[int, tuple[FileItem, ...]] = {}
    for file in attachments:
        found[file.entry_id] = (*found.get(file.entry_id, ()), _file(file, refused))
    return found


def _file(file: Attachment, refused: str) -> FileItem:
    is_kept = file.state is AttachmentState.STORED and not refused
    note = "" if is_kept else clean(file.note) or refused or "it is not fetched yet"
    content = file.content if is_kept else b""
    return FileItem(to_one_line(file.name) or "file", to_one_line(file.media_type), file.size, is_kept, note, content)


@dataclass(frozen=True, slots=True)
class Mark:
    """A milestone: when it was reached and by which entry; `line` is None if only the incident itself knows."""

    milestone: Milestone
    at: datetime | None
    line: TimelineLine | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """The durations that people compare; None if a time is missing or the times contradict each other.

    Detection, mitigation and resolution count from the start of the impact, acknowledgement from detection. The
    postmortem's age counts from the resolution until it was published, or until now if it is not.
    """

    time_to_detect: timedelta | None
    time_to_acknowledge: timedelta | None
    time_to_mitigate: timedelta | None
    time_to_resolve: timedelta | None
    postmortem_age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Participant:
    """A person's part in the incident: the lines they authored, those they recorded for others, and their time span."""

    who: PersonName
    is_lead: bool
    authored: int
    recorded: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class WhyStep:
    """One why, in the order of `bot.domain.whys`; `depth` counts the whys above it.

    `parent` is the number that it explains, None for a first one; `is_branch` if an earlier why explains the same
    one; `evidence` are the entries that it cites, `actions` the numbers of the actions that are for it. `answers`
    is the number that it was given under, which may be struck since. `versions` as those of a Line.
    """

    number: int
    parent: int | None
    depth: int
    is_branch: bool
    text: str
    author: PersonName
    recorded_at: datetime
    is_root: bool
    evidence: tuple[TimelineLine, ...] = ()
    actions: tuple[int, ...] = ()
    answers: int | None = None
    versions: tuple[PastWording, ...] = ()

    @property
    def action(self) -> int | None:
        """The first of its actions."""
        return self.actions[0] if self.actions else None


@dataclass(frozen=True, slots=True)
class DocumentSection:
    """One of the document's sections: `text` is what a person wrote, empty if no one has.

    `versions` are all saved texts, first to last; empty if it was saved once.
    """

    slug: str
    title: str
    text: str
    author: PersonName | None
    saved_at: datetime | None
    versions: tuple[PastWording, ...] = ()

    def tells(self, *facts: str) -> bool:
        """Whether the person's text says all of these already, as exports write them, so that none is printed twice."""
        return bool(self.text) and all(fact in self.text for fact in facts)


@dataclass(frozen=True, slots=True)
class DocumentOutline:
    """Which sections the postmortem was given, in JSON only: slug, title, question, and whether a publication needs it.

    `former` are sections of earlier outlines, whose texts keep their titles; a person `is_chosen` it.
    """

    name: str
    title: str
    sections: tuple[tuple[str, str, str, bool], ...]
    former: tuple[tuple[str, str, str, bool], ...]
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ActionItem:
    """A corrective action; `is_overdue` as of the moment the document was compiled.

    `overdue_at` is the end of `due_on` in its owner's zone.
    """

    number: int
    text: str
    owner: PersonName | None
    due_on: date | None
    status: ActionStatus
    is_overdue: bool
    reason: str
    link: str
    kind: str = ""
    held: str = ""
    overdue_at: datetime | None = None
    created_by: PersonName | None = None
    created_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SimilarIncident:
    """A past incident, by its key, and a person's answer whether it had the same cause."""

    key: str
    is_same: bool
    said_by: PersonName
    said_at: datetime


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who changed what, and when; `delivery` is the key of Slack's request, empty for changes of entries."""

    at: datetime
    who: PersonName
    verb: str
    what: str
    delivery: str


@dataclass(frozen=True, slots=True)
class EditedText:
    """A text from an edited draft: a person's own Markdown; see `bot.domain.records.EditedRegion`.

    `stands`: nothing has replaced it. `author` is None if no one was named.
    """

    section: str
    version: int
    change: EditOrigin
    markdown: str
    facts: str
    seen: int
    author: PersonName | None
    source: str
    draft: str
    saved_at: datetime
    stands: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A compiled postmortem.

    `severity` is `sev1` to `sev4` or empty. `started_at` is the start of the impact, else the detection, else the first
    entry. `marks` holds every milestone in order, reached or not. `spans_days`: the timeline touches more than one day
    in UTC, so clock times alone would mislead. `audit` is empty unless the case was loaded with it; `struck`,
    `struck_whys`, `likenesses` and every `versions` are empty unless it was compiled with its history. `kept` is every
    text from edited drafts; `revision` counts the changes of the incident; `facts` are the digests of what the record
    knows for each section (`bot.domain.sections`), which show what an edit was based on. `absent` are those of the 14
    sections that the incident's `outline` lacks and no one wrote. `services` and `tags` are names. `policy` is the one
    that the incident keeps.
    """

    key: str
    number: int
    title: str
    severity: str
    status: Status
    channel_id: str
    channel_name: str
    opened_at: datetime
    opened_by: PersonName
    started_at: datetime | None
    resolved_at: datetime | None
    duration: timedelta | None
    marks: tuple[Mark, ...]
    metrics: Metrics
    lead: PersonName | None
    postmortem_status: PostmortemStatus
    postmortem_reason: str
    owner: PersonName | None
    published_at: datetime | None
    people: tuple[PersonName, ...]
    participants: tuple[Participant, ...]
    parts: tuple[DocumentSection, ...]
    timeline: tuple[TimelineLine, ...]
    spans_days: bool
    whys: tuple[WhyStep, ...]
    actions: tuple[ActionItem, ...]
    generated_at: datetime
    audit: tuple[AuditRecord, ...] = ()
    workspace: str = ""
    resolved_by: PersonName | None = None
    struck: tuple[TimelineLine, ...] = ()
    struck_whys: tuple[WhyStep, ...] = ()
    likenesses: tuple[SimilarIncident, ...] = ()
    kept: tuple[EditedText, ...] = ()
    revision: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[DocumentSection, ...] = ()
    outline: DocumentOutline | None = None
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    policy: SeverityPolicy | None = None

    def texts(self, section: str) -> tuple[EditedText, ...]:
        """The active texts that people wrote into a region of the draft, oldest first."""
        return tuple(text for text in self.kept if text.section == section and text.stands)

    def mark(self, milestone: Milestone) -> Mark:
        """The mark of one milestone, reached or not."""
        return next(mark for mark in self.marks if mark.milestone == milestone)

    @property
    def counting(self) -> dict[Milestone, int]:
        """The numbers of the entries that count for the milestones: several may mark the same."""
        return {mark.milestone: mark.line.number for mark in self.marks if mark.line}

    def part(self, slug: str) -> DocumentSection:
        """One of its sections, or of the 14. Raises LookupError for any other name."""
        found = [part for part in (*self.parts, *self.absent) if part.slug == slug]
        if not found:
            raise LookupError(f"there is no section {slug!r}")
        return found[0]

    @property
    def began(self) -> Milestone | None:
        """The milestone whose time `started_at` is; None if it is the first entry's, or there is none."""
        marks = (Milestone.IMPACT_STARTED, Milestone.DETECTED, Milestone.ACKNOWLEDGED)
        return next((name for name in marks if self.started_at and self.mark(name).at == self.started_at), None)

    def since_start(self, milestone: Milestone) -> timedelta | None:
        """The time from `started_at` to a milestone; None if it was not reached, or came earlier."""
        at = self.mark(milestone).at
        return at - self.started_at if at and self.started_at and at >= self.started_at else None

    @property
    def roots(self) -> tuple[WhyStep, ...]:
        """The whys that were marked as root cause."""
        return tuple(step for step in self.whys if step.is_root)
