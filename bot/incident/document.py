"""The postmortem as one plain value: what every export is written from.

Every time is an aware UTC datetime; every text is plain text (see `plain`), to be shown literally; None means that the
record does not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.incident.kept import Change
from bot.incident.lines import Line, Who, Wording
from bot.incident.records import ActionStatus, Milestone, PostmortemStatus, Status


@dataclass(frozen=True, slots=True)
class Mark:
    """A milestone: when it was reached and by which entry; `line` is None where only the incident itself knows."""

    milestone: Milestone
    at: datetime | None
    line: Line | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """The spans that people compare; None where a stamp is missing or the stamps contradict each other.

    Detection, mitigation and resolution count from the start of the impact, acknowledgement from detection. The
    postmortem's age counts from the resolution until it was published, or until now while it is owed.
    """

    time_to_detect: timedelta | None
    time_to_acknowledge: timedelta | None
    time_to_mitigate: timedelta | None
    time_to_resolve: timedelta | None
    postmortem_age: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Participant:
    """What somebody did in the incident: the lines they authored, those they recorded for others, and their span."""

    who: Who
    is_lead: bool
    authored: int
    recorded: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class WhyStep:
    """One why, in the order of `bot.incident.outline`; `depth` counts the whys above it.

    `parent` is the number that it explains, None for a first one; `is_branch` where another why before it explains the
    same one; `evidence` are the entries that it cites, `actions` the numbers of the actions that are for it. `answers`
    is the number that it was given under, which may be struck since. `versions` as those of a Line.
    """

    number: int
    parent: int | None
    depth: int
    is_branch: bool
    text: str
    author: Who
    recorded_at: datetime
    is_root: bool
    evidence: tuple[Line, ...] = ()
    actions: tuple[int, ...] = ()
    answers: int | None = None
    versions: tuple[Wording, ...] = ()

    @property
    def action(self) -> int | None:
        """The first of its actions."""
        return self.actions[0] if self.actions else None


@dataclass(frozen=True, slots=True)
class Part:
    """One of the 14 sections: `text` is what a person wrote, empty where nobody has.

    `versions` are all savings, first to last; empty where it was saved once.
    """

    slug: str
    title: str
    text: str
    author: Who | None
    saved_at: datetime | None
    versions: tuple[Wording, ...] = ()

    def tells(self, *facts: str) -> bool:
        """Whether the person's text says all of these already, as exports write them, so that none is told twice."""
        return bool(self.text) and all(fact in self.text for fact in facts)


@dataclass(frozen=True, slots=True)
class ActionItem:
    """A corrective action; `is_overdue` as of the moment the document was compiled.

    `overdue_at` is the end of `due_on` where its owner lives.
    """

    number: int
    text: str
    owner: Who | None
    due_on: date | None
    status: ActionStatus
    is_overdue: bool
    reason: str
    link: str
    kind: str = ""
    held: str = ""
    overdue_at: datetime | None = None
    created_by: Who | None = None
    created_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Likeness:
    """What somebody said of a past incident, by its key: whether it had the same cause."""

    key: str
    is_same: bool
    said_by: Who
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Deed:
    """Who changed what, and when; `delivery` is the key of Slack's request, empty for changes of entries."""

    at: datetime
    who: Who
    verb: str
    what: str
    delivery: str


@dataclass(frozen=True, slots=True)
class KeptText:
    """A text that came back in an edited draft: a person's own Markdown; see `bot.incident.kept.KeptRegion`.

    `stands` where nothing has taken its place; `author` is None where nobody was named.
    """

    section: str
    version: int
    change: Change
    markdown: str
    facts: str
    seen: int
    author: Who | None
    source: str
    draft: str
    saved_at: datetime
    stands: bool


@dataclass(frozen=True, slots=True)
class Document:
    """A compiled postmortem.

    `severity` is `sev1` to `sev4` or empty. `started_at` is the start of the impact, else when it was noticed, else the
    first entry. `marks` holds every milestone in order, reached or not. `spans_days` where the timeline touches more
    than one day in UTC, so that clock times alone would mislead. `audit` is empty unless the case was loaded with it;
    `struck`, `struck_whys`, `likenesses` and every `versions` are empty unless it was compiled with its history.
    `kept` is every text that came back in edited drafts; `revision` counts the changes of the incident; `facts` are the
    digests of what the record knows for each section (`bot.incident.facts`): an edit tells by them what it was made on.
    """

    key: str
    number: int
    title: str
    severity: str
    status: Status
    channel_id: str
    channel_name: str
    opened_at: datetime
    opened_by: Who
    started_at: datetime | None
    resolved_at: datetime | None
    duration: timedelta | None
    marks: tuple[Mark, ...]
    metrics: Metrics
    lead: Who | None
    postmortem_status: PostmortemStatus
    postmortem_reason: str
    owner: Who | None
    published_at: datetime | None
    people: tuple[Who, ...]
    participants: tuple[Participant, ...]
    parts: tuple[Part, ...]
    timeline: tuple[Line, ...]
    spans_days: bool
    whys: tuple[WhyStep, ...]
    actions: tuple[ActionItem, ...]
    generated_at: datetime
    audit: tuple[Deed, ...] = ()
    workspace: str = ""
    resolved_by: Who | None = None
    struck: tuple[Line, ...] = ()
    struck_whys: tuple[WhyStep, ...] = ()
    likenesses: tuple[Likeness, ...] = ()
    kept: tuple[KeptText, ...] = ()
    revision: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)

    def texts(self, section: str) -> tuple[KeptText, ...]:
        """What people wrote into a region of the draft and still stands, oldest first."""
        return tuple(text for text in self.kept if text.section == section and text.stands)

    def mark(self, milestone: Milestone) -> Mark:
        """The mark of one milestone, reached or not."""
        return next(mark for mark in self.marks if mark.milestone == milestone)

    @property
    def counting(self) -> dict[Milestone, int]:
        """The numbers of the entries that count for the milestones: several may mark the same."""
        return {mark.milestone: mark.line.number for mark in self.marks if mark.line}

    def part(self, slug: str) -> Part:
        """One of the 14 sections. Raises LookupError for any other name."""
        found = [part for part in self.parts if part.slug == slug]
        if not found:
            raise LookupError(f"there is no section {slug!r}")
        return found[0]

    @property
    def began(self) -> Milestone | None:
        """The milestone that `started_at` is the time of; None where it is the first entry's, or there is none."""
        marks = (Milestone.IMPACT_STARTED, Milestone.DETECTED, Milestone.ACKNOWLEDGED)
        return next((name for name in marks if self.started_at and self.mark(name).at == self.started_at), None)

    def since_start(self, milestone: Milestone) -> timedelta | None:
        """How long after `started_at` a milestone was reached; None where it was not, or stands before it."""
        at = self.mark(milestone).at
        return at - self.started_at if at and self.started_at and at >= self.started_at else None

    @property
    def roots(self) -> tuple[WhyStep, ...]:
        """The whys that were marked as root cause."""
        return tuple(step for step in self.whys if step.is_root)
