"""The nouns as values: storage returns them, rules judge them, views show them.

Every time is an aware UTC datetime. People are Slack user ids; their names and zones are `Person` records.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.facets import Facet
from bot.domain.policy import PostmortemRule, SeverityPolicy
from bot.domain.text import clean

if TYPE_CHECKING:
    from bot.domain.outline import Outline  # made of sections, which are made of what is here
    from bot.domain.review import Review  # it reads times, which few commands need


class Status(StrEnum):
    """The status of an incident."""

    OPEN = "open"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


class Milestone(StrEnum):
    """What an entry may mark in the incident's life."""

    IMPACT_STARTED = "impact_started"
    DETECTED = "detected"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


class EntryKind(StrEnum):
    """Why a line is in the timeline: a person wrote it, or the record changed."""

    NOTE = "note"
    STATUS = "status"
    SEVERITY = "severity"
    LEAD = "lead"


class ActionStatus(StrEnum):
    """The status of a corrective action."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class ActionKind(StrEnum):
    """What an action is good for."""

    PREVENT = "prevent"
    DETECT = "detect"
    MITIGATE = "mitigate"
    PROCESS = "process"


class PostmortemStatus(StrEnum):
    """The status of the document; reminders stop at published and waived."""

    OPEN = "open"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    WAIVED = "waived"

    @property
    def is_finished(self) -> bool:
        """Whether no more work on it is expected."""
        return self in (PostmortemStatus.PUBLISHED, PostmortemStatus.WAIVED)


@dataclass(frozen=True, slots=True)
class Place:
    """A channel of a workspace; every query carries it."""

    team: str
    channel: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person of the workspace as last seen; `zone` is an IANA name, or empty if Slack gave none.

    `locale` is their language in Slack as a BCP 47 tag ("de-DE"), or empty if Slack gave none.
    """

    team: str
    id: str
    name: str
    zone: str = ""
    is_guest: bool = False
    is_bot: bool = False
    is_deactivated: bool = False
    locale: str = ""


class Membership(StrEnum):
    """What is known about a person who recorded before Slack said who they are.

    An OUTSIDER is a guest, belongs to another organization, or has a deactivated account.
    """

    UNIDENTIFIED = "unidentified"
    OUTSIDER = "outsider"


_MARKS = {Membership.UNIDENTIFIED: "not identified yet", Membership.OUTSIDER: "not a member"}


def mark_person(user: Person, membership: Membership, *, is_known: bool) -> Person:
    """The person, with a mark in their name unless Slack has said by now that they are a member.

    Their name is what every view and document shows, so none can leave the mark out.
    """
    if is_known and membership is Membership.UNIDENTIFIED:
        if not (user.is_guest or user.is_deactivated):
            return user
        membership = Membership.OUTSIDER
    return replace(user, name=f"{user.name} ({_MARKS[membership]})")


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident in one channel. `severity` is 1 to 4, or None until it is set.

    `policy` is the one that counted when it was resolved; None without a policy file.
    `outline` is which sections its postmortem has, None for the 14.
    """

    id: int
    team: str
    channel: str
    number: int
    title: str
    status: Status
    severity: int | None
    lead: str | None
    opened_by: str
    opened_at: datetime
    resolved_by: str | None
    resolved_at: datetime | None
    postmortem_status: PostmortemStatus
    postmortem_owner: str | None
    postmortem_reason: str
    published_at: datetime | None
    channel_name: str = ""
    policy: SeverityPolicy | None = None
    outline: "Outline | None" = None

    @property
    def key(self) -> str:
        """`INC-7`: how people name it."""
        return f"INC-{self.number}"

    @property
    def channel_link(self) -> str:
        """The address that opens its channel in Slack, for any workspace."""
        return f"https://slack.com/app_redirect?team={self.team}&channel={self.channel}"

    @property
    def rule(self) -> PostmortemRule:
        """Whether its postmortem is asked for."""
        return self.policy.postmortem if self.policy else PostmortemRule.REQUIRED

    @property
    def is_closed(self) -> bool:
        """Whether it is over and its postmortem finished: then its timeline takes no more entries."""
        return self.status is Status.RESOLVED and self.postmortem_status.is_finished

    @property
    def severity_name(self) -> str:
        """`sev2`, or empty while unknown."""
        return f"sev{self.severity}" if self.severity else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline: `number` within its incident, `happened_at` when it was true, `recorded_at` when typed.

    If it was captured from a message, `source` is that message's `channel:ts`, and `source_change` is `edited` or
    `deleted` once its author did so; the wording captured first stays.
    """

    id: int
    incident_id: int
    number: int
    happened_at: datetime
    ended_at: datetime | None
    approximate: bool
    text: str
    author: str
    recorder: str
    recorded_at: datetime
    kind: EntryKind
    milestone: Milestone | None
    version: int
    struck: bool
    permalink: str = ""
    source: str = ""
    source_change: str = ""


