"""The tables of the record: what people wrote, who they are, and who changed what.

Also the search words of each incident, the decisions about similar ones, edited drafts, and copies in other systems.
"""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bot.domain.facets import FacetKind
from bot.domain.outline import Outline
from bot.domain.policy import SeverityPolicy
from bot.domain.records import (
    ActionKind,
    ActionStatus,
    AttachmentState,
    EditOrigin,
    EntryKind,
    Membership,
    Milestone,
    PostmortemStatus,
    Status,
)
from storage.database.statements import (
    STRICT,
    CalendarDay,
    NumberedRow,
    bytes_column,
    flag_column,
    of_column,
    partial_index,
    text_column,
    time_column,
    word_column,
)
from storage.postmortem.outline import OutlineType
from storage.postmortem.policy import PolicyType

# The conditions of partial indexes, as text, so that statements repeat them to the letter (see `partial_index`).
INCIDENT_UNRESOLVED = text("status <> 'resolved'")
POSTMORTEM_WANTED = text("status = 'resolved' AND postmortem_status IN ('open', 'in_review')")
POSTMORTEM_PUBLISHED = text("postmortem_status = 'published'")
ENTRY_CAPTURED = text("source <> ''")
ENTRY_MARKING = text("milestone IS NOT NULL")
ATTACHMENT_WANTED = text("state = 'wanted'")
ACTION_OPEN = text("status = 'open'")
REVIEWER_WAITING = text("is_waiting")


class WorkspaceRow(SQLModel, table=True):
    """The counter of a workspace's incidents."""

    __tablename__ = "workspace"
    __table_args__ = (STRICT,)
    team: str = text_column(primary_key=True)
    last_incident: int


class IncidentRow(NumberedRow, table=True):
    """One incident, the state of its postmortem, and the counters of its entries, whys and actions.

    The unique index allows one unresolved incident a channel, whichever replica opens it.
    """

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("team", "number"),
        Index("ix_incident_team_channel_number", "team", "channel", "number"),
        partial_index("uq_incident_open_in_channel", "team", "channel", where=INCIDENT_UNRESOLVED, unique=True),
        # What was resolved in a period is found without reading what was before.
        Index("ix_incident_resolved", "team", "resolved_at"),
        # Lists begin with what is unresolved, however much is not.
        partial_index("ix_incident_unresolved", "team", "number", where=INCIDENT_UNRESOLVED),
        # What a person still has to write is found without reading what everyone has written.
        partial_index("ix_incident_postmortem_wanted", "team", "postmortem_owner", where=POSTMORTEM_WANTED),
        # The library's lists go along these, page by page.
        Index("ix_incident_opened", "team", "opened_at", "id"),
        Index("ix_incident_severity_opened", "team", "severity", "opened_at", "id"),
        Index("ix_incident_owner_opened", "team", "postmortem_owner", "opened_at", "id"),
        Index("ix_incident_postmortem_opened", "team", "postmortem_status", "opened_at", "id"),
        # What was published in a week, likewise.
        partial_index("ix_incident_postmortem_published", "team", "published_at", where=POSTMORTEM_PUBLISHED),
        STRICT,
    )
    team: str = text_column()
    channel: str = text_column()
    number: int
    title: str = text_column()
    status: Status = word_column(Status)
    severity: int | None
    lead: str | None = text_column()
    opened_by: str = text_column()
    opened_at: datetime = time_column()
    resolved_by: str | None = text_column()
    resolved_at: datetime | None = time_column()
    postmortem_status: PostmortemStatus = word_column(PostmortemStatus)
    postmortem_owner: str | None = text_column()
    postmortem_reason: str = text_column()
    published_at: datetime | None = time_column()
    channel_name: str = text_column()
    outline: Outline | None = Field(sa_type=OutlineType)
    last_entry: int
    last_why: int
    last_action: int
    card_ts: str = text_column()
    why_ts: str = text_column()
    policy: SeverityPolicy | None = Field(sa_type=PolicyType)


class EntryRow(NumberedRow, table=True):
    """One line of a timeline in its latest version."""

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("incident_id", "number"),
        # Pages of a timeline are read along this index, so they cost the same however long it is.
        Index("ix_entry_order", "incident_id", "happened_at", "number"),
        # Whether a person ever recorded something: their Home tab shows examples until then.
        Index("ix_entry_recorder", "recorder"),
        # However many people capture one message at once, it becomes one entry.
        partial_index("uq_entry_source", "incident_id", "source", where=ENTRY_CAPTURED, unique=True),
        # When incidents began and ended is found without reading their timelines.
        partial_index("ix_entry_marking", "incident_id", where=ENTRY_MARKING),
        STRICT,
    )
    incident_id: int = of_column("incident")
    number: int
    happened_at: datetime = time_column()
    ended_at: datetime | None = time_column()
    approximate: bool = flag_column()
    text: str = text_column()
    author: str = text_column()
    recorder: str = text_column()
    recorded_at: datetime = time_column()
    kind: EntryKind = word_column(EntryKind)
    milestone: Milestone | None = word_column(Milestone)
    version: int
    struck: bool = flag_column()
    permalink: str = text_column()
    source: str = text_column()
    source_change: str = text_column()


