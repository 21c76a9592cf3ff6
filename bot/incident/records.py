"""The nouns as values: what storage returns, rules judge, and templates show.

Every time is an aware UTC datetime. People are Slack user ids; their names and zones are `Person` records.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.incident.kept import KeptRegion


class Status(StrEnum):
    """Where an incident stands."""

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
    """Why a line stands in the timeline: somebody wrote it, or the record changed."""

    NOTE = "note"
    STATUS = "status"
    SEVERITY = "severity"
    LEAD = "lead"


class ActionStatus(StrEnum):
    """Where a corrective action stands."""

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
    """Where the document stands; reminders stop at published and waived."""

    OPEN = "open"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    WAIVED = "waived"

    @property
    def is_finished(self) -> bool:
        """Nothing more is owed."""
        return self in (PostmortemStatus.PUBLISHED, PostmortemStatus.WAIVED)


@dataclass(frozen=True, slots=True)
class Place:
    """A channel of a workspace; every query carries it."""

    team: str
    channel: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the workspace as last seen; `zone` is an IANA name, or empty where Slack told none.

    `locale` is their language in Slack as a BCP 47 tag ("de-DE"), or empty where Slack told none.
    """

    team: str
    id: str
    name: str
    zone: str = ""
    is_guest: bool = False
    is_bot: bool = False
    is_deactivated: bool = False
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident in one channel. `severity` is 1 to 4, or None while nobody has said."""

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

    @property
    def key(self) -> str:
        """`INC-7`: how people name it."""
        return f"INC-{self.number}"

    @property
    def channel_link(self) -> str:
        """Where Slack opens its channel, whatever the workspace's own address is."""
        return f"https://slack.com/app_redirect?team={self.team}&channel={self.channel}"

    @property
    def is_closed(self) -> bool:
        """It is over and its postmortem finished: nothing more is written into its timeline."""
        return self.status is Status.RESOLVED and self.postmortem_status.is_finished

    @property
    def severity_name(self) -> str:
        """`sev2`, or empty while unknown."""
        return f"sev{self.severity}" if self.severity else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline: `number` within its incident, `happened_at` when it was so, `recorded_at` when typed.

    Where it was captured from a message, `source` is that message's `channel:ts`, and `source_change` is `edited` or
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


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that hung on a captured message, kept with the incident.

    `state` is `wanted` (to be fetched from `address` with the bot's token), `kept`, or `refused` for the reason in
    `note`; `content` is empty unless kept and asked for.
    """

    id: int
    entry_id: int
    name: str
    media_type: str
    size: int
    address: str
    state: str
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


@dataclass(frozen=True, slots=True)
class Action:
    """A corrective action; `due_on` is a day where its owner lives, `overdue_at` the instant at which it ends there.

    `held` says what became of one that was done: `held`, `came back`, or empty while nobody has said.
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
    """Who did what to an incident: `verb` is `noun.verb`, `what` names what was changed, never its words.

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

    Entries are ordered by (happened_at, number) and leave out the struck; `people` maps user ids to persons; `kept` is
    what people wrote into drafts, by region and version. `revision` counts the changes of the incident so far.
    """

    incident: Incident
    entries: tuple[Entry, ...]
    whys: tuple[Why, ...]
    sections: dict[str, SectionText]
    actions: tuple[Action, ...]
    people: dict[str, Person]
    attachments: tuple[Attachment, ...] = ()
    audit: tuple[AuditLine, ...] = ()
    kept: tuple[KeptRegion, ...] = ()
    revision: int = 0

    def name(self, user: str | None) -> str:
        """A person's name, or the bare id where nobody knows it; empty for None."""
        if not user:
            return ""
        person = self.people.get(user)
        return person.name if person else user