class AttachmentState(StrEnum):
    """What happened to a captured message's file."""

    WANTED = "wanted"
    """To be fetched from `address` with the bot's token."""
    STORED = "kept"
    REFUSED = "refused"
    """Not stored, for the reason in `note`."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a captured message. `content` is empty unless the file is stored and its content was asked for."""

    id: int
    entry_id: int
    name: str
    media_type: str
    size: int
    address: str
    state: AttachmentState
    note: str
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Why:
    """One step of the five whys; `parent` is the number of the why that it explains, or None for a first one.

    `version` counts its wordings; `actions` are the numbers of the actions that are for it.
    """

    id: int
    incident_id: int
    number: int
    parent: int | None
    text: str
    author: str
    recorded_at: datetime
    is_root: bool
    struck: bool = False
    version: int = 1
    actions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SectionText:
    """What a person wrote into one section of the postmortem; `version` counts its savings."""

    incident_id: int
    section: str
    text: str
    author: str
    saved_at: datetime
    version: int


class EditOrigin(StrEnum):
    """The origin of a text: an edited draft, a person's choice, or giving the region back to the record."""

    EDITED = "edited"
    CHOSEN = "chosen"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class EditedRegion:
    """One text of one region of the draft; versions count within the region and are only ever added.

    `section` is the region's id, mostly a section's slug; `markdown` is the person's own, empty if they emptied the
    region. `facts` is the digest of what the record knew in the draft that they edited (empty if its marker was lost),
    `seen` the latest version that it showed them. `author` is a user id, a name given on the command line, or empty;
    `source` is `file`, `canvas`, `confluence` or `slack`; `draft` identifies the copy (of a file, when it was
    compiled), or is empty.
    """

    incident_id: int
    section: str
    version: int
    change: EditOrigin
    markdown: str
    facts: str
    seen: int
    author: str
    source: str
    draft: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Action:
    """A corrective action; `due_on` is a day in its owner's zone, `overdue_at` the instant at which it ends there.

    `held` is the answer to the follow-up on one that is done: `held`, `came back`, or empty.
    """

    id: int
    incident_id: int
    number: int
    text: str
    owner: str | None
    due_on: date | None
    overdue_at: datetime | None
    link: str
    status: ActionStatus
    reason: str
    created_by: str
    created_at: datetime
    closed_at: datetime | None
    kind: ActionKind | None = None
    held: str = ""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who changed what of an incident: `verb` is `noun.verb`, `what` names the thing, never its words.

    `delivery` is the key of Slack's request; empty for changes of entries.
    """

    at: datetime
    who: str
    verb: str
    what: str
    delivery: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything the record holds of one incident, at one moment: what the postmortem is compiled from.

    Entries are ordered by (happened_at, number), without the struck ones; `people` maps user ids to persons.
    `edited_sections` is what people wrote into drafts, by region and version. `revision` counts the changes of the
    incident so far. `doubtful` are those whose name carries a mark (`mark_person`). `facets` are services, then tags.
    """

    incident: Incident
    entries: tuple[Entry, ...]
    whys: tuple[Why, ...]
    sections: dict[str, SectionText]
    actions: tuple[Action, ...]
    people: dict[str, Person]
    attachments: tuple[Attachment, ...] = ()
    audit: tuple[AuditLine, ...] = ()
    edited_sections: tuple[EditedRegion, ...] = ()
    revision: int = 0
    doubtful: frozenset[str] = frozenset()
    facets: tuple[Facet, ...] = ()
    review: "Review | None" = None

    def name(self, user: str | None) -> str:
        """A person's name, or the bare id if none is known; empty for None."""
        if not user:
            return ""
        person = self.people.get(user)
        return person.name if person else user


_ADDED = "added"
_TIMELINE = "timeline."


@dataclass(frozen=True, slots=True)
class EntryVersion:
    """One wording of an entry, with its time; versions are only ever added.

    Of wordings from before migration 0013 only the last has its end and whether it is approximate. `change` is `added`
    (`marked` by a reaction), `edited`, `struck`, `restored` or `redacted`.
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
class SimilarityVerdict:
    """A past incident, by its number, and a person's answer whether it had the same cause."""

    number: int
    is_same: bool
    said_by: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class RecordHistory:
    """Everything that a complete export has beyond a Case; empty if it was not asked for.

    `struck` are the struck entries, by number; `files` are theirs. `whys` are all of them, also the struck, each with
    its first parent. `wordings` and `why_wordings` go by the rows of entries and whys, `savings` by the slugs of
    sections; each is first to last. `people` are those whom only these name.
    """

    struck: tuple[Entry, ...] = ()
    files: tuple[Attachment, ...] = ()
    wordings: Mapping[int, tuple[EntryVersion, ...]] = field(default_factory=dict)
    whys: tuple[Why, ...] = ()
    why_wordings: Mapping[int, tuple[WhyVersion, ...]] = field(default_factory=dict)
    savings: Mapping[str, tuple[SectionText, ...]] = field(default_factory=dict)
    verdicts: tuple[SimilarityVerdict, ...] = ()
    people: Mapping[str, Person] = field(default_factory=dict)


def first_wording(entry: Entry) -> EntryVersion:
    """The wording of an entry as it was first typed."""
    made = (entry.recorder, entry.recorded_at)
    return EntryVersion(1, _ADDED, entry.happened_at, entry.text, *made, entry.ended_at, entry.approximate)