class EntryVersionRow(NumberedRow, table=True):
    """A version of an entry. Triggers refuse every change but a redaction."""

    __tablename__ = "entry_version"
    __table_args__ = (UniqueConstraint("entry_id", "version"), STRICT)
    entry_id: int = of_column("entry")
    version: int
    change: str = text_column()
    happened_at: datetime = time_column()
    text: str = text_column()
    changed_by: str = text_column()
    changed_at: datetime = time_column()
    ended_at: datetime | None = time_column()
    approximate: bool = flag_column()


class AttachmentRow(NumberedRow, table=True):
    """A file of a captured message, stored with the incident and shown only there."""

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_entry_id", "entry_id"),
        # Files that are still to be fetched from Slack.
        partial_index("ix_attachment_wanted", "due_at", where=ATTACHMENT_WANTED),
        STRICT,
    )
    entry_id: int = of_column("entry")
    name: str = text_column()
    media_type: str = text_column()
    size: int
    address: str = text_column()
    state: AttachmentState = word_column(AttachmentState)
    note: str = text_column()
    content: bytes = bytes_column()
    due_at: datetime = time_column()
    attempts: int
    lease_owner: str = text_column()


class WhyRow(NumberedRow, table=True):
    """One step of the five whys."""

    __tablename__ = "why"
    __table_args__ = (UniqueConstraint("incident_id", "number"), STRICT)
    incident_id: int = of_column("incident")
    number: int
    parent: int | None
    text: str = text_column()
    author: str = text_column()
    recorded_at: datetime = time_column()
    is_root: bool = flag_column()
    struck: bool = flag_column()
    version: int


class WhyVersionRow(NumberedRow, table=True):
    """A version of a why. Triggers refuse every change but a redaction."""

    __tablename__ = "why_version"
    __table_args__ = (UniqueConstraint("why_id", "version"), STRICT)
    why_id: int = of_column("why")
    version: int
    change: str = text_column()
    text: str = text_column()
    changed_by: str = text_column()
    changed_at: datetime = time_column()


class WhyActionRow(NumberedRow, table=True):
    """Links an action to a why that it addresses."""

    __tablename__ = "why_action"
    __table_args__ = (UniqueConstraint("why_id", "action_id"), STRICT)
    why_id: int = of_column("why")
    action_id: int = of_column("action")


class SectionRow(NumberedRow, table=True):
    """A version of a section; the highest one counts. Triggers refuse every change but a redaction."""

    __tablename__ = "section"
    __table_args__ = (UniqueConstraint("incident_id", "section", "version"), STRICT)
    incident_id: int = of_column("incident")
    section: str = text_column()
    text: str = text_column()
    author: str = text_column()
    saved_at: datetime = time_column()
    version: int


class ActionRow(NumberedRow, table=True):
    """One corrective action."""

    __tablename__ = "action"
    __table_args__ = (
        UniqueConstraint("incident_id", "number"),
        partial_index("ix_action_overdue", "overdue_at", where=ACTION_OPEN),
        partial_index("ix_action_owner_overdue", "owner", "overdue_at", where=ACTION_OPEN),
        partial_index("ix_action_open", "incident_id", "overdue_at", where=ACTION_OPEN),
        STRICT,
    )
    incident_id: int = of_column("incident")
    number: int
    text: str = text_column()
    owner: str | None = text_column()
    due_on: date | None = Field(sa_type=CalendarDay)
    overdue_at: datetime | None = time_column()
    link: str = text_column()
    status: ActionStatus = word_column(ActionStatus)
    reason: str = text_column()
    created_by: str = text_column()
    created_at: datetime = time_column()
    closed_at: datetime | None = time_column()
    kind: ActionKind | None = word_column(ActionKind)
    held: str = text_column()


class FacetRow(NumberedRow, table=True):
    """A service or a tag of an incident. `folded` is the name without what does not tell names apart."""

    __tablename__ = "facet"
    __table_args__ = (
        UniqueConstraint("incident_id", "kind", "folded"),
        # Incidents are found by a name, and names by their beginning, without reading the others.
        Index("ix_facet_name", "team", "kind", "folded", "incident_id"),
        STRICT,
    )
    incident_id: int = of_column("incident")
    team: str = text_column()
    kind: FacetKind = word_column(FacetKind)
    name: str = text_column()
    folded: str = text_column()
    added_by: str = text_column()
    added_at: datetime = time_column()


class PersonRow(SQLModel, table=True):
    """A person of a workspace, as Slack last sent them."""

    __tablename__ = "person"
    __table_args__ = (STRICT,)
    team: str = text_column(primary_key=True)
    id: str = text_column(primary_key=True)
    name: str = text_column()
    zone: str = text_column()
    is_guest: bool = flag_column()
    is_bot: bool = flag_column()
    is_deactivated: bool = flag_column()
    locale: str = text_column()