def first_why_wording(why: Why) -> WhyVersion:
    """The wording of a why as it was first answered."""
    return WhyVersion(1, _ADDED, why.text, why.author, why.recorded_at)


def is_untouched(before: EntryVersion | WhyVersion, versions: Iterable[EntryVersion | WhyVersion]) -> bool:
    """Whether there is only the first wording, which says nothing that the entry or why itself does not."""
    only = tuple(versions)
    if len(only) != 1 or clean(only[0].text) != clean(before.text):
        return False
    return _occasion(only[0]) == _occasion(before)


def _occasion(wording: EntryVersion | WhyVersion) -> tuple[object, ...]:
    time: tuple[object, ...] = ()
    if isinstance(wording, EntryVersion):
        time = (wording.happened_at, wording.ended_at, wording.approximate)
    return wording.change, time, wording.changed_by, wording.changed_at


def name_entry_change(number: int, change: str, by: str, at: datetime) -> AuditLine:
    """The audit verb of a wording of an entry."""
    return AuditLine(at, by, f"{_TIMELINE}{change}", f"entry {number}", "")


def is_entry_change(line: AuditLine) -> bool:
    """Whether an audit line is of a wording of an entry, and so is stored with the wording only."""
    return line.verb.startswith(_TIMELINE) and not line.delivery


def merge_audit(stored: Iterable[AuditLine], of_entries: Iterable[AuditLine]) -> tuple[AuditLine, ...]:
    """Both kinds of audit lines as one list by time: stored ones in their order, entries' by number and version."""
    return tuple(sorted([*stored, *of_entries], key=lambda line: line.at))


LARGEST = 10 * 1024 * 1024
"""Bytes of one file."""

LARGEST_IN_ALL = 100 * 1024 * 1024
"""Bytes of all files of one incident: they are exported inside one document."""

IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""The only types that an export shows as pictures. SVG is not among them: it can hold scripts."""

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
)
"""How files of each type begin, after the types' own specifications."""

_NOT_TEXT = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_PAGE = re.compile(r"\s*(?:<!doctype html|<html)", re.IGNORECASE)


def detect_media_type(content: bytes, stated: str) -> str:
    """The type of a file by its first bytes; empty if it is none that is stored.

    `stated` is the sender's type: it only chooses among the kinds of text, which are all shown the same.
    """
    for magic, found in _MAGIC:
        if content.startswith(magic):
            return found
    # WebP is a RIFF container: its type is behind the length.
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return _text_type(content, stated)


def _text_type(content: bytes, stated: str) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    # A page could run scripts where it is opened.
    if _NOT_TEXT.search(text) or _PAGE.match(text):
        return ""
    return stated if stated in ("text/csv", "application/json") else "text/plain"


def describe_too_large(size: int, stored: int) -> str:
    """Why a file of this size is not stored with the incident's others; empty if it is."""
    if size > LARGEST:
        return f"it is larger than {LARGEST // 1024**2} MB"
    if stored + size > LARGEST_IN_ALL:
        return f"together, the incident's files would be larger than {LARGEST_IN_ALL // 1024**2} MB"
    return ""


def format_size(size: int) -> str:
    """`840 B`, `12 kB`, `3.4 MB`."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


@dataclass(frozen=True, slots=True)
class Examples:
    """Numbers for the examples in help texts: the latest entry, two whys and two actions, so that a copied line works.

    If nothing is recorded yet they are the numbers that will be given first.
    """

    entry: int = 1
    why: int = 2
    earlier_why: int = 1
    action: int = 1
    other_action: int = 2


def choose_examples(case: Case) -> Examples:
    """The numbers of a case, which may hold only its latest entries."""
    whys = [why.number for why in case.whys if not why.struck]
    later = whys[-1] if len(whys) > 1 else 2
    open_ones = [action.number for action in case.actions if action.status is ActionStatus.OPEN]
    actions = (open_ones or [action.number for action in case.actions] or [1])[:2]
    return Examples(
        entry=case.entries[-1].number if case.entries else 1,
        why=later,
        earlier_why=whys[0] if whys else 1,
        action=actions[0],
        other_action=actions[-1] if len(actions) > 1 else actions[0] + 1,
    )


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the service, as customers know it; `status` is how it works by Statuspage's word, or empty."""

    id: str
    name: str
    status: str


class System(StrEnum):
    """A system by the name that it has in settings, rows and commands. These words are stored and never change."""

    JIRA = "jira"
    CONFLUENCE = "confluence"
    SERVICE_MANAGEMENT = "jsm"
    PAGING = "paging"
    STATUSPAGE = "statuspage"

    @property
    def display_name(self) -> str:
        """What people call it."""
        return _TITLES[self]


_TITLES = {
    System.JIRA: "Jira",
    System.CONFLUENCE: "Confluence",
    System.SERVICE_MANAGEMENT: "Jira Service Management",
    System.PAGING: "Paging",
    System.STATUSPAGE: "Statuspage",
}