class NewcomerRow(SQLModel, table=True):
    """A person who recorded in an incident before Slack said who they are; gone once they prove to be a member."""

    __tablename__ = "newcomer"
    __table_args__ = (STRICT,)
    incident_id: int = of_column("incident", primary_key=True)
    person: str = text_column(primary_key=True)
    team: str = text_column()
    since: datetime = time_column()
    membership: Membership = word_column(Membership)


class RecallRow(SQLModel, table=True):
    """The words by which an incident is found. Triggers keep them and their full-text index up to date.

    `told` is the text of the sections without those that quote other incidents: their words are not this one's.
    """

    __tablename__ = "recall"
    __table_args__ = (STRICT,)
    incident_id: int = of_column("incident", primary_key=True)
    title: str = text_column()
    cause: str = text_column()
    told: str = text_column()
    whys: str = text_column()
    actions: str = text_column()


class LikenessRow(NumberedRow, table=True):
    """What a person decided about two incidents: the same cause, or not."""

    __tablename__ = "likeness"
    __table_args__ = (UniqueConstraint("incident_id", "other_id"), STRICT)
    incident_id: int = of_column("incident")
    other_id: int = of_column("incident")
    is_same: bool = flag_column()
    said_by: str = text_column()
    said_at: datetime = time_column()


class AuditRow(NumberedRow, table=True):
    """Who changed what. Triggers refuse every change. Changes of entries are in `entry_version`."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_incident_id", "incident_id"), STRICT)
    incident_id: int = of_column("incident")
    who: str = text_column()
    verb: str = text_column()
    what: str = text_column()
    at: datetime = time_column()
    delivery: str = text_column()


class KeptRegionRow(NumberedRow, table=True):
    """A version of an edited region of a draft. Triggers refuse every change but a redaction."""

    __tablename__ = "kept_region"
    __table_args__ = (UniqueConstraint("incident_id", "section", "version"), STRICT)
    incident_id: int = of_column("incident")
    section: str = text_column()
    version: int
    change: EditOrigin = word_column(EditOrigin)
    markdown: str = text_column()
    facts: str = text_column()
    seen: int
    author: str = text_column()
    source: str = text_column()
    draft: str = text_column()
    saved_at: datetime = time_column()


class CopyRow(NumberedRow, table=True):
    """A copy of an incident's document in one place; `marks` is how each of its regions was last written, as JSON."""

    __tablename__ = "copy"
    __table_args__ = (UniqueConstraint("incident_id", "place"), STRICT)
    incident_id: int = of_column("incident")
    place: str = text_column()
    external_id: str = text_column()
    marks: str = text_column()
    revision: int
    written_at: datetime = time_column()


class ReviewRow(NumberedRow, table=True):
    """The review of an incident's postmortem: one event, however often it is moved."""

    __tablename__ = "review"
    __table_args__ = (UniqueConstraint("incident_id"), STRICT)
    incident_id: int = of_column("incident")
    sequence: int
    starts_at: datetime = time_column()
    minutes: int
    planned_by: str = text_column()
    planned_at: datetime = time_column()
    is_cancelled: bool = flag_column()


class ReviewerRow(NumberedRow, table=True):
    """A person who was asked to review, what they say, and where their invitation is."""

    __tablename__ = "reviewer"
    __table_args__ = (
        UniqueConstraint("incident_id", "user"),
        # What a person is still asked for is found without reading all that they were ever asked.
        partial_index("ix_reviewer_waiting", "user", where=REVIEWER_WAITING),
        STRICT,
    )
    incident_id: int = of_column("incident")
    user: str = text_column()
    verdict: str = text_column()
    words: str = text_column()
    answered_at: datetime | None = time_column()
    is_waiting: bool = flag_column()
    channel: str = text_column()
    ts: str = text_column()


class ChainRow(NumberedRow, table=True):
    """The proof of one history row, that of `place` with `row_id`. Triggers write it.

    `proof` is a salt (16 bytes), the seal (32: a hash of the salt and the row) and the link (32: a hash of the last
    link of the same incident and this seal). A redaction erases the salt: the rest stays, so the chain stays valid.
    """

    __tablename__ = "chain"
    __table_args__ = (UniqueConstraint("incident_id", "position"), UniqueConstraint("place", "row_id"), STRICT)
    incident_id: int = of_column("incident")
    position: int
    place: str = text_column()
    row_id: int
    proof: bytes = bytes_column()


class HistoryExemptionRow(NumberedRow, table=True):
    """While a transaction holds such a row, it may change and delete history: to forget a person, or an incident."""

    __tablename__ = "history_exemption"
    __table_args__ = (STRICT,)
    reason: str = text_column()


class ErasureRow(NumberedRow, table=True):
    """An incident that retention deleted: that it was here, and nothing of what was in it."""

    __tablename__ = "erasure"
    __table_args__ = (UniqueConstraint("incident_id"), STRICT)
    incident_id: int
    team: str = text_column()
    number: int
    reason: str = text_column()
    erased_at: datetime = time_column()
    rows: int
